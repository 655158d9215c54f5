"""The catalog of a schema with one of everything, read and rebuilt."""

from dataclasses import replace
from itertools import zip_longest

import pytest

from datamig_pipelines.catalog import (
    Check,
    Default,
    DefaultKind,
    ForeignKey,
    Index,
    IndexPart,
    Key,
    Table,
    TableName,
)
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.postgres import Postgres
from datamig_pipelines.session import Session
from datamig_pipelines_tests.dialects.postgres.moving import (
    fingerprint,
    move,
    without_domain_checks,
)
from datamig_pipelines_tests.dialects.postgres.rich import RICH, SCHEMA


@pytest.fixture
def rich(session: Session) -> Session:
    session.query(RICH)
    return session


def table_of(session: Session, name: str, schema: str = SCHEMA) -> Table:
    found = session.dialect.read_catalog(session, schema).table(TableName(schema, name))
    assert found is not None
    return found


def test_catalog_lists_tables_once(rich: Session, dialect: Postgres) -> None:
    """Partitions and other schemas are left out; heirs and a name that looks like ours are tables."""
    catalog = dialect.read_catalog(rich, SCHEMA)

    assert {t.name.name: t.kind for t in catalog.tables} == {
        **dict.fromkeys(("Order %s", "broken", "child", "datamig_old", "parent"), "table"),
        **dict.fromkeys(("part_ref", "region"), "table"),
        "part": "partitioned",
    }
    assert dialect.read_catalog(rich, "").tables == ()
    assert dialect.read_catalog(rich, "*").tables == catalog.tables
    assert dialect.read_catalog(rich, f"public,{SCHEMA}").tables == catalog.tables
    assert rich.query("SHOW search_path") == [('"$user", public',)]


def test_catalog_reads_keys_and_references(rich: Session) -> None:
    """Keys, references with their actions, checks and comments come as declared."""
    order, region = table_of(rich, "Order %s"), table_of(rich, "region")

    assert order.primary_key == Key("my_key", ("Id",))
    assert [u.columns for u in order.uniques] == [("serial_no", "v")]
    assert order.foreign_keys == (
        ForeignKey(
            "fk_region", ("country", "code"), TableName(SCHEMA, "region"), ("country", "code"),
            on_delete="SET NULL", on_update="CASCADE", deferrable="deferred",
        ),
    )  # fmt: skip
    assert Check("chk %", "(state <> 'SAD'::mood) OR flag") in order.checks
    assert Check("dom_positive_check", '"dom" > (0)::numeric', "dom") in order.checks
    assert Check("dom2_code_check", "(\"dom2\")::text <> 'VALUE'::text", "dom2") in order.checks
    assert (region.comment, region.columns[2].comment) == ("it's a region", "called")
    assert [k.valid for k in table_of(rich, "broken").foreign_keys] == [False]
    assert [k.target.name for k in table_of(rich, "part_ref").foreign_keys] == ["part"]


def test_catalog_reads_indexes(rich: Session) -> None:
    """Expressions, predicates, order, included columns, methods and operator classes are kept."""
    indexes = {i.name: i for i in table_of(rich, "Order %s").indexes}

    assert indexes["ux"] == Index(
        "ux", (IndexPart(expression="lower(t)"),), unique=True,
        where="(v IS NOT NULL) AND (state = 'happy'::mood)",
    )  # fmt: skip
    assert indexes["ix_desc"] == Index(
        "ix_desc", (IndexPart("v", descending=True), IndexPart("code")), include=("flag",)
    )
    assert indexes["ix_gin"].method == "gin"
    assert indexes["ix_gin"].parts == (IndexPart(expression='"jb" jsonb_path_ops'),)
    assert indexes["ix_hash"].method == "hash"


def test_catalog_reads_defaults(rich: Session) -> None:
    """Literals lose their casts, moments and uuids become words, the rest stays an expression."""
    found = {c.name: c.default for c in table_of(rich, "Order %s").columns if c.default}
    literals = {n: d.value for n, d in found.items() if d.kind is DefaultKind.LITERAL}

    assert literals == {
        'Größe "q" ß': "-0.5", "flag": "true", "r": "10000000000", "d": "NaN", "v": "a\\b'c",
        "t": "", "c3": "x", "b": "00ff", "bits": "1010", "tm": "10:00:00", "iv": "1 day",
        "j": '{"a": 1}', "jb": "{}", "ip": "10.0.0.1", "ints": "{1,2}", "dom": "1",
        "state": "happy",
    }  # fmt: skip
    assert {n: d.kind for n, d in found.items() if d.kind is not DefaultKind.LITERAL} == {
        "day": DefaultKind.TODAY, "ts": DefaultKind.NOW, "tsz": DefaultKind.NOW,
        "u": DefaultKind.UUID, "utc": DefaultKind.EXPRESSION, "cash": DefaultKind.EXPRESSION,
        "word": DefaultKind.EXPRESSION,
    }  # fmt: skip


def test_catalog_reads_counters(rich: Session) -> None:
    """Identity, serial and bare nextval columns count; the next value is never behind."""
    order = table_of(rich, "Order %s")

    assert [c.name for c in order.columns if c.identity] == ["Id", "serial_no", "big", "shared"]
    assert dict(order.counters) == {"Id": 40, "serial_no": 3, "big": 5, "shared": 5}


