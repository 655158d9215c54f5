"""Decides what becomes of each column."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from datamig_pipelines.catalog import Check, Column, Default, DefaultKind, Kind, Table, Type
from datamig_pipelines.dialects import Dialect
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.reading import Cast, Projection
from datamig_pipelines.errors import ColumnMissingError, PlanError, SpecError
from datamig_pipelines.planning.casts import cast_of
from datamig_pipelines.planning.comparing import changes, compare_kind
from datamig_pipelines.planning.expressions import Renames, translated
from datamig_pipelines.planning.naming import Style, styled
from datamig_pipelines.spec import ColumnSpec, Migration, TableSpec

Note = Callable[[str], None]
_WORDED = (Kind.TEXT, Kind.CHAR, Kind.ANY)
_MOMENTS = (Kind.DATE, Kind.TIME, Kind.TIMETZ, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)


@dataclass(frozen=True)
class Engines:
    """Both dialects of a migration.

    ``types`` are the names of all types that the target's columns may have, if it tells them.
    """

    source: Dialect
    target: Dialect
    types: frozenset[str] = frozenset()

    @property
    def same(self) -> bool:
        """Say whether both sides are the same engine."""
        return self.source.name == self.target.name


@dataclass(frozen=True)
class PlannedColumns:
    """The target's columns, those of them that are loaded, and old name → new name.

    ``computed`` are those that the target generates itself: nobody loads them, proofs compare them.
    ``checks`` are proposals without a name that is free for sure.
    """

    columns: tuple[Column, ...]
    loaded: tuple[Projection, ...]
    computed: tuple[Projection, ...]
    renamed: dict[str, str]
    renames: Renames
    checks: tuple[Check, ...]


def plan_columns(
    table: Table, spec: TableSpec | None, migration: Migration, engines: Engines, note: Note
) -> PlannedColumns:
    """Decide name, type, default and rendering of every column of the target's table.

    Raises:
        ColumnMissingError: The spec names a column that is neither there nor made by an expression.
        TypeUnsupportedError: A type has no home in the target.
    """
    specs = dict(spec.columns) if spec else {}
    renames = {
        c.name: _new_name(c, specs.get(c.name, ColumnSpec()), migration.names)
        for c in table.columns
    }
    columns: list[Column] = []
    loaded: list[Projection] = []
    computed: list[Projection] = []
    checks: list[Check] = []
    for column in table.columns:
        said = specs.pop(column.name, ColumnSpec())
        where = f"{table.name}.{column.name}"
        if said.drop:
            note(f"{where} is left behind, as the spec says")
            continue
        wanted = said.type or cast_of(table, column, migration)
        planned = _existing(column, (said, wanted, renames), engines, _prefixed(note, where))
        planned = _counting(table, column, planned, engines, _prefixed(note, where))
        columns.append(planned)
        sql = said.expression or engines.source.quote(column.name)
        yields = planned.type if said.expression and said.type else column.type
        arriving = loaded if planned.generated is None else computed
        arriving.append(_projection(planned, sql, yields, engines, plain=not said.expression))
        checks += _enum_check(table, column, planned, engines)
    for name, said in specs.items():
        planned, sql = _added(table, name, said, spec, engines)
        columns.append(planned)
        loaded.append(_projection(planned, sql, planned.type, engines, plain=False))
    if spec is not None and spec.transform:
        loaded = [_made_by_a_function(c) for c in loaded]
    return PlannedColumns(
        tuple(columns),
        tuple(loaded),
        tuple(computed),
        {old: new for old, new in renames.items() if new is not None},
        renames,
        tuple(checks),
    )


def _new_name(column: Column, said: ColumnSpec, style: Style) -> str | None:
    return None if said.drop else said.rename or styled(column.name, style)


def _projection(
    planned: Column, sql: str, type_: Type, engines: Engines, *, plain: bool
) -> Projection:
    into = planned.type
    form = compare_kind(type_, into)
    made = Projection(planned.name, sql, type_, into, form, plain)
    if type_.kind in _WORDED and into.kind in _MOMENTS and engines.target.can.loads_by_cast:
        made = replace(made, sql=engines.source.without_words(sql), plain=False)
    if not changes(type_, into):
        return made
    cast = _cast(made, engines)
    if cast is None:
        return replace(made, compare=None) if _in_digits(made, engines) else made
    form = into.kind if type_.kind is Kind.BLOB else form or into.kind
    return replace(made, compare=form, cast=cast)


def _in_digits(column: Projection, engines: Engines) -> bool:
    """Say whether a blob travels as digits, so that a text made of it is not its own bytes."""
    lines = Wire.COPY_TEXT in engines.source.can.sends
    text = column.type.kind is Kind.BLOB is column.compare
    return text and lines and Wire.COPY_TEXT in engines.target.can.takes


def _made_by_a_function(column: Projection) -> Projection:
    """Return a column of a function's values: no cast of the source says what they become."""
    known = column.type.kind is column.into.kind or not changes(column.type, column.into)
    return replace(column, cast=None, compare=column.compare if known else None)


