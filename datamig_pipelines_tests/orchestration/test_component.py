"""The YAML file becomes a component, or an error with its line."""

from pathlib import Path

import dagster as dg
import pytest
from dagster.components.testing import create_defs_folder_sandbox

from datamig_pipelines import Migration

GOOD = """type: datamig_pipelines.Migration
attributes:
  name: library
  source: {url_env: NOBODY_SET_THIS}
  target: {url: "duckdb:///target.duckdb"}
  kind: data
"""


def _load(text: str) -> tuple[Migration, dg.Definitions, Path]:
    with create_defs_folder_sandbox() as sandbox:
        folder = sandbox.scaffold_component(component_cls=Migration)
        (folder / "defs.yaml").write_text(text)
        with sandbox.load_component_and_build_defs(defs_path=folder) as (component, defs):
            return component, defs, folder


def test_component_loads_without_database_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Definitions load although the source's variable is not set and the target does not exist."""
    monkeypatch.delenv("NOBODY_SET_THIS", raising=False)

    component, defs, folder = _load(GOOD)

    assert component.migration.base == folder.resolve()
    assert not (folder / "target.duckdb").exists()
    jobs = {j.name for j in defs.resolve_all_job_defs() if not j.name.startswith("__")}
    verbs = ("plan", "validate", "rollback", "rehearse", "pause", "resume")
    assert jobs == {"library", *(f"library_{verb}" for verb in verbs)}


def _chain(error: BaseException | None) -> str:
    return "" if error is None else f"{error}\n{_chain(error.__cause__ or error.__context__)}"


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("  kind: data", "  batch_size: five", 6, "valid integer"),
        ("  kind: data", "  batch_size: -5", 6, "greater than or equal to 1"),
        ("  kind: data", "  batchsize: 5", 6, "Extra inputs are not permitted"),
        ("  kind: data", "  kind: dta", 6, "'platform'"),
        ("  kind: data", "  tables:\n    - {name: a}\n    - {key: [id]}", 8, "Field required"),
        ("url: ", "url: 'postgresql://me:pw@h/d', schema: ", 5, "does not belong into a file"),
        ("library", "'{{ env.NAME }}'", 2, "templates are not rendered"),
    ],
)
def test_component_names_the_line_of_a_mistake(old: str, new: str, line: int, said: str) -> None:
    """A wrong value, key, password or template is refused with file and line."""
    with pytest.raises(Exception) as caught:  # Dagster's own class is private
        _load(GOOD.replace(old, new))

    shown = _chain(caught.value)
    assert f"defs.yaml:{line}" in shown
    assert said in shown
