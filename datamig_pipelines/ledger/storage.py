"""The ledger's tables over one session: made, looked for, read and written."""

from typing import Any

from datamig_pipelines.errors import StatementError
from datamig_pipelines.ledger.damage import damaged, explained, refuse_gaps, refuse_outdated
from datamig_pipelines.ledger.tables import column_names, ledger_name, ledger_tables
from datamig_pipelines.session import Session


class Storage:
    """Where the ledger is kept. Rows go in and come out as tuples in the order of the columns."""

    def __init__(self, session: Session) -> None:
        """Use a session; nothing is created yet."""
        self.session = session
        self.dialect = session.dialect
        self._known = False

    def create(self, *, mend: bool = False) -> None:
        """Create the ledger's tables where they are missing.

        ``mend`` makes those anew, too, that somebody dropped: on the way back they are not needed.

        Raises:
            LedgerOutdatedError, LedgerDamagedError: Of what is there.
        """
        if self.exists() and not mend and self._fetch("run", (), ()):
            refuse_gaps(self.session)
        tables = ledger_tables(self.dialect)
        if self.dialect.can.schemas:
            self.session.run(self.dialect.create_schema(tables[0].name.schema))
        for table in tables:
            self.session.run(
                self.dialect.create_table(table, keys=True, foreign_keys=False, if_missing=True)
            )

    def exists(self) -> bool:
        """Say whether the target has a ledger.

        Raises:
            LedgerOutdatedError: It was made by version 0.1.0, which knew no shards.
            LedgerDamagedError: Somebody dropped the table of runs.
        """
        if not self._known and self._has("run"):
            refuse_outdated(self.session)
            self._known = True
        if not self._known and self._has("step"):
            raise damaged(self.session, ["run"])
        return self._known

    def _has(self, name: str) -> bool:
        return self.session.has_table(ledger_name(self.dialect, name))

    def _fetch(
        self,
        name: str,
        where: tuple[str, ...],
        values: tuple[Any, ...],
        order: tuple[str, ...] = (),
    ) -> list[tuple[Any, ...]]:
        if not self.exists():
            return []
        sql = self.dialect.fetch(ledger_name(self.dialect, name), column_names(name), where, order)
        return self._query(sql, values)

    def _insert(self, name: str, values: tuple[Any, ...]) -> None:
        sql = self.dialect.insert(ledger_name(self.dialect, name), column_names(name))
        self._query(sql, values)

    def _update(
        self, name: str, columns: tuple[str, ...], values: tuple[Any, ...], **where: str | int
    ) -> None:
        sql = self.dialect.update(ledger_name(self.dialect, name), columns, tuple(where))
        self._query(sql, (*values, *where.values()))

    def _delete(self, name: str, **where: str | int) -> None:
        sql = self.dialect.delete(ledger_name(self.dialect, name), tuple(where))
        self._query(sql, tuple(where.values()))

    def _query(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        try:
            return self.session.query(sql, values)
        except StatementError as error:
            raise explained(self.session, error) from error
