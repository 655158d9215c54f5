"""Logical types."""

import pytest

from datamig_pipelines.catalog import Kind, Type

NUMBER = Type(Kind.INTEGER, bits=32, native="int")


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (Type(Kind.INTEGER, bits=32, native="INTEGER"), True),
        (Type(Kind.INTEGER, bits=32, strict=False), True),
        (Type(Kind.INTEGER, bits=64, native="int"), False),
        (Type(Kind.INTEGER, bits=32, unsigned=True, native="int"), False),
        (Type(Kind.DECIMAL, bits=32), False),
    ],
)
def test_same_as_looks_at_values_only(other, expected):
    """Two types are the same if they hold the same values, however they are declared."""
    assert (NUMBER.same_as(other), other.same_as(NUMBER)) == (expected, expected)


def test_type_is_shown_as_declared():
    """A type is shown in its engine's words, or by its kind."""
    assert (str(NUMBER), str(Type(Kind.ARRAY))) == ("int", "array")
