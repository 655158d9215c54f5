"""Tables by every type of key that a stream may be read in order of, one list per engine."""

_UNICODE = (
    *("''", "'a'", "'A'", "'b'", "'it''s'", "'100%'", "'ž'", "'Ž'", "'🐎'", "'a b'", "'ab'"),
    *("'10'", "'9'", "'-'", "'_'", "'~'", "'é'", "'e'", "'ß'", "'ss'", "'\t'", "'a\tb'", "'%s'"),
)
_BACKSLASHES = (r"'\'", r"'a\b'", r"'\N'", r"'\\'")
_DOUBLED = (r"'\\'", r"'a\\b'", r"'\\N'", r"'\\\\'")
_BLANKS = ("'  '", "' a'", "'a '", "'a  '", "'ab '")  # not one text for whoever pads
_NUMBERS = tuple(str(n) for n in (0, 1, -1, 9, 10, 100, -100, 32767, -32768, *range(200, 220)))
_WIDE = ("9223372036854775807", "-9223372036854775808", "9223372036854775806", *_NUMBERS)
_UNSIGNED = ("18446744073709551615", "9223372036854775808", "9223372036854775807", "0", "1", "10")
_DECIMALS = (
    *("1.5", "-1.5", "0", "0.0001", "-0.0001", "12345678901234567890.0001", "10", "9", "1.4999"),
    *("12345678901234567890.0002", "2.25", "-99999999999999999999.9999", "100.1"),
)
_DATES = ("'2020-01-31'", "'1000-01-01'", "'9999-12-31'", "'2020-02-29'", "'1999-12-31'")
_STAMPS = (
    *("'2020-01-31 10:00:00'", "'2020-01-31 10:00:00.000001'", "'2020-01-31 10:00:00.5'"),
    *("'1999-12-31 23:59:59.999999'", "'2038-01-19 03:14:07'", "'1980-06-01 00:00:00'"),
)
_UUIDS = tuple(
    f"'{start}0000000-0000-{middle}000-9000-00000000000{end}'"
    for start in "0f7a8"
    for middle in "14"
    for end in "01"
)
_ZERO_DATES = ("'0000-00-00'", "'2020-00-00'", "'2020-02-31'", "'2020-02-30'")

Column = tuple[str, tuple[str, ...]]
"""Declaration and SQL literals of one key column."""

