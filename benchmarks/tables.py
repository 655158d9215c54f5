"""Two tables made of arithmetic: the same rows everywhere, at any number of rows.

``lineitem`` has the sixteen columns of TPC-H; ``wide`` has what breaks naive tools: text with tabs,
line ends, backslashes and quotes, '' beside NULL, JSON, bytes, microseconds, zones, UUIDs.
"""

from dataclasses import dataclass

_WORDS = (
    "carefully final deposits sleep furiously; regular packages nag blithely across the ironic "
    "accounts. quickly even requests wake above the slyly bold pinto beans, pending theodolites "
    "haggle along the express foxes and unusual instructions detect silent dependencies "
)
_DAYS_OF_ORDERS = 2406
_TEXT = "CAST({} AS VARCHAR)"
_VERSION_4 = r"'^(.{12}).(.{3}).', '\14\28'"  # MariaDB refuses UUIDs of unknown versions


@dataclass(frozen=True)
class Column:
    """A column: its type in each engine, and SQL of DuckDB that makes its value from ``i``."""

    name: str
    value: str
    types: dict[str, str]
    csv: dict[str, str]

    def type_in(self, engine: str) -> str:
        """Return its declaration in an engine."""
        return self.types.get(engine, self.types[""])

    def csv_for(self, engine: str) -> str:
        """Return SQL of DuckDB for its text in a CSV file, as an engine reads it."""
        return self.csv.get(engine, self.csv.get("", "{}")).format(self.name)


@dataclass(frozen=True)
class Table:
    """A table and its primary key; ``probe`` is SQL of figures that a wrong copy would change."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    probe: tuple[str, ...]

    def ddl(self, engine: str, *, keyed: bool) -> str:
        """Return CREATE TABLE."""
        needed = set(self.key)
        parts = [
            f"{c.name} {c.type_in(engine)}{' NOT NULL' if c.name in needed else ''}"
            for c in self.columns
        ]
        parts += [f"PRIMARY KEY ({', '.join(self.key)})"] * keyed
        return f"CREATE TABLE {self.name} ({', '.join(parts)})"

    def add_key(self) -> str:
        """Return the statement that adds the primary key to a loaded table."""
        return f"ALTER TABLE {self.name} ADD PRIMARY KEY ({', '.join(self.key)})"

    def names(self) -> str:
        """Return the columns' names, separated by commas."""
        return ", ".join(c.name for c in self.columns)

    def rows(self, count: int) -> str:
        """Return DuckDB's SELECT of the first ``count`` rows."""
        values = ", ".join(f"{c.value} AS {c.name}" for c in self.columns)
        return f"SELECT {values} FROM range({count}) AS r(i)"

    def as_csv(self, count: int, engine: str) -> str:
        """Return DuckDB's SELECT of the rows as texts for an engine's CSV loader."""
        cells = ", ".join(f"{c.csv_for(engine)} AS {c.name}" for c in self.columns)
        return f"SELECT {cells} FROM ({self.rows(count)})"

    def probed(self, where: str = "") -> str:
        """Return the SELECT of the probe from the table, or from another expression."""
        return f"SELECT count(*), {', '.join(self.probe)} FROM {where or self.name}"


def _pick(*values: str, by: str) -> str:
    return f"{list(values)}[1 + {by} % {len(values)}]"


def _column(
    name: str, type_: str, value: str, csv: dict[str, str] | None = None, **types: str
) -> Column:
    as_text = (
        {"sqlite": _TEXT} if type_.startswith(("decimal", "date", "timestamp", "uuid")) else {}
    )
    return Column(name, value, {"": type_, **types}, {**as_text, **(csv or {})})


def _day(offset: str) -> str:
    return f"DATE '1992-01-01' + CAST((i // 4 * 7919) % {_DAYS_OF_ORDERS} + {offset} AS INTEGER)"


_POOL = (_WORDS * 2).replace("'", "''")
_LINEITEM_COLUMNS = (
    _column("l_orderkey", "bigint", "(i // 32) * 32 + (i // 4) % 8 + 1"),
    _column("l_partkey", "integer", "CAST((i * 104729) % 200000 + 1 AS INTEGER)"),
    _column("l_suppkey", "integer", "CAST((i * 7919) % 10000 + 1 AS INTEGER)"),
    _column("l_linenumber", "integer", "CAST(i % 4 + 1 AS INTEGER)"),
    _column("l_quantity", "decimal(15,2)", "CAST((i * 31) % 50 + 1 AS DECIMAL(15,2))"),
    _column(
        "l_extendedprice",
        "decimal(15,2)",
        "CAST(((i * 15485863) % 10405100 + 90100) / 100 AS DECIMAL(15,2))",
    ),
    _column("l_discount", "decimal(15,2)", "CAST((i * 17) % 11 / 100 AS DECIMAL(15,2))"),
    _column("l_tax", "decimal(15,2)", "CAST((i * 13) % 9 / 100 AS DECIMAL(15,2))"),
    _column("l_returnflag", "char(1)", _pick("A", "N", "R", by="(i * 7)")),
    _column("l_linestatus", "char(1)", _pick("F", "O", by="(i // 4)")),
    _column("l_shipdate", "date", _day("(i * 37) % 121 + 1")),
    _column("l_commitdate", "date", _day("(i * 53) % 61 + 30")),
    _column("l_receiptdate", "date", _day("(i * 37) % 121 + 2 + (i * 11) % 30")),
    _column(
        "l_shipinstruct",
        "char(25)",
        _pick("DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN", by="(i * 5 // 3)"),
    ),
    _column(
        "l_shipmode",
        "char(10)",
        _pick("REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB", by="(i * 3)"),
    ),
    _column(
        "l_comment", "varchar(44)", f"substr('{_POOL}', 1 + (i * 9973) % 211, 10 + (i * 61) % 34)"
    ),
)

