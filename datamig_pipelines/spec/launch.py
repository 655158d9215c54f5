"""What is chosen when a run is started; the same names in Launchpad, -c files and on the CLI."""

from enum import StrEnum

from pydantic import Field

from datamig_pipelines.spec.model import SpecModel


class Direction(StrEnum):
    """Where a run goes, in a word; the name of a migration is a direction as well: go there."""

    up = "up"
    down = "down"
    latest = "latest"


class Launch(SpecModel):
    """The arguments of one run.

    ``direction`` is a word of `Direction` or the name of a migration of the same line; '' is this
    migration alone, forward. ``plan`` is
    the fingerprint of the only plan that may run; '' is any.
    """

    direction: str = Field(default="", pattern=r"^([A-Za-z]\w*)?$")
    dry_run: bool = False
    batch_size: int | None = Field(default=None, ge=1, le=1_000_000)
    tables: tuple[str, ...] = ()
    plan: str = Field(default="", pattern=r"^[0-9a-f]*$")


class Retreat(SpecModel):
    """The arguments of one rollback.

    ``restore`` puts the backup back even if undo would do. ``accept_losses`` is the yes to what the
    rollback takes although the run did not bring it. ``safety`` keeps the target as it is before a
    restore.
    """

    restore: bool = False
    accept_losses: bool = False
    safety: bool = True
    dry_run: bool = False
