"""``dagster job execute`` as a process, on both instance files, killed and started again."""

import os
import re
import shutil
import signal
import time

import pytest
import yaml
from sqlalchemy.engine import make_url

from datamig_pipelines_tests.orchestration.conftest import BOOKS, ROOT, Project

LIMIT_S = 500
HOLD_AT = 5


def _on_postgres(project: Project, url: str) -> None:
    """Let the project use deploy/dagster.yaml."""
    home = project.root / "home"
    home.mkdir()
    shutil.copy(ROOT / "deploy" / "dagster.yaml", home)
    where = make_url(url)
    project.environment |= {
        "DAGSTER_HOME": str(home),
        "DAGSTER_LOGS_DIR": str(home / "logs"),
        "DAGSTER_PG_HOST": where.host or "",
        "DAGSTER_PG_PORT": str(where.port),
        "DAGSTER_PG_USERNAME": where.username or "",
        "DAGSTER_PG_PASSWORD": where.password or "none",
        "DAGSTER_PG_DB": where.database or "",
    }


def _set(project: Project, **attributes: object) -> None:
    """Add attributes to the project's defs.yaml."""
    project.library.attributes |= attributes
    document = {"type": "datamig_pipelines.Migration", "attributes": project.library.written()}
    (project.library.folder / "defs.yaml").write_text(yaml.safe_dump(document))


def test_single_machine_instance_runs_a_migration(project: Project) -> None:
    """With the dagster.yaml on top of the repository a run exits 0; a difference exits 1."""
    code, said = project.execute()
    assert code == 0, said
    assert len(project.library.rows("books")) == BOOKS
    assert (project.root / ".dagster_home").is_dir()

    project.library.tamper("DELETE FROM books WHERE id = 1")
    code, said = project.execute("library_validate")
    assert code == 1
    assert "DM500" in said


def test_server_instance_runs_a_migration(project: Project, pg_url: str) -> None:
    """With deploy/dagster.yaml, on PostgreSQL, a run exits 0."""
    _on_postgres(project, pg_url)
    code, said = project.execute()

    assert code == 0, said
    assert len(project.library.rows("books")) == BOOKS


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_interrupted_run_goes_on(project: Project, how: signal.Signals) -> None:
    """Stopped amid the load, by force or politely, the next run ends with every row once."""
    _set(
        project,
        batch_size=10,
        tables=[{"name": "books", "transform": "shapes.held"}],
    )
    project.environment["HOLD_AT"] = str(HOLD_AT)
    seen = project.library.folder / "batches"
    process = project.start()
    deadline = time.monotonic() + LIMIT_S
    while not (seen.exists() and int(seen.read_text() or 0) == HOLD_AT):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(process.pid, how)
    said, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode != 0, said
    assert int(seen.read_text()) == HOLD_AT

    through, said = project.go_on()
    assert through, said
    rows = [(i, a, t, float(p)) for i, a, t, p in project.library.rows("books")]
    assert rows == project.library.source_rows("books")
    assert int(seen.read_text()) < HOLD_AT + BOOKS / 10  # it went on, it did not begin again
    assert not re.search(r"DM6\d\d", said)
