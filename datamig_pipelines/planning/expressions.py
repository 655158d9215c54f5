"""Says an engine's expressions in another engine's words, with sqlglot; None where it cannot."""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from datamig_pipelines.dialects import Dialect

if TYPE_CHECKING:
    from sqlglot import exp

Renames = Mapping[str, str | None]
"""A source table's columns and their names in the target, None for one that is left behind."""


def translated(sql: str, source: Dialect, target: Dialect, renames: Renames) -> str | None:
    """Return an expression over a table's columns for the target, None if it has none there.

    Between equal engines the text stays as it is, unless columns are renamed or left behind. The
    result is a proposal: the target is the judge, when the statement runs.
    """
    if source.name == target.name and all(old == new for old, new in renames.items()):
        return sql
    return _translated(sql, type(source), type(target), tuple(renames.items()))


@lru_cache(maxsize=4096)  # a function of its arguments alone; every plan of a process asks again
def _translated(
    sql: str,
    source: type[Dialect],
    target: type[Dialect],
    renames: tuple[tuple[str, str | None], ...],
) -> str | None:
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(sql, read=source.sqlglot)
        if source.name != target.name:
            tree = tree.transform(_as_in)
            if _divides(tree) or _has_arrays(tree) or not _matches_alike(tree, target):
                return None
        if not _rename(tree, dict(renames)):
            return None
        return written(tree, target)
    except SqlglotError:
        return None


def written(tree: "exp.Expr", target: Dialect | type[Dialect]) -> str:
    """Return a tree in the target's words. Raises SqlglotError for what it has no word for."""
    import sqlglot

    engine = sqlglot.Dialect.get_or_raise(target.sqlglot)
    speaker = _speaker(target.sqlglot, target.regexp_operator)
    level = sqlglot.ErrorLevel.RAISE
    return str(speaker(dialect=engine, identify=True, unsupported_level=level).generate(tree))


@cache
def _speaker(engine: str, regexp_operator: str | None) -> Any:
    """Return sqlglot's writer of an engine's words and our operator; slow to make."""
    import sqlglot
    from sqlglot import exp

    base: Any = sqlglot.Dialect.get_or_raise(engine).generator_class
    words = dict(base.TRANSFORMS)
    if regexp_operator:
        words[exp.RegexpLike] = lambda self, e: self.binary(e, regexp_operator)
    return type("Speaker", (base,), {"TRANSFORMS": words})


def _divides(tree: "exp.Expr") -> bool:
    """Say whether an expression divides, which one engine does in integers and another does not."""
    from sqlglot import exp

    return tree.find(exp.Div, exp.IntDiv, exp.Mod) is not None


def _matches_alike(tree: "exp.Expr", target: type[Dialect]) -> bool:
    """Say whether the target has the regular expressions of an expression, if it has any."""
    from sqlglot import exp

    if tree.find(exp.RegexpLike) and target.regexp_operator is None:
        return False
    return not (tree.find(exp.RegexpILike) and target.regexp_operator != "")


def _has_arrays(tree: "exp.Expr") -> bool:
    """Say whether an expression holds an array, which hardly any other engine has."""
    from sqlglot import exp

    return tree.find(exp.Array, exp.Any) is not None


def _as_in(node: "exp.Expr") -> "exp.Expr":
    """Return ``x IN (…)`` for ``x = ANY (ARRAY[…])``, as PostgreSQL keeps it; else the node."""
    from sqlglot import exp

    if not (isinstance(node, exp.EQ) and isinstance(node.expression, exp.Any)):
        return node
    listed = node.expression.this
    while isinstance(listed, exp.Paren | exp.Cast):
        listed = listed.this
    if not isinstance(listed, exp.Array):
        return node
    return exp.In(this=node.this, expressions=listed.expressions)


def _rename(tree: "exp.Expr", renames: Renames) -> bool:
    """Give the columns of an expression their new names; False if one of them is left behind.

    What is no column of the table (``VALUE`` of a domain) stays as it is.
    """
    from sqlglot import exp

    folded = {name.casefold(): name for name in renames}
    for column in tree.find_all(exp.Column):
        name = column.name if column.name in renames else folded.get(column.name.casefold())
        if name is None:
            continue
        new = renames[name]
        if new is None:
            return False
        column.set("this", exp.to_identifier(new, quoted=True))
    return True
