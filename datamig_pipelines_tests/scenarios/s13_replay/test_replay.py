"""Rejected rows are tried again after something was mended; only they are read and written."""

import json
import sqlite3
from pathlib import Path

import pytest

from datamig_pipelines import running
from datamig_pipelines.errors import (
    LedgerError,
    PlanChangedError,
    ProofFailedError,
    RejectsError,
    StepError,
)
from datamig_pipelines.ledger import Ledger
from datamig_pipelines.transfer import Event
from datamig_pipelines.transfer.events import Replayed
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey, gaps

ROWS = 60
BAD = {7: "'many'", 31: "-5", 44: "-6"}
OF_ROWS = {"proofs": ["row_count", "fingerprint"]}  # the schema proof would miss the dropped check
REFUSED = {
    "pg_url": [7, 31, 44],
    "mariadb_url": [7, 31, 44],
    "sqlite_url": [31, 44],
    "duckdb_url": [7, 31, 44],
}


@pytest.fixture
def messy_url(tmp_path: Path) -> str:
    """A SQLite file with three rows that a strict target refuses."""
    path = tmp_path / "messy.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL, "
            "amount INTEGER CHECK (amount >= 0))"
        )
        people = [(i, f"name {i}", i * 3) for i in range(1, ROWS + 1)]
        db.executemany("INSERT INTO people VALUES (?, ?, ?)", people)
        for number, value in BAD.items():
            db.execute(f"UPDATE people SET amount = {value} WHERE id = {number}")
    db.close()
    return f"sqlite:///{path}"


def mend(journey: Journey, *numbers: int) -> None:
    """Put right what is wrong with some rows of the source."""
    for number in numbers:
        journey.ask(f"UPDATE people SET amount = {number} WHERE id = {number}", side="source")


def replayed(journey: Journey) -> tuple[dict[int, bool], Exception | None]:
    """Replay; return row → loaded, and how it ended."""
    went: dict[int, bool] = {}
    try:
        for event in running.replay(journey.migration):
            if isinstance(event, Replayed):
                went[int(json.loads(event.key)[0])] = event.loaded
    except RejectsError as error:
        return went, error
    return went, None


def accounted(journey: Journey) -> tuple[int, int, int]:
    """Return rows read, loaded and rejected, summed over sound batches."""
    batches = journey.batches()
    assert gaps(batches) == []
    entries = batches.values()
    return (
        sum(e.rows_read for e in entries),
        sum(e.rows_loaded for e in entries),
        sum(e.rows_rejected for e in entries),
    )


@pytest.mark.parametrize("target", REFUSED)
def test_mended_rows_are_loaded_and_the_run_ends_green(
    target: str, messy_url: str, going: Going, request: pytest.FixtureRequest
) -> None:
    """The mended rows arrive, the ledger counts them as loaded, the proofs are taken anew."""
    bad = REFUSED[target]
    journey = going(messy_url, request.getfixturevalue(target), batch_size=16)
    journey.refused()
    mend(journey, *bad)

    went, error = replayed(journey)

    status = running.status(journey.migration)
    assert (went, error) == (dict.fromkeys(bad, True), None)
    assert sorted(r[0] for r in journey.rows("people", "id")) == list(range(1, ROWS + 1))
    assert journey.rejects() == []
    assert accounted(journey) == (ROWS, ROWS, 0)
    assert status["runs"][-1]["status"] == "done"
    assert len(status["runs"]) == 1
    proofs = {p["proof"]: (p["verdict"], p["source"], p["detail"]) for p in status["proofs"]}
    assert proofs["row_count"] == ("equal", str(ROWS), "")
    assert journey.verdicts()["different"] == 0
    assert replayed(journey) == ({}, None)


@pytest.mark.parametrize("target", ["pg_url", "sqlite_url"])
def test_row_that_fails_again_stays_a_reject_with_the_new_reason(
    target: str, messy_url: str, going: Going, request: pytest.FixtureRequest
) -> None:
    """One row is mended, one is wrong in another way: exit code 2, and the ledger says why now."""
    journey = going(messy_url, request.getfixturevalue(target), batch_size=16)
    journey.refused()
    before = {int(json.loads(r.row_key)[0]): r for r in journey.rejects()}
    mend(journey, 31)
    with sqlite3.connect(messy_url.removeprefix("sqlite:///")) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute("UPDATE people SET amount = -77 WHERE id = 44")

    went, error = replayed(journey)

    after = {int(json.loads(r.row_key)[0]): r for r in journey.rejects()}
    assert went == {n: n == 31 for n in before}
    assert isinstance(error, RejectsError)
    assert error.exit_code == 2
    assert set(after) == set(before) - {31}
    assert json.loads(after[44].row_values)["amount"] == "-77"
    assert accounted(journey) == (ROWS, ROWS - len(after), len(after))
    assert running.status(journey.migration)["runs"][-1]["status"] == "failed"


