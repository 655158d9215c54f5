"""The target's table is the planned one."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from hashlib import sha256

from typing_extensions import override

from datamig_pipelines.catalog import (
    Catalog,
    Column,
    Default,
    DefaultKind,
    Index,
    Kind,
    SchemaObject,
    Table,
    Type,
    View,
)
from datamig_pipelines.proofs.base import Evidence, Proof, ProofResult, Verdict

_SHOWN = 12
_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.YEAR)
_MOMENTS = (Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.TIME, Kind.TIMETZ, Kind.DURATION)
_TRUTH = {"1": "true", "0": "false"}


class Schema(Proof):
    """Compares everything that hangs on a table with the plan, by the target's own catalog."""

    name = "schema"
    says = (
        "the target's catalog has every column with its type and default, every key, reference, "
        "check, index and comment of the plan"
    )
    after_load = False

    @override
    def prove(self, evidence: Evidence) -> ProofResult:
        """Compare the planned table with the one that the target's catalog shows."""
        planned, actual = evidence.route.target, evidence.actual
        if actual is None:
            return self.result(
                evidence, Verdict.DIFFERENT, ("planned", "missing"), "there is no such table"
            )
        wanted = evidence.target.dialect.kept(planned)
        if evidence.checks_refused:
            wanted = replace(wanted, checks=())
        default = evidence.target.dialect.default_collation(evidence.target)
        missing = differences(wanted, actual, alike=evidence.alike)
        missing += _reset(wanted, actual, default)
        verdict = Verdict.DIFFERENT if missing else Verdict.EQUAL
        figures = (_size(planned), _size(actual))
        return self.result(
            evidence, verdict, figures, "missing: " + "; ".join(missing) if missing else ""
        )


def differences(planned: Table, actual: Table, *, alike: bool) -> list[str]:
    """Return what a planned table has and the actual one has not; more than planned is no fault.

    ``alike`` says that both were rendered by one version of one engine: then expressions must be
    the same text, else it is enough that there is one.
    """
    there = {c.name for c in actual.columns}
    gone = [f"column {c.name}" for c in planned.columns if c.name not in there]
    known = replace(planned, columns=tuple(c for c in planned.columns if c.name in there))
    found = [f for aspect in _ASPECTS for f in sorted(aspect(known, alike) - aspect(actual, alike))]
    fewer = len(planned.checks) - len(actual.checks)
    if fewer > 0 and not any(f.startswith("check ") for f in found):
        found.append(f"{fewer} of {len(planned.checks)} checks")
    return gone + found + _weakened(known, actual)


def _weakened(planned: Table, actual: Table) -> list[str]:
    """Return what is there and does less than it should. What is planned always does all."""
    keys = {k.columns for k in planned.foreign_keys}
    names = {c.name for c in planned.checks}
    mine = [k for k in actual.foreign_keys if k.columns in keys]
    found = [f"validity of foreign key {k.name} (NOT VALID)" for k in mine if not k.validated]
    found += [
        f"enforcement of foreign key {k.name} (its triggers are disabled)"
        for k in mine
        if not k.enforced
    ]
    found += [
        f"validity of check {c.name} (NOT VALID)"
        for c in actual.checks
        if not c.validated and c.name in names
    ]
    found += ["survival of a crash (unlogged)"] if actual.unlogged else []
    for column in planned.columns:
        other = actual.column(column.name)
        has = _collation(other) if other else ""
        if has and has != _collation(column):
            found.append(f"collation of {column.name} (it is {has})")
    return found


def _reset(planned: Table, actual: Table, default: str | None) -> list[str]:
    """Return the columns whose own order of texts is gone: they have the database's, ``default``.

    None: nobody knows it.
    """
    plain = {
        c.name for c in actual.columns if default is not None and _same(_collation(c), default)
    }
    return [
        f"collation of {c.name} (it is the database's)"
        for c in planned.columns
        if c.name in plain and not _same(_collation(c), default or "")
    ]


def _same(collation: str, default: str) -> bool:
    """Say whether a collation, '' for none of its own, is the default."""
    return collation.lower() in ("", default.lower())


def _collation(column: Column) -> str:
    """Return the order of a column's texts, '' where it is nothing of its own."""
    return column.collation or column.type.native.partition(" COLLATE ")[2].strip('"')


def _types(table: Table, alike: bool) -> set[str]:  # noqa: FBT001 (all aspects are called alike)
    return {f"type of {c.name}: {_type(c.type)}" for c in table.columns} | {
        f"domain of {c.name}: {c.domain}" for c in table.columns if c.domain and alike
    }


def _type(type_: Type) -> str:
    """Return a type in words that do not depend on how it is declared."""
    sizes = [type_.bits, type_.precision, type_.scale, type_.length, type_.fraction]
    words = [type_.kind.value, *(str(s) for s in sizes if s is not None)]
    words += ["unsigned"] if type_.unsigned else []
    words += ["binary"] if type_.binary else []
    words += [repr(v) for v in type_.values]
    words += [_type(type_.element)] if type_.element else []
    words += [type_.native.lower()] if type_.kind is Kind.OTHER else []
    return " ".join(words)


def _required(table: Table, _: bool) -> set[str]:  # noqa: FBT001 (see above)
    keyed = set(table.primary_key.columns) if table.primary_key else set()
    return {f"not null {c.name}" for c in table.columns if not c.nullable or c.name in keyed}


