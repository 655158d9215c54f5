"""What Parquet files hold, as DuckDB writes and reads them back."""

from datamig_pipelines.catalog.types import Kind, Type
from datamig_pipelines.dialects.duckdb import types

_TEXT = Type(Kind.TEXT, native="VARCHAR")
_NOTES = {
    Kind.BITS: "kept as text: Parquet has no bits",
    Kind.ENUM: "any text may be written: the list of values is not kept",
    Kind.UUID: "kept as text, which every reader of Parquet understands",
    Kind.TIMETZ: "kept as text: Parquet keeps no zone with a time",
    Kind.INTERVAL: "kept as text: Parquet's interval has no microseconds",
    Kind.DURATION: "kept as text: Parquet has no such type",
    Kind.OTHER: "kept as text",
}


def declare(type_: Type) -> tuple[Type, str]:
    """Return how a Parquet file holds a logical type, and what is lost or changed by it.

    What a file would give back as another type (HUGEINT as a double) is kept as text.
    """
    if type_.kind in _NOTES:
        return _TEXT, _NOTES[type_.kind]
    held, note = types.declare(type_)
    if held.kind is Kind.ARRAY:
        return _array(held, note)
    if lost := _lost(held):
        return _TEXT, lost
    if held.kind is Kind.TEXT:
        return _TEXT, note
    return (_named("TIMESTAMP") if held.native in _COARSE else held), note


_COARSE = ("TIMESTAMP_S", "TIMESTAMP_MS")  # come back in microseconds


def _lost(held: Type) -> str:
    """Return why a file would not give one of DuckDB's types back, '' if it does."""
    if held.kind is Kind.INTEGER and (held.bits or 64) > 64:
        return "kept as text: Parquet has no integer of more than 64 bits"
    if held.kind is Kind.TIME and (held.fraction or 0) > 6:
        return "kept as text: a time finer than microseconds"
    if held.kind is Kind.DECIMAL and held.precision is None:
        return "a number without bounds is kept as text; give it a cast"
    return ""


def _named(name: str) -> Type:
    found = types.parse(name)
    assert found is not None  # noqa: S101 (one of DuckDB's own names; narrows the type)
    return found


def _array(held: Type, note: str) -> tuple[Type, str]:
    """Return a list whose elements a file keeps; any other becomes JSON."""
    element = held.element
    if element is None or declare(element)[0] != element:
        return _named("JSON"), "a list of these is kept as JSON"
    named = types.parse(f"{element.native}[]")
    return (named or held), note
