"""The hash of one row, computed here: for rows that no engine has in one place (transforms)."""

from collections.abc import Callable, Sequence
from hashlib import md5

from datamig_pipelines.catalog import Kind
from datamig_pipelines.dialects.canonical import canon
from datamig_pipelines.dialects.reading import Cell, Projection

_SEPARATOR = "\x1f"
_NULL = "\x1e"
_DIGITS = 15


def row_hasher(columns: Sequence[Projection]) -> Callable[[Sequence[Cell]], int]:
    """Return the function that hashes cells as `Dialect.fingerprint` does the landed row."""
    canons = [
        (i, canon(c.into, c.compare or Kind.TEXT)) for i, c in enumerate(columns) if c.compare
    ]

    def hashed(cells: Sequence[Cell]) -> int:
        texts = [_NULL if cells[i] is None else text(cells[i]) for i, text in canons]
        digest = md5(_SEPARATOR.join(texts).encode(), usedforsecurity=False).hexdigest()
        return int(digest[:_DIGITS], 16)

    return hashed
