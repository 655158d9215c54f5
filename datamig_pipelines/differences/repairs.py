"""The statements that would make the target equal; nobody here executes them."""

from collections.abc import Iterator, Sequence

from datamig_pipelines.dialects import Statement
from datamig_pipelines.differences.difference import Cells, Kind, RowDiff, RowPair
from datamig_pipelines.differences.pair import Pair


def repairs(pair: Pair, diff: RowDiff) -> list[Statement]:
    """Return one statement per row that differs: DELETE first, then UPDATE, then INSERT.

    A row that cannot be written as literals, or that nothing tells apart from its equals, comes as
    a statement that is a comment.
    """
    order = (Kind.EXTRA, Kind.DOUBLED, Kind.CHANGED, Kind.MISSING)
    ordered = sorted(diff.pairs, key=lambda p: order.index(p.kind))
    return [statement for p in ordered for statement in _of_row(pair, p)]


def _of_row(pair: Pair, row: RowPair) -> Iterator[Statement]:
    dialect, table = pair.target.dialect, pair.target_table
    source, target = _values(pair, row.source), _values(pair, row.target)
    lacking = [n for values in (source, target) for n, v in values.items() if v is None]
    if lacking and row.kind is not Kind.CHANGED:
        yield _comment(row, f"{', '.join(lacking)} cannot be written as a literal")
        return
    match row.kind:
        case Kind.MISSING:
            written = _writable(pair, source)
            yield Statement(dialect.insert_sql(table, written), purpose="missing row")
        case Kind.EXTRA if row.key is not None:
            yield Statement(dialect.delete_sql(table, _key(pair, target)), purpose="extra row")
        case Kind.EXTRA:
            yield Statement(dialect.delete_sql(table, _writable(pair, target)), purpose="extra row")
        case Kind.CHANGED if row.key is not None:
            yield from _update(pair, row, source)
        case Kind.CHANGED:
            yield Statement(
                dialect.delete_sql(table, _writable(pair, target)), purpose="changed row"
            )
            yield Statement(
                dialect.insert_sql(table, _writable(pair, source)), purpose="changed row"
            )
        case _:
            yield _comment(row, "which of the equal rows is to go, only a person can say")


def _update(pair: Pair, row: RowPair, source: dict[str, str | None]) -> Iterator[Statement]:
    assert row.source is not None and row.target is not None  # noqa: S101, PT018 (changed: both are there)
    differing = [n for n, s, t in zip(pair.names, row.source, row.target, strict=True) if s != t]
    loaded = _loaded(pair)
    values = {n: v for n in differing if n in loaded and (v := source[n]) is not None}
    left = [n for n in differing if n not in values]
    if left:
        yield _comment(row, f"{', '.join(left)} cannot be written as a literal")
    if values:
        sql = pair.target.dialect.update_sql(pair.target_table, values, _key(pair, source))
        yield Statement(sql, purpose="changed row")


def _values(pair: Pair, row: Cells | None) -> dict[str, str | None]:
    """Return the literals of a row by column; None for one that cannot be written."""
    if row is None:
        return {}
    dialect = pair.target.dialect
    cells = zip(pair.names, row, pair.target.columns, strict=True)
    return {name: dialect.value_sql(cell, column) for name, cell, column in cells}


def _loaded(pair: Pair) -> set[str]:
    """Return the columns that can be written: what the target computes cannot."""
    return {c.name for c in pair.columns} - set(pair.computed)


def _writable(pair: Pair, values: dict[str, str | None]) -> dict[str, str]:
    loaded = _loaded(pair)
    return {n: v for n, v in values.items() if v is not None and n in loaded}


def _key(pair: Pair, values: dict[str, str | None]) -> dict[str, str]:
    return {n: v for n in pair.key_names if (v := values[n]) is not None}


def _comment(row: RowPair, why: str) -> Statement:
    key = "a row" if row.key is None else "row " + ", ".join(row.key).replace("\n", " ")
    return Statement(f"-- {key}: {why}", purpose=str(row.kind))


def script(statements: Sequence[Statement]) -> str:
    """Return the statements as a script."""
    return "\n".join(s.sql if s.sql.startswith("--") else str(s) for s in statements)
