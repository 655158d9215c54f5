"""The data path: one table's rows from the source to the target, batch by batch."""

from datamig_pipelines.transfer.events import Event, Progress, Said
from datamig_pipelines.transfer.route import Route

__all__ = ["Event", "Progress", "Route", "Said"]
