"""What a backup needs is gone in the middle of it, or when it is wanted: one error, nothing lost."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines import running
from datamig_pipelines.backups import reading, writing
from datamig_pipelines.errors import (
    BackupError,
    BackupMissingError,
    BackupStoreError,
    DatamigError,
    DiskFullError,
)
from datamig_pipelines_tests.backups.bucket import BUCKET, Bucket
from datamig_pipelines_tests.backups.conftest import mounted
from datamig_pipelines_tests.engines import Server
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey

TO = f"s3://{BUCKET}/deep"
ROWS = 500


@pytest.fixture(params=["pg_url", "mariadb_url", "sqlite_url"])
def journey(request: pytest.FixtureRequest, shop_url: str, going: Going) -> Journey:
    """A migration into a database with a table of its own."""
    return filled(going(shop_url, request.getfixturevalue(request.param), include=["regions"]))


def filled(made: Journey) -> Journey:
    """Put a table into the target."""
    made.ask("CREATE TABLE mine (id INTEGER PRIMARY KEY, t VARCHAR(100))")
    made.ask("INSERT INTO mine VALUES " + ", ".join(f"({i}, 'row {i}')" for i in range(ROWS)))
    return made


def empty(bucket: Bucket) -> None:
    """Delete all objects and the bucket."""
    for name in bucket.names():
        bucket.client.delete_object(Bucket=BUCKET, Key=name)
    bucket.client.delete_bucket(Bucket=BUCKET)


def behind_the_dump(patch: pytest.MonkeyPatch, then: Callable[[], object]) -> None:
    """Do something as soon as the dump is stored."""
    real = writing._stored

    def stored(*arguments: Any) -> Any:
        entries = real(*arguments)
        then()
        return entries

    patch.setattr(writing, "_stored", stored)


def by_restore(made: Journey) -> DatamigError:
    """Return how a rollback by restore ends; the target is as it was."""
    before = made.catalog()
    rows = sorted(made.rows("mine"))
    error = made.refused(lambda m: running.roll_back(m, by_restore=True))
    assert made.catalog() == before
    assert sorted(made.rows("mine")) == rows
    return error


def ends_well(made: Journey) -> None:
    """Run again, and back by restore: all of it is there."""
    made.run()
    assert set(made.verdicts()) == {"equal"}
    list(running.roll_back(made.migration, by_restore=True))
    assert len(made.rows("mine")) == ROWS


def test_bucket_that_vanishes_in_the_middle_ends_the_step(
    journey: Journey, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bucket is deleted behind the dump: DM340 names it; made again, the run goes on."""
    journey.attributes["backup"] = {"to": TO}
    before = journey.catalog()
    with monkeypatch.context() as patch:
        behind_the_dump(patch, lambda: empty(bucket))
        error = journey.refused()
    after = journey.catalog()
    bucket.client.create_bucket(Bucket=BUCKET)
    ends_well(journey)

    assert isinstance(error, BackupStoreError), error
    assert error.where == "backup"
    assert TO in error.message
    assert after == before


@pytest.mark.parametrize("gone", ["bucket", "objects", "manifest", "keys"])
def test_backup_that_is_gone_stops_a_restore_untouched(
    gone: str, journey: Journey, bucket: Bucket
) -> None:
    """Without bucket, dump, manifest or keys a restore ends before the first drop; undo works."""
    journey.attributes["backup"] = {"to": TO}
    journey.run()
    journey.ask("DELETE FROM mine WHERE id = 0")
    dumps = [n for n in bucket.names() if not n.endswith("manifest.json")]
    manifest = next(n for n in bucket.names() if n.endswith("manifest.json"))
    if gone == "bucket":
        empty(bucket)
    elif gone == "objects":
        bucket.client.delete_object(Bucket=BUCKET, Key=dumps[0])
    elif gone == "manifest":
        bucket.client.delete_object(Bucket=BUCKET, Key=manifest)
    else:
        bucket.ask_for_credentials()

    error = by_restore(journey)
    last = list(running.roll_back(journey.migration))[-1]

    words = {"bucket": "bucket", "objects": "missing", "manifest": "no backup at", "keys": TO}
    assert isinstance(error, BackupError)
    assert words[gone] in error.message
    assert error.hint
    if gone == "manifest":
        assert isinstance(error, BackupMissingError)
    assert len(journey.rows("mine")) == ROWS - 1
    assert getattr(last, "detail", {})["changed by others since"], "or why nobody can say"


