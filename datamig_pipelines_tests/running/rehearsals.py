"""A target that others use already, and what of it must not change."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datamig_pipelines import running
from datamig_pipelines.backups import Database, State
from datamig_pipelines.catalog import TableName
from datamig_pipelines.ledger.tables import column_names, ledger_tables
from datamig_pipelines.running.opening import target_place
from datamig_pipelines.running.scratching import state_of
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration
from datamig_pipelines.steps import Place
from datamig_pipelines.steps.backup import database_of
from datamig_pipelines_tests.running.lines import Defs

DATABASES = {
    "postgresql": "SELECT datname FROM pg_database",
    "mysql": "SELECT schema_name FROM information_schema.schemata",
}


@dataclass(frozen=True)
class House:
    """A target with rows of others and the ledger of a migration that is done."""

    defs: Defs

    @classmethod
    def filled(cls, defs: Defs) -> "House":
        """Put tables and a view of others into the target, and run a migration."""
        house = cls(defs)
        list(running.run(defs.write("before", "r")))
        house.ask(
            "CREATE TABLE {mine} (id INTEGER PRIMARY KEY, name VARCHAR(20))",
            "INSERT INTO {mine} VALUES (1, 'zwei ✓'), (2, NULL)",
            "CREATE VIEW {seen} AS SELECT name FROM {mine}",
        )
        return house

    def migration(self, **said: Any) -> Migration:
        """Return the migration that is to be rehearsed."""
        return self.defs.write("two", include=["p", "q"], **said)

    @property
    def place(self) -> Place:
        """Return the target."""
        return target_place(self.defs.read("before"))

    def ask(self, *statements: str) -> list[tuple[Any, ...]]:
        """Send statements to the target; ``{mine}`` and ``{seen}`` are quoted names."""
        place, rows = self.place, []
        schema = place.schema if place.dialect.can.schemas else ""
        names = {n: place.dialect.table(TableName(schema, n)) for n in ("mine", "seen")}
        with Session(place.dialect, place.url, readonly=False) as session:
            for statement in statements:
                rows = session.query(statement.format(**names))
        return rows

    def all_of_it(self) -> tuple[State, dict[str, list[tuple[Any, ...]]]]:
        """Return catalog and rows of the target, and every row of its ledger."""
        dialect, rows = self.place.dialect, {}
        with self.place.open(readonly=True) as session:
            for table in ledger_tables(dialect):
                if dialect.has_table(session, table.name):
                    name = table.name.name.removeprefix("datamig_")
                    sql = dialect.fetch(table.name, column_names(name))
                    rows[name] = sorted(session.query(sql), key=repr)
        return state_of(database_of(self.place)), rows

    def scratches(self) -> set[str]:
        """Return the databases, files and folders of rehearsals that are there."""
        sql = DATABASES.get(self.place.dialect.name)
        names = {str(n) for (n,) in self.ask(sql)} if sql else set()
        home = self.defs.read("two").home / "rehearsals"
        names |= {p.name for p in home.glob("datamig_*")}
        return {n for n in names if n.startswith(("datamig_rehearsal_", "datamig_scratch_"))}

    def database(self, name: str) -> Database:
        """Return another database of the target's server."""
        return Database(self.place.dialect, self.place.url.set(database=name))


def rehearsed(
    migration: Migration, sample: str = "", *, keep: bool = False
) -> tuple[dict[str, Any], Path, Exception | None]:
    """Rehearse and return what was found, the file, and the error at the end."""
    found: list[running.Rehearsed] = []
    failed: Exception | None = None
    try:
        events = running.rehearse(migration, sample, keep=keep)
        found += (e for e in events if isinstance(e, running.Rehearsed))
    except Exception as error:  # noqa: BLE001 (the test judges it)
        failed = error
    if not found and failed:
        raise failed
    return found[0].found, found[0].path, failed
