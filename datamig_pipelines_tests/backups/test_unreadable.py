"""Files that were cut off or edited by hand: each is named, and hides nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from datamig_pipelines import running
from datamig_pipelines.planning.rehearsed import rehearsals_folder
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey

TOLD = {
    "version": 1,
    "plan": "abcdef0123456789",
    "sample": "",
    "class": "lossless",
    "error": None,
    "seconds": 1.5,
    "back": {"seconds": 0.5},
    "time": "2026-01-02T03:04:05+00:00",
}
SPOILT: dict[str, Any] = {
    "cut off": '{"version": 1, "plan": "ab',
    "empty": "",
    "no object": "[1, 2]",
    "null": "null",
    "no sample": json.dumps({k: v for k, v in TOLD.items() if k != "sample"}),
    "no plan": json.dumps({k: v for k, v in TOLD.items() if k != "plan"}),
    "words for seconds": json.dumps(TOLD | {"seconds": "long"}),
    "no time": json.dumps(TOLD | {"time": "yesterday"}),
    "list for back": json.dumps(TOLD | {"back": [1]}),
}


@pytest.fixture
def journey(shop_url: str, sqlite_url: str, going: Going) -> Journey:
    """A migration into a database with a table."""
    made = going(shop_url, sqlite_url, include=["regions"])
    made.ask("CREATE TABLE mine (id INTEGER PRIMARY KEY)", "INSERT INTO mine VALUES (1)")
    return made


def write(folder: Path, name: str, text: str) -> Path:
    """Write a file into a folder that need not be there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


@pytest.mark.parametrize("how", SPOILT)
def test_spoilt_file_of_a_rehearsal_is_named_and_the_one_before_counts(
    how: str, journey: Journey
) -> None:
    """The status names it as unreadable and tells of the newest that can be read."""
    folder = rehearsals_folder(journey.migration)
    write(folder, "2026-01-02.json", json.dumps(TOLD))
    spoilt = write(folder, "2026-01-03.json", SPOILT[how])

    found = running.status(journey.migration)

    assert found["unreadable"] == [str(spoilt)]
    assert found["rehearsal"]["plan"] == TOLD["plan"]


def test_file_of_another_version_is_no_spoilt_one(journey: Journey) -> None:
    """What a later datamig wrote is left alone and named by nobody."""
    write(rehearsals_folder(journey.migration), "2026-01-02.json", '{"version": 2}')

    found = running.status(journey.migration)

    assert (found["unreadable"], found["rehearsal"]) == ([], None)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"state": {}}', "no time", "number for a word", "table without rows"],
)
def test_spoilt_manifest_is_named_and_hides_no_other_backup(text: str, journey: Journey) -> None:
    """It is no backup, says why, and neither the list nor the next run stumbles over it."""
    journey.attributes["backup"] = {"keep": 5}
    journey.run()
    (whole,) = running.list_backups(journey.migration)
    known = json.loads((Path(whole["place"]) / "manifest.json").read_text())
    changes: dict[str, Any] = {
        "no time": {"time": "yesterday"},
        "number for a word": {"side": 7},
        "table without rows": {"state": known["state"] | {"tables": {"mine": {"shape": {}}}}},
    }
    said = json.dumps(known | changes[text]) if text in changes else text
    folder = Path(whole["place"]).parent / "shop-abcdef012345"
    write(folder, "manifest.json", said)
    unfinished = folder.with_name("shop-abcdef012346")
    unfinished.mkdir()

    others = {o["id"]: o["unreadable"] for o in running.unreadable_backups(journey.migration)}
    journey.ask("DROP TABLE regions")
    list(running.roll_back(journey.migration, by_restore=True))
    journey.run()

    assert set(others) == {folder.name, unfinished.name}
    assert "cannot be read" in others[folder.name]
    assert "no manifest" in others[unfinished.name]
    assert whole["id"] in {b["id"] for b in running.list_backups(journey.migration)}
