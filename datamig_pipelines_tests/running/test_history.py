"""What was applied is remembered; what was edited since is named, and stands once acknowledged."""

import json
import sys

import pytest

from datamig_pipelines.errors import (
    LedgerError,
    PlanChangedError,
    PlanOutdatedError,
    ProofFailedError,
    TransformError,
)
from datamig_pipelines.ledger import History
from datamig_pipelines.planning.saved import save_plan
from datamig_pipelines.running import (
    NothingToDo,
    acknowledge,
    history,
    look,
    outlook,
    roll_back,
    run,
    validate,
)
from datamig_pipelines.running.opening import target_place
from datamig_pipelines.spec import Launch

FILTERED = {"tables": [{"name": "p", "where": "id > 1"}]}


def test_history_tells_who_when_how_long_and_from_what(defs):
    """A run has its people, its times, its result and both checksums."""
    spec = defs.write("a")
    list(run(spec))

    [told] = history(spec)["runs"]

    assert told["result"] == "applied"
    assert told["plan_sum"] == look(spec).fingerprint
    assert len(told["spec_sum"]) == 16
    assert "@" in told["who"]
    assert told["seconds"] > 0
    assert [e["event"] for e in told["events"]] == ["started", "applied"]
    assert told["started_at"] <= told["applied_at"]
    assert "include" in told["spec"]


def test_history_keeps_what_was_taken_back(defs):
    """A rolled back run stays, with the person who took it back, and the next one follows it."""
    spec = defs.write("a")
    list(run(spec))
    list(roll_back(spec))
    list(run(spec))

    first, second = history(spec)["runs"]

    assert [first["result"], second["result"]] == ["rolled back", "applied"]
    assert [e["event"] for e in first["events"]] == ["started", "applied", "rolled back"]


def test_history_holds_no_secret(pg_url2, tmp_path, small, monkeypatch):
    """The password of a target is not in the ledger's history, whatever URL was used."""
    secret = "s3cretword"
    with_password = pg_url2.replace("://postgres@", f"://postgres:{secret}@")
    monkeypatch.setenv("LINES_TARGET_URL", with_password)
    spec = small.write("a")
    list(run(spec))

    assert secret not in json.dumps(history(spec))
    with target_place(spec).open(readonly=True) as session:
        assert secret not in repr(History(session).entries("a"))


def test_edit_after_the_run_is_refused_by_name(defs):
    """The lines of the file and the parts of the plan that differ stand in the error."""
    list(run(defs.write("a")))
    other = defs.write(
        "a", tables=[{"name": "p", "where": "id > 1", "columns": {"n": {"drop": 1}}}]
    )

    with pytest.raises(PlanChangedError) as caught:
        list(run(other))

    said = caught.value.message
    assert "file: +     where: id > 1" in said or "file: +   where: id > 1" in said
    assert "plan: table p: changed: where '' → id > 1" in said
    assert "plan: table p, target column n: removed" in said
    assert "datamig acknowledge a" in caught.value.hint
    assert defs.ask(other, "SELECT count(*) FROM {p}") == [(3,)]


def test_changed_source_is_named(small, tmp_path):
    """A column that the source got after the run is named as the source's and as the target's."""
    import sqlite3
    from contextlib import closing

    spec = small.write("a")
    list(run(spec))
    with closing(sqlite3.connect(tmp_path / "source.sqlite")) as file:
        file.execute("ALTER TABLE p ADD COLUMN more TEXT")

    with pytest.raises(PlanChangedError, match="source column more: added"):
        list(run(spec))


def test_edited_transform_is_another_plan(small):
    """The text of a user's function is part of the plan: another one does not pass for applied."""
    spec = small.write("a", tables=[{"name": "p", "transform": "rules.same"}])
    module = spec.base / "rules.py"
    module.write_text("def same(frame):\n    return frame\n")
    before = look(spec).fingerprint
    list(run(spec))
    module.write_text("def same(frame):\n    return frame.reverse()\n")

    assert look(spec).fingerprint != before
    with pytest.raises(PlanChangedError, match="table p: changed: code"):
        list(run(spec))


def test_edited_import_of_a_transform_is_another_plan(small):
    """What the function's module imports from beside it decides what arrives as well."""
    spec = small.write("a", tables=[{"name": "p", "transform": "rules_of_a.same"}])
    (spec.base / "rules_of_a.py").write_text(
        "import sys\n\n\ndef same(frame):\n    from beside_a.factor import K\n    return frame\n"
    )
    alone = look(spec).fingerprint
    (spec.base / "beside_a").mkdir()
    (spec.base / "beside_a" / "factor.py").write_text("from rules_of_a import same\nK = 1\n")
    before = look(spec).fingerprint
    (spec.base / "beside_a" / "factor.py").write_text("K = 2\n")

    assert len({alone, before, look(spec).fingerprint}) == 3


