"""In which form a proof compares a source column with its target column."""

from datamig_pipelines.catalog import Kind, Type

_TEXTS = (Kind.TEXT, Kind.CHAR, Kind.ENUM, Kind.SET, Kind.ANY, Kind.OTHER)
_NUMBERS = (Kind.INTEGER, Kind.YEAR, Kind.DECIMAL)


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
    (Kind.ARRAY, Kind.JSON): Kind.JSON,
}


def compare_kind(source: Type, target: Type) -> Kind | None:
    """Return the form that both sides can be brought to without a loss, None if there is none."""
    a, b = source.kind, target.kind
    if a in _TEXTS and b in _TEXTS:
        return Kind.CHAR if Kind.CHAR in (a, b) else Kind.TEXT
    if a is b:
        normalised = a is Kind.JSON and target.binary and not source.binary
        return None if normalised else a
    if a in _NUMBERS and b in _NUMBERS:
        return Kind.DECIMAL if Kind.DECIMAL in (a, b) else Kind.INTEGER
    return _JOINED.get((a, b)) or (a if b in _TEXTS else None)
