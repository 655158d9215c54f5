"""Whatever is wrong with the input, the user reads one error with a code and a next move."""

import builtins
import os
import socket
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines import errors, running
from datamig_pipelines.dialects import get_dialect
from datamig_pipelines.errors import DatamigError
from datamig_pipelines_tests.engines import PASSWORD
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey

PLANTED = "pl4nted-s3cret%21"
PLAIN = "pl4nted-s3cret!"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port whose listener accepts and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def _assert_told(error: DatamigError, kind: type[DatamigError], *words: str) -> None:
    assert isinstance(error, kind), repr(error)
    assert error.code == kind.code
    assert error.hint
    assert str(error).startswith(kind.code)
    told = f"{error} {error.where}"
    assert all(word in told for word in words), told
    for secret in (PLANTED, PLAIN, PASSWORD):
        assert secret not in told
        assert secret not in repr(error.__notes__ if hasattr(error, "__notes__") else "")


# ---- where the databases are


@pytest.mark.parametrize(
    ("engine", "side"), [("postgresql", "source"), ("postgresql", "target"), ("mysql", "source")]
)
def test_unreachable_server_is_said(
    engine: str, side: str, deaf_port: int, shop_url: str, going: Going
) -> None:
    """Nobody listens: ConnectError, with the place and without the password."""
    gone = f"{engine}://me:{PLANTED}@127.0.0.1:{deaf_port}/db?connect_timeout=2"
    journey = going(gone, shop_url) if side == "source" else going(shop_url, gone)

    _assert_told(journey.refused(), errors.ConnectError, "127.0.0.1")


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
def test_unknown_host_is_said(engine: str, shop_url: str, going: Going) -> None:
    """A host that nobody knows: ConnectError with its name."""
    journey = going(f"{engine}://me:{PLANTED}@nowhere.invalid/db", f"{shop_url}.new")

    _assert_told(journey.refused(), errors.ConnectError, "nowhere.invalid")


def test_server_that_never_answers_is_given_up(
    silent_port: int, shop_url: str, going: Going
) -> None:
    """A listener that says nothing does not hang the run when the URL has a timeout."""
    url = f"postgresql://me:{PLANTED}@127.0.0.1:{silent_port}/db?connect_timeout=2"
    journey = going(url, f"{shop_url}.new")

    _assert_told(journey.refused(), errors.ConnectError)


@pytest.mark.parametrize("fixture", ["pg_url", "mariadb_url"])
def test_wrong_password_is_said_and_not_shown(
    fixture: str, tmp_path: Path, going: Going, request: pytest.FixtureRequest
) -> None:
    """LoginError; the password stands in no message, no event and no file."""
    url = request.getfixturevalue(fixture).replace(PASSWORD, PLANTED)
    journey = going(url, f"sqlite:///{tmp_path / 'new.sqlite'}")

    _assert_told(journey.refused(), errors.LoginError)
    process = journey.start()

    assert process.end() == errors.LoginError.exit_code
    written = "".join(
        p.read_text(errors="replace") for p in journey.folder.rglob("*") if p.is_file()
    )
    everything = f"{process.events} {process.complaints} {written}"
    assert PLANTED not in everything
    assert PLAIN not in everything


def test_right_password_stays_out_of_ledger_and_report(
    shop_url: str, pg_url: str, going: Going
) -> None:
    """After a run, the password stands neither in the ledger nor in a report or backup."""
    journey = going(shop_url, pg_url, include=["regions"])
    journey.ask("CREATE TABLE public.kept (id INTEGER)")
    journey.run()

    tables = ("run", "step", "batch", "loaded", "reject", "proof")
    ledger = repr([journey.ask(f"SELECT * FROM datamig.{t}") for t in tables])
    files = [p.read_bytes() for p in journey.folder.rglob("*") if p.is_file()]
    assert PASSWORD not in ledger
    assert not any(PASSWORD.encode() in content for content in files)
    assert PASSWORD not in repr(running.status(journey.migration))


