"""Back by the backup: everything is as it was, whoever wrote, dropped or killed in between."""

import json
import uuid
from collections import Counter
from pathlib import Path

import pytest

from datamig_pipelines import running
from datamig_pipelines.backups import open_store, read_manifest
from datamig_pipelines.errors import (
    LedgerError,
    RestoreError,
)
from datamig_pipelines.ledger import Ledger
from datamig_pipelines.steps import StepDone
from datamig_pipelines_tests.engines import Server
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey

TABLES = ["regions", "countries"]
TARGETS = ("pg_url", "sqlite_url", "duckdb_url", "mariadb_url")
OTHER = [(1, "one", None), (2, "zwei ✓", 2), (2, "zwei ✓", 2)]


@pytest.fixture(params=TARGETS)
def journey(request: pytest.FixtureRequest, shop_url: str, going: Going) -> Journey:
    """A migration into a database that holds something else already."""
    return filled(going(shop_url, request.getfixturevalue(request.param), include=TABLES))


def filled(made: Journey) -> Journey:
    """Put two tables and a view into the target."""
    made.ask(
        "CREATE TABLE mine (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL)",
        "INSERT INTO mine VALUES (1, 'a'), (2, 'b')",
        "CREATE TABLE other (n INTEGER, t VARCHAR(20), m INTEGER)",
        "INSERT INTO other VALUES (1, 'one', NULL), (2, 'zwei ✓', 2), (2, 'zwei ✓', 2)",
        "CREATE INDEX by_n ON other (n)",
        "CREATE VIEW looked AS SELECT id FROM mine",
    )
    return made


def spoilt(made: Journey) -> None:
    """Do what undo could never take back."""
    made.ask(
        "INSERT INTO mine VALUES (3, 'c')",
        "DELETE FROM other WHERE n = 1",
        "DROP VIEW looked",
        f"CREATE TABLE {made.named('later')} (id INTEGER)",
        f"INSERT INTO {made.named('later')} VALUES (1)",
    )


def restored(made: Journey) -> StepDone:
    """Roll back by restore and return what it says at the end."""
    last = list(running.roll_back(made.migration, by_restore=True))[-1]
    assert isinstance(last, StepDone)
    return last


def test_restore_brings_everything_back(journey: Journey) -> None:
    """Rows, tables, views and indexes are as before the run; the ledger remembers both ways."""
    before = journey.catalog()
    journey.run()
    spoilt(journey)

    last = restored(journey)

    after = journey.catalog()
    assert [t.columns for t in after.tables] == [t.columns for t in before.tables]
    assert [t.indexes for t in after.tables] == [t.indexes for t in before.tables]
    assert after.views == before.views
    assert Counter(journey.rows("other", "n, t, m")) == Counter(OTHER)
    assert sorted(journey.rows("mine")) == [(1, "a"), (2, "b")]
    runs = running.status(journey.migration)["runs"]
    assert [r["status"] for r in runs] == ["rolled_back"]
    assert last.detail["safety"]
    with journey.place("target").open(readonly=True) as session:
        status, detail = Ledger(session).steps(journey.run_ids()[0])["backup"]
    assert status == "undone"
    assert json.loads(detail)["manifest_sha256"], "today's ledger, not that of the backup"
    journey.run()
    assert set(journey.verdicts()) == {"equal"}


def test_restore_keeps_what_it_overwrites(journey: Journey) -> None:
    """The safety dump holds the target as it was just before, the rows written since included."""
    journey.run()
    spoilt(journey)

    safety = Path(restored(journey).detail["safety"])

    manifest = read_manifest(open_store(journey.migration), safety.name)
    rows = {name.rpartition(".")[2]: facts.rows for name, facts in manifest.state.tables.items()}
    assert manifest.side == "safety"
    assert (rows["mine"], rows["other"], rows["later"]) == (3, 2, 1)


