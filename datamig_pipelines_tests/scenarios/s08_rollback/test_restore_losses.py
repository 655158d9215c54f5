"""What a restore in place takes or cannot bring back, beyond tables and views: kept, or named."""

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines import running
from datamig_pipelines.dialects.mysql import backup as mysql_backup
from datamig_pipelines.errors import LossesError
from datamig_pipelines.steps import StepDone
from datamig_pipelines.transfer import Said
from datamig_pipelines_tests.engines import Server
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey

LARGE = "SELECT loid, convert_from(data, 'UTF8') FROM pg_largeobject ORDER BY 1"
PAST = "SELECT id, a FROM kept FOR SYSTEM_TIME ALL ORDER BY id, a"


@pytest.fixture
def role(postgres_server: Server, pg_url: str) -> Iterator[str]:
    """A role that may log in and make scratch databases."""
    name, database = f"r_{uuid.uuid4().hex[:8]}", str(make_url(pg_url).database)
    postgres_server.query("postgres", f"CREATE ROLE {name} LOGIN CREATEDB PASSWORD 'role-pw'")
    yield name
    postgres_server.query(database, f"DROP OWNED BY {name}")
    postgres_server.query("postgres", f"ALTER DATABASE {database} OWNER TO datamig")
    postgres_server.query("postgres", f"DROP ROLE {name}")


@pytest.fixture
def full(role: str, pg_url: str, shop_url: str, going: Going) -> Iterator[Journey]:
    """A migration into a PostgreSQL that holds one of everything."""
    made = going(shop_url, pg_url, include=["regions"])
    made.ask(
        "CREATE TABLE mine (id INTEGER PRIMARY KEY)",
        "INSERT INTO mine VALUES (1)",
        f"GRANT SELECT ON mine TO {role}",
        f"GRANT USAGE ON SCHEMA public TO {role}",
        "COMMENT ON SCHEMA public IS 'as it was'",
        "CREATE SCHEMA apart",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA apart GRANT SELECT ON TABLES TO {role}",
        "SELECT lo_from_bytea(41, 'one'), lo_from_bytea(42, 'two')",
        "CREATE CAST (point AS integer) WITH INOUT",
        "CREATE ACCESS METHOD own TYPE TABLE HANDLER heap_tableam_handler",
        "CREATE SUBSCRIPTION fed CONNECTION 'host=127.0.0.1 port=1 dbname=x' PUBLICATION p "
        "WITH (connect = false, slot_name = NONE)",
        "CREATE EXTENSION hstore",
    )
    yield made
    made.ask("DROP SUBSCRIPTION fed")


def back(made: Journey) -> tuple[str, dict[str, object]]:
    """Take back by restore; return what was said and the last detail."""
    events = list(running.roll_back(made.migration, by_restore=True))
    last = events[-1]
    assert isinstance(last, StepDone)
    return "\n".join(e.text for e in events if isinstance(e, Said)), last.detail


def told(made: Journey) -> dict[str, str]:
    """Return what a restore takes although the run did not bring it."""
    found = running.foresee(made.migration, by_restore=True)
    return {getattr(one, "table", ""): one.told for one in found.foreign}


def test_database_full_of_other_things_is_backed_up_and_restored(full: Journey, role: str) -> None:
    """A subscription, casts, access methods, large objects, rights on schemas: all is as before."""
    before = full.ask(LARGE)
    full.run()
    full.ask(f"REVOKE USAGE ON SCHEMA public FROM {role}", "COMMENT ON SCHEMA public IS 'other'")
    full.ask("SELECT lo_unlink(41)", "SELECT lo_put(42, 0, 'X')", "DROP ACCESS METHOD own")

    _, detail = back(full)

    assert full.ask(LARGE) == before
    assert full.ask("SELECT obj_description(oid) FROM pg_namespace WHERE nspname = 'public'") == [
        ("as it was",)
    ]
    assert full.ask(f"SELECT has_schema_privilege('{role}', 'public', 'USAGE')") == [(True,)]
    assert full.ask("SELECT subname FROM pg_subscription") == [("fed",)]
    assert full.ask("SELECT count(*) FROM pg_am WHERE amname = 'own'") == [(1,)]
    assert detail["grants that differ"] == []
    assert full.ask("SELECT count(*) FROM pg_database WHERE datname LIKE 'datamig_scratch%'") == [
        (0,)
    ]


def test_what_others_made_since_is_named_before_and_gone_after(full: Journey, role: str) -> None:
    """Each kind of thing is named with its figure; without a yes nothing is touched."""
    full.run()
    assert told(full) == {}
    full.ask(
        "SELECT lo_from_bytea(43, 'three')",
        "CREATE SCHEMA empty",
        "CREATE CAST (point AS bigint) WITH INOUT",
        "CREATE TEXT SEARCH DICTIONARY words (TEMPLATE = simple)",
        f"GRANT DELETE ON mine TO {role}",
        f"ALTER DEFAULT PRIVILEGES GRANT INSERT ON TABLES TO {role}",
    )

    named = told(full)
    error = full.refused(lambda m: running.roll_back(m, by_restore=True, lossless=True))
    untouched = len(full.ask(LARGE))
    back(full)

    assert named.pop("large objects") == "3 now, 2 in the backup  !! CHANGED SINCE"
    given = {f"grant public.SELECT, DELETE on TABLE mine to {role}"}
    given |= {f"default privileges INSERT on TABLES of datamig to {role}"}
    made = {"schema empty", "cast point as bigint", "text search dictionary public.words"}
    assert named == dict.fromkeys(given, "given since the backup") | dict.fromkeys(
        made, "!! MADE BY OTHERS SINCE"
    )
    assert isinstance(error, LossesError)
    assert "large objects: 3 now, 2 in the backup" in error.message
    assert untouched == 3
    assert len(full.ask(LARGE)) == 2
    assert full.ask("SELECT count(*) FROM pg_namespace WHERE nspname = 'empty'") == [(0,)]
    assert full.ask(f"SELECT has_table_privilege('{role}', 'mine', 'INSERT, DELETE')") == [(False,)]