def _cast(column: Projection, engines: Engines) -> Cast | None:
    """Return what becomes of a value where the target takes it otherwise than it was sent."""
    if column.type.kind is column.into.kind is Kind.FLOAT:
        return Cast(engines.source.single(column.sql), replace(column.type, bits=32))
    if _in_digits(column, engines):
        return engines.source.cast(column.sql, column.type, column.into, own=True)
    if not engines.target.can.loads_by_cast:
        return None
    return engines.source.cast(column.sql, column.type, column.into, own=engines.same)


def _prefixed(note: Note, where: str) -> Note:
    return lambda text: note(f"{where}: {text}")


def _existing(
    column: Column, asked: tuple[ColumnSpec, str | None, Renames], engines: Engines, note: Note
) -> Column:
    said, wanted, renames = asked
    type_ = _type(column, wanted, engines, note)
    generated = None
    if column.generated is not None and said.expression:
        note(
            f"generated as {column.generated}: kept as plain values, as the spec has an expression"
        )
    elif column.generated is not None:
        if not engines.target.can.only_rows:
            generated = translated(column.generated, engines.source, engines.target, renames)
        if generated is None:
            note(
                f"generated as {column.generated}, which has no counterpart in "
                f"{engines.target.label}: kept as plain values"
            )
    identity = column.identity and type_.kind is Kind.INTEGER
    return Column(
        name=renames[column.name] or column.name,
        type=type_,
        nullable=column.nullable,
        default=None if generated or identity else _default(column, engines, type_, note),
        identity=identity,
        generated=generated,
        comment=column.comment,
        domain="" if wanted or not engines.same or '"."' in column.domain else column.domain,
    )


def _counting(
    table: Table, column: Column, planned: Column, engines: Engines, note: Note
) -> Column:
    """Return the planned column, which counts by itself only where the target lets it."""
    alone = table.primary_key is not None and table.primary_key.columns == (column.name,)
    if planned.identity and not (alone or engines.target.can.counts_any_column):
        planned = replace(planned, identity=False)
    if column.identity and not planned.identity:
        note(f"does not count by itself any more: {engines.target.label} cannot do that here")
    return planned


def _type(column: Column, wanted: str | None, engines: Engines, note: Note) -> Type:
    if wanted:
        note(f"{column.type} becomes {wanted}, as the spec says")
        return parsed_type(wanted, engines)
    type_, lost = engines.target.declare(column.type)
    if lost:
        note(f"{column.type} becomes {type_}: {lost}")
    return type_


def parsed_type(declaration: str, engines: Engines) -> Type:
    """Return a type that the user wrote in the target's words. Raises SpecError."""
    dialect = engines.target
    try:
        type_ = dialect.parse_type(declaration)
    except (ValueError, KeyError, PlanError) as error:
        raise _unknown(declaration, dialect) from error
    inner = type_
    while inner.element is not None:
        inner = inner.element
    bare = inner.native.partition("(")[0].rpartition(".")[2].strip(' "')
    if inner.kind is Kind.OTHER and engines.types and bare not in engines.types:
        raise _unknown(declaration, dialect)
    return type_


def _unknown(declaration: str, dialect: Dialect) -> SpecError:
    msg = f"{dialect.label} has no type {declaration!r}"
    return SpecError(msg, hint="Write the type as in CREATE TABLE of the target.")


def _default(column: Column, engines: Engines, type_: Type, note: Note) -> Default | None:
    default = column.default
    if default is None:
        return None
    if default.kind is DefaultKind.EXPRESSION:
        sql = translated(default.value, engines.source, engines.target, {})
        if sql is None:
            note(f"the default {default.value} has no counterpart and is left behind")
            return None
        default = replace(default, value=sql)
    if engines.target.default_sql(default, type_) is None:
        note(
            f"the default {default.kind.value} {default.value} has no counterpart "
            "and is left behind"
        )
        return None
    return default


def _enum_check(table: Table, column: Column, planned: Column, engines: Engines) -> list[Check]:
    if (
        column.type.kind is not Kind.ENUM
        or planned.type.kind is Kind.ENUM
        or not column.type.values
    ):
        return []
    name = f"{table.name.name}_{planned.name}_values"
    return [Check(name, engines.target.one_of(planned.name, column.type.values))]


def _added(
    table: Table, name: str, said: ColumnSpec, spec: TableSpec | None, engines: Engines
) -> tuple[Column, str]:
    transformed = spec is not None and spec.transform is not None
    if said.type is None or not (said.expression or transformed) or said.drop:
        msg = f"{table.name} has no column {name!r}"
        known = ", ".join(c.name for c in table.columns)
        hint = (
            f"It has {known}. A new column needs type, and expression or a transform of the table."
        )
        raise ColumnMissingError(msg, hint=hint)
    type_ = parsed_type(said.type, engines)
    return Column(said.rename or name, type_), said.expression or "NULL"