def test_mended_transform_goes_on_and_is_noted(small):
    """An unfinished run may go on with another function; the history says that there were two."""
    spec = small.write("a", tables=[{"name": "p", "transform": "rules.same"}])
    module = spec.base / "rules.py"
    module.write_text("def same(frame):\n    raise ValueError\n")
    with pytest.raises(TransformError):
        list(run(spec))
    module.write_text("def same(frame):\n    return frame\n")
    sys.modules.pop(f"rules@{spec.base}")

    list(run(spec))

    [told] = history(spec)["runs"]
    assert [e["event"] for e in told["events"]] == ["started", "edited", "applied"]
    assert told["events"][1]["detail"].startswith("plan: table p: changed: code")


def test_edit_that_changes_no_plan_is_noted(small):
    """Another batch size goes on; the history has the new text."""
    list(run(small.write("a")))
    other = small.write("a", batch_size=7)

    list(run(other))

    [told] = history(other)["runs"]
    assert [e["event"] for e in told["events"]] == ["started", "applied", "edited"]
    assert "batch_size: 7" in told["spec"]
    assert history(other)["edited"] == []


def test_acknowledged_edit_stands_and_runs_nothing(defs):
    """After it the new text is let in, and nothing is done for it, not even a new table."""
    list(run(defs.write("a")))
    other = defs.write("a", include=["p", "r"], **FILTERED)

    changed = acknowledge(other)
    events = list(run(other))

    assert any("where: id > 1" in line for line in changed)
    assert [type(e) for e in events] == [NothingToDo]
    assert defs.tables(other) == {"p"}
    assert defs.ask(other, "SELECT count(*) FROM {p}") == [(3,)]
    [told] = history(other)["runs"]
    assert told["result"] == "acknowledged"
    assert told["plan_sum"] == look(other).fingerprint
    assert outlook(other).settled


def test_acknowledged_edit_runs_after_a_rollback(defs):
    """Taken back, the new text is what runs."""
    list(run(defs.write("a")))
    other = defs.write("a", **FILTERED)
    acknowledge(other)
    list(roll_back(other))

    list(run(other))

    assert defs.ask(other, "SELECT count(*) FROM {p}") == [(2,)]


def test_next_edit_after_an_acknowledgement_is_refused_again(small):
    """An acknowledgement is for one text, not for all that follow."""
    list(run(small.write("a")))
    acknowledge(small.write("a", **FILTERED))
    third = small.write("a", tables=[{"name": "p", "where": "id > 2"}])

    with pytest.raises(PlanChangedError, match="where id > 1 → id > 2"):
        list(run(third))


def test_nothing_to_acknowledge_is_refused(small):
    """Neither before the run, nor where nothing was changed, nor of a half-done run."""
    spec = small.write("a", include=["p", "q"])
    with pytest.raises(LedgerError, match="not applied"):
        acknowledge(spec)
    list(run(spec, Launch(tables=("p",))))
    with pytest.raises(LedgerError, match="not applied"):
        acknowledge(spec)
    list(run(spec))
    with pytest.raises(LedgerError, match="is the one that was applied"):
        acknowledge(spec)


def test_validate_proves_an_acknowledged_migration_by_its_new_text(small):
    """The proofs compare by the text of now: rows that it would not bring are a difference."""
    list(run(small.write("a")))
    other = small.write("a", **FILTERED)
    acknowledge(other)

    with pytest.raises(ProofFailedError, match="differ"):
        list(validate(other))


def test_asked_plan_is_run_or_nothing(small):
    """A saved plan runs as long as it is the plan; after that the error names what was changed."""
    spec = small.write("a")
    plan = look(spec)
    path = save_plan(plan)
    other = small.write("a", **FILTERED)

    with pytest.raises(PlanOutdatedError) as caught:
        list(run(other, Launch(plan=plan.fingerprint)))

    assert json.loads(path.read_text())["fingerprint"] == plan.fingerprint
    assert "plan: table p: changed: where '' → id > 1" in caught.value.message
    assert target_place(spec).dialect.file_missing(target_place(other).url) is not False
    list(run(small.write("a"), Launch(plan=plan.fingerprint[:8])))


def test_asked_plan_that_was_not_saved_is_refused_all_the_same(small):
    """Without the file the error says that the changes are not known."""
    with pytest.raises(PlanOutdatedError, match="abcdef01 was not saved here"):
        list(run(small.write("a"), Launch(plan="abcdef01")))
