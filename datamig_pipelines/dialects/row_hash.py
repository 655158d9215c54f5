"""The hash of one row, computed here: for rows that no engine has in one place (transforms)."""

from collections.abc import Callable, Sequence

from datamig_pipelines.catalog import Kind
from datamig_pipelines.dialects.canonical import canon
from datamig_pipelines.dialects.documents import NULL, digest, former, hash_of
from datamig_pipelines.dialects.reading import Cell, Projection


def row_texts(columns: Sequence[Projection]) -> Callable[[Sequence[Cell]], tuple[str | None, ...]]:
    """Return the function that writes cells as the canonical texts of the landed row.

    Columns without a form are left out.
    """
    forms = [(i, canon(c.into, c.compare)) for i, c in enumerate(columns) if c.compare]
    formed = former([c.compare for c in columns if c.compare])

    def texts(cells: Sequence[Cell]) -> tuple[str | None, ...]:
        return formed([None if cells[i] is None else text(cells[i]) for i, text in forms])

    return texts


def row_hasher(columns: Sequence[Projection]) -> Callable[[Sequence[Cell]], int]:
    """Return the function that hashes cells as `Session.fingerprint` does the landed row."""
    forms = [(i, c.compare, canon(c.into, c.compare)) for i, c in enumerate(columns) if c.compare]
    plain = [(i, text) for i, form, text in forms if form is not Kind.DOCUMENT]
    documents = [(i, text) for i, form, text in forms if form is Kind.DOCUMENT]

    def hashed(cells: Sequence[Cell]) -> int:
        return digest([NULL if cells[i] is None else text(cells[i]) for i, text in plain])

    def with_documents(cells: Sequence[Cell]) -> int:
        texts = [None if cells[i] is None else text(cells[i]) for i, text in documents]
        return hash_of(hashed(cells) if plain else 0, texts)

    return with_documents if documents else hashed
