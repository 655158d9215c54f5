"""The line is read from the files beside each other."""

from pathlib import Path

import pytest
import yaml

from datamig_pipelines.errors import (
    LineCycleError,
    LineTargetsError,
    SpecError,
    TwoHeadsError,
    UnknownPredecessorError,
)
from datamig_pipelines.spec import Migration, line_of, read_migration


def write(
    folder: Path, name: str, after: str = "", target: str = "sqlite:////t.sqlite"
) -> Migration:
    """Write a migration and read it back."""
    said = {"name": name, "source": {"url": "sqlite:////s.sqlite"}, "target": {"url": target}}
    path = folder / name / "defs.yaml"
    path.parent.mkdir(exist_ok=True)
    attributes = {**said, **({"after": after} if after else {})}
    path.write_text(
        yaml.safe_dump({"type": "datamig_pipelines.Migration", "attributes": attributes})
    )
    return read_migration(path)


def test_line_is_the_same_from_every_member(tmp_path):
    """First to last, whoever is asked; a stranger is not in it."""
    members = [write(tmp_path, "a"), write(tmp_path, "c", "b"), write(tmp_path, "b", "a")]
    write(tmp_path, "stranger")

    assert [line_of(m).names for m in members] == [["a", "b", "c"]] * 3
    assert line_of(members[0]).files["c"] == tmp_path / "c" / "defs.yaml"


def test_migration_alone_is_its_line(tmp_path):
    """Without after there is one version, and a broken file beside it does not matter."""
    alone = write(tmp_path, "a")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "defs.yaml").write_text("after: [")

    assert line_of(alone).names == ["a"]


def test_unknown_predecessor_is_refused(tmp_path):
    """The name that is not there stands in the error, and the file that could not be read."""
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "defs.yaml").write_text("attributes: {name: ghost, after: [")

    with pytest.raises(UnknownPredecessorError, match="a comes after ghost, which") as caught:
        line_of(write(tmp_path, "a", "ghost"))

    assert "broken/defs.yaml" in caught.value.hint


def test_ring_is_refused(tmp_path):
    """Nobody is the first of a ring; who comes after it is told the same."""
    one, two = write(tmp_path, "a", "b"), write(tmp_path, "b", "a")
    outside = write(tmp_path, "c", "b")

    for migration in (one, two, outside):
        with pytest.raises(LineCycleError, match="ring"):
            line_of(migration)


def test_migration_after_itself_is_a_ring(tmp_path):
    """The smallest ring has one member."""
    with pytest.raises(LineCycleError, match="a → a"):
        line_of(write(tmp_path, "a", "a"))


def test_two_heads_are_refused(tmp_path):
    """Two migrations after the same one: both are named, with what to write."""
    first = write(tmp_path, "a")
    write(tmp_path, "b", "a")
    write(tmp_path, "c", "a")

    with pytest.raises(TwoHeadsError, match="b and c both come directly after a") as caught:
        line_of(first)
    assert "`after: b` in c" in caught.value.hint


def test_two_targets_are_refused(tmp_path):
    """A line has one target."""
    write(tmp_path, "a")

    with pytest.raises(LineTargetsError, match="b comes after a, but its target"):
        line_of(write(tmp_path, "b", "a", "sqlite:////other.sqlite"))


def test_target_that_is_not_known_here_is_not_judged(tmp_path, monkeypatch):
    """A variable may be set elsewhere: files are checked as far as they can be."""
    monkeypatch.delenv("NOT_SET_HERE", raising=False)
    write(tmp_path, "a")
    second = write(tmp_path, "b", "a")
    text = (tmp_path / "b" / "defs.yaml").read_text()
    (tmp_path / "b" / "defs.yaml").write_text(
        text.replace("url: sqlite:////t.sqlite", "url_env: NOT_SET_HERE")
    )

    assert line_of(read_migration(tmp_path / "b" / "defs.yaml")).names == ["a", "b"]
    assert second.name == "b"


@pytest.mark.parametrize("word", ["up", "down", "latest"])
def test_direction_is_no_name(tmp_path, word):
    """A migration that is called like a direction could not be gone to."""
    with pytest.raises(SpecError, match="is a direction"):
        write(tmp_path, word)
