"""Connections: a DuckDB in memory that sees files as tables, or the folder that we write."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import URL

from datamig_pipelines.dialects.duckdb import driver as duckdb_driver
from datamig_pipelines.dialects.files import csv_reader, parquet_reader, store, tables
from datamig_pipelines.dialects.files.address import Address, parse
from datamig_pipelines.dialects.files.listing import TableFiles, listing, marks
from datamig_pipelines.dialects.files.relation import Relation, quote
from datamig_pipelines.errors import (
    BrokenFileError,
    EngineError,
    FileChangedError,
)

if TYPE_CHECKING:
    import duckdb

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


class Connection(duckdb_driver.Connection):
    """A DuckDB that shows one view per table of files.

    Schema `SHAPE` has a view of the true columns per table, which is the catalog; the view that is
    read is a temporary one. Table `FILES` knows the files, `OTHERS` what else lies there.
    """

    def __init__(self, raw: "duckdb.DuckDBPyConnection", path: Path) -> None:
        super().__init__(raw, path)
        self.tables: dict[str, TableFiles] = {}

    def show(self, relation: Relation) -> None:
        """Make, or make anew, the view through which a table is read."""
        name = relation.table.name
        self.raw.execute(f"CREATE OR REPLACE TEMP VIEW {quote(name)} AS {relation.sql}")
        self.tables[name] = relation.table

    def before(self, sql: str) -> None:
        """Hear of a statement that is to be sent."""

    def after(self, sql: str) -> None:
        """Hear of a statement that went well."""

    def check_unchanged(self, name: str) -> None:
        """Raise FileChangedError if a file of a table is not the one that was opened."""
        table = self.tables[name]
        before = tuple((f.name, f.bytes, f.mark) for f in table.files)
        for was, now in zip(before, marks(table), strict=True):
            if was != now:
                msg = f"{was[0]} changed while it was read"
                hint = "Let nobody write there meanwhile; `datamig rollback`, then run again."
                raise FileChangedError(msg, hint=hint)


def connect(url: URL) -> Connection:
    """Open the files of a URL for reading; each is looked at, CSV is read whole for its types.

    Raises:
        FilesUrlError, ConnectError, LoginError, BrokenFileError: See `datamig_pipelines.errors`.
    """
    import duckdb

    address = parse(url)
    found = listing(address)
    raw = duckdb.connect(config=_CONFIG)
    try:
        raw.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        if address.bucket:
            raw.register_filesystem(store.file_system())
        connection = Connection(raw, Path(address.path))
        raw.execute(tables.CREATE)
        for table in found.tables:
            relation = _relation(raw, table, address)
            connection.show(relation)
            columns = ", ".join(f"CAST(NULL AS {t}) AS {quote(n)}" for n, t in relation.columns)
            raw.execute(tables.shape(table.name, columns))
            row = [table.name, 1, table.files[0].name, relation.rows, table.bytes]
            raw.execute(tables.ADD_FILE, row)
        for other in found.others:
            raw.execute(tables.ADD_OTHER, ["file", other])
    except BaseException:
        raw.close()
        raise
    return connection


def _relation(raw: Any, table: TableFiles, address: Address) -> Relation:
    read: dict[str, Callable[[], Relation]] = {
        "csv": lambda: csv_reader.relation(raw, table, address.csv),
        "parquet": lambda: parquet_reader.relation(raw, table),
    }
    return read[address.format]()


_LINE = re.compile(r"CSV Error on Line: (\d+)")
_FILE = re.compile(r"^\s*file = (.*)$", re.MULTILINE)
_COLUMNS = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
_CSV_WORDS = (
    (
        "unterminated quote",
        "a quote is not closed, or stands inside of a value",
        "Double the quotes inside of values, or say which character quotes: ?quote=none",
    ),
    (
        "Invalid unicode",
        "it is not UTF-8",
        "Say which encoding it has: ?encoding=latin-1 or utf-16.",
    ),
    (
        "Maximum line size",
        "the line is longer than the reader was told",
        "A quote that is never closed looks so, too. Else raise ?line_bytes=…",
    ),
    (
        "invalid state",
        "it breaks the rules of CSV (lines that end differently, a quote inside of a value)",
        "Let all lines end alike, and double the quotes inside of values.",
    ),
)
_PARQUET_WORDS = (
    *("No magic bytes", "too small to be a Parquet", "Failed to read", "TProtocolException"),
    *("Footer length", "Corrupt", "snappy", "don't know what type"),
)


def translate(error: BaseException) -> EngineError:
    """Return what DuckDB, or the object store behind it, means."""
    import duckdb

    said = str(error)
    if type(error) is duckdb.Error and store.speaks(said):
        return store.translated(said, _named(said) or "an object")
    if said.startswith(("Invalid Input Error: CSV", "Invalid Input Error: The CSV")):
        return _broken_csv(said, _place(said))
    return _broken_parquet(said) or duckdb_driver.translate(error)


def _named(said: str) -> str:
    match = re.search(r"s3://[^\s'\"]+", said)
    return match[0] if match else ""


def _place(said: str) -> str:
    file, line = _FILE.search(said), _LINE.search(said)
    if file is None:
        return "a CSV file"
    return f"{file[1]}, line {line[1]}" if line else file[1]


def _broken_csv(said: str, place: str) -> BrokenFileError:
    if match := _COLUMNS.search(said):
        msg = f"{place}: {match[2]} fields where the header has {match[1]}"
        hint = "Mend the line; a delimiter inside of a value needs quotes around the value."
        return BrokenFileError(msg, hint=hint)
    for word, what, hint in _CSV_WORDS:
        if word.lower() in said.lower():
            return BrokenFileError(f"{place}: {what}", hint=hint)
    line = next((x for x in said.splitlines()[1:] if x.strip()), said.splitlines()[0])
    return BrokenFileError(f"{place}: {line.strip()[:200]}", hint="Look at the file there.")


def _broken_parquet(said: str) -> BrokenFileError | None:
    named = "arquet" in said or "TProtocol" in said
    if not named or not any(word in said for word in _PARQUET_WORDS):
        return None
    hint = "Write the file again: it is cut off, or no Parquet file."
    return BrokenFileError(said.splitlines()[0], hint=hint)
