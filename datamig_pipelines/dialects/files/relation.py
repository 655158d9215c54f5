"""A table of files as DuckDB sees it: its columns, and the SQL that reads them."""

from dataclasses import dataclass

from datamig_pipelines.dialects.files.listing import TableFiles


@dataclass(frozen=True)
class Relation:
    """One table.

    ``columns`` are (name, DuckDB's type), ``cells`` their SQL over the ``scan``; ``number`` is SQL
    for the number of a row over all files, from 0, in the order in which they are read. ``rows`` is
    exact, or 0 where nobody has counted.
    """

    table: TableFiles
    columns: tuple[tuple[str, str], ...]
    cells: str
    scan: str
    number: str
    rows: int = 0

    @property
    def sql(self) -> str:
        """Return the SELECT of the columns, then `ROW`, unless a column is called so."""
        own = ROW in {name.lower() for name, _ in self.columns}
        number = "" if own else f", {self.number} AS {ROW}"
        return f"SELECT {self.cells}{number} FROM {self.scan}"


ROW = "rowid"


def quote(name: str) -> str:
    """Return a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a quoted text."""
    return "'" + text.replace("'", "''") + "'"


def listed(names: list[str]) -> str:
    """Return SQL for a list of texts."""
    return f"[{', '.join(literal(n) for n in names)}]"
