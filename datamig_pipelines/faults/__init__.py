"""What can go wrong with a migration's target, and the proof that has to find it."""

from datamig_pipelines.faults.fault import Fault, Scene
from datamig_pipelines.faults.parts import PARTS
from datamig_pipelines.faults.planting import CannotPlantError, planted
from datamig_pipelines.faults.rows import ROWS
from datamig_pipelines.faults.values import VALUES

FAULTS: dict[str, Fault] = {fault.name: fault for fault in (*ROWS, *VALUES, *PARTS)}

__all__ = ["FAULTS", "CannotPlantError", "Fault", "Scene", "planted"]