def test_manifest_cut_off_in_a_folder_stops_a_restore(journey: Journey) -> None:
    """Half a manifest is not the ledger's: refused untouched, and the list names it."""
    journey.run()
    (kept,) = running.list_backups(journey.migration)
    path = Path(kept["place"]) / "manifest.json"
    path.write_bytes(path.read_bytes()[:200])

    error = by_restore(journey)

    assert "tampered with" in error.message
    assert [o["id"] for o in running.unreadable_backups(journey.migration)] == [kept["id"]]


def test_scratch_server_that_is_not_there_is_said(
    journey: Journey, deaf_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """scratch_env names a server that does not answer: an error with its place."""
    if journey.target_url.startswith("sqlite"):
        pytest.skip("a file has no server")
    url = make_url(journey.target_url).set(port=deaf_port)
    monkeypatch.setenv("SCRATCH_URL", url.render_as_string(hide_password=False))
    journey.attributes["backup"] = {"scratch_env": "SCRATCH_URL"}

    error = journey.refused()
    left = running.list_backups(journey.migration)
    del journey.attributes["backup"]
    ends_well(journey)

    assert f"beside {url.render_as_string(hide_password=True)}" in error.message
    assert "backup.scratch_env" in error.hint
    assert str(error).count("scratch database") == 1
    assert error.where == "backup"
    assert left == []


def test_target_dropped_in_the_middle_is_said(
    request: pytest.FixtureRequest, journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is dropped behind the dump: one error, no backup that looks whole."""
    if journey.target_url.startswith("sqlite"):
        pytest.skip("a file that is open stays until it is closed")
    postgres = journey.target_url.startswith("postgresql")
    server: Server = request.getfixturevalue("postgres_server" if postgres else "mariadb_server")
    name = str(make_url(journey.target_url).database)
    with monkeypatch.context() as patch:
        behind_the_dump(patch, lambda: server.drop_database(name))
        error = journey.refused()
    folder = journey.migration.path("./backups")
    left = list(folder.iterdir())
    server.create_database(name)
    filled(journey)
    ends_well(journey)

    assert name in f"{error.message}" or "connection" in error.message.lower()
    assert error.hint
    assert left == []


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of eight megabytes."""
    with mounted(tmp_path / "small", "size=8m") as folder:
        yield folder


@pytest.mark.parametrize("target", ["sqlite_url", "duckdb_url"])
def test_disk_that_fills_up_while_proving_is_said(
    target: str,
    request: pytest.FixtureRequest,
    small: Path,
    shop_url: str,
    going: Going,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The dump fits, its unpacked copy does not: DM406, no backup; with room the run goes on."""
    journey = filled(going(shop_url, request.getfixturevalue(target), include=["regions"]))
    journey.attributes["backup"] = {"to": str(small)}
    rest = small / "rest"
    real = reading.unpacked

    def full(path: Path, folder: Path, name: str) -> Path:
        with rest.open("wb") as file:
            try:
                while file.write(bytes(4096)):
                    file.flush()
            except OSError:
                pass
        return real(path, folder, name)

    with monkeypatch.context() as patch:
        patch.setattr(reading, "unpacked", full)
        error = journey.refused()
    rest.unlink()
    left = list(small.iterdir())
    journey.attributes["backup"] = {}
    ends_well(journey)

    assert isinstance(error, DiskFullError), error
    assert "No space left" in error.message
    assert error.where == "backup"
    assert left == []
