"""Follows the events of a run in this process: progress on stderr, the verdict on stdout."""

import contextlib
import sys
from collections.abc import Iterator

from datamig_pipelines.cli.progress import Live
from datamig_pipelines.cli.verdict import conclude
from datamig_pipelines.errors import DatamigError
from datamig_pipelines.spec import Migration
from datamig_pipelines.transfer import Event


def follow(migration: Migration, events: Iterator[Event], *, as_json: bool) -> int:
    """Show every event, then the verdict. Returns the exit code."""
    failed = drain(events)
    return conclude(migration, failed, as_json=as_json)


def drain(events: Iterator[Event]) -> DatamigError | None:
    """Show every event and return the error that ended them, if one did."""
    # What a user's function prints must not get into the one document on stdout.
    with contextlib.redirect_stdout(sys.stderr), Live() as live:
        try:
            for event in events:
                live.show(event)
        except DatamigError as error:
            return error
    return None
