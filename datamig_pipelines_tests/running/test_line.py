"""Migrations of one target come after each other: where it stands, and how to go elsewhere."""

import pytest

from datamig_pipelines.errors import (
    BaselineError,
    LedgerError,
    OutOfOrderError,
    PlanChangedError,
    UnknownVersionError,
)
from datamig_pipelines.running import (
    NothingToDo,
    acknowledge,
    baseline,
    history,
    losses,
    moves,
    refuse_edited,
    refuse_elsewhere,
    roll_back,
    run,
    standing,
    status,
    validate,
    way,
)
from datamig_pipelines.spec import Launch, Migration
from datamig_pipelines_tests.running.lines import Defs


def line(defs: Defs) -> tuple[Migration, Migration, Migration]:
    """Return three migrations, each after the one before."""
    return (
        defs.write("one", "p"),
        defs.write("two", "r", after="one"),
        defs.write("three", "q", after="two"),
    )


def drawn(migration: Migration) -> list[str]:
    """Return the line as ``name:state``, with ``*`` where the target stands."""
    return [f"{v.version}:{v.state}{'*' if v.here else ''}" for v in standing(migration)]


def todo(migration: Migration, direction: str) -> list[str]:
    """Return the moves as ``+name`` and ``-name``."""
    return [f"{'+' if m.forward else '-'}{m.migration.name}" for m in moves(migration, direction)]


def test_line_is_drawn_with_the_place_where_the_target_stands(defs):
    """Pending, applied and half-done versions are told apart, from any member of the line."""
    one, two, three = line(defs)
    assert drawn(two) == ["one:pending", "two:pending", "three:pending"]
    list(run(one))
    assert drawn(three) == ["one:applied*", "two:pending", "three:pending"]
    list(run(two))

    assert drawn(one) == ["one:applied", "two:applied*", "three:pending"]
    assert [v["state"] for v in status(one)["line"]] == ["applied", "applied", "pending"]


def test_begun_version_is_not_applied(small):
    """A run of some tables only is under way; what comes after it has to wait."""
    one = small.write("one", include=["p", "q"])
    two = small.write("two", "r", after="one")
    list(run(one, Launch(tables=("p",))))

    assert drawn(one) == ["one:running", "two:pending"]
    with pytest.raises(OutOfOrderError, match="comes after one, which is running"):
        list(run(two))


def test_moves_lead_to_every_direction(small):
    """up is the next one, latest all, down the last one back, a name goes there and back."""
    one, two, _ = line(small)
    assert todo(one, "up") == ["+one"]
    assert todo(one, "latest") == ["+one", "+two", "+three"]
    assert todo(one, "two") == ["+one", "+two"]
    assert todo(one, "down") == []
    list(run(one))
    list(run(two))

    assert todo(one, "up") == ["+three"]
    assert todo(one, "latest") == ["+three"]
    assert todo(one, "down") == ["-two"]
    assert todo(two, "one") == ["-two"]
    assert todo(one, "two") == []
    with pytest.raises(UnknownVersionError) as caught:
        moves(one, "four")
    assert "one, two, three" in caught.value.hint


def test_run_before_its_predecessor_is_refused(defs):
    """Nothing is touched, and the message names what to run first."""
    _, two, _ = line(defs)

    with pytest.raises(OutOfOrderError) as caught:
        list(run(two))

    assert "comes after one, which is not applied" in caught.value.message
    assert "datamig run one" in caught.value.hint
    assert status(two)["runs"] == []


def test_rollback_below_a_successor_is_refused(defs):
    """What others come after is taken back last; the files are not asked for that."""
    one, two, _ = line(defs)
    list(run(one))
    list(run(two))
    defs.file("two").unlink()

    for verb in (losses, lambda m: list(roll_back(m))):
        with pytest.raises(OutOfOrderError, match="two comes after one"):
            verb(one)
    list(roll_back(two))
    list(roll_back(one))

    assert defs.tables(one) == set()


def test_restore_over_what_another_migration_wrote_is_refused(small):
    """It would take that migration's rows away, and the ledger would go on calling it applied."""
    first, other = small.write("first"), small.write("other", "r")
    small.ask(first, "CREATE TABLE s (id INTEGER)")
    list(run(first))
    list(run(other))

    with pytest.raises(OutOfOrderError, match="other wrote to the target since first began"):
        list(roll_back(first, by_restore=True))
    there = small.tables(first)
    list(roll_back(other))
    list(roll_back(first, by_restore=True))

    assert {"p", "r", "s"} <= there
    assert {t for t in small.tables(first) if "datamig" not in t} == {"s"}


def test_job_that_moves_its_own_migration_only_refuses_the_others(small):
    """A direction that means another version is refused and names the job that walks."""
    one, two, _ = line(small)
    list(run(one))
    for direction in ("", "one", "down"):
        refuse_elsewhere(one, direction)
    refuse_elsewhere(two, "up")

    with pytest.raises(OutOfOrderError, match="moves one only") as caught:
        refuse_elsewhere(one, "latest")

    assert "Run the job one" in caught.value.hint


