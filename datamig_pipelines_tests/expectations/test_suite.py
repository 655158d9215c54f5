"""Suites are judged on the real target; what cannot be judged is never green."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.errors import SpecError
from datamig_pipelines.expectations import SuiteResult, check_suite
from datamig_pipelines.spec import Migration, Suite

SECRET = "anna.nowhere@example.org"
ROWS = [(1, SECRET, 1.5), (2, None, 2.5), (3, "ben", 99.0), (4, None, 4.0)]
CREATE = "CREATE TABLE people (id integer, email varchar(80), amount numeric(10,2), born timestamp)"

Check = Callable[..., SuiteResult]


def expect(kind: str, severity: str = "", **kwargs: Any) -> dict[str, Any]:
    """One expectation as it stands in a file."""
    return {
        "type": f"expect_{kind}",
        "kwargs": kwargs,
        **({"severity": severity} if severity else {}),
    }


NOT_NULL = expect("column_values_to_not_be_null", column="email")
HOLDS = expect("column_values_to_not_be_null", column="id")


@pytest.fixture
def target_url(request: pytest.FixtureRequest) -> str:
    """A target of the engine asked for, with four people; half of them without address."""
    engine = getattr(request, "param", "sqlite")
    url = request.getfixturevalue(
        {"postgres": "pg_url", "mysql": "mariadb_url"}.get(engine, f"{engine}_url")
    )
    execute(engine, url, CREATE)
    for row in ROWS:
        execute(
            engine,
            url,
            f"INSERT INTO people VALUES ({', '.join(map(sql, row))}, '2020-01-01 10:00:00')",
        )
    execute(engine, url, "CREATE TABLE nobody (id integer, email varchar(80))")
    return url


@pytest.fixture
def check(target_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Judge expectations on the table people of the target."""
    monkeypatch.setenv("EXPECTATIONS_TARGET", target_url)

    def judged(*expectations: Any, table: str = "people", **options: Any) -> SuiteResult:
        (tmp_path / "suite.json").write_text(
            json.dumps({"name": "s", "expectations": expectations})
        )
        tables = options.pop("tables", ())
        spec = {
            "name": "m",
            "source": {"url": "sqlite:///source.db"},
            "target": {"url_env": "EXPECTATIONS_TARGET"},
            "tables": tables,
            "validate": {"frame_mib": options.pop("frame_mib", 512)},
        }
        migration = Migration.model_validate(spec).based(tmp_path)
        return check_suite(migration, Suite(table=table, file="suite.json", **options))

    return judged


@pytest.mark.parametrize("target_url", ["postgres", "mysql", "sqlite", "duckdb"], indirect=True)
def test_suite_is_judged_on_every_engine(check: Check) -> None:
    """A suite holds or fails with exact counts on every engine; values only where allowed."""
    fine = check(
        HOLDS, expect("column_values_to_be_between", column="amount", min_value=1.5, max_value=99.0)
    )
    bad = check(
        HOLDS,
        NOT_NULL,
        expect("column_value_lengths_to_be_between", column="email", max_value=5),
        expect("column_max_to_be_between", column="amount", max_value=50),
        expect("table_row_count_to_equal", value=5),
    )
    shown = check(
        expect("column_value_lengths_to_be_between", column="email", max_value=5), show_values=True
    )
    gone = check(HOLDS, table="gone")

    assert (fine.passed, fine.evaluated, fine.failed) == (True, 2, ())
    assert (bad.passed, bad.severity, bad.evaluated, len(bad.failed)) == (False, "error", 5, 4)
    found = {f["expectation"]: f for f in bad.failed}
    assert found["expect_column_values_to_not_be_null"]["unexpected_count"] == 2
    assert found["expect_column_values_to_not_be_null"]["element_count"] == 4
    assert found["expect_table_row_count_to_equal"]["observed_value"] == 4
    assert "observed_value" not in found["expect_column_max_to_be_between"], (
        "the largest amount is a value"
    )
    assert SECRET not in repr(bad)
    assert SECRET in repr(shown)
    assert not gone.passed
    assert "no table" in gone.message


