"""Backups, rejects, rollback, alerts, contacts, schedule."""

from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, model_validator

from datamig_pipelines.spec.model import SpecModel

_CRON_FIELDS = 5
_MOST_HOURS = 876_000
"""A hundred years: what lasts longer may end after the last day that Python knows."""
STORES = ("s3", "gs", "az")
"""Schemes of the object stores that hold backups."""


_TRUTH: TypeAdapter[bool] = TypeAdapter(bool)


def _asked(value: Any) -> Any:
    """Return a condition; of what is none, one mistake is told, not one for each way to read it."""
    try:
        return value if value == "risky" else _TRUTH.validate_python(value)
    except ValidationError:
        raise ValueError("write true, false or risky") from None


Required = Annotated[bool | Literal["risky"], BeforeValidator(_asked)]


class Backup(SpecModel):
    """How the target is kept before anything is written to it."""

    to: str = Field(
        default="./backups",
        description="Folder, relative to the YAML file, or s3://bucket/prefix, gs://…, az://…; "
        "credentials come from the environment only.",
    )
    what: Literal["all", "tables"] = Field(
        default="all",
        description="all: the whole database. tables: the tables that the migration touches, with "
        "those they refer to; a rollback cannot restore that.",
    )
    source: bool = Field(default=False, description="Keep the source as well.")
    verify: Literal["restore", "checksum", "none"] = Field(
        default="restore", description="restore: restored into a scratch database and compared."
    )
    verify_restore_max_bytes: int = Field(
        default=20_000_000_000,
        ge=0,
        description="Larger databases are verified by checksum only, and the plan says so.",
    )
    scratch_env: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")] | None = Field(
        default=None,
        description="Environment variable with the URL of a database of the same engine, beside "
        "which scratch databases are made; without it, beside the one that is backed up.",
    )
    keep: int | None = Field(
        default=None, ge=1, description="Newest backups to keep; older ones are deleted."
    )
    keep_days: int | None = Field(
        default=None,
        ge=1,
        description="Days to keep a backup. With keep as well, what either of both keeps stays.",
    )
    encryption: Literal["AES256", "aws:kms"] | None = Field(
        default=None,
        description="Server-side encryption of an S3 bucket (the key of aws:kms: "
        "AWS_SSE_KMS_KEY_ID); without it, and elsewhere, what the bucket or disk does by itself.",
    )

    @property
    def is_folder(self) -> bool:
        """Say whether backups go to a folder, not to an object store."""
        return "://" not in self.to

    @model_validator(mode="after")
    def _store_is_known(self) -> Self:
        scheme = self.to.partition("://")[0] if not self.is_folder else ""
        if scheme and scheme not in STORES:
            raise ValueError(f"to: {scheme}:// is no store; known are {', '.join(STORES)}://")
        if "@" in self.to.partition("://")[2].partition("/")[0]:
            raise ValueError("to: credentials do not belong into a file; set AWS_ACCESS_KEY_ID, …")
        if self.encryption and scheme != "s3":
            raise ValueError("encryption: only s3:// takes it; elsewhere the store's default holds")
        return self


class Rejects(SpecModel):
    """How many rows the target may refuse, and whether that is a success."""

    abort_above: Annotated[str, Field(pattern=r"^\d+(\.\d+)?%?$")] = Field(
        default="10%",
        coerce_numbers_to_str=True,
        description="Rows (25) or share of the rows read (10%) per table; above, the run stops.",
    )
    allow: tuple[str, ...] = Field(
        default=(), description="Tables whose rejects do not turn the run red; * is allowed."
    )

    def exceeded(self, rejected: int, read: int) -> bool:
        """Say whether a table with so many rejects of so many rows read is over the limit."""
        if self.abort_above.endswith("%"):
            return rejected > read * float(self.abort_above[:-1]) / 100
        return rejected > float(self.abort_above)


class Rollback(SpecModel):
    """What happens to the target when a run fails."""

    on_failure: Literal["keep", "undo", "restore"] = Field(
        default="keep",
        description="keep: a later run resumes. undo: what the run made is taken back. restore: "
        "the same, and where that is not exact or fails, the backup is restored.",
    )


class Approval(SpecModel):
    """Whether a person has to approve a plan before it runs."""

    required: Required = Field(
        default=False,
        description="true: every plan. risky: a plan that leaves something behind or changes "
        "values, or has no proven backup (docs/versions.md lists it).",
    )
    by: tuple[str, ...] = Field(
        default=(), description="Who may: user or user@host; nobody named: anybody."
    )
    valid_hours: float = Field(
        default=72, gt=0, le=_MOST_HOURS, description="An approval runs out after this."
    )


class Rehearsal(SpecModel):
    """Whether a plan has to be rehearsed before it runs."""

    required: Required = Field(
        default=False,
        description="true: every plan. risky: a plan that leaves something behind or changes "
        "values, or has no proven backup. The verdict is then kept in the target's ledger.",
    )
    all_rows: bool = Field(
        default=False, description="true: a rehearsal of a sample does not count."
    )
    valid_hours: float = Field(
        default=72, gt=0, le=_MOST_HOURS, description="A rehearsal counts so long."
    )


class Alert(SpecModel):
    """Who hears about it: the environment variable holds an Apprise URL (mailto://, slack://, json://…)."""

    env: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")]
    on: tuple[Literal["failure", "canceled", "success"], ...] = ("failure", "canceled")

    @model_validator(mode="before")
    @classmethod
    def _on_is_a_word(cls, data: Any) -> Any:
        """Take the key ``on``, which YAML 1.1 reads as true, for what was written."""
        if isinstance(data, dict) and True in data and "on" not in data:
            return {("on" if key is True else key): value for key, value in data.items()}
        return data


class Contact(SpecModel):
    """A person for the night."""

    name: str
    phone: str = ""
    email: str = ""


class Schedule(SpecModel):
    """When the migration runs by itself."""

    cron: str = Field(description="Five fields: minute hour day month weekday.")
    timezone: str = "UTC"

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        if len(self.cron.split()) != _CRON_FIELDS:
            raise ValueError(f"cron has {len(self.cron.split())} fields, it needs {_CRON_FIELDS}")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"there is no time zone {self.timezone!r}") from None
        return self
