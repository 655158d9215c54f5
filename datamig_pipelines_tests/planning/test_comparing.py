"""The form in which both sides are compared."""

import itertools

import pytest

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.planning.comparing import compare_kind

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
    (Kind.BLOB, Kind.INTEGER, None),
    (Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.TIMESTAMP),
    (Kind.DURATION, Kind.TIME, Kind.TIME),
    (Kind.DECIMAL, Kind.BOOLEAN, None),
]
ONE_WAY = [
    (Kind.UUID, Kind.TEXT, Kind.UUID, None),
    (Kind.JSON, Kind.TEXT, Kind.JSON, None),
    (Kind.DATE, Kind.TEXT, Kind.DATE, None),
    (Kind.ARRAY, Kind.JSON, Kind.JSON, None),
    (Kind.DECIMAL, Kind.FLOAT, Kind.DECIMAL, None),
    (Kind.INTEGER, Kind.FLOAT, Kind.DECIMAL, None),
    (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMP, None),
    (Kind.DATE, Kind.TIMESTAMPTZ, Kind.TIMESTAMP, None),
]


@pytest.mark.parametrize(("a", "b", "expected"), SYMMETRIC)
def test_form_is_the_same_both_ways(a, b, expected):
    """It does not matter which side has which type."""
    assert (compare_kind(Type(a), Type(b)), compare_kind(Type(b), Type(a))) == (expected, expected)


@pytest.mark.parametrize(("a", "b", "there", "back"), ONE_WAY)
def test_form_of_one_direction(a, b, there, back):
    """A typed value can be compared with its text; a text need not be such a value."""
    assert (compare_kind(Type(a), Type(b)), compare_kind(Type(b), Type(a))) == (there, back)


@pytest.mark.parametrize("kind", Kind)
def test_kind_compares_with_itself(kind):
    """Every kind has a form in which two of it are compared."""
    assert compare_kind(Type(kind), Type(kind)) is not None


def test_json_that_was_normalised_cannot_be_compared_with_its_text():
    """``{"a":  1}`` is another text after jsonb, so no checksum of texts can be equal."""
    text, binary = Type(Kind.JSON), Type(Kind.JSON, binary=True)

    assert [compare_kind(a, b) for a, b in itertools.product((text, binary), repeat=2)] == [
        Kind.JSON, None, Kind.JSON, Kind.JSON,
    ]  # fmt: skip
