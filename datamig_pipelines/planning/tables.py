"""Decides how the target's tables look: names, keys, references, indexes, checks, counters."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from datamig_pipelines.catalog import Check, Index, IndexPart, Key, Table, TableName
from datamig_pipelines.dialects import Dialect
from datamig_pipelines.planning.columns import Engines, PlannedColumns
from datamig_pipelines.planning.expressions import translated
from datamig_pipelines.planning.naming import Names

Note = Callable[[str], None]


def plan_table(
    source: Table,
    name: TableName,
    planned: PlannedColumns,
    engines: Engines,
    names: Names,
    note: Note,
) -> Table:
    """Return the target's table without foreign keys, which need all tables to be known."""
    return Table(
        name=name,
        columns=planned.columns,
        primary_key=_primary_key(source, name, planned, engines, names, note),
        uniques=_uniques(source, name, planned, engines, names, note),
        indexes=_indexes(source, name, planned, engines, names, note),
        checks=_checks(source, name, planned, engines, names, note),
        counters=tuple(
            (planned.renamed[c], n)
            for c, n in source.counters
            if c in planned.renamed and _identity(planned, planned.renamed[c])
        ),
        rows=source.rows,
        comment=source.comment,
        partition_by=source.partition_by if _parted_alike(source, planned, engines) else "",
    )


def _parted_alike(source: Table, planned: PlannedColumns, engines: Engines) -> bool:
    """Say whether the target can be partitioned as the source is: the same columns, unchanged."""
    same = [(c.name, c.type) for c in planned.columns] == [(c.name, c.type) for c in source.columns]
    return engines.same and same


def _identity(planned: PlannedColumns, name: str) -> bool:
    return any(c.name == name and c.identity for c in planned.columns)


def _key(
    source: Table, key: Key | None, planned: PlannedColumns, engines: Engines, note: Note
) -> Key | None:
    if key is None:
        return None
    if any(c not in planned.renamed for c in key.columns):
        note(
            f"{source.name}: the key ({', '.join(key.columns)}) goes with the column that is "
            "left behind"
        )
        return None
    if kind := _unindexable(key.columns, planned, engines):
        note(
            f"{source.name}: the key ({', '.join(key.columns)}) is left behind: "
            f"{engines.target.label} makes none of {kind}, so nothing keeps equal rows out"
        )
        return None
    if key.ignores_case and not engines.same:
        note(
            f"{source.name}: the key ({', '.join(key.columns)}) takes 'a' and 'A' for equal there "
            "and for two here: rows that the source refuses are taken"
        )
    return Key(key.name, tuple(planned.renamed[c] for c in key.columns))


def _unindexable(columns: Sequence[str], planned: PlannedColumns, engines: Engines) -> str:
    """Return the kind of a column that the target makes no key or index of, '' if it makes one."""
    kinds = {c.name: c.type.kind for c in planned.columns}
    mine = (kinds[planned.renamed[c]] for c in columns)
    return next((str(k) for k in mine if k in engines.target.can.unindexable), "")


def _primary_key(
    source: Table,
    name: TableName,
    planned: PlannedColumns,
    engines: Engines,
    names: Names,
    note: Note,
) -> Key | None:
    key = _key(source, source.primary_key, planned, engines, note)
    if key is None or key.name in ("", "PRIMARY"):
        return key
    return replace(key, name=_named(key.name, name, names))


def _named(wanted: str, table: TableName, names: Names) -> str:
    """Return a name for a key: it is a constraint of its table and an index of the schema."""
    return names.constraint(table, names.relation(table.schema, table.name, wanted))


def _uniques(
    source: Table,
    name: TableName,
    planned: PlannedColumns,
    engines: Engines,
    names: Names,
    note: Note,
) -> tuple[Key, ...]:
    kept = []
    for unique in source.uniques:
        key = _key(source, unique, planned, engines, note)
        if key is not None:
            wanted = key.name or f"uq_{name.name}_{'_'.join(key.columns)}"
            kept.append(Key(_named(wanted, name, names), key.columns))
    return tuple(kept)


def _indexes(
    source: Table,
    name: TableName,
    planned: PlannedColumns,
    engines: Engines,
    names: Names,
    note: Note,
) -> tuple[Index, ...]:
    kept = []
    for index in source.indexes:
        where = f"{source.name}: index {index.name}"
        moved = _index(index, planned, engines, lambda text, w=where: note(f"{w} {text}"))  # type: ignore[misc]
        if moved is not None:
            kept.append(replace(moved, name=names.relation(name.schema, name.name, index.name)))
    return tuple(kept)


