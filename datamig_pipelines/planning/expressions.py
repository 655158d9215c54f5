"""Says an engine's expressions in another engine's words, with sqlglot; None where it cannot."""

from datamig_pipelines.dialects import Dialect


def translated(sql: str, source: Dialect, target: Dialect) -> str | None:
    """Return an expression for the target; the same text between equal engines, None if it has none.

    The result is a proposal: the target is the judge, when the statement runs.
    """
    if source.name == target.name:
        return sql
    return _transpiled(sql, source, target)


def translated_view(sql: str, source: Dialect, target: Dialect) -> str | None:
    """Return a view's SELECT for the target, without qualifiers of the source's schema."""
    if source.name == target.name:
        return sql
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(sql, read=source.sqlglot)
        for table in tree.find_all(exp.Table):
            table.set("db", None)
            table.set("catalog", None)
        return tree.sql(dialect=target.sqlglot, identify=True, unsupported_level=sqlglot.ErrorLevel.RAISE)
    except SqlglotError:
        return None


def _transpiled(sql: str, source: Dialect, target: Dialect) -> str | None:
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(sql, read=source.sqlglot)
        return tree.sql(dialect=target.sqlglot, identify=True, unsupported_level=sqlglot.ErrorLevel.RAISE)
    except SqlglotError:
        return None
