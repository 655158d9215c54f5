"""Counters move in no transaction: what gives out numbers while a backup is made spoils no proof."""

from typing import Any

import pytest

from datamig_pipelines import running
from datamig_pipelines.backups import State, differences, manifest, open_store, reading, writing
from datamig_pipelines.errors import BackupDamagedError
from datamig_pipelines.steps import StepDone
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey

MADE = {
    "pg_url": (
        "CREATE SEQUENCE numbers",
        "CREATE TABLE counted (id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t VARCHAR(20))",
    ),
    "mariadb_url": (
        "CREATE SEQUENCE numbers NOCACHE",
        "CREATE TABLE counted (id INTEGER AUTO_INCREMENT PRIMARY KEY, t VARCHAR(20))",
    ),
    "sqlite_url": (
        "PRAGMA journal_mode = WAL",
        "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, t VARCHAR(20))",
    ),
}
MOVED = {
    "pg_url": ("SELECT nextval('numbers')", "SELECT nextval('counted_id_seq')"),
    "mariadb_url": (
        "SELECT NEXTVAL(numbers)",
        "BEGIN",
        "INSERT INTO counted (t) VALUES ('c')",
        "ROLLBACK",
    ),
    "sqlite_url": ("INSERT INTO counted (t) VALUES ('c')", "DELETE FROM counted WHERE t = 'c'"),
}
"""No row changes."""


@pytest.fixture(params=MADE)
def journey(request: pytest.FixtureRequest, shop_url: str, going: Going) -> Journey:
    """A migration into a database with a table that counts, and a sequence where there are any."""
    made = going(shop_url, request.getfixturevalue(request.param), include=["regions"])
    made.ask(*MADE[request.param], "INSERT INTO counted (t) VALUES ('a'), ('b')")
    return made


@pytest.fixture
def statements(journey: Journey) -> tuple[str, ...]:
    """What moves all counters of the journey's target."""
    engine = journey.target_url.partition(":")[0].partition("+")[0]
    return MOVED[{"postgresql": "pg_url", "mysql": "mariadb_url", "sqlite": "sqlite_url"}[engine]]


def busy(patch: pytest.MonkeyPatch, journey: Journey, statements: tuple[str, ...]) -> None:
    """Let the counters move twice between figures and dump, and once behind the dump."""
    real = writing._stored

    def stored(*arguments: Any) -> Any:
        journey.ask(*statements, *statements)
        entries = real(*arguments)
        journey.ask(*statements)
        return entries

    patch.setattr(writing, "_stored", stored)


def kept(journey: Journey) -> manifest.Manifest:
    """Run the step and return the manifest."""
    events = running.run_step(journey.migration, None, "backup")
    done = next(e for e in events if isinstance(e, StepDone))
    return reading.read_manifest(open_store(journey.migration), done.detail["backup"])


@pytest.mark.parametrize("verify", ["restore", "checksum"])
def test_counters_that_move_during_the_dump_spoil_no_proof(
    verify: str, journey: Journey, statements: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest holds where the dump's counters stand, or what lies between both looks."""
    journey.attributes["backup"] = {"verify": verify}
    with monkeypatch.context() as patch:
        busy(patch, journey, statements)
        found = kept(journey)

    wanted = (5, 5) if verify == "restore" else (3, 6)
    counters = {n.rpartition(".")[2]: span for n, span in found.state.counters.items()}
    assert counters["id"] == wanted
    if len(counters) > 1:
        (numbers,) = (span for name, span in counters.items() if name != "id")
        assert numbers == ((3, 3) if verify == "restore" else (1, 4))


def test_backup_made_while_counters_moved_leads_back(
    journey: Journey, statements: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is restored over the target and proven; where the counters stood in the dump is named."""
    with monkeypatch.context() as patch:
        busy(patch, journey, statements)
        journey.run()

    told = {o.table: o.told for o in running.overwrites(journey.migration) if o.foreign}
    list(running.roll_back(journey.migration, by_restore=True))

    assert running.status(journey.migration)["runs"][-1]["status"] == "rolled_back"
    assert told.pop(next(n for n in told if n.endswith("counted.id"))) == (
        "stands at 6, at 5 in the backup"
    )
    assert set(told.values()) <= {"stands at 4, at 3 in the backup"}
    assert len(journey.rows("counted")) == 2


def test_counter_outside_of_both_looks_is_no_proof(
    journey: Journey, statements: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy whose counters stand where the database's never stood is refused."""
    real = reading.restore_into

    def spoilt(*arguments: Any) -> Any:
        found, seconds = real(*arguments)
        beyond = {name: (high + 9, high + 9) for name, (_, high) in found.counters.items()}
        return State(found.tables, found.views, found.others, found.knows, beyond), seconds

    monkeypatch.setattr(writing, "restore_into", spoilt)

    error = journey.refused(lambda m: running.run_step(m, None, "backup"))

    assert isinstance(error, BackupDamagedError)
    assert "counted.id stands at 12, 3 before" in error.message
    assert running.list_backups(journey.migration) == []


def test_spans_that_touch_are_no_difference() -> None:
    """What may have stood at the same value is not told; what surely stands elsewhere is."""
    before = State({}, {}, counters={"sequence s": (3, 5), "sequence gone": (1, 1)})

    assert differences(before, State({}, {}, counters={"sequence s": (5, 9)})) == []
    assert differences(before, State({}, {}, counters={"sequence s": (6, 6)})) == [
        "sequence s stands at 6, 3 to 5 before"
    ]
    assert differences(before, State({}, {}, counters={"sequence s": (2, 2)})) == [
        "sequence s stands at 2, 3 to 5 before"
    ]
