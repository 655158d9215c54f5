"""Casts whose meaning is fixed have a form in which both sides are compared."""

import pytest

from datamig_pipelines import running
from datamig_pipelines_tests.scenarios.conftest import Going, going
from datamig_pipelines_tests.scenarios.journey import Journey

__all__ = ["going"]

TABLE = (
    "CREATE TABLE t (id integer PRIMARY KEY, z timestamptz, p timestamp, d date, n integer, k time)",
    (
        "INSERT INTO t VALUES (1, '2020-06-01 10:00:00.25+02', '2020-06-01 10:00:00', '2020-06-01', 2147483647, '10:00:00.5'), "
        "(2, '1969-12-31 23:59:59+00', '1999-01-01 00:00:00.000001', '0044-03-15', -7, '00:00'), (3, NULL, NULL, NULL, NULL, NULL)"
    ),
)
WORDS = {  # target → timestamp, timestamptz, double
    "pg_url2": ("timestamp", "timestamptz", "double precision"),
    "duckdb_url": ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "DOUBLE"),
    "mariadb_url": ("datetime(6)", "timestamp(6)", "double"),
}
CASTS = {"z": 0, "p": 1, "d": 0, "n": 2}


@pytest.mark.parametrize("target", WORDS)
def test_cast_with_a_fixed_meaning_is_proven(
    request, going: Going, pg_url: str, target: str
) -> None:
    """Instants become moments in UTC and back, dates midnights, integers floats: all comparable."""
    words = WORDS[target]
    casts = [{"when": {"column": f"t.{c}"}, "to": words[i]} for c, i in CASTS.items()]
    journey = going(pg_url, request.getfixturevalue(target), casts=casts, backup={"verify": "none"})
    journey.ask(*TABLE, side="source")
    if target == "mariadb_url":
        journey.ask("UPDATE t SET z = '1999-01-01 00:00:00+00' WHERE id = 2", side="source")

    journey.run()

    proofs = {
        p["proof"]: (p["verdict"], p["detail"]) for p in running.status(journey.migration)["proofs"]
    }
    assert proofs["fingerprint"] == ("equal", "")
    quoted = journey.named("t")
    journey.ask(f"UPDATE {quoted} SET z = '2020-06-01 10:00:00.25' WHERE id = 1")
    error = journey.refused(running.validate)
    assert "time zone: shifted by +02:00 in z (1)" in error.message


OWN = (
    (
        "CREATE TABLE own (id integer PRIMARY KEY, j json, d text, b bytea, s text, k timestamp, "
        "u uuid, f double precision)"
    ),
    (
        "INSERT INTO own VALUES (1, '{\"b\":  1, \"a\": 1.50}', 'Jan 5 2020', '\\x00ff', '\\x41', "
        "'2020-01-31 10:00:00.25', '123e4567-e89b-12d3-a456-426614174000', 1.005), "
        "(2, NULL, '20200131', NULL, 'é', NULL, NULL, -2.675)"
    ),
)
OWN_CASTS = {
    "j": "jsonb", "d": "date", "b": "text", "s": "bytea", "k": "time(0)", "u": "bytea",
    "f": "numeric(6,2)",
}  # fmt: skip
OWN_FAULTS = {
    "j": "'{}'", "d": "'2020-01-06'", "b": "'00fe'", "s": "'B'", "k": "'10:00:01'", "u": "'x'",
    "f": "1.00",
}  # fmt: skip


def _casts(table: str, to: dict[str, str]) -> list[dict[str, object]]:
    return [{"when": {"column": f"{table}.{c}"}, "to": t} for c, t in to.items()]


def _fingerprint(journey: Journey) -> tuple[str, str]:
    found = {
        p["proof"]: (p["verdict"], p["detail"]) for p in running.status(journey.migration)["proofs"]
    }
    return found["fingerprint"]


