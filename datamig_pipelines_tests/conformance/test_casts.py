"""Columns that are cast are proven on every pair of engines: calm ones equal, planted faults found."""

import pytest

from datamig_pipelines_tests.conformance.casting import CASES, NATIVE, REFUSED, UNPROVEN, CastCase
from datamig_pipelines_tests.conformance.moving import Moved, migration, move
from datamig_pipelines_tests.conformance.reading import Speaker, speak
from datamig_pipelines_tests.conformance.test_pairs import SOURCES, TARGETS

CASTS_ON_LOAD = {"postgres"}
"""Targets that round what they have no room for; all others refuse it."""
ROUNDED = (
    CastCase("float_half", "float", "decimal2", ("1.005", "-2.675"), "1.00"),
    CastCase("decimal_half", "decimal4", "decimal2", ("1.0050", "-1.1250"), "1.00"),
    CastCase("text_half", "text", "decimal2", ("'1.005'", "'-2.675'"), "1.00"),
    CastCase(
        "second_half", "timestamp", "second",
        ("'2020-01-31 10:00:00.5'", "'1969-12-31 23:59:58.5'"), "'2020-01-31 10:00:00'",
    ),
)  # fmt: skip
TAKES_MOMENTS = {"postgres", "sqlite"}
"""Targets that take a moment for a time of day; all others refuse it."""
CLOCKS = (
    CastCase(
        "stamp_time", "timestamp", "time",
        ("'2020-01-31 10:00:00.25'", "'1969-12-31 23:59:59'"), "'10:00:00.5'",
    ),
    CastCase(
        "instant_time", "timestamptz", "time",
        ("'2020-01-31 10:00:00.25+00'", "'1999-12-31 23:59:59+00'"), "'11:00:00.25'",
    ),
)  # fmt: skip


@pytest.fixture
def sqlite_source(tmp_path):
    """A second SQLite file, to move from."""
    return f"sqlite:///{tmp_path / 'source.sqlite'}"


@pytest.fixture
def duckdb_source(tmp_path):
    """A second DuckDB file, to move from."""
    return f"duckdb:///{tmp_path / 'source.duckdb'}"


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("source", SOURCES)
def test_casts_are_proven(*, request, target_url, source, target, tmp_path, monkeypatch):
    """The target holds what the casts make of the source; a changed value is named by its column."""
    urls = request.getfixturevalue(SOURCES[source]), target_url(target)
    odd = {*UNPROVEN.get(target, {}), *REFUSED.get((source, target), {})}
    rounded = ROUNDED if target in CASTS_ON_LOAD else ()
    clocks = CLOCKS if target in TAKES_MOMENTS else ()
    cases = [c for c in (*CASES, *rounded, *clocks) if c.name not in odd]
    with speak(source, urls[0]) as there:
        _fill(there, source, cases)

    said = {"casts": [_rule(c, target) for c in cases], "batch_size": 2}
    spec = migration(*urls, tmp_path, monkeypatch, **said, backup={"verify": "none"})
    calm = move(spec)

    assert (calm.error, calm.rejects, calm.not_equal()) == (None, [], {})
    with speak(target, urls[1]) as here:
        for i, case in enumerate(cases):
            here.run(f"UPDATE casts SET {case.name} = {case.fault} WHERE id = {3 * i}")
    told = _fingerprint(move(spec))
    assert told.startswith("different: differs in ")
    assert set(told.partition(" in ")[2].partition(";")[0].split(", ")) == {c.name for c in cases}


@pytest.mark.parametrize(
    ("target", "name"), [(t, n) for t, names in UNPROVEN.items() for n in names]
)
def test_cast_without_a_common_form_is_never_green(
    *, sqlite_source, target_url, target, name, tmp_path, monkeypatch
):
    """What cannot be compared exactly is said to be so."""
    case = next(c for c in CASES if c.name == name)
    with speak("sqlite", sqlite_source) as there:
        _fill(there, "sqlite", [case])

    said = {"casts": [_rule(case, target)]}
    moved = move(migration(sqlite_source, target_url(target), tmp_path, monkeypatch, **said))

    assert _fingerprint(moved).startswith("not comparable: ")


def _fill(there: Speaker, engine: str, cases: list[CastCase]) -> None:
    """Make a table of all columns; row 3i belongs to case i, and there are NULLs."""
    columns = ", ".join(f"{c.name} {NATIVE[c.held][engine]}" for c in cases)
    there.run(f"CREATE TABLE casts (id integer NOT NULL PRIMARY KEY, {columns})")
    for row in range(3 * len(cases)):
        values = ["NULL" if row % 3 == 2 else c.literal(engine, c.values[row % 3]) for c in cases]
        there.run(f"INSERT INTO casts VALUES ({row}, {', '.join(values)})")


def _rule(case: CastCase, target: str) -> dict[str, object]:
    return {"when": {"column": f"casts.{case.name}"}, "to": NATIVE[case.to][target]}


def _fingerprint(moved: Moved) -> str:
    found = {proof: told for (_, proof), told in moved.not_equal().items()}
    return found.get("fingerprint", "")
