"""Rows that are put together again from what the ledger kept."""

import pytest

from datamig_pipelines.dialects.reading import Row
from datamig_pipelines.transfer.rows import split_binary, split_csv, split_text
from datamig_pipelines.transfer.second_try import _ROWS, _altered

VALUES = ["1", None, "", "a\tb\nc\\d", 'say "yes", or', "ünï→", "\\N"]


@pytest.mark.parametrize(("wire", "split"), [("copy_text", split_text), ("copy_csv", split_csv)])
def test_made_text_rows_read_as_the_same_values(wire, split):
    """NULL, empty text, quotes, tabs, line ends and a text that looks like NULL stay apart."""
    row: Row = _ROWS[wire](VALUES)

    assert split(row) == VALUES


def test_made_binary_row_reads_as_the_same_bytes():
    """Fields are hex in the ledger; NULL is not the empty field."""
    kept = ["00000001", None, "", "6162"]

    assert split_binary(_ROWS["copy_binary"](kept)) == [b"\0\0\0\1", None, b"", b"ab"]


@pytest.mark.parametrize("text", ["a\\x00b", "\\udcff", "x" * 2000])
def test_text_that_may_have_been_changed_is_known(text):
    """What the ledger had to rewrite or cut is never written to a table."""
    assert _altered(text)