def test_cast_of_the_same_engine_is_what_its_source_casts(
    going: Going, pg_url: str, pg_url2: str
) -> None:
    """PostgreSQL says itself what a value becomes: jsonb, odd dates, rounding, bytes of a text."""
    journey = going(pg_url, pg_url2, casts=_casts("own", OWN_CASTS), backup={"verify": "none"})
    journey.ask(*OWN, side="source")

    journey.run()

    assert _fingerprint(journey) == ("equal", "")
    quoted = journey.named("own")
    for column, fault in OWN_FAULTS.items():
        journey.ask(f"UPDATE {quoted} SET {column} = {fault} WHERE id = 1")
    error = journey.refused(running.validate)
    assert "differs in j, d, b, s, k, u, f;" in error.message


def test_text_that_only_the_target_reads_is_not_comparable(
    going: Going, sqlite_url: str, pg_url: str
) -> None:
    """``20200131`` is a date to PostgreSQL; nobody can say so in SQLite. A true fault is found."""
    journey = going(sqlite_url, pg_url, casts=_casts("t", {"d": "date"}), backup={"verify": "none"})
    journey.ask(
        "CREATE TABLE t (id integer PRIMARY KEY, d text)",
        "INSERT INTO t VALUES (1, '20200131'), (2, '2020-01-31')",
        side="source",
    )

    journey.run()

    told = "differs in d; a text that engines read differently in d (1)"
    assert _fingerprint(journey) == ("not comparable", told)
    (seen,) = running.diff(journey.migration)
    assert seen.verdict == "not comparable"
    journey.ask(f"UPDATE {journey.named('t')} SET d = '2020-01-30' WHERE id = 2")
    journey.refused(running.validate)
    (seen,) = running.diff(journey.migration)
    assert seen.verdict == "different"


EVALUATED = ("yesterday", "now", "today", "tomorrow", "epoch", "allballs", "Today 10:00", "2020-01-01 allballs")  # fmt: skip


@pytest.mark.parametrize("held", ["text", "own"])
@pytest.mark.parametrize("source", ["sqlite_url", "pg_url", "mariadb_url", "duckdb_url"])
def test_word_for_a_moment_is_rejected(
    *, request: pytest.FixtureRequest, going: Going, pg_url2: str, source: str, held: str
) -> None:
    """What PostgreSQL would evaluate as it loads is refused, from texts and SQLite's own columns."""
    if held == "own" and source != "sqlite_url":
        pytest.skip("only SQLite keeps a word in a column of dates")
    types = {"d": "date", "p": "timestamp", "z": "timestamptz", "k": "time"}
    native = {"d": "DATE", "p": "TIMESTAMP", "z": "TIMESTAMPTZ", "k": "TIME"}
    columns = ", ".join(f"{c} {native[c] if held == 'own' else 'text'}" for c in types)
    journey = going(
        request.getfixturevalue(source), pg_url2, casts=_casts("t", types),
        backup={"verify": "none"}, rejects={"abort_above": "100%"},
    )  # fmt: skip
    good = ("'2020-01-31'", "'2020-01-31 10:00:00'", "'2020-01-31 10:00:00+00'", "'10:00:00'")
    rows = [f"(0, {', '.join(good)})"]
    for number, word in enumerate(EVALUATED):
        for at in range(4):
            cells = ", ".join(f"'{word}'" if i == at else g for i, g in enumerate(good))
            rows.append(f"({1 + 4 * number + at}, {cells})")
    journey.ask(
        f"CREATE TABLE t (id integer PRIMARY KEY, {columns})",
        f"INSERT INTO t VALUES {', '.join(rows)}",
        side="source",
    )

    journey.refused()

    found = journey.ask(f"SELECT count(*), min(d) FROM {journey.named('t')}")
    assert [(int(n), str(d)) for n, d in found] == [(1, "2020-01-31")]
    verdict, detail = _fingerprint(journey)
    assert (verdict, detail) == (
        "equal",
        f"without the {4 * len(EVALUATED)} rows that were rejected",
    )


