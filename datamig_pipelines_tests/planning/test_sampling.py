"""A sample is small, and every row in it has the rows that it refers to, on each engine."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datamig_pipelines.catalog import Catalog
from datamig_pipelines.errors import SampleError
from datamig_pipelines.planning.sampling import Sample, sampled
from datamig_pipelines.running.opening import source_place
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration
from datamig_pipelines_tests.conformance.conftest import target_url

__all__ = ["target_url"]

ENGINES = ("postgres", "mysql", "sqlite", "duckdb")
TABLES = {
    "country": "id INTEGER PRIMARY KEY, name VARCHAR(20)",
    "city": "id INTEGER PRIMARY KEY, country INTEGER NOT NULL, "
    "FOREIGN KEY (country) REFERENCES country (id)",
    "film": "id INTEGER PRIMARY KEY, title VARCHAR(20)",
    "copy": "film INTEGER, nr INTEGER, PRIMARY KEY (film, nr), "
    "FOREIGN KEY (film) REFERENCES film (id)",
    "customer": "id INTEGER PRIMARY KEY, city INTEGER, FOREIGN KEY (city) REFERENCES city (id)",
    "rental": "id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, film INTEGER, nr INTEGER, "
    "FOREIGN KEY (customer) REFERENCES customer (id), "
    "FOREIGN KEY (film, nr) REFERENCES copy (film, nr)",
    "payment": "id INTEGER PRIMARY KEY, rental INTEGER, customer INTEGER, "
    "FOREIGN KEY (rental) REFERENCES rental (id), "
    "FOREIGN KEY (customer) REFERENCES customer (id)",
    "person": "id INTEGER PRIMARY KEY, boss INTEGER, FOREIGN KEY (boss) REFERENCES person (id)",
    "note": "text VARCHAR(20)",
}
"""Like Pagila: a chain, a key of two columns, two ways to one parent, one that is its own parent."""
ROWS = 60
FILL = {
    "country": lambda i: f"{i}, 'c{i}'",
    "city": lambda i: f"{i}, {ROWS + 1 - i}",
    "film": lambda i: f"{i}, 'f{i}'",
    "copy": lambda i: f"{ROWS + 1 - i}, {i % 3}",
    "customer": lambda i: f"{i}, {'NULL' if i % 5 == 0 else 1 + i * 7 % ROWS}",
    "rental": lambda i: f"{i}, {1 + i * 11 % ROWS}, {ROWS + 1 - i}, {i % 3}",
    "payment": lambda i: f"{i}, {1 + i * 13 % ROWS}, {1 + i * 17 % ROWS}",
    "person": lambda i: f"{i}, {'NULL' if i == 1 else i // 2}",
    "note": lambda i: f"'n{i}'",
}


class Source:
    """A database to take a sample of."""

    def __init__(self, url: str, folder: Path) -> None:
        ends = {"source": {"url_env": "SAMPLED_URL"}, "target": {"url": "sqlite:///none.sqlite"}}
        self.migration = Migration.model_validate({"name": "m", **ends}).based(folder)
        self.place = source_place(self.migration)
        with Session(self.place.dialect, self.place.url, readonly=False) as session:
            for name, columns in TABLES.items():
                session.query(f"CREATE TABLE {name} ({columns})")
                rows = [f"({FILL[name](i)})" for i in range(1, ROWS + 1)]
                for values in rows if name == "person" else [", ".join(rows)]:
                    session.query(f"INSERT INTO {name} VALUES {values}")  # bosses come first
                for statement in self.place.dialect.analyze(self.named(name)):
                    session.query(statement.sql)

    def named(self, name: str) -> Any:
        """Return a table's name in the catalog."""
        return next(t.name for t in self.place.catalog().tables if t.name.name == name)

    def taken(self, sample: str, **said: Any) -> tuple[dict[str, set[Any]], Catalog, Any]:
        """Return the rows of a sample by table, each a tuple of (column, value)."""
        there = self.place.catalog()
        asked = self.migration.model_validate(
            {**self.migration.model_dump(by_alias=True), **said}
        ).based(self.migration.base)
        chosen = sampled(asked, there, self.place.dialect, Sample.parsed(sample))
        found = {}
        with self.place.open(readonly=True) as session:
            for table in there.tables:
                spec = chosen.migration.table_spec(str(table.name))
                if spec is None:
                    continue
                where = f" WHERE {spec.where}" if spec.where else ""
                columns = [c.name for c in table.columns]
                sql = f"SELECT {', '.join(columns)} FROM {table.name.name}{where}"
                found[table.name.name] = [
                    dict(zip(columns, row, strict=True)) for row in session.query(sql)
                ]
        return found, there, chosen


