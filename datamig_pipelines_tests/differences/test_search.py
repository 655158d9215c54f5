"""What differs is found, on every engine, by reading little."""

import pytest

from datamig_pipelines import running
from datamig_pipelines.differences import RowDiff
from datamig_pipelines.errors import DatamigError
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey

TARGETS = ("pg_url", "mariadb_url", "duckdb_url", "sqlite_url")
NUMBERED = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, price DECIMAL(12,2), flag BOOLEAN)",
    (
        "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
        "SELECT i * 3, 'name ' || i, i / 4.0, i % 2 FROM n"
    ),
)
NAMED = (
    "CREATE TABLE t (code VARCHAR(40) NOT NULL PRIMARY KEY, name TEXT, price DECIMAL(12,2), flag BOOLEAN)",
    (
        "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
        "SELECT 'c' || (i * 3), 'name ' || i, i / 4.0, i % 2 FROM n"
    ),
)
KEYLESS = ("CREATE TABLE t (id INTEGER, name TEXT, price DECIMAL(12,2), flag BOOLEAN)", NUMBERED[1])


def moved(going: Going, source: str, target: str, statements: tuple[str, ...], **said) -> Journey:
    """Return a finished migration of a table ``t``."""
    journey = going(source, target, batch_size=1000, **said)
    journey.ask(*statements, side="source")
    journey.run()
    return journey


def found(journey: Journey, limit: int = 1000) -> RowDiff:
    """Return what differs in ``t``."""
    (one,) = running.diff(journey.migration, None, limit)
    assert one.diff is not None, one.reason
    return one.diff


def named(diff: RowDiff) -> set[tuple[str, str, str | None, str | None]]:
    return {(d.key, d.column, d.source, d.target) for d in diff.differences if d.column}


def rows(diff: RowDiff) -> set[tuple[str, str]]:
    return {(d.key, d.cause) for d in diff.differences if not d.column}


@pytest.fixture
def source_url(tmp_path) -> str:
    """A SQLite file that is no target."""
    return f"sqlite:///{tmp_path / 'source.sqlite'}"


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("statements", "key", "how"),
    [(NUMBERED, "id", "by ranges of id"), (NAMED, "code", "in buckets of code")],
    ids=["ranges", "buckets"],
)
def test_diff_names_rows_columns_and_both_values(
    request, going, source_url, target, statements, key, how
):
    """A changed, a missing and an extra row are told apart, each with its key and values."""
    journey = moved(going, source_url, request.getfixturevalue(target), statements)
    at = (str) if key == "id" else (lambda n: f"'c{n}'")
    table = journey.named("t")
    quote = journey.place("target").dialect.quote
    journey.ask(
        f"UPDATE {table} SET name = 'NAME 500', price = 1 WHERE {key} = {at(1500)}",
        f"DELETE FROM {table} WHERE {key} = {at(3000)}",
        f"UPDATE {table} SET {quote(key)} = {at(7)} WHERE {key} = {at(9000)}",
    )

    diff = found(journey)

    of = (lambda n: f'["{n}"]') if key == "id" else (lambda n: f'["c{n}"]')
    assert diff.how == how
    assert diff.complete
    assert named(diff) == {
        (of(1500), "name", "name 500", "NAME 500"),
        (of(1500), "price", "125", "1"),
    }
    assert rows(diff) == {
        (of(3000), "missing row"),
        (of(9000), "missing row"),
        (of(7), "extra row"),
    }
    assert [running.status(journey.migration)["runs"][-1]["status"]] == ["done"]


@pytest.mark.parametrize("target", TARGETS)
def test_diff_of_equal_tables_finds_nothing(request, going, source_url, target):
    """Nothing differs: nothing is found, and no row is fetched."""
    journey = moved(going, source_url, request.getfixturevalue(target), NUMBERED)

    diff = found(journey)

    assert (diff.causes, diff.complete, diff.effort.rows_fetched) == ([], True, 0)


@pytest.mark.parametrize("target", TARGETS)
def test_diff_without_a_key_compares_rows_as_a_multiset(request, going, source_url, target):
    """Without a key a doubled, a lost and a changed row are found, without a key to show."""
    journey = moved(going, source_url, request.getfixturevalue(target), KEYLESS)
    table = journey.named("t")
    journey.ask(
        f"INSERT INTO {table} SELECT * FROM {table} WHERE id = 30",
        f"DELETE FROM {table} WHERE id = 60",
        f"UPDATE {table} SET name = 'x' WHERE id = 90",
    )

    diff = found(journey)

    assert diff.how == "in buckets of rows"
    assert named(diff) == {("", "name", "name 30", "x")}
    assert sorted(c for _, c in [(d.key, d.cause) for d in diff.differences if not d.column]) == [
        "doubled row",
        "missing row",
    ]


