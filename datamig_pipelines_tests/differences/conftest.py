"""A migration that was finished, and somebody who changes its target."""

from datamig_pipelines_tests.scenarios.conftest import going

__all__ = ["going"]
