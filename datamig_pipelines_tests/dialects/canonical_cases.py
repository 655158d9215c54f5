"""Values and their canonical text, which must be the same on every engine.

A case is a form to compare in, the expected text, and per engine how to get the value: a
declaration (as `parse_type` reads it) and a literal. An engine that cannot hold a value has no
entry.
"""

from dataclasses import dataclass

from datamig_pipelines.catalog import Kind


@dataclass(frozen=True)
class Case:
    """One value: ``sql`` maps an engine's name to (declaration, literal)."""

    compare: Kind
    expected: str
    sql: dict[str, tuple[str, str]]

    def __str__(self) -> str:
        return f"{self.compare}:{self.expected[:24]}"


def _everywhere(compare: Kind, expected: str, declaration: str, literal: str, **own: str) -> Case:
    """Return a case whose literal is the same everywhere; ``own`` are other declarations."""
    engines = ("postgres", "mysql", "sqlite", "duckdb")
    return Case(compare, expected, {e: (own.get(e, declaration), literal) for e in engines})


def _float(literal: str, expected: str) -> Case:
    return _everywhere(
        Kind.FLOAT, expected, "double", literal, postgres="double precision", sqlite="real"
    )


CASES: list[Case] = [
    _everywhere(Kind.INTEGER, "-12", "integer", "-12"),
    _everywhere(Kind.INTEGER, "0", "integer", "0"),
    _everywhere(Kind.INTEGER, "-9223372036854775808", "bigint", "-9223372036854775808"),
    _everywhere(Kind.INTEGER, "9223372036854775807", "bigint", "9223372036854775807"),
    _everywhere(Kind.DECIMAL, "12.5", "numeric(12,2)", "12.50"),
    _everywhere(Kind.DECIMAL, "-0.01", "numeric(12,2)", "-0.01"),
    _everywhere(Kind.DECIMAL, "1000", "numeric(12,2)", "1000.00"),
    _everywhere(Kind.DECIMAL, "100", "numeric(12,0)", "100"),
    _everywhere(Kind.DECIMAL, "0.5", "numeric(3,3)", "0.500"),
    _everywhere(Kind.DECIMAL, "-0.25", "numeric(2,2)", "-0.25"),
    _everywhere(Kind.DECIMAL, "0", "numeric(12,2)", "0.00"),
    _float("1.5", "15e1"),
    _float("-0.001", "-1e-2"),
    _float("1e20", "1e21"),
    _float("1.5e-7", "15e-6"),
    _float("0.0", "0"),
    _float("123456.0", "123456e6"),
    _float("100.0", "1e3"),
    _float("0.1", "1e0"),
    _float("1.7976931348623157e308", "17976931348623157e309"),
    _float("-2.2250738585072014e-308", "-22250738585072014e-307"),
    _float("3.141592653589793", "3141592653589793e1"),
    _float("22632264579128070.0", "2263226457912807e17"),  # half-way between two numbers
    _float("22632264579128076.0", "22632264579128076e17"),
    Case(
        Kind.FLOAT,
        "10000000149011612e0",
        {"postgres": ("real", "0.1"), "mysql": ("float", "0.1"), "duckdb": ("float", "0.1")},
    ),
    _everywhere(Kind.TEXT, "it's", "varchar(20)", "'it''s'"),
    _everywhere(Kind.TEXT, "", "varchar(20)", "''"),
    _everywhere(Kind.TEXT, " a ", "varchar(20)", "' a '"),
    _everywhere(Kind.TEXT, "žluťoučký 🐎", "varchar(20)", "'žluťoučký 🐎'"),
    _everywhere(Kind.CHAR, "ab", "char(5)", "'ab   '"),
    _everywhere(Kind.DATE, "2020-01-31", "date", "'2020-01-31'"),
    _everywhere(
        Kind.TIMESTAMP, "2020-01-31 10:00:00.5", "timestamp", "'2020-01-31 10:00:00.5'",
        mysql="datetime(6)",
    ),
    _everywhere(
        Kind.TIMESTAMP, "2020-01-31 10:00:00", "timestamp", "'2020-01-31 10:00:00'",
        mysql="datetime(6)",
    ),
    _everywhere(
        Kind.TIMESTAMP, "2020-01-31 10:00:00.000001", "timestamp", "'2020-01-31 10:00:00.000001'",
        mysql="datetime(6)",
    ),
    Case(
        Kind.TIMESTAMPTZ,
        "2020-01-31 09:00:00.25+00",
        {
            "postgres": ("timestamptz", "'2020-01-31 10:00:00.25+01'"),
            "duckdb": ("timestamptz", "'2020-01-31 10:00:00.25+01'"),
            "mysql": ("timestamp(6)", "'2020-01-31 09:00:00.25'"),
        },
    ),
    _everywhere(Kind.TIME, "10:00:00.5", "time", "'10:00:00.5'", mysql="time(6)"),
    _everywhere(Kind.TIME, "23:59:59", "time", "'23:59:59'", mysql="time(6)"),
    Case(Kind.DURATION, "-838:59:58.1", {"mysql": ("time(6)", "'-838:59:58.100000'")}),
    Case(
        Kind.BLOB,
        "00ff5c0a",
        {
            "postgres": ("bytea", r"'\x00ff5c0a'"),
            "mysql": ("varbinary(10)", "x'00ff5c0a'"),
            "sqlite": ("blob", "x'00ff5c0a'"),
            "duckdb": ("blob", r"'\x00\xff\x5c\x0a'"),
        },
    ),
    _everywhere(Kind.BOOLEAN, "true", "boolean", "true"),
    _everywhere(Kind.BOOLEAN, "false", "boolean", "false"),
    Case(
        Kind.UUID,
        "0189d6a0-5f3c-7b2a-9c11-0123456789ab",
        dict.fromkeys(
            ("postgres", "mysql", "duckdb"), ("uuid", "'0189D6A0-5F3C-7B2A-9C11-0123456789AB'")
        ),
    ),
    Case(
        Kind.UUID,
        "0189d6a0-5f3c-7b2a-9c11-0123456789ab",
        {"mysql": ("binary(16)", "x'0189d6a05f3c7b2a9c110123456789ab'")},
    ),
    Case(Kind.BOOLEAN, "7", {"mysql": ("tinyint(1)", "7")}),
    Case(
        Kind.INTEGER,
        "18446744073709551615",
        {"mysql": ("bigint unsigned", "18446744073709551615")},
    ),
    Case(Kind.INTEGER, "42", {"mysql": ("int(8) unsigned zerofill", "42")}),
    Case(Kind.INTEGER, "5", {"mysql": ("bit(8)", "b'101'")}),
    Case(Kind.YEAR, "2020", {"mysql": ("year", "2020")}),
]  # fmt: skip
