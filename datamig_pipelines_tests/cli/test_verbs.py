"""plan, status, validate, rollback, doctor: on a loaded shop, without Dagster."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from datamig_pipelines import running
from datamig_pipelines.spec import read_migration
from datamig_pipelines_tests.cli.conftest import YAML, Cli


@pytest.fixture
def loaded(migration: Path) -> Path:
    """The migration, run."""
    for _ in running.run(read_migration(migration)):
        pass
    return migration


def change(migration: Path, *statements: str) -> None:
    """Write to the target behind the migration's back."""
    with duckdb.connect(str(migration.with_name("target.duckdb"))) as connection:
        for statement in statements:
            connection.execute(statement)


def test_plan_touches_nothing(cli: Cli, migration: Path) -> None:
    """A plan leaves the source as it is and makes no target."""
    before = {p.name: p.read_bytes() for p in migration.parent.iterdir() if p.is_file()}

    said = cli("plan", migration)
    document = json.loads(cli("plan", migration, "--json").out)

    assert said.code == 0
    assert "customers" in said.out
    assert {t["table"].rpartition(".")[2] for t in document["tables"]} >= {"customers", "orders"}
    assert {p.name: p.read_bytes() for p in migration.parent.iterdir() if p.is_file()} == before


def test_plan_shows_statements_batches_and_chosen_tables(cli: Cli, migration: Path) -> None:
    """--sql prints the statements per step; --batch-size and --tables change what is planned."""
    said = cli("plan", migration, "--sql", "--tables", "regions", "--batch-size", "2")
    document = json.loads(
        cli("plan", migration, "--json", "--tables", "regions", "--batch-size", "2").out
    )

    assert "-- schema:" in said.out
    assert "CREATE TABLE" in said.out
    assert [(t["table"].rpartition(".")[2], t["batch_size"]) for t in document["tables"]] == [
        ("regions", 2)
    ]


def test_status_tells_before_and_after(cli: Cli, migration: Path) -> None:
    """Before the first run there is none; afterwards runs, steps, rows and proofs are told."""
    before = cli("status", migration)
    for _ in running.run(read_migration(migration)):
        pass
    after = cli("status", migration)
    document = json.loads(cli("status", migration, "--json").out)

    assert "no run yet" in before.out
    assert "done" in after.out
    assert "validate done" in after.out
    assert document["runs"][-1]["status"] == "done"
    assert all(t["read"] == t["loaded"] for t in document["tables"].values())


def test_validate_finds_what_was_changed_since(cli: Cli, loaded: Path) -> None:
    """An untouched target is proven again: 0. A changed value: 3, with table and column."""
    assert cli("validate", loaded).code == 0
    change(loaded, "UPDATE reviews SET title = 'elsewhere' WHERE id = 1")

    said = cli("validate", loaded)
    document = json.loads(cli("validate", loaded, "--json").out)

    assert said.code == 3
    assert "DIFFERENT" in said.out
    assert "error DM500" in said.err
    assert document["exit_code"] == 3
    assert document["error"]["code"] == "DM500"
    assert any(p["verdict"] == "different" and "title" in p["detail"] for p in document["proofs"])


@pytest.mark.parametrize(
    ("passed", "blocking", "code"), [(True, True, 0), (False, False, 9), (False, True, 3)]
)
def test_validate_judges_suites(
    cli: Cli, loaded: Path, monkeypatch: pytest.MonkeyPatch, passed: bool, blocking: bool, code: int
) -> None:
    """A suite that does not hold is never 0: 3 where it is blocking, else 9."""
    from datamig_pipelines import expectations
    from datamig_pipelines.running import expecting

    suite = f"{{table: orders, file: s.json, blocking: {str(blocking).lower()}}}"
    loaded.write_text(f"{YAML}  validate: {{suites: [{suite}]}}\n")
    (loaded.parent / "s.json").write_text("{}")
    result = expectations.SuiteResult(
        passed, "error", 1, (), "s.json: it is so", table="orders", file="s.json", blocking=blocking
    )
    monkeypatch.setattr(expecting, "check_suite", lambda *_: result)

    said = cli("validate", loaded)

    assert said.code == code, said.err
    assert "s.json: it is so" in said.out


def test_validate_of_nothing_is_no_success(cli: Cli, migration: Path) -> None:
    """What was never loaded cannot be proven: exit 8."""
    assert cli("validate", migration).code == 8


def test_rollback_names_rows_written_since_and_asks(
    cli: Cli, loaded: Path, answers: Callable[[str], None]
) -> None:
    """Rows written after the load are named; no is no, and nobody at the keyboard is no."""
    change(
        loaded,
        "DELETE FROM payments",
        "INSERT INTO regions (id, code, name) VALUES (77, 'XX', 'new')",
    )

    nobody = cli("rollback", loaded)
    answers("n\n")
    no = cli("rollback", loaded)

    assert nobody.code == 4
    assert "1 OF THEM WERE WRITTEN SINCE" in nobody.err
    assert "were deleted since" in nobody.err
    assert no.code == 130
    assert "Nothing was changed" in no.err
    assert json.loads(cli("status", loaded, "--json").out)["runs"][-1]["status"] == "done"


def test_rollback_takes_it_back(cli: Cli, loaded: Path, answers: Callable[[str], None]) -> None:
    """Yes takes it back, and says what went; afterwards there is nothing to take back."""
    answers("y\n")
    said = cli("rollback", loaded)
    again = cli("rollback", loaded, "--yes", "--json")

    assert said.code == 0, said.err
    assert "is taken back" in said.out
    assert again.code == 8
    assert json.loads(again.out)["error"]["code"] == "DM600"


def test_doctor_looks_at_both_ends_and_makes_nothing(cli: Cli, migration: Path) -> None:
    """The source's version, the target's absence, tools and folders are told; no file is made."""
    said = cli("doctor", migration, "--json")
    found = {f["what"]: f for f in json.loads(said.out)}

    assert said.code == 0
    assert "SQLite 3" in found["source"]["detail"]
    assert "will be made" in found["target"]["detail"]
    assert found["folder of backups"]["state"] == "ok"
    assert not migration.with_name("target.duckdb").exists()


def test_doctor_exits_with_the_code_of_what_is_wrong(cli: Cli, migration: Path) -> None:
    """A source that is not there is bad, told, and the exit code is its error's."""
    migration.with_name("shop.sqlite").unlink()

    said = cli("doctor", migration)

    assert said.code == 7
    assert "DM402" in said.out


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sit at the keyboard and type."""

    def typed(text: str) -> None:
        import io

        keyboard = io.StringIO(text)
        keyboard.isatty = lambda: True  # type: ignore[method-assign]
        monkeypatch.setattr(sys, "stdin", keyboard)

    return typed
