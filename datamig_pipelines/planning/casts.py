"""Which cast rule means which column."""

import operator
import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Final

from datamig_pipelines.catalog import Column, DefaultKind, Table
from datamig_pipelines.spec import Cast, Migration
from datamig_pipelines.spec.table import When

_COMPARED: Final[dict[str, Callable[[int, int], bool]]] = {
    "": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def cast_of(table: Table, column: Column, migration: Migration) -> str | None:
    """Return the type of the first rule that means this column."""
    return next((c.to for c in migration.casts if _means(c.when, table, column)), None)


def unused_casts(tables: Iterable[Table], migration: Migration) -> list[Cast]:
    """Return the rules that mean no column of these tables."""
    columns = [(t, c) for t in tables for c in t.columns]
    return [c for c in migration.casts if not any(_means(c.when, t, o) for t, o in columns)]


def _means(when: When, table: Table, column: Column) -> bool:
    asked: list[tuple[object, Callable[[], bool]]] = [
        (when.type, lambda: _has_type(when.type or "", column)),
        (when.column, lambda: _is_called(when.column or "", table, column)),
        (when.unsigned, lambda: column.type.unsigned is when.unsigned),
        (when.precision, lambda: _has_precision(when.precision or "", column)),
        (when.auto_increment, lambda: column.identity is when.auto_increment),
        (when.not_null, lambda: column.nullable is not when.not_null),
        (when.default, lambda: _has_default(when.default or "", column)),
    ]
    return all(holds() for wanted, holds in asked if wanted is not None)


def _has_type(type_: str, column: Column) -> bool:
    return type_.lower() in {column.type.native.lower(), column.type.kind.value}


def _is_called(pattern: str, table: Table, column: Column) -> bool:
    names = (str(table.name), table.name.name)
    return any(fnmatchcase(f"{n}.{column.name}", pattern) for n in names)


def _has_precision(asked: str, column: Column) -> bool:
    found = re.fullmatch(r"([<>]=?)?\s*(\d+)", asked)
    digits = column.type.precision or column.type.length
    return bool(found and digits) and _COMPARED[found[1] or ""](digits or 0, int(found[2]))  # type: ignore[index]


def _has_default(value: str, column: Column) -> bool:
    default = column.default
    return default is not None and default.kind is DefaultKind.LITERAL and default.value == value
