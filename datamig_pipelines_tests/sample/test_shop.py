"""The sample database is deterministic, valid, and full of special cases."""

import json
import os
import re
import sqlite3
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from pathlib import Path
from uuid import UUID

import pytest

from datamig_pipelines.sample import make_shop
from datamig_pipelines.sample.__main__ import main

SMALL = 0.01


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    make_shop(path, SMALL)
    return path


@pytest.fixture
def db(shop: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(shop)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("tiny") / "shop.db"
    make_shop(path, 0.0001)
    connection = sqlite3.connect(path)
    yield connection
    connection.close()


def one(db: sqlite3.Connection, sql: str) -> object:
    return db.execute(sql).fetchone()[0]


def dump(path: Path) -> list[str]:
    db = sqlite3.connect(path)
    try:
        return list(db.iterdump())
    finally:
        db.close()


def tables(db: sqlite3.Connection) -> list[str]:
    sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    return [name for (name,) in db.execute(sql)]


def test_same_seed_gives_same_content(shop: Path, tmp_path: Path) -> None:
    """Two databases of one seed and scale have equal dumps."""
    make_shop(tmp_path / "again.db", SMALL)
    assert dump(tmp_path / "again.db") == dump(shop)


def test_same_seed_in_another_process(shop: Path, tmp_path: Path) -> None:
    """Another process, with another hash seed, writes the same content."""
    path = tmp_path / "other.db"
    command = [sys.executable, "-m", "datamig_pipelines.sample", str(path), "--scale", str(SMALL)]
    root = Path(__file__).parents[2]
    subprocess.run(command, check=True, cwd=root, env={**os.environ, "PYTHONHASHSEED": "42"})
    assert dump(path) == dump(shop)


def test_other_seed_gives_other_content(shop: Path, tmp_path: Path) -> None:
    """Another seed changes the rows."""
    make_shop(tmp_path / "other.db", SMALL, seed=8)
    assert dump(tmp_path / "other.db") != dump(shop)


def test_counts_are_those_of_the_tables(db: sqlite3.Connection, tmp_path: Path) -> None:
    """The returned counts name every table and equal what is stored."""
    counts = make_shop(tmp_path / "shop.db", SMALL)
    assert counts == {name: one(db, f"SELECT count(*) FROM {name}") for name in tables(db)}
    assert len(counts) == 16
    assert 2_000 < sum(counts.values()) < 8_000


@pytest.mark.parametrize("scale", [0.0001, 0.003])
@pytest.mark.parametrize("seed", [0, 1])
def test_any_scale_is_valid(tmp_path: Path, scale: float, seed: int) -> None:
    """However small, and whatever the seed, no table is empty and no constraint is broken."""
    counts = make_shop(tmp_path / "tiny.db", scale, seed)
    assert min(counts.values()) > 0
    db = sqlite3.connect(tmp_path / "tiny.db")
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert one(db, "PRAGMA integrity_check") == "ok"
    db.close()


def test_scale_multiplies_rows(tmp_path: Path, db: sqlite3.Connection) -> None:
    """Five times the scale gives about five times the rows."""
    counts = make_shop(tmp_path / "larger.db", SMALL * 5)
    for name in ("customers", "orders", "order_lines", "payments", "reviews", "events"):
        small = one(db, f"SELECT count(*) FROM {name}")
        assert isinstance(small, int)
        assert counts[name] == pytest.approx(5 * small, rel=0.15), name


@pytest.mark.slow
def test_full_scale(tmp_path: Path) -> None:
    """At scale 1.0 there are about 400,000 rows in less than 80 MB."""
    counts = make_shop(tmp_path / "full.db")
    assert 380_000 < sum(counts.values()) < 420_000
    assert (tmp_path / "full.db").stat().st_size < 80_000_000


@pytest.mark.parametrize("scale", [0, -1, float("nan"), float("inf")])
def test_bad_scale_is_refused(tmp_path: Path, scale: float) -> None:
    """A scale that is not a positive number is an error and writes nothing."""
    with pytest.raises(ValueError, match="positive"):
        make_shop(tmp_path / "shop.db", scale)
    assert list(tmp_path.iterdir()) == []


def test_constraints_hold(db: sqlite3.Connection) -> None:
    """Foreign keys, checks, NOT NULL and unique constraints all hold."""
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def fits_decimal(value: object, digits: int, scale: int) -> bool:
    number = value if isinstance(value, int | float) else float("nan")
    text = f"{number:.{scale}f}"
    return float(text) == number and len(re.sub(r"\D", "", text).lstrip("0")) <= digits


def fits_timestamp(value: object) -> bool:
    found = re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?", str(value))
    return bool(found) and str(datetime.fromisoformat(str(value))) == value


FITS: dict[str, Callable[[object], bool]] = {
    "INTEGER": lambda value: type(value) is int,
    "BIGINT": lambda value: type(value) is int,
    "SMALLINT": lambda value: type(value) is int and -(2**15) <= value < 2**15,
    "BOOLEAN": lambda value: type(value) is int and value in (0, 1),
    "REAL": lambda value: type(value) is float,
    "DOUBLE PRECISION": lambda value: type(value) is float,
    "TEXT": lambda value: type(value) is str,
    "BLOB": lambda value: type(value) is bytes,
    "JSON": lambda value: isinstance(json.loads(str(value)), dict | list),
    "UUID": lambda value: str(UUID(str(value))) == value,
    "DATE": lambda value: str(date.fromisoformat(str(value))) == value,
    "TIME": lambda value: str(time.fromisoformat(str(value))) == value,
    "DATETIME": fits_timestamp,
    "TIMESTAMP": fits_timestamp,
}


def fits(declared: str, value: object) -> bool:
    sized = re.fullmatch(r"(VARCHAR|CHAR|DECIMAL)\((\d+)(?:,(\d+))?\)", declared)
    if not sized:
        return FITS[declared](value)
    name, size, scale = sized.groups()
    if name == "DECIMAL":
        return fits_decimal(value, int(size), int(scale))
    if name == "CHAR":
        return isinstance(value, str) and len(value) == int(size)
    return isinstance(value, str) and len(value) <= int(size)


def test_values_fit_their_declared_types(db: sqlite3.Connection) -> None:
    """Every value in every column is what the declared type says."""
    for table in tables(db):
        for _, column, declared, *_ in db.execute(f"PRAGMA table_info({table})").fetchall():
            values = db.execute(
                f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL"
            ).fetchall()
            assert values, f"{table}.{column} is always NULL"
            bad = [value for (value,) in values if not fits(declared, value)]
            assert bad == [], f"{table}.{column} {declared}"


@pytest.mark.parametrize(
    "name",
    ["GREEK", "CYRILLIC", "ARABIC", "HEBREW", "DEVANAGARI", "THAI", "CJK", "HIRAGANA", "HANGUL"],
)
def test_names_are_of_many_scripts(db: sqlite3.Connection, name: str) -> None:
    """Customers have names in the script."""
    names = "".join(full_name for (full_name,) in db.execute("SELECT full_name FROM customers"))
    assert any(unicodedata.name(sign, "").startswith(name) for sign in set(names))


SPECIAL = {
    "emoji": "SELECT count(*) FROM customers WHERE nickname = '😀'",
    "combining accent": "SELECT count(*) FROM products WHERE description GLOB '*e\u0301*'",
    "empty nickname": "SELECT count(*) FROM customers WHERE nickname = ''",
    "NULL nickname": "SELECT count(*) FROM customers WHERE nickname IS NULL",
    "the word null": "SELECT count(*) FROM customers WHERE nickname = 'null'",
    "leap day": "SELECT count(*) FROM customers WHERE birth_date = '2000-02-29'",
    "date before 1970": "SELECT count(*) FROM customers WHERE birth_date < '1970-01-01'",
    "microseconds": "SELECT count(*) FROM customers WHERE created_at LIKE '%.______'",
    "whole seconds": "SELECT count(*) FROM customers WHERE created_at NOT LIKE '%.%'",
    "leading zero": "SELECT count(*) FROM products WHERE sku LIKE '0%'",
    "line feed": "SELECT count(*) FROM products WHERE instr(description, char(10))",
    "carriage return": "SELECT count(*) FROM products WHERE instr(description, char(13))",
    "tab": "SELECT count(*) FROM products WHERE instr(description, char(9))",
    "backslash": "SELECT count(*) FROM products WHERE instr(description, char(92))",
    "single quote": "SELECT count(*) FROM products WHERE instr(description, char(39))",
    "double quote": "SELECT count(*) FROM products WHERE instr(description, char(34))",
    "copy's null mark": "SELECT count(*) FROM products WHERE description = char(92) || 'N'",
    "largest price": "SELECT count(*) FROM products WHERE price = 99999999.99",
    "price of nothing": "SELECT count(*) FROM products WHERE price = 0",
    "inactive": "SELECT count(*) FROM products WHERE active = 0",
    "no weight": "SELECT count(*) FROM products WHERE weight IS NULL",
    "NULL blob": "SELECT count(*) FROM product_images WHERE content IS NULL",
    "empty blob": "SELECT count(*) FROM product_images WHERE content = x''",
    "zero byte": "SELECT count(*) FROM product_images WHERE content = x'00'",
    "image": "SELECT count(*) FROM product_images WHERE hex(content) LIKE '89504E47%'",
    "negative payment": "SELECT count(*) FROM payments WHERE amount < 0",
    "order without lines": (
        "SELECT count(*) FROM orders WHERE id NOT IN (SELECT order_id FROM order_lines)"
    ),
    "gap in ids": "SELECT max(id) > count(*) FROM orders",
    "NULL review": "SELECT count(*) FROM reviews WHERE body IS NULL",
    "empty review": "SELECT count(*) FROM reviews WHERE body = ''",
    "NULL in a unique index": "SELECT count(*) > 1 FROM suppliers WHERE tax_number IS NULL",
    "largest number": "SELECT count(*) FROM events WHERE session_id = 9223372036854775807",
    "smallest number": "SELECT count(*) FROM events WHERE session_id = -9223372036854775808",
}


@pytest.mark.parametrize("case", SPECIAL)
def test_special_value_occurs(tiny: sqlite3.Connection, case: str) -> None:
    """The special value is in the smallest databases, too."""
    found = one(tiny, SPECIAL[case])
    assert isinstance(found, int)
    assert found > 0


def test_every_status_and_rating_occurs(tiny: sqlite3.Connection) -> None:
    """All values that the checks allow are used."""
    assert one(tiny, "SELECT count(DISTINCT status) FROM orders") == 6
    assert one(tiny, "SELECT count(DISTINCT rating) FROM reviews") == 5


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE orders SET status = 'lost' WHERE id = 1",
        "UPDATE reviews SET rating = 6 WHERE id = 1",
        "UPDATE customers SET email = (SELECT email FROM customers WHERE id = 2) WHERE id = 1",
        "INSERT INTO order_lines SELECT * FROM order_lines LIMIT 1",
    ],
)
def test_constraints_are_enforced(db: sqlite3.Connection, change: str) -> None:
    """A change that breaks a declared constraint is refused."""
    with pytest.raises(sqlite3.IntegrityError):
        db.execute(change)


