"""The list of tables that a plan leaves for Dagster."""

import json
import os
import sqlite3
from pathlib import Path

import pytest

from datamig_pipelines.errors import PermissionDeniedError
from datamig_pipelines.planning.artefact import KnownTable, recall_tables, remember_tables
from datamig_pipelines.running import look
from datamig_pipelines.spec import Migration

COLUMNS = {
    "name": {"rename": "full_name"},
    "secret": {"drop": True},
    "initials": {"expression": "substr(name, 1, 1) || id", "type": "VARCHAR"},
}


@pytest.fixture
def migration(tmp_path: Path) -> Migration:
    """People, one column renamed, one dropped, one made of two others."""
    with sqlite3.connect(tmp_path / "a.sqlite") as connection:
        connection.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, secret TEXT)")
    said = {
        "name": "people",
        "source": {"url": "sqlite:///a.sqlite"},
        "target": {"url": "duckdb:///b.duckdb"},
        "tables": [{"name": "people", "rename": "persons", "columns": COLUMNS}],
    }
    return Migration.model_validate(said).based(tmp_path)


def _table(migration: Migration) -> KnownTable:
    known = recall_tables(migration)
    assert known is not None
    return known.tables[0]


def test_tables_are_recalled_as_they_were_remembered(migration: Migration) -> None:
    """Names, engines and both sides' columns come back; before the first plan there is nothing."""
    assert recall_tables(migration) is None
    path = remember_tables(look(migration))

    known = recall_tables(migration)
    assert path.is_file()
    assert known is not None
    assert (known.source, known.target) == ("sqlite", "duckdb")
    table = known.tables[0]
    assert (table.name, table.short) == ("people", "people")
    assert table.target.endswith("persons")
    assert [c.name for c in table.source_columns] == ["id", "name", "secret"]


def test_columns_know_where_they_come_from(migration: Migration) -> None:
    """A renamed column has one source, an expression the columns that it names."""
    remember_tables(look(migration))
    columns = {c.name: c for c in _table(migration).columns}

    assert set(columns) == {"id", "full_name", "initials"}
    assert columns["full_name"].sources == ("name",)
    assert columns["full_name"].through == ""
    assert set(columns["initials"].sources) == {"id", "name"}
    assert "substr" in columns["initials"].through


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 99}', '{"version": 1, "tables": [{}]}'])
def test_unreadable_list_counts_as_none(migration: Migration, text: str) -> None:
    """A broken file, or one of another version, breaks nothing."""
    path = remember_tables(look(migration))
    path.write_text(text)

    assert recall_tables(migration) is None


def test_list_is_replaced_whole(migration: Migration) -> None:
    """A new list takes the old one's place and leaves no other file behind."""
    path = remember_tables(look(migration))
    remember_tables(look(migration))

    assert [p.name for p in path.parent.iterdir()] == ["catalog.json"]
    assert json.loads(path.read_text())["version"] == 1


def test_unwritable_folder_is_said(migration: Migration) -> None:
    """Where the list cannot be written, the error names the folder and the next move."""
    migration.home.parent.mkdir(parents=True, exist_ok=True)
    migration.home.write_text("a file stands where the folder should be")

    with pytest.raises(PermissionDeniedError, match="cannot be written") as caught:
        remember_tables(look(migration))
    assert caught.value.hint
    assert os.path.isfile(migration.home)  # noqa: PTH113 (the file is still there)
