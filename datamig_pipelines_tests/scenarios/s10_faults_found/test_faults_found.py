"""Somebody tampers with a finished target: the proofs find it and name the place."""

from typing import Any

import pytest

from datamig_pipelines import running
from datamig_pipelines.errors import ProofFailedError
from datamig_pipelines.proofs import ProofResult
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey

TABLES = [
    "regions",
    "countries",
    "customers",
    "categories",
    "orders",
    "stores",
    "reviews",
    "events",
]
TARGETS = ("pg_url", "duckdb_url", "sqlite_url", "mariadb_url")
FAULTS = {  # name → (table, column or other word of the detail, proof, statement)
    "value": (
        "customers",
        "nickname",
        "fingerprint",
        "UPDATE {customers} SET nickname = 'x' WHERE id = 3",
    ),
    "case": (
        "customers",
        "full_name",
        "fingerprint",
        "UPDATE {customers} SET full_name = upper(full_name) WHERE id = 2",
    ),
    "null for empty": (
        "orders",
        "note",
        "fingerprint",
        "UPDATE {orders} SET note = NULL WHERE note = ''",
    ),
    "cent": (
        "orders",
        "total",
        "fingerprint",
        "UPDATE {orders} SET total = total + 0.01 WHERE id = 4",
    ),
    "microsecond": (
        "reviews",
        "created_at",
        "fingerprint",
        "UPDATE {reviews} SET created_at = '2020-01-01 00:00:00.000001' WHERE id = 6",
    ),
    "row deleted": ("events", "", "row_count", "DELETE FROM {events} WHERE session_id = 0"),
    "row doubled": (
        "events",
        "",
        "row_count",
        "INSERT INTO {events} SELECT * FROM {events} WHERE session_id = 0",
    ),
    "one lost, one doubled": (
        "events",
        "",
        "fingerprint",
        (
            "DELETE FROM {events} WHERE session_id = -1; "
            "INSERT INTO {events} SELECT * FROM {events} WHERE session_id = 0"
        ),
    ),
    "values swapped": (
        "customers",
        "other rows",
        "fingerprint",
        "UPDATE {customers} SET points = {first} + {second} - points WHERE id IN (1, 2)",
    ),
    "index dropped": (
        "events",
        "events_happened_at",
        "schema",
        "{drop_index}",
    ),
}
CAUSES = {  # found on PostgreSQL and MariaDB with the cause in words
    "batch dropped": (
        "orders",
        "missing row (",
        "fingerprint",
        "DELETE FROM {orders} WHERE id BETWEEN 5 AND 60",
    ),
    "batch doubled": (
        "events",
        "doubled row",
        "fingerprint",
        "INSERT INTO {events} SELECT * FROM {events} WHERE session_id IS NOT NULL",
    ),
    "time zone shifted": (
        "orders",
        "time zone: shifted by +02:00 in placed_at",
        "fingerprint",
        "UPDATE {orders} SET placed_at = placed_at + INTERVAL '2' HOUR",
    ),
    "texts truncated": (
        "customers",
        "truncated in full_name",
        "fingerprint",
        "UPDATE {customers} SET full_name = left(full_name, 4) WHERE id < 5",
    ),
    "texts with blanks": (
        "customers",
        "trailing blanks in full_name (4)",
        "fingerprint",
        "UPDATE {customers} SET full_name = concat(full_name, '  ') WHERE id < 5",
    ),
    "numbers rounded": (
        "orders",
        "rounded to 0 decimals in total",
        "fingerprint",
        "UPDATE {orders} SET total = round(total, 0)",
    ),
    "empty for null": (
        "orders",
        "NULL became empty in note",
        "fingerprint",
        "UPDATE {orders} SET note = '' WHERE note IS NULL",
    ),
    "columns swapped": (
        "customers",
        "differs in full_name, nickname",
        "fingerprint",
        (
            "UPDATE {customers} SET nickname = 'kept' WHERE id = 3; "
            "UPDATE {customers} SET full_name = nickname, nickname = 'other' WHERE id = 3"
        ),
    ),
    "row added": (
        "regions",
        "extra row (1)",
        "fingerprint",
        "INSERT INTO {regions} (id, code, name) VALUES (901, 'X1', 'x')",
    ),
}
ONLY = {
    "mariadb_url": {
        "foreign key dropped": (
            "countries",
            "foreign key",
            "schema",
            "ALTER TABLE {countries} DROP FOREIGN KEY fk_countries_region_id",
        ),
        "orphan": (
            "orders",
            "",
            "foreign_keys",
            "SET foreign_key_checks = 0; UPDATE {orders} SET customer_id = 999999 WHERE id = 1",
        ),
        "not null dropped": (
            "customers",
            "not null email",
            "schema",
            "ALTER TABLE {customers} MODIFY email VARCHAR(255) NULL",
        ),
        "unique dropped": (
            "regions",
            "unique",
            "schema",
            "ALTER TABLE {regions} DROP INDEX {unique}",
        ),
        "column dropped": (
            "events",
            "lacks payload",
            "fingerprint",
            "ALTER TABLE {events} DROP COLUMN payload",
        ),
        "table dropped": ("events", "no such table", "row_count", "DROP TABLE {events}"),
    },
    "pg_url": {
        "sequence set back": (
            "customers",
            "id",
            "counters",
            "SELECT setval(pg_get_serial_sequence('public.customers', 'id'), 1)",
        ),
        "foreign key dropped": (
            "countries",
            "foreign key",
            "schema",
            "ALTER TABLE {countries} DROP CONSTRAINT fk_countries_region_id",
        ),
        "orphan": (
            "orders",
            "",
            "foreign_keys",
            (
                "SET session_replication_role = replica; "
                "UPDATE {orders} SET customer_id = 999999 WHERE id = 1"
            ),
        ),
        "not null dropped": (
            "customers",
            "not null email",
            "schema",
            "ALTER TABLE {customers} ALTER COLUMN email DROP NOT NULL",
        ),
        "unique dropped": (
            "regions",
            "unique",
            "schema",
            "ALTER TABLE {regions} DROP CONSTRAINT {unique}",
        ),
        "column dropped": (
            "events",
            "lacks payload",
            "fingerprint",
            "ALTER TABLE {events} DROP COLUMN payload",
        ),
        "table dropped": ("events", "no such table", "row_count", "DROP TABLE {events}"),
    },
    "sqlite_url": {
        "sequence set back": (
            "customers",
            "id",
            "counters",
            "UPDATE sqlite_sequence SET seq = 1 WHERE name = 'customers'",
        ),
        "orphan": (
            "orders",
            "",
            "foreign_keys",
            "UPDATE {orders} SET customer_id = 999999 WHERE id = 1",
        ),
        "column dropped": (
            "events",
            "payload",
            "fingerprint",
            "ALTER TABLE {events} DROP COLUMN payload",
        ),
        "table dropped": ("events", "no such table", "row_count", "DROP TABLE {events}"),
        "type changed": (
            "customers",
            "points",
            "fingerprint",
            "UPDATE {customers} SET points = 'many' WHERE id = 4",
        ),
    },
    "duckdb_url": {
        "table dropped": ("events", "no such table", "row_count", "DROP TABLE {events}"),
    },
}
SOAK = ("sqlite_url", "mariadb_url")
"""Engines on which `datamig_pipelines_tests/faults` plants the same on every run."""
CASES: list[Any] = [
    pytest.param(t, f, marks=pytest.mark.slow) if t in SOAK else (t, f)
    for t in TARGETS
    for f in FAULTS
]
CASES += [(t, f) for t in ("pg_url", "mariadb_url") for f in CAUSES]
CASES += [(t, f) for t, faults in ONLY.items() for f in faults]