def test_mended_target_takes_the_rows(messy_url: str, pg_url: str, going: Going) -> None:
    """A constraint that was dropped in the target lets the rows of the unchanged source in."""
    journey = going(messy_url, pg_url, batch_size=16, validate=OF_ROWS)
    journey.refused()
    allow(journey, "people")

    went, _ = replayed(journey)

    assert went == {7: False, 31: True, 44: True}
    assert (31, -5) in journey.rows("people", "id, amount")


def test_row_with_a_nul_byte_is_loaded_once_it_is_gone(
    messy_url: str, pg_url: str, going: Going
) -> None:
    """PostgreSQL's text knows no NUL; mended in the source, the row arrives as it is now."""
    with sqlite3.connect(messy_url.removeprefix("sqlite:///")) as db:
        db.execute("UPDATE people SET amount = 1")
        db.execute("UPDATE people SET name = 'a' || char(0) || 'b' WHERE id = 9")
    journey = going(messy_url, pg_url)
    journey.refused()
    journey.ask("UPDATE people SET name = 'a b' WHERE id = 9", side="source")

    assert replayed(journey) == ({9: True}, None)
    assert (9, "a b") in journey.rows("people", "id, name")


def test_row_that_left_the_source_is_told(messy_url: str, pg_url: str, going: Going) -> None:
    """Nothing is made up for a row that cannot be read any more."""
    journey = going(messy_url, pg_url)
    journey.refused()
    mend(journey, 31, 44)
    journey.ask("DELETE FROM people WHERE id = 7", side="source")

    told: list[Event] = []
    with pytest.raises(ProofFailedError):
        told.extend(running.replay(journey.migration))

    reasons = [e.reason for e in told if isinstance(e, Replayed) and not e.loaded]
    assert reasons == ["the source has no row with this key now"]
    assert len(journey.rejects()) == 1


def test_other_tables_are_left_alone(messy_url: str, pg_url: str, going: Going) -> None:
    """--table chooses; a batch that was not touched keeps its entry."""
    with sqlite3.connect(messy_url.removeprefix("sqlite:///")) as db:
        db.execute("CREATE TABLE pets (id INTEGER PRIMARY KEY, age INTEGER)")
        db.execute("INSERT INTO pets VALUES (1, 'old'), (2, 3)")
    journey = going(messy_url, pg_url, batch_size=16, rejects={"abort_above": "90%"})
    journey.refused()
    before = {k: e for k, e in journey.batches().items() if k[0] == "people"}
    journey.ask("UPDATE pets SET age = 9 WHERE id = 1", side="source")

    with pytest.raises(RejectsError):
        list(running.replay(journey.migration, "pets"))

    assert sorted(journey.rows("pets")) == [(1, 9), (2, 3)]
    assert {k: e for k, e in journey.batches().items() if k[0] == "people"} == before
    assert {r.table for r in journey.rejects()} == {"people"}


