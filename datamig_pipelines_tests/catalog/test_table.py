"""Tables, indexes, names."""

from datamig_pipelines.catalog import (
    Catalog,
    Column,
    Index,
    IndexPart,
    Kind,
    Table,
    TableName,
    Type,
)

TEXT = Type(Kind.TEXT)
TABLE = Table(TableName("s", "t"), (Column("a", TEXT), Column("A", TEXT)))


def test_column_is_found_by_its_exact_name():
    """Names that differ in case are two columns."""
    assert [TABLE.column(n) for n in ("a", "A", "b")] == [*TABLE.columns, None]


def test_table_is_found_by_its_exact_name():
    """The schema belongs to the name."""
    catalog = Catalog("X", "1", (TABLE,))

    assert (catalog.table(TableName("s", "t")), catalog.table(TableName("", "t"))) == (TABLE, None)


def test_name_without_schema_has_no_dot():
    """A name is written as people write it."""
    assert [str(TableName("", "t")), str(TableName("s", "t"))] == ["t", "s.t"]


def test_index_columns_leave_expressions_out():
    """Only plain columns count as an index's columns."""
    index = Index("i", (IndexPart("a"), IndexPart(expression="lower(b)"), IndexPart("c")))

    assert index.columns == ("a", "c")