@pytest.mark.parametrize("fixture", ["pg_url", "mariadb_url"])
def test_unknown_database_is_said(
    fixture: str, tmp_path: Path, going: Going, request: pytest.FixtureRequest
) -> None:
    """A database that is not there: an engine's error with its name."""
    server = request.getfixturevalue(fixture).rpartition("/")[0]
    journey = going(f"{server}/no_such_database", f"sqlite:///{tmp_path / 'new.sqlite'}")

    _assert_told(journey.refused(), errors.ConnectError, "no_such_database")


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
def test_missing_source_file_is_said_and_not_made(
    engine: str, tmp_path: Path, going: Going
) -> None:
    """A source file that is not there is an error, not a new empty file."""
    path = tmp_path / "gone.db"
    journey = going(f"{engine}:///{path}", f"sqlite:///{tmp_path / 'new.sqlite'}")

    _assert_told(journey.refused(), errors.ConnectError, "gone.db")
    assert not path.exists()


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
@pytest.mark.parametrize("side", ["source", "target"])
def test_file_of_another_kind_is_said(
    engine: str, side: str, tmp_path: Path, shop_url: str, going: Going
) -> None:
    """A file that is no database of that engine: ConnectError, and the file stays as it was."""
    path = tmp_path / "letter.db"
    path.write_text("Dear sir or madam, " * 1000)
    url = f"{engine}:///{path}"
    journey = going(url, f"{shop_url}.new") if side == "source" else going(shop_url, url)

    _assert_told(journey.refused(), errors.ConnectError)
    assert path.read_text() == "Dear sir or madam, " * 1000


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
def test_missing_folder_of_the_target_is_said(
    engine: str, tmp_path: Path, shop_url: str, going: Going
) -> None:
    """The target's folder is not made in silence."""
    journey = going(shop_url, f"{engine}:///{tmp_path / 'no' / 'folder' / 'new.db'}")

    _assert_told(journey.refused(), errors.ConnectError)


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
@pytest.mark.parametrize("side", ["source", "target"])
def test_memory_is_refused(engine: str, side: str, shop_url: str, going: Going) -> None:
    """A database in memory cannot be shared by sessions: ConnectError."""
    url = f"{engine}:///:memory:"
    journey = going(url, f"{shop_url}.new") if side == "source" else going(shop_url, url)

    _assert_told(journey.refused(), errors.ConnectError)


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
def test_file_and_itself_are_refused(engine: str, tmp_path: Path, going: Going) -> None:
    """Source and target are one file, also by another path: refused before anything is written."""
    path, link = tmp_path / "one.db", tmp_path / "link.db"
    journey = going(f"{engine}:///{path}", f"{engine}:///{path}")
    journey.ask("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    link.symlink_to(path)
    journey.source_url = f"{engine}:///{path}"

    _assert_told(journey.refused(), errors.ConnectError, "same")
    journey.target_url = f"{engine}:///{link}"
    _assert_told(journey.refused(), errors.ConnectError, "same")


def test_database_and_itself_are_refused_in_any_spelling(pg_url: str, going: Going) -> None:
    """With a driver's name or without, with options or without: it is the same database."""
    for other in (
        pg_url,
        pg_url.replace("postgresql://", "postgresql+psycopg://"),
        f"{pg_url}?application_name=other",
    ):
        journey = going(pg_url, other)
        journey.ask("CREATE TABLE IF NOT EXISTS public.t (id INTEGER PRIMARY KEY)")

        _assert_told(journey.refused(), errors.ConnectError, "same")
        assert journey.ledger_tables() == []


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("", errors.MissingSecretError),
        ("nonsense", errors.UnknownEngineError),
        (f"oracle://me:{PLANTED}@host/db", errors.UnknownEngineError),
        (f"postgresql//me:{PLANTED}@host/db", errors.UnknownEngineError),
        (f"postgresql://me:{PLANTED}@host:port/db", errors.UnknownEngineError),
    ],
)
def test_wrong_url_is_said(url: str, kind: type[DatamigError], shop_url: str, going: Going) -> None:
    """An empty or broken URL, or that of an unknown engine, is an error of the file."""
    error = going(url, f"{shop_url}.new").refused()

    _assert_told(error, kind)
    assert error.exit_code == 4


