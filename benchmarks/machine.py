"""What the figures were measured on."""

import os
import platform
import sqlite3
from datetime import UTC, datetime
from importlib.metadata import version as package
from pathlib import Path

from benchmarks.servers import POSTGRES_SETTINGS, version


def facts() -> dict[str, str]:
    """Return the machine, the versions and the date."""
    settings = ", ".join(f"{name}={value}" for name, value in POSTGRES_SETTINGS.items())
    cli = version("sqlite3") or "not there"
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "load when it began": f"{os.getloadavg()[0]:.1f}",
        "system": f"{_system()}, Linux {platform.release().partition('-')[0]}",
        "Python": platform.python_version(),
        "PostgreSQL": f"{version('postgres')} ({settings})",
        "MariaDB": version("mariadbd"),
        "SQLite": f"{sqlite3.sqlite_version} in Python, command line {cli}",
        "DuckDB, psycopg, pandas": ", ".join(package(p) for p in ("duckdb", "psycopg", "pandas")),
        "pgloader": version("pgloader") or "not there",
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(
        (x.partition(":")[2].strip() for x in lines if x.startswith("model name")),
        platform.machine(),
    )


def _system() -> str:
    names = platform.freedesktop_os_release()
    return names.get("PRETTY_NAME", "Linux")
