"""Dumps of servers go to a bucket, and come back, without lying on this machine's disk."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datamig_pipelines import running
from datamig_pipelines.backups.bucket import BucketStore
from datamig_pipelines.errors import BackupDamagedError, BackupError
from datamig_pipelines_tests.backups.bucket import BUCKET, Bucket
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey

TO = f"s3://{BUCKET}/streamed"
MORE_THAN_A_PIPE = {
    "pg_url": "INSERT INTO mine SELECT i, gen_random_uuid()::text FROM generate_series(2, 90000) i",
    "mariadb_url": "INSERT INTO mine SELECT seq, uuid() FROM seq_2_to_90000",
}


@pytest.fixture(params=["pg_url", "mariadb_url"])
def journey(request: pytest.FixtureRequest, shop_url: str, going: Going) -> Journey:
    """A migration whose target holds some megabytes and whose backups go to the bucket."""
    target = request.getfixturevalue(request.param)
    made = going(shop_url, target, include=["regions"], backup={"to": TO})
    made.ask(
        "CREATE TABLE mine (id INTEGER PRIMARY KEY, t VARCHAR(40))",
        "INSERT INTO mine VALUES (1, 'one')",
        MORE_THAN_A_PIPE[request.param],
    )
    return made


class Watched:
    """Looks on while a dump flows: how much of it lies below a folder, and what a test does then."""

    def __init__(self, folder: Path, *, kill: str = "") -> None:
        self.folder = folder
        self.kill = kill
        self.most_bytes = 0
        self.blocks = 0

    def put_stream(self, real: Any) -> Any:
        """Return a stand-in that watches the blocks of the real one."""

        def put(store: Any, backup: str, name: str, blocks: Iterator[bytes], size: int) -> None:
            real(store, backup, name, self._seen(blocks), size)

        return put

    def _seen(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self.blocks += 1
            found = [p.stat().st_size for p in self.folder.rglob("*") if p.is_file()]
            self.most_bytes = max(self.most_bytes, sum(found))
            yield block
            if self.kill:
                _kill(self.kill)


def _kill(name: str) -> None:
    """Kill -9 the children of this process that run a program."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            about = path.read_text()
        except OSError:  # it has ended meanwhile
            continue
        called, _, rest = about.partition("(")[2].rpartition(")")
        if called == name and int(rest.split()[1]) == os.getpid():
            os.kill(int(path.parent.name), signal.SIGKILL)


def test_dump_streams_to_the_bucket_and_back(
    journey: Journey, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No byte of the dump lies on the disk, neither on its way out nor when it is restored."""
    watched = Watched(journey.migration.home)
    monkeypatch.setattr(BucketStore, "put_stream", watched.put_stream(BucketStore.put_stream))
    monkeypatch.setattr(BucketStore, "put", None)
    monkeypatch.setattr("datamig_pipelines.backups.reading.fetched", None)

    journey.run()

    assert watched.blocks > 1
    assert watched.most_bytes == 0
    monkeypatch.undo()
    assert running.verify_again(journey.migration)


def test_dump_program_killed_half_way_leaves_no_backup(
    journey: Journey, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One clear error, nothing in the bucket, nothing in the target; the next run goes through."""
    program = "pg_dump" if journey.target_url.startswith("postgresql") else "mariadb-dump"
    watched = Watched(journey.migration.home, kill=program)
    monkeypatch.setattr(BucketStore, "put_stream", watched.put_stream(BucketStore.put_stream))
    before = journey.catalog()

    error = journey.refused()

    assert isinstance(error, BackupError)
    assert f"{program} was killed (signal 9)" in error.message
    assert bucket.names() == []
    assert journey.catalog() == before
    watched.kill = ""
    journey.run()
    assert [n for n in bucket.names() if n.endswith("manifest.json")]


def test_streamed_restore_that_was_cut_short_is_damaged(journey: Journey, bucket: Bucket) -> None:
    """An object that lost its end is called damaged, whatever the client says of it."""
    journey.run()
    name = next(n for n in bucket.names() if not n.endswith("manifest.json"))
    data = bucket.client.get_object(Bucket=BUCKET, Key=name)["Body"].read()
    bucket.client.put_object(Bucket=BUCKET, Key=name, Body=data[: len(data) // 2])

    with pytest.raises(BackupDamagedError, match="SHA-256"):
        running.verify_again(journey.migration)
