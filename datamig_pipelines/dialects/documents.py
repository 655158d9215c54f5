"""JSON that an engine rewrites (jsonb), in one form: keys in order, no blanks, plain numbers.

No SQL that all engines have brings a document into one form. So the values of such columns, and
the hash of all other cells of their row, are brought here row by row, and hashed together.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from hashlib import md5
from typing import TYPE_CHECKING, Any, Final

from datamig_pipelines.catalog import Kind
from datamig_pipelines.dialects.reading import Compared, Fingerprint

if TYPE_CHECKING:
    from datamig_pipelines.dialects.base import Dialect

SEPARATOR: Final = "\x1f"
NULL: Final = "\x1e"
_DIGITS: Final = 15
_WIDEST: Final = 40
"""Digits of a number that is written out; a longer one has an exponent."""


class _Number(str):
    """A number in its one form; it is not a text of the document."""

    __slots__ = ()


def document(text: str) -> str:
    """Return a document in its one form; what cannot be read as JSON stays as it is."""
    form = _form(text)
    return text if form is None else form


def is_document(text: str) -> bool:
    """Say whether `document` can read a text."""
    return _form(text) is not None


def _form(text: str) -> str | None:
    try:
        return _written(_DECODER.decode(text))
    except (ValueError, RecursionError):
        return None


def _number(text: str) -> _Number:
    """Return a number without an exponent and trailing zeros, as far as it is not endless."""
    sign, mantissa = ("-", text[1:]) if text[0] == "-" else ("", text)
    mantissa, _, power = mantissa.lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return _Number("0")
    exponent = int(power or "0") - len(fraction)
    exponent += len(digits) - len(digits := digits.rstrip("0"))
    point = len(digits) + exponent
    if max(point, -exponent) > _WIDEST:
        return _Number(f"{sign}{digits}e{exponent}")
    if exponent >= 0:
        return _Number(sign + digits + "0" * exponent)
    if point <= 0:
        return _Number(f"{sign}0.{'0' * -point}{digits}")
    return _Number(f"{sign}{digits[:point]}.{digits[point:]}")


def _refused(word: str) -> Any:
    raise ValueError(word)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; none where a key comes twice: jsonb would keep the last value alone."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError
    return members


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=_number, parse_int=_number, parse_constant=_refused
)
_text: Final = json.JSONEncoder(ensure_ascii=False).encode
_WORDS: Final = {True: "true", False: "false", None: "null"}


def _written(value: Any) -> str:
    kind = type(value)
    if kind is _Number:
        return str(value)
    if kind is str:
        return _text(value)
    if kind is dict:
        members = [f"{_text(k)}:{_written(v)}" for k, v in sorted(value.items())]
        return "{" + ",".join(members) + "}"
    if kind is list:
        return "[" + ",".join([_written(v) for v in value]) + "]"
    return _WORDS[value]


# ---- rows


def has_documents(columns: Sequence[Compared]) -> bool:
    """Say whether a column is compared as a document."""
    return any(c.compare is Kind.DOCUMENT for c in columns)


def rows_sql(
    dialect: "Dialect", table: str, columns: Sequence[Compared], bucket: str, where: str
) -> str:
    """Return the SELECT of bucket, hash of all cells that are no documents, and the documents."""
    others = [dialect.cell(c) for c in columns if c.compare is not Kind.DOCUMENT]
    documents = [dialect.cell(c) for c in columns if c.compare is Kind.DOCUMENT]
    cells = [bucket or "0", dialect.row_hash(others) if others else "0", *documents]
    named = ", ".join(f"{c} AS datamig_c{i}" for i, c in enumerate(cells))
    return f"SELECT {named} {dialect.rows_of(table, where)}"


def in_buckets(rows: Iterator[Sequence[Any]]) -> dict[int | None, Fingerprint]:
    """Return the checksum of every bucket of the rows that `rows_sql` asked for."""
    sums: dict[int | None, list[int]] = {}
    for bucket, others, *documents in rows:
        one = sums.setdefault(None if bucket is None else int(bucket), [0, 0])
        one[0] += 1
        one[1] += hash_of(int(others), documents)
    return {b: Fingerprint(*both) for b, both in sums.items()}


def hash_of(others: int, documents: Sequence[str | None]) -> int:
    """Return the hash of a row from that of its other cells and from its documents."""
    texts = [NULL if d is None else document(d) for d in documents]
    return digest([str(others), *texts])


def digest(texts: Sequence[str]) -> int:
    """Return the hash of a row of canonical texts, as every engine takes it in SQL."""
    row = SEPARATOR.join(texts).encode("utf-8", "surrogatepass")
    return int(md5(row, usedforsecurity=False).hexdigest()[:_DIGITS], 16)


def former(forms: Sequence[Kind]) -> Callable[[Sequence[Any]], tuple[str | None, ...]]:
    """Return what makes canonical texts of a row of these forms that an engine returned."""
    at = {i for i, form in enumerate(forms) if form is Kind.DOCUMENT}

    def formed(row: Sequence[Any]) -> tuple[str | None, ...]:
        return tuple(
            None if c is None else document(str(c)) if i in at else str(c)
            for i, c in enumerate(row)
        )

    return formed


def hasher(forms: Sequence[Kind]) -> Callable[[Sequence[str | None]], int]:
    """Return what hashes a row of canonical texts of these forms."""
    documents = [i for i, form in enumerate(forms) if form is Kind.DOCUMENT]
    others = [i for i in range(len(forms)) if i not in documents]

    def hashed(texts: Sequence[str | None]) -> int:
        own = digest([NULL if (t := texts[i]) is None else t for i in others]) if others else 0
        return hash_of(own, [texts[i] for i in documents]) if documents else own

    return hashed
