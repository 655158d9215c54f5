"""What is chosen when a run is started; the same names in Launchpad, -c files and on the CLI."""

from enum import StrEnum

from pydantic import Field

from datamig_pipelines.spec.model import SpecModel


class Direction(StrEnum):
    """Where a run goes."""

    up = "up"
    down = "down"
    latest = "latest"


class Launch(SpecModel):
    """The arguments of one run."""

    direction: Direction = Direction.latest
    dry_run: bool = False
    batch_size: int | None = Field(default=None, ge=1, le=1_000_000)
    tables: tuple[str, ...] = ()
