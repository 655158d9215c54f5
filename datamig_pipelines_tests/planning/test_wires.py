"""The fastest pair of wires that keeps every value."""

from dataclasses import replace

import pytest

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.reading import KeyPart, Projection
from datamig_pipelines.errors import NotYetError
from datamig_pipelines.planning.keys import ChosenKey
from datamig_pipelines.planning.wires import choose_wires
from datamig_pipelines_tests.planning.engines import INTEGER, TEXT, engines

STAMP = Type(Kind.TIMESTAMPTZ)


def column(type_: Type, into: Type | None = None, *, plain: bool = True) -> Projection:
    return Projection("c", '"c"', type_, into or type_, type_.kind, plain)


def key(type_: Type) -> ChosenKey:
    return ChosenKey((KeyPart('"c"', type_),), ("c",), "primary key")


def chosen(source, target, projection, *, transformed=False):
    pair = choose_wires(
        engines(source, target), [projection], key(projection.type), transformed=transformed
    )
    return pair.sends, pair.takes


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("postgres", "postgres", (Wire.COPY_BINARY, Wire.COPY_BINARY)),
        ("postgres", "duckdb", (Wire.COPY_CSV, Wire.ARROW)),
        ("postgres", "sqlite", (Wire.COPY_TEXT, Wire.CELLS)),
        ("sqlite", "postgres", (Wire.ARROW, Wire.COPY_TEXT)),
        ("sqlite", "duckdb", (Wire.ARROW, Wire.ARROW)),
        ("mysql", "postgres", (Wire.COPY_TEXT, Wire.COPY_TEXT)),
        ("mysql", "duckdb", (Wire.CELLS, Wire.ARROW)),
    ],
)
def test_pair_of_engines_has_its_wires(source, target, expected):
    """Every pair that works takes the first wires that fit."""
    assert chosen(source, target, column(INTEGER)) == expected


@pytest.mark.parametrize(
    "projection",
    [
        column(INTEGER, Type(Kind.INTEGER, bits=64)),
        column(INTEGER, plain=False),
        column(STAMP),
        column(Type(Kind.OTHER, native="regclass")),
        column(Type(Kind.ARRAY, element=Type(Kind.ENUM, values=("a",)))),
        column(Type(Kind.ARRAY, element=Type(Kind.OTHER, native="pair"))),
    ],
    ids=[
        "other type",
        "expression",
        "key of binary time",
        "regclass",
        "array of enum",
        "array of pair",
    ],
)
def test_binary_rows_are_not_passed_on_where_they_could_mean_something_else(projection):
    """Numbers of the source's catalog mean other things in the target; times are no keys there."""
    assert chosen("postgres", "postgres", projection)[0] is Wire.COPY_TEXT


def test_transform_sees_values():
    """A function of the user needs text or cells, never binary rows."""
    assert chosen("postgres", "postgres", column(INTEGER), transformed=True) == (
        Wire.COPY_TEXT,
        Wire.COPY_TEXT,
    )


@pytest.mark.parametrize("into", [Type(Kind.BOOLEAN), Type(Kind.TIMESTAMP)])
def test_key_that_is_rendered_as_something_else_is_given_up(into):
    """``true`` is not where the stream goes on behind 1: the table starts over instead."""
    held = INTEGER if into.kind is Kind.BOOLEAN else STAMP
    pair = choose_wires(
        engines("postgres", "duckdb"), [column(held, into)], key(held), transformed=False
    )

    assert (pair.key.parts, "not among the columns" in pair.key.reason) == ((), True)


def test_key_that_is_dropped_is_given_up_on_text_and_kept_on_cells():
    """Cells carry the key apart; lines of COPY do not."""
    other = Projection("d", '"d"', TEXT, TEXT, Kind.TEXT)

    kept = [
        bool(choose_wires(engines(e, "duckdb"), [other], key(INTEGER), transformed=False).key.parts)
        for e in ("postgres", "sqlite")
    ]

    assert kept == [False, True]


def test_pair_without_a_path_is_refused(monkeypatch):
    """An engine that takes no wire is no target yet."""
    pair = engines("sqlite", "duckdb")
    monkeypatch.setattr(type(pair.target), "can", replace(pair.target.can, takes=()))

    with pytest.raises(NotYetError, match="no data path"):
        choose_wires(pair, [column(INTEGER)], key(INTEGER), transformed=False)