def test_extension_made_since_stays_and_is_said(full: Journey) -> None:
    """Others may use it by now: it is no loss, and no reason to call the restore wrong."""
    full.run()
    full.ask("CREATE EXTENSION citext")

    assert told(full) == {}
    said, _ = back(full)

    assert "stays: extension citext" in said
    assert full.ask("SELECT count(*) FROM pg_extension WHERE extname = 'citext'") == [(1,)]


def test_subscription_whose_tables_go_is_named(full: Journey) -> None:
    """It stays, and fills the new tables only after a refresh: how many is said before."""
    full.ask(
        "INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) "
        "SELECT s.oid, 'mine'::regclass, 'r' FROM pg_subscription s WHERE subname = 'fed'",
    )
    full.run()

    assert list(told(full)) == ["subscription fed"]
    assert "fills 1 tables no more until" in told(full)["subscription fed"]


def test_rights_that_only_a_superuser_gives_again_are_counted(
    role: str, pg_url: str, postgres_server: Server, shop_url: str, going: Going
) -> None:
    """An ordinary owner's restore brings no rights back: how many is said before, which after."""
    database = str(make_url(pg_url).database)
    postgres_server.query("postgres", f"ALTER DATABASE {database} OWNER TO {role}")
    own = make_url(pg_url).set(username=role, password="role-pw")
    journey = going(shop_url, own.render_as_string(hide_password=False), include=["regions"])
    journey.ask(
        "CREATE SCHEMA apart",
        "CREATE TABLE apart.mine (id INTEGER PRIMARY KEY)",
        "GRANT SELECT, DELETE ON apart.mine TO PUBLIC",
    )
    journey.run()

    named = told(journey)
    said, detail = back(journey)

    assert named == {
        "owners and grants": "2 rights are not given again: only a superuser's restore does"
    }
    assert detail["grants that differ"]
    assert "grant apart.SELECT, DELETE on TABLE mine to PUBLIC" in said


@pytest.fixture
def maria(mariadb_server: Server, mariadb_url: str, shop_url: str, going: Going) -> Journey:
    """A migration into a MariaDB with a table that keeps its past, and a routine."""
    made = going(shop_url, mariadb_url, include=["regions"])
    made.ask(
        "CREATE TABLE kept (id INTEGER PRIMARY KEY, a INTEGER) WITH SYSTEM VERSIONING",
        "INSERT INTO kept VALUES (1, 1), (2, 1)",
        "UPDATE kept SET a = 2 WHERE id = 1",
        "DELETE FROM kept WHERE id = 2",
        "CREATE FUNCTION f() RETURNS INTEGER RETURN 1",
    )
    return made


def test_past_of_a_versioned_table_is_kept(maria: Journey) -> None:
    """Rows of the past are in the backup, proven by their number, and come back."""
    before = maria.ask(PAST)
    maria.run()
    maria.ask(
        "UPDATE kept SET a = 3",
        "CREATE TABLE later (id INTEGER) WITH SYSTEM VERSIONING",
        "SET sql_mode = 'ORACLE'",
        "CREATE PACKAGE pack AS FUNCTION g RETURN INT; END",
    )

    named = told(maria)
    back(maria)

    assert before == [(1, 1), (1, 2), (2, 1)]
    assert maria.ask(PAST) == before
    assert named["history of kept"] == "3 now, 2 in the backup  !! CHANGED SINCE"
    assert {"later", "package pack"} <= {*named}


def test_past_that_the_program_cannot_keep_is_named(
    maria: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """mariadb-dump before 10.11 knows no past: a restore names the rows that go for good."""
    monkeypatch.setattr(mysql_backup, "_help_of", lambda _: "")
    maria.run()

    named = told(maria)
    error = maria.refused(lambda m: running.roll_back(m, by_restore=True, lossless=True))

    assert named["history of kept"].startswith("2 rows of the past")
    assert isinstance(error, LossesError)
    assert "--yes" in error.hint


def test_rights_on_routines_are_given_again(maria: Journey, mariadb_server: Server) -> None:
    """The engine drops them with the routine: a restore gives them again."""
    name = f"u_{uuid.uuid4().hex[:8]}"
    maria.ask(f"CREATE USER {name}@localhost", f"GRANT EXECUTE ON FUNCTION f TO {name}@localhost")
    try:
        before = maria.ask(f"SHOW GRANTS FOR {name}@localhost")
        maria.run()
        _, detail = back(maria)
        after = maria.ask(f"SHOW GRANTS FOR {name}@localhost")
    finally:
        maria.ask(f"DROP USER {name}@localhost")

    assert len(before) == 2
    assert after == before
    assert detail["grants that differ"] == []


def test_schema_that_the_run_made_is_nobody_elses(pg_url: str, shop_url: str, going: Going) -> None:
    """A migration into a schema of its own: undo and restore take only what the run made."""
    target = {"url_env": "SCENARIO_TARGET_URL", "schema": "own"}
    journey = going(shop_url, pg_url, include=["regions"], target=target)
    journey.ask("CREATE TABLE public.mine (id INTEGER PRIMARY KEY)")
    journey.run()

    named = told(journey)
    last = list(running.roll_back(journey.migration))[-1]

    assert named == {}
    assert isinstance(last, StepDone)
    assert last.detail["changed by others since"] == []
