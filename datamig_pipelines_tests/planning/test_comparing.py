"""The form in which both sides are compared."""

import itertools

import pytest

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.planning.comparing import changes, compare_kind

SYMMETRIC = [
    (Kind.TEXT, Kind.TEXT, Kind.TEXT),
    (Kind.TEXT, Kind.CHAR, Kind.CHAR),
    (Kind.ENUM, Kind.CHAR, Kind.CHAR),
    (Kind.ENUM, Kind.TEXT, Kind.TEXT),
    (Kind.SET, Kind.TEXT, Kind.TEXT),
    (Kind.ANY, Kind.TEXT, Kind.TEXT),
    (Kind.INTEGER, Kind.DECIMAL, Kind.DECIMAL),
    (Kind.INTEGER, Kind.YEAR, Kind.INTEGER),
    (Kind.YEAR, Kind.DECIMAL, Kind.DECIMAL),
    (Kind.BOOLEAN, Kind.INTEGER, Kind.BOOLEAN),
    (Kind.DURATION, Kind.INTERVAL, Kind.DURATION),
    (Kind.DATE, Kind.TIME, None),
    (Kind.UUID, Kind.TEXT, Kind.UUID),
    (Kind.UUID, Kind.BLOB, Kind.UUID),
    (Kind.DATE, Kind.TEXT, Kind.DATE),
    (Kind.DECIMAL, Kind.FLOAT, Kind.DECIMAL),
    (Kind.INTEGER, Kind.FLOAT, Kind.DECIMAL),
    (Kind.BLOB, Kind.INTEGER, None),
    (Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.TIMESTAMP),
    (Kind.DURATION, Kind.TIME, Kind.TIME),
    (Kind.DECIMAL, Kind.BOOLEAN, None),
]
ONE_WAY = [
    (Kind.JSON, Kind.TEXT, Kind.JSON, Kind.TEXT),
    (Kind.TIME, Kind.INTERVAL, None, None),
    (Kind.ARRAY, Kind.JSON, Kind.JSON, None),
    (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMP, Kind.DATE),
    (Kind.DATE, Kind.TIMESTAMPTZ, Kind.TIMESTAMP, Kind.DATE),
]
CHANGED = [
    (Type(Kind.FLOAT, bits=64), Type(Kind.DECIMAL, precision=12, scale=2), True),
    (Type(Kind.FLOAT, bits=64), Type(Kind.DECIMAL), False),
    (Type(Kind.DECIMAL, precision=12, scale=4), Type(Kind.DECIMAL, precision=12, scale=2), True),
    (Type(Kind.DECIMAL, precision=12, scale=2), Type(Kind.DECIMAL, precision=14, scale=4), False),
    (Type(Kind.FLOAT, bits=64), Type(Kind.FLOAT, bits=32), True),
    (Type(Kind.FLOAT, bits=32), Type(Kind.FLOAT, bits=64), False),
    (Type(Kind.TIMESTAMP, fraction=6), Type(Kind.TIMESTAMP, fraction=0), True),
    (Type(Kind.TIMESTAMP, fraction=0), Type(Kind.TIMESTAMP, fraction=6), False),
    (Type(Kind.TIMESTAMP), Type(Kind.DATE), True),
    (Type(Kind.DATE), Type(Kind.TIMESTAMP), False),
    (Type(Kind.TEXT), Type(Kind.DATE), True),
    (Type(Kind.TEXT), Type(Kind.CHAR, length=3), False),
    (Type(Kind.JSON), Type(Kind.JSON, binary=True), True),
    (Type(Kind.INTEGER), Type(Kind.TEXT), False),
    (Type(Kind.BLOB, length=16), Type(Kind.BLOB), False),
]


@pytest.mark.parametrize(("a", "b", "expected"), SYMMETRIC)
def test_form_is_the_same_both_ways(a, b, expected):
    """It does not matter which side has which type."""
    assert (compare_kind(Type(a), Type(b)), compare_kind(Type(b), Type(a))) == (expected, expected)


@pytest.mark.parametrize(("a", "b", "there", "back"), ONE_WAY)
def test_form_of_one_direction(a, b, there, back):
    """A moment can be cut to its day; a list can be written as JSON, and not read back."""
    assert (compare_kind(Type(a), Type(b)), compare_kind(Type(b), Type(a))) == (there, back)


@pytest.mark.parametrize("kind", Kind)
def test_kind_compares_with_itself(kind):
    """Every kind has a form in which two of it are compared."""
    assert compare_kind(Type(kind), Type(kind)) is not None


def test_json_that_was_normalised_is_compared_as_a_document():
    """``{"a":  1}`` is another text after jsonb, so no checksum of texts can be equal."""
    text, binary = Type(Kind.JSON), Type(Kind.JSON, binary=True)

    assert [compare_kind(a, b) for a, b in itertools.product((text, binary), repeat=2)] == [
        Kind.JSON, Kind.DOCUMENT, Kind.JSON, Kind.JSON,
    ]  # fmt: skip


@pytest.mark.parametrize(("source", "target", "expected"), CHANGED)
def test_cast_that_may_change_a_value_is_known(source, target, expected):
    """What rounds, cuts or parses needs to be computed before it can be compared."""
    assert changes(source, target) is expected
