"""DDL: keys that fit, statements that may be repeated, and what a killed run left behind."""

from dataclasses import replace

import pytest

from datamig_pipelines.catalog import (
    Column,
    Default,
    DefaultKind,
    ForeignKey,
    Index,
    IndexPart,
    Key,
    Kind,
    Table,
    TableName,
    Type,
    View,
)
from datamig_pipelines.dialects.mysql import MySQL
from datamig_pipelines.errors import RefusedError
from datamig_pipelines.ledger import Ledger, RunEntry
from datamig_pipelines.session import Session
from datamig_pipelines_tests.dialects.mysql.landings import (
    NUMBER,
    column,
    create,
    landing,
    rows,
    table,
    write,
)
from datamig_pipelines_tests.dialects.mysql.reads import table_of

DIALECT = MySQL()
TEXT = Type(Kind.TEXT)


def natives(session: Session, name: str) -> dict[str, str]:
    """Return the declarations of a table's columns."""
    return {c.name: c.type.native.split(" ")[0] for c in table_of(session, name).columns}


def test_text_in_keys_gets_a_length(source: Session) -> None:
    """As long as the key allows; case and trailing blanks aside, longer values are refused."""
    made = table(
        column("k", TEXT, nullable=False),
        column("l", TEXT, nullable=False),
        column("u", TEXT),
        column("b", Type(Kind.BLOB)),
        column("free", TEXT),
        key=("k", "l"),
        name="t",
    )
    made = replace(made, uniques=(Key("t_u", ("u",)), Key("t_b", ("b",))))
    create(source, made)
    source.run(*[s for u in made.uniques for s in DIALECT.add_unique(made, u)])

    assert natives(source, "t") == {
        "k": "varchar(384)", "l": "varchar(384)", "u": "varchar(768)",
        "b": "varbinary(3072)", "free": "longtext",
    }  # fmt: skip
    write(source, landing(made), f"a\tb\t{'x' * 768}\t\\N\t\\N", "A\tb\tX\t\\N\t\\N")
    with pytest.raises(RefusedError, match="1265"):
        write(source, landing(made), f"c\td\t{'x' * 769}\t\\N\t\\N")


def test_rows_are_made_to_fit(source: Session) -> None:
    """More VARCHAR than a row holds becomes LONGTEXT with its limit as a check."""
    wide = [column(f"c{i}", Type(Kind.TEXT, length=1000)) for i in range(20)]
    made = table(*wide, name="t")
    create(source, made)

    assert sorted(set(natives(source, "t").values())) == ["longtext", "varchar(1000)"]
    with pytest.raises(RefusedError):
        write(source, landing(made), "\t".join(["x" * 1001] + [""] * 19))
    write(source, landing(made), "\t".join(["x" * 1000] * 20))


def test_indexes_fit_and_keep_their_kind(source: Session) -> None:
    """Long text is covered by a prefix; a unique index is no constraint when it is read back."""
    texts = (column("t", TEXT), column("u", TEXT))
    made = table(column("id", NUMBER, nullable=False), *texts, name="t")
    indexes = (
        Index("by_t", (IndexPart("t"), IndexPart("id", descending=True))),
        Index("by_u", (IndexPart("u"),), unique=True),
        Index("words", (IndexPart("t"),), method="fulltext"),
        Index("low", (IndexPart(expression="lower(`t`)"),)),
    )
    made = replace(made, indexes=indexes)
    create(source, made)
    for _ in range(2):  # a killed step runs again
        source.run(*[s for i in indexes for s in DIALECT.create_index(made, i)])

    found = {i.name: i for i in table_of(source, "t").indexes}
    assert found["by_t"].parts == (IndexPart("t", prefix=191), IndexPart("id", descending=True))
    assert (found["by_u"].unique, found["words"].method) == (True, "fulltext")
    assert found["low"].columns == ("t",)
    assert table_of(source, "t").uniques == ()


