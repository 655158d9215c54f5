"""Backups in an object store: moto stands in for S3, over real HTTP."""

from pathlib import Path
from typing import Any

import pytest

from datamig_pipelines import running
from datamig_pipelines.backups import open_store
from datamig_pipelines.errors import BackupDamagedError, BackupStoreError, SpecError
from datamig_pipelines.spec import Migration
from datamig_pipelines.steps import StepDone
from datamig_pipelines_tests.backups.bucket import BUCKET, Bucket
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey

TO = f"s3://{BUCKET}/deep/prefix"


@pytest.fixture(params=["sqlite_url", "pg_url"])
def journey(request: pytest.FixtureRequest, shop_url: str, going: Going) -> Journey:
    """A migration whose target holds a table and whose backups go to the bucket."""
    target = request.getfixturevalue(request.param)
    made = going(shop_url, target, include=["regions"], backup={"to": TO})
    made.ask("CREATE TABLE mine (id INTEGER PRIMARY KEY)", "INSERT INTO mine VALUES (1), (2)")
    return made


def test_bucket_keeps_and_gives_back(journey: Journey, bucket: Bucket) -> None:
    """A backup in a bucket is verified from there, restored from there, and its place is told."""
    events = journey.run()
    done = next(e for e in events if isinstance(e, StepDone) and e.step == "backup")
    journey.ask("DELETE FROM mine")

    list(running.roll_back(journey.migration, by_restore=True))

    assert done.detail["folder"].startswith(f"{TO}/shop-")
    assert done.detail["recovery_s"] > 0
    assert sorted(journey.rows("mine")) == [(1,), (2,)]
    assert all(name.startswith("deep/prefix/shop-") for name in bucket.names())
    assert len([n for n in bucket.names() if n.endswith("/manifest.json")]) == 2, "and the safety"
    left = [p for p in (journey.migration.home / "backups").rglob("*") if p.is_file()]
    assert left == [], "nothing stays on this machine"


def test_bucket_flipped_byte_is_found(journey: Journey, bucket: Bucket) -> None:
    """One changed byte of an object is found when the backup is proven again."""
    journey.run()
    bucket.flip(next(n for n in bucket.names() if not n.endswith("manifest.json")))

    with pytest.raises(BackupDamagedError, match="SHA-256"):
        running.verify_again(journey.migration)


@pytest.mark.parametrize("encryption", ["AES256", "aws:kms"])
def test_bucket_encrypts_at_rest_where_asked(
    encryption: str, shop_url: str, sqlite_url: str, going: Going, bucket: Bucket
) -> None:
    """Every object is put with the server-side encryption of the spec."""
    journey = going(
        shop_url, sqlite_url, include=["regions"], backup={"to": TO, "encryption": encryption}
    )
    journey.ask("CREATE TABLE mine (id INTEGER PRIMARY KEY)")

    journey.run()

    assert bucket.names()
    found = {bucket.head(name)["ServerSideEncryption"] for name in bucket.names()}
    assert found == {encryption}


@pytest.mark.parametrize("wrong", ["bucket", "keys", "no keys", "nobody"])
def test_bucket_that_refuses_stops_before_the_dump(
    wrong: str, journey: Journey, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing bucket, wrong keys or no server: one clear error, no secret, no table made."""
    if wrong == "bucket":
        journey.attributes["backup"] = {"to": "s3://no-such-bucket/x"}
    elif wrong == "keys":
        bucket.ask_for_credentials()
    elif wrong == "no keys":
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        monkeypatch.setattr("datamig_pipelines.backups.bucket._RETRIES", 0)
    else:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        monkeypatch.setattr("datamig_pipelines.backups.bucket._RETRIES", 0)
    before = journey.catalog()

    error = journey.refused()

    assert isinstance(error, BackupStoreError), error
    assert error.where == "backup"
    assert "test-secret-of-the-bucket" not in str(error)
    assert journey.catalog() == before


def test_bucket_upload_is_bounded_and_whole(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of many parts comes back with the same digest; a part never outgrows the limit."""
    monkeypatch.setattr("datamig_pipelines.backups.bucket._PART_BYTES", 5 * 1024 * 1024)
    path = tmp_path / "big"
    path.write_bytes(bytes(range(256)) * 60_000)
    attributes: dict[str, Any] = {
        "name": "big",
        "source": {"url": "sqlite:///a.db"},
        "target": {"url": "sqlite:///b.db"},
        "backup": {"to": TO},
    }
    store = open_store(Migration.model_validate(attributes).based(tmp_path))
    before = store.sha256  # bound, so that a typo in the name is an error here

    store.put("big-1", "data", path)

    assert before("big-1", "data", tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == bytes(range(256)) * 60_000
    assert bucket.head("deep/prefix/big-1/data")["ETag"].endswith('-3"'), "three parts"
    assert not path.exists()


@pytest.mark.parametrize(
    ("backup", "words"),
    [
        ({"to": "ftp://x/y"}, "no store"),
        ({"to": "s3://key:secret@bucket/x"}, "credentials"),
        ({"to": "gs://bucket", "encryption": "AES256"}, "only s3"),
        ({"encryption": "AES256"}, "only s3"),
    ],
)
def test_bucket_spec_is_refused(backup: dict[str, str], words: str, tmp_path: Path) -> None:
    """What no store can do is refused when the file is read."""
    from datamig_pipelines.spec import read_migration

    path = tmp_path / "defs.yaml"
    lines = "".join(f"    {k}: {v!r}\n" for k, v in backup.items())
    path.write_text(
        "type: datamig_pipelines.Migration\nattributes:\n  name: m\n"
        "  source: {url: 'sqlite:///a.db'}\n  target: {url: 'sqlite:///b.db'}\n"
        f"  backup:\n{lines}"
    )

    with pytest.raises(SpecError, match=words) as caught:
        read_migration(path)

    assert "secret" not in str(caught.value).replace("***", "")