def test_deleting_an_order_deletes_its_lines(db: sqlite3.Connection) -> None:
    """Lines of an order go with it."""
    db.execute("PRAGMA foreign_keys = ON")
    order = one(db, "SELECT min(id) FROM orders WHERE status = 'new'")
    db.execute("DELETE FROM orders WHERE id = ?", (order,))
    assert one(db, f"SELECT count(*) FROM order_lines WHERE order_id = {order}") == 0
    db.rollback()


def test_stores_and_employees_form_a_cycle(db: sqlite3.Connection) -> None:
    """Some store's manager works in that store, and some store has no manager."""
    sql = (
        "SELECT count(*) FROM stores JOIN employees"
        " ON employees.id = stores.manager_id AND employees.store_id = stores.id"
    )
    assert one(db, sql) == one(db, "SELECT count(manager_id) FROM stores")
    assert one(db, "SELECT count(*) FROM stores WHERE manager_id IS NULL") != 0


@pytest.mark.parametrize(
    ("table", "column"), [("employees", "boss_id"), ("categories", "parent_id")]
)
def test_self_references_are_deep(db: sqlite3.Connection, table: str, column: str) -> None:
    """From the rows without a parent, every row is reached, in three levels or more."""
    sql = (
        f"WITH RECURSIVE down (id, depth) AS (SELECT id, 1 FROM {table} WHERE {column} IS NULL"
        f" UNION ALL SELECT t.id, depth + 1 FROM {table} t JOIN down ON t.{column} = down.id)"
        " SELECT count(*), max(depth) FROM down"
    )
    reached, depth = db.execute(sql).fetchone()
    assert reached == one(db, f"SELECT count(*) FROM {table}")
    assert depth >= 3


