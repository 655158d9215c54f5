"""How long a plan expects things to take: typical figures, or those of a rehearsal."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datamig_pipelines.catalog import Column, Kind, Table, TableName, Type
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.planning.rehearsed import Measured, last_measured, save_rehearsal
from datamig_pipelines.planning.timeline import timeline
from datamig_pipelines.spec import Migration
from datamig_pipelines.transfer import Route


def route(name: str, rows: int) -> Route:
    table = Table(TableName("", name), (Column("id", Type(Kind.INTEGER, bits=64)),), rows=rows)
    return Route(table, replace(table), (), Wire.COPY_TEXT, Wire.COPY_TEXT, (), (), "", 1000)


MEASURED = Measured(
    "2030-01-01",
    {"big": (10_000, 5.0), "small": (10, 0.4)},
    {"backup": 3.0, "load": 5.4, "constraints": 2.0},
)


def test_timeline_is_estimated_without_a_rehearsal() -> None:
    """By the wires: 8 + 6 µs for each row, and a twentieth of a second for the table."""
    expected = timeline([route("big", 1_000_000)])

    assert expected.how == "estimated"
    assert expected.seconds == expected.steps["load"] == pytest.approx(14.05)


def test_timeline_takes_measured_rates() -> None:
    """Ten times the rows take ten times as long, but for a twentieth of a second per table; indexes
    as well, the backup does not."""
    expected = timeline([route("big", 100_000)], MEASURED)

    assert expected.how == "measured by the rehearsal of 2030-01-01"
    assert expected.tables["big"] == pytest.approx(49.55)
    assert expected.steps["backup"] == 3.0
    assert expected.steps["constraints"] == pytest.approx(19.1, rel=0.01)
    assert expected.seconds == pytest.approx(71.6, rel=0.01)


@pytest.mark.parametrize(("name", "rows"), [("small", 100_000), ("new", 100_000)])
def test_timeline_makes_no_rate_of_a_few_rows(name: str, rows: int) -> None:
    """A table of ten rows, and one that was not there, go by the rate of all tables."""
    expected = timeline([route(name, rows)], MEASURED)

    assert expected.tables[name] == pytest.approx(0.05 + 5.3 * rows / 10_010)


def test_timeline_repeats_what_is_once_only() -> None:
    """A load that takes 1 s before its first row takes it once, not once per sample."""
    slow = replace(MEASURED, steps={"load": 6.4})

    expected = timeline([route("big", 100_000)], slow)
    assert expected.steps["load"] == pytest.approx(49.55 + 1.0)


def test_timeline_of_a_small_table_is_what_it_took() -> None:
    """No more rows than then: no more seconds."""
    assert timeline([route("small", 10)], MEASURED).tables["small"] == 0.4


# ---- the files


def said(time: str, **more: Any) -> dict[str, Any]:
    """Return the part of a rehearsal that is read."""
    load = [{"step": "load", "seconds": 4.0}]
    tables = [
        {"table": "a", "rows": 10, "seconds": 4.0},
        {"table": "b", "rows": 30, "seconds": 4.0},
    ]
    forward = {"seconds": 4.0, "steps": load, "tables": tables}
    return {"time": time, "engines": ["sqlite", "duckdb"], "forward": forward, **more}


@pytest.fixture
def migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Migration:
    """A migration whose files go to the test's folder."""
    monkeypatch.delenv("DATAMIG_HOME", raising=False)
    ends = {"source": {"url": "sqlite:///s.sqlite"}, "target": {"url": "duckdb:///t.duckdb"}}
    return Migration.model_validate({"name": "m", **ends}).based(tmp_path)


def test_rehearsals_last_one_counts(migration: Migration) -> None:
    """The seconds of tables that were loaded at once are shares of the load's."""
    save_rehearsal(migration, said("2030-01-01T00:00:00"))
    save_rehearsal(migration, said("2030-01-02T00:00:00"))

    found = last_measured(migration, "sqlite", "duckdb")
    assert found is not None
    assert found.time == "2030-01-02T00:00:00"
    assert found.tables == {"a": (10, 2.0), "b": (30, 2.0)}


@pytest.mark.parametrize(
    "more",
    [
        {"engines": ["sqlite", "postgresql"]},
        {"forward": {"seconds": None, "steps": [], "tables": []}},
        {"forward": None},
        {"version": 0},
    ],
)
def test_rehearsals_that_say_nothing_do_not_count(
    migration: Migration, more: dict[str, Any]
) -> None:
    """Other engines, half a way, another version's file: the one before them is taken."""
    save_rehearsal(migration, said("2030-01-01T00:00:00"))
    path = save_rehearsal(migration, said("2030-01-02T00:00:00"))
    path.write_text(json.dumps(json.loads(path.read_text()) | more))

    found = last_measured(migration, "sqlite", "duckdb")
    assert found is not None
    assert found.time == "2030-01-01T00:00:00"