KEYS: dict[str, dict[str, Column]] = {
    "postgres": {
        "smallint": ("smallint", _NUMBERS),
        "bigint": ("bigint", _WIDE),
        "numeric": ("numeric", (*_DECIMALS, "'NaN'", "'Infinity'", "'-Infinity'", "1e60")),
        "numeric(30,4)": ("numeric(30,4)", (*_DECIMALS, "'NaN'")),
        "money": ("money", ("1.5::numeric", "-3::numeric", "1000000::numeric", "0.01::numeric")),
        "text": ("text", (*_UNICODE, *_BACKSLASHES, *_BLANKS)),
        "text of C": ('text COLLATE "C"', (*_UNICODE, *_BACKSLASHES, *_BLANKS)),
        "text of a language": (
            'varchar(40) COLLATE "en-x-icu"',
            (*_UNICODE, *_BACKSLASHES, *_BLANKS),
        ),
        "char": ("char(6)", (*_UNICODE, *_BACKSLASHES)),
        "date": ("date", (*_DATES, "'infinity'", "'-infinity'", "'0044-03-15 BC'")),
        "timestamp": ("timestamp", (*_STAMPS, "'infinity'", "'-infinity'", "'0044-03-15 BC'")),
        "timestamptz": ("timestamptz", (*_STAMPS, "'infinity'", "'2020-01-01 10:00+02'")),
        "uuid": ("uuid", _UUIDS),
    },
    "mysql": {
        "tinyint": ("tinyint", tuple(str(n) for n in range(-20, 20))),
        "bigint": ("bigint", _WIDE),
        "bigint unsigned": ("bigint unsigned", _UNSIGNED),
        "zerofill": ("int(8) unsigned zerofill", ("0", "1", "10", "9", "4294967295")),
        "decimal": ("decimal(30,4)", _DECIMALS),
        "binary": ("varchar(40) COLLATE utf8mb4_bin", (*_UNICODE, *_DOUBLED)),
        "not padded": ("varchar(40) COLLATE utf8mb4_nopad_bin", (*_UNICODE, *_DOUBLED, *_BLANKS)),
        "case counts not": (
            "varchar(40) COLLATE utf8mb4_general_ci",
            ("''", "'b'", "'A'", "'c'", "'%'", "'é1'", "'10'", "'9'", "'_'", *_DOUBLED),
        ),
        "language": (
            "varchar(40) COLLATE utf8mb4_unicode_520_ci",
            ("''", "'b'", "'A'", "'c'", "'%'", "'ž1'", "'10'", "'9'", "'it''s'", *_DOUBLED),
        ),
        "latin1": ("varchar(40) CHARACTER SET latin1", ("'b'", "'é'", "'ß'", "'z'", "'Ä'", "'o'")),
        "char": ("char(6) COLLATE utf8mb4_bin", (*_UNICODE, *_DOUBLED, "'a\x01'", "'ab\x1f'")),
        "date": ("date", (*_DATES, *_ZERO_DATES)),
        "datetime": ("datetime(6)", (*_STAMPS, *_ZERO_DATES)),
        "timestamp": ("timestamp(6)", (*_STAMPS, "'0000-00-00'")),
        "year": ("year", ("1999", "2020", "0", "1901", "2155")),
        "uuid": ("uuid", _UUIDS),
    },
    "sqlite": {
        "integer": ("INTEGER", _WIDE),
        "lax integer": ("INTEGER", (*_NUMBERS, "'x'", "3.5", "x'00ff'", "1e300")),
        "text": ("TEXT", (*_UNICODE, *_BACKSLASHES, *_BLANKS)),
        "nocase": ("TEXT COLLATE NOCASE", ("'a'", "'B'", "'c'", "''", "'_'", *_BACKSLASHES)),
        "rtrim": ("TEXT COLLATE RTRIM", (*_UNICODE, *_BACKSLASHES)),
        "decimal": ("DECIMAL(10,2)", ("1.5", "-1.5", "0", "10", "9", "1.25", "123456.75")),
        "date": ("DATE", _DATES),
        "timestamp": ("TIMESTAMP", _STAMPS),
        "uuid": ("UUID", _UUIDS),
    },
    "duckdb": {
        "tinyint": ("TINYINT", tuple(str(n) for n in range(-20, 20))),
        "bigint": ("BIGINT", _WIDE),
        "ubigint": ("UBIGINT", _UNSIGNED),
        "hugeint": ("HUGEINT", (*_WIDE, *_UNSIGNED[:2])),
        "decimal": ("DECIMAL(30,4)", _DECIMALS),
        "text": ("VARCHAR", (*_UNICODE, *_BACKSLASHES, *_BLANKS)),
        "nocase": ("VARCHAR COLLATE NOCASE", (*_UNICODE, *_BACKSLASHES, *_BLANKS)),
        "date": ("DATE", (*_DATES, "'infinity'", "'-infinity'", "'0044-03-15 (BC)'")),
        "timestamp": ("TIMESTAMP", (*_STAMPS, "'infinity'", "'0044-03-15 (BC) 10:00:00'")),
        "timestamp_ns": ("TIMESTAMP_NS", (*_STAMPS, "'2020-01-31 10:00:00.000000001'")),
        "timestamptz": ("TIMESTAMPTZ", (*_STAMPS, "'infinity'")),
        "uuid": ("UUID", _UUIDS),
    },
}
INTEGER = {"postgres": "bigint", "mysql": "bigint", "sqlite": "integer", "duckdb": "bigint"}
CASES = [(engine, name) for engine, keys in KEYS.items() for name in keys]
