"""Views, functions, triggers and the like: PostgreSQL has all of them."""

from collections.abc import Iterator

import pytest

from datamig_pipelines.proofs import ProofResult
from datamig_pipelines.running import Prover, proving
from datamig_pipelines_tests.faults.conftest import send, two_databases
from datamig_pipelines_tests.scenarios.journey import Journey

MADE = """
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, feels mood);
CREATE TABLE days (day DATE NOT NULL, told TEXT) PARTITION BY RANGE (day);
CREATE TABLE days_2024 PARTITION OF days FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE days_2025 PARTITION OF days FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE FUNCTION greet(who TEXT) RETURNS TEXT LANGUAGE sql AS $$ SELECT 'hello ' || who $$;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER stamped BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE VIEW glad AS SELECT id, name FROM people WHERE feels = 'glad';
COMMENT ON VIEW glad IS 'only those';
GRANT SELECT ON people TO postgres;
CREATE SEQUENCE tickets;
INSERT INTO people VALUES (1, 'Ada', 'glad'), (2, 'Bob', 'sad');
INSERT INTO days VALUES ('2024-05-01', 'a'), ('2025-05-01', 'b')
"""
FAULTS = {  # name → (statement, word of the detail)
    "view replaced": ("CREATE OR REPLACE VIEW glad AS SELECT id, name FROM people", "view"),
    "view lost": ("DROP VIEW glad", "glad"),
    "function body changed": (
        (
            "CREATE OR REPLACE FUNCTION greet(who TEXT) RETURNS TEXT LANGUAGE sql "
            "AS $$ SELECT 'bye ' || who $$"
        ),
        "greet",
    ),
    "function lost": ("DROP FUNCTION greet", "greet"),
    "trigger disabled": ("ALTER TABLE people DISABLE TRIGGER stamped", "stamped"),
    "all triggers disabled": ("ALTER TABLE people DISABLE TRIGGER ALL", "stamped"),
    "trigger lost": ("DROP TRIGGER stamped ON people", "stamped"),
    "enum label renamed": ("ALTER TYPE mood RENAME VALUE 'glad' TO 'happy'", "mood"),
    "enum label added": ("ALTER TYPE mood ADD VALUE 'angry'", "mood"),
    "comment of a view lost": ("COMMENT ON VIEW glad IS NULL", "comment"),
    "grant lost": ("REVOKE SELECT ON people FROM postgres", "grant"),
    "partition lost": ("DROP TABLE days_2025", "days_2025"),
    "partition detached": ("ALTER TABLE days DETACH PARTITION days_2025", "days_2025"),
    "sequence lost": ("DROP SEQUENCE tickets", "tickets"),
}
ROWS_TOO = ("partition lost", "partition detached")


@pytest.fixture(scope="module")
def prover(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prover]:
    """A finished migration with objects of all kinds."""
    folder = tmp_path_factory.mktemp("objects")
    with two_databases("postgresql", folder, request) as urls, pytest.MonkeyPatch.context() as put:
        for side in ("SOURCE", "TARGET"):
            put.setenv(f"SCENARIO_{side}_URL", "")
        said = {"name": "objects", "backup": {"verify": "none"}, "grants": "keep"}
        send(urls[0], *MADE.split(";\n"))
        journey = Journey(folder, *urls, said)
        journey.run()
        with proving(journey.migration) as found:
            yield found


def _others(prover: Prover) -> ProofResult:
    result = prover.prove_others()
    assert result is not None
    return result


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_of_an_object_is_found_and_named(prover: Prover, fault: str) -> None:
    """What becomes of an object makes the schema proof red; put back, it is green again."""
    statement, word = FAULTS[fault]
    prover.target.query("BEGIN")
    try:
        prover.target.query(statement)
        result = _others(prover)
        rows = prover.prove("row_count", "public.days")
    finally:
        prover.target.query("ROLLBACK")

    assert result.verdict == "different"
    assert word in result.detail
    assert (rows.verdict == "different") is (fault in ROWS_TOO)
    assert _others(prover).verdict == "equal"


CALM = (
    "ANALYZE",
    "VACUUM FULL people",
    "CLUSTER people USING people_pkey",
    "REINDEX TABLE people",
    "UPDATE people SET name = name",
    "CREATE INDEX of_somebody_else ON people (name)",
    "ALTER TABLE people ALTER COLUMN name SET STATISTICS 500",
    "ALTER TABLE people SET (fillfactor = 70)",
    "CREATE TABLE another (id INTEGER)",
)


def test_harmless_changes_stay_green(prover: Prover) -> None:
    """Rows that are rewritten, indexes that are built anew, and what others add, are no faults."""
    for statement in CALM:
        prover.target.query(statement)
        routes = prover.plan.context.routes
        proofs = prover.plan.context.migration.validation.proofs
        results = [prover.prove(p, r.name) for p in proofs for r in routes]
        results.append(_others(prover))
        assert {(r.verdict.value, r.detail) for r in results if r.verdict != "equal"} == set(), (
            statement
        )
