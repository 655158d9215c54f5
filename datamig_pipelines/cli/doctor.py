"""datamig doctor: is this machine, and are both databases, fit for a migration?"""

import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Annotated

import typer

from datamig_pipelines.cli.arguments import AsJson
from datamig_pipelines.cli.failures import hidden
from datamig_pipelines.cli.output import document, duration, show_table, size
from datamig_pipelines.errors import DatamigError
from datamig_pipelines.spec import Migration, find_migration, read_migration

PACKAGES = (
    "datamig_pipelines",
    "dagster",
    "sqlalchemy",
    "pandas",
    "polars",
    "pyarrow",
    "great-expectations",
)
DRIVERS = {
    "PostgreSQL": ("psycopg", "psycopg2"),
    "MySQL, MariaDB": ("pymysql",),
    "SQLite": ("sqlite3",),
    "DuckDB, CSV and Parquet files": ("duckdb",),
    "files in an object store": ("obstore",),
}
TOOLS = ("pg_dump", "pg_restore", "mariadb-dump", "mysqldump", "mariadb", "mysql")

OptionalName = Annotated[
    str, typer.Argument(metavar="[MIGRATION]", help="Also look at its databases and folders.")
]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``state`` is ok, missing (may be fine) or bad."""

    what: str
    state: str
    detail: str
    exit_code: int = 0


def doctor(migration: OptionalName = "", *, as_json: AsJson = False) -> None:
    """Look at Python, drivers, dump tools, folders, disk space and both databases."""
    findings = [*_machine(), *_drivers(), *_tools()]
    if migration:
        spec = read_migration(find_migration(migration))
        findings += [*_folders(spec), *_databases(spec)]
    else:
        findings += [_folder("current folder", Path.cwd())]
    if as_json:
        document([asdict(f) for f in findings])
    else:
        show_table(
            "doctor", ("what", "state", "detail"), [(f.what, f.state, f.detail) for f in findings]
        )
    raise typer.Exit(max((f.exit_code for f in findings), default=0))


def _machine() -> Iterator[Finding]:
    yield Finding("Python", "ok", f"{platform.python_version()} on {platform.platform()}")
    for name in PACKAGES:
        try:
            yield Finding(name, "ok", metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding(name, "bad", "not installed", 7)


def _drivers() -> Iterator[Finding]:
    for engine, modules in DRIVERS.items():
        for module in modules:
            there = util.find_spec(module) is not None
            yield Finding(
                f"driver of {engine}", "ok" if there else "missing", f"{module} {_version(module)}"
            )


def _version(module: str) -> str:
    for name in (module, f"{module}-binary"):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return ""


def _tools() -> Iterator[Finding]:
    for tool in TOOLS:
        path = shutil.which(tool)
        if path is None:
            yield Finding(
                f"tool {tool}", "missing", "needed only to back up a target of its engine"
            )
            continue
        try:
            done = subprocess.run(
                [path, "--version"], check=False, capture_output=True, text=True, timeout=10
            )
            yield Finding(f"tool {tool}", "ok", f"{done.stdout.strip()} ({path})")
        except (OSError, subprocess.TimeoutExpired) as error:
            yield Finding(f"tool {tool}", "bad", f"{path} does not start: {error}")


def _folders(spec: Migration) -> Iterator[Finding]:
    yield _folder("folder of plan and report", spec.home)
    if spec.backup.is_folder:
        yield _folder("folder of backups", spec.path(spec.backup.to))
    if home := os.environ.get("DAGSTER_HOME"):
        yield _folder("DAGSTER_HOME", Path(home))


def _folder(what: str, path: Path) -> Finding:
    there = next(p for p in (path, *path.absolute().parents) if p.exists())
    free = size(shutil.disk_usage(there).free)
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return Finding(what, "ok", f"{path}, {free} free")
    return Finding(what, "bad", f"{path} cannot be written", 7)


def _databases(spec: Migration) -> Iterator[Finding]:
    for end in ("source", "target"):
        try:
            yield _database(spec, end)
        except DatamigError as error:
            yield Finding(end, "bad", hidden(str(error)), error.exit_code)


def _database(spec: Migration, end: str) -> Finding:
    from datamig_pipelines.running.opening import source_place, target_place

    place = source_place(spec) if end == "source" else target_place(spec)
    if end == "target" and place.dialect.file_missing(place.url):
        parent = _folder(end, Path(place.url.database or ".").parent)
        return Finding(
            end, parent.state, f"{place} will be made; {parent.detail}", parent.exit_code
        )
    began = time.monotonic()
    with place.open(readonly=True) as session:
        answered = time.monotonic() - began
        catalog = place.catalog(session)
    rows = sum(t.rows for t in catalog.tables)
    size_ = size(sum(t.bytes for t in catalog.tables))
    return Finding(
        end,
        "ok",
        f"{place.dialect.label} {catalog.version} at {place}: answered in {duration(answered)}, "
        f"{len(catalog.tables)} tables, about {rows:,} rows, {size_}",
    )
