"""Database migrations from one YAML file: plan, backup, schema, load, prove, take back."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datamig_pipelines.orchestration.component import Migration

__all__ = ["Migration"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Load the Dagster component only when somebody asks for it: the core stays light."""
    if name == "Migration":
        from datamig_pipelines.orchestration.component import Migration

        return Migration
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    """List the public names, so that Dagster's registry finds the component."""
    return __all__