def test_diff_finds_a_doubled_key(going, source_url, sqlite_url):
    """A row that is there twice is a doubled one, not an extra one; a repair is left to a person."""
    journey = moved(going, source_url, sqlite_url, NAMED)
    (ddl,) = journey.ask("SELECT sql FROM sqlite_master WHERE name = 't'")
    plain = ddl[0].replace("PRIMARY KEY", "CHECK").partition("CHECK")[0].rstrip().rstrip(",") + ")"
    journey.ask(
        "ALTER TABLE t RENAME TO old",
        plain,
        "INSERT INTO t SELECT * FROM old",
        "DROP TABLE old",
        "INSERT INTO t SELECT * FROM t WHERE code = 'c9'",
    )

    (one,) = running.diff(journey.migration)

    assert one.diff is not None
    assert rows(one.diff) == {('["c9"]', "doubled row")}
    assert one.repairs[0].sql.startswith("--")


@pytest.mark.parametrize("target", ["pg_url", "duckdb_url"])
def test_null_in_a_key_is_found(request, going, source_url, target):
    """A key that became NULL is in no range: the search goes by buckets then."""
    journey = moved(going, source_url, request.getfixturevalue(target), NUMBERED)
    table = journey.named("t")
    journey.ask(
        f"CREATE TABLE other AS SELECT * FROM {table}",
        f"DROP TABLE {table}",
        f"CREATE TABLE {table} AS SELECT * FROM other",
        f"INSERT INTO {table} SELECT NULL, name, price, flag FROM {table} WHERE id = 3",
    )

    diff = found(journey)

    assert diff.how == "in buckets of id"
    assert rows(diff) == {('[""]', "extra row")}


def test_dropped_batch_is_counted_but_not_fetched(going, source_url, pg_url):
    """Of a thousand missing rows only those that are listed are fetched; all are counted."""
    journey = moved(going, source_url, pg_url, NUMBERED)
    journey.ask("DELETE FROM t WHERE id > 3000 AND id <= 6000")

    diff = found(journey, limit=50)

    assert not diff.complete
    assert [(c.cause, c.count) for c in diff.causes] == [("missing row", 1000)]
    assert len(diff.differences) == 50
    assert diff.effort.rows_fetched <= 50


@pytest.mark.parametrize(
    "statements", [NUMBERED, NAMED, KEYLESS], ids=["ranges", "buckets", "rows"]
)
def test_limit_ends_the_search_and_says_so(going, source_url, pg_url, statements):
    """Every row differs: as many as asked for are listed, and that there are more is said."""
    journey = moved(going, source_url, pg_url, statements)
    journey.ask("UPDATE t SET price = price + 1")

    diff = found(journey, limit=20)

    assert not diff.complete
    assert (
        len(
            {(d.key, d.source, d.target) for d in diff.differences if d.column == "price"}
            | rows(diff)
        )
        <= 41
    )
    assert diff.summary().startswith("at least ")
    assert diff.effort.rows_fetched < 9000 * 2


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "statements", [NUMBERED, NAMED, KEYLESS], ids=["ranges", "buckets", "rows"]
)
def test_repair_makes_the_target_equal(request, going, source_url, target, statements):
    """The statements of --repair, sent to the target, leave nothing that differs."""
    journey = moved(going, source_url, request.getfixturevalue(target), statements)
    table = journey.named("t")
    which = "name IN ('name 5', 'name 6')"
    journey.ask(
        f"UPDATE {table} SET name = 'it''s' WHERE name = 'name 1'",
        f"UPDATE {table} SET flag = NULL, price = 0.5 WHERE name = 'name 2'",
        f"DELETE FROM {table} WHERE {which}",
    )
    (one,) = running.diff(journey.migration)
    assert one.verdict == "different"

    journey.ask(*(s.sql for s in one.repairs))

    assert found(journey).causes == []
    list(running.validate(journey.migration))


def test_differences_are_in_the_ledger_until_they_are_gone(going, source_url, pg_url):
    """The table `difference` holds key, column, values and cause, for SQL; mended, it is empty."""
    journey = moved(going, source_url, pg_url, NUMBERED)
    journey.ask("UPDATE t SET name = upper(name) WHERE id = 30")
    question = "SELECT table_name, row_key, column_name, source_value, target_value, cause FROM datamig.difference"
    error = journey.refused(running.validate)

    assert "case in name (1)" in error.message
    assert journey.ask(question) == [("t", '["30"]', "name", "name 10", "NAME 10", "case")]
    journey.ask("UPDATE t SET name = 'name 10' WHERE id = 30")
    list(running.validate(journey.migration))
    assert journey.ask(question) == []


def test_ledger_without_the_table_of_differences_still_works(going, source_url, pg_url):
    """A ledger that an earlier version made is read, gets the table, and is taken back."""
    journey = moved(going, source_url, pg_url, NUMBERED)
    journey.ask("DROP TABLE datamig.difference")

    assert running.status(journey.migration)["causes"] == []
    list(running.validate(journey.migration))
    assert journey.ask("SELECT count(*) FROM datamig.difference") == [(0,)]
    journey.ask("DROP TABLE datamig.difference")
    list(running.roll_back(journey.migration))


