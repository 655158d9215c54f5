"""What is chosen when a run is launched: flat words in Launchpad and ``-c`` file.

They are mapped to one resource per migration. Its defaults count when assets are materialized from
the asset graph, where no job and so no mapping stands between: all tables, forward, not a dry run —
"Materialize" does what it says.
"""

from typing import Any

import dagster as dg
from pydantic import Field, ValidationError

from datamig_pipelines.errors import SpecError
from datamig_pipelines.spec import Launch, Retreat

_DIRECTION = Field(
    "",
    description="up: the next migration of the line. latest: all of it. down: the last one back. "
    "The name of a migration: there. Empty: this migration alone, forward.",
)
_DRY_RUN = Field(default=False, description="Plan and show, touch nothing.")
_BATCH_SIZE = Field(default=None, description="Rows per batch; none: as the file says.")
_PLAN = Field("", description="Fingerprint of the only plan that may run; none: any.")
_RESTORE = Field(
    default=False,
    description="On the way back: restore the backup over everything, even if undo would do.",
)
_ACCEPT = Field(
    default=False,
    description="On the way back: yes to losing rows that the run did not bring (CLI: --yes).",
)
_SAFETY = Field(
    default=True, description="Before a restore: keep the target as it is in a dump of its own."
)
_TABLES: Any = Field(default=[], description="Tables to load; none: all of them.")


class Choice(dg.Config):
    """The run configuration of a migration's jobs."""

    direction: str = _DIRECTION
    dry_run: bool = _DRY_RUN
    batch_size: int | None = _BATCH_SIZE
    tables: list[str] = _TABLES
    plan: str = _PLAN
    restore: bool = _RESTORE
    accept_losses: bool = _ACCEPT
    safety: bool = _SAFETY


class BackChoice(dg.Config):
    """The run configuration of a migration's rollback job: the words of `datamig rollback`."""

    restore: bool = _RESTORE
    accept_losses: bool = _ACCEPT
    safety: bool = _SAFETY
    dry_run: bool = Field(default=False, description="Say what would happen, touch nothing.")


class Settings(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The same choices, as the ops see them."""

    direction: str = _DIRECTION
    dry_run: bool = _DRY_RUN
    batch_size: int | None = _BATCH_SIZE
    tables: list[str] = _TABLES
    plan: str = _PLAN
    restore: bool = _RESTORE
    accept_losses: bool = _ACCEPT
    safety: bool = _SAFETY

    def launch(self, tables: tuple[str, ...] | None = None) -> Launch:
        """Return the arguments of the run, for these tables if given. Raises SpecError."""
        try:
            return Launch(
                direction=self.direction,
                dry_run=self.dry_run,
                batch_size=self.batch_size,
                tables=tuple(self.tables) if tables is None else tables,
                plan=self.plan,
            )
        except ValidationError as error:
            first = error.errors()[0]
            msg = f"{first['loc'][0]}: {first['msg']} (here: {first['input']!r})"
            raise SpecError(msg, hint="Change the run's configuration.", where="launch") from None

    def retreat(self) -> Retreat:
        """Return the arguments of a rollback."""
        return Retreat(
            restore=self.restore,
            accept_losses=self.accept_losses,
            safety=self.safety,
            dry_run=self.dry_run,
        )


def settings_key(migration: str) -> str:
    """Return the name of a migration's settings among the resources."""
    return f"{migration}_settings"


def settings_of(context: Any, migration: str) -> Settings:
    """Return the settings of the running migration."""
    settings = getattr(context.resources, settings_key(migration))
    if not isinstance(settings, Settings):
        raise TypeError(settings_key(migration))
    return settings


def mapping(migration: str) -> dg.ConfigMapping:
    """Return the mapping of the flat choices to the resource."""

    def choose(val: Choice) -> dg.RunConfig:
        chosen = Settings(
            direction=val.direction,
            dry_run=val.dry_run,
            batch_size=val.batch_size,
            tables=val.tables,
            plan=val.plan,
            restore=val.restore,
            accept_losses=val.accept_losses,
            safety=val.safety,
        )
        return dg.RunConfig(resources={settings_key(migration): chosen})

    return dg.config_mapping(choose)


def mapping_back(migration: str) -> dg.ConfigMapping:
    """Return the mapping of a rollback's choices to the resource."""

    def choose(val: BackChoice) -> dg.RunConfig:
        chosen = Settings(
            restore=val.restore,
            accept_losses=val.accept_losses,
            safety=val.safety,
            dry_run=val.dry_run,
        )
        return dg.RunConfig(resources={settings_key(migration): chosen})

    return dg.config_mapping(choose)
