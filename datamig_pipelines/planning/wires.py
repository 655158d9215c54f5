"""Chooses the wires of a table: the fastest pair that keeps every value."""

from collections.abc import Sequence
from dataclasses import dataclass

from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.reading import Projection
from datamig_pipelines.errors import NotYetError
from datamig_pipelines.planning.columns import Engines
from datamig_pipelines.planning.keys import ChosenKey
from datamig_pipelines.transfer.encoders import pairs
from datamig_pipelines.transfer.rows import BINARY_KEYS


@dataclass(frozen=True)
class ChosenWires:
    """Both wires, and the key as far as the source's wire can show it."""

    sends: Wire
    takes: Wire
    key: ChosenKey


def choose_wires(
    engines: Engines, columns: Sequence[Projection], key: ChosenKey, *, transformed: bool
) -> ChosenWires:
    """Return the first pair of wires, in the order of the engines' preference, that fits the table.

    Raises:
        NotYetError: There is none.
    """
    joined = pairs()
    for sends in engines.source.can.sends:
        for takes in engines.target.can.takes:
            if transformed:
                fits = sends in (Wire.COPY_TEXT, Wire.CELLS) and (Wire.CELLS, takes) in joined
            else:
                fits = (sends, takes) in joined
            if fits and (sends is not Wire.COPY_BINARY or _identical(engines, columns, key)):
                return ChosenWires(sends, takes, _visible(sends, columns, key))
    msg = f"no data path from {engines.source.label} to {engines.target.label}"
    raise NotYetError(msg, hint="docs/engines.md lists the pairs that work.")


def _identical(engines: Engines, columns: Sequence[Projection], key: ChosenKey) -> bool:
    """Say whether the target can read the source's own binary rows, and we the keys in them."""
    same = all(c.plain and c.type == c.into for c in columns)
    return engines.same and same and all(p.type.kind in BINARY_KEYS for p in key.parts)


def _visible(sends: Wire, columns: Sequence[Projection], key: ChosenKey) -> ChosenKey:
    if sends is Wire.CELLS or all(any(c.sql == p.sql for c in columns) for p in key.parts):
        return key
    return ChosenKey((), (), "the key is not among the columns that are moved")
