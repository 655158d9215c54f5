"""Where scratch databases are made."""

import os

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from datamig_pipelines.backups.database import Database
from datamig_pipelines.dialects import get_dialect
from datamig_pipelines.errors import ScratchUnfitError, UnknownEngineError
from datamig_pipelines.spec import Migration


def scratch_url(migration: Migration, database: Database) -> URL:
    """Return the database beside which a scratch database is made.

    Raises:
        ScratchUnfitError: ``backup.scratch_env`` names nothing, or another engine.
    """
    name = migration.backup.scratch_env
    if name is None:
        return database.url
    hint = f"export {name}='engine://user:password@host/database', of the engine that is kept."
    text = os.environ.get(name)
    if not text:
        msg = f"backup.scratch_env: the environment variable {name} is not set"
        raise ScratchUnfitError(msg, hint=hint)
    try:
        url = make_url(text)
        dialect = get_dialect(url)
    except (ArgumentError, UnknownEngineError) as error:
        msg = f"backup.scratch_env: {name} holds no URL of a database"
        raise ScratchUnfitError(msg, hint=hint) from error
    if dialect.name != database.dialect.name:
        msg = (
            f"backup.scratch_env: {name} is {dialect.label}, but {database.dialect.label} "
            "is to be restored"
        )
        raise ScratchUnfitError(msg, hint=hint)
    return url