def test_way_of_a_line_of_one_is_that_one_whatever_its_state(small):
    """latest and a version prove again what is done; down is a way back."""
    alone = small.write("alone")
    list(run(alone))

    assert [m.forward for d in ("", "up", "alone", "down") for m in way(alone, d)] == [
        *(True, True, True),
        False,
    ]


def test_edited_version_is_marked_and_stops_a_walk_over_it(small):
    """What comes after it would stand on something that no file describes."""
    one, two, _ = line(small)
    list(run(one))
    small.write("one", "p", owners=["team:data"])
    cosmetic = refuse_edited(two, moves(two, "latest"))
    marked = [v.edited for v in standing(two)]
    small.write("one", "p", tables=[{"name": "p", "where": "id > 1"}])

    with pytest.raises(PlanChangedError, match="where '' → id > 1"):
        refuse_edited(two, moves(two, "latest"))

    assert (cosmetic, marked) == ([], [True, False, False])
    assert refuse_edited(two, moves(two, "down")) == []
    acknowledge(small.read("one"))
    assert refuse_edited(two, moves(two, "latest")) == []
    assert not standing(two)[0].edited


def test_edited_version_whose_source_is_gone_is_told(small, monkeypatch):
    """An old source may be switched off: nobody can plan it again, and that is said."""
    one, two, _ = line(small)
    list(run(one))
    small.write("one", "p", owners=["team:data"], source={"url": "sqlite:///gone.sqlite"})

    [remark] = refuse_edited(two, moves(two, "latest"))

    assert remark.startswith("one was edited, and cannot be planned")


def test_applied_migration_whose_file_is_gone_is_told(small):
    """Deleted or renamed: the target knows what no file describes any more."""
    one = small.write("one", "p")
    list(run(one))
    list(run(small.write("old", "r")))
    before = status(one)["without_file"]
    small.file("old").unlink()

    [gone] = status(one)["without_file"]

    assert before == []
    assert (gone["version"], gone["state"]) == ("old", "applied")
    small.write("old", "r")
    list(roll_back(small.read("old")))
    small.file("old").unlink()
    assert status(one)["without_file"] == []


def test_baseline_marks_without_running(defs):
    """Tables that are there become a version; nothing is run, and the next one follows."""
    old = defs.write("old")
    list(run(old))
    defs.ask(old, "DELETE FROM {p} WHERE id = 9")
    adopted = forgotten(defs, old)
    with pytest.raises(OutOfOrderError):
        list(run(defs.write("next", "r", after="old")))

    baseline(adopted)
    events = list(run(adopted))

    assert [type(e) for e in events] == [NothingToDo]
    assert drawn(adopted) == ["old:baseline*", "next:pending"]
    assert defs.ask(old, "SELECT count(*) FROM {p}") == [(2,)]
    assert history(adopted)["runs"][-1]["result"] == "baseline"
    list(run(defs.read("next")))
    with pytest.raises(LedgerError, match="in the ledger already"):
        baseline(adopted)


def test_rollback_of_a_baseline_drops_nothing(defs):
    """The mark goes, the tables stay: this migration did not make them."""
    adopted = forgotten(defs, defs.write("old"))
    defs.ask(adopted, "CREATE TABLE {p} (id INTEGER, name TEXT, n INTEGER)")
    baseline(adopted)

    list(roll_back(adopted))

    assert defs.tables(adopted) == {"p"}
    assert drawn(adopted) == ["old:pending"]


def test_validate_compares_the_rows_of_a_baseline(small):
    """A baseline says nothing about rows; the proofs do."""
    adopted = small.write("old")
    small.ask(adopted, "CREATE TABLE {p} (id INTEGER PRIMARY KEY, name TEXT NOT NULL, n INTEGER)")
    baseline(adopted)

    with pytest.raises(Exception, match="differ"):
        list(validate(adopted))


def test_baseline_without_its_tables_is_refused(defs):
    """A missing table and a missing column are named, and nothing is marked."""
    spec = defs.write("old", include=["p", "r"])
    defs.ask(spec, "CREATE TABLE {p} (id INTEGER, name TEXT)")

    with pytest.raises(BaselineError) as caught:
        baseline(spec)

    assert ".n" in caught.value.message
    assert "table" in caught.value.message
    assert drawn(spec) == ["old:pending"]


def forgotten(defs: Defs, spec: Migration) -> Migration:
    """Return the migration on a target whose ledger does not know it."""
    from datamig_pipelines.ledger import History
    from datamig_pipelines.running.opening import target_place

    with target_place(spec).open(readonly=False) as session:
        ledger = History(session)
        if ledger.exists():
            for name in ("run", "history", "catalog"):
                ledger._delete(name)
    return defs.read(spec.name)
