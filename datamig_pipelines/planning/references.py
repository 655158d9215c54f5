"""Decides which foreign keys the target's tables get, and what these refer to."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from datamig_pipelines.catalog import ForeignKey, Key, Table, TableName
from datamig_pipelines.dialects import Dialect
from datamig_pipelines.dialects.capabilities import Referable
from datamig_pipelines.planning.naming import Names
from datamig_pipelines.planning.tables import known

Note = Callable[[str], None]


def plan_references(
    source: Table,
    target: Table,
    moved: dict[TableName, tuple[Table, dict[str, str]]],
    names: Names,
    note: Note,
) -> tuple[ForeignKey, ...]:
    """Return the foreign keys of a target table, renamed; those that cannot be are noted.

    ``moved`` maps a source table to its target table and its renamed columns.
    """
    kept = []
    renamed = moved[source.name][1]
    for key in source.foreign_keys:
        what = f"{source.name}: foreign key ({', '.join(key.columns)}) to {key.target}"
        parent = moved.get(key.target)
        if not key.valid:
            note(f"{what} is broken in the source itself and is left behind")
        elif parent is None:
            note(f"{what} is left behind, for that table is not moved")
        elif not known(key.columns, renamed) or not known(key.target_columns, parent[1]):
            note(f"{what} goes with the column that is left behind")
        else:
            wanted = key.name or f"fk_{target.name.name}_{'_'.join(key.columns)}"
            _note_halves(key, what, note)
            kept.append(
                replace(
                    key,
                    validated=True,
                    enforced=True,
                    columns=tuple(renamed[c] for c in key.columns),
                    target=parent[0].name,
                    target_columns=tuple(parent[1][c] for c in key.target_columns),
                    name=names.constraint(target.name, wanted),
                )
            )
    return tuple(kept)


def _note_halves(key: ForeignKey, what: str, note: Note) -> None:
    """Say that a reference will do more in the target than it does in the source."""
    if not key.validated:
        note(f"{what} leaves old rows alone there (NOT VALID); here every row is checked")
    if not key.enforced:
        note(f"{what} is switched off there (its triggers are disabled); here it is enforced")


def settle_references(tables: Sequence[Table], target: Dialect, note: Note) -> list[Table]:
    """Return tables whose references all lead to what the target lets one refer to.

    A unique index becomes a constraint where only these count; a reference to columns that are no
    key at all (MySQL allows it) is left behind, and noted.
    """
    found = {t.name: t for t in tables}
    for child in tables:
        kept = []
        for key in child.foreign_keys:
            parent = _referable(found[key.target], key, target, note)
            if parent is None:
                what = f"{child.name}: foreign key ({', '.join(key.columns)}) to {key.target}"
                columns = ", ".join(key.target_columns)
                note(f"{what} is left behind: ({columns}) is no key that {target.label} refers to")
                continue
            found[key.target] = parent
            kept.append(key)
        found[child.name] = replace(found[child.name], foreign_keys=tuple(kept))
    return [found[t.name] for t in tables]


def _referable(parent: Table, key: ForeignKey, target: Dialect, note: Note) -> Table | None:
    """Return the parent as the reference needs it, None if it cannot be what is referred to."""
    wanted, can = set(key.target_columns), target.can.referable
    if any(set(k.columns) == wanted for k in (parent.primary_key, *parent.uniques) if k):
        return parent
    for index in parent.indexes:
        plain = index.where is None and len(index.columns) == len(index.parts)
        if can is Referable.INDEX and set(index.columns[: len(wanted)]) == wanted:
            return parent
        if not (plain and index.unique and set(index.columns) == wanted):
            continue
        if can is not Referable.CONSTRAINT:
            return parent
        note(f"{parent.name}: unique index {index.name} becomes a constraint: it is referred to")
        return replace(
            parent,
            indexes=tuple(i for i in parent.indexes if i is not index),
            uniques=(*parent.uniques, Key(index.name, index.columns)),
        )
    return None
