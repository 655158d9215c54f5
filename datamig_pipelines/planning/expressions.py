"""Says an engine's expressions in another engine's words, with sqlglot; None where it cannot."""

from collections.abc import Mapping

from datamig_pipelines.dialects import Dialect


def translated(
    sql: str, source: Dialect, target: Dialect, columns: Mapping[str, str] | None = None
) -> str | None:
    """Return an expression for the target; the same text where nothing changes, None if it has none.

    ``columns`` maps the source's columns to their names in the target; an expression that names any
    other column has no counterpart. The result is a proposal: the target is the judge, when the
    statement runs.
    """
    same = source.name == target.name
    if same and all(old == new for old, new in (columns or {}).items()) and not columns:
        return sql
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(sql, read=source.sqlglot)
        if columns is not None and not _renamed(tree, columns):
            return None
        if same and all(old == new for old, new in (columns or {}).items()):
            return sql
        level = sqlglot.ErrorLevel.RAISE
        return tree.sql(dialect=target.sqlglot, identify=True, unsupported_level=level)
    except SqlglotError:
        return None
