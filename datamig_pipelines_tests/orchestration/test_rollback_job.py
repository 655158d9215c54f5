"""The rollback job and direction down: what they ask for, refuse and show."""

import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from datamig_pipelines_tests.orchestration.conftest import AUTHORS, BOOKS, Library, write_books

WAYS = ("library", "library_rollback")
NEW_BOOK = "INSERT INTO books VALUES (900, 1, 'mine', 1)"
NEW_PRICE = "UPDATE books SET price = 99 WHERE id = 1"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a run into a file that held a table before has ended; copied, not used."""
    folder = tmp_path_factory.mktemp("kept") / "library"
    folder.mkdir()
    write_books(folder / "books.sqlite")
    library = Library(folder)
    with duckdb.connect(str(library.target)) as connection:
        connection.execute("CREATE TABLE mine (i INTEGER)")
        connection.execute("INSERT INTO mine VALUES (1), (2)")
    with dg.DagsterInstance.ephemeral() as instance:
        assert library.run(instance, "library_plan").success
        assert library.run(instance).success
    return folder.rename(folder.with_name("finished"))


@pytest.fixture
def kept(finished: Path) -> Library:
    """A finished run into a file that held a table before, each time in the same folder.

    The ledger knows the backup by its whole path.
    """
    folder = finished.with_name("library")
    shutil.rmtree(folder, ignore_errors=True)
    return Library(shutil.copytree(finished, folder))


def _back(library: Library, instance: dg.DagsterInstance, job: str, **config: Any) -> Any:
    """Take back by the job of its own, or by the main job downwards."""
    down = {"direction": "down"} if job == "library" else {}
    return library.run(instance, job, **down, **config)


def _failure(result: Any) -> Any:
    event = next(e for e in result.all_events if e.is_step_failure)
    return event.step_failure_data.user_failure_data


def _facts(result: Any) -> dict[str, Any]:
    for event in result.all_events:
        if event.is_successful_output and event.step_output_data.metadata:
            return {n: v.value for n, v in event.step_output_data.metadata.items()}
        if event.event_type_value == "ASSET_OBSERVATION":
            found = event.asset_observation_data.asset_observation.metadata
            return {n: v.value for n, v in found.items()}
    raise AssertionError("nothing was shown")


@pytest.mark.parametrize("job", WAYS)
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (NEW_BOOK, "301 rows  !! 1 OF THEM WERE WRITTEN SINCE"),
        (NEW_PRICE, "300 rows  !! VALUES WERE CHANGED"),
    ],
)
def test_undo_that_takes_rows_of_others_needs_a_yes(
    job: str, statement: str, words: str, kept: Library, instance: dg.DagsterInstance
) -> None:
    """Rows written or changed since are named with counts, nothing is touched; a yes takes them."""
    kept.tamper(statement)
    before = kept.target.read_bytes()

    refused = _back(kept, instance, job)
    untouched = kept.target.read_bytes() == before
    taken = _back(kept, instance, job, accept_losses=True)

    failure = _failure(refused)
    assert failure.metadata["code"].value == "DM354"
    assert f"main.books: {words}" in failure.description
    assert "authors" not in failure.description, "it is as it was loaded"
    assert "accept_losses" in failure.metadata["hint"].value
    assert untouched
    assert taken.success
    assert _facts(taken)["how"] == "undo"
    with pytest.raises(Exception, match="books"):
        kept.rows("books")
    assert len(kept.rows("mine")) == 2


@pytest.mark.parametrize("job", WAYS)
def test_restore_is_a_word_of_the_job(
    job: str, kept: Library, instance: dg.DagsterInstance
) -> None:
    """``restore: true`` puts the backup back; what it overwrites needs a yes, too."""
    kept.tamper("DELETE FROM mine WHERE i = 1")
    kept.tamper("CREATE TABLE later (i INTEGER)")

    refused = _back(kept, instance, job, restore=True)
    rows = len(kept.rows("mine"))
    taken = _back(kept, instance, job, restore=True, accept_losses=True, safety=False)

    failure = _failure(refused)
    assert failure.metadata["code"].value == "DM354"
    assert "main.mine: 1 rows now, 2 in the backup" in failure.description
    assert "main.later: 0 rows  !! MADE BY OTHERS SINCE" in failure.description
    assert "books" not in failure.description, "the run made it, nobody wrote to it"
    assert rows == 1
    assert taken.success
    assert kept.rows("mine") == [(1,), (2,)]
    facts = _facts(taken)
    assert facts["how"] == "restore"
    assert facts["rollback: safety"] == ""


def test_restore_without_losses_needs_no_yes(kept: Library, instance: dg.DagsterInstance) -> None:
    """Where only the run wrote, the restore runs, and keeps the target in a dump first."""
    taken = kept.run(instance, "library_rollback", restore=True)

    assert taken.success
    assert _facts(taken)["rollback: safety"].endswith("-safety")
    assert kept.rows("mine") == [(1,), (2,)]


@pytest.mark.parametrize("job", WAYS)
@pytest.mark.parametrize("restore", [False, True])
def test_dry_run_says_which_way_and_what_goes(
    job: str, restore: bool, kept: Library, instance: dg.DagsterInstance
) -> None:
    """A dry run tells undo or restore, why, and the rows that would go; no byte changes."""
    kept.tamper(NEW_BOOK)
    before = kept.target.read_bytes()

    result = _back(kept, instance, job, restore=restore, dry_run=True)

    assert result.success
    assert kept.target.read_bytes() == before
    facts = _facts(result)
    assert facts["how"] == ("restore" if restore else "undo")
    assert facts["dry_run"]
    assert f"| main.books | {BOOKS + 1} | {BOOKS + 1} rows  !! 1 OF THEM" in facts["losses"]
    made = f"{AUTHORS} rows, made by the run" if restore else f"{AUTHORS} rows"
    assert f"| main.authors | {AUTHORS} | {made} |" in facts["losses"]


def test_unknown_word_is_refused(kept: Library, instance: dg.DagsterInstance) -> None:
    """The configuration is typed: a word that the job does not know is an error at the launch."""
    with pytest.raises(dg.DagsterInvalidConfigError, match="accept_loses"):
        kept.run(instance, "library_rollback", accept_loses=True)


def test_log_says_what_was_undone_and_that_it_is_proven(
    kept: Library, instance: dg.DagsterInstance
) -> None:
    """The rollback itself is not a step that was undone."""
    taken = kept.run(instance, "library_rollback")
    told = [e.user_message for e in instance.all_logs(taken.run_id)]

    assert "load is undone" in told
    assert "rolled back, and the original state is proven" in told
    assert "rollback is undone" not in told