def test_engine_that_is_no_target_is_refused(
    shop_url: str, pg_url: str, going: Going, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that takes no rows is refused by name, before it is opened; so is its rollback."""
    kind = type(get_dialect(make_url(pg_url)))
    monkeypatch.setattr(kind, "can", replace(kind.can, takes=()))
    journey = going(shop_url, pg_url)

    for verb in (running.run, running.roll_back):
        _assert_told(journey.refused(verb), errors.NotYetError, "PostgreSQL")


# ---- what the file says


@pytest.mark.parametrize(
    ("attributes", "kind", "word"),
    [
        ({"tables": [{"name": "no_such"}]}, errors.TableMissingError, "no_such"),
        (
            {"tables": [{"name": "regions", "rename": "countries"}]},
            errors.NameCollisionError,
            "countries",
        ),
        (
            {"tables": [{"name": "regions", "columns": {"name": {"rename": "code"}}}]},
            errors.NameCollisionError,
            "code",
        ),
        (
            {"tables": [{"name": "regions", "columns": {"gone": {"drop": True}}}]},
            errors.ColumnMissingError,
            "gone",
        ),
        ({"tables": [{"name": "regions", "key": ["gone"]}]}, errors.ColumnMissingError, "gone"),
        ({"tables": [{"name": "orders", "key": ["status"]}]}, errors.KeyUnsupportedError, "status"),
        ({"include": ["nothing_*"]}, errors.PlanError, "no table"),
        (
            {"casts": [{"when": {"type": "DATE"}, "to": "NO SUCH TYPE"}]},
            errors.SpecError,
            "NO SUCH TYPE",
        ),
        (
            {"tables": [{"name": "regions", "where": "no such sql ("}]},
            DatamigError,
            "regions",
        ),
        (
            {
                "tables": [
                    {
                        "name": "regions",
                        "columns": {"x": {"expression": "no_func(1)", "type": "TEXT"}},
                    }
                ]
            },
            DatamigError,
            "regions",
        ),
    ],
)
def test_wrong_word_is_named(
    attributes: dict[str, Any],
    kind: type[DatamigError],
    word: str,
    shop_url: str,
    pg_url: str,
    going: Going,
) -> None:
    """What is wrong is said by name; where planning can know it, nothing is touched."""
    journey = going(shop_url, pg_url, **attributes)

    error = journey.refused()

    assert isinstance(error, kind), repr(error)
    assert word in f"{error} {error.where}"
    assert error.hint
    if kind is not DatamigError:
        assert journey.ledger_tables() == []
        assert journey.catalog().tables == ()


def test_key_without_an_order_is_refused(tmp_path: Path, pg_url: str, going: Going) -> None:
    """A key that cannot be read in order, asked for by name, is refused."""
    path = tmp_path / "blobs.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t (k BLOB NOT NULL UNIQUE, n INTEGER)")
    db.close()
    tables = [{"name": "t", "key": ["k"]}]

    error = going(f"sqlite:///{path}", pg_url, tables=tables).refused()

    _assert_told(error, errors.KeyUnsupportedError, "k")


def test_file_in_place_of_the_backup_folder_is_said(
    tmp_path: Path, shop_url: str, pg_url: str, going: Going
) -> None:
    """A backup folder that cannot be made ends the run before the target is touched."""
    (tmp_path / "taken").write_text("a file")
    journey = going(shop_url, pg_url, backup={"to": str(tmp_path / "taken")})
    journey.ask("CREATE TABLE public.kept (id INTEGER)")
    before = journey.catalog()

    _assert_told(journey.refused(), errors.PermissionDeniedError, "taken")
    assert journey.catalog() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hand its rights away")
def test_forbidden_folder_is_said(tmp_path: Path, shop_url: str, going: Going) -> None:
    """A target file in a folder where one may not write: PermissionDeniedError or ConnectError."""
    journey = going(shop_url, "sqlite:////proc/new.sqlite")

    error = journey.refused()

    assert isinstance(error, errors.PermissionDeniedError | errors.ConnectError)
    assert error.hint


@pytest.mark.parametrize(
    ("driver", "scheme"), [("psycopg", "postgresql"), ("pymysql", "mysql"), ("duckdb", "duckdb")]
)
def test_missing_driver_is_said(
    driver: str, scheme: str, shop_url: str, going: Going, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an engine's Python driver the error names what to install."""
    real = builtins.__import__

    def without(name: str, *more: Any, **named: Any) -> Any:
        if name.partition(".")[0] == driver:
            raise ModuleNotFoundError(f"No module named {driver!r}", name=driver)
        return real(name, *more, **named)

    journey = going(f"{scheme}://me@127.0.0.1/db", f"{shop_url}.new")
    monkeypatch.setattr(builtins, "__import__", without)
    error = journey.refused()
    monkeypatch.undo()

    _assert_told(error, errors.DriverMissingError, driver)


def test_broken_report_is_said(shop_url: str, pg_url: str, going: Going) -> None:
    """A report that cannot be written is an error; the next run only reports."""
    journey: Journey = going(shop_url, pg_url, include=["regions"])
    report = journey.migration.home / "report.json"
    report.mkdir(parents=True)  # where a file should be

    error = journey.refused()
    before = journey.batches()
    report.rmdir()
    journey.run()

    _assert_told(error, errors.PermissionDeniedError)
    assert journey.batches() == before
    assert len(before) == 1


def test_broken_home_is_said_before_anything_is_touched(
    shop_url: str, pg_url: str, going: Going
) -> None:
    """Where no report can ever be written, the target does not even get a ledger."""
    journey: Journey = going(shop_url, pg_url, include=["regions"])
    journey.migration.home.parent.mkdir(parents=True, exist_ok=True)
    journey.migration.home.write_text("a file")

    error = journey.refused()

    _assert_told(error, errors.PermissionDeniedError, "DATAMIG_HOME")
    assert journey.ledger_tables() == []