def _index(index: Index, planned: PlannedColumns, engines: Engines, note: Note) -> Index | None:
    renamed = planned.renamed
    if any(c not in renamed for c in (*index.columns, *index.include)):
        note("goes with the column that is left behind")
        return None
    if why := _impossible(index, planned, engines):
        note(why)
        return None
    parts = [_part(p, planned, engines) for p in index.parts]
    where = _translated(index.where, planned, engines) if index.where else None
    if any(p is None for p in parts) or (index.where and where is None):
        note("has an expression that cannot be translated")
        return None
    if where and not engines.target.can.partial_indexes:
        note("is partial, which has no counterpart here")
        return None
    _note_losses(index, engines, note)
    return replace(
        index,
        parts=tuple(p for p in parts if p is not None),
        where=where,
        include=tuple(renamed[c] for c in index.include) if engines.same else (),
    )


def _impossible(index: Index, planned: PlannedColumns, engines: Engines) -> str:
    """Return why the target has no such index, '' if it may have one."""
    if kind := _unindexable(index.columns, planned, engines):
        return f"is left behind: {engines.target.label} makes none of {kind}"
    full = index.method == "fulltext" and engines.target.can.fulltext_indexes
    if index.method and not engines.same and not full:
        return f"is a {index.method} index, which has no counterpart here"
    if index.unique and any(p.prefix for p in index.parts) and not engines.same:
        return "is unique over a prefix, which has no counterpart here"
    return ""


def _note_losses(index: Index, engines: Engines, note: Note) -> None:
    """Say what an index that is moved does not keep."""
    if index.method == "fulltext" and not engines.same:
        note("is a full text index there and one over words here: queries say it otherwise")
    if any(p.prefix for p in index.parts) and not engines.same:
        note("covers a prefix there and the whole column here")
    if any(p.descending for p in index.parts) and not engines.target.can.descending_indexes:
        note("is ascending here")
    if index.include and not engines.same:
        note(f"does not include {', '.join(index.include)} here")


def _part(part: IndexPart, planned: PlannedColumns, engines: Engines) -> IndexPart | None:
    prefix = part.prefix if engines.same else None
    part = replace(part, descending=part.descending and engines.target.can.descending_indexes)
    if part.column is not None:
        return replace(part, column=planned.renamed[part.column], prefix=prefix)
    if not engines.target.can.expression_indexes:
        return None
    sql = _translated(part.expression or "", planned, engines)
    return replace(part, expression=sql) if sql else None


def _translated(sql: str, planned: PlannedColumns, engines: Engines) -> str | None:
    return translated(sql, engines.source, engines.target, planned.renames)


def _checks(
    source: Table,
    name: TableName,
    planned: PlannedColumns,
    engines: Engines,
    names: Names,
    note: Note,
) -> tuple[Check, ...]:
    kept = list(planned.checks)
    having = {c.name for c in planned.columns if c.domain}
    for number, check in enumerate(source.checks, 1):
        if planned.renamed.get(check.domain) in having:
            continue  # the domain keeps it
        sql = _translated(check.expression, planned, engines)
        if sql is None:
            note(
                f"{source.name}: the check {check.expression} cannot be translated, or goes with a "
                "column that is left behind"
            )
        else:
            if not check.validated:
                note(
                    f"{source.name}: the check {check.name} leaves old rows alone there "
                    "(NOT VALID); here every row is checked"
                )
            kept.append(Check(check.name or f"{source.name.name}_check_{number}", sql))
    return tuple(replace(c, name=names.constraint(name, c.name)) for c in kept)


def known(columns: Sequence[str], renamed: dict[str, str]) -> bool:
    """Say whether columns of the source all have a name in the target."""
    return all(c in renamed for c in columns)


def losses(name: str, planned: Table, target: Dialect) -> list[str]:
    """Return what the target does not keep of a planned table's references and comments."""
    kept, found = target.kept(planned), []
    for key, arrived in zip(planned.foreign_keys, kept.foreign_keys, strict=True):
        what = f"{name}: foreign key ({', '.join(key.columns)})"
        plain = {"", "RESTRICT", "NO ACTION"}  # all of them refuse
        asked = [(key.on_delete, arrived.on_delete), (key.on_update, arrived.on_update)]
        if any(a != b and not {a, b} <= plain for a, b in asked):
            found.append(f"{what} loses its ON DELETE / ON UPDATE, which {target.label} cannot do")
        if key.deferrable and not arrived.deferrable:
            found.append(f"{what} is checked at once: {target.label} cannot defer it")
    pairs = [(planned.comment, kept.comment)]
    pairs += [(c.comment, k.comment) for c, k in zip(planned.columns, kept.columns, strict=True)]
    gone, cut = [p for p in pairs if p[0] and not p[1]], [p for p in pairs if p[1] and p[0] != p[1]]
    if gone:
        found.append(f"{name}: {len(gone)} comments are left behind: {target.label} has none")
    if cut:
        found.append(f"{name}: {len(cut)} comments are cut to what {target.label} keeps")
    return found