@pytest.fixture
def arrived(request: pytest.FixtureRequest, shop_url: str, going: Going) -> Journey:
    """A finished, proven migration."""
    target = request.getfixturevalue(request.param)
    journey = going(shop_url, target, include=TABLES)
    journey.run()
    return journey


@pytest.mark.parametrize("arrived", TARGETS, indirect=True)
def test_untouched_target_stays_proven(arrived: Journey) -> None:
    """Proven again and again, an untouched target is equal."""
    for _ in range(2):
        results = [e for e in running.validate(arrived.migration) if isinstance(e, ProofResult)]
        assert {r.verdict.value for r in results} == {"equal"}
        assert {r.table for r in results} == set(TABLES)


@pytest.mark.parametrize(("arrived", "fault"), CASES, indirect=["arrived"])
def test_fault_is_found_and_named(
    arrived: Journey, fault: str, request: pytest.FixtureRequest
) -> None:
    """Each fault fails the proof that is for it, with the table and, where it can, the column."""
    target = request.node.callspec.params["arrived"]
    table, word, proof, statement = ({**FAULTS, **CAUSES}.get(fault)) or ONLY[target][fault]
    _tamper(arrived, statement)

    error = arrived.refused(running.validate)

    assert isinstance(error, ProofFailedError), error
    assert error.exit_code == 3
    failed = [p for p in running.status(arrived.migration)["proofs"] if p["verdict"] == "different"]
    assert table in {p["table"] for p in failed}, failed
    if proof:
        named = [p for p in failed if p["proof"] == proof]
        assert named, failed
        assert any(word in p["detail"] for p in named), named
    assert table in error.message or len(failed) > 1


@pytest.mark.parametrize("arrived", ["pg_url"], indirect=True)
def test_row_added_to_the_source_is_found(arrived: Journey) -> None:
    """What changes in the source after the load is a difference, too."""
    arrived.ask("INSERT INTO regions (id, code, name) VALUES (900, 'NEW', 'new')", side="source")

    error = arrived.refused(running.validate)

    assert isinstance(error, ProofFailedError)
    assert "regions" in error.message


@pytest.mark.parametrize("arrived", ["pg_url"], indirect=True)
def test_mended_target_is_proven_again(arrived: Journey) -> None:
    """A difference that was mended is not held against the target any more."""
    (kept,) = arrived.ask(f"SELECT name FROM {arrived.named('regions')} WHERE id = 2")
    _tamper(arrived, "UPDATE {regions} SET name = 'wrong' WHERE id = 2")
    arrived.refused(running.validate)

    _tamper(arrived, f"UPDATE {{regions}} SET name = '{kept[0]}' WHERE id = 2")
    list(running.validate(arrived.migration))

    assert set(arrived.verdicts()) == {"equal"}


def _tamper(journey: Journey, statement: str) -> None:
    names = {t: journey.named(t) for t in (*TABLES, "events_happened_at")}
    uniques = [
        u.name for t in journey.catalog().tables if t.name.name == "regions" for u in t.uniques
    ]
    points = journey.ask(
        f"SELECT points FROM {journey.named('customers')} WHERE id < 3 ORDER BY id"
    )
    names["first"], names["second"] = (str(p) for (p,) in points)
    index, events = names["events_happened_at"], names["events"]
    on = f" ON {events}" if "`" in events else ""
    names["drop_index"] = f"DROP INDEX {index}{on}"
    quote = journey.place("target").dialect.quote
    names["unique"] = quote(uniques[0]) if uniques else ""
    journey.ask(*(part for part in statement.format(**names).split(";")))
