"""A plan's scripts, run by hand, make what the migration makes, and take it back."""

import os
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import replace

import duckdb
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url

from datamig_pipelines.cli import answer
from datamig_pipelines.dialects import DIALECTS, Statement, get_dialect
from datamig_pipelines.errors import ScriptError
from datamig_pipelines.planning.scripts import scripts
from datamig_pipelines.running import look
from datamig_pipelines.sample import make_shop
from datamig_pipelines.steps import Place
from datamig_pipelines_tests.conformance.moving import migration, move

ENDS = {
    "postgres": ("pg_url", "pg_url2"),
    "mysql": ("mariadb_url", "mariadb_url2"),
    "sqlite": ("sqlite_url", "sqlite_url2"),
    "duckdb": ("duckdb_url", "duckdb_url2"),
}


@pytest.fixture
def sqlite_url2(tmp_path):
    """A second SQLite file."""
    return f"sqlite:///{tmp_path / 'second.sqlite'}"


@pytest.fixture
def duckdb_url2(tmp_path):
    """A second DuckDB file."""
    return f"duckdb:///{tmp_path / 'second.duckdb'}"


@pytest.fixture
def shop(tmp_path):
    """A small shop: counters, checks, references, indexes, a generated column."""
    path = tmp_path / "shop.sqlite"
    make_shop(path, scale=0.001)
    return f"sqlite:///{path}"


def by_hand(url: str, text: str) -> None:
    """Give a script to the engine's own client."""
    place = make_url(url)
    name = place.get_backend_name()
    if name == "duckdb":
        with duckdb.connect(place.database or "") as base:
            base.execute(text)
        return
    if name == "sqlite":
        client = ["sqlite3", "-bail", str(place.database)]
        if not _found(client[0]):
            with closing(sqlite3.connect(place.database or "")) as file:
                file.executescript(text)
            return
    elif name.startswith("postgres"):
        client = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", url]
    else:
        password = place.password or ""
        client = ["mariadb", f"-h{place.host}", f"-P{place.port}", f"-u{place.username}"]
        client += [f"-p{password}"] if password else []
        client += ["--protocol=tcp", str(place.database)]
    done = subprocess.run(client, input=text, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def _found(program: str) -> bool:
    return any(os.access(f"{p}/{program}", os.X_OK) for p in os.environ["PATH"].split(":"))


def catalog(url: str):
    """Return what stands in a database, without what rows there are."""
    place = make_url(url)
    dialect = get_dialect(place)
    found = Place(dialect, place, dialect.default_schema(place)).catalog()
    tables = {
        t.name.name: replace(t, rows=0, bytes=0)
        for t in found.tables
        if t.name.name != "alembic_version" and not t.name.name.startswith("datamig_")
    }
    return tables, {v.name.name for v in found.views}


def unnamed(url: str, tables):
    """Return tables without the name of their database, which differs."""
    database = make_url(url).database or ""
    return {n: repr(t).replace(repr(database), "''") for n, t in tables.items()}


@pytest.mark.parametrize("engine", ENDS)
def test_scripts_make_what_the_migration_makes(*, engine, request, shop, tmp_path, monkeypatch):
    """up.sql by hand gives the catalog of a migration; down.sql leaves nothing of it."""
    own, other = (request.getfixturevalue(f) for f in ENDS[engine])
    files = scripts(look(migration(shop, other, tmp_path, monkeypatch)))

    moved = move(migration(shop, own, tmp_path, monkeypatch))
    by_hand(other, files["up.sql"])

    assert moved.error is None
    assert catalog(own)[0], "nothing to compare"
    assert unnamed(other, catalog(other)[0]) == unnamed(own, catalog(own)[0])
    assert catalog(other)[1] == catalog(own)[1]

    by_hand(other, files["down.sql"])
    assert catalog(other) == ({}, set())
    by_hand(other, files["up.sql"])
    assert unnamed(other, catalog(other)[0]) == unnamed(own, catalog(own)[0])


@pytest.mark.parametrize("engine", ["postgres", "sqlite"])
def test_revision_goes_up_and_down(*, engine, request, shop, tmp_path, monkeypatch):
    """`alembic upgrade head` makes the same catalog; `downgrade base` leaves nothing of it."""
    own, other = (request.getfixturevalue(f) for f in ENDS[engine])
    files = scripts(look(migration(shop, other, tmp_path, monkeypatch)))
    assert move(migration(shop, own, tmp_path, monkeypatch)).error is None
    config = _alembic(other, files, tmp_path / "alembic")

    command.upgrade(config, "head")
    assert unnamed(other, catalog(other)[0]) == unnamed(own, catalog(own)[0])

    command.downgrade(config, "base")
    assert catalog(other) == ({}, set())


def _alembic(url, files, folder):
    config = Config()
    command.init(config_with(folder), str(folder))
    env = folder / "env.py"
    env.write_text(env.read_text().replace("fileConfig(", "(lambda *_: None)("))
    name = next(n for n in files if n.endswith(".py"))
    (folder / "versions" / name).write_text(files[name])
    config = config_with(folder)
    config.set_main_option("script_location", str(folder))
    spoken = url.replace("postgresql://", "postgresql+psycopg://")
    config.set_main_option("sqlalchemy.url", spoken.replace("%", "%%"))
    return config


def config_with(folder):
    """Return Alembic's settings, quiet."""
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 (Alembic prints where it is told)
        config = Config(str(folder.with_suffix(".ini")), stdout=nowhere)
    config.config_file_name = str(folder.with_suffix(".ini"))
    return config


def test_script_writes_three_files(shop, tmp_path, monkeypatch, capsys):
    """`datamig script` writes up, down and a revision named by the plan, and makes no target."""
    file = tmp_path / "defs.yaml"
    file.write_text(
        "type: datamig_pipelines.Migration\nattributes:\n  name: small\n"
        f'  source: {{url: "{shop}"}}\n  target: {{url: "duckdb:///{tmp_path}/t.duckdb"}}\n'
    )

    code = answer(["script", str(file), "--out", str(tmp_path / "out")])

    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert code == 0
    assert {"down.sql", "up.sql"} < set(names)
    assert sum(n.endswith("_small.py") for n in names) == 1
    assert "wrote" in capsys.readouterr().out
    assert not (tmp_path / "t.duckdb").exists()


@pytest.mark.parametrize("engine", DIALECTS)
def test_bound_values_are_written_as_literals(engine):
    """A bound text becomes a quoted literal; marks that could mean two things are refused."""
    dialect = DIALECTS[engine]
    mark = dialect.placeholder

    assert dialect.bare(Statement(f"x = {mark}, {mark}", ("it's", 3))) == "x = 'it''s', 3"
    with pytest.raises(ScriptError):
        dialect.bare(Statement(f"x = '{mark}' {mark}", (1,)))


def test_mysql_bodies_get_a_delimiter():
    """A statement with a semicolon inside reaches the client whole."""
    text = DIALECTS["mysql"].script(Statement("CREATE TRIGGER t BEGIN SET a = 1; END"))

    assert (
        text == "DELIMITER $datamig$\nCREATE TRIGGER t BEGIN SET a = 1; END$datamig$\nDELIMITER ;"
    )
