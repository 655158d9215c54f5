"""Schemas and rows that nobody thought of go there and back, and are what they were."""

import string
from contextlib import ExitStack
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from datamig_pipelines_tests.conformance.moving import migration, move
from datamig_pipelines_tests.conformance.neutral import neutral
from datamig_pipelines_tests.conformance.reading import speak

LETTERS = st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=("Cs",))
NAMES = st.text(string.ascii_lowercase + "_é %'", min_size=1, max_size=12).map(
    lambda n: f"c{n}".strip()
)
TEXTS = st.text(LETTERS, max_size=30)
MOMENTS = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31))  # noqa: DTZ001 (no zone is meant)


def quoted(text):
    """Return a literal that every engine here reads alike (MySQL: NO_BACKSLASH_ESCAPES)."""
    return "'" + text.replace("'", "''") + "'"


def numbers(digits, scale):
    """Decimals of a precision and scale."""
    top = Decimal(10**digits - 1).scaleb(-scale)
    return st.decimals(-top, top, places=scale, allow_nan=False).map(lambda d: f"{d:f}")


KINDS = {
    "smallint": ("number", st.integers(-(2**15), 2**15 - 1).map(str)),
    "integer": ("number", st.integers(-(2**31), 2**31 - 1).map(str)),
    "bigint": ("number", st.integers(-(2**63), 2**63 - 1).map(str)),
    "decimal(12,2)": ("number", numbers(12, 2)),
    "decimal(30,9)": ("number", numbers(30, 9)),
    "double precision": ("float64", st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False).map(lambda f: repr(f or 0.0))),
    "varchar(30)": ("text", TEXTS.map(quoted)),
    "text": ("text", TEXTS.map(quoted)),
    "date": ("date", st.dates(date(1000, 1, 1)).map(lambda d: quoted(d.isoformat()))),
    "timestamp": ("timestamp", MOMENTS.map(lambda m: quoted(m.isoformat(" ")))),
    "timestamptz": ("timestamptz", MOMENTS.map(lambda m: quoted(m.replace(tzinfo=UTC).isoformat(" ")))),
    "uuid": ("uuid", st.uuids().map(lambda u: quoted(str(u)))),
    "boolean": ("bool", st.sampled_from(["true", "false"])),
    "blob": ("bytes", st.binary(max_size=20).map(lambda b: f"x'{b.hex()}'")),
}  # fmt: skip
"""Types that all four engines hold without a loss: declaration → form to compare in, literals."""

WORDS = {
    "postgres": {"blob": "bytea"},
    "mysql": {"timestamp": "datetime(6)", "double precision": "double", "text": "longtext COLLATE utf8mb4_bin", "varchar(30)": "varchar(30) COLLATE utf8mb4_bin"},
    "duckdb": {},
    "sqlite": {"double precision": "REAL"},
}  # fmt: skip
"""What an engine calls them; and which of them it does not have as a type of its own."""

LACKS = {
    "mysql": {"timestamptz", "uuid", "boolean"},
    "sqlite": {"timestamptz", "boolean", "decimal(30,9)"},
}
PAIRS = [("postgres", "duckdb"), ("duckdb", "postgres"), ("postgres", "sqlite"), ("mysql", "postgres"), ("sqlite", "postgres"), ("postgres", "mysql")]  # fmt: skip
ENDS = {"postgres": "postgres_server", "mysql": "mariadb_server"}
QUICK = settings(max_examples=3, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
LONG = settings(max_examples=60, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip


@st.composite
def tables(draw, engine):
    """A table of an engine: [(name, type)] and rows of literals, the first column counts."""
    kinds = st.sampled_from([k for k in KINDS if k not in LACKS.get(engine, ())])
    names = draw(st.lists(NAMES, min_size=1, max_size=6, unique_by=str.casefold))
    columns = [(name, draw(kinds)) for name in names]
    cells = [st.one_of(st.just("NULL"), KINDS[kind][1]) for _, kind in columns]
    rows = draw(st.lists(st.tuples(*cells), min_size=1, max_size=12))
    return columns, rows


def there_and_back(request, ends, table):
    """Move a table from the source to the target and on into a third database of the source."""
    source, target = ends
    columns, rows = table
    with ExitStack() as stack, pytest.MonkeyPatch.context() as monkeypatch:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        first, second, third = (
            place(request, stack, folder, e, n) for n, e in enumerate((source, target, source))
        )
        make(source, first, columns, rows)
        for number, (here, onward) in enumerate(((first, second), (second, third))):
            moved = move(
                migration(here, onward, folder, monkeypatch, name=f"leg_{number}", batch_size=5)
            )
            assert moved.error is None, moved.error
        assert read(source, third, columns) == read(source, first, columns)


def place(request, stack, folder, engine, number):
    """Return the URL of an empty database."""
    if engine in ENDS:
        return stack.enter_context(request.getfixturevalue(ENDS[engine]).database())
    return f"{engine}:///{folder / f'{number}.{engine}'}"


def make(engine, url, columns, rows):
    """Write the table."""
    with speak(engine, url) as base:
        mark = "`" if engine == "mysql" else '"'
        if engine == "mysql":
            base.run("SET sql_mode = 'NO_BACKSLASH_ESCAPES'")
        lines = ", ".join(f"{mark}{n}{mark} {WORDS[engine].get(k, k)}" for n, k in columns)
        base.run(f"CREATE TABLE things (id integer NOT NULL PRIMARY KEY, {lines})")
        for number, row in enumerate(rows):
            base.run(
                f"INSERT INTO things VALUES ({number}, {', '.join(literal(engine, c) for c in row)})"
            )


def literal(engine, cell):
    """Return a literal as an engine writes it: blobs are said in three ways."""
    if not cell.startswith("x'"):
        return cell
    return {"postgres": "'\\x" + cell[2:], "duckdb": f"unhex({cell[1:]})"}.get(engine, cell)


def read(engine, url, columns):
    """Return all cells in neutral forms."""
    with speak(engine, url) as base:
        mark = "`" if engine == "mysql" else '"'
        found = {}
        for name, kind in columns:
            base.run("DROP VIEW IF EXISTS looked_at")
            base.run(f"CREATE VIEW looked_at AS SELECT id, {mark}{name}{mark} AS v FROM things")
            cells = base.values("looked_at", kind)
            found[name] = {i: neutral(KINDS[kind][0], v[1]) for i, v in cells.items()}
        base.run("DROP VIEW looked_at")
        return found


@pytest.mark.parametrize("ends", PAIRS, ids="-".join)
def test_table_comes_back_as_it_was(request, ends):
    """Whatever the lossless types hold, the way there and back changes nothing."""

    @QUICK
    @given(table=tables(ends[0]))
    def once(table):
        there_and_back(request, ends, table)

    once()


@pytest.mark.slow
@pytest.mark.parametrize("ends", PAIRS, ids="-".join)
def test_many_tables_come_back_as_they_were(request, ends):
    """The same, for an hour of luck."""

    @LONG
    @given(table=tables(ends[0]))
    def once(table):
        there_and_back(request, ends, table)

    once()
