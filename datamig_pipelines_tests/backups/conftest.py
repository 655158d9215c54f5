"""Fixtures: a bucket, and the journeys of the scenarios."""

from collections.abc import Iterator

import pytest

from datamig_pipelines_tests.backups.bucket import Bucket, serving
from datamig_pipelines_tests.scenarios.conftest import going, shop_master, shop_path, shop_url

__all__ = ["going", "shop_master", "shop_path", "shop_url"]


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    """An empty bucket; the environment holds the keys."""
    with serving() as made:
        yield made
