"""Databases to move into, as in the conformance tests."""

from datamig_pipelines_tests.conformance.conftest import target_url

__all__ = ["target_url"]