def test_keys_may_be_added_twice(source: Session) -> None:
    """Unique keys, foreign keys, views and counters are no error when they are there."""
    parent = table(column("id", NUMBER, nullable=False, identity=True), key=("id",), name="parent")
    actions = {"on_delete": "SET NULL", "on_update": "SET DEFAULT"}
    key = ForeignKey("fk", ("p",), parent.name, ("id",), **actions)
    child = replace(table(column("p", NUMBER), name="child"), foreign_keys=(key,))
    view = View(TableName("", "v"), "SELECT id FROM parent;")
    create(source, parent)
    create(source, child)
    again = [
        *DIALECT.add_unique(child, Key("once", ("p",))),
        *DIALECT.add_foreign_key(child, key),
        *DIALECT.set_counter(parent, "id", 42),
        *DIALECT.create_view(view),
        *DIALECT.analyze(parent.name),
    ]
    source.run(*again, *again)

    read = table_of(source, "child")
    actions = [(k.name, k.on_delete, k.on_update) for k in read.foreign_keys]
    assert actions == [("fk", "SET NULL", "")]
    assert [u.name for u in read.uniques] == ["once"]
    assert table_of(source, "parent").counters == (("id", 42),)
    gone = [*DIALECT.drop_foreign_key(child, key), *DIALECT.drop_view(view)]
    gone += [*DIALECT.drop_table(parent), *DIALECT.drop_table(child)]
    source.run(*gone, *gone)
    assert DIALECT.read_catalog(source, "").tables == ()


def test_set_null_of_a_required_column_is_no_action(source: Session) -> None:
    """It could never happen, and InnoDB refuses to promise it."""
    parent = table(column("id", NUMBER, nullable=False), key=("id",), name="parent")
    child = table(column("p", NUMBER, nullable=False), name="child")
    create(source, parent)
    create(source, child)
    key = ForeignKey("fk", ("p",), parent.name, ("id",), on_delete="SET NULL")
    source.run(*DIALECT.add_foreign_key(child, key))

    assert table_of(source, "child").foreign_keys[0].on_delete == ""


def test_comments_defaults_and_generated_columns_stand_in_the_table(source: Session) -> None:
    """What was planned is what the catalog reads back."""
    made = Table(
        TableName("", "it's `t` %s"),
        (
            Column("a %s", DIALECT.parse_type("int"), nullable=False, comment="it's"),
            Column(
                "b", DIALECT.parse_type("varchar(9)"), default=Default(DefaultKind.LITERAL, "x'\\")
            ),
            Column("c", DIALECT.parse_type("int"), generated="`a %s` + 1"),
        ),
        comment="the table's",
    )
    create(source, made)

    read = table_of(source, made.name.name)
    assert (read.comment, read.columns[0].comment) == ("the table's", "it's")
    assert read.columns[1].default == Default(DefaultKind.LITERAL, "x'\\")
    assert read.columns[2].generated == "`a %s` + 1"


def test_collation_of_a_column_is_kept(source: Session) -> None:
    """A column that is not of its database's collation reads back and is made as it was."""
    source.query(
        "CREATE TABLE a (l varchar(9) COLLATE latin1_general_cs, d varchar(9), "
        "e enum('x') COLLATE utf8mb4_bin)"
    )
    read = table_of(source, "a")
    assert [c.type.native for c in read.columns] == [
        "varchar(9) COLLATE latin1_general_cs", "varchar(9)", "enum('x') COLLATE utf8mb4_bin",
    ]  # fmt: skip
    create(source, replace(read, name=TableName("", "b")))
    assert table_of(source, "b").columns == read.columns


def test_only_one_run_has_the_target(source: Session, mariadb_url: str) -> None:
    """The lock belongs to one session at a time, and goes with it."""
    with Session(DIALECT, source.url, readonly=False) as other:
        assert other.lock_run("datamig")
        assert not source.lock_run("datamig")
    assert source.lock_run("datamig")


def test_what_a_killed_run_made_is_entered(source: Session) -> None:
    """A table and a view that were made, but not entered, count as done; a stranger's do not."""
    ledger = Ledger(source)
    ledger.create()
    ledger.start_run(RunEntry("r1", "m", "f", "running", "2026-01-01T00:00:00"))
    mine, filled, old = (table(column("id", NUMBER), name=n) for n in ("mine", "filled", "old"))
    view = View(TableName("", "seen"), "SELECT 1 AS one")
    create(source, old)
    for made in (mine, filled):
        source.run(*DIALECT.create_types(made))
        create(source, made)
    write(source, landing(filled), "1")
    source.run(*DIALECT.create_types(old), *DIALECT.create_view(view))
    later = "UPDATE datamig_intent SET made_at = made_at + INTERVAL 1 HOUR"
    source.query(f"{later} WHERE unit LIKE '%old'")

    assert source.lock_run("datamig-shard")
    assert not [n for n, (s, _) in ledger.steps("r1").items() if s == "done"], "a run is at work"

    assert source.lock_run("datamig")

    assert {n for n, (s, _) in ledger.steps("r1").items() if s == "done"} == {
        "schema:mine", "constraints:view seen",
    }  # fmt: skip
    assert rows(source, filled) == [(1,)]
    there = [t.name.name for t in DIALECT.read_catalog(source, "").tables]
    assert there == ["filled", "mine", "old"]
