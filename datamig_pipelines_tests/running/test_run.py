"""The one door: run, run again, refuse."""

import sqlite3
from contextlib import closing

import psycopg
import pytest

from datamig_pipelines.errors import (
    ConnectError,
    LedgerError,
    PlanChangedError,
    RejectsError,
    TargetNotEmptyError,
)
from datamig_pipelines.proofs import ProofResult
from datamig_pipelines.running import look, losses, roll_back, run, status, validate
from datamig_pipelines.running.run import StepStarted, run_step
from datamig_pipelines.spec import Launch, Migration
from datamig_pipelines.steps import STEPS
from datamig_pipelines.transfer import Said
from datamig_pipelines_tests.conformance.moving import migration, move

SCRIPT = """
CREATE TABLE p (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,
  n INTEGER CHECK (n > 0));
CREATE TABLE "c %s" (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id));
CREATE VIEW v AS SELECT name FROM p;
CREATE INDEX by_name ON p (name);
INSERT INTO p VALUES (1, 'a', 1), (2, 'b', 2), (9, 'c', 3);
INSERT INTO "c %s" VALUES (1, 1), (2, NULL), (3, 9);
"""


@pytest.fixture
def source(tmp_path):
    """A small SQLite database."""
    path = tmp_path / "source.sqlite"
    with closing(sqlite3.connect(path)) as file:
        file.executescript(SCRIPT)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "duckdb", "postgres"])
def spec(request, source, target_url, tmp_path, monkeypatch) -> Migration:
    """The migration of that database into each engine."""
    return migration(source, target_url(request.param), tmp_path, monkeypatch)


def test_run_goes_through_all_steps(spec):
    """Every step runs once, in the order of its registry."""
    assert [e.step for e in run(spec) if isinstance(e, StepStarted)] == list(STEPS)


def test_run_again_does_nothing_new(spec):
    """A finished migration that is run again loads no row and stays finished."""
    list(run(spec))
    before = status(spec)["tables"]

    list(run(spec))

    assert (status(spec)["tables"], [r["status"] for r in status(spec)["runs"]]) == (
        before,
        ["done"],
    )


def test_run_back_and_forth(spec):
    """Do, take back, do again: the target is as it was, then as it should be."""
    for _ in range(2):
        moved = move(spec)
        lost = {loss.table.rpartition(".")[2]: loss.rows for loss in losses(spec)}
        list(roll_back(spec))

        assert (moved.error, moved.not_equal(), lost) == (None, {}, {"p": 3, "c %s": 3})


def test_rollback_twice_is_refused(spec):
    """What was taken back cannot be taken back again."""
    list(run(spec))
    list(roll_back(spec))

    with pytest.raises(LedgerError, match="no run of conformance"):
        list(roll_back(spec))


def test_changed_spec_is_refused_on_a_finished_migration(spec):
    """Another plan over a finished run is not applied in silence."""
    list(run(spec))
    other = Migration.model_validate(
        {**spec.model_dump(by_alias=True), "tables": [{"name": "p", "where": "id > 1"}]}
    ).based(spec.base)

    with pytest.raises(PlanChangedError):
        list(run(other))


def test_preview_is_what_runs(spec, monkeypatch):
    """Every statement that a plan shows for the schema and the constraints is sent, as shown."""
    from datamig_pipelines.session import Session

    shown = [s.sql for n in ("schema", "constraints") for s in STEPS[n].preview(look(spec).context)]
    sent = []
    real = Session.query
    monkeypatch.setattr(
        Session, "query", lambda self, sql, *rest: (sent.append(sql), real(self, sql, *rest))[1]
    )

    list(run(spec))

    assert [s for s in shown if s not in sent] == []


def test_validate_finds_what_was_changed_afterwards(
    source, sqlite_url, sqlite_path, tmp_path, monkeypatch
):
    """A value that is changed after the run is found by the next validation."""
    spec = migration(source, sqlite_url, tmp_path, monkeypatch)
    list(run(spec))
    with closing(sqlite3.connect(sqlite_path)) as file, file:
        file.execute("UPDATE p SET name = 'x' WHERE id = 1")
    seen = []

    with pytest.raises(Exception, match="differs in name"):
        seen.extend(validate(spec))

    assert ("p", "fingerprint", "different") in {
        (e.table, e.proof, str(e.verdict)) for e in seen if isinstance(e, ProofResult)
    }


