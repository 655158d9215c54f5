"""A migration file as the ledger keeps it: what it says, without comments, defaults and layout."""

import difflib
from hashlib import sha256
from typing import Any

import yaml

from datamig_pipelines.errors import without_secrets
from datamig_pipelines.spec.migration import Migration


def spec_text(migration: Migration) -> str:
    """Return what a migration's file says, as YAML that is the same however it was written.

    Secrets cannot be in it: a file holds none, and what looks like one is masked all the same.
    """
    said = migration.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return without_secrets(yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=100))


def spec_sum(text: str) -> str:
    """Return the checksum of a text that `spec_text` made."""
    return sha256(text.encode()).hexdigest()[:16]


def read_text(text: str) -> dict[str, Any]:
    """Return what a kept text says; {} where there is none."""
    return yaml.safe_load(text) or {}


def text_changes(before: str, after: str) -> list[str]:
    """Return the lines that went (``- …``) and came (``+ …``)."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [f"{line[0]} {line[1:]}" for line in lines if not line.startswith(("---", "+++", "@@"))]
