"""The sum of all tables of a load."""

from types import SimpleNamespace

import pytest

from datamig_pipelines.running.totals import LoadTotals
from datamig_pipelines.steps import TableLoaded
from datamig_pipelines.transfer import Progress
from datamig_pipelines.transfer.events import LoadBegun


def loaded(name: str, rows: int, rejected: int = 0) -> TableLoaded:
    return TableLoaded(SimpleNamespace(name=name), rows, rejected, 10 * rows, 1.0)  # type: ignore[arg-type]


def begun(**tables: int) -> LoadTotals:
    """Return totals whose clock says 100 when the load begins and 110 afterwards."""
    clock = iter([100.0])
    totals = LoadTotals(lambda: next(clock, 110.0))
    totals.see(LoadBegun("loading", tuple(tables.items())))
    return totals


def test_tables_that_nobody_began_are_expected():
    """The time that is left counts the whole load, not only what is on its way."""
    totals = begun(a=1000, b=3000)
    totals.see(Progress("a", 500, 1000, 2, 5000, 9.0))

    total = totals.overall()

    assert (total.tables, total.done, total.rows, total.expected) == (2, 0, 500, 4000)
    assert (total.rows_per_s, total.bytes_per_s, total.left_s) == (50.0, 500.0, 70.0)
    assert (total.rejected, total.percent) == (2, 12.5)


def test_rows_of_earlier_processes_count_but_not_for_the_speed():
    """A resumed table and one that was complete before are rows, not rows per second."""
    totals = begun(a=1000, b=400)
    totals.see(loaded("b", 390, 10))
    totals.see(Progress("a", 700, 1000, 0, 7000, 9.0, resumed=600))

    total = totals.overall()

    assert (total.done, total.rows, total.expected) == (1, 1100, 1400)
    assert total.rows_per_s == 10.0
    assert total.left_s == 30.0


def test_complete_table_is_as_big_as_it_was():
    """An estimate that was wrong does not stay in the sum once the table is loaded."""
    totals = begun(a=9999)
    totals.see(Progress("a", 1000, 9999, 0, 10_000, 9.0))
    totals.see(loaded("a", 1000))

    total = totals.overall()

    assert (total.expected, total.percent, total.left_s) == (1000, 100.0, 0.0)
    assert totals.current() == []


@pytest.mark.parametrize("tables", [{}, {"a": 0}])
def test_nothing_is_all_of_nothing(tables):
    """No table and no row: nothing is divided by."""
    total = begun(**tables).overall()

    assert (total.percent, total.rows_per_s, total.bytes_per_s, total.left_s) == (100.0, 0, 0, None)
