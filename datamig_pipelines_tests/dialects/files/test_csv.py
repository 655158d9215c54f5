"""CSV as people write it: read exactly, or refused with file and line."""

import gzip
from pathlib import Path

import pytest

from datamig_pipelines.catalog import TableName
from datamig_pipelines.dialects import Wire
from datamig_pipelines.dialects.reading import Read
from datamig_pipelines.errors import BrokenFileError, FileChangedError, NotYetError
from datamig_pipelines_tests.dialects.files.conftest import Moving, opened, rows, types


def url(folder: Path, text: str | bytes, options: str = "", name: str = "t.csv") -> str:
    """Write a file and return the URL of its folder, everything read as text."""
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return f"csv:///{folder}?types=text{options}"


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ('id,n\n1,"a""b"\n2,a"b\n', "", [("1", 'a"b'), ("2", 'a"b')]),
        ('id,n\n1,"a\nb,c"\n', "", [("1", "a\nb,c")]),
        ('id,n\r\n1,"x\ny"\r\n2,"x\r\ny"\r\n', "", [("1", "x\ny"), ("2", "x\r\ny")]),
        ('id,n\n1,\n2,""\n,3\n', "", [("1", None), ("2", ""), (None, "3")]),
        ('id,n\n1,NULL\n2,"NULL"\n3,\n', "&null=NULL", [("1", None), ("2", "NULL"), ("3", "")]),
        (b"\xef\xbb\xbfid,n\n1,a\n", "", [("1", "a")]),
        (b"id,n\n1,M\xfcller\n", "&encoding=latin-1", [("1", "Müller")]),
        ("id,n\n1,Mü\n".encode("utf-16"), "&encoding=utf-16", [("1", "Mü")]),
        ("id;n\n1;a,b\n", "&delimiter=%3B", [("1", "a,b")]),
        ("1,a\n2,b", "&header=false", [("1", "a"), ("2", "b")]),
        ('id,n\n1,"a\\"b"\n', "&escape=%5C", [("1", 'a"b')]),
        ("id,n\n1,'a,b'\n", "&quote=%27", [("1", "a,b")]),
        ('id,n\n1,"a\n', "&quote=none", [("1", '"a')]),
        ("id,n\n 1 ,\ta\n", "", [(" 1 ", "\ta")]),
        ("id,n\n#1,a\n", "", [("#1", "a")]),
        ("id,n\n", "", []),
        ("id\n1\n\n2\n", "", [("1",), (None,), ("2",)]),
        ("n\n" + '"' + "x\n" * 1_500_000 + '"\n', "", [("x\n" * 1_500_000,)]),
    ],
)
def test_csv_is_read_as_it_is_written(folder, text, options, expected) -> None:
    """Quotes, breaks, NULL and empty, encodings and dialects come out as they went in."""
    assert rows(url(folder, text, options), "t") == expected


def test_csv_may_be_packed_or_have_tabs(folder: Path) -> None:
    """The ending of the name says so."""
    url(folder, gzip.compress(b"id,n\n1,a\n"), name="packed.csv.gz")
    there = url(folder, "id\tn\n1\ta,b\n", name="tabs.tsv")

    assert rows(there, "packed") == [("1", "a")]
    assert rows(there, "tabs") == [("1", "a,b")]


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("id,n\n1,a\n2\n3,c\n", "", "t.csv, line 3: 1 fields where the header has 2"),
        ("id,n\n1,a\n2,b,c\n", "", "t.csv, line 3: 3 fields where the header has 2"),
        ('id,n\n1,"a\n2,b\n', "", "t.csv, line 2: a quote is not closed"),
        ('id,n\n1,"a"b\n', "", "t.csv, line 2: a quote is not closed, or stands inside"),
        (b"id,n\n1,a\n2,M\xfcller\n", "", "t.csv, line 3: it is not UTF-8"),
        ("id,n\r\n1,a\n2,b\r\n", "", "t.csv: it breaks the rules of CSV (lines that end"),
        ("id,n\n1," + "x" * 100_000 + "\n", "&line_bytes=5000", "line is longer"),
        ("", "", "t.csv does not begin with the names"),
        ("\nid,n\n1,a\n", "", "t.csv does not begin with the names"),
        ("id,ID\n1,2\n", "", "the header names ID, id twice"),
        (b"\xff\xfeid,n\n", "", "t.csv is not in utf-8"),
    ],
)
def test_csv_that_is_broken_names_file_and_line(folder, text, options, says) -> None:
    """A line that breaks the rules ends the reading with one error; nothing is guessed."""
    with pytest.raises(BrokenFileError) as refused:
        rows(url(folder, text, options), "t")

    assert says in refused.value.message
    assert len(refused.value.message) < 400
    assert refused.value.hint