@pytest.mark.parametrize("target", ["pg_url", "sqlite_url", "duckdb_url", "mariadb_url"])
def test_row_and_its_accounting_are_one(
    target: str,
    messy_url: str,
    going: Going,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If the ledger cannot be written, the row is not there either, and is loaded once later."""
    journey = going(messy_url, request.getfixturevalue(target), batch_size=16)
    journey.refused()
    mend(journey, *REFUSED[target])

    real = Ledger._update

    def full(ledger: Ledger, name: str, *values: object, **where: object) -> None:
        if name == "batch":
            raise LedgerError("no room", hint="")
        real(ledger, name, *values, **where)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "_update", full)
        with pytest.raises(LedgerError):
            list(running.replay(journey.migration))
    assert {r[0] for r in journey.rows("people", "id")} & {31, 44} == set()
    assert len(journey.rejects()) == len(REFUSED[target])

    assert replayed(journey)[1] is None
    assert len(journey.rows("people")) == ROWS


def test_run_that_was_stopped_stays_unfinished(messy_url: str, pg_url: str, going: Going) -> None:
    """All rejects are loaded, and yet it is no success: the run has to go on, and can."""
    journey = going(messy_url, pg_url, batch_size=16, rejects={"abort_above": 2})
    journey.refused()
    mend(journey, *BAD)

    with pytest.raises(StepError, match="not finished"):
        list(running.replay(journey.migration))
    assert running.status(journey.migration)["runs"][-1]["status"] == "failed"

    journey.run()
    assert accounted(journey) == (ROWS, ROWS, 0)
    assert set(journey.verdicts()) == {"equal"}


@pytest.mark.parametrize("target", ["pg_url2", "mariadb_url"])
def test_row_without_a_key_comes_from_the_kept_values(
    target: str, pg_url: str, going: Going, request: pytest.FixtureRequest
) -> None:
    """Where the ledger kept all of it, it is written as it was; a cut value is refused, and told."""
    journey = going(
        pg_url,
        request.getfixturevalue(target),
        batch_size=4,
        rejects={"abort_above": 9},
        validate=OF_ROWS,
    )
    journey.ask(
        "CREATE TABLE notes (v INTEGER, t TEXT, b BYTEA)",
        "INSERT INTO notes SELECT i, 'a' || i, '\\x00ff' FROM generate_series(1, 9) i",
        "INSERT INTO notes VALUES (-1, NULL, '\\x6162'), (-2, repeat('x', 3000), NULL)",
        "INSERT INTO notes VALUES (-1, NULL, '\\x6162'), (-3, 'a' || chr(9) || '\"\\n', NULL)",
        "ALTER TABLE notes ADD CONSTRAINT positive CHECK (v > 0) NOT VALID",
        "UPDATE pg_constraint SET convalidated = true WHERE conname = 'positive'",
        side="source",
    )
    journey.refused()
    assert len(journey.rejects()) == 4
    allow(journey, "notes")

    told: list[Event] = []
    with pytest.raises(RejectsError):
        told.extend(running.replay(journey.migration))

    replays = [e for e in told if isinstance(e, Replayed)]
    assert sorted(e.loaded for e in replays) == [False, True, True, True]
    assert [e.reason for e in replays if not e.loaded] == [
        "the table has no key, and the ledger did not keep all of t"
    ]
    rows = [(v, t, b and bytes(b)) for v, t, b in journey.rows("notes", "v, t, b") if v < 0]
    assert sorted(rows) == [(-3, 'a\t"\\n', None), (-1, None, b"ab"), (-1, None, b"ab")]
    assert accounted(journey) == (13, 12, 1)


def allow(journey: Journey, table: str) -> None:
    """Drop the CHECK that a target refuses rows by."""
    asked = (
        "SELECT constraint_name FROM information_schema.table_constraints "
        f"WHERE constraint_type = 'CHECK' AND table_name = '{table}' "
        "AND constraint_name NOT LIKE '%not_null'"
    )
    for (name,) in journey.ask(asked):
        journey.ask(f"ALTER TABLE {table} DROP CONSTRAINT {name}")


def test_changed_plan_is_refused_before_anything(messy_url: str, pg_url: str, going: Going) -> None:
    """A file that means another target is a new run, not a replay."""
    journey = going(messy_url, pg_url)
    journey.refused()
    journey.attributes["tables"] = [{"name": "people", "columns": {"name": {"rename": "called"}}}]

    with pytest.raises(PlanChangedError):
        list(running.replay(journey.migration))
    assert len(journey.rejects()) == 3


@pytest.mark.parametrize("verb", [running.rejects, lambda m: list(running.replay(m))])
def test_without_a_run_there_is_nothing(
    verb: object, messy_url: str, pg_url: str, going: Going
) -> None:
    """Nothing is begun by asking."""
    journey = going(messy_url, pg_url)

    with pytest.raises(LedgerError, match="there is no run"):
        verb(journey.migration)  # type: ignore[operator]
    assert journey.run_ids() == []


def test_rejects_are_counted_by_reason(messy_url: str, pg_url: str, going: Going) -> None:
    """The figures name key, values, reason and hint of each, and how many share a reason."""
    journey = going(messy_url, pg_url)
    journey.refused()

    figures = running.rejects(journey.migration)

    assert figures["total"] == 3
    assert sum(r["rows"] for r in figures["reasons"]) == 3
    first = figures["rejects"][0]
    assert (first["key"], first["values"]["amount"]) == (["7"], "many")
    assert first["reason"]
    assert running.rejects(journey.migration, "clean")["total"] == 0
