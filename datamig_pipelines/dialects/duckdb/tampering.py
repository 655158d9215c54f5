"""Harm, in DuckDB's words. A key or a column is taken away by building the table anew."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from datamig_pipelines.catalog import Column, Index, Key, Table
from datamig_pipelines.dialects.tampering import Harm, RebuildTampering, Spoil, Tampering

if TYPE_CHECKING:
    from datamig_pipelines.dialects.base import Queryable

_BYTE = "CASE WHEN substr(hex({c}), 1, 2) = '00' THEN '01' ELSE '00' END"


class DuckDBTampering(RebuildTampering):
    """DuckDB guards references at all times, so that some tables cannot be harmed."""

    spoils: ClassVar[Mapping[Spoil, str]] = {
        **Tampering.spoils,
        # As numbers: DuckDB composes the literals of a statement.
        Spoil.DECOMPOSED: "replace({c}, chr(233), 'e' || chr(769))",
        Spoil.OTHER_BYTE: f"from_hex({_BYTE} || substr(hex({{c}}), 3))",
    }

    @override
    def row_name(self, table: Table) -> str:
        return table.rowid or "rowid"

    @override
    def lose_column(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        return self._altered(table, f"DROP COLUMN {self.quote(column.name)}")

    @override
    def lose_primary_key(self, session: "Queryable", table: Table, key: Key) -> Harm | None:
        return self._rebuilt(table, replace(table, primary_key=None))

    @override
    def loosen_index(self, session: "Queryable", table: Table, index: Index) -> Harm | None:
        return None  # none can be dropped and made again in one transaction

    @override
    def _rebuilt(self, table: Table, altered: Table) -> Harm:
        """Put another table with the same rows in the place of one."""
        bare = [f"DROP INDEX {self._beside(table, i.name)}" for i in table.indexes]
        indexes = [s.sql for i in table.indexes for s in self.create_index(table, i)]
        return Harm((*bare, *(s.sql for s in self.rebuild(altered)), *indexes))