def orphans(rows: dict[str, Any], there: Catalog) -> list[str]:
    """Return the rows of a sample that refer to none of it."""
    found = []
    for table in there.tables:
        for key in table.foreign_keys:
            parents = {tuple(r[c] for c in key.target_columns) for r in rows[key.target.name]}
            for row in rows[table.name.name]:
                refers = tuple(row[c] for c in key.columns)
                if None not in refers and refers not in parents:
                    found.append(f"{table.name} {row}")
    return found


@pytest.fixture(params=ENGINES)
def source(
    request: pytest.FixtureRequest,
    target_url: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Source:
    """A small rental shop in each engine."""
    monkeypatch.setenv("SAMPLED_URL", target_url(request.param))
    return Source(target_url(request.param), tmp_path)


one = pytest.mark.parametrize("source", ["sqlite"], indirect=True)


def test_sample_keeps_references_whole(source: Source) -> None:
    """Five rows of each table, and all that these refer to, in any number of steps."""
    rows, there, chosen = source.taken("5")

    assert orphans(rows, there) == []
    counts = {name: len(found) for name, found in rows.items()}
    assert counts["payment"] == 5, "nobody refers to it"
    assert 5 < counts["customer"] < ROWS, "some came along with rentals and payments"
    assert 5 < counts["country"] < ROWS
    whole = {name.rpartition(".")[2] for name in chosen.whole}
    keyed = any(table.rowid for table in there.tables if table.name.name == "note")
    assert whole == ({"person"} if keyed else {"person", "note"})
    assert {counts[name] for name in whole} == {ROWS}


@one
def test_sample_is_a_share(source: Source) -> None:
    """A tenth of each table is six rows of sixty."""
    rows, there, _ = source.taken("10%")

    assert orphans(rows, there) == []
    assert len(rows["payment"]) == 6


@one
def test_sample_is_of_what_the_file_wants(source: Source) -> None:
    """A table that is left out gives none; a condition, even one with a comment, counts first."""
    said = {"exclude": ["rental"], "tables": [{"name": "payment", "where": "id > 20 -- new"}]}
    rows, _, _ = source.taken("5", **said)

    assert "rental" not in rows
    assert sorted(r["id"] for r in rows["payment"]) == [21, 22, 23, 24, 25]


@one
def test_sample_takes_all_where_the_condition_has_no_measure(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text that is too long is not sent; the table is taken whole, and that is said."""
    monkeypatch.setattr("datamig_pipelines.planning.sampling._LONGEST", 300)
    rows, there, chosen = source.taken("5")

    assert orphans(rows, there) == []
    assert [why for why in chosen.whole.values() if why.startswith("too many tables")]


@pytest.mark.parametrize(("text", "rows"), [("5%", 50), ("0.01%", 1), (" 7 ", 7), ("100 %", 1000)])
def test_sample_reads_shares_and_numbers(text: str, rows: int) -> None:
    """Of a thousand rows."""
    assert Sample.parsed(text).rows(1000) == rows


@pytest.mark.parametrize("text", ["", "0", "0%", "101%", "x", "5%%", "1.5"])
def test_sample_refuses_what_is_none(text: str) -> None:
    """With the way to write it."""
    with pytest.raises(SampleError, match="cannot be taken"):
        Sample.parsed(text)


def test_sample_of_a_rowid_is_understood_by_sqlite(tmp_path: Path) -> None:
    """A hidden row number keeps its order where the table has no key of its own."""
    with closing(sqlite3.connect(tmp_path / "s.sqlite")) as file:
        file.executescript("CREATE TABLE t (x); INSERT INTO t VALUES (3), (1), (2);")
    ends = {"source": {"url": "sqlite:///s.sqlite"}, "target": {"url": "sqlite:///t.sqlite"}}
    migration = Migration.model_validate({"name": "m", **ends}).based(tmp_path)
    place = source_place(migration)
    chosen = sampled(migration, place.catalog(), place.dialect, Sample.parsed("2"))

    with place.open(readonly=True) as session:
        where = chosen.migration.tables[0].where
        assert session.query(f"SELECT x FROM t WHERE {where}") == [(3,), (1,)]