def test_csv_parts_must_have_one_header(folder: Path) -> None:
    """Parts of a table whose columns differ are refused, both files named."""
    (folder / "t").mkdir()
    there = url(folder, "id,n\n1,a\n", name="t/1.csv")
    url(folder, "id,m\n2,b\n", name="t/2.csv")

    with pytest.raises(BrokenFileError, match=r"2\.csv and .*1\.csv are parts of t"):
        rows(there, "t")


def test_csv_rows_have_one_number_over_all_parts(folder: Path) -> None:
    """Streams go on behind a row's number, however many threads read and files there are."""
    (folder / "t").mkdir()
    for part in range(3):
        lines = "".join(f'{part * 100_000 + i},"a\n{i}"\n' for i in range(100_000))
        there = url(folder, f"id,n\n{lines}", name=f"t/{part}.csv")

    with opened(there) as session:
        wrong = session.query("SELECT count(*) FROM t WHERE CAST(id AS BIGINT) <> rowid")
        last = session.query("SELECT id FROM t WHERE rowid > 299997")

    assert wrong == [(0,)]
    assert last == [("299998",), ("299999",)]


def test_csv_that_changes_while_it_is_read_is_an_error(folder: Path) -> None:
    """A file that is not the one that was opened any more ends the stream."""
    with opened(url(folder, "id\n1\n")) as session:
        (folder / "t.csv").write_text("id\n1\n2\n")

        with pytest.raises(FileChangedError, match=r"t\.csv changed"):
            list(session.stream_lists(Read(TableName("", "t"), (), Wire.CELLS)))


def test_csv_goes_to_postgres_with_its_types_proven(
    folder: Path, pg_url: str, moving: Moving
) -> None:
    """A folder of CSV arrives in PostgreSQL, typed, all proofs equal; strangers are told of."""
    (folder / "people.csv").write_text(
        'id,name,born,amount,code\n1,"a\nb",2020-01-01,1.50,007\n2,"",,22.125,010\n3,,1999-12-31,,1\n'
    )
    (folder / "notes.txt").write_text("hello")

    moved = moving(f"csv:///{folder}", pg_url, batch_size=2)

    assert moved.error is None
    assert moved.not_equal() == {}
    assert any("1 file not moved" in n and "notes.txt" in n for n in moved.notes)
    with opened(pg_url) as session:
        found = session.query("SELECT id, name, born::text, amount::text, code FROM people")
    assert found == [
        (1, "a\nb", "2020-01-01", "1.500", "007"),
        (2, "", None, "22.125", "010"),
        (3, None, "1999-12-31", None, "1"),
    ]


def test_csv_goes_to_sqlite(folder: Path, sqlite_url: str, moving: Moving) -> None:
    """And in SQLite as well."""
    (folder / "t.csv").write_text("id,at\n1,2020-01-01 10:00:00.5\n2,\n")

    moved = moving(f"csv:///{folder}", sqlite_url)

    assert (moved.error, moved.not_equal()) == (None, {})


def test_csv_value_that_fits_no_cast_is_rejected(folder: Path, pg_url: str, moving: Moving) -> None:
    """A cast of the spec decides: what does not fit it is kept as a reject, never NULL."""
    there = url(folder, "id,n\n1,5\n2,five\n3,\n")
    casts = [{"when": {"column": "t.n"}, "to": "integer"}]

    moved = moving(there, pg_url, casts=casts, rejects={"abort_above": "100%", "allow": ["t"]})

    assert moved.error is None
    assert [r.row_values for r in moved.rejects] == ['{"id": "2", "n": "five"}']
    with opened(pg_url) as session:
        assert session.query("SELECT id, n FROM t ORDER BY 1") == [("1", 5), ("3", None)]


def test_csv_cannot_be_a_target(folder: Path, sqlite_url: str, moving: Moving) -> None:
    """CSV is a source; as a target it is refused before anything is touched."""
    with pytest.raises(NotYetError, match="CSV files cannot be a target yet"):
        moving(sqlite_url, f"csv:///{folder}")


def test_csv_types_can_be_left_alone(folder: Path) -> None:
    """With types=text nothing is sniffed."""
    assert set(types(url(folder, "id,d\n1,2020-01-01\n"), "t").values()) == {"VARCHAR"}
