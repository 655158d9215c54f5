"""Drafted suites hold on the source and on what arrived, on every engine, and find a fault."""

import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from datamig_pipelines import running
from datamig_pipelines.cli import answer
from datamig_pipelines.running import SuiteJudged
from datamig_pipelines.sample import make_shop
from datamig_pipelines.spec import Migration, read_migration
from datamig_pipelines_tests.expectations.test_suite import execute

TABLES = ["customers", "products", "events"]
SUITES = {"before": ["suites/*.json"], "suites": ["suites/*.json"]}


@pytest.fixture(scope="module")
def made_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small shop."""
    path = tmp_path_factory.mktemp("shop") / "shop.sqlite"
    make_shop(path, scale=0.002)
    return path


def written(folder: Path, source: str, target: str, **more: Any) -> Path:
    """Write a migration's file."""
    folder.mkdir(exist_ok=True)
    said = {"name": "m", "source": {"url_env": source}, "target": {"url_env": target}, **more}
    path = folder / "defs.yaml"
    path.write_text(json.dumps({"type": "datamig_pipelines.Migration", "attributes": said}))
    return path


def judged(migration: Migration) -> list[Any]:
    """Run a migration and return the verdicts of its suites."""
    return [e.result for e in running.run(migration) if isinstance(e, SuiteJudged)]


@pytest.fixture
def chain(
    made_shop: Path,
    pg_url: str,
    mariadb_url: str,
    duckdb_url: str,
    sqlite_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> list[tuple[str, str]]:
    """Names of variables: every engine is a source once and a target once."""
    urls = {
        "shop": f"sqlite:///{made_shop}",
        "postgres": pg_url,
        "mysql": mariadb_url,
        "duckdb": duckdb_url,
        "sqlite": sqlite_url,
    }
    for name, url in urls.items():
        monkeypatch.setenv(name, url)
    return list(pairwise(urls))


def test_drafted_suites_hold_on_both_sides_of_every_engine_and_find_a_fault(
    chain: list[tuple[str, str]], tmp_path: Path
) -> None:
    """`datamig profile`, its patterns in the file, a run: all is green; a fault is not."""
    fault = "UPDATE customers SET full_name = '' WHERE id = 1"
    mend = "UPDATE customers SET full_name = 'No Body' WHERE id = 1"
    for source, target in chain:
        folder = tmp_path / target
        path = written(folder, source, target, include=TABLES)
        assert answer(["profile", str(path), "--values"]) == 0
        written(folder, source, target, include=TABLES, validate=SUITES)
        migration = read_migration(path)
        results = judged(migration)

        assert (source, [(r.side, r.message) for r in results if not r.passed]) == (source, [])
        assert len(results) == 2 * len(TABLES)
        execute(target, os.environ[target], fault)
        (suite,) = [s for s in migration.suites("after") if s.table.endswith("customers")]
        found = running.judge_alone(migration, suite)
        assert (target, found.passed) == (target, False)
        assert "value_lengths" in found.message
        execute(target, os.environ[target], mend)
