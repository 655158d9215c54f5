"""Kinds of objects: how each is made in an engine, and how one sees that a target has it.

A probe looks at what the object does (a duplicate is refused, a default appears), not at how the
target calls it; only indexes, comments and partitions have to be looked up.
"""

from collections.abc import Callable
from dataclasses import dataclass

from datamig_pipelines_tests.conformance.reading import DRIVER_ERRORS, Speaker

Probe = Callable[[str, Speaker], bool]

ALL = ("postgres", "mysql", "sqlite", "duckdb")


@dataclass(frozen=True)
class Feature:
    """One kind of object; ``statements`` by engine, ``*`` for all that are not named.

    ``mark`` is the name by which notes call it.
    """

    name: str
    mark: str
    statements: dict[str, tuple[str, ...]]
    works: Probe

    def possible(self, engine: str) -> bool:
        """Say whether the engine has such objects."""
        return engine in self.statements or "*" in self.statements

    def make(self, engine: str) -> tuple[str, ...]:
        """Return what makes it there."""
        return self.statements.get(engine) or self.statements["*"]


def refuses(*statements: str) -> Probe:
    """Every statement fails, though the table is there."""

    def probe(_engine: str, here: Speaker) -> bool:
        return not any(_runs(here, s) for s in statements)

    return probe


def gives(sql: str, wanted: object, *before: str) -> Probe:
    """A query gives one value, after some statements."""

    def probe(_engine: str, here: Speaker) -> bool:
        if not all(_runs(here, s) for s in before):
            return False
        try:
            rows = here.run(sql)
        except DRIVER_ERRORS:
            return False
        return bool(rows) and str(rows[0][0]) == str(wanted)

    return probe


def both(*probes: Probe) -> Probe:
    """All of them."""
    return lambda engine, here: all(p(engine, here) for p in probes)


def _runs(here: Speaker, sql: str) -> bool:
    try:
        here.run(sql)
    except DRIVER_ERRORS:
        return False
    return True


_INDEXES = {
    "postgres": "SELECT count(*) FROM pg_indexes WHERE tablename = '{}'",
    "mysql": "SELECT count(DISTINCT INDEX_NAME) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '{}'",
    "sqlite": "SELECT count(*) + (SELECT count(*) FROM pragma_table_info('{0}') WHERE pk) FROM pragma_index_list('{0}')",
    "duckdb": "SELECT count(*) + 1 FROM duckdb_indexes() WHERE table_name = '{}'",
}
_DESCENDING = {
    "postgres": "SELECT count(*) FROM pg_indexes WHERE tablename = '{}' AND indexdef LIKE '%DESC%'",
    "mysql": "SELECT count(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '{}' AND COLLATION = 'D'",
    "sqlite": "SELECT count(*) FROM sqlite_master WHERE tbl_name = '{}' AND sql LIKE '%DESC%' AND type = 'index'",
    "duckdb": "SELECT count(*) FROM duckdb_indexes() WHERE table_name = '{}' AND sql LIKE '%DESC%'",
}
_COMMENTS = {
    "postgres": "SELECT obj_description('{0}'::regclass) || col_description('{0}'::regclass, 2)",
    "mysql": "SELECT CONCAT(TABLE_COMMENT, COLUMN_COMMENT) FROM information_schema.TABLES JOIN information_schema.COLUMNS USING (TABLE_SCHEMA, TABLE_NAME) WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '{0}' AND COLUMN_NAME = 'n'",
    "duckdb": "SELECT t.comment || c.comment FROM duckdb_tables() t JOIN duckdb_columns() c USING (table_name) WHERE table_name = '{0}' AND column_name = 'n'",
    "sqlite": "SELECT 'none'",
}  # fmt: skip
_PARTITIONS = {
    "postgres": "SELECT count(*) FROM pg_partitioned_table",
    "mysql": "SELECT count(DISTINCT TABLE_NAME) FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = DATABASE() AND PARTITION_NAME IS NOT NULL",
    "duckdb": "SELECT 0",
    "sqlite": "SELECT 0",
}


def _asked(queries: dict[str, str], table: str, wanted: object) -> Probe:
    return lambda engine, here: gives(queries[engine].format(table), wanted)(engine, here)


def _same(*statements: str) -> dict[str, tuple[str, ...]]:
    return {"*": statements}


