"""The target is changed behind our back: found, named, and not swept under the carpet."""

import sqlite3
from contextlib import closing

import pytest

from datamig_pipelines.errors import DriftError
from datamig_pipelines.running import (
    acknowledge_drift,
    history,
    outlook,
    roll_back,
    run,
    status,
)
from datamig_pipelines.spec import Launch

CHANGES = {
    "index dropped": ("DROP INDEX by_name", "index by_name: removed"),
    "column added": ("ALTER TABLE {p} ADD COLUMN more INTEGER", "column more: added"),
    "column dropped": ("ALTER TABLE {p} DROP COLUMN n", "column n: removed"),
    "column renamed": ("ALTER TABLE {p} RENAME COLUMN n TO m", "column m: added"),
    "table dropped": ("DROP TABLE {p}", "p: removed"),
    "index added": ("CREATE INDEX mine ON {p} (n)", "index mine: added"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_change_of_what_was_migrated_is_named_and_refused(defs, change):
    """Status and plan name the object; a run of it, or of the next one, is refused."""
    spec = defs.write("a")
    list(run(spec))
    sql, said = CHANGES[change]
    defs.ask(spec, sql)

    assert any(said in line for line in status(spec)["drift"])
    assert any(said in str(d) for d in outlook(spec).drift)
    for migration in (spec, defs.write("b", "r", after="a")):
        with pytest.raises(DriftError) as caught:
            list(run(migration))
        assert said in caught.value.message
    assert defs.tables(spec) <= {"p"}


def test_changed_type_is_told_from_what_to_what(pg_url2, small, monkeypatch):
    """A column whose type was altered is shown with both types."""
    monkeypatch.setenv("LINES_TARGET_URL", pg_url2)
    spec = small.write("a")
    list(run(spec))
    small.ask(spec, "ALTER TABLE {p} ALTER COLUMN n TYPE text")

    [told] = status(spec)["drift"]

    assert told.endswith("column n: changed: type bigint → text")


def test_view_of_others_is_told_and_lets_runs_pass(defs):
    """What others add beside ours is named, in the plan's notes as well, and stops nobody."""
    spec = defs.write("a")
    list(run(spec))
    defs.ask(spec, "CREATE VIEW {v} AS SELECT 1 AS x")
    defs.ask(spec, "CREATE TABLE {s} (x INTEGER)")

    found = outlook(spec)
    list(run(spec))

    assert {str(d).partition(" ")[0] for d in found.drift} == {"view", "table"}
    assert all(str(d).endswith("added") for d in found.drift)
    assert any(note.startswith("drift: table") for note in found.plan.context.notes)


def test_run_of_the_next_does_not_hide_drift(small):
    """What was told before another migration ran is told after it, and after its rollback."""
    first = small.write("a", drift="report")
    list(run(first))
    small.ask(first, "DROP INDEX by_name")
    second = small.write("b", "r", drift="report")
    before = status(first)["drift"]

    list(run(second))
    between = status(first)["drift"]
    list(roll_back(second))

    assert before == between == status(first)["drift"]
    assert len(before) == 1


def test_own_work_is_no_drift(defs):
    """Neither the next migration nor its rollback nor a run that is resumed counts as drift."""
    first, second = defs.write("a"), defs.write("b", "r")
    list(run(first))
    list(run(second))
    assert status(first)["drift"] == []
    list(roll_back(second))
    assert status(first)["drift"] == []
    list(run(second))
    list(roll_back(first))

    assert status(second)["drift"] == []
    list(run(second))


def test_half_done_run_is_no_drift_to_itself(defs):
    """What a run made before it was interrupted does not stop it from going on."""
    list(run(defs.write("a")))
    second = defs.write("b", include=["q", "r"])
    list(run(second, Launch(tables=("r",))))

    assert status(second)["drift"] == []
    list(run(second))
    assert defs.tables(second) == {"p", "q", "r"}


def test_rows_are_no_drift(defs):
    """People work in the target: rows that come and go are none of our business."""
    spec = defs.write("a")
    list(run(spec))
    defs.ask(spec, "INSERT INTO {p} (id, name) VALUES (100, 'x')")

    assert status(spec)["drift"] == []


def test_acknowledged_drift_lets_runs_pass(defs):
    """The target as it is now is the new record; the history has what was changed."""
    spec = defs.write("a")
    list(run(spec))
    defs.ask(spec, "CREATE INDEX mine ON {p} (n)")

    told = acknowledge_drift(spec)
    list(run(defs.write("b", "r", after="a")))

    assert status(spec)["drift"] == []
    [entry] = [e for e in history(spec)["runs"][-1]["events"] if "drift" in e["event"]]
    assert entry["detail"].splitlines() == told
    assert [line for line in told if "index mine: added" in line]


def test_report_only_tells(small):
    """With drift: report the run is let in."""
    spec = small.write("a")
    list(run(spec))
    small.ask(spec, "DROP INDEX by_name")

    list(run(small.write("b", "r", drift="report")))

    assert small.tables(spec) == {"p", "r"}


TRIGGER = "CREATE TRIGGER tr BEFORE INSERT ON {p} BEGIN SELECT %d; END"


def with_trigger(small):
    """Return an applied migration whose table brought a trigger along."""
    with closing(sqlite3.connect(small.folder.parent / "source.sqlite")) as file:
        file.executescript((TRIGGER % 1).format(p="p"))
    spec = small.write("a", include=["*"])
    list(run(spec))
    return spec


@pytest.mark.parametrize("then", ["dropped", "changed"])
def test_trigger_that_was_migrated_is_ours_as_a_table_is(small, then):
    """What a migration made is refused when it is gone or another, whatever kind it is of."""
    spec = with_trigger(small)
    small.ask(spec, "DROP TRIGGER tr")
    if then == "changed":
        small.ask(spec, TRIGGER % 2)

    with pytest.raises(DriftError, match="trigger tr"):
        list(run(spec))


def test_rollback_takes_a_trigger_out_of_the_memory(small):
    """What the way back dropped is not missed afterwards."""
    spec = with_trigger(small)
    list(roll_back(spec))

    assert status(spec)["drift"] == []


def test_trigger_of_others_is_told_after_the_next_run_too(small):
    """It came behind our back, not with the run; a run does not sweep it under the carpet."""
    spec = small.write("a")
    list(run(spec))
    small.ask(spec, TRIGGER % 1)
    second = small.write("b", "r", after="a")
    list(run(second))
    told = status(spec)["drift"]
    list(roll_back(second))

    assert told == status(spec)["drift"] == ["trigger tr: added"]


def test_values_are_told_not_only_that_they_differ(small):
    """A default is shown with its value, a flag with both states."""
    spec = small.write("a")
    list(run(spec))
    small.ask(spec, "ALTER TABLE {p} ADD COLUMN z INTEGER")
    acknowledge_drift(spec)
    small.ask(spec, "ALTER TABLE {p} DROP COLUMN z")
    small.ask(spec, "ALTER TABLE {p} ADD COLUMN z INTEGER NOT NULL DEFAULT 7")

    [told] = status(spec)["drift"]

    assert "default none → literal 7" in told
    assert "nullable true → false" in told
