"""datamig explain and docs/errors.md."""

import json
from pathlib import Path

import pytest

from datamig_pipelines.cli.causes import CAUSES
from datamig_pipelines.cli.exits import MEANINGS, of_proofs
from datamig_pipelines.cli.explain import as_markdown, entries
from datamig_pipelines_tests.cli.conftest import Cli

DOCS = Path(__file__).parents[2] / "docs"


def test_explain_knows_each_error() -> None:
    """Each class of errors.py has a cause and a next move, and nothing else has."""
    assert {e.name for e in entries()} == set(CAUSES)
    assert all(e.meaning and e.cause and e.move for e in entries())


def test_explain_page_is_the_generated_one() -> None:
    """docs/errors.md is what `datamig explain --markdown` prints."""
    assert (DOCS / "errors.md").read_text() == as_markdown()


def test_explain_tells_one_code(cli: Cli) -> None:
    """A code, in any case, gives class, meaning, exit code, cause and next move."""
    said = cli("explain", "dm406")

    assert said.code == 0
    for part in (
        "DM406 DiskFullError",
        "exit code 7",
        "no room left",
        "typical cause",
        "next move",
    ):
        assert part in said.out


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["DM999"], 4)])
def test_explain_lists_all_where_none_is_meant(cli: Cli, arguments: list[str], code: int) -> None:
    """No code lists all; an unknown one, too, but is a mistake."""
    said = cli("explain", *arguments)

    assert said.code == code
    assert all(e.code in said.out for e in entries())


def test_explain_json_is_one_document(cli: Cli) -> None:
    """--json gives the entry, or all of them."""
    assert json.loads(cli("explain", "DM601", "--json").out)["name"] == "RunningElsewhereError"
    assert len(json.loads(cli("explain", "--json").out)) == len(CAUSES)


def test_exit_codes_are_documented() -> None:
    """Each exit code of an error has a meaning, and docs/cli.md and --help show the same table."""
    page = (DOCS / "cli.md").read_text()

    assert {e.exit_code for e in entries()} <= set(MEANINGS)
    assert all(f"| {code} | {meaning} |" in page for code, meaning in MEANINGS.items())


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([], 0),
        (["equal", "equal"], 0),
        (["equal", "not comparable"], 9),
        (["not comparable", "different"], 3),
        (["some day's new verdict"], 9),
    ],
)
def test_exit_code_of_proofs_is_never_falsely_0(verdicts: list[str], code: int) -> None:
    """Only equal everywhere is 0; what could not be compared is 9, a difference 3."""
    assert of_proofs([{"verdict": v} for v in verdicts]) == code


def test_cli_page_names_each_command_and_option(cli: Cli) -> None:
    """docs/cli.md has a section per command, and names its own options."""
    import typer

    from datamig_pipelines.cli import app

    page = (DOCS / "cli.md").read_text()
    group = typer.main.get_command(app)
    missing = [f"### {name}" for name in group.commands if f"### {name}\n" not in page]
    for name, command in group.commands.items():
        options = {o for p in command.params for o in p.opts if o.startswith("--")}
        missing += [f"{name} {o}" for o in options - {"--json", "--help"} if o not in page]

    assert missing == []
