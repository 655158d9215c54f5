"""In which form a proof compares a source column with its target column."""

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.parsing import PARSED, TEXTS

_TEXTS = (Kind.TEXT, Kind.CHAR, Kind.ENUM, Kind.SET, Kind.ANY, Kind.OTHER)
_NUMBERS = (Kind.INTEGER, Kind.YEAR, Kind.DECIMAL)
_WRITTEN = (Kind.JSON, Kind.ARRAY, Kind.OTHER, *TEXTS)
"""Kinds whose text may be a document; a column that normalises it writes another text."""
_CAST = (None, Kind.DATE, Kind.DOCUMENT)
_MICROSECONDS = 6
_MOMENTS = (Kind.TIMESTAMP, Kind.TIMESTAMPTZ)
_SECONDS = (Kind.TIME, Kind.TIMETZ, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)

# Sessions are in UTC, so that a moment with a zone and one without are cast into each other there.
_JOINED = {
    (Kind.DECIMAL, Kind.FLOAT): Kind.DECIMAL,
    (Kind.INTEGER, Kind.FLOAT): Kind.DECIMAL,
    (Kind.TIMESTAMP, Kind.TIMESTAMPTZ): Kind.TIMESTAMP,
    (Kind.TIMESTAMPTZ, Kind.TIMESTAMP): Kind.TIMESTAMP,
    (Kind.DATE, Kind.TIMESTAMP): Kind.TIMESTAMP,
    (Kind.DATE, Kind.TIMESTAMPTZ): Kind.TIMESTAMP,
    (Kind.DURATION, Kind.TIME): Kind.TIME,
    (Kind.TIME, Kind.DURATION): Kind.TIME,
    (Kind.BOOLEAN, Kind.INTEGER): Kind.BOOLEAN,
    (Kind.INTEGER, Kind.BOOLEAN): Kind.BOOLEAN,
    (Kind.DURATION, Kind.INTERVAL): Kind.DURATION,
    (Kind.INTERVAL, Kind.DURATION): Kind.DURATION,
    (Kind.FLOAT, Kind.DECIMAL): Kind.DECIMAL,
    (Kind.FLOAT, Kind.INTEGER): Kind.DECIMAL,
    (Kind.TIMESTAMP, Kind.DATE): Kind.DATE,
    (Kind.TIMESTAMPTZ, Kind.DATE): Kind.DATE,
    (Kind.BLOB, Kind.UUID): Kind.UUID,
    (Kind.UUID, Kind.BLOB): Kind.UUID,
}


def compare_kind(source: Type, target: Type) -> Kind | None:
    """Return the form that both sides can be brought to without a loss, None if there is none."""
    a, b = source.kind, target.kind
    if a in _TEXTS and b in _TEXTS:
        return Kind.CHAR if Kind.CHAR in (a, b) else Kind.TEXT
    if a is b and b is not Kind.JSON:
        return a
    if a in _NUMBERS and b in _NUMBERS:
        return Kind.DECIMAL if Kind.DECIMAL in (a, b) else Kind.INTEGER
    if a in _MOMENTS and b is Kind.TIME:
        whole = target.fraction in (None, _MICROSECONDS)
        return (Kind.TIME if whole else None) if target.strict else Kind.TIMESTAMP
    if b is Kind.JSON:
        return _of_json(source, target)
    parsed = b if a in TEXTS and b in (*PARSED, Kind.BLOB) else None
    return parsed or _JOINED.get((a, b)) or (a if b in _TEXTS else None)


def _of_json(source: Type, target: Type) -> Kind | None:
    """Return the form of what becomes JSON; a text that a column normalises is a document."""
    if target.binary and not source.binary and source.kind in _WRITTEN:
        return Kind.DOCUMENT
    if source.kind in TEXTS:
        return Kind.TEXT
    return Kind.JSON if source.kind in (Kind.JSON, Kind.ARRAY) else None


def changes(source: Type, target: Type) -> bool:
    """Say whether a cast may change the value, so that a proof must know what becomes of it."""
    a, b = source.kind, target.kind
    if {a, b} <= {*_TEXTS} or a is b is Kind.BLOB or source.same_as(target):
        return False
    if b is Kind.DECIMAL and target.scale is not None:
        return a in (Kind.FLOAT, *TEXTS) or (a is Kind.DECIMAL and _finer(source, target))
    if a is b is Kind.FLOAT:
        return (source.bits or 64) > (target.bits or 64)
    if a is b and b in _SECONDS:
        return target.fraction is not None and _digits(source) > target.fraction
    if a in _MOMENTS and b is Kind.TIME:
        return True
    return a in TEXTS or Kind.BLOB in (a, b) or compare_kind(source, target) in _CAST


def _finer(source: Type, target: Type) -> bool:
    return source.scale is None or source.scale > (target.scale or 0)


def _digits(type_: Type) -> int:
    return 6 if type_.fraction is None else type_.fraction
