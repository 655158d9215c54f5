"""In which form a proof compares a source column with its target column."""

from datamig_pipelines.catalog import Kind, Type

_TEXTS = (Kind.TEXT, Kind.CHAR, Kind.ENUM, Kind.SET, Kind.ANY, Kind.OTHER)
_NUMBERS = (Kind.INTEGER, Kind.YEAR, Kind.DECIMAL)


def compare_kind(source: Type, target: Type) -> Kind | None:
    """Return the form that both sides can be brought to without a loss, None if there is none."""
    a, b = source.kind, target.kind
    if Kind.CHAR in (a, b) and a in _TEXTS and b in _TEXTS:
        return Kind.CHAR
    if a in _TEXTS and b in _TEXTS:
        return Kind.TEXT
    if a is Kind.JSON and b is Kind.JSON:
        return Kind.JSON if source.binary or not target.binary else None
    if a is b:
        return a
    if a is Kind.DECIMAL and b is Kind.FLOAT:
        return Kind.DECIMAL
    if a in _NUMBERS and b in _NUMBERS:
        return Kind.DECIMAL if Kind.DECIMAL in (a, b) else Kind.INTEGER
    if {a, b} == {Kind.BOOLEAN, Kind.INTEGER}:
        return Kind.BOOLEAN
    if {a, b} == {Kind.DURATION, Kind.INTERVAL}:
        return Kind.DURATION
    if a is Kind.ARRAY and b is Kind.JSON:
        return Kind.JSON
    return a if b in _TEXTS else None
