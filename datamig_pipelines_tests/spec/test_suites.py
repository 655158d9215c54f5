"""Suites are named by file, by pattern or with their table."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from datamig_pipelines.errors import SuitesMissingError
from datamig_pipelines.spec import Migration

ENDS = {"source": {"url": "sqlite:///a"}, "target": {"url": "sqlite:///b"}}


def migration(folder: Path, *suites: object) -> Migration:
    """A migration with suites of the source."""
    said = {"name": "m", **ENDS, "validate": {"before": suites}}
    return Migration.model_validate(said).based(folder)


def test_suites_of_a_folder_are_named_after_tables(tmp_path: Path) -> None:
    """A pattern takes each file for the table of its name; a file by itself beats it."""
    (tmp_path / "s").mkdir()
    for name in ("orders", "sales.lines"):
        (tmp_path / "s" / f"{name}.json").touch()
    own = {"file": "s/orders.json", "blocking": False}
    found = migration(tmp_path, "s/*.json", own, {"table": "a", "file": "b.json"}).suites("before")

    assert [(s.table, s.file, s.blocking) for s in found] == [
        ("sales.lines", "s/sales.lines.json", True),
        ("orders", "s/orders.json", False),
        ("a", "b.json", True),
    ]


def test_suites_that_are_not_there_are_refused(tmp_path: Path) -> None:
    """A pattern that finds nothing would judge nothing: DM170. A pattern has no table."""
    with pytest.raises(SuitesMissingError, match="s/"):
        migration(tmp_path, "s/*.json").suites("before")
    with pytest.raises(ValidationError, match="names of its files"):
        migration(tmp_path, {"table": "a", "file": "*.json"})


@pytest.mark.parametrize("pattern", ["s/**x.json", "**.json"])
def test_pattern_that_no_folder_can_match_is_refused(tmp_path: Path, pattern: str) -> None:
    """Two stars stand for folders, and for nothing else."""
    with pytest.raises(ValidationError, match="folders"):
        migration(tmp_path, pattern)
