"""The load on several machines."""

from typing import Any, Literal

from pydantic import Field

from datamig_pipelines.spec.model import SpecModel


class Spread(SpecModel):
    """A job ``<name>_spread`` whose load is shared by steps on several machines."""

    executor: Literal["celery", "k8s", "processes"] = Field(
        description="Who runs the steps: Celery workers, Kubernetes jobs, or processes of one "
        "machine."
    )
    steps: int = Field(default=4, ge=1, le=256, description="How many take shards side by side.")
    config: dict[str, Any] = Field(
        default={}, description="Configuration of Dagster's executor, as its own page says."
    )
