"""A small shop to migrate, and the command line as a function."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from datamig_pipelines.cli import answer
from datamig_pipelines.sample import make_shop

DATAMIG = [sys.executable, "-m", "datamig_pipelines.cli"]

YAML = """\
type: datamig_pipelines.Migration
attributes:
  name: small_shop
  source: {url: "sqlite:///shop.sqlite"}
  target: {url: "duckdb:///target.duckdb"}
"""


class Said(NamedTuple):
    """What a command answered."""

    code: int
    out: str
    err: str


Cli = Callable[..., Said]


@pytest.fixture(scope="session")
def made_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small shop, made once."""
    path = tmp_path_factory.mktemp("shop") / "shop.sqlite"
    make_shop(path, scale=0.002)
    return path


@pytest.fixture
def shop(made_shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shop, in the current folder."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copy(made_shop, tmp_path / "shop.sqlite"))


@pytest.fixture
def migration(shop: Path) -> Path:
    """A migration of the shop to DuckDB."""
    path = shop.with_name("defs.yaml")
    path.write_text(YAML)
    return path


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command in this process."""

    def run(*arguments: object) -> Said:
        capsys.readouterr()
        code = answer([str(a) for a in arguments])
        return Said(code, *capsys.readouterr())

    return run