def test_diff_of_what_was_never_loaded_is_refused(going, source_url, pg_url):
    """Nothing is loaded: the ledger says so, and nothing is compared."""
    journey = going(source_url, pg_url)
    journey.ask(*NUMBERED, side="source")

    with pytest.raises(DatamigError) as caught:
        list(running.diff(journey.migration))
    assert caught.value.code == "DM600"


def _generated(journey: Journey, count: int) -> None:
    journey.ask(
        "CREATE TABLE t (id bigint PRIMARY KEY, name text, at timestamp)",
        f"INSERT INTO t SELECT i * 7, 'name ' || i, timestamp '2020-01-01' + i * interval '1 second' FROM generate_series(1, {count}) i",
        "ANALYZE t",
        side="source",
    )


EXCHANGE = (
    "UPDATE t SET id = CASE id WHEN 7 THEN -{last} ELSE -7 END WHERE id IN (7, {last}); "
    "UPDATE t SET id = -id WHERE id < 0"
)
ONE_OF_MILLIONS = {
    "changed": [
        "UPDATE t SET at = at + interval '2 hours' WHERE id = {third}",
        "UPDATE t SET at = at - interval '2 hours' WHERE id = {third}",
    ],
    "missing": [
        "CREATE TABLE kept AS SELECT * FROM t WHERE id = {third}; DELETE FROM t WHERE id = {third}",
        "INSERT INTO t SELECT * FROM kept; DROP TABLE kept",
    ],
    "extra": ["INSERT INTO t VALUES ({third} + 1, '', NULL)", "DELETE FROM t WHERE id % 7 <> 0"],
    "above all": ["INSERT INTO t VALUES (9223372036854775807)", "DELETE FROM t WHERE at IS NULL"],
    "below all": ["INSERT INTO t VALUES (-9223372036854775808)", "DELETE FROM t WHERE at IS NULL"],
    "first and last": [
        "UPDATE t SET name = upper(name) WHERE id IN (7, {last})",
        "UPDATE t SET name = lower(name) WHERE id IN (7, {last})",
    ],
    "keys exchanged": [EXCHANGE, EXCHANGE],
}
KINDS = {
    "changed": ["CHANGED {third}"],
    "missing": ["MISSING {third}"],
    "extra": ["EXTRA {more}"],
    "above all": ["EXTRA 9223372036854775807"],
    "below all": ["EXTRA -9223372036854775808"],
    "first and last": ["CHANGED 7", "CHANGED {last}"],
    "keys exchanged": ["CHANGED 7", "CHANGED {last}"],
}


def _large(going: Going, urls: tuple[str, str], count: int) -> Journey:
    journey = going(
        *urls, batch_size=50_000, validate={"proofs": ["row_count"]}, backup={"verify": "none"}
    )
    _generated(journey, count)
    journey.run()
    return journey


def _kinds(diff: RowDiff) -> list[str]:
    found = sorted(diff.pairs, key=lambda p: int((p.key or ("0",))[0]))
    return [f"{p.kind.name} {(p.key or ('',))[0]}" for p in found]


def _is_found(journey: Journey, count: int, fault: str) -> None:
    """Plant a fault, find it by reading little beyond one scan of each side, take it out."""
    places = {"third": count // 3 * 7, "more": count // 3 * 7 + 1, "last": count * 7}
    plant, mend = (s.format(**places).split("; ") for s in ONE_OF_MILLIONS[fault])
    journey.ask(*plant)

    diff = found(journey)

    assert _kinds(diff) == [k.format(**places) for k in KINDS[fault]]
    assert (diff.complete, diff.how) == (True, "by ranges of id")
    beyond = diff.effort.rows_scanned - 2 * count - 1
    assert beyond < 2 * count * 0.005, diff.effort
    assert diff.effort.rows_fetched < 2000, diff.effort
    journey.ask(*mend)


def test_one_row_of_a_million_is_found_by_reading_little(going, pg_url, pg_url2):
    """Whatever one row has, under 0.5 % of the rows are read beyond the scan of each side."""
    journey = _large(going, (pg_url, pg_url2), 1_000_000)

    for fault in ONE_OF_MILLIONS:
        _is_found(journey, 1_000_000, fault)

    diff = found(journey)
    assert (diff.causes, diff.effort.rows_fetched) == ([], 0)
    assert diff.effort.rows_scanned == 2_000_000


@pytest.mark.slow
def test_one_row_of_ten_millions_is_found_by_reading_little(going, pg_url, pg_url2):
    """One row of 10,000,000: under 0.5 % are read beyond the scan of each side."""
    journey = _large(going, (pg_url, pg_url2), 10_000_000)

    for fault in ("changed", "missing", "above all"):
        _is_found(journey, 10_000_000, fault)
