"""Looking into single rows: keys and values come out exactly."""

import struct
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.transfer.rows import (
    binary_key,
    lens,
    split_binary,
    split_csv,
    split_text,
    unescape,
)
from datamig_pipelines_tests.transfer.streams import INTEGER, TEXT, copy_line, csv_line, route

HARD = st.text(st.sampled_from("\\nNtrbfv\n\r\t\b\f\v\",'abcž🐎 0"))
TEXTS = st.one_of(HARD, st.text(st.characters(codec="utf-8", exclude_characters="\0")))
ROWS = st.lists(st.none() | TEXTS, min_size=1, max_size=5)


@given(ROWS)
def test_split_text_gives_back_every_value(values):
    """What PostgreSQL escapes in COPY text is unescaped to the same texts and NULLs."""
    assert split_text(copy_line(values)) == values


@given(ROWS)
def test_split_csv_gives_back_every_value(values):
    """What PostgreSQL writes as CSV comes back the same, NULL and '' told apart."""
    assert split_csv(csv_line(values)) == values


def test_split_csv_takes_long_fields():
    """A field of a megabyte is no problem; Python's csv reader refuses 128 KiB."""
    long = '"x,\n' * 2**18

    assert split_csv(csv_line([long, "2"])) == [long, "2"]


@pytest.mark.parametrize(
    ("expected", "field"),
    [
        (None, rb"\N"),
        ("\\N", rb"\\N"),
        ("\\\\", rb"\\\\"),
        ("\\n", rb"\\n"),
        ("\\\n", rb"\\\n"),
        ("N", b"N"),
        ("", b""),
        ("NULL", b"NULL"),
        ("\udcff", b"\xff"),
    ],
)
def test_unescape_gives_the_value(expected, field):
    r"""``\N`` alone is NULL; every other backslash stands for the character behind it."""
    assert unescape(field) == expected


def test_split_binary_gives_fields_and_nulls():
    """A field of no bytes is no NULL."""
    row = struct.pack("!hi2sii", 3, 2, b"ab", 0, -1)

    assert split_binary(row) == [b"ab", b"", None]


@given(st.integers(-(2**63), 2**63 - 1))
def test_binary_key_of_an_integer_is_its_digits(number):
    """A signed integer of eight bytes is written in digits."""
    assert binary_key(struct.pack("!q", number), INTEGER) == str(number)


@given(st.integers(0, 2**32 - 1))
def test_binary_key_of_an_oid_is_never_negative(number):
    """An oid is unsigned."""
    oid = Type(Kind.INTEGER, bits=32, unsigned=True)

    assert binary_key(struct.pack("!I", number), oid) == str(number)


@given(st.uuids())
def test_binary_key_of_a_uuid_is_its_text(value: UUID):
    """Sixteen bytes are a UUID in its usual form."""
    assert binary_key(value.bytes, Type(Kind.UUID)) == str(value)


@given(st.lists(st.tuples(TEXTS, st.integers()), min_size=1, max_size=3))
def test_lens_takes_the_key_of_cells_from_behind_the_columns(rows):
    """On the wire ``cells`` the key follows the columns, and is no value of the row."""
    view = lens(route(TEXT))

    seen = [(view.key(rows, i), view.values(rows, i)) for i in range(len(rows))]

    assert seen == [((str(number),), [text]) for text, number in rows]


@given(TEXTS, TEXTS)
def test_lens_reads_the_key_of_copy_text(first, second):
    """The key is found among the columns and unescaped."""
    view = lens(route(TEXT, TEXT, sends=Wire.COPY_TEXT, keys=2))

    assert view.key([copy_line([first, second])], 0) == (first, second)


@given(TEXTS, TEXTS)
def test_lens_reads_the_key_of_csv(first, second):
    """The key is found among the columns and unquoted."""
    view = lens(route(TEXT, TEXT, sends=Wire.COPY_CSV, keys=2))

    assert view.key([csv_line([first, second])], 0) == (first, second)


def test_lens_shows_bytes_in_hex():
    """A reject keeps a blob as hex digits."""
    assert lens(route(TEXT)).values([(b"\x00\xff", 1)], 0) == ["00ff"]
