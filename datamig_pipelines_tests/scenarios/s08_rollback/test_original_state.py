"""What was there before is there after an undo: tables, views, sequences, other schemas; proven."""

from typing import Any

import pytest

from datamig_pipelines import running
from datamig_pipelines.backups import State, observe, open_store, read_manifest
from datamig_pipelines.steps import StepDone
from datamig_pipelines.steps.backup import database_of
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey

TABLES = ["regions", "countries", "orders"]
TARGETS = ("pg_url", "sqlite_url", "duckdb_url", "mariadb_url")
COUNTED = {
    "postgresql": "id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    "mysql": "id INTEGER AUTO_INCREMENT PRIMARY KEY",
    "sqlite": "id INTEGER PRIMARY KEY AUTOINCREMENT",
    "duckdb": "id INTEGER PRIMARY KEY",
}
SEQUENCES = {
    "postgresql": ("CREATE SEQUENCE numbers START 5", "SELECT nextval('numbers')"),
    "duckdb": ("CREATE SEQUENCE numbers START 5", "SELECT nextval('numbers')"),
    "mysql": ("CREATE SEQUENCE numbers START WITH 5 NOCACHE", "SELECT NEXTVAL(numbers)"),
}
ELSEWHERE = {
    "postgresql": (
        "CREATE SCHEMA elsewhere",
        "CREATE TABLE elsewhere.t (a INTEGER PRIMARY KEY, b TEXT DEFAULT 'x')",
        "INSERT INTO elsewhere.t VALUES (1, 'ä')",
        "CREATE VIEW elsewhere.v AS SELECT a FROM elsewhere.t",
        "CREATE FUNCTION elsewhere.f(n int) RETURNS int LANGUAGE sql AS 'SELECT n + 1'",
    ),
    "duckdb": (
        "CREATE SCHEMA elsewhere",
        "CREATE TABLE elsewhere.t (a INTEGER PRIMARY KEY, b TEXT DEFAULT 'x')",
        "INSERT INTO elsewhere.t VALUES (1, 'ä')",
        "CREATE VIEW elsewhere.v AS SELECT a FROM elsewhere.t",
    ),
}


@pytest.fixture(params=TARGETS)
def journey(request: pytest.FixtureRequest, shop_url: str, going: Going) -> Journey:
    """A migration into a database full of other things."""
    made = going(shop_url, request.getfixturevalue(request.param), batch_size=50, include=TABLES)
    name = made.place("target").dialect.name
    values = "(id, t) VALUES (1, 'a'), (2, 'b')" if name == "duckdb" else "(t) VALUES ('a'), ('b')"
    made.ask(
        f"CREATE TABLE counted ({COUNTED[name]}, t VARCHAR(20))",
        f"INSERT INTO counted {values}",
        "CREATE TABLE loose (n INTEGER, t VARCHAR(20))",
        "INSERT INTO loose VALUES (1, 'zwei ✓'), (1, 'zwei ✓'), (NULL, NULL)",
        "CREATE INDEX by_n ON loose (n)",
        "CREATE VIEW looked AS SELECT t FROM counted",
        *SEQUENCES.get(name, ()),
        *ELSEWHERE.get(name, ()),
    )
    return made


def state_of(made: Journey) -> State:
    """Return all that the target holds, every row read."""
    database = database_of(made.place("target"))
    with database.open() as session:
        return observe(database, session)


def undone(made: Journey) -> dict[str, Any]:
    """Take back by undo and return what it says at the end."""
    assert running.foresee(made.migration).how == "undo"
    last = list(running.roll_back(made.migration))[-1]
    assert isinstance(last, StepDone)
    return last.detail


def test_undo_leads_to_the_rollback_point(journey: Journey) -> None:
    """Catalog, rows, counters and sequences equal the backup's figures, in every schema."""
    before = state_of(journey)
    events = journey.run()
    kept = next(e.detail for e in events if isinstance(e, StepDone) and e.step == "backup")
    during = state_of(journey)

    detail = undone(journey)

    after = state_of(journey)
    manifest = read_manifest(open_store(journey.migration), kept["backup"])
    assert during != before
    assert after == before
    assert after == manifest.state
    assert detail["changed by others since"] == []
    assert detail["made by others since"] == []
    names = " ".join([*after.tables, *after.views, *after.others])
    wanted = ["counted", "loose", "looked"]
    engine = journey.place("target").dialect.name
    wanted += ["numbers"] * (engine in SEQUENCES) + ["elsewhere.v"] * (engine in ELSEWHERE)
    assert [name for name in wanted if name not in names] == []


def test_undo_names_what_others_moved(journey: Journey) -> None:
    """A row, a counter, a sequence, a view and another schema: each change of others is named."""
    engine = journey.place("target").dialect.name
    journey.run()
    journey.ask("DELETE FROM loose WHERE n IS NULL", "DROP VIEW looked")
    journey.ask("CREATE VIEW looked AS SELECT n FROM loose")
    words = ["loose has other values", "looked is another"]
    if engine in SEQUENCES:
        journey.ask(SEQUENCES[engine][1])
        words.append("numbers stands at")
    if engine in ELSEWHERE:
        journey.ask("UPDATE elsewhere.t SET b = 'y'")
        words.append("elsewhere.t has other values")
    if engine != "duckdb":
        journey.ask("INSERT INTO counted (t) VALUES ('c')", "DELETE FROM counted WHERE t = 'c'")
        words.append("counted.id stands at")

    changed = undone(journey)["changed by others since"]

    assert [w for w in words if not any(w in c for c in changed)] == [], changed


def test_restore_brings_sequences_back(journey: Journey) -> None:
    """A sequence that moved is named before, and stands where it stood after a restore."""
    engine = journey.place("target").dialect.name
    if engine not in SEQUENCES:
        pytest.skip("the engine has no sequences")
    before = state_of(journey)
    journey.run()
    journey.ask(SEQUENCES[engine][1])

    named = [o for o in running.overwrites(journey.migration) if o.table.endswith("numbers")]
    list(running.roll_back(journey.migration, by_restore=True))

    assert [o.told for o in named] == ["stands at 7, at 6 in the backup"]
    assert state_of(journey) == before
