"""Files in an S3. It is moto's: a stand-in that speaks the protocol, not the real thing."""

import io
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datamig_pipelines.dialects.files.store import translated
from datamig_pipelines.errors import (
    BrokenFileError,
    ConnectError,
    LoginError,
    NotYetError,
    PermissionDeniedError,
)
from datamig_pipelines_tests.dialects.files.conftest import Bucket, Moving, opened, rows


def parquet(count: int, start: int = 0) -> bytes:
    """Return a Parquet file of some rows."""
    ids = list(range(start, start + count))
    file = io.BytesIO()
    pq.write_table(pa.table({"id": ids, "name": [f"n{i}" for i in ids]}), file)
    return file.getvalue()


def test_store_moves_parquet_to_postgres(bucket: Bucket, pg_url: str, moving: Moving) -> None:
    """A file and a folder of parts below a prefix arrive, proven; other prefixes are left alone."""
    files = {"in/a.parquet": parquet(10), "in/b/1.parquet": parquet(5), "other/c.parquet": b"?"}
    files["in/b/2.parquet"] = parquet(5, start=5)

    moved = moving(f"parquet+s3://{bucket(**files)}/in", pg_url, batch_size=4)

    assert (moved.error, moved.not_equal()) == (None, {})
    with opened(pg_url) as session:
        assert session.query("SELECT count(*), sum(id) FROM b") == [(10, 45)]
        assert session.query("SELECT count(*), max(name) FROM a") == [(10, "n9")]


def test_store_reads_csv_patterns_and_whole_buckets(bucket: Bucket) -> None:
    """CSV as well; a pattern chooses objects, and no prefix is the whole bucket."""
    there = bucket(**{"2023.csv": b"id\n1\n", "2024.csv": b"id\n2\n", "x/2024.csv": b"id\n3\n"})

    assert rows(f"csv+s3://{there}", "2023") == [(1,)]
    with opened(f"csv+s3://{there}/*24.csv") as session:
        assert [str(t.name) for t in session.dialect.read_catalog(session, "").tables] == ["2024"]


def test_store_of_one_object_is_one_table(bucket: Bucket) -> None:
    """The URL may name an object itself."""
    there = bucket(**{"a/x.csv": b"id\n1\n", "a/xy.csv": b"id\n2\n"})

    assert rows(f"csv+s3://{there}/a/x.csv", "x") == [(1,)]


def test_store_that_has_no_such_bucket_is_a_clear_error(bucket: Bucket) -> None:
    """A missing bucket is named."""
    bucket()

    with pytest.raises(ConnectError, match=r"no such bucket: s3://nowhere/x"):
        opened("parquet+s3://nowhere/x")


def test_store_that_has_nothing_there_is_a_clear_error(bucket: Bucket) -> None:
    """A prefix without a file of the format is named."""
    with pytest.raises(ConnectError, match=r"no parquet file at s3://exports/x"):
        opened(f"parquet+s3://{bucket()}/x")


def test_store_that_does_not_answer_is_a_clear_error(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens at the endpoint."""
    bucket()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    with pytest.raises(ConnectError, match="does not answer"):
        opened("parquet+s3://exports/x")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Generic S3 error: PUT http://169.254.169.254/latest/api/token: timed out", LoginError),
        ("PermissionDeniedError <Code>InvalidAccessKeyId</Code> 403 Forbidden", LoginError),
        ("PermissionDeniedError <Code>AccessDenied</Code> 403 Forbidden", PermissionDeniedError),
    ],
)
def test_store_without_rights_says_which_variable_is_missing(said: str, kind: type) -> None:
    """No credentials, wrong ones, too few rights: three errors; moto knows no rights."""
    error = translated(said, "s3://b/x")

    assert type(error) is kind
    assert "s3://b/x" in error.message


def test_store_with_a_broken_file_is_a_clear_error(bucket: Bucket) -> None:
    """An object that is no Parquet is named."""
    with pytest.raises(BrokenFileError, match=r"exports/a\.parquet"):
        opened(f"parquet+s3://{bucket(**{'a.parquet': b'no parquet at all, but long enough'})}")


def test_store_cannot_be_a_target(
    bucket: Bucket, folder: Path, moving: Callable[..., object]
) -> None:
    """A bucket as a target is refused before anything is touched."""
    (folder / "t.csv").write_text("id\n1\n")

    with pytest.raises(NotYetError, match="object store cannot be a target yet"):
        moving(f"csv:///{folder}", f"parquet+s3://{bucket()}/out")


def test_store_keeps_the_secret(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """No error shows a credential."""
    bucket()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    with pytest.raises(ConnectError) as refused:
        opened("parquet+s3://exports/x")

    assert "secret-of-somebody" not in str(refused.value)
