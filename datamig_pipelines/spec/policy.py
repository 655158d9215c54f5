"""Backups, rejects, rollback, alerts, contacts, schedule."""

from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, model_validator

from datamig_pipelines.spec.model import SpecModel

_CRON_FIELDS = 5


class Backup(SpecModel):
    """How the target is kept before anything is written to it."""

    to: str = Field(default="./backups", description="Folder, relative to the YAML file.")
    verify: Literal["restore", "checksum", "none"] = Field(
        default="restore", description="restore: restored into a scratch database and compared."
    )


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

    on_failure: Literal["keep", "undo"] = Field(
        default="keep",
        description="keep: a later run resumes. undo: what the run made is taken back.",
    )


class Approval(SpecModel):
    """Whether a person has to approve a plan before it runs."""

    required: bool | Literal["risky"] = Field(
        default=False,
        description="true: every plan. risky: a plan that leaves something behind or changes "
        "values, or has no proven backup (docs/versions.md lists it).",
    )
    by: tuple[str, ...] = Field(
        default=(), description="Who may: user or user@host; nobody named: anybody."
    )
    valid_hours: float = Field(default=72, gt=0, description="An approval runs out after this.")


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
