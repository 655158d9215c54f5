"""What the names in a view mean: which table or view of the target, which column, of what kind."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from datamig_pipelines.catalog import Kind, TableName

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

KIND = "datamig_kind"
LOOSE = "datamig_loose"
OLD = "datamig_old"


@dataclass(frozen=True)
class Meant:
    """A column of the target: its name there, its kind if known.

    ``loose`` says that the source compares it with numbers as if these were texts.
    """

    name: str
    kind: Kind | None = None
    loose: bool = False


@dataclass(frozen=True)
class Relation:
    """A table or view of the target and its columns, by their folded names in the source."""

    name: TableName
    columns: Mapping[str, Meant]


@dataclass
class Relations:
    """All tables and views that a view may name, by their folded names in the source."""

    known: dict[tuple[str, str], Relation] = field(default_factory=dict)

    def add(self, source: TableName, relation: Relation) -> None:
        """Keep what a table or view of the source is called in the target."""
        name = source.name.casefold()
        self.known[source.schema.casefold(), name] = relation
        self.known.setdefault(("", name), relation)

    def find(self, schema: str, name: str) -> Relation | None:
        """Return what a name means, with or without a schema."""
        folded = name.casefold()
        return self.known.get((schema.casefold(), folded)) or self.known.get(("", folded))


class UnknownNameError(Exception):
    """A view names something that does not move."""


def resolve(tree: "exp.Expr", relations: Relations, *, schemas: bool) -> dict[str, Meant]:
    """Give every table and column of a query its name in the target; return the query's columns.

    Columns are marked with their kind. Raises UnknownNameError.
    """
    from sqlglot.optimizer.scope import traverse_scope

    _common_tables(tree)
    outputs: dict[int, dict[str, Meant]] = {}
    scopes = list(traverse_scope(tree))
    for scope in scopes:
        _tables(scope, relations)
        for column in scope.columns:
            _column(column, scope, relations, outputs)
        outputs[id(scope)] = _outputs(scope, relations, outputs)
    for scope in scopes:
        _renamed(scope, relations, schemas=schemas)
    return outputs[id(scopes[-1])] if scopes else {}


def _common_tables(tree: "exp.Expr") -> None:
    """Spell each use of a common table expression as its definition does."""
    from sqlglot import exp

    spelt = {c.alias.casefold(): c.alias for c in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        name = spelt.get(table.name.casefold())
        if name is not None and not table.db:
            table.set("this", exp.to_identifier(name, quoted=True))


def _tables(scope: "Scope", relations: Relations) -> None:
    from sqlglot import exp

    for source in scope.sources.values():
        if isinstance(source, exp.Table) and relations.find(source.db, source.name) is None:
            raise UnknownNameError(f"{source.name} is not moved")


def _renamed(scope: "Scope", relations: Relations, *, schemas: bool) -> None:
    """Put the target's names in place of the source's; an alias keeps the old one readable."""
    from sqlglot import exp

    for alias, source in scope.sources.items():
        if not isinstance(source, exp.Table):
            continue
        relation = relations.find(source.db, source.name)
        if relation is None:
            continue
        if not source.alias and alias != relation.name.name:
            source.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
        source.set("this", exp.to_identifier(relation.name.name, quoted=True))
        schema = relation.name.schema if schemas else ""
        source.set("db", exp.to_identifier(schema, quoted=True) if schema else None)
        source.set("catalog", None)


def _column(
    column: "exp.Column",
    scope: "Scope",
    relations: Relations,
    outputs: dict[int, dict[str, Meant]],
) -> None:
    from sqlglot import exp

    if isinstance(column.this, exp.Star):
        return
    for inner in _chain(scope):
        for alias, source in inner.sources.items():
            if column.table and alias.casefold() != column.table.casefold():
                continue
            meant = _columns_of(source, relations, outputs).get(column.name.casefold())
            if meant is None:
                continue
            column.meta[OLD] = column.name
            column.set("this", exp.to_identifier(meant.name, quoted=True))
            if column.table:
                column.set("table", exp.to_identifier(alias, quoted=True))
            column.set("db", None)
            column.set("catalog", None)
            column.meta.update({KIND: meant.kind, LOOSE: meant.loose})
            return
    own = _outputs(scope, relations, outputs).get(column.name.casefold())
    if own is not None and not column.table:  # ORDER BY a column of the result
        column.set("this", exp.to_identifier(own.name, quoted=True))


def _chain(scope: "Scope") -> Iterator["Scope"]:
    at: Scope | None = scope
    while at is not None:
        yield at
        at = at.parent


def _columns_of(
    source: Any, relations: Relations, outputs: dict[int, dict[str, Meant]]
) -> Mapping[str, Meant]:
    from sqlglot import exp

    if isinstance(source, exp.Table):
        relation = relations.find(source.db, source.name)
        return relation.columns if relation else {}
    return outputs.get(id(source), {})


def _outputs(
    scope: "Scope", relations: Relations, outputs: dict[int, dict[str, Meant]]
) -> dict[str, Meant]:
    """Return the columns that a query gives to the one around it."""
    from sqlglot import exp

    if scope.set_operation_scopes:
        return outputs.get(id(scope.set_operation_scopes[0]), {})
    found: dict[str, Meant] = {}
    for select in getattr(scope.expression, "selects", []):
        if select.is_star:
            wanted = select.table.casefold() if isinstance(select, exp.Column) else ""
            for alias, source in scope.sources.items():
                if not wanted or alias.casefold() == wanted:
                    found |= _columns_of(source, relations, outputs)
        elif select.alias_or_name:
            inner = select.unalias()
            kind = inner.meta.get(KIND) if isinstance(inner, exp.Column) else None
            name = select.alias_or_name
            old = str(select.meta.get(OLD, name))
            found[old.casefold()] = Meant(name, kind, loose=bool(inner.meta.get(LOOSE)))
    return found