def test_events_have_no_key_and_equal_rows(db: sqlite3.Connection) -> None:
    """The log has no primary key, no unique index, and rows that are equal in all columns."""
    assert not any(row[5] for row in db.execute("PRAGMA table_info(events)"))
    assert not any(row[2] for row in db.execute("PRAGMA index_list(events)"))
    distinct = one(db, "SELECT count(*) FROM (SELECT DISTINCT * FROM events)")
    assert distinct != one(db, "SELECT count(*) FROM events")


def test_sequences_are_ahead_of_ids(db: sqlite3.Connection) -> None:
    """Where the last rows were deleted, the next id is not the largest id plus one."""
    for table in ("customers", "suppliers", "reviews"):
        ahead = one(db, f"SELECT seq FROM sqlite_sequence WHERE name = '{table}'")
        assert ahead == one(db, f"SELECT max(id) + 3 FROM {table}")


def test_view_agrees_with_orders(db: sqlite3.Connection) -> None:
    """The view has a row for each order, and the lines add up to its total."""
    assert one(db, "SELECT count(*) FROM order_totals") == one(db, "SELECT count(*) FROM orders")
    sql = "SELECT count(*) FROM order_totals WHERE abs(line_total - order_total) > 0.001"
    assert one(db, sql) == 0


def test_schema_has_every_kind_of_index(db: sqlite3.Connection) -> None:
    """There is a partial, a descending, a unique and a plain index, and a table without rowid."""
    schema = " ".join(sql for (sql,) in db.execute("SELECT sql FROM sqlite_master") if sql)
    for part in (
        "CREATE INDEX payments_order ",
        "CREATE UNIQUE INDEX suppliers_tax_number ",
        "WHERE status IN",
        "placed_at DESC",
        "WITHOUT ROWID",
    ):
        assert part in schema


