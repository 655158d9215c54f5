"""Expressions in another engine's words."""

import pytest

from datamig_pipelines.dialects import DIALECTS
from datamig_pipelines.planning import expressions
from datamig_pipelines.planning.expressions import translated

SAME = {"a": "a", "b": "b"}


def between(sql: str, source: str, target: str, renames=SAME) -> str | None:
    return translated(sql, DIALECTS[source], DIALECTS[target], renames)


@pytest.mark.parametrize(
    ("source", "target", "sql", "expected"),
    [
        ("postgres", "postgres", "a::text ~~ 'x%'", "a::text ~~ 'x%'"),
        ("sqlite", "postgres", "[a] >= (0) AND A < 5", '"a" >= (0) AND "a" < 5'),
        ("mysql", "postgres", "`a` > 0", '"a" > 0'),
        ("postgres", "sqlite", "length(b) > 3", 'LENGTH("b") > 3'),
        ("postgres", "sqlite", "nonsense (", None),
    ],
)
def test_expression_is_translated(source, target, sql, expected):
    """Names are spelt as the target has them; what cannot be parsed has no counterpart."""
    assert between(sql, source, target) == expected


@pytest.mark.parametrize("target", ["postgres", "sqlite"])
def test_expression_follows_renamed_columns(target):
    """Columns that swap their names swap them in expressions, too."""
    assert between("a > b", "postgres", target, {"a": "b", "b": "a"}) == '"b" > "a"'


@pytest.mark.parametrize("target", ["postgres", "sqlite"])
def test_expression_over_a_column_left_behind_has_no_counterpart(target):
    """Nobody can compute with a column that is not there."""
    assert between("a > 0 AND b > 0", "postgres", target, {"a": "a", "b": None}) is None


def test_expression_without_the_column_left_behind_stays():
    """A dropped column takes only its own expressions with it."""
    assert between("a > 0", "postgres", "postgres", {"a": "a", "b": None}) == '"a" > 0'


@pytest.mark.parametrize("sql", ["a / 2", "a % 2", "mod(a, 2)"])
def test_division_has_no_counterpart_between_engines(sql):
    """5 / 2 is 2 here and 2.5 there: nobody would notice until a value is wrong."""
    assert (between(sql, "sqlite", "duckdb"), between(sql, "sqlite", "sqlite")) == (None, sql)


def test_pattern_is_written_with_the_operator_that_both_have():
    """MariaDB has no REGEXP_LIKE; REGEXP is known to it and to MySQL."""
    assert between("a ~ '^x'", "postgres", "mysql") == "`a` REGEXP '^x'"


@pytest.mark.parametrize(
    ("sql", "target", "there"),
    [
        ("a ~ '^x'", "sqlite", False),
        ("a ~* '^x'", "sqlite", False),
        ("a ~* '^x'", "mysql", False),
        ("a ~* '^x'", "duckdb", True),
    ],
)
def test_pattern_without_a_counterpart_is_none(sql, target, there):
    """SQLite has no regular expressions: one such check must not take the others with it."""
    assert (between(sql, "postgres", target) is not None) is there


def test_translation_is_remembered_for_the_very_same_question():
    """Every plan of a process asks again; another engine or another name is another question."""
    expressions._translated.cache_clear()

    asked = [between("a > 0", "sqlite", "duckdb", {"a": new}) for new in ("a", "a", "b", None)]
    other = between("a ~ 'x'", "postgres", "mysql"), between("a ~ 'x'", "postgres", "duckdb")

    assert asked == ['"a" > 0', '"a" > 0', '"b" > 0', None]
    assert other[0] != other[1]
    assert expressions._translated.cache_info()[:2] == (1, 5)
