"""What a URL of files may say."""

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.dialects.files.address import parse
from datamig_pipelines.errors import FilesUrlError
from datamig_pipelines.spec import Connection


def test_address_of_a_folder_is_its_path() -> None:
    """Four slashes are an absolute path."""
    address = parse(make_url("parquet:////data/shop"))

    assert (address.format, address.path, address.bucket) == ("parquet", "/data/shop", "")


def test_address_of_a_bucket_is_host_and_prefix() -> None:
    """The host is the bucket, the path the prefix; a bucket alone is fine."""
    address = parse(make_url("csv+s3://my-bucket.x/a/b/"))

    assert (address.bucket, address.path) == ("my-bucket.x", "a/b")
    assert parse(make_url("csv+s3://b")).path == ""
    assert address.named("c.csv") == "s3://my-bucket.x/a/b/c.csv"


def test_address_of_a_pattern_has_the_folder_before_it_as_its_root() -> None:
    """What stands before the first wildcard is the folder."""
    assert parse(make_url("csv:////exports/2024-*/x.csv")).root == "/exports"


def test_address_reads_every_option() -> None:
    """Each option of CSV is read, with words for what a URL cannot hold."""
    said = "delimiter=tab&header=false&quote=none&null=%5CN&encoding=latin1&types=text&line_bytes=9"
    options = parse(make_url(f"csv:////x?{said}")).csv

    assert (options.delimiter, options.header, options.quote) == ("\t", False, "")
    assert (options.null, options.encoding) == ("\\N", "latin-1")
    assert (options.types, options.line_bytes) == ("text", 9)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("csv:////x?delimeter=%3B", "no option 'delimeter'"),
        ("csv:////x?delimiter=ab", "not one character"),
        ("csv:////x?encoding=ebcdic", "encoding='ebcdic'"),
        ("csv:////x?header=maybe", "header='maybe'"),
        ("csv:////x?line_bytes=-1", "no number of bytes"),
        ("csv:////x?null=a&null=b", "written twice"),
        ("parquet:////x?types=text", "no option 'types'"),
        ("parquet://folder", "folder is no folder"),
        ("parquet://", "no folder"),
        ("csv+ftp://h/x", "'ftp'"),
        ("csv+s3:///x", "no bucket"),
        ("csv+s3://key:word@bucket/x", "no user and no password"),
    ],
)
def test_address_that_is_wrong_is_one_clear_error(url: str, says: str) -> None:
    """A URL that cannot be meant is refused, with the option and what may stand there."""
    with pytest.raises(FilesUrlError) as refused:
        parse(make_url(url))

    assert says in refused.value.message
    assert refused.value.hint
    assert "word@" not in str(refused.value)


def test_address_of_a_file_is_relative_to_the_spec_and_that_of_a_bucket_is_not(tmp_path) -> None:
    """Three slashes are a folder beside the YAML file; a prefix stays what it is."""
    beside = Connection(url="parquet:///data").resolve(tmp_path)
    bucket = Connection(url="parquet+s3://b/data").resolve(tmp_path)

    assert beside.database == str(tmp_path / "data")
    assert bucket.database == "data"
