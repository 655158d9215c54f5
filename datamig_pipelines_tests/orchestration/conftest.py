"""A small library in SQLite, its migration to DuckDB, and a project that runs it in a process."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
import yaml

from datamig_pipelines import spec
from datamig_pipelines.orchestration.component import Migration

ROOT = Path(__file__).resolve().parents[2]
AUTHORS, BOOKS = 40, 300

DEFINITIONS = """
from pathlib import Path
import dagster as dg
from house import defs as defs_module

@dg.definitions
def defs():
    root = Path(__file__).parents[1]
    return dg.ComponentTree.from_module(defs_module=defs_module, project_root=root).build_defs()
"""

TRANSFORM = '''
import gc, os, pathlib, time
from datamig_pipelines.transfer.crew import Crew

HERE = pathlib.Path(__file__)

def held(frame):
    """Say how many batches were seen, and hold one of them until the load is told to stop."""
    seen = HERE.with_name("batches")
    number = int(seen.read_text()) + 1 if seen.exists() else 1
    seen.write_text(str(number))
    while str(number) == os.environ.get("HOLD_AT") and not told_to_stop():
        time.sleep(0.1)
    return frame

def told_to_stop():
    return any(isinstance(o, Crew) and o.stop.is_set() for o in gc.get_objects())

def gated(frame):
    """Say that a batch is here, and hold it while the gate is shut."""
    HERE.with_name("batches").touch()
    while HERE.with_name("shut").exists():
        time.sleep(0.05)
    return frame
'''


@dataclass
class Library:
    """A migration called ``library`` in a folder of its own."""

    folder: Path
    attributes: dict[str, Any] = field(default_factory=dict)

    def written(self) -> dict[str, Any]:
        """Return what its defs.yaml says."""
        return {
            "name": "library",
            "source": {"url": "sqlite:///books.sqlite"},
            "target": {"url": "duckdb:///target.duckdb"},
            **self.attributes,
        }

    @property
    def migration(self) -> spec.Migration:
        """Return the spec."""
        return spec.Migration.model_validate(self.written()).based(self.folder)

    @property
    def defs(self) -> dg.Definitions:
        """Return the definitions as a fresh load would see them."""
        context = dg.ComponentTree.for_test().load_context
        return Migration(self.migration).build_defs(context)

    @property
    def target(self) -> Path:
        """Return the target's file."""
        return self.folder / "target.duckdb"

    def run(self, instance: dg.DagsterInstance, job: str = "library", **config: Any) -> Any:
        """Execute a job in this process, with the flat run configuration."""
        found = self.defs.resolve_job_def(job)
        return found.execute_in_process(
            instance=instance, raise_on_error=False, run_config=config or None
        )

    def materialize(self, instance: dg.DagsterInstance, *keys: str) -> Any:
        """Materialize assets without a job, as the button in the asset graph does."""
        job = self.defs.resolve_implicit_global_asset_job_def()
        chosen = [dg.AssetKey(["library", *k.split("/")]) for k in keys]
        return job.execute_in_process(
            instance=instance, raise_on_error=False, asset_selection=chosen
        )

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """Return the rows of a target table in order."""
        with duckdb.connect(str(self.target), read_only=True) as connection:
            return connection.execute(f'SELECT * FROM "{table}" ORDER BY 1').fetchall()

    def source_rows(self, table: str) -> list[tuple[Any, ...]]:
        """Return the rows of a source table in order."""
        with sqlite3.connect(self.folder / "books.sqlite") as connection:
            return connection.execute(f'SELECT * FROM "{table}" ORDER BY 1').fetchall()

    def tamper(self, statement: str) -> None:
        """Change the target behind the project's back."""
        with duckdb.connect(str(self.target)) as connection:
            connection.execute(statement)


@dataclass
class Project:
    """A project on disk whose only migration is the library, run as an operator runs it."""

    root: Path
    library: Library
    environment: dict[str, str] = field(default_factory=dict)

    def command(self, job: str, **config: Any) -> list[str]:
        """Return the command that executes a job."""
        (self.root / "run.yaml").write_text(yaml.safe_dump(config or {"dry_run": False}))
        module = ["-m", "house.definitions", "-j", job, "-c", "run.yaml"]
        return [sys.executable, "-W", "ignore", "-m", "dagster", "job", "execute", *module]

    def start(self, job: str = "library", **config: Any) -> subprocess.Popen[str]:
        """Start a job in a process of its own."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("DAGSTER_")}
        paths = os.pathsep.join([str(self.root), str(ROOT)])
        return subprocess.Popen(
            self.command(job, **config),
            cwd=self.root,
            env={**kept, "PYTHONPATH": paths, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def execute(self, job: str = "library", **config: Any) -> tuple[int, str]:
        """Run a job to its end and return exit code and output."""
        process = self.start(job, **config)
        said, _ = process.communicate(timeout=500)
        return process.returncode, said

    def go_on(self, job: str = "library") -> tuple[bool, str]:
        """Run a job in this process on the project's instance; return success and its messages.

        For what comes after a process was tested: another one would load Dagster for seconds.
        """
        home = dg.DagsterInstance.from_config
        with contextlib.chdir(self.root), home(str(self.root)) as instance:
            done = self.library.run(instance, job)
            said = [entry.message for entry in instance.all_logs(done.run_id)]
        return done.success, "\n".join(said)


def write_books(path: Path) -> None:
    """Write authors, their books, and a table whose name Dagster does not allow."""
    with sqlite3.connect(path) as connection:
        connection.executescript(
            """CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
            CREATE TABLE books (id INTEGER PRIMARY KEY, author_id INTEGER REFERENCES authors (id),
                                title TEXT NOT NULL, price NUMERIC(8, 2));
            CREATE TABLE "loans-2024" (id INTEGER PRIMARY KEY, note TEXT);"""
        )
        authors = [(i, f"Author {i}") for i in range(1, AUTHORS + 1)]
        books = [(i, 1 + i % AUTHORS, f"Book № {i}", i / 4) for i in range(1, BOOKS + 1)]
        connection.executemany("INSERT INTO authors VALUES (?, ?)", authors)
        connection.executemany("INSERT INTO books VALUES (?, ?, ?, ?)", books)
        connection.execute("INSERT INTO \"loans-2024\" VALUES (1, 'late')")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A library that was never planned."""
    write_books(tmp_path / "books.sqlite")
    return Library(tmp_path)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An instance of Dagster in memory; those on disk are in test_processes."""
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def planned(library: Library, instance: dg.DagsterInstance) -> Library:
    """A library whose tables are known."""
    assert library.run(instance, "library_plan").success
    return library


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project on the instance of a single machine: the dagster.yaml on top of the repository."""
    folder = tmp_path / "house" / "defs" / "library"
    folder.mkdir(parents=True)
    (tmp_path / "house" / "__init__.py").touch()
    (tmp_path / "house" / "definitions.py").write_text(DEFINITIONS)
    (tmp_path / "house" / "defs" / "__init__.py").touch()
    (folder / "shapes.py").write_text(TRANSFORM)
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    write_books(folder / "books.sqlite")
    library = Library(folder)
    document = {"type": "datamig_pipelines.Migration", "attributes": library.written()}
    (folder / "defs.yaml").write_text(yaml.safe_dump(document))
    return Project(tmp_path, library)
