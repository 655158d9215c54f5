"""The disk is full: the error says so, nothing is half done, and the next run goes on."""

import random
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from datamig_pipelines.errors import BackupError, DiskFullError
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey, gaps, lost

TABLES = ["regions", "countries", "customers", "product_images", "events"]
SIZES = {"sqlite": "160k", "duckdb": "160k"}
LIMITS = {"sqlite": 120_000, "duckdb": 100_000}


class Disk:
    """A small file system in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def mount(self, size: str, *, again: bool = False) -> None:
        """Give it a size, or skip the test where one may not mount."""
        how = f"{'remount,' if again else ''}size={size}"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", how, "tmpfs", str(self.folder)],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.skip(f"no small file system to be had: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A folder that `Disk.mount` turns into a small file system."""
    folder = tmp_path / "disk"
    folder.mkdir()
    yield Disk(folder)
    subprocess.run(["umount", str(folder)], check=False, capture_output=True)


@pytest.mark.parametrize("engine", SIZES)
def test_full_disk_is_said_and_the_run_goes_on(
    engine: str, disk: Disk, shop_url: str, going: Going
) -> None:
    """With the target's disk full the run ends with DiskFullError; with more room it goes on."""
    disk.mount(SIZES[engine])
    journey = _journey(engine, disk.folder, shop_url, going)

    first = journey.start()
    code = first.end()
    disk.mount("64m", again=True)
    before = journey.batches()
    journey.start().finish()

    assert first.events[-1].get("name") == "DiskFullError", first.events[-1]
    assert code == DiskFullError.exit_code
    assert gaps(before) == []
    assert lost(before, journey.batches(), {"events"}) == []
    _assert_arrived(journey)


@pytest.mark.parametrize("engine", LIMITS)
def test_limited_file_is_a_clear_error_and_the_run_goes_on(
    engine: str, tmp_path: Path, shop_url: str, going: Going
) -> None:
    """A file that may not grow (a quota) ends the run with a clear error, not a traceback."""
    journey = _journey(engine, tmp_path, shop_url, going)

    limited = journey.start(file_limit=LIMITS[engine])
    code = limited.end()
    before = journey.batches()
    journey.start().finish()

    assert code == DiskFullError.exit_code, (limited.events[-1], limited.complaints)
    assert limited.events[-1]["name"] == "DiskFullError"
    assert "hint: " in limited.events[-1]["text"]
    assert lost(before, journey.batches(), {"events"}) == []
    _assert_arrived(journey)


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
def test_full_backup_folder_stops_before_the_target_is_touched(
    engine: str, disk: Disk, tmp_path: Path, shop_url: str, going: Going
) -> None:
    """A backup that does not fit is no backup: the run ends, the target has no new table."""
    disk.mount("64k")
    journey = _journey(engine, tmp_path, shop_url, going)
    journey.attributes["backup"] = {"to": str(disk.folder)}
    filling = "SELECT hex(%s) || i AS t FROM (%s)"
    if engine == "sqlite":
        counted = "SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000"
        many = f"WITH RECURSIVE n(i) AS ({counted}) SELECT i FROM n"
        journey.ask("CREATE TABLE kept AS " + filling % ("randomblob(100)", many))
    else:
        many = "SELECT range AS i FROM range(20000)"
        journey.ask("CREATE TABLE kept AS " + filling % ("md5(i::VARCHAR)", many))
    before = journey.catalog()

    process = journey.start()
    code = process.end()

    assert code in {BackupError.exit_code, DiskFullError.exit_code}, process.events[-1]
    assert process.events[-1]["name"] in {"BackupError", "DiskFullError"}
    assert "room" in process.events[-1]["text"]
    assert journey.catalog() == before
    assert list(disk.folder.iterdir()) == [], "half a backup would be taken for one"
    disk.mount("64m", again=True)
    journey.start().finish()


@pytest.mark.parametrize("target", ["pg_url", "mariadb_url"])
def test_backup_folder_that_fills_up_is_said(
    target: str, disk: Disk, request: pytest.FixtureRequest, shop_url: str, going: Going
) -> None:
    """A dump program that finds no room, or our own gzip behind it: DiskFullError, no half file."""
    disk.mount("64k")
    journey = going(shop_url, request.getfixturevalue(target), include=["regions"])
    journey.attributes["backup"] = {"to": str(disk.folder)}
    journey.ask("CREATE TABLE kept (t VARCHAR(200))")
    some = ", ".join(f"('{random.Random(i).randbytes(90).hex()}')" for i in range(3000))
    journey.ask(f"INSERT INTO kept VALUES {some}")

    error = journey.refused()

    assert isinstance(error, DiskFullError), error
    assert error.where == "backup"
    assert [t.name.name for t in journey.catalog().tables] == ["kept"]
    assert list(disk.folder.iterdir()) == []
    disk.mount("64m", again=True)
    journey.run()
    assert set(journey.verdicts()) == {"equal"}


def _journey(engine: str, folder: Path, source: str, going: Going) -> Journey:
    target = f"{engine}:///{folder / 'target.db'}"
    return going(source, target, batch_size=20, include=TABLES)


def _assert_arrived(journey: Journey) -> None:
    assert gaps(journey.batches()) == []
    assert set(journey.verdicts()) == {"equal"}
    with sqlite3.connect(journey.place("source").url.database or "") as source:
        (count,) = source.execute("SELECT count(*) FROM events").fetchone()
    source.close()
    assert len(journey.rows("events")) == count