LINEITEM = Table(
    "lineitem",
    _LINEITEM_COLUMNS,
    ("l_orderkey", "l_linenumber"),
    (
        "sum(l_orderkey)",
        "sum((l_orderkey % 9973) * l_suppkey)",
        "sum(CAST(round(l_extendedprice * 100) AS bigint) * (l_partkey % 97))",
        "sum(CAST(round((l_discount + l_tax + l_quantity) * 100) AS bigint) * l_linenumber)",
        "sum(length(l_comment) * (l_orderkey % 997))",
        "sum(length(trim(l_shipinstruct)) + 7 * length(trim(l_shipmode)))",
        "count(CASE WHEN l_returnflag = 'A' AND l_linestatus = 'F' THEN 1 END)",
        "CAST(min(l_shipdate) AS varchar(40))",
        "CAST(max(l_receiptdate) AS varchar(40))",
        "max(l_comment)",
    ),
)

_BODY = (
    "CASE i % 7 WHEN 0 THEN '' WHEN 1 THEN NULL "
    "WHEN 2 THEN 'tab' || chr(9) || 'line' || chr(10) || i "
    "WHEN 3 THEN 'back\\slash \\n \\\\N \"quoted\" ' || i "
    "WHEN 4 THEN 'žluťoučký kůň 漢字 🐎 ' || i "
    f"ELSE substr('{_POOL}', 1 + i % 97, 40 + (i * 17) % 120) END"
)
_MOMENT = (
    "TIMESTAMP '2001-02-03 04:05:06' + to_microseconds((i * 987654321) % 600000000000000) "
    "+ to_days(CAST(i % 3000 AS INTEGER))"
)
_AS_UTC = "strftime({}, '%Y-%m-%d %H:%M:%S.%f') || '+00'"
_WIDE_COLUMNS = (
    _column("id", "bigint", "i + 1"),
    _column(
        "n",
        "integer",
        "CASE WHEN i % 11 = 0 THEN NULL ELSE CAST((i * 7919) % 100000 AS INTEGER) - 5 END",
    ),
    _column(
        "amount", "decimal(18,4)", "CAST(((i * 104729) % 9999999999 - 77) / 10000 AS DECIMAL(18,4))"
    ),
    _column(
        "ratio", "double precision", "CAST((i * 7919) % 100003 AS DOUBLE) / 1024", sqlite="double"
    ),
    _column(
        "flag",
        "boolean",
        "i % 3 = 0",
        csv=dict.fromkeys(("mariadb", "sqlite"), "CAST({} AS INTEGER)"),
    ),
    _column("title", "varchar(200)", f"substr('{_POOL}', 1 + i % 89, 12 + i % 50)"),
    _column("body", "text", _BODY),
    _column(
        "doc",
        "jsonb",
        '\'{"a": \' || i || \', "b": [1, "x"]}\'',
        mariadb="json",
        sqlite="json",
        duckdb="varchar",
    ),
    _column(
        "raw",
        "bytea",
        "CASE WHEN i % 5 = 0 THEN NULL ELSE unhex(md5(CAST(i AS VARCHAR)) || '00ff0a5c') END",
        csv={"": "'\\x' || lower(hex({}))", "mariadb": "hex({})", "sqlite": "{}"},
        **dict.fromkeys(("mariadb", "sqlite", "duckdb"), "blob"),
    ),
    _column("made", "timestamp", _MOMENT, mariadb="datetime(6)"),
    _column(
        "seen",
        "timestamptz",
        _MOMENT,
        csv={"": _AS_UTC, "sqlite": _AS_UTC, "mariadb": _TEXT},
        mariadb="timestamp(6) NULL",
    ),
    _column("day", "date", "DATE '1970-01-01' + CAST(i % 20000 AS INTEGER)"),
    _column("code", "uuid", f"CAST(regexp_replace(md5('u' || i), {_VERSION_4}) AS UUID)"),
)

WIDE = Table(
    "wide",
    _WIDE_COLUMNS,
    ("id",),
    (
        "sum(id)",
        "sum((id % 9973) * n)",
        "sum(CAST(round(amount * 10000) AS bigint) % 9973)",
        "sum(CAST(ratio * 1024 AS bigint))",
        "count(body)",
        "sum(length(body) * (id % 997))",
        "sum(length(title) * (id % 991))",
        "count(raw)",
        "CAST(max(day) AS varchar(40))",
        "substr(CAST(min(made) AS varchar(40)), 1, 19)",
        "substr(CAST(max(seen) AS varchar(40)), 1, 19)",
        "min(CAST(code AS varchar(40)))",
    ),
)

TABLES = {t.name: t for t in (LINEITEM, WIDE)}