def test_target_with_the_same_table_is_refused(
    source, sqlite_url, sqlite_path, tmp_path, monkeypatch
):
    """Nothing is written over; the table and its rows stay."""
    with closing(sqlite3.connect(sqlite_path)) as file, file:
        file.execute("CREATE TABLE P (mine TEXT)")

    with pytest.raises(TargetNotEmptyError):
        list(run(migration(source, sqlite_url, tmp_path, monkeypatch)))


def test_source_as_target_is_refused(source, tmp_path, monkeypatch):
    """A database does not migrate into itself."""
    with pytest.raises(ConnectError, match="same database"):
        list(run(migration(source, source, tmp_path, monkeypatch)))


def test_target_in_memory_is_refused_by_a_look(source, tmp_path, monkeypatch):
    """A plan for a database that nobody else can see is an error of ours, not a bug."""
    with pytest.raises(ConnectError, match="in a file"):
        look(migration(source, "sqlite:///:memory:", tmp_path, monkeypatch))


def test_launch_of_some_tables_leaves_the_others(source, sqlite_url, tmp_path, monkeypatch):
    """A run of one table is not done yet; the next run brings the rest."""
    spec = migration(source, sqlite_url, tmp_path, monkeypatch)
    states = []
    for launch in (Launch(tables=("p",)), Launch()):
        list(run(spec, launch))
        found = status(spec)
        states.append((sorted(found["tables"]), found["runs"][-1]["status"]))

    assert states == [(["p"], "running"), (["c %s", "p"], "done")]


@pytest.mark.parametrize("allow", ["t", "public.t", "*"])
def test_rejects_are_allowed_by_either_name(pg_url, pg_url2, tmp_path, monkeypatch, allow):
    """``allow: [t]`` means the table ``public.t``, as everywhere else in the file."""
    with psycopg.connect(pg_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (id integer PRIMARY KEY, a bigint)")
        connection.execute(
            "INSERT INTO t SELECT i, 10000000000 * (i % 2) FROM generate_series(1, 9) i"
        )
    said = {"tables": [{"name": "t", "columns": {"a": {"type": "integer"}}}]}
    spec = migration(
        pg_url,
        pg_url2,
        tmp_path,
        monkeypatch,
        rejects={"abort_above": "99%", "allow": [allow]},
        **said,
    )

    moved = move(spec)

    assert (moved.error, len(moved.rejects)) == (None, 5)


def test_run_goes_on_knowing_what_the_schema_left_out(pg_url, duckdb_url, tmp_path, monkeypatch):
    """A check that the target refused is known to every later run, not only to the first."""
    with psycopg.connect(pg_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (id integer PRIMARY KEY, a numeric CHECK (a > 0.5))")
        connection.execute("INSERT INTO t VALUES (1, 1.5)")
    spec = migration(pg_url, duckdb_url, tmp_path, monkeypatch)
    told = [e.text for e in run_step(spec, None, "schema") if isinstance(e, Said)]

    moved = move(spec)

    assert any("left out checks of main.t" in text for text in told), told
    assert (moved.error, [w.partition(":")[0] for w in moved.left_out()]) == (
        None,
        ["checks of main.t"],
    )
    assert not {k for k in moved.not_equal() if "schema" in k}


def test_rejects_that_are_not_allowed_end_red(pg_url, pg_url2, tmp_path, monkeypatch):
    """All is done, and still the run says that rows are missing."""
    with psycopg.connect(pg_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (id integer PRIMARY KEY, a bigint)")
        connection.execute("INSERT INTO t VALUES (1, 10000000000), (2, 2)")
    spec = migration(
        pg_url, pg_url2, tmp_path, monkeypatch,
        rejects={"abort_above": 5}, tables=[{"name": "t", "columns": {"a": {"type": "integer"}}}],
    )  # fmt: skip

    moved = move(spec)

    assert (type(moved.error), len(moved.rejects)) == (RejectsError, 1)


def test_all_schemas_arrive_in_schemas_of_the_same_names(pg_url, pg_url2, tmp_path, monkeypatch):
    """Two tables of one name in two schemas arrive apart, references between them included."""
    with psycopg.connect(pg_url, autocommit=True) as connection:
        for schema in ("a", '"B b"'):
            connection.execute(f"CREATE SCHEMA {schema}")
            connection.execute(f"CREATE TABLE {schema}.t (id integer PRIMARY KEY, up integer)")
            connection.execute(f"INSERT INTO {schema}.t VALUES (1, 1)")
        connection.execute('ALTER TABLE a.t ADD FOREIGN KEY (up) REFERENCES "B b".t')

    moved = move(migration(pg_url, pg_url2, tmp_path, monkeypatch, source={"schema": "*"}))

    assert (moved.error, moved.not_equal()) == (None, {})
