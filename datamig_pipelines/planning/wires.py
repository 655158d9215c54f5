"""Chooses the wires of a table: the fastest pair that keeps every value."""

from collections.abc import Sequence
from dataclasses import dataclass

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.reading import KeyPart, Projection
from datamig_pipelines.errors import NotYetError
from datamig_pipelines.planning.columns import Engines
from datamig_pipelines.planning.keys import ChosenKey
from datamig_pipelines.transfer.encoders import pairs
from datamig_pipelines.transfer.rows import BINARY_KEYS

_DIGITS = {Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.YEAR}


@dataclass(frozen=True)
class ChosenWires:
    """Both wires, and the key as far as the source's wire can show it."""

    sends: Wire
    takes: Wire
    key: ChosenKey


def choose_wires(
    engines: Engines,
    columns: Sequence[Projection],
    key: ChosenKey,
    *,
    transformed: bool,
    where: str = "",
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
            if fits and _suits(engines, sends, columns, key, where):
                return ChosenWires(sends, takes, _visible(sends, columns, key))
    msg = f"no data path from {engines.source.label} to {engines.target.label}"
    raise NotYetError(msg, hint="docs/engines.md lists the pairs that work.")


def _suits(
    engines: Engines, sends: Wire, columns: Sequence[Projection], key: ChosenKey, where: str
) -> bool:
    """Say whether this very table can leave on a wire that its engine has."""
    if sends is Wire.COPY_BINARY:
        return _identical(engines, columns, key)
    return engines.source.can_send(sends, columns, key.parts, where)


def _identical(engines: Engines, columns: Sequence[Projection], key: ChosenKey) -> bool:
    """Say whether the target can read the source's own binary rows, and we the keys in them."""
    same = all(c.plain and c.type == c.into and not _names_objects(c.type) for c in columns)
    return engines.same and same and all(p.type.kind in BINARY_KEYS for p in key.parts)


def _names_objects(type_: Type) -> bool:
    """Say whether the binary form may hold numbers of the source's own catalog.

    An array holds that of its element's type, a composite those of its fields, a regclass is one.
    """
    if type_.kind is Kind.ARRAY and type_.element is not None:
        return type_.element.kind is Kind.ENUM or _names_objects(type_.element)
    return type_.kind is Kind.OTHER


def _visible(sends: Wire, columns: Sequence[Projection], key: ChosenKey) -> ChosenKey:
    """Return the key if rows on the wire show it, as it is; cells and columns carry it apart."""
    if sends in (Wire.CELLS, Wire.ARROW) or all(
        any(_shows(c, p) for c in columns) for p in key.parts
    ):
        return key
    return ChosenKey((), (), "the key is not among the columns that are moved as they are")


def _shows(column: Projection, part: KeyPart) -> bool:
    """Say whether a column's text on the wire is the text of the key."""
    held, into = column.type.kind, column.into.kind
    kept = held is into or into in (Kind.TEXT, Kind.CHAR) or {held, into} <= _DIGITS
    return column.sql == part.sql and kept
