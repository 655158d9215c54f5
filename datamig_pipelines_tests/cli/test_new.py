"""datamig new."""

import json
from pathlib import Path

import pytest

from datamig_pipelines.spec import read_migration
from datamig_pipelines_tests.cli.conftest import Cli


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in a checkout."""
    monkeypatch.chdir(tmp_path)


def test_new_writes_a_file_that_is_right(cli: Cli) -> None:
    """What `new` writes, `check` accepts; the URLs are named by environment variables."""
    said = cli("new", "shop")

    assert said.code == 0
    assert cli("check", "shop").code == 0
    migration = read_migration(Path("shop/defs.yaml"))
    assert (migration.source.url_env, migration.target.url_env) == (
        "SHOP_SOURCE_URL",
        "SHOP_TARGET_URL",
    )


def test_new_every_commented_key_is_right() -> None:
    """Taking away the # of each commented key leaves a right file."""
    from datamig_pipelines.cli.new import _TEMPLATE

    lines = _TEMPLATE.read_text().replace("@NAME@", "shop").splitlines()
    ends = {"@SOURCE@": '{url: "sqlite:///a"}', "@TARGET@": '{url: "sqlite:///b"}'}
    keys = [line.replace("  # ", "  ", 1) if _is_key(line) else line for line in lines]
    text = "\n".join(keys)
    for mark, value in ends.items():
        text = text.replace(mark, value)
    Path("all.yaml").write_text(text)

    migration = read_migration(Path("all.yaml"))

    assert {t.name for t in migration.tables} == {"customers", "orders", "lines"}
    assert migration.schedule is not None


def test_new_takes_urls_and_folder(cli: Cli) -> None:
    """URLs and the folder are taken as given."""
    said = cli(
        "new", "m", "--source-url", "sqlite:///a.db", "--target-env", "T", "--to", "x", "--json"
    )

    assert json.loads(said.out) == {"migration": "m", "file": "x/defs.yaml"}
    migration = read_migration(Path("x/defs.yaml"))
    assert (migration.source.url, migration.target.url_env) == ("sqlite:///a.db", "T")


def test_new_never_overwrites(cli: Cli) -> None:
    """An existing file stays as it is."""
    Path("shop").mkdir()
    Path("shop/defs.yaml").write_text("mine")

    said = cli("new", "shop")

    assert said.code == 4
    assert Path("shop/defs.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    "options",
    [
        ["shop", "--source-url", "postgresql://me:Pl4nted-Secret@host/db"],
        ["shop", "--source-url", "a", "--source-env", "B"],
        ["shop", "--target-url", "no url"],
        ["9 shops"],
    ],
)
def test_new_refuses_what_the_file_would_refuse(cli: Cli, options: list[str]) -> None:
    """A password, a contradiction, nonsense, a bad name: refused before anything is written."""
    said = cli("new", *options)

    assert said.code == 4
    assert "Pl4nted" not in said.out + said.err
    assert list(Path().iterdir()) == []


def test_new_writes_into_the_project_where_it_stands_in_one(cli: Cli) -> None:
    """In a checkout of this project, and below, the file goes where Dagster looks."""
    Path("datamig_pipelines/defs").mkdir(parents=True)
    Path("docs").mkdir()
    Path("pyproject.toml").write_text('[project]\nname = "datamig_pipelines"\n')
    root = Path.cwd()

    import contextlib

    with contextlib.chdir("docs"):
        assert cli("new", "shop").code == 0

    assert (root / "datamig_pipelines/defs/shop/defs.yaml").is_file()


def _is_key(line: str) -> bool:
    """Say whether a comment is a key of the file, or goes on with one."""
    body = line.strip().removeprefix("# ")
    return (
        line.startswith("  # ")
        and (":" in body.split("#")[0])
        and not body.startswith(("Where", "environment", "relative"))
    )
