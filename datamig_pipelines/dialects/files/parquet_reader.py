"""Parquet files: their schemas compared, their rows numbered."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from datamig_pipelines.dialects.files.listing import TableFiles, escaped
from datamig_pipelines.dialects.files.relation import Relation, listed, quote
from datamig_pipelines.errors import BrokenFileError

_MOST_DIGITS = 38


def relation(raw: Any, table: TableFiles) -> Relation:
    """Return the relation of a table in Parquet files.

    Raises:
        BrokenFileError: The parts of the table are not alike, or DuckDB would change its values.
    """
    _check_alike(raw, table)
    source = scan([f.name for f in table.files], partitioned=table.partitioned)
    described = raw.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    columns = tuple((name, type_) for name, type_, *_ in described)
    counts = _counts(raw, table)
    starts = ", ".join(str(n) for n in accumulate([0, *counts[:-1]]))
    number = f"([{starts}])[CAST(file_index AS BIGINT) + 1] + file_row_number"
    cells = ", ".join(quote(name) for name, _ in columns)
    return Relation(table, columns, cells, source, number, sum(counts))


def scan(names: list[str], *, partitioned: bool = False) -> str:
    """Return the call that reads files; folders like ``year=2024`` become columns of text."""
    hive = "true, hive_types_autocast = false" if partitioned else "false"
    files = listed([escaped(n) for n in names])
    return f"read_parquet({files}, hive_partitioning = {hive})"


def _counts(raw: Any, table: TableFiles) -> list[int]:
    names = listed([escaped(f.name) for f in table.files])
    rows = raw.execute(f"SELECT file_name, num_rows FROM parquet_file_metadata({names})").fetchall()
    found = dict(rows)
    return [int(found[f.name]) for f in table.files]


def _check_alike(raw: Any, table: TableFiles) -> None:
    names = listed([escaped(f.name) for f in table.files])
    rows = raw.execute(
        "SELECT file_name, name, type, converted_type, logical_type, num_children, precision "
        f"FROM parquet_schema({names})"
    ).fetchall()
    schemas: dict[str, list[Sequence[Any]]] = {f.name: [] for f in table.files}
    for file, *fact in rows:
        schemas[file].append(fact)
    first = table.files[0].name
    for fact in schemas[first]:
        if (fact[5] or 0) > _MOST_DIGITS:
            msg = f"{first}: column {fact[0]} has decimals of {fact[5]} digits"
            hint = "DuckDB reads 38 at most: write the column as decimal(38, …) or as text."
            raise BrokenFileError(msg, hint=hint)
    described = raw.execute(f"DESCRIBE SELECT * FROM {scan([first])}").fetchall()
    renamed = {row[0] for row in described} - {fact[0] for fact in schemas[first]}
    if renamed:
        msg = f"{first} has columns that differ in nothing but case: {', '.join(sorted(renamed))}"
        raise BrokenFileError(msg, hint="Rename one of them; DuckDB would call it otherwise.")
    for name, facts in schemas.items():
        # The root of the schema has a name of its own, which says nothing.
        if facts[1:] != schemas[first][1:]:
            msg = f"{name} and {first} are parts of {table.name}, but their columns differ"
            hint = f"Differing: {_difference(facts[1:], schemas[first][1:])}. Write both alike."
            raise BrokenFileError(msg, hint=hint)


def _difference(one: list[Sequence[Any]], other: list[Sequence[Any]]) -> str:
    names = [str(fact[0]) for fact in (*one, *other) if fact not in one or fact not in other]
    return ", ".join(dict.fromkeys(names)) or "the order"
