"""Why values differ."""

import pytest

from datamig_pipelines.catalog import Kind
from datamig_pipelines.differences.causes import cause_of, counted, mend

CASES = [
    (Kind.TIMESTAMP, "2020-01-01 10:00:00", "2020-01-01 12:00:00", "time zone: shifted by +02:00"),
    (
        Kind.TIMESTAMP,
        "2020-01-01 00:00:00.5",
        "2019-12-31 18:30:00.5",
        "time zone: shifted by -05:30",
    ),
    (
        Kind.TIMESTAMPTZ,
        "2020-01-01 10:00:00+00",
        "2020-01-01 11:00:00+00",
        "time zone: shifted by +01:00",
    ),
    (Kind.TIMESTAMP, "2020-01-01 10:00:00", "2020-01-01 10:00:07", "another value"),
    (
        Kind.TIMESTAMP,
        "2020-01-01 10:00:00.123456",
        "2020-01-01 10:00:00.123",
        "rounded to 3 digits of a second",
    ),
    (
        Kind.TIMESTAMP,
        "2020-01-01 10:00:00.9",
        "2020-01-01 10:00:01",
        "rounded to 0 digits of a second",
    ),
    (Kind.DATE, "2020-01-01", "2020-01-02", "another value"),
    (Kind.TIMESTAMP, "0000-00-00 00:00:00", "2020-01-01 10:00:00", "another value"),
    (Kind.TEXT, "a  ", "a", "trailing blanks"),
    (Kind.TEXT, " a", "a", "blanks around it"),
    (Kind.TEXT, "a\r\nb", "a\nb", "line ends"),
    (Kind.TEXT, "Ab", "aB", "case"),
    (Kind.TEXT, "abcdef", "abc", "truncated"),
    (Kind.TEXT, "Müller", "M?ller", "characters replaced"),
    (Kind.TEXT, "Müller", "M\ufffdller", "characters replaced"),
    (Kind.TEXT, "Müller", "MÃ¼ller", "characters of another encoding"),
    (Kind.TEXT, "MÃ¼ller", "Müller", "characters of another encoding"),
    (Kind.TEXT, "Müller", "Muller", "characters without their accents"),
    (Kind.TEXT, "e\u0301", "\u00e9", "characters composed differently (Unicode normal form)"),
    (Kind.JSON, '{"a":  1}', '{"a": 1}', "JSON written differently"),
    (Kind.TEXT, "abc", "xyz", "another value"),
    (Kind.TEXT, "x", "?", "another value"),
    (Kind.TEXT, "", None, "empty became NULL"),
    (Kind.TEXT, None, "", "NULL became empty"),
    (Kind.INTEGER, "5", None, "value became NULL"),
    (Kind.INTEGER, None, "5", "NULL became a value"),
    (Kind.DECIMAL, "12.345", "12.35", "rounded to 2 decimals"),
    (Kind.DECIMAL, "12.345", "12.34", "rounded to 2 decimals"),
    (Kind.DECIMAL, "12.345", "12", "rounded to 0 decimals"),
    (Kind.DECIMAL, "12.345", "13.36", "another value"),
    (Kind.INTEGER, "5", "-5", "sign lost"),
    (Kind.INTEGER, "4294967295", "-1", "wrapped at 32 bits"),
    (Kind.INTEGER, "200", "-56", "wrapped at 8 bits"),
    (Kind.INTEGER, "5", "6", "another value"),
    (Kind.DECIMAL, "NaN", "6", "another value"),
    (Kind.FLOAT, "1234567890123456e1", "12345679e1", "single precision"),
    (Kind.FLOAT, "15e1", "-15e1", "sign lost"),
    (Kind.FLOAT, "15e1", "16e1", "another value"),
    (Kind.FLOAT, "NaN", "16e1", "another value"),
    (Kind.BOOLEAN, "true", "false", "boolean the other way round"),
    (Kind.BLOB, "00ff", "00", "truncated"),
    (Kind.BLOB, "00ff", "01ff", "another value"),
]


@pytest.mark.parametrize(("form", "source", "target", "cause"), CASES)
def test_cause_is_guessed_from_the_values(form, source, target, cause):
    """Each pair of values has one cause."""
    assert cause_of(source, target, form) == cause


def test_causes_are_counted_per_column_with_the_first_example():
    """Equal causes of one column are one line, the most frequent first; unlisted rows count."""
    found = counted(
        [("case", "a", 1), ("case", "b", 2), ("case", "a", 3), ("missing row", "", 4)],
        [("missing row", 7)],
    )

    assert [(c.cause, c.column, c.count, c.example) for c in found] == [
        ("missing row", "", 8, 4),
        ("case", "a", 2, 1),
        ("case", "b", 1, 2),
    ]


def test_mend_is_a_line_of_the_migrations_file():
    """The rule names table and column, and is one that the file understands."""
    assert mend("truncated", "public.t", "a") == (
        "casts: [{when: {column: t.a}, to: <a longer text type>}]"
    )
    assert mend("another value", "t", "a") == ""
