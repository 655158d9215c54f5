"""How gentle a load is to the target, and where its figures can be read."""

from typing import Self

from pydantic import Field, model_validator

from datamig_pipelines.spec.model import SpecModel


class Throttle(SpecModel):
    """Limits of a load, over all its workers together; without them it goes as fast as it can."""

    rows_per_s: float | None = Field(
        default=None, gt=0, description="Rows per second, at most; all workers together."
    )
    bytes_per_s: float | None = Field(
        default=None, gt=0, description="Bytes per second on the wire, at most."
    )
    lock_timeout_s: float | None = Field(
        default=None,
        gt=0,
        le=86_400,
        description="How long the target's sessions wait for a lock; else 30 (SQLite: 10).",
    )
    statement_timeout_s: float | None = Field(
        default=None,
        gt=0,
        le=604_800,
        description="How long a statement on the target may take, CREATE INDEX too; else no limit.",
    )
    max_lag_s: float | None = Field(
        default=None, gt=0, description="Pauses while a replica of the target lags more than this."
    )
    max_commit_s: float | None = Field(
        default=None, gt=0, description="Goes slower while a batch takes longer than this to write."
    )


class Metrics(SpecModel):
    """Figures for Prometheus: served while a run runs, written to a file, or both."""

    port: int | None = Field(
        default=None, ge=1, le=65_535, description="Serve http://host:port/metrics during a run."
    )
    host: str = Field(default="127.0.0.1", description="Address that the port is opened on.")
    file: str | None = Field(
        default=None, description="Write this file (*.prom) for node_exporter's textfile collector."
    )

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.port is None and self.file is None:
            raise ValueError("write port, file or both")
        return self
