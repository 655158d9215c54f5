"""datamig copy."""

import json
import os
import sqlite3
import subprocess
from pathlib import Path

from datamig_pipelines_tests.cli.conftest import DATAMIG, Cli

SECRET = "Pl4nted-Secret"


def counts(shop: Path) -> dict[str, int]:
    """The rows of each table of the shop."""
    with sqlite3.connect(shop) as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        return {
            t: connection.execute(f'SELECT count(*) FROM "{t}"').fetchone()[0] for (t,) in tables
        }


def test_copy_proves_what_arrived(shop: Path) -> None:
    """All rows arrive, every proof is in the one JSON document, and the exit code is 0."""
    done = subprocess.run(
        [*DATAMIG, "copy", "sqlite:///shop.sqlite", "duckdb:///new.duckdb", "--json"],
        check=False,
        capture_output=True,
        text=True,
        cwd=shop.parent,
    )

    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert {t: s["loaded"] for t, s in document["tables"].items()} == counts(shop)
    assert {p["verdict"] for p in document["proofs"]} == {"equal"}
    assert document["error"] is None
    assert shop.with_name("new.duckdb").exists(), (
        "relative files are relative to the current folder"
    )


def test_copy_again_changes_nothing_and_undo_takes_it_back(cli: Cli, shop: Path) -> None:
    """The same command again only proves; --undo leaves the target as it was."""
    pair = ["copy", f"sqlite:///{shop}", "duckdb:///t.duckdb"]

    first, second = cli(*pair), cli(*pair)
    undone = cli(*pair, "--undo", "--yes", "--json")
    third = cli(*pair, "--undo", "--yes")

    assert (first.code, second.code, undone.code) == (0, 0, 0)
    assert first.out == second.out
    assert {r["table"].rpartition(".")[2] for r in json.loads(undone.out)["removed"]} == set(
        counts(shop)
    )
    assert third.code == 8, "there is nothing left to take back"


def test_copy_takes_some_tables(cli: Cli, shop: Path) -> None:
    """--tables and --exclude choose."""
    said = cli(
        "copy",
        f"sqlite:///{shop}",
        "duckdb:///t.duckdb",
        "--tables",
        "re*",
        "--exclude",
        "reviews",
        "--json",
    )

    assert said.code == 0, said.err
    assert set(json.loads(said.out)["tables"]) == {"regions"}


def test_copy_fails_honestly(cli: Cli, shop: Path) -> None:
    """A source that is not there exits 7, and no target is reported as done."""
    said = cli("copy", "sqlite:///gone.sqlite", "duckdb:///t.duckdb")

    assert said.code == 7
    assert "DM402" in said.err


def test_copy_shows_no_password(shop: Path) -> None:
    """A password on the command line or in a variable is in no output and in no file."""
    done = [
        subprocess.run(
            [*DATAMIG, "copy", source, "duckdb:///t.duckdb", *more],
            check=False,
            capture_output=True,
            text=True,
            cwd=shop.parent,
            env={**os.environ, "SECRET_URL": f"postgresql://me:{SECRET}@127.0.0.1:1/db"},
        )
        for source in (f"postgresql://me:{SECRET}@127.0.0.1:1/db", "env:SECRET_URL")
        for more in ([], ["--json"])
    ]

    assert [d.returncode for d in done] == [7, 7, 7, 7]
    assert SECRET not in "".join(d.stdout + d.stderr for d in done)
    written = [p for p in shop.parent.rglob("*") if p.is_file()]
    assert not any(SECRET.encode() in p.read_bytes() for p in written)


def test_copy_to_postgres_with_a_password(cli: Cli, shop: Path, pg_url: str) -> None:
    """A URL with a password works, though a file may not hold one; the report does not show it."""
    said = cli("copy", f"sqlite:///{shop}", pg_url, "--tables", "regions,countries", "--json")

    assert said.code in (0, 9), said.err
    assert set(json.loads(said.out)["tables"]) == {"regions", "countries"}
