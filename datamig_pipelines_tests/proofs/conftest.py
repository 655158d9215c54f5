"""Evidence for proofs."""

from contextlib import contextmanager

import pytest

from datamig_pipelines_tests.proofs.evidence import prepared


@pytest.fixture
def prepare(tmp_path):
    """Prepare source and target alike, then change the target."""
    with contextmanager(prepared)(tmp_path) as make:
        yield make
