"""One migration: the root of a defs.yaml."""

import keyword
import os
from collections import Counter
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, field_validator, model_validator
from sqlalchemy.engine import URL

from datamig_pipelines.spec.connection import Connection
from datamig_pipelines.spec.launch import Direction
from datamig_pipelines.spec.model import SpecModel
from datamig_pipelines.spec.policy import (
    Alert,
    Approval,
    Backup,
    Contact,
    Rehearsal,
    Rejects,
    Rollback,
    Schedule,
)
from datamig_pipelines.spec.proof import Side, Suite, Validation
from datamig_pipelines.spec.spread import Spread
from datamig_pipelines.spec.table import Cast, Shards, TableSpec
from datamig_pipelines.spec.throttle import Metrics, Throttle

_DIRECTIONS = frozenset(Direction)
_DAGSTER_WORDS = frozenset({"type", "config", "context", "input", "output"})


class MigrationKind(StrEnum):
    """What a migration is for."""

    schema = "schema"
    data = "data"
    platform = "platform"
    version = "version"
    cloud = "cloud"


class Migration(SpecModel):
    """Everything one migration file says. Only name, source and target are needed."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")] = Field(
        description="Letters, digits and _; the jobs and assets are called by it."
    )
    kind: MigrationKind = MigrationKind.platform
    source: Connection
    target: Connection
    batch_size: int = Field(default=50_000, ge=1, le=1_000_000, description="Rows per batch.")
    workers: int = Field(default=2, ge=1, le=64, description="Workers of one load.")
    shards: Shards = Field(
        default="auto",
        description="Parts that a table is cut into; auto: by its size and the workers.",
    )
    max_retries: int = Field(
        default=5,
        ge=0,
        le=100,
        description="Times in a row that a lost connection is opened again; waits 1, 2, 4 … s.",
    )
    tables: tuple[TableSpec, ...] = ()
    include: tuple[str, ...] = Field(default=("*",), description="Tables to move; * is allowed.")
    exclude: tuple[str, ...] = Field(default=(), description="Tables to leave; * is allowed.")
    casts: tuple[Cast, ...] = ()
    throttle: Throttle = Throttle()
    metrics: Metrics | None = None
    names: Literal["keep", "lower", "snake"] = Field(
        default="keep",
        description="Style of the target's names: as they are, in lower case, or snake_case.",
    )
    grants: Literal["keep", "ignore"] = Field(
        default="ignore",
        description="keep: grants and owners move to an equal engine, for roles that are there.",
    )
    rejects: Rejects = Rejects()
    validation: Validation = Field(default=Validation(), alias="validate")
    backup: Backup = Backup()
    rollback: Rollback = Rollback()
    after: str = Field(
        default="",
        description="Name of the migration of the same target that has to be applied before.",
    )
    approval: Approval = Approval()
    rehearsal: Rehearsal = Rehearsal()
    drift: Literal["refuse", "report"] = Field(
        default="refuse",
        description="What happens to a run when somebody changed or dropped what was migrated.",
    )
    alerts: tuple[Alert, ...] = ()
    contacts: tuple[Contact, ...] = ()
    owners: tuple[Annotated[str, Field(pattern=r"^(team:.+|[^@\s]+@[^@\s]+)$")], ...] = Field(
        default=(), description="team:name or an email address, shown on every asset."
    )
    schedule: Schedule | None = None
    spread: Spread | None = None

    _base: Path = PrivateAttr(default_factory=Path.cwd)
    _home: Path | None = PrivateAttr(default=None)

    @field_validator("name")
    @classmethod
    def _name_is_free(cls, name: str) -> str:
        if keyword.iskeyword(name) or name in _DAGSTER_WORDS:
            raise ValueError(f"{name} is a word of Python's or Dagster's; choose another")
        if name in _DIRECTIONS:
            raise ValueError(f"{name} is a direction of a run; choose another")
        return name

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        twice = [n for n, count in Counter(t.name for t in self.tables).items() if count > 1]
        if twice:
            raise ValueError(f"tables: {', '.join(twice)} stands there twice")
        unwanted = [t.name for t in self.tables if t.name in self.exclude]
        if unwanted:
            raise ValueError(f"{', '.join(unwanted)} stands below tables and below exclude")
        return self

    @model_validator(mode="after")
    def _restore_has_a_whole_backup(self) -> Self:
        if self.rollback.on_failure == "restore" and self.backup.what == "tables":
            raise ValueError("rollback: on_failure: restore needs backup: {what: all}")
        return self

    @property
    def base(self) -> Path:
        """Return the folder that relative paths are relative to."""
        return self._base

    @property
    def home(self) -> Path:
        """Return the folder of this migration's plans and reports.

        Below ``$DATAMIG_HOME`` if that is set, else below ``.datamig`` in the project (the nearest
        folder above the file with a pyproject.toml), else below ``.datamig`` beside the file.
        """
        if self._home is not None:
            return self._home
        if chosen := os.environ.get("DATAMIG_HOME"):
            return Path(chosen) / self.name
        projects = (
            p for p in (self._base, *self._base.parents) if (p / "pyproject.toml").is_file()
        )
        return next(projects, self._base) / ".datamig" / self.name

    def based(self, folder: Path) -> Self:
        """Return this migration with relative paths below ``folder``."""
        copy = self.model_copy()
        copy._base = folder.resolve()  # noqa: SLF001 (a copy of ourselves)
        return copy

    def elsewhere(self, target: URL, home: Path) -> Self:
        """Return this migration with another target, and with another folder for its files."""
        copy = self.model_copy(update={"target": self.target.at(target)})
        copy._home = home  # noqa: SLF001 (a copy of ourselves)
        return copy

    def source_url(self) -> URL:
        """Return the source's URL. Raises MissingSecretError, UnknownEngineError."""
        return self._located(self.source, "source")

    def target_url(self) -> URL:
        """Return the target's URL. Raises MissingSecretError, UnknownEngineError."""
        return self._located(self.target, "target")

    def path(self, text: str) -> Path:
        """Return a path of the file, made absolute."""
        return (self._base / text).resolve()

    def suites(self, side: Side) -> tuple[Suite, ...]:
        """Return the suites of one side, each with its table; files alone beat patterns.

        Raises:
            SuitesMissingError: A pattern finds no file.
        """
        from datamig_pipelines.errors import SuitesMissingError

        said = self.validation.before if side == "before" else self.validation.suites
        named = {s.file for s in said if not s.is_pattern}
        found: list[Suite] = []
        for suite in said:
            each = suite.each(self._base)
            if not each:
                where = f"{self.name}: validate.{'before' if side == 'before' else 'suites'}"
                msg = f"no file is called {suite.file} in {self._base}"
                hint = f"Write suites, or let `datamig profile {self.name}` make a first draft."
                raise SuitesMissingError(msg, hint=hint, where=where)
            found += [s for s in each if not (suite.is_pattern and s.file in named)]
        return tuple(dict.fromkeys(found))

    def table_spec(self, *names: str) -> TableSpec | None:
        """Return what the file says about the table that goes by any of these names."""
        return next((t for t in self.tables if t.name in names), None)

    def wants(self, *names: str) -> bool:
        """Say whether the table that goes by these names is moved."""
        if self.table_spec(*names):
            return True
        return _matches(self.include, names) and not _matches(self.exclude, names)

    def _located(self, connection: Connection, where: str) -> URL:
        from datamig_pipelines.errors import SpecError

        try:
            return connection.resolve(self._base)
        except SpecError as error:
            raise error.at(f"{self.name}: {where}") from None


def _matches(patterns: tuple[str, ...], names: tuple[str, ...]) -> bool:
    return any(fnmatchcase(n, p) for p in patterns for n in names)
