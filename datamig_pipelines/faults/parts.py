"""Faults of a table's definition: something is gone, or is there and does less."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import methodcaller
from typing import Any, ClassVar

from typing_extensions import override

from datamig_pipelines.catalog import Column, Kind, Table
from datamig_pipelines.dialects.tampering import Harm
from datamig_pipelines.faults.fault import Fault, Scene
from datamig_pipelines.transfer import Route

Members = Callable[[Table], list[tuple[str, Any]]]


@dataclass(frozen=True)
class Part(Fault):
    """One member of a table is harmed; ``how`` is the name of the dialect's method for it."""

    guarded: ClassVar[bool] = False
    name: str
    says: str
    members: Members
    how: str
    named: str
    proof: str = "schema"

    @override
    def places(self, route: Route, table: Table) -> Iterator[str]:
        yield from (name for name, _ in self.members(table))

    @override
    def word(self, place: str) -> str:
        return self.named

    @override
    def harm(self, scene: Scene, place: str) -> Harm | None:
        found = dict(self.members(scene.table))
        if place not in found:
            return None
        dialect = scene.session.dialect
        given = [] if found[place] is _WHOLE else [found[place]]
        harm: Harm | None = methodcaller(self.how, scene.session, scene.table, *given)(dialect)
        return harm


_WHOLE = object()


def _whole(_: Table) -> list[tuple[str, Any]]:
    return [("", _WHOLE)]


def _columns(wanted: Callable[[Table, Column], Any]) -> Members:
    def found(table: Table) -> list[tuple[str, Any]]:
        return [(c.name, c) for c in table.columns if wanted(table, c)]

    return found


def _in_key(table: Table, column: Column) -> bool:
    return table.primary_key is not None and column.name in table.primary_key.columns


def _required(table: Table, column: Column) -> bool:
    return not (column.nullable or _in_key(table, column) or column.generated or column.identity)


def _ruled(table: Table) -> set[str]:
    """Return the columns that something else stands on, so that an engine guards them."""
    on = {c for u in table.uniques for c in u.columns}
    on |= set(table.primary_key.columns) if table.primary_key else set()
    on |= {c for k in table.foreign_keys for c in k.columns}
    on |= {c for i in table.indexes for c in i.columns}
    rules = [c.expression for c in table.checks]
    rules += [c.generated or "" for c in table.columns]
    rules += [p.expression or "" for i in table.indexes for p in i.parts]
    rules += [i.where or "" for i in table.indexes]
    return on | {c.name for c in table.columns if any(c.name in r for r in rules)}


def _alone(table: Table, column: Column) -> bool:
    return column.name not in _ruled(table) and column.generated is None and not column.identity


def _retyped(table: Table, column: Column) -> bool:
    kinds = (Kind.INTEGER, Kind.DECIMAL, Kind.DATE, Kind.TIMESTAMP)
    return _alone(table, column) and column.type.kind in kinds and column.default is None


def _defaulted(_: Table, column: Column) -> bool:
    return column.default is not None and not column.identity and column.generated is None


def _named(attribute: str) -> Members:
    return lambda table: [(m.name, m) for m in getattr(table, attribute)]


def _primary(table: Table) -> list[tuple[str, Any]]:
    return [("primary key", table.primary_key)] if table.primary_key else []


def _own_checks(table: Table) -> list[tuple[str, Any]]:
    return [(c.name, c) for c in table.checks if not c.domain]


def _free_uniques(table: Table) -> list[tuple[str, Any]]:
    same = [u.columns for u in table.uniques] + [i.columns for i in table.indexes if i.unique]
    same += [table.primary_key.columns] if table.primary_key else []
    return [(u.name, u) for u in table.uniques if same.count(u.columns) == 1]


def _unique_indexes(table: Table) -> list[tuple[str, Any]]:
    return [(i.name, i) for i in table.indexes if i.unique]


def _commented(table: Table) -> list[tuple[str, Any]]:
    own: list[tuple[str, Any]] = [("", None)] if table.comment else []
    return own + [(c.name, c) for c in table.columns if c.comment]


def _texts(table: Table, column: Column) -> bool:
    return column.type.kind is Kind.TEXT and _alone(table, column) and column.default is None


def _collated(table: Table, column: Column) -> bool:
    return " COLLATE " in column.type.native and _alone(table, column) and column.default is None


PARTS: tuple[Fault, ...] = (
    Part("table_lost", "the table is gone", _whole, "lose_table", "no such table"),
    Part("column_lost", "a column is gone", _columns(_alone), "lose_column", "column"),
    Part(
        "column_renamed", "a column has another name", _columns(_alone), "rename_column", "column"
    ),
    Part(
        "type_changed", "a column has another type", _columns(_retyped), "retype_column", "type of"
    ),
    Part("not_null_lost", "a column may be NULL", _columns(_required), "lose_not_null", "not null"),
    Part("default_lost", "a default is gone", _columns(_defaulted), "lose_default", "default of"),
    Part(
        "collation_changed", "texts have another order", _columns(_texts), "recollate", "collation"
    ),
    Part(
        "collation_lost",
        "texts have the database's order instead of their own",
        _columns(_collated),
        "lose_collation",
        "collation",
    ),
    Part("comment_lost", "a comment is gone", _commented, "lose_comment", "comment"),
    Part("index_lost", "an index is gone", _named("indexes"), "lose_index", "index"),
    Part(
        "index_not_unique",
        "an index is not unique any more",
        _unique_indexes,
        "loosen_index",
        "unique",
    ),
    Part("index_invalid", "an index was never finished", _named("indexes"), "break_index", "index"),
    Part(
        "primary_key_lost", "the primary key is gone", _primary, "lose_primary_key", "primary key"
    ),
    Part("unique_lost", "a unique key is gone", _free_uniques, "lose_unique", "unique"),
    Part("check_lost", "a check is gone", _own_checks, "lose_check", "check"),
    Part("check_not_valid", "a check leaves old rows alone", _own_checks, "doubt_check", "check"),
    Part(
        "foreign_key_lost",
        "a reference is gone",
        _named("foreign_keys"),
        "lose_foreign_key",
        "foreign key",
    ),
    Part(
        "foreign_key_not_valid",
        "a reference leaves old rows alone",
        _named("foreign_keys"),
        "doubt_foreign_key",
        "foreign key",
    ),
    Part(
        "foreign_key_disabled",
        "a reference is there and does nothing",
        _named("foreign_keys"),
        "sleep_foreign_key",
        "foreign key",
    ),
    Part(
        "foreign_key_deferred",
        "a reference is checked later",
        _named("foreign_keys"),
        "defer_foreign_key",
        "foreign key",
    ),
    Part("unlogged", "rows are gone after a crash", _whole, "unlog", "unlogged"),
    Part(
        "counter_set_back",
        "a counter gives out numbers again",
        _columns(lambda _, c: c.identity),
        "set_back",
        "next",
        "counters",
    ),
)
