"""CSV files: the header read here, the rows by DuckDB, in its strict mode, all as text first."""

import codecs
import csv
import io
from dataclasses import replace
from typing import Any

from datamig_pipelines.dialects.files.address import CsvOptions
from datamig_pipelines.dialects.files.listing import File, TableFiles, escaped, head
from datamig_pipelines.dialects.files.relation import Relation, listed, literal, quote
from datamig_pipelines.dialects.files.sniffing import Sniffed, sniff
from datamig_pipelines.errors import BrokenFileError

_HEAD_BYTES = 2**20
_WRONG_BYTE = "\N{REPLACEMENT CHARACTER}"
_known: dict[tuple[TableFiles, CsvOptions], Sniffed] = {}


def relation(raw: Any, table: TableFiles, options: CsvOptions) -> Relation:
    """Return the relation of a table in CSV files.

    Types are sniffed once per process as long as the files do not change: that reads them whole.

    Raises:
        BrokenFileError: A header is missing, names a column twice, or differs between parts.
    """
    said = replace(options, delimiter=options.delimiter or _delimiter(table))
    names = _columns(table, said)
    scan = _scan(table, said, names)
    found = Sniffed({}, 0)
    if said.types == "sniffed":
        if (table, said) not in _known:
            _known[table, said] = sniff(raw, scan, names)
        found = _known[table, said]
    columns = tuple((n, found.types.get(n, "VARCHAR")) for n in names)
    cells = ", ".join(_cell(name, type_) for name, type_ in columns)
    return Relation(table, columns, cells, scan, "row_number() OVER () - 1", found.rows)


def _cell(name: str, type_: str) -> str:
    quoted = quote(name)
    return quoted if type_ == "VARCHAR" else f"CAST({quoted} AS {type_}) AS {quoted}"


def _delimiter(table: TableFiles) -> str:
    tabs = [".tsv" in f.name.lower().rpartition("/")[2] for f in table.files]
    return "\t" if all(tabs) else ","


def _scan(table: TableFiles, options: CsvOptions, names: list[str]) -> str:
    """Return the call of read_csv; every option is said, so that nothing is guessed."""
    columns = ", ".join(f"{literal(n)}: 'VARCHAR'" for n in names)
    said = {
        "auto_detect": "false",
        "columns": f"{{{columns}}}",
        "delim": literal(options.delimiter),
        "header": str(options.header).lower(),
        "quote": literal(options.quote),
        "escape": literal(options.escape if options.quote else ""),
        "nullstr": literal(options.null),
        "allow_quoted_nulls": "false",
        "encoding": literal(options.encoding),
        "comment": "''",
        "strict_mode": "true",
        "null_padding": "false",
        "max_line_size": str(options.line_bytes),
        "buffer_size": str(max(4 * 2**20, 2 * options.line_bytes)),
    }
    files = listed([escaped(f.name) for f in table.files])
    return f"read_csv({files}, {', '.join(f'{k} = {v}' for k, v in said.items())})"


# ---- the header


def _columns(table: TableFiles, options: CsvOptions) -> list[str]:
    first = _first_record(table.files[0], options)
    for file in table.files[1:]:
        other = _first_record(file, options)
        if len(other) != len(first) or (options.header and other != first):
            msg = f"{file.name} and {table.files[0].name} are parts of {table.name}, "
            msg += "but their columns differ"
            raise BrokenFileError(msg, hint="Write both alike, or make two tables of them.")
    if not options.header:
        return [f"column{i}" for i in range(len(first))]
    names = [name or f"column{i}" for i, name in enumerate(first)]
    folded = [name.lower() for name in names]
    twice = sorted({n for n, f in zip(names, folded, strict=True) if folded.count(f) > 1})
    if twice:
        msg = f"{table.files[0].name}: the header names {', '.join(twice)} twice"
        hint = "Rename one of them (case does not count); header=false if it is no header."
        raise BrokenFileError(msg, hint=hint)
    return names


def _first_record(file: File, options: CsvOptions) -> list[str]:
    raw = head(file, _HEAD_BYTES)
    encoding = "utf-8-sig" if options.encoding == "utf-8" else options.encoding
    # Only the header is read here: DuckDB names the line of a byte that is wrong further down.
    text = codecs.getincrementaldecoder(encoding)("replace").decode(raw)
    doubled = options.escape in ("", options.quote)
    lines = io.StringIO(text, newline="")
    rows = csv.reader(
        lines,
        delimiter=options.delimiter,
        quotechar=options.quote or None,
        quoting=csv.QUOTE_MINIMAL if options.quote else csv.QUOTE_NONE,
        doublequote=doubled,
        escapechar=None if doubled else options.escape,
    )
    try:
        first = next(rows, [])
        record = first if options.header else next((row for row in (first, *rows) if row), [])
    except csv.Error as error:
        msg = f"{file.name}: its first line cannot be read: {error}"
        raise BrokenFileError(msg, hint="Check delimiter and quote in the URL.") from error
    if not record:
        msg = f"{file.name} does not begin with the names of its columns"
        raise BrokenFileError(msg, hint="Its first line is empty: write a header, or leave it out.")
    if any(_WRONG_BYTE in name for name in record):
        msg = f"the first line of {file.name} is not in {options.encoding}"
        raise BrokenFileError(msg, hint="Say which encoding it has: ?encoding=latin-1 or utf-16.")
    return record
