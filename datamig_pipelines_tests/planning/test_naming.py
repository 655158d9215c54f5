"""Names in the target."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamig_pipelines.catalog import TableName
from datamig_pipelines.dialects import DIALECTS
from datamig_pipelines.errors import NameCollisionError
from datamig_pipelines.planning.naming import Names, shortened, styled

POSTGRES, SQLITE = DIALECTS["postgres"], DIALECTS["sqlite"]


@given(st.text(min_size=1), st.integers(12, 80))
def test_shortened_fits(name, limit):
    """A shortened name has at most so many bytes and is never a broken character."""
    assert len(shortened(name, limit).encode()) <= limit


@given(st.text(max_size=10), st.integers(40, 80))
def test_shortened_leaves_short_names(name, limit):
    """What fits stays."""
    assert shortened(name, limit) == name


@given(st.text("abž", min_size=70, max_size=90), st.text("abž", min_size=70, max_size=90))
def test_shortened_names_differ_where_names_differ(first, second):
    """Two long names with one beginning stay two names."""
    assert (shortened(first, 63) == shortened(second, 63)) is (first == second)


def test_table_names_that_fold_together_are_refused():
    """Where case does not count, ``A`` and ``a`` are one table."""
    names = Names(SQLITE)
    names.table(TableName("", "A"), "s.A")

    with pytest.raises(NameCollisionError, match=r"s\.A and s\.a would both become a"):
        names.table(TableName("", "a"), "s.a")


def test_table_names_that_differ_in_case_are_two_where_case_counts():
    """PostgreSQL keeps ``A`` and ``a`` apart."""
    names = Names(POSTGRES)

    assert [names.table(TableName("s", n), n).name for n in ("A", "a")] == ["A", "a"]


def test_table_name_that_is_too_long_is_refused():
    """A table's name is never cut: the user gives another."""
    with pytest.raises(NameCollisionError, match="has 64 bytes, PostgreSQL keeps 63"):
        Names(POSTGRES).table(TableName("s", "x" * 64), "x")


@pytest.mark.parametrize(
    ("dialect", "columns"),
    [(POSTGRES, ["a", "a"]), (SQLITE, ["a", "A"]), (SQLITE, ["b", "a", "A"])],
)
def test_columns_of_one_name_are_refused(dialect, columns):
    """Two columns of one name are found before the engine finds them."""
    with pytest.raises(NameCollisionError, match="two columns of t would be called"):
        Names(dialect).columns("t", columns)


def test_columns_that_differ_in_case_are_two_where_case_counts():
    """PostgreSQL keeps the columns ``A`` and ``a`` apart."""
    Names(POSTGRES).columns("t", ["a", "A"])


def test_index_gives_way_to_a_table():
    """An index that is called like a table gets its own table's name in front."""
    names = Names(POSTGRES)
    names.table(TableName("s", "city"), "city")

    assert names.relation("s", "customer", "city") == "customer_city"


def test_index_names_are_given_once_per_schema():
    """The same index name in two schemas is no collision, in one it is."""
    names = Names(POSTGRES)

    given_ = [
        names.relation(s, t, "i") for s, t in (("a", "t"), ("b", "t"), ("a", "u"), ("a", "u"))
    ]

    assert given_ == ["i", "i", "u_i", "u_i_2"]


def test_constraint_names_are_given_once_per_table():
    """Two tables may each have a constraint of one name; one table may not."""
    names = Names(POSTGRES)
    t, u = TableName("s", "t"), TableName("s", "u")

    assert [names.constraint(x, "c") for x in (t, u, t)] == ["c", "c", "t_c"]


@pytest.mark.parametrize(
    ("name", "lower", "snake"),
    [
        ("CustomerID", "customerid", "customer_id"),
        ("Order Details", "order details", "order_details"),
        ("HTTPServer2Go", "httpserver2go", "http_server2_go"),
        ("GrößeÄnderung", "größeänderung", "größe_änderung"),
        ("select", "select", "select"),
        ('a"b - c', 'a"b - c', "a_b_c"),
        ("__x__", "__x__", "x"),
        ("%%", "%%", "%%"),
    ],
)
def test_style_of_a_name(name, lower, snake):
    """Humps, blanks and marks part words; letters stay, whatever their alphabet."""
    assert (styled(name, "keep"), styled(name, "lower"), styled(name, "snake")) == (
        name,
        lower,
        snake,
    )