_SEQUENCE = ("CREATE SEQUENCE o_numbers START WITH 5", "SELECT nextval('o_numbers')")
_NEXT = {
    "postgres": "SELECT nextval('o_numbers')",
    "duckdb": "SELECT nextval('o_numbers')",
    "mysql": "SELECT NEXTVAL(o_numbers)",
    "sqlite": "SELECT 0",
}
_IDENTITY = ("INSERT INTO o_identity (n) VALUES (1)", "INSERT INTO o_identity (n) VALUES (2)")

OBJECTS = (
    Feature("primary key", "o_key", _same("CREATE TABLE o_key (id integer PRIMARY KEY, n integer)", "INSERT INTO o_key VALUES (1, 1)"), refuses("INSERT INTO o_key VALUES (1, 2)")),
    Feature("composite key", "o_two", _same("CREATE TABLE o_two (a integer NOT NULL, b varchar(9) NOT NULL, PRIMARY KEY (a, b))", "INSERT INTO o_two VALUES (1, 'x')"), both(refuses("INSERT INTO o_two VALUES (1, 'x')"), gives("SELECT 1", 1, "INSERT INTO o_two VALUES (1, 'y')"))),
    Feature("unique constraint", "o_unique", _same("CREATE TABLE o_unique (id integer PRIMARY KEY, n integer UNIQUE)", "INSERT INTO o_unique VALUES (1, 1), (2, NULL), (3, NULL)"), both(refuses("INSERT INTO o_unique VALUES (4, 1)"), gives("SELECT 1", 1, "INSERT INTO o_unique VALUES (5, NULL)"))),
    Feature("NOT NULL", "o_full", _same("CREATE TABLE o_full (id integer PRIMARY KEY, n integer NOT NULL)"), refuses("INSERT INTO o_full VALUES (1, NULL)")),
    Feature("foreign key", "o_child", _same("CREATE TABLE o_parent (id integer PRIMARY KEY)", "CREATE TABLE o_child (id integer PRIMARY KEY, p integer, FOREIGN KEY (p) REFERENCES o_parent (id))", "INSERT INTO o_parent VALUES (1)", "INSERT INTO o_child VALUES (1, 1)"), refuses("INSERT INTO o_child VALUES (2, 99)")),
    Feature("ON DELETE CASCADE", "o_leaf", {e: ("CREATE TABLE o_root (id integer PRIMARY KEY)", "CREATE TABLE o_leaf (id integer PRIMARY KEY, p integer, FOREIGN KEY (p) REFERENCES o_root (id) ON DELETE CASCADE)", "INSERT INTO o_root VALUES (1)", "INSERT INTO o_leaf VALUES (1, 1)") for e in ALL if e != "duckdb"}, gives("SELECT count(*) FROM o_leaf", 0, "DELETE FROM o_root")),
    Feature("reference to itself", "o_self", _same("CREATE TABLE o_self (id integer PRIMARY KEY, up integer, FOREIGN KEY (up) REFERENCES o_self (id))", "INSERT INTO o_self VALUES (1, NULL)", "INSERT INTO o_self VALUES (2, 1)"), refuses("INSERT INTO o_self VALUES (3, 99)")),
    Feature("check", "o_check", _same("CREATE TABLE o_check (id integer PRIMARY KEY, n integer, CHECK (n > 0))", "INSERT INTO o_check VALUES (1, 1)"), refuses("INSERT INTO o_check VALUES (2, -1)")),
    Feature("values of an enum", "o_enum", {"postgres": ("CREATE TYPE tone AS ENUM ('a', 'b')", "CREATE TABLE o_enum (id integer PRIMARY KEY, n tone)"), "mysql": ("CREATE TABLE o_enum (id integer PRIMARY KEY, n enum('a', 'b'))",), "duckdb": ("CREATE TABLE o_enum (id integer PRIMARY KEY, n ENUM ('a', 'b'))",)}, lambda engine, here: refuses("INSERT INTO o_enum VALUES (1, 'z')")(engine, here) or gives("SELECT n FROM o_enum WHERE id = 1", "", "DELETE FROM o_enum WHERE n <> ''")(engine, here)),
    Feature("length of varchar", "o_length", dict.fromkeys(("postgres", "mysql"), ("CREATE TABLE o_length (id integer PRIMARY KEY, n varchar(3))",)), both(lambda engine, here: engine != "mysql" or gives("SELECT 1", 1, "SET sql_mode = 'TRADITIONAL'")(engine, here), refuses("INSERT INTO o_length VALUES (1, 'abcd')"), lambda engine, here: engine != "mysql" or gives("SELECT 1", 1, "SET sql_mode = ''")(engine, here))),
    Feature("default of a literal", "o_default", _same("CREATE TABLE o_default (id integer PRIMARY KEY, n varchar(9) DEFAULT 'it''s', d decimal(5,2) DEFAULT 1.50)"), both(gives("SELECT n FROM o_default WHERE id = 9", "it's", "INSERT INTO o_default (id) VALUES (9)"), lambda engine, here: float(here.run("SELECT d FROM o_default")[0][0]) == 1.5)),
    Feature("default of now", "o_now", _same("CREATE TABLE o_now (id integer PRIMARY KEY, n timestamp DEFAULT CURRENT_TIMESTAMP)"), gives("SELECT count(*) FROM o_now WHERE n IS NOT NULL", 1, "INSERT INTO o_now (id) VALUES (9)")),
    Feature("identity", "o_identity", {"postgres": ("CREATE TABLE o_identity (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, n integer)", *_IDENTITY), "mysql": ("CREATE TABLE o_identity (id integer AUTO_INCREMENT PRIMARY KEY, n integer)", *_IDENTITY), "sqlite": ("CREATE TABLE o_identity (id INTEGER PRIMARY KEY AUTOINCREMENT, n integer)", *_IDENTITY), "duckdb": ("CREATE SEQUENCE o_count", "CREATE TABLE o_identity (id integer PRIMARY KEY DEFAULT nextval('o_count'), n integer)", *_IDENTITY)}, gives("SELECT id FROM o_identity WHERE n = 9", 3, "INSERT INTO o_identity (n) VALUES (9)")),
    Feature("sequence", "o_numbers", {"postgres": _SEQUENCE, "duckdb": _SEQUENCE, "mysql": (_SEQUENCE[0], "SELECT NEXTVAL(o_numbers)")}, lambda engine, here: gives(_NEXT[engine], 6)(engine, here)),
    Feature("generated column", "o_made", {"*": ("CREATE TABLE o_made (id integer PRIMARY KEY, n integer, twice integer GENERATED ALWAYS AS (n * 2) STORED)", "INSERT INTO o_made (id, n) VALUES (1, 4)"), "duckdb": ("CREATE TABLE o_made (id integer PRIMARY KEY, n integer, twice integer GENERATED ALWAYS AS (n * 2))", "INSERT INTO o_made (id, n) VALUES (1, 4)")}, gives("SELECT twice FROM o_made WHERE id = 2", 10, "INSERT INTO o_made (id, n) VALUES (2, 5)")),
    Feature("index", "o_index", _same("CREATE TABLE o_index (id integer PRIMARY KEY, n integer)", "CREATE INDEX o_index_n ON o_index (n)"), _asked(_INDEXES, "o_index", 2)),
    Feature("descending index", "o_down_n", dict.fromkeys(("postgres", "mysql", "sqlite"), ("CREATE TABLE o_down (id integer PRIMARY KEY, n integer)", "CREATE INDEX o_down_n ON o_down (n DESC)")), _asked(_DESCENDING, "o_down", 1)),
    Feature("index over an expression", "o_low_n", dict.fromkeys(("postgres", "sqlite", "duckdb"), ("CREATE TABLE o_low (id integer PRIMARY KEY, n varchar(9))", "CREATE INDEX o_low_n ON o_low (lower(n))")), _asked(_INDEXES, "o_low", 2)),
    Feature("unique partial index", "o_some_n", dict.fromkeys(("postgres", "sqlite"), ("CREATE TABLE o_some (id integer PRIMARY KEY, n integer)", "CREATE UNIQUE INDEX o_some_n ON o_some (n) WHERE n > 0", "INSERT INTO o_some VALUES (1, 1), (2, -1), (3, -1)")), both(refuses("INSERT INTO o_some VALUES (4, 1)"), gives("SELECT 1", 1, "INSERT INTO o_some VALUES (5, -1)"))),
    Feature("index over a prefix", "o_front_n", {"mysql": ("CREATE TABLE o_front (id integer PRIMARY KEY, n text)", "CREATE INDEX o_front_n ON o_front (n(5))")}, _asked(_INDEXES, "o_front", 2)),
    Feature("fulltext or GIN index", "o_words_n", {"mysql": ("CREATE TABLE o_words (id integer PRIMARY KEY, n text, FULLTEXT KEY o_words_n (n))",), "postgres": ("CREATE TABLE o_words (id integer PRIMARY KEY, n int[])", "CREATE INDEX o_words_n ON o_words USING gin (n)")}, _asked(_INDEXES, "o_words", 2)),
    Feature("case blind unique", "o_blind", {"mysql": ("CREATE TABLE o_blind (id integer PRIMARY KEY, n varchar(9) COLLATE utf8mb4_general_ci UNIQUE)", "INSERT INTO o_blind VALUES (1, 'a')"), "sqlite": ("CREATE TABLE o_blind (id integer PRIMARY KEY, n varchar(9) COLLATE NOCASE UNIQUE)", "INSERT INTO o_blind VALUES (1, 'a')")}, refuses("INSERT INTO o_blind VALUES (2, 'A')")),
    Feature("view", "o_view", _same("CREATE TABLE o_base (id integer PRIMARY KEY, n integer)", "INSERT INTO o_base VALUES (1, 5)", "CREATE VIEW o_view AS SELECT id, n + 1 AS m FROM o_base WHERE n > 0"), gives("SELECT m FROM o_view", 6)),
    Feature("materialized view", "o_kept", {"postgres": ("CREATE TABLE o_stuff (id integer PRIMARY KEY, n integer)", "INSERT INTO o_stuff VALUES (1, 5)", "CREATE MATERIALIZED VIEW o_kept AS SELECT id, n + 1 AS m FROM o_stuff")}, gives("SELECT m FROM o_kept", 6)),
    Feature("trigger", "o_watch", {"postgres": ("CREATE TABLE o_watched (id integer PRIMARY KEY, n integer)", "CREATE FUNCTION o_act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.n := 7; RETURN NEW; END'", "CREATE TRIGGER o_watch BEFORE INSERT ON o_watched FOR EACH ROW EXECUTE FUNCTION o_act()"), "mysql": ("CREATE TABLE o_watched (id integer PRIMARY KEY, n integer)", "CREATE TRIGGER o_watch BEFORE INSERT ON o_watched FOR EACH ROW SET NEW.n = 7"), "sqlite": ("CREATE TABLE o_watched (id integer PRIMARY KEY, n integer)", "CREATE TRIGGER o_watch AFTER INSERT ON o_watched BEGIN UPDATE o_watched SET n = 7 WHERE id = NEW.id; END")}, gives("SELECT n FROM o_watched", 7, "INSERT INTO o_watched VALUES (1, 1)")),
    Feature("function", "o_plus", {"postgres": ("CREATE FUNCTION o_plus(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a + 1'",), "mysql": ("CREATE FUNCTION o_plus(a integer) RETURNS integer DETERMINISTIC RETURN a + 1",), "duckdb": ("CREATE MACRO o_plus(a) AS a + 1",)}, gives("SELECT o_plus(2)", 3)),
    Feature("comments", "o_said", {"postgres": ("CREATE TABLE o_said (id integer PRIMARY KEY, n integer)", "COMMENT ON TABLE o_said IS 'one'", "COMMENT ON COLUMN o_said.n IS 'two'"), "duckdb": ("CREATE TABLE o_said (id integer PRIMARY KEY, n integer)", "COMMENT ON TABLE o_said IS 'one'", "COMMENT ON COLUMN o_said.n IS 'two'"), "mysql": ("CREATE TABLE o_said (id integer PRIMARY KEY, n integer COMMENT 'two') COMMENT 'one'",)}, _asked(_COMMENTS, "o_said", "onetwo")),
    Feature("partitions", "o_parts", {"postgres": ("CREATE TABLE o_parts (id integer PRIMARY KEY, n integer) PARTITION BY RANGE (id)", "CREATE TABLE o_parts_1 PARTITION OF o_parts FOR VALUES FROM (0) TO (10)", "INSERT INTO o_parts VALUES (1, 1)"), "mysql": ("CREATE TABLE o_parts (id integer PRIMARY KEY, n integer) PARTITION BY RANGE (id) (PARTITION p1 VALUES LESS THAN (10))", "INSERT INTO o_parts VALUES (1, 1)")}, _asked(_PARTITIONS, "o_parts", 1)),
)  # fmt: skip
