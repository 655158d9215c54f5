"""Where rehearsals take place: what they may make, what it is like, and what they leave."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.engine import URL, make_url

from datamig_pipelines import running
from datamig_pipelines.dialects import get_dialect
from datamig_pipelines.errors import RejectsError, ScratchDeniedError
from datamig_pipelines.running import scratching
from datamig_pipelines.running.opening import target_place
from datamig_pipelines.session import Session
from datamig_pipelines.steps.backup import database_of
from datamig_pipelines_tests.running.lines import SOURCE, TARGET, Defs
from datamig_pipelines_tests.running.rehearsals import House, rehearsed

SCRATCH = "LINES_SCRATCH_URL"
FOREIGN = {
    "postgresql": "CREATE DATABASE {} TEMPLATE template0 ENCODING 'LATIN1' "
    "LC_COLLATE 'C' LC_CTYPE 'C'",
    "mysql": "CREATE DATABASE {} CHARACTER SET latin1",
}
MODEST = {
    "postgresql": (
        "CREATE ROLE {0} LOGIN PASSWORD 'pw'",
        "ALTER SCHEMA public OWNER TO {0}",
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO {0}",
    ),
    "mysql": ("CREATE USER {0} IDENTIFIED BY 'pw'", "GRANT ALL ON {1}.* TO {0}"),
}


@pytest.fixture
def defs(
    request: pytest.FixtureRequest,
    target_url: Callable[[str], str],
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Defs:
    """A folder of migrations into an empty database of each server."""
    for name in (SOURCE, TARGET, SCRATCH, "DATAMIG_HOME"):
        monkeypatch.setenv(name, "")
    return Defs.made(tmp_path, target_url(request.param))


servers = pytest.mark.parametrize("defs", ["postgres", "mysql"], indirect=True)
postgres = pytest.mark.parametrize("defs", ["postgres"], indirect=True)


def ask(url: URL, *statements: str) -> None:
    with Session(get_dialect(url), url, readonly=False) as session:
        for statement in statements:
            session.query(statement)


@contextmanager
def modest() -> Iterator[URL]:
    """Make a user who may do everything in the target, and no more; yield the owner's URL."""
    url = make_url(os.environ[TARGET])
    name = f"modest_{secrets.token_hex(4)}"
    ask(url, *(s.format(name, url.database) for s in MODEST[get_dialect(url).name]))
    own = url.set(username=name, password="pw")
    os.environ[TARGET] = own.render_as_string(hide_password=False)
    yield url
    os.environ[TARGET] = url.render_as_string(hide_password=False)
    last = "DROP OWNED BY {0} CASCADE; DROP ROLE {0}", "DROP USER {0}"
    ask(url, last[get_dialect(url).name == "mysql"].format(name))


# ---- what may be made


@servers
def test_user_without_the_right_is_told_what_to_do(defs: Defs) -> None:
    """One clear error that names the key of the file, and nothing is left, nothing is marked."""
    migration = defs.write("one")
    with modest(), pytest.raises(ScratchDeniedError) as caught:
        list(running.rehearse(migration))

    assert "modest_" in caught.value.message
    assert "backup.scratch_env" in caught.value.hint
    assert [p.name for p in (migration.home / "rehearsals").iterdir()] == [".lock"]


@servers
def test_scratch_database_takes_the_texts_of_the_target(defs: Defs) -> None:
    """Also beside a database of other texts: a copy is a copy, letter by letter."""
    house = House.filled(defs)
    url = house.place.url
    name = f"other_{secrets.token_hex(4)}"
    house.ask(FOREIGN[house.place.dialect.name].format(name))
    os.environ[SCRATCH] = url.set(database=name).render_as_string(hide_password=False)
    try:
        found, _, error = rehearsed(house.migration(backup={"scratch_env": SCRATCH}))
    finally:
        house.ask(f"DROP DATABASE {name}")

    assert error is None
    assert found["original"]["rows"] == 3
    assert found["class"] == "lossless"


# ---- what is left over


@postgres
def test_leftover_that_cannot_be_dropped_stops_nobody(defs: Defs) -> None:
    """It is told, and its mark stays for somebody who may drop it."""
    migration = defs.write("one")
    left = f"datamig_rehearsal_{secrets.token_hex(6)}"
    folder = migration.home / "rehearsals"
    folder.mkdir(parents=True)
    (folder / f"{left}.scratch").write_text("")
    with modest() as owner:
        ask(owner, f"CREATE DATABASE {left}")
        database = database_of(target_place(migration))
        try:
            (said,) = scratching.drop_leftovers(migration, database, database.url)
        finally:
            ask(owner, f"DROP DATABASE {left}")

    assert said.text.startswith(f"{left}, left by a killed rehearsal, cannot be dropped: ")
    assert [p.name for p in folder.iterdir()] == [f"{left}.scratch"]


# ---- what is kept of it


@pytest.mark.parametrize("defs", ["duckdb"], indirect=True)
def test_rejected_rows_stand_in_the_file_of_the_rehearsal(defs: Defs) -> None:
    """They are gone with the scratch database; no hint leads to a file that is gone as well."""
    migration = defs.write(
        "one",
        casts=[{"when": {"column": "p.name"}, "to": "INTEGER"}],
        rejects={"abort_above": "100%"},
    )

    found, path, error = rehearsed(migration)

    assert isinstance(error, RejectsError)
    assert [r["table"] for r in found["forward"]["rejects"]] == ["p", "p", "p"]
    assert found["forward"]["rejects"][0]["reason"]
    assert "datamig_rehearsal_" not in str(error)
    assert "rehearsal's file" in error.hint
    assert path.exists()


@postgres
def test_cancelled_rehearsal_drops_its_scratch_database(defs: Defs) -> None:
    """Whoever stops it in the middle of the load leaves nothing, neither there nor here."""
    migration = defs.write("one")
    events = running.rehearse(migration)
    for event in events:
        if isinstance(event, running.StepStarted) and event.step == "load":
            break
    events.close()

    asked = "SELECT datname FROM pg_database WHERE datname LIKE 'datamig_rehearsal_%'"
    assert defs.ask(migration, asked) == []
    assert [p.name for p in (migration.home / "rehearsals").iterdir()] == [".lock"]