def test_catalog_tells_what_it_does_not_move(rich: Session, dialect: Postgres) -> None:
    """Objects have their definitions; options without a word stand in `others`."""
    catalog = dialect.read_catalog(rich, SCHEMA)
    named = {(kind, name.removeprefix(f"{SCHEMA}.")) for kind, name in catalog.others}

    assert {
        ("shared sequence", f'"{SCHEMA}".shared_seq'),
        ("exclusion constraint", "Order %s: Order %s_ir_excl"),
        ("index option", "Order %s: ix_ops: operator class text_pattern_ops"),
        ("index option", "Order %s: ix_ops: NULLS FIRST"),
    } <= named  # fmt: skip
    assert {
        ("trigger", "tr on region"), ("function", "f()"), ("sequence", "free_seq"),
        ("partition", "part_1"), ("domain", "positive"),
        ("grant", "SELECT on TABLE region to PUBLIC"),
    } <= {(o.kind, o.name.name) for o in catalog.objects}  # fmt: skip
    assert [v.name.name for v in catalog.views] == ["z_view", "a_view", "mv"]
    assert [v.materialized for v in catalog.views] == [False, False, True]


@pytest.mark.parametrize("wire", [Wire.COPY_BINARY, Wire.COPY_TEXT])
def test_schema_moves_without_a_difference(
    rich: Session, second: Session, dialect: Postgres, wire: Wire
) -> None:
    """Everything that the catalog can express, and every row, is the same after a migration."""
    before = dialect.read_catalog(rich, SCHEMA)
    sound = replace(
        before,
        tables=tuple(
            replace(t, foreign_keys=tuple(k for k in t.foreign_keys if k.valid))
            for t in before.tables
        ),
    )

    move(rich, second, sound, wire)
    after = dialect.read_catalog(second, SCHEMA)

    assert [t.name for t in after.tables] == [t.name for t in sound.tables]
    assert [
        d for a, b in zip(after.tables, sound.tables, strict=True) for d in differences(a, b)
    ] == []
    assert after.views == sound.views
    for table in sound.tables:
        assert fingerprint(second, table) == fingerprint(rich, table)
        assert fingerprint(second, table).rows == table.rows


def test_schema_moves_under_another_name(rich: Session, second: Session, dialect: Postgres) -> None:
    """Types, checks and views find their own things when a schema gets another name."""
    before = dialect.read_catalog(rich, SCHEMA)
    renamed = replace(
        before,
        tables=tuple(
            replace(
                t,
                name=TableName("new", t.name.name),
                foreign_keys=(),
            )
            for t in before.tables
        ),
        views=tuple(replace(v, name=TableName("new", v.name.name)) for v in before.views),
    )
    second.run(dialect.create_schema("new"))
    for made in (o for o in before.objects if o.kind == "domain"):
        second.run(*dialect.create_object(replace(made, name=TableName("new", made.name.name))))
    for table in map(without_domain_checks, renamed.tables):
        second.run(*dialect.create_types(table))
        second.run(dialect.create_table(table, keys=True, foreign_keys=False))
        second.run(*[s for i in table.indexes for s in dialect.create_index(table, i)])
    for view in renamed.views:
        second.run(*dialect.create_view(view))

    after = dialect.read_catalog(second, "new")

    for table in renamed.tables:
        found = after.table(table.name)
        assert found is not None
        assert differences(found, replace(table, counters=())) == []
    assert after.views == renamed.views


def differences(one: Table, other: Table) -> list[tuple[object, object]]:
    """Return what differs; sizes, partitioning and quotes in checks may.

    So may collations: the plan names them as what is not moved.
    """
    columns = [[replace(c, collation="") for c in t.columns] for t in (one, other)]
    pairs = [
        (columns[0], columns[1]),
        (by_name(one.uniques), by_name(other.uniques)),
        (one.foreign_keys, other.foreign_keys),
        (one.indexes, other.indexes),
        (bare(one.checks), bare(other.checks)),
        ((one.primary_key, one.comment), (other.primary_key, other.comment)),
        ([c for c in one.counters if c[1] > 1], [c for c in other.counters if c[1] > 1]),
    ]
    return [(a, b) for left, right in pairs for a, b in zip_longest(left, right) if a != b]


def by_name(keys: tuple[Key, ...]) -> list[Key]:
    return sorted(keys, key=lambda k: k.name)


def bare(checks: tuple[Check, ...]) -> list[tuple[str, str]]:
    return sorted((c.name, c.expression.replace('"', "")) for c in checks)


def test_default_words_are_written(dialect: Postgres) -> None:
    """A default without a counterpart is None, an impossible date is no default."""
    integer, date = dialect.parse_type("int"), dialect.parse_type("date")

    assert dialect.default_sql(Default(DefaultKind.NOW), integer) is None
    assert dialect.default_sql(Default(DefaultKind.LITERAL, "0000-00-00"), date) is None
    assert (
        dialect.default_sql(Default(DefaultKind.LITERAL, "1"), dialect.parse_type("bool")) == "true"
    )
    assert dialect.default_sql(Default(DefaultKind.EXPRESSION, "f(1)"), integer) == "f(1)"
