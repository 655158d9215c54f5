"""User-defined types: enums, domains, composite types, arrays of them."""

import re
from dataclasses import dataclass, field
from typing import Final

from datamig_pipelines.catalog import Check, Column, Kind, Type
from datamig_pipelines.dialects.base import Queryable
from datamig_pipelines.dialects.postgres.defaults import strip_parentheses
from datamig_pipelines.dialects.postgres.naming import quote, shortened
from datamig_pipelines.dialects.postgres.types import EXTENSION_OF, array_of, parse_type

_TYPES: Final = """
SELECT t.oid, n.nspname, t.typname, t.typtype::text, t.typcategory::text, t.typelem, t.typbasetype,
  CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END, t.typnotnull,
  pg_get_expr(t.typdefaultbin, 0),
  ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder),
  ARRAY(SELECT format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod))
    FROM pg_attribute a
    WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.oid IN (SELECT atttypid FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s) AND a.attnum > 0)
  OR n.nspname <> 'pg_catalog' OR t.typelem = 0 AND t.typtype = 'b'"""

_CHECKS: Final = """
SELECT contypid, conname, pg_get_expr(conbin, 0) FROM pg_constraint
WHERE contype = 'c' AND contypid <> 0 ORDER BY conname"""

_VALUE: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\bVALUE\b")


@dataclass(frozen=True)
class _Known:
    """One line of pg_type."""

    schema: str
    name: str
    kind: str
    category: str
    element: int
    base: int
    base_declaration: str
    not_null: bool
    default: str | None
    labels: list[str]
    attributes: list[str]


@dataclass
class Types:
    """The types of a database as the tables of one schema name them."""

    schema: str
    known: dict[int, _Known]
    checks: dict[int, list[tuple[str, str]]]
    domains: dict[tuple[int, str], int] = field(default_factory=dict)
    """The domain of a column, by the table's oid and the column's name."""

    def type_of(self, oid: int, declaration: str) -> Type:
        """Return the logical type of a type's oid and what ``format_type`` says of it."""
        known = self.known.get(oid)
        if known is None:
            return parse_type(declaration)
        if known.kind == "d":
            return self.type_of(known.base, known.base_declaration)
        if known.category == "A" and known.element:
            return array_of(self.type_of(known.element, declaration.removesuffix("[]")))
        if known.kind in "ec":
            kind = Kind.ENUM if known.kind == "e" else Kind.OTHER
            return Type(
                kind, values=tuple(known.labels or known.attributes), native=self._name(known)
            )
        bare = declaration.removeprefix(f"{known.schema}.")
        if known.schema == "pg_catalog" or known.name in EXTENSION_OF:
            return parse_type(bare)
        return Type(Kind.OTHER, native=f"{quote(known.schema)}.{bare}")

    def _name(self, known: _Known) -> str:
        name = quote(known.name)
        return name if known.schema == self.schema else f"{quote(known.schema)}.{name}"

    def domain(self, oid: int) -> str:
        """Return the name of a domain as a column declares it, '' for any other type."""
        return self._name(self.known[oid]) if self.is_domain(oid) else ""

    def is_domain(self, oid: int) -> bool:
        """Say whether a type is a domain."""
        return oid in self.known and self.known[oid].kind == "d"

    def not_null(self, oid: int) -> bool:
        """Say whether a domain, or one that it is made of, refuses NULL."""
        return self.is_domain(oid) and (
            self.known[oid].not_null or self.not_null(self.known[oid].base)
        )

    def default(self, oid: int) -> str | None:
        """Return the default of a domain."""
        if not self.is_domain(oid):
            return None
        return self.known[oid].default or self.default(self.known[oid].base)

    def domain_checks(self, table: int, columns: tuple[Column, ...]) -> tuple[Check, ...]:
        """Return the checks of the domains of a table's columns, as checks of the table."""
        checks = []
        for column in columns:
            domain = self.domains.get((table, column.name), 0)
            while self.is_domain(domain):
                checks += [
                    Check(
                        shortened(f"{column.name}_{name}", ""),
                        _about(column.name, expression),
                        domain=column.name,
                    )
                    for name, expression in self.checks.get(domain, [])
                ]
                domain = self.known[domain].base
        return tuple(checks)


def _about(column: str, expression: str) -> str:
    """Return a domain's check with the column's name for ``VALUE``."""
    named = _VALUE.sub(lambda m: quote(column) if m[0] == "VALUE" else m[0], expression)
    return strip_parentheses(named)


def read_types(session: Queryable, schema: str) -> Types:
    """Read all types that columns of a schema may have."""
    known = {int(row[0]): _Known(*row[1:]) for row in session.query(_TYPES, (schema,))}
    checks: dict[int, list[tuple[str, str]]] = {}
    for oid, name, expression in session.query(_CHECKS):
        checks.setdefault(oid, []).append((name, expression))
    return Types(schema, known, checks)