@pytest.mark.parametrize("source", ["sqlite_url", "pg_url2"])
def test_document_that_lost_a_value_in_jsonb_is_not_equal(
    request: pytest.FixtureRequest, going: Going, pg_url: str, source: str
) -> None:
    """jsonb keeps the last value of a key that comes twice: the others are gone, and that is said."""
    journey = going(
        request.getfixturevalue(source), pg_url, casts=_casts("t", {"j": "jsonb"}),
        backup={"verify": "none"},
    )  # fmt: skip
    journey.ask(
        "CREATE TABLE t (id integer PRIMARY KEY, j json)",
        """INSERT INTO t VALUES (1, '{"a": 1, "a": 2}'), (2, '{"b": 1,  "a": 2}')""",
        side="source",
    )

    journey.run()

    told = "differs in j; a text that engines read differently in j (1)"
    assert _fingerprint(journey) == ("not comparable", told)


@pytest.mark.parametrize("keyed", [True, False], ids=["keyed", "without a key"])
def test_document_that_jsonb_rewrote_is_compared_by_what_it_says(
    going: Going, sqlite_url: str, pg_url: str, *, keyed: bool
) -> None:
    """Keys in another order are no difference; one other number is, by row, and can be mended."""
    journey = going(
        sqlite_url, pg_url, casts=_casts("t", {"j": "jsonb"}), backup={"verify": "none"},
        batch_size=100,
    )  # fmt: skip
    rows = ", ".join(f'({i}, \'{{"b":  {i}.50, "aa": [1E2, "\\u00e9"]}}\')' for i in range(600))
    journey.ask(
        f"CREATE TABLE t (id integer {'PRIMARY KEY' if keyed else 'NOT NULL'}, j json)",
        f"INSERT INTO t VALUES {rows}, (600, NULL), (601, '[]')",
        side="source",
    )

    journey.run()

    assert _fingerprint(journey) == ("equal", "")
    quoted = journey.named("t")
    journey.ask(f"UPDATE {quoted} SET j = jsonb_set(j, '{{b}}', '7.5') WHERE id IN (7, 8)")
    (seen,) = running.diff(journey.migration)
    assert [(d.source, d.target) for d in seen.diff.differences] == [
        ('{"aa":[100,"é"],"b":8.5}', '{"aa":[100,"é"],"b":7.5}')
    ]
    journey.ask(*[str(s.sql) for s in seen.repairs])
    (seen,) = running.diff(journey.migration)
    assert seen.verdict == "equal"
    journey.ask(
        f"UPDATE {quoted} SET j = CASE id WHEN 1 THEN (SELECT j FROM {quoted} WHERE id = 2) "
        f"ELSE (SELECT j FROM {quoted} WHERE id = 1) END WHERE id IN (1, 2)"
    )
    assert (
        "values stand in other rows; another value in j (2)"
        in journey.refused(running.validate).message
    )


def test_text_that_only_the_target_takes_for_escaped_bytes_is_not_comparable(
    going: Going, mariadb_url: str, pg_url: str
) -> None:
    r"""``\x41`` is an ``A`` to PostgreSQL, ``\101`` too; any other value is a true difference."""
    journey = going(
        mariadb_url, pg_url, casts=_casts("t", {"b": "bytea"}), backup={"verify": "none"}
    )
    journey.ask(
        "CREATE TABLE t (id integer PRIMARY KEY, b varchar(20))",
        r"INSERT INTO t VALUES (1, '\\x41'), (2, '\\101'), (3, 'B\\\\'), (4, 'é'), (5, NULL)",
        side="source",
    )

    journey.run()

    assert journey.rows("t", "b") == [(b"A",), (b"A",), (b"B\\",), ("é".encode(),), (None,)]
    told = "differs in b; a text that engines read differently in b (3)"
    assert _fingerprint(journey) == ("not comparable", told)
    journey.ask(f"UPDATE {journey.named('t')} SET b = 'C' WHERE id = 1")
    assert "another value in b (1)" in journey.refused(running.validate).message
