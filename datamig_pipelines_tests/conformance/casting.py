"""Columns that a migration's file casts: what they hold, what they become, what is planted."""

from dataclasses import dataclass

Words = dict[str, str]

_ENGINES = ("postgres", "mysql", "duckdb", "sqlite")


def _words(*natives: str) -> Words:
    return dict(zip(_ENGINES, natives, strict=True))


NATIVE: dict[str, Words] = {
    "float": _words("double precision", "double", "DOUBLE", "REAL"),
    "real": _words("real", "float", "FLOAT", "FLOAT"),
    "decimal4": _words("numeric(12,4)", "decimal(12,4)", "DECIMAL(12,4)", "DECIMAL(12,4)"),
    "decimal2": _words("numeric(12,2)", "decimal(12,2)", "DECIMAL(12,2)", "DECIMAL(12,2)"),
    "timestamp": _words("timestamp", "datetime(6)", "TIMESTAMP", "DATETIME"),
    "second": _words("timestamp(0)", "datetime", "TIMESTAMP_S", "TIMESTAMP(0)"),
    "timestamptz": _words("timestamptz", "timestamp(6)", "TIMESTAMPTZ", "TIMESTAMPTZ"),
    "date": _words("date", "date", "DATE", "DATE"),
    "time": _words("time", "time(6)", "TIME", "TIME"),
    "text": _words("text", "varchar(200)", "VARCHAR", "TEXT"),
    "integer": _words("integer", "int", "INTEGER", "INTEGER"),
    "boolean": _words("boolean", "tinyint(1)", "BOOLEAN", "BOOLEAN"),
    "uuid": _words("uuid", "uuid", "UUID", "UUID"),
    "blob": _words("bytea", "varbinary(200)", "BLOB", "BLOB"),
    "json": _words("json", "json", "JSON", "JSON"),
    "jsonb": _words("jsonb", "json", "JSON", "JSON"),
}
ID = "123e4567-e89b-12d3-a456-426614174000"
_OTHER = "00000000-e89b-12d3-a456-426614174000"


@dataclass(frozen=True)
class CastCase:
    """A column that is cast: two values of the source, and the fault planted into the target."""

    name: str
    held: str
    to: str
    values: tuple[str, str]
    fault: str

    def literal(self, engine: str, value: str) -> str:
        """Return a value in an engine's words."""
        if self.held == "blob":
            digits = value.strip("'").replace("-", "")
            return {"postgres": rf"'\x{digits}'", "duckdb": f"unhex('{digits}')"}.get(
                engine, f"x'{digits}'"
            )
        return value.replace("+00", "") if engine == "mysql" and self.held != "text" else value


CASES = (
    CastCase("float_decimal", "float", "decimal2", ("1.5", "-0.25"), "1.51"),
    CastCase("float_real", "float", "real", ("0.1", "-2.5"), "0.25"),
    CastCase("decimal_decimal", "decimal4", "decimal2", ("1.5000", "-0.25"), "1.51"),
    CastCase("stamp_date", "timestamp", "date", ("'2020-01-31'", "'1999-12-31'"), "'2020-01-30'"),
    CastCase(
        "instant_date", "timestamptz", "date",
        ("'2020-01-31 00:00:00+00'", "'1999-12-31 00:00:00+00'"), "'2020-01-30'",
    ),
    CastCase("text_integer", "text", "integer", ("'+007'", "'-7'"), "8"),
    CastCase("text_decimal", "text", "decimal2", ("'0012.250'", "'-.5'"), "12.26"),
    CastCase("text_float", "text", "float", ("'0.1'", "'-7.50'"), "0.25"),
    CastCase("text_date", "text", "date", ("'2020-01-31'", "'1999-12-31'"), "'2020-01-30'"),
    CastCase(
        "text_stamp", "text", "timestamp", ("'2020-01-31 10:00:00.50'", "'1999-12-31 10:00'"),
        "'2020-01-31 10:00:00.51'",
    ),
    CastCase(
        "text_instant", "text", "timestamptz",
        ("'2020-01-31 10:00:00.50+00'", "'1999-12-31 10:00:00+00'"), "'2020-01-31 10:00:01'",
    ),
    CastCase("text_time", "text", "time", ("'10:00:00.50'", "'23:59'"), "'10:00:01'"),
    CastCase("text_boolean", "text", "boolean", ("'true'", "'false'"), "false"),
    CastCase("text_uuid", "text", "uuid", (f"'{ID.upper()}'", f"'{ID}'"), f"'{_OTHER}'"),
    CastCase("text_json", "text", "json", ("'{\"b\":  1.50}'", "'[]'"), "'{\"b\": 1.50}'"),
    CastCase(
        "json_document", "json", "jsonb",
        ('\'{"b":  1.50, "aa": [1e2, "\\u00e9", null], "c": 2}\'', "'[true, {}]'"),
        '\'{"b": 1.5, "aa": [101, "é", null], "c": 2}\'',
    ),
    CastCase("text_document", "text", "jsonb", ("'{\"b\":  1.50, \"a\": []}'", "'[]'"), "'{}'"),
    CastCase("uuid_text", "uuid", "text", (f"'{ID}'", f"'{_OTHER}'"), f"'{_OTHER}'"),
    CastCase("blob_uuid", "blob", "uuid", (f"'{ID}'", f"'{_OTHER}'"), f"'{_OTHER}'"),
    CastCase("text_blob", "text", "blob", ("'aé'", "''"), "'x'"),
    CastCase("blob_text", "blob", "text", ("'c3a941'", "'4142'"), "'x'"),
    CastCase("integer_boolean", "integer", "boolean", ("1", "0"), "false"),
    CastCase("float_text", "float", "text", ("1.5", "-1e20"), "'1.6'"),
    CastCase("stamp_text", "timestamp", "text", ("'2020-01-31 10:00:00.5'", "'1999-12-31'"), "'x'"),
    CastCase("date_text", "date", "text", ("'2020-01-31'", "'1999-12-31'"), "'2020-01-30'"),
)  # fmt: skip

UNPROVEN = {
    "mysql": {
        "text_time": "MySQL's TIME is a duration, which a text need not be",
        "text_boolean": "MySQL's boolean is a number, and `true` is none",
    },
}
"""Columns that have no common form with a target, and why."""
_NO_DASH = {"blob_uuid": "32 digits without a dash are no UUID to this path"}
_NO_TEXT = {"blob_text": "bytes are no value of a column of texts to this path"}
_NO_CLOCK = {
    "stamp_time": "a moment is no time of day to this path",
    "instant_time": "a moment is no time of day to this path",
}
REFUSED = {
    ("duckdb", "postgres"): _NO_DASH | _NO_TEXT,
    ("duckdb", "mysql"): _NO_DASH | _NO_TEXT,
    ("duckdb", "duckdb"): _NO_DASH,
    ("duckdb", "sqlite"): _NO_DASH,
    ("postgres", "duckdb"): _NO_DASH,
    ("sqlite", "postgres"): _NO_TEXT | _NO_CLOCK,
    ("sqlite", "mysql"): _NO_TEXT,
    ("sqlite", "sqlite"): _NO_TEXT | _NO_CLOCK,
    ("sqlite", "duckdb"): {"text_blob": "a text is no value of a column of bytes to this path"},
}
"""Columns whose values a pair refuses, so that there is nothing to prove."""
