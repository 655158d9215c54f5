"""Turns a spec and two catalogs into a plan. Pure: no database is asked here."""

from datamig_pipelines.planning.plan import Plan
from datamig_pipelines.planning.planner import Inputs, make_plan

__all__ = ["Inputs", "Plan", "make_plan"]
