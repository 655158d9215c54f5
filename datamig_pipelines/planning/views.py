"""Says a view in another engine's words; the target is the judge."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from datamig_pipelines.catalog import Kind, Table, TableName, View
from datamig_pipelines.dialects import Dialect
from datamig_pipelines.planning.columns import Engines
from datamig_pipelines.planning.expressions import written
from datamig_pipelines.planning.order import parents_first
from datamig_pipelines.planning.relations import (
    KIND,
    LOOSE,
    Meant,
    Relation,
    Relations,
    UnknownNameError,
    resolve,
)

if TYPE_CHECKING:
    from sqlglot import exp

Note = Callable[[str], None]

_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.YEAR)
_TEXTS = (Kind.TEXT, Kind.CHAR)


def relation_of(source: Table, target: Table, renamed: Mapping[str, str]) -> Relation:
    """Return what a table of the source is in the target."""
    columns = {}
    for column in source.columns:
        arrived = target.column(renamed.get(column.name, ""))
        if arrived is not None:
            loose = column.type.kind in _TEXTS and not column.type.strict
            columns[column.name.casefold()] = Meant(arrived.name, arrived.type.kind, loose)
    return Relation(target.name, columns)


def plan_views(
    named: Sequence[tuple[View, TableName]],
    relations: Relations,
    engines: Engines,
    note: Note,
    *,
    as_it_is: bool,
) -> list[View]:
    """Return the target's views under their names there, each behind those that it reads from.

    ``as_it_is``: their text is right as it stands.
    """
    views = [view for view, _ in named]
    names = dict(named)
    parents = {} if as_it_is else {v: needs(v, views, engines.source) for v in views}
    order, _ = parents_first(views, parents)
    kept = []
    for view in order:
        name = names[view]
        if as_it_is:
            kept.append(replace(view, name=name))
            continue
        sql, reason, columns = translated_view(view, relations, engines.source, engines.target)
        if sql is None:
            note(
                f"view {view.name} cannot be translated and is left behind: {reason}; "
                f"it is {_line(view.sql)}"
            )
            continue
        relations.add(view.name, Relation(name, columns))
        as_view = view.materialized and not engines.same
        if as_view:
            note(f"view {view.name} is materialized there and computed at each use here")
        called = "" if name.name == view.name.name else f", as {name.name},"
        note(f"view {view.name} is proposed to the target{called}; if refused, it is reported")
        options = view.options if engines.same else ""
        if view.options and not options:
            note(f"view {view.name} loses its options: {view.options}")
        kept.append(View(name, sql, view.materialized and not as_view, options, _line(view.sql)))
    return kept


def _line(sql: str) -> str:
    return " ".join(sql.split())


def needs(view: View, views: Sequence[View], source: Dialect) -> list[View]:
    """Return the views that a view reads from."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(view.sql, read=source.sqlglot)
    except SqlglotError:
        return []
    named = {t.name.casefold() for t in tree.find_all(exp.Table)}
    return [v for v in views if v is not view and v.name.name.casefold() in named]


def translated_view(
    view: View, relations: Relations, source: Dialect, target: Dialect
) -> tuple[str | None, str, dict[str, Meant]]:
    """Return a view's SELECT for the target, or None and the reason, and its columns.

    Names are those of the target, however the source folds case or schemas. What one engine
    compares freely and another refuses is said outright where that keeps the meaning: a flag and
    0 or 1, a condition that is a number, a number beside a text that holds anything.
    """
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(view.sql, read=source.sqlglot)
        columns = resolve(tree, relations, schemas=target.can.schemas)
        tree = tree.transform(_plain)
        for node in list(tree.walk()):
            _settle(node)
        return written(tree, target), "", columns
    except UnknownNameError as error:
        return None, str(error), {}
    except SqlglotError as error:
        return None, " ".join(str(error).split("\n")[0].split()) or "it cannot be parsed", {}


def _plain(node: "exp.Expr") -> "exp.Expr":
    """Return a join that says that it is one, and a date function by its standard name."""
    from sqlglot import exp

    if isinstance(node, exp.Join) and not (node.args.get("on") or node.args.get("using")):
        comma = not node.args.get("kind") and not node.args.get("side")
        if comma and not node.args.get("method"):
            node.set("kind", "CROSS")
    one = node.expressions[0] if len(node.expressions) == 1 else None
    moment = isinstance(node, exp.Anonymous) and node.name.upper() == "DATETIME"
    if moment and one is not None and _is_text(one) and one.name != "now":
        return exp.cast(one, exp.DataType.Type.TIMESTAMP)
    if isinstance(node, exp.Date) and _is_text(node.this) and not node.expressions:
        if node.this.name == "now":
            return exp.CurrentDate()
        return exp.cast(node.this, exp.DataType.Type.DATE)
    return node


def _is_text(node: object) -> bool:
    from sqlglot import exp

    return isinstance(node, exp.Literal) and node.is_string


def _is_number(node: object) -> bool:
    from sqlglot import exp

    return isinstance(node, exp.Literal) and not node.is_string


def _settle(node: "exp.Expr") -> None:
    """Say outright what an operator of the source converts by itself."""
    from sqlglot import exp

    if isinstance(node, exp.EQ | exp.NEQ | exp.GT | exp.GTE | exp.LT | exp.LTE | exp.NullSafeEQ):
        _alike(node.this, node.expression)
        _alike(node.expression, node.this)
    elif isinstance(node, exp.In):
        for value in node.expressions:
            _alike(node.this, value)
    elif isinstance(node, exp.Between):
        _alike(node.this, node.args["low"])
        _alike(node.this, node.args["high"])
    elif isinstance(node, exp.Where | exp.Having | exp.Not | exp.If):
        _truth(node.this)
    elif isinstance(node, exp.And | exp.Or):
        _truth(node.this)
        _truth(node.expression)
    elif isinstance(node, exp.Join) and node.args.get("on"):
        _truth(node.args["on"])


def _bare(node: "exp.Expr") -> "exp.Expr":
    from sqlglot import exp

    while isinstance(node, exp.Paren):
        node = node.this
    return node


def _alike(left: "exp.Expr", right: "exp.Expr") -> None:
    """Bring a literal to what it is compared with."""
    from sqlglot import exp

    column, value = _bare(left), _bare(right)
    if not isinstance(column, exp.Column) or not _is_number(value):
        return
    if column.meta.get(KIND) is Kind.BOOLEAN and value.name in ("0", "1"):
        value.replace(exp.Boolean(this=value.name == "1"))
    elif column.meta.get(KIND) in _TEXTS and column.meta.get(LOOSE):
        value.replace(exp.Literal.string(value.name))


def _truth(node: "exp.Expr") -> None:
    """Say of a number that stands for a condition that it is not zero."""
    from sqlglot import exp

    bare = _bare(node)
    counts = isinstance(bare, exp.Column) and bare.meta.get(KIND) in _NUMBERS
    if counts or _is_number(bare):
        bare.replace(exp.NEQ(this=bare.copy(), expression=exp.Literal.number(0)))
