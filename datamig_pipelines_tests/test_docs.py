"""The documents say what is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from datamig_pipelines.dialects import DIALECTS

ROOT = Path(__file__).parent.parent


def test_docs_reference_equals_its_generator(tmp_path: Path) -> None:
    """docs/reference.md is what scripts/write_reference.py writes."""
    code = "import scripts.write_reference as w; print(w.page(), end='')"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert run.stdout == (ROOT / "docs" / "reference.md").read_text()


@pytest.mark.parametrize(
    "page", sorted(p.name for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
)
def test_docs_links_lead_somewhere(page: str) -> None:
    """Every relative link of a page names a file that exists."""
    path = next(p for p in (ROOT / page, ROOT / "docs" / page) if p.exists())
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text())

    assert [link for link in links if not (path.parent / link).exists()] == []


def test_docs_engines_lists_the_wires_of_every_dialect() -> None:
    """docs/engines.md has one row per dialect, with exactly its wires."""
    text = (ROOT / "docs" / "engines.md").read_text()
    rows = {}
    for line in text.splitlines():
        cells = [c.strip() for c in line.strip("|").split("|")]
        if len(cells) == 4 and "`" in cells[1]:
            rows[cells[0]] = (re.findall(r"`(\w+)`", cells[1]), re.findall(r"`(\w+)`", cells[2]))
    wanted = {
        d.label.replace("/", " / "): (
            [w.value for w in d.can.sends],
            [w.value for w in d.can.takes],
        )
        for d in DIALECTS.values()
    }

    assert wanted == rows


def test_docs_readme_names_commands_that_exist() -> None:
    """Every `datamig` command of the README is one of the command line."""
    from typer.main import get_command

    from datamig_pipelines.cli import app

    named = set(
        re.findall(r"(?:^|[/`])datamig ([a-z]+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    )
    known = set(get_command(app).commands)  # type: ignore[attr-defined]

    assert named
    assert set() == named - known