def test_restore_is_proven_before_it_is_believed(
    going: Going, shop_url: str, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row or a table too many after the restore is an error; a repetition mends it."""
    from datamig_pipelines.dialects.sqlite import SQLite

    journey = filled(going(shop_url, sqlite_url, include=TABLES))
    journey.run()
    real = SQLite.replace

    def spoilt(self: SQLite, connection: object, *arguments: object) -> None:
        real(self, connection, *arguments)
        self.query(connection, "INSERT INTO mine VALUES (9, 'z')", ())
        self.query(connection, "CREATE TABLE later (i INTEGER)", ())

    with monkeypatch.context() as patch:
        patch.setattr(SQLite, "replace", spoilt)
        error = journey.refused(lambda m: running.roll_back(m, by_restore=True))
    status = running.status(journey.migration)["runs"][-1]["status"]
    list(running.roll_back(journey.migration))

    assert isinstance(error, RestoreError)
    assert "table mine has other values (3 rows, 2 before)" in error.message
    assert "table later was not there before" in error.message
    assert status == "rolling_back"
    assert len(journey.rows("mine")) == 2


def test_undo_names_what_others_changed(going: Going, shop_url: str, sqlite_url: str) -> None:
    """After an undo, a table of others that was written to since is named, and stays."""
    journey = filled(going(shop_url, sqlite_url, include=TABLES))
    journey.run()
    journey.ask("INSERT INTO mine VALUES (3, 'c')")

    last = list(running.roll_back(journey.migration))[-1]

    assert isinstance(last, StepDone)
    changed = last.detail["changed by others since"]
    assert changed[0] == "table mine has other values (3 rows, 2 before)"
    assert all(what.startswith(("table mine ", "counter mine.")) for what in changed)
    assert len(journey.rows("mine")) == 3


def test_restore_names_what_will_be_lost(journey: Journey) -> None:
    """Tables that changed, that the run made and that others made are told apart; others are not."""
    journey.run()
    journey.ask("INSERT INTO mine VALUES (3, 'c')")
    journey.ask(f"CREATE TABLE {journey.named('later')} (id INTEGER)")
    journey.ask(f"CREATE VIEW {journey.named('later_v')} AS SELECT 1 AS one")

    lost = {
        o.table.rpartition(".")[2]: (o.rows, o.before, o.made)
        for o in running.overwrites(journey.migration)
    }

    assert lost.pop("mine") == (3, 2, False)
    assert lost.pop("later") == (0, None, False)
    views = [name for name in lost if name.endswith("later_v")]
    assert [lost.pop(name) for name in views] == [(0, None, False)]
    assert set(lost) == set(TABLES)
    assert all(made and before is None for _, before, made in lost.values())


@pytest.mark.parametrize(
    ("target", "delay_s"),
    [
        ("pg_url", 0.02),
        ("sqlite_url", 0.0),
        ("sqlite_url", 0.01),
        ("mariadb_url", 0.02),
        ("mariadb_url", 0.1),
        ("duckdb_url", 0.02),
    ],
)
def test_killed_restore_goes_on(
    target: str, delay_s: float, request: pytest.FixtureRequest, shop_url: str, going: Going
) -> None:
    """kill -9 in the middle of a restore: no run may start, and the next rollback ends it well."""
    journey = filled(going(shop_url, request.getfixturevalue(target), include=TABLES))
    before = journey.catalog()
    journey.run()
    spoilt(journey)

    process = journey.start("restore")
    begun = any(e.get("text", "").startswith("restoring") for e in process.told())
    assert begun
    killed = process.kill(delay_s)
    # It may have died between its last word to the ledger and its end: then it is through.
    if killed and running.status(journey.migration)["runs"][-1]["status"] != "rolled_back":
        assert isinstance(journey.refused(), LedgerError)
        list(running.roll_back(journey.migration))

    assert [t.columns for t in journey.catalog().tables] == [t.columns for t in before.tables]
    assert Counter(journey.rows("other", "n, t, m")) == Counter(OTHER)
    assert running.status(journey.migration)["runs"][-1]["status"] == "rolled_back"


def test_undo_that_fails_says_the_other_way(going: Going, shop_url: str, pg_url: str) -> None:
    """A view of others on a loaded table stops the undo; the hint is --restore, which works."""
    journey = filled(going(shop_url, pg_url, include=TABLES))
    journey.run()
    journey.ask("CREATE VIEW public.of_others AS SELECT id FROM regions")

    error = journey.refused(running.roll_back)
    restored(journey)

    assert "--restore" in error.hint
    assert [v.name.name for v in journey.catalog().views] == ["looked"]


def test_failed_run_is_restored_where_the_spec_says_so(
    going: Going, shop_url: str, pg_url: str
) -> None:
    """With ``on_failure: restore`` a failure that undo cannot take back is taken back all the same."""
    journey = filled(going(shop_url, pg_url, include=TABLES))
    journey.attributes["rollback"] = {"on_failure": "restore"}
    module = journey.folder / "broken.py"
    module.write_text(
        "import polars as pl, psycopg, os\n"
        "def load(f: pl.DataFrame) -> pl.DataFrame:\n"
        "    with psycopg.connect(os.environ['SCENARIO_TARGET_URL']) as c:\n"
        "        c.execute('CREATE VIEW public.of_others AS SELECT 1 FROM regions')\n"
        "    return 1 / 0\n"
    )
    journey.attributes["tables"] = [{"name": "countries", "transform": "broken.load"}]

    error = journey.refused()

    assert not getattr(error, "__notes__", ())
    assert sorted(t.name.name for t in journey.catalog().tables) == ["mine", "other"]
    assert running.status(journey.migration)["runs"][-1]["status"] == "rolled_back"


def test_rows_in_tables_of_others_need_a_restore(going: Going, shop_url: str, pg_url: str) -> None:
    """Where the ledger says that the run wrote into a table that was there, undo is not taken."""
    journey = filled(going(shop_url, pg_url, include=TABLES))
    journey.run()
    with journey.place("target").open(readonly=False) as session:
        ledger = Ledger(session)
        (run_id,) = journey.run_ids()
        detail = json.loads(ledger.steps(run_id)["backup"][1]) | {"touched": ["public.mine"]}
        ledger.end_step(run_id, "backup", "done", json.dumps(detail))
    journey.ask("INSERT INTO mine VALUES (3, 'c')")

    assert running.needs_restore(journey.migration)
    list(running.roll_back(journey.migration))

    assert sorted(journey.rows("mine")) == [(1, "a"), (2, "b")]


def test_restore_needs_no_superuser(
    going: Going, shop_url: str, pg_url: str, postgres_server: Server
) -> None:
    """The owner of a database, without any other right but CREATEDB, backs up and restores it."""
    name = f"plain_{uuid.uuid4().hex[:8]}"
    database = pg_url.rpartition("/")[2]
    postgres_server.query(database, f"CREATE ROLE {name} LOGIN CREATEDB PASSWORD 'plain-pw'")
    postgres_server.query(database, f"ALTER DATABASE {database} OWNER TO {name}")
    try:
        place = pg_url.partition("@")[2]
        journey = filled(going(shop_url, f"postgresql://{name}:plain-pw@{place}", include=TABLES))
        journey.ask("GRANT SELECT ON mine TO postgres", "CREATE TYPE mood AS ENUM ('a')")
        journey.run()
        spoilt(journey)
        grants = restored(journey).detail["grants that differ"]

        assert sorted(journey.rows("mine")) == [(1, "a"), (2, "b")]
        assert [g for g in grants if "mine" in g and "postgres" in g], "it is said, not hidden"
        assert running.status(journey.migration)["runs"][-1]["status"] == "rolled_back"
    finally:
        owner = "ALTER DATABASE %s OWNER TO datamig; REASSIGN OWNED BY %s TO datamig; "
        postgres_server.query(database, (owner + "DROP OWNED BY %s") % (database, name, name))
        postgres_server.query(database, f"DROP ROLE {name}")