def test_defaults_apply(db: sqlite3.Connection) -> None:
    """Columns left out get their literal defaults and the time of writing."""
    db.execute("INSERT INTO orders (store_id, order_no, customer_id) VALUES (1, 1, 1)")
    sql = (
        "SELECT status, total, currency, abs(julianday('now') - julianday(placed_at)) < 1"
        " FROM orders WHERE order_no = 1"
    )
    assert db.execute(sql).fetchone() == ("new", 0, "EUR", 1)
    db.rollback()


def test_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    """An existing file stays as it is unless force is set."""
    path = tmp_path / "shop.db"
    path.write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        make_shop(path, SMALL)
    assert path.read_bytes() == b"mine"
    make_shop(path, SMALL, force=True)
    assert path.read_bytes().startswith(b"SQLite format 3")


def test_old_journal_does_not_survive(tmp_path: Path) -> None:
    """A journal left beside the file is not paired with a new database."""
    journal = tmp_path / "shop.db-journal"
    journal.write_bytes(b"old")
    with pytest.raises(FileExistsError):
        make_shop(tmp_path / "shop.db", SMALL)
    make_shop(tmp_path / "shop.db", SMALL, force=True)
    assert not journal.exists()


def test_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When writing fails, neither the file nor a draft of it is left."""
    monkeypatch.setattr("datamig_pipelines.sample.shop.VIEWS", "CREATE NONSENSE")
    with pytest.raises(sqlite3.OperationalError):
        make_shop(tmp_path / "shop.db", SMALL)
    assert list(tmp_path.iterdir()) == []


def test_command_prints_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command writes the file and says how many tables and rows, how long, how large."""
    path = tmp_path / "shop.db"
    assert main([str(path), "--scale", str(SMALL)]) == 0
    said = capsys.readouterr().out
    assert re.fullmatch(r"\S+: 16 tables, [\d,]+ rows, [\d.]+ s, [\d.]+ MB\n", said)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["taken.db", "missing/shop.db", "."])
def test_command_fails_with_a_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Where it cannot write, the command prints an error and returns 1."""
    (tmp_path / "taken.db").touch()
    assert main([str(tmp_path / name), "--scale", str(SMALL)]) == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert main([str(tmp_path / "taken.db"), "--scale", str(SMALL), "--force"]) == 0
