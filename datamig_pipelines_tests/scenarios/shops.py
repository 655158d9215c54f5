"""The shop in MariaDB: five tables of the sample, one of them without a key and with equal rows."""

import sqlite3
from pathlib import Path

import pymysql

from datamig_pipelines_tests.engines import PASSWORD, USER, MariadbServer

TABLES = {
    "customers": (
        (
            "id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, email VARCHAR(120) NOT NULL UNIQUE, "
            "full_name VARCHAR(120) NOT NULL, birth_date DATE, "
            "points INT UNSIGNED NOT NULL DEFAULT 0, "
            "newsletter TINYINT(1) NOT NULL, credit_limit DECIMAL(12,2), "
            "created_at DATETIME(6) NOT NULL"
        ),
        "id, email, full_name, birth_date, points, newsletter, credit_limit, created_at",
    ),
    "orders": (
        (
            "id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, customer_id INT NOT NULL, "
            "status ENUM('new','paid','shipped','delivered','returned','cancelled') NOT NULL, "
            "total DECIMAL(12,2) NOT NULL, note TEXT, placed_at DATETIME(6) NOT NULL, "
            "FOREIGN KEY (customer_id) REFERENCES customers (id)"
        ),
        "id, customer_id, status, total, note, placed_at",
    ),
    "order_lines": (
        (
            "order_id INT NOT NULL, line_no INT NOT NULL, quantity INT NOT NULL, "
            "unit_price DECIMAL(10,2) NOT NULL, PRIMARY KEY (order_id, line_no), "
            "FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE"
        ),
        "order_id, line_no, quantity, unit_price",
    ),
    "product_images": (
        (
            "id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, mime VARCHAR(40) NOT NULL, "
            "content LONGBLOB, caption VARCHAR(120)"
        ),
        "id, mime, content, caption",
    ),
    "events": (
        (
            "happened_at DATETIME(6) NOT NULL, level VARCHAR(8) NOT NULL, session_id BIGINT, "
            "message TEXT NOT NULL, payload LONGTEXT"
        ),
        "happened_at, level, session_id, message, payload",
    ),
}


def fill_mariadb(server: MariadbServer, database: str, shop: Path) -> None:
    """Create the tables and copy their rows from the SQLite shop."""
    source = sqlite3.connect(shop)
    target = pymysql.connect(
        host="127.0.0.1",
        port=server.port,
        user=USER,
        password=PASSWORD,
        database=database,
        charset="utf8mb4",
        ssl_disabled=True,
    )
    with target, target.cursor() as cursor:
        for table, (definition, columns) in TABLES.items():
            cursor.execute(f"CREATE TABLE {table} ({definition})")
            marks = ", ".join(["%s"] * len(columns.split(",")))
            rows = source.execute(f"SELECT {columns} FROM {table}").fetchall()
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)
        target.commit()
    source.close()