@pytest.mark.parametrize("target_url", ["postgres"], indirect=True)
def test_no_decimal_has_the_sources_of_all_callers_read(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Great Expectations asks for the whole stack to know whether to warn; 0.1 s for each value."""
    from great_expectations import util

    looked: list[str] = []
    stack = util.stack
    monkeypatch.setattr(util, "stack", lambda: looked.append("") or stack())
    own = util.stack

    largest = expect("column_max_to_be_between", column="amount", max_value=50)
    found = check(largest, show_values=True)

    assert [(f["observed_value"], found.passed) for f in found.failed] == [(99.0, False)]
    assert not looked
    assert util.stack is own, "others have it as it was"


@pytest.mark.parametrize("target_url", ["duckdb"], indirect=True)
def test_duckdb_compares_decimals_and_timestamps_with_json(check: Check) -> None:
    """On DuckDB, judged as a frame, bounds in JSON compare with decimals and timestamps."""
    result = check(
        expect("column_values_to_be_in_set", column="amount", value_set=[1.5, 2.5, 99.0, 4.0]),
        expect(
            "column_values_to_be_between",
            column="born",
            min_value="2019-12-31",
            max_value="2020-01-02",
        ),
    )

    assert result.passed, result.message


@pytest.mark.parametrize(
    ("expectations", "reason"),
    [
        ([], "no expectation"),
        ([HOLDS, expect("column_values_to_be_wonderful", column="id")], "no such type"),
        ([HOLDS, {**HOLDS, "severity": "deadly"}], "no such type or severity"),
        ([expect("column_values_to_not_be_null", column="id", colour="red")], "not valid"),
        ([expect("column_values_to_not_be_null", column="email", mostly=0)], "mostly"),
        ([expect("column_max_to_be_between", column="id")], "min_value"),
        ([expect("column_values_to_be_in_type_list", column="id")], "type_list"),
        ([expect("column_distinct_values_to_contain_set", column="id", value_set=[])], "value_set"),
        ([expect("query_results_to_match_comparison", base_query="SELECT 1")], "200 rows"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_suite_that_cannot_fail_is_not_green(
    check: Check, expectations: list[Any], reason: str
) -> None:
    """What Great Expectations drops or calls green for any data is not judged, and says why."""
    result = check(*expectations)

    assert not result.passed
    assert result.severity == "error"
    assert reason in result.message


@pytest.mark.parametrize("target_url", ["duckdb"], indirect=True)
def test_duckdb_is_not_read_beyond_the_limit(check: Check, target_url: str) -> None:
    """A frame that would be too large is not judged and says why; other columns do not count."""
    execute("duckdb", target_url, "CREATE TABLE big AS SELECT i, i AS id FROM range(200000) t(i)")
    execute("duckdb", target_url, "ALTER TABLE big ADD COLUMN text VARCHAR DEFAULT 'abcdefghijkl'")
    both = (HOLDS, expect("column_values_to_not_be_null", column="text"))

    assert "more than 2 MiB" in check(*both, table="big", frame_mib=2).message
    assert check(HOLDS, table="big", frame_mib=2).passed


def test_expectation_that_raises_is_an_error(check: Check) -> None:
    """What cannot be computed fails as an error, even where its severity is warning."""
    result = check(
        expect("column_values_to_not_be_null", "warning", column="nowhere"),
        expect("column_values_to_be_increasing", "warning", column="id"),
    )

    assert not result.passed
    assert result.severity == "error"
    assert all(f["not_judged"] for f in result.failed)


def test_severity_follows_the_worst_failure(check: Check) -> None:
    """Only warnings failed: warn. One critical failed: error."""
    warned = expect("column_values_to_not_be_null", "warning", column="email")

    assert check(warned, HOLDS).severity == "warn"
    assert not check(warned, HOLDS).passed
    assert check(warned, NOT_NULL).severity == "error"


def test_empty_table_is_green_and_says_so(check: Check) -> None:
    """Nothing to judge is no difference, but the message says that nothing was judged."""
    result = check(NOT_NULL, table="nobody")

    assert result.passed
    assert "no value to judge" in result.message


def test_row_condition_counts(check: Check) -> None:
    """A condition narrows what is judged; one that the engine cannot read makes the suite red."""
    kwargs = {"column": "email", "row_condition": 'col("id") == 1'}
    good = check(
        expect("column_values_to_not_be_null", condition_parser="great_expectations", **kwargs)
    )
    bad = check(expect("column_values_to_not_be_null", condition_parser="pandas", **kwargs))

    assert good.passed, good.message
    assert not bad.passed


def test_table_goes_by_its_name_in_the_target(check: Check) -> None:
    """A suite names the source's table; a renamed one is found in the target."""
    assert check(HOLDS, table="persons", tables=({"name": "persons", "rename": "people"},)).passed


def test_suite_cannot_write(check: Check, target_url: str) -> None:
    """A query in a suite cannot change the target."""
    query = "DELETE FROM people"
    result = check(
        {"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": query}}
    )

    assert not result.passed
    assert sqlite3.connect(make_url(target_url).database or "").execute(
        "SELECT count(*) FROM people"
    ).fetchone() == (4,)


@pytest.mark.parametrize("text", [None, "{", '{"expectations": [{}]}', "[]"])
def test_suite_file_that_cannot_be_read_is_a_spec_error(tmp_path: Path, text: str | None) -> None:
    """A missing or broken file is told with its path, before any database is asked."""
    if text is not None:
        (tmp_path / "suite.json").write_text(text)
    ends = {"source": {"url": "sqlite:///a"}, "target": {"url": "sqlite:///b"}}
    migration = Migration.model_validate({"name": "m", **ends}).based(tmp_path)

    with pytest.raises(SpecError) as caught:
        check_suite(migration, Suite(table="people", file="suite.json"))

    assert caught.value.where == str(tmp_path / "suite.json")


def sql(value: object) -> str:
    """A literal that every engine here reads."""
    return "NULL" if value is None else repr(value)


def execute(engine: str, url: str, statement: str) -> None:
    """Run a statement with the engine's own driver, in a connection of its own."""
    address = make_url(url)
    if engine == "duckdb":
        import duckdb

        with duckdb.connect(address.database or "") as connection:
            connection.execute(statement)
    elif engine == "sqlite":
        with sqlite3.connect(address.database or "") as connection:
            connection.execute(statement)
    elif engine == "postgres":
        import psycopg

        plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(statement)
    else:
        _mysql(address, statement)


def _mysql(address: Any, statement: str) -> None:
    import pymysql

    where = {
        "host": address.host,
        "port": address.port,
        "unix_socket": address.query.get("unix_socket"),
    }
    connection = pymysql.connect(
        user=address.username,
        password=address.password or "",
        database=address.database,
        autocommit=True,
        **{name: value for name, value in where.items() if value},
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("target_url", ["postgres"], indirect=True)
def test_no_connection_outlives_a_suite(target_url: str, check: Check) -> None:
    """A target with a hundred suites is not left with two hundred idle sessions."""
    result = check(HOLDS)

    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    with psycopg.connect(target_url) as session:
        left = session.execute(f"{others} AND pid <> pg_backend_pid()").fetchone()

    assert result.passed
    assert left == (0,)
