"""What MySQL and MariaDB say differently in information_schema.

MariaDB's side is tested on a server; MySQL 8's follows its manual.
"""

import re
from dataclasses import dataclass

from datamig_pipelines.dialects.mysql.driver import is_mariadb

_INTRODUCER = re.compile(r"\b_(?:utf8mb4|utf8mb3|utf8|latin1|ascii|binary)(?=\\?')", re.IGNORECASE)


@dataclass(frozen=True)
class Flavour:
    r"""A server's version, as facts about its information_schema.

    ``quotes_defaults``: COLUMN_DEFAULT is SQL (``'abc'``, ``NULL``, ``uuid()``); else it is bare
    text, and EXTRA says DEFAULT_GENERATED where it is an expression.
    ``names_table_of_check``: CHECK_CONSTRAINTS has the table and the level itself.
    ``index_expressions``: STATISTICS has a column EXPRESSION.
    MySQL's expressions come with ``\'`` for quotes and ``_utf8mb4`` before texts: `expression`.
    """

    mariadb: bool

    @property
    def quotes_defaults(self) -> bool:
        """COLUMN_DEFAULT is SQL."""
        return self.mariadb

    @property
    def names_table_of_check(self) -> bool:
        """CHECK_CONSTRAINTS has TABLE_NAME and LEVEL."""
        return self.mariadb

    @property
    def index_expressions(self) -> bool:
        """STATISTICS has EXPRESSION."""
        return not self.mariadb

    def expression(self, sql: str) -> str:
        """Return an expression of information_schema as SQL that its own server would take."""
        return sql if self.mariadb else _INTRODUCER.sub("", sql).replace("\\'", "'")


def flavour_of(version: str) -> Flavour:
    """Return the flavour that a version string tells."""
    return Flavour(mariadb=is_mariadb(version))
