"""Rows are fetched in lists that stay small."""

import pytest

from datamig_pipelines.dialects.fetching import MOST_BYTES, fetched


def table(rows: list[tuple[object, ...]], asked: list[int]):
    """Return a fetchmany over rows that notes how many were asked for."""
    stream = iter(rows)

    def fetchmany(size: int) -> list[tuple[object, ...]]:
        asked.append(size)
        return [row for _, row in zip(range(size), stream, strict=False)]

    return fetchmany


@pytest.mark.parametrize("count", [0, 1, 16, 17, 5000])
def test_fetched_gives_every_row_once(count):
    """The lists one behind the other are the rows."""
    rows = [(i, "x") for i in range(count)]

    assert [r for part in fetched(table(rows, [])) for r in part] == rows


def test_fetched_asks_for_no_more_than_told():
    """Narrow rows come in lists of the most that was asked for."""
    asked: list[int] = []
    list(fetched(table([(i,) for i in range(5000)], asked), most=300))

    assert max(asked) == 300


def test_fetched_of_wide_rows_stays_small():
    """Rows of a megabyte come four at a time, whatever may be asked for."""
    asked: list[int] = []
    list(fetched(table([(b"x" * 2**20,)] * 40, asked)))

    assert set(asked[1:]) == {MOST_BYTES // 2**20}
