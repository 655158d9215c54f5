"""How PostgreSQL writes names and strings."""

import re
from typing import Final

from datamig_pipelines.catalog import Kind, TableName, Type

MAX_IDENTIFIER_BYTES: Final = 63
OWN_NAME: Final = re.compile(r'(?:"(?:[^"]|"")+"\.)?"(?:[^"]|"")+"')
"""A user-defined type as our reader names it: quoted, qualified if outside its table's schema."""


def quote(name: str) -> str:
    """Return a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a string literal; backslashes stand for themselves in it."""
    return "'" + text.replace("'", "''") + "'"


def qualified(name: TableName) -> str:
    """Return the quoted name of a table with its schema, if it has one."""
    return f"{quote(name.schema)}.{quote(name.name)}" if name.schema else quote(name.name)


def declaration(schema: str, type_: Type) -> str:
    """Return the declaration of a column of a table in ``schema``.

    A user-defined type without a schema of its own lives beside its table.
    """
    if type_.kind is Kind.ARRAY and type_.element is not None:
        return f"{declaration(schema, type_.element)}[]"
    lives_beside = is_user_defined(type_) and not type_.native.count('"."')
    return f"{quote(schema)}.{type_.native}" if lives_beside and schema else type_.native


def is_user_defined(type_: Type) -> bool:
    """Say whether a type is an enum or a composite type of this engine's own catalog."""
    own_kind = type_.kind in (Kind.ENUM, Kind.OTHER)
    return own_kind and OWN_NAME.fullmatch(type_.native) is not None


def shortened(name: str, suffix: str) -> str:
    """Return ``name`` + ``suffix``, the name cut so that both fit into an identifier."""
    room = MAX_IDENTIFIER_BYTES - len(suffix.encode())
    return name.encode()[:room].decode(errors="ignore") + suffix