def _filled(table: Table, alike: bool) -> set[str]:  # noqa: FBT001 (see above)
    found = {f"identity {c.name}" for c in table.columns if c.identity}
    for column in table.columns:
        if column.generated is not None:
            found.add(f"generated {column.name}" + (f": {column.generated}" if alike else ""))
        elif column.default is not None and not column.identity:
            found.add(f"default of {column.name}: {_default(column, column.default, alike)}")
    return found


def _default(column: Column, default: Default, alike: bool) -> str:  # noqa: FBT001 (see above)
    if default.kind is not DefaultKind.LITERAL:
        return default.value if alike and default.value else "computed"
    value, kind = default.value, column.type.kind
    if kind in _NUMBERS:
        try:
            return f"{Decimal(_TRUTH.get(value, value)).normalize():f}"
        except InvalidOperation:
            return {"true": "1", "false": "0"}.get(value, value)
    if kind is Kind.BOOLEAN:
        return _TRUTH.get(value, value)
    if kind in _MOMENTS:
        value = value.removesuffix("+00")
        return value.rstrip("0").rstrip(".") if "." in value else value
    return value


def _primary(table: Table, _: bool) -> set[str]:  # noqa: FBT001 (see above)
    return {f"primary key ({', '.join(table.primary_key.columns)})"} if table.primary_key else set()


def _uniques(table: Table, _: bool) -> set[str]:  # noqa: FBT001 (see above)
    keys = {u.columns for u in table.uniques}
    keys |= {i.columns for i in table.indexes if i.unique and not i.where and _plain(i)}
    return {f"unique ({', '.join(sorted(k))})" for k in keys}


def _plain(index: Index) -> bool:
    return all(p.column is not None and p.prefix is None for p in index.parts)


def _references(table: Table, _: bool) -> set[str]:  # noqa: FBT001 (see above)
    return {
        f"foreign key ({', '.join(k.columns)}) to {k.target.name} ({', '.join(k.target_columns)})"
        + "".join(f" on {event} {action}" for event, action in _actions(k.on_delete, k.on_update))
        + (f" {k.deferrable}" if k.deferrable else "")
        for k in table.foreign_keys
        if k.valid
    }


def _actions(deleted: str, updated: str) -> Iterable[tuple[str, str]]:
    return [(e, a) for e, a in (("delete", deleted), ("update", updated)) if a]


def _checks(table: Table, alike: bool) -> set[str]:  # noqa: FBT001 (see above)
    return {f"check {c.name}: {c.expression}" for c in table.checks} if alike else set()


def _indexes(table: Table, alike: bool) -> set[str]:  # noqa: FBT001 (see above)
    return {f"index {i.name}{_shape(i, alike)}" for i in table.indexes}


def _shape(index: Index, alike: bool) -> str:  # noqa: FBT001 (see above)
    parts = [
        (p.column or (p.expression if alike else "an expression") or "")
        + (" desc" if p.descending else "")
        + (f"({p.prefix})" if p.prefix and alike else "")
        for p in index.parts
    ]
    words = ["unique"] if index.unique else []
    words += [index.method] if index.method and alike else []
    where = f" where {index.where}" if index.where and alike else ""
    words.append(f"({', '.join(parts)})" + (where or (" where" if index.where else "")))
    words += [f"including {', '.join(index.include)}"] if index.include else []
    return " " + " ".join(words)


def _comments(table: Table, _: bool) -> set[str]:  # noqa: FBT001 (see above)
    own = {f"comment: {table.comment}"} if table.comment else set()
    return own | {f"comment of {c.name}: {c.comment}" for c in table.columns if c.comment}


_ASPECTS = (
    _types,
    _required,
    _filled,
    _primary,
    _uniques,
    _references,
    _checks,
    _indexes,
    _comments,
)


def _size(table: Table) -> str:
    return (
        f"{len(table.columns)} columns, {len(table.foreign_keys)} foreign keys, "
        f"{len(table.indexes)} indexes"
    )


# ---- what is no table


def rendered(catalog: Catalog) -> dict[str, str]:
    """Return a digest of each view and object of a catalog, as its engine renders it."""
    found: dict[str, View | SchemaObject] = {f"view {v.name}": v for v in catalog.views}
    found |= {str(o): o for o in catalog.objects}
    return {
        name: sha256(
            (o.definition if isinstance(o, SchemaObject) else f"{o.options} {o.sql}").encode()
        ).hexdigest()[:16]
        for name, o in found.items()
    }


def prove_objects(made: Mapping[str, str], catalog: Catalog) -> ProofResult:
    """Compare what was made, by name and digest of what it looked like then, with what is there."""
    there = rendered(catalog)
    missing = [name for name in made if name not in there]
    changed = [n for n, digest in made.items() if digest and there.get(n, digest) != digest]
    detail = [f"missing: {', '.join(missing[:_SHOWN])}"] if missing else []
    detail += [f"changed: {', '.join(changed[:_SHOWN])}"] if changed else []
    verdict = Verdict.DIFFERENT if detail else Verdict.EQUAL
    found = len(made) - len(missing) - len(changed)
    figures = (f"{len(made)} made", f"{found} as they were made")
    return ProofResult(Schema.name, "views and objects", verdict, *figures, "; ".join(detail))
