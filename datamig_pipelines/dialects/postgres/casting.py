"""What a value becomes in one of PostgreSQL's own columns: it is sent as text and parsed there."""

from typing import Final

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.parsing import PARSED, TEXTS
from datamig_pipelines.dialects.postgres.rendering import render
from datamig_pipelines.dialects.reading import Cast, Projection

_READ: Final = PARSED | {Kind.JSON, Kind.BLOB, Kind.INTERVAL, Kind.TIMETZ}
"""Kinds whose input is a cast from text. That of a text or of bits cuts where a load refuses."""


def cast(sql: str, held: Type, into: Type) -> Cast | None:
    """Return the very expression that a load sends, read as the column reads it."""
    if into.binary and (held.kind in TEXTS or (held.kind is Kind.JSON and not held.binary)):
        return None  # jsonb drops what a key had before: the document as it was is compared
    sent = f"({render(Projection('', sql, held, into, None), Wire.COPY_TEXT)})::text"
    if held.kind is Kind.BLOB and into.kind is Kind.TEXT:
        return Cast(sent, into)
    return Cast(f"{sent}::{into.native}", into) if into.kind in _READ else None
