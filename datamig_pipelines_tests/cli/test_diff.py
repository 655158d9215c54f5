"""datamig diff: rows, causes and repairs on a loaded shop."""

import json
from pathlib import Path

import pytest

from datamig_pipelines import running
from datamig_pipelines.spec import read_migration
from datamig_pipelines_tests.cli.conftest import Cli
from datamig_pipelines_tests.cli.test_verbs import change

FAULT = "UPDATE reviews SET title = upper(title) || ' Ö' WHERE id = 1"
CASE = "UPDATE customers SET full_name = upper(full_name) WHERE id = 2"


@pytest.fixture
def loaded(migration: Path) -> Path:
    """The migration, run."""
    for _ in running.run(read_migration(migration)):
        pass
    return migration


def test_diff_of_an_untouched_target_is_equal(cli: Cli, loaded: Path) -> None:
    """Nothing differs: exit 0, and each table is called equal."""
    said = cli("diff", loaded)

    assert said.code == 0
    assert "customers: equal" in said.out


def test_diff_shows_key_column_values_and_cause(cli: Cli, loaded: Path) -> None:
    """A changed value: exit 3, with everything that is known of it, as a table and as JSON."""
    change(loaded, CASE)

    said = cli("diff", loaded, "--table", "customers")
    document = json.loads(cli("diff", loaded, "--json").out)

    assert said.code == 3
    assert "case in full_name (1)" in said.out
    (differing,) = [t for t in document["tables"] if t["verdict"] == "different"]
    (found,) = differing["differences"]
    assert (document["exit_code"], differing["table"]) == (3, "customers")
    assert (found["key"], found["column"], found["cause"]) == ('["2"]', "full_name", "case")
    assert found["target"] == found["source"].upper() != found["source"]
    assert differing["causes"] == [{"cause": "case", "column": "full_name", "count": 1, "mend": ""}]


def test_repair_prints_sql_and_runs_none(cli: Cli, loaded: Path) -> None:
    """--repair prints statements that mend the target once somebody sends them."""
    change(loaded, FAULT)

    said = cli("diff", loaded, "--repair", "--table", "reviews")

    assert said.code == 3
    assert said.out.startswith("-- reviews: ")
    assert cli("diff", loaded).code == 3
    change(loaded, said.out)
    assert cli("diff", loaded).code == 0


def test_diff_says_where_there_is_more(cli: Cli, loaded: Path) -> None:
    """The limit ends the list, not the honesty."""
    change(loaded, "UPDATE customers SET full_name = upper(full_name)")

    said = cli("diff", loaded, "--limit", "2")

    assert "at least case in full_name (2)" in said.out
    assert "there are more" in said.out


def test_diff_of_what_a_function_made_asks_the_function_again(cli: Cli, migration: Path) -> None:
    """Rows of a transform are held against what it returns now; without it, nothing is said."""
    made_here = migration.with_name("made_here.py")
    made_here.write_text("def same(frame):\n    return frame\n")
    text = migration.read_text() + "  tables: [{name: regions, transform: made_here.same}]\n"
    migration.write_text(text)
    for _ in running.run(read_migration(migration)):
        pass

    said = cli("diff", migration, "--table", "regions")

    assert (said.code, said.out) == (0, "regions: equal\n")
    change(migration, "INSERT INTO regions (id, code, name) VALUES (99, 'ZZ', 'Nowhere')")
    said = cli("diff", migration, "--table", "regions")
    assert said.code == 3
    assert "extra row (1) (found in buckets of id of what made_here.same returns now" in said.out


def test_diff_before_a_run_is_refused(cli: Cli, migration: Path) -> None:
    """Nothing is loaded: exit 8 and the next move."""
    said = cli("diff", migration)

    assert said.code == 8
    assert "datamig run" in said.err
