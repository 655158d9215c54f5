"""Foreign keys to what is no primary key: a constraint, a unique index, any index (MySQL)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from datamig_pipelines import running
from datamig_pipelines.running.opening import target_place
from datamig_pipelines.spec import Migration
from datamig_pipelines_tests.scenarios.conftest import going
from datamig_pipelines_tests.scenarios.journey import Journey

__all__ = ["going"]

TARGETS = ["pg_url2", "mariadb_url2", "sqlite_url", "duckdb_url"]
PARENTS = {
    "constraint": ["CREATE TABLE p (id INT PRIMARY KEY, code INT, UNIQUE (code))"],
    "unique index": [
        "CREATE TABLE p (id INT PRIMARY KEY, code INT)",
        "CREATE UNIQUE INDEX by_code ON p (code)",
    ],
    "index": [
        "CREATE TABLE p (id INT PRIMARY KEY, code INT)",
        "CREATE INDEX by_code ON p (code, id)",
    ],
}
ROWS = (
    "CREATE TABLE c (id INT PRIMARY KEY, code INT, FOREIGN KEY (code) REFERENCES p (code))",
    "INSERT INTO p VALUES (1, 10), (2, 20)",
    "INSERT INTO c VALUES (1, 10), (2, 20), (3, NULL)",
)


def journey_of(tmp_path: Path, source: str, target: str, statements: Sequence[str]) -> Journey:
    """Return a migration whose source holds what the statements make."""
    made = Journey(tmp_path, source, target)
    with made.place("source").open(readonly=False) as session:
        for statement in statements:
            session.query(statement)
    return made


def notes_of(migration: Migration) -> list[str]:
    """Return what the plan says of references."""
    return [n for n in running.look(migration).context.notes if "constraint" in n or "key" in n]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("parent", ["constraint", "unique index"])
def test_reference_to_a_unique_column_arrives(
    parent: str, target: str, pg_url: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The reference is there and holds, and all proofs are green."""
    url = request.getfixturevalue(target)
    journey = journey_of(tmp_path, pg_url, url, [*PARENTS[parent], *ROWS])
    told = notes_of(journey.migration)

    journey.run()

    table = next(t for t in journey.catalog().tables if t.name.name == "c")
    assert [(k.target.name, k.target_columns) for k in table.foreign_keys] == [("p", ("code",))]
    becomes = any("by_code becomes a constraint" in note for note in told)
    assert becomes == (parent == "unique index" and target == "duckdb_url"), told


@pytest.mark.parametrize("target", TARGETS)
def test_reference_to_any_index_stays_where_it_can(
    target: str, mariadb_url: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """MySQL refers to columns that are no key; elsewhere the plan says that this is left behind."""
    url = request.getfixturevalue(target)
    journey = journey_of(tmp_path, mariadb_url, url, [*PARENTS["index"], *ROWS])
    told: Any = notes_of(journey.migration)

    journey.run()

    table = next(t for t in journey.catalog().tables if t.name.name == "c")
    stays = not target_place(journey.migration).dialect.can.schemas and target == "mariadb_url2"
    assert len(table.foreign_keys) == int(stays)
    assert any("is left behind: (code) is no key" in n for n in told) != stays, told
