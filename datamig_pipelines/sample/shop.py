"""The writer of the sample database."""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from datamig_pipelines.sample import countries, customers, events, products, reviews, stores
from datamig_pipelines.sample.orders import Basket, baskets
from datamig_pipelines.sample.plan import TAIL, Plan
from datamig_pipelines.sample.row import Row
from datamig_pipelines.sample.schema import INDEXES, TABLES, VIEWS

SIDE_FILES = ("-journal", "-wal", "-shm")
"""Suffixes of the files SQLite may keep beside a database."""

BATCH = 2_000
"""Baskets written at a time; bounds the memory used at any scale."""

SOURCES: tuple[tuple[str, Callable[[Plan], Iterable[Row]]], ...] = (
    ("regions", countries.region_rows),
    ("countries", countries.country_rows),
    ("customers", customers.customer_rows),
    ("addresses", customers.address_rows),
    ("categories", products.category_rows),
    ("suppliers", products.supplier_rows),
    ("products", products.product_rows),
    ("product_images", products.image_rows),
    ("stores", stores.store_rows),
    ("employees", stores.employee_rows),
    ("inventory", stores.inventory_rows),
    ("reviews", reviews.review_rows),
    ("events", events.event_rows),
)
"""Tables that are filled each from one generator, in order of writing."""

TAILED = ("customers", "suppliers", "reviews")
"""Tables whose last rows are deleted again, so that their sequence is ahead of max(id)."""


def make_shop(
    path: Path, scale: float = 1.0, seed: int = 7, *, force: bool = False
) -> dict[str, int]:
    """Write the sample database to a file, which appears only when it is complete.

    Args:
        path: The file to write.
        scale: 1.0 for about 400,000 rows; rows grow in proportion.
        seed: The same seed and scale give the same rows.
        force: Replace an existing file.

    Returns:
        The number of rows of each table.

    Raises:
        FileExistsError: The file exists and `force` is not set.
        FileNotFoundError: The folder of the file does not exist.
        ValueError: The scale is not a positive number.
    """
    path = Path(path)
    plan = Plan.make(scale, seed)
    refuse(path, force=force)
    with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        draft = Path(folder) / "shop.sqlite"
        counts = write(draft, plan)
        refuse(path, force=force)
        for suffix in SIDE_FILES:
            beside(path, suffix).unlink(missing_ok=True)
        draft.replace(path)
    return counts


def beside(path: Path, suffix: str) -> Path:
    """Name a file that SQLite keeps beside a database."""
    return path.with_name(path.name + suffix)


def refuse(path: Path, *, force: bool) -> None:
    """Raise if writing would replace a database, or pair a new one with an old journal."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is not a folder")
    if force:
        return
    for taken in (path, *(beside(path, suffix) for suffix in SIDE_FILES)):
        if os.path.lexists(taken):
            raise FileExistsError(f"{taken} exists")


def write(path: Path, plan: Plan) -> dict[str, int]:
    """Fill a new database file and return the number of rows of each table."""
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        db.executescript(TABLES)
        db.execute("BEGIN")
        for table, rows in SOURCES:
            insert(db, table, rows(plan))
        insert_baskets(db, baskets(plan))
        for table in TAILED:
            drop_tail(db, table)
        db.execute("COMMIT")
        db.executescript(INDEXES)
        db.executescript(VIEWS)
        return count(db)
    finally:
        db.close()


def insert(db: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    """Insert whole rows, values in the order of the columns."""
    width = len(db.execute(f"PRAGMA table_info({table})").fetchall())
    marks = ", ".join("?" * width)
    db.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - our own names


def insert_baskets(db: sqlite3.Connection, source: Iterator[Basket]) -> None:
    """Insert orders with their lines and payments, a batch at a time."""
    while batch := list(islice(source, BATCH)):
        insert(db, "orders", (basket.order for basket in batch))
        insert(db, "order_lines", (line for basket in batch for line in basket.lines))
        insert(db, "payments", (paid for basket in batch for paid in basket.payments))


def drop_tail(db: sqlite3.Connection, table: str) -> None:
    """Delete the last rows of a table that nothing refers to."""
    last = f"(SELECT max(id) FROM {table})"  # noqa: S608 - our own names
    db.execute(f"DELETE FROM {table} WHERE id > {last} - ?", (TAIL,))  # noqa: S608 - as above


def count(db: sqlite3.Connection) -> dict[str, int]:
    """Count the rows of every table, in the order of the schema."""
    names = db.execute(
        "SELECT name FROM sqlite_master"
        " WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY rowid"
    ).fetchall()
    return {
        name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608 - as above
        for (name,) in names
    }
