"""Migrations in files beside each other: one small source, one target."""

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from datamig_pipelines.catalog import TableName
from datamig_pipelines.running.opening import target_place
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration, read_migration

SCRIPT = """
CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT NOT NULL, n INTEGER);
CREATE TABLE q (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id));
CREATE TABLE r (id INTEGER PRIMARY KEY);
CREATE INDEX by_name ON p (name);
INSERT INTO p VALUES (1, 'a', 1), (2, 'b', 2), (9, 'c', 3);
INSERT INTO q VALUES (1, 1), (2, NULL), (3, 9);
INSERT INTO r VALUES (1);
"""
SOURCE, TARGET = "LINES_SOURCE_URL", "LINES_TARGET_URL"


@dataclass
class Defs:
    """A folder of migrations."""

    folder: Path

    @classmethod
    def made(cls, folder: Path, target_url: str) -> "Defs":
        """Make the source and name both ends in the environment."""
        with closing(sqlite3.connect(folder / "source.sqlite")) as file:
            file.executescript(SCRIPT)
        os.environ[SOURCE] = f"sqlite:///{folder / 'source.sqlite'}"
        os.environ[TARGET] = target_url
        return cls(folder / "defs")

    def file(self, name: str) -> Path:
        """Return where the file of a migration is."""
        return self.folder / name / "defs.yaml"

    def write(self, name: str, table: str = "p", **said: Any) -> Migration:
        """Write a migration of one table (or of what ``include`` says) and read it back."""
        attributes = {
            "name": name,
            "source": {"url_env": SOURCE},
            "target": {"url_env": TARGET},
            "include": [table],
            **said,
        }
        path = self.file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump({"type": "datamig_pipelines.Migration", "attributes": attributes})
        path.write_text(text)
        return read_migration(path)

    def read(self, name: str) -> Migration:
        """Return a migration as its file is now."""
        return read_migration(self.file(name))

    def ask(self, migration: Migration, sql: str) -> list[tuple[Any, ...]]:
        """Send a statement to the target; ``{p}`` is the quoted name of the table p."""
        place = target_place(migration)
        schema = place.schema if place.dialect.can.schemas else ""
        names = {t: place.dialect.table(TableName(schema, t)) for t in ("p", "q", "r", "s", "v")}
        with closing(Session(place.dialect, place.url, readonly=False)) as session:
            return session.query(sql.format(**names))

    def tables(self, migration: Migration) -> set[str]:
        """Return the bare names of the target's tables."""
        return {t.name.name for t in target_place(migration).catalog().tables}
