"""Reading migration files: what is wrong is said with its line."""

from pathlib import Path

import pytest

from datamig_pipelines.errors import SpecError
from datamig_pipelines.spec import find_migration, read_migration

HEAD = """\
type: datamig_pipelines.Migration
attributes:
  name: shop
  source: {url: "sqlite:///a.db"}
  target: {url: "sqlite:///b.db"}
"""
NEEDS_KEYS = "this has keys below it; nothing stands there"
MISTAKES = {
    "unknown key": (
        "  bach_size: 5\n",
        6,
        "bach_size: there is no such key; did you mean batch_size?",
    ),
    "no number": ("  batch_size: ten\n", 6, "batch_size: this is a whole number (here: 'ten')"),
    "part of a row": ("\n  workers: 2.5\n", 7, "workers: this is a whole number (here: 2.5)"),
    "out of range": ("  batch_size: 0\n", 6, "greater than or equal to 1 (here: 0)"),
    "same key twice": ("  workers: 1\n  workers: 2\n", 7, "workers stands there twice"),
    "same key twice, deep": (
        "  tables:\n    - name: a\n      columns:\n        x: {drop: true}\n        x: {}\n",
        10,
        "x stands there twice",
    ),
    "not indented": ("batch_size: 3\n", 6, "batch_size: there is no such key beside type"),
    "text for a list": (
        "  tables:\n    - name: a\n      key: id\n",
        8,
        "tables.0.key: this is a list",
    ),
    "empty column": (
        "  tables:\n    - name: a\n      columns:\n        id:\n",
        9,
        f"tables.0.columns.id: {NEEDS_KEYS}",
    ),
    "empty section": ("  rejects:\n", 6, f"rejects: {NEEDS_KEYS}"),
    "table without name": (
        "  tables:\n    - {where: a > 1}\n",
        7,
        "tables.0.name: this key is needed",
    ),
    "table twice": ("  tables: [{name: a}, {name: a}]\n", 2, "tables: a stands there twice"),
    "moved and excluded": (
        "  exclude: [a]\n  tables: [{name: a}]\n",
        2,
        "below tables and below exclude",
    ),
    "a word YAML reads as false": (
        "  exclude: [no]\n",
        6,
        "exclude.0: this is a text; put it in quotes",
    ),
    "short cron": ("  schedule: {cron: '0 2'}\n", 6, "cron has 2 fields, it needs 5"),
    "no such zone": (
        "  schedule: {cron: '0 2 * * *', timezone: Mars/X}\n",
        6,
        "no time zone 'Mars/X'",
    ),
    "unknown proof": (
        "  validate: {proofs: [rowcount]}\n",
        6,
        "validate.proofs.0: Input should be 'row",
    ),
    "no condition": (
        "  rehearsal: {required: maybe}\n",
        6,
        "rehearsal.required: write true, false or risky (here: 'maybe')",
    ),
    "drop and rename": (
        "  tables:\n    - name: a\n      columns:\n        b: {drop: true, rename: c}\n",
        9,
        "drop: true cannot stand with rename",
    ),
    "cast for nothing": (
        "  casts:\n    - when: {}\n      to: text\n",
        7,
        "write type, column, or what else is true of the columns",
    ),
    "template": (
        "  tables:\n    - {name: a, where: '{{ env.X }}'}\n",
        7,
        "templates are not rendered",
    ),
    "number as key": ("  5: x\n", 6, "5: this key is no text; put it in quotes"),
    "tab": ("\tworkers: 2\n", 6, "this is no YAML"),
    "no end": ("  tables: [\n", 7, "this is no YAML"),
}


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "defs.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(("extra", "line", "reason"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_shown_with_its_line(tmp_path, extra, line, reason):
    """A mistake names its file, its line, its key and what is wrong, in words of YAML."""
    path = written(tmp_path, HEAD + extra)

    with pytest.raises(SpecError) as caught:
        read_migration(path)

    assert caught.value.where == f"{path}:{line}"
    assert reason in caught.value.message


def test_condition_that_is_none_is_one_mistake(tmp_path):
    """Not one for each type that the key could have been."""
    with pytest.raises(SpecError) as caught:
        read_migration(written(tmp_path, HEAD + "  approval: {required: 7}\n"))

    assert caught.value.message == "approval.required: write true, false or risky (here: 7)"
    assert "also" not in caught.value.hint


def test_all_mistakes_are_shown(tmp_path):
    """The hint lists every further mistake with its own line."""
    path = written(tmp_path, HEAD + "  workers: 0\n  kind: foo\n")

    with pytest.raises(SpecError) as caught:
        read_migration(path)

    places = {
        caught.value.where,
        *(w for w in caught.value.hint.split() if w.startswith(str(path))),
    }
    assert places == {f"{path}:6", f"{path}:7"}


@pytest.mark.parametrize(
    "password", ["postgresql://u:hunter2@h/x", "postgresql://h/x?password=hunter2"]
)
def test_password_in_a_file_is_refused_and_not_shown(tmp_path, password):
    """A URL with a password is refused, and the message does not repeat it."""
    path = written(tmp_path, HEAD.replace("sqlite:///a.db", password))

    with pytest.raises(SpecError, match="password does not belong into a file") as caught:
        read_migration(path)

    assert "hunter2" not in str(caught.value)


def test_file_that_is_not_utf_8_is_refused_with_its_line(tmp_path):
    """Bytes that are no UTF-8 are a mistake in a line, not a traceback."""
    path = written(tmp_path, HEAD.encode() + b"  # caf\xe9\n")

    with pytest.raises(SpecError, match="not UTF-8") as caught:
        read_migration(path)

    assert caught.value.where == f"{path}:6"


@pytest.mark.parametrize("text", ["", "3", "type: x", "attributes: [1]", "[]"])
def test_file_without_attributes_is_refused(tmp_path, text):
    """Whatever else the YAML may be, without attributes it is no migration."""
    with pytest.raises(SpecError, match="two keys: type and attributes"):
        read_migration(written(tmp_path, text))


def test_missing_file_is_refused(tmp_path):
    """A file that is not there is a spec error with its reason."""
    with pytest.raises(SpecError, match="No such file"):
        read_migration(tmp_path / "defs.yaml")


def test_shortest_file_is_read(tmp_path):
    """Name, source and target are enough; files are relative to the YAML file."""
    migration = read_migration(written(tmp_path, HEAD))

    assert (migration.name, migration.source_url().database) == ("shop", str(tmp_path / "a.db"))


def test_alert_may_be_written_with_a_bare_on(tmp_path):
    """YAML 1.1 reads the bare key ``on`` as true; an alert takes it for what was written."""
    migration = read_migration(written(tmp_path, HEAD + "  alerts: [{env: X, on: [success]}]\n"))

    assert migration.alerts[0].on == ("success",)


def test_anchors_are_no_mistake(tmp_path):
    """One node in two places is not taken for a key that stands there twice."""
    text = HEAD + "  tables:\n    - &t {name: a, batch_size: 5}\n    - {<<: *t, name: b}\n"

    assert [t.batch_size for t in read_migration(written(tmp_path, text)).tables] == [5, 5]


def test_find_migration_takes_a_folder(tmp_path):
    """A folder means the defs.yaml in it."""
    path = written(tmp_path, HEAD)

    assert find_migration(str(tmp_path)) == path


def test_find_migration_names_what_there_is():
    """A name that nobody has is refused, and the known ones are listed."""
    with pytest.raises(SpecError, match="no migration called 'nobody'") as caught:
        find_migration("nobody")

    assert "Known are" in caught.value.hint
