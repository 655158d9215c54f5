"""Which types the texts of a CSV table have: guessed from its head, then proven on every value.

A type is taken only if each value of the column is the plain spelling of one: ``007`` and ``+1``
stay text, and so does a column with one value that is something else.
"""

from dataclasses import dataclass
from typing import Any

from datamig_pipelines.dialects.files.relation import quote

_HEAD_ROWS = 2_000
_MOST_DIGITS = 38
_DAY = r"\d{4}-\d{2}-\d{2}"
_CLOCK = r"\d{2}:\d{2}:\d{2}(\.\d{1,6})?"
_NUMBER = r"-?(0|[1-9]\d*)(\.\d+)?"
_ZONE = r"(Z|[+-]\d{2}(:?\d{2})?)"
_POWER = r"([eE][+-]?\d{1,3})?"
_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@dataclass(frozen=True)
class Sniffed:
    """The types of the columns that are no text, and the number of rows."""

    types: dict[str, str]
    rows: int


def _same(type_: str) -> str:
    return f"coalesce(CAST(TRY_CAST({{0}} AS {type_}) AS VARCHAR) = {{0}}, {{0}} IS NULL)"


def _shaped(shape: str, type_: str) -> str:
    fits = f"regexp_full_match({{0}}, '{shape}') AND TRY_CAST({{0}} AS {type_}) IS NOT NULL"
    return f"({{0}} IS NULL OR ({fits}))"


_SIGNIFICANT = "length(ltrim(regexp_replace(split_part(lower({0}), 'e', 1), '[-.]', '', 'g'), '0'))"
_MODEST = (  # beyond are infinity, and numbers of fewer digits than were written
    "coalesce(abs(TRY_CAST({0} AS DOUBLE)) BETWEEN 1e-300 AND 1e308 "
    "OR regexp_full_match({0}, '-?0(\\.0*)?([eE].*)?'), {0} IS NULL)"
)
_CANDIDATES = {
    "BOOLEAN": "({0} IS NULL OR lower({0}) IN ('true', 'false'))",
    "BIGINT": _same("BIGINT"),
    "DECIMAL": f"({{0}} IS NULL OR regexp_full_match({{0}}, '{_NUMBER}'))",
    "DOUBLE": f"{_shaped(_NUMBER + _POWER, 'DOUBLE')} AND {_MODEST} AND ({{0}} IS NULL OR "
    f"{_SIGNIFICANT} <= 15 OR CAST(TRY_CAST({{0}} AS DOUBLE) AS VARCHAR) = {{0}})",
    "DATE": _same("DATE"),
    "TIMESTAMP": _shaped(f"{_DAY}[ T]{_CLOCK}", "TIMESTAMP"),
    "TIMESTAMP WITH TIME ZONE": _shaped(f"{_DAY}[ T]{_CLOCK}{_ZONE}", "TIMESTAMPTZ"),
    "TIME": _shaped(_CLOCK, "TIME"),
    "UUID": _shaped(_UUID, "UUID"),
}
"""From DuckDB's type to the SQL that says whether a text is one; more exact types first."""


def sniff(raw: Any, scan: str, names: list[str]) -> Sniffed:
    """Return the types that every value of a column has; reads the files whole, once as a rule."""
    head = f"(SELECT * FROM {scan} LIMIT {_HEAD_ROWS})"
    guessed = _proven(raw, head, {name: list(_CANDIDATES) for name in names}).kept
    # A head without values says nothing of a column: then all types are tried at once.
    left = {n: (c if len(c) == len(_CANDIDATES) else c[:1]) for n, c in guessed.items()}
    types: dict[str, str] = {}
    while True:
        proven = _proven(raw, scan, left)
        again: dict[str, list[str]] = {}
        for name, tried in left.items():
            kept = proven.kept[name]
            if kept and len(kept) < len(_CANDIDATES):
                types[name] = proven.sizes[name] if kept[0] == "DECIMAL" else kept[0]
            elif tried and not kept:
                again[name] = guessed[name][guessed[name].index(tried[-1]) + 1 :][:1]
        left = {name: tried for name, tried in again.items() if tried}
        if not left:
            return Sniffed(types, proven.rows)


@dataclass(frozen=True)
class _Proven:
    """What holds for all rows: the types kept per column, and the size of its decimals."""

    rows: int
    kept: dict[str, list[str]]
    sizes: dict[str, str]


def _proven(raw: Any, source: str, tried: dict[str, list[str]]) -> _Proven:
    pairs = [(name, type_) for name, types in tried.items() for type_ in types]
    decimals = [name for name, type_ in pairs if type_ == "DECIMAL"]
    asked = [f"bool_and({_CANDIDATES[t].replace('{0}', quote(n))})" for n, t in pairs]
    for name in map(quote, decimals):
        asked.append(f"max(length(ltrim(split_part({name}, '.', 1), '-')))")
        asked.append(f"max(length(split_part({name}, '.', 2)))")
    rows, *found = raw.execute(f"SELECT {', '.join(['count(*)', *asked])} FROM {source}").fetchone()
    kept: dict[str, list[str]] = {name: [] for name in tried}
    for (name, type_), holds in zip(pairs, found, strict=False):
        if holds is not False:
            kept[name].append(type_)
    lengths = found[len(pairs) :]
    sizes = {n: _size(*lengths[2 * i : 2 * i + 2]) for i, n in enumerate(decimals)}
    return _Proven(rows, kept, sizes)


def _size(whole: int | None, fraction: int | None) -> str:
    """Return the decimal that holds them all; numbers of too many digits stay text."""
    digits = (whole or 0) + (fraction or 0)
    return f"DECIMAL({digits},{fraction})" if 0 < digits <= _MOST_DIGITS else "VARCHAR"
