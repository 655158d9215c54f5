"""Fixtures: a bucket, and the journeys of the scenarios."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from datamig_pipelines_tests.backups.bucket import Bucket, serving
from datamig_pipelines_tests.scenarios.conftest import (
    deaf_port,
    going,
    shop_master,
    shop_path,
    shop_url,
)

__all__ = ["deaf_port", "going", "shop_master", "shop_path", "shop_url"]


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    """An empty bucket; the environment holds the keys."""
    with serving() as made:
        yield made


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """Make a folder that is a file system of its own; skip the test where one may not mount."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(mount, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system to be had: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
