"""Between equal engines, what only that engine understands arrives, works, and goes again."""

import pytest

from datamig_pipelines.errors import ProofFailedError
from datamig_pipelines.proofs import ProofResult
from datamig_pipelines.running import validate
from datamig_pipelines.running.opening import places
from datamig_pipelines.running.rollback import roll_back
from datamig_pipelines.session import Session
from datamig_pipelines_tests.conformance.moving import migration, move
from datamig_pipelines_tests.conformance.programs import script

SOURCES = {
    "postgres": ("pg_url", "app", "postgres_server"),
    "mysql": ("mariadb_url", "", "mariadb_server"),
    "sqlite": ("sqlite_source", "", ""),
    "duckdb": ("duckdb_source", "app", ""),
}
KINDS = {
    "postgres": {
        *("extension", "type", "domain", "sequence", "function", "procedure", "aggregate"),
        *("partition", "constraint", "index", "extended statistics", "rule", "trigger", "comment"),
    },
    "mysql": {"sequence", "function", "procedure", "trigger", "event"},
    "sqlite": {"trigger"},
    "duckdb": {"type", "sequence", "macro"},
}
WORKS = {  # what is done in the target, what is then read there, and what must come out
    "postgres": (
        "INSERT INTO new.t (n) VALUES (3); DELETE FROM new.log",
        (
            "SELECT (SELECT changed FROM new.t WHERE n = 3), (SELECT sum(changed) FROM new.t WHERE n < 3),"
            " (SELECT count(*) FROM new.log), (SELECT code FROM new.t WHERE n = 3),"
            " (SELECT c FROM new.w), (SELECT names FROM new.mv)"
        ),
        (1, 0, 1, 30, 3, "Ab"),
    ),
    "mysql": (
        "INSERT INTO p (name, n) VALUES ('c', 1); UPDATE p SET n = 5 WHERE name = 'c'",
        (
            "SELECT (SELECT COUNT(*) FROM log), (SELECT SUM(n) FROM p WHERE id < 3), "
            "(SELECT name FROM p WHERE id = 3), (SELECT NEXTVAL(sq) > 5), (SELECT MAX(fn) FROM v)"
        ),
        (1, 3, "c!", 1, 6),
    ),
    "sqlite": (
        "INSERT INTO v (id, a) VALUES (7, 'z')",
        "SELECT (SELECT count(*) FROM log), (SELECT sum(b) FROM t)",
        (1, 5),
    ),
    "duckdb": (
        "SELECT 1",
        ("SELECT nextval('app.sq'), app.add_one(1, 5), (SELECT max(i) FROM app.v)"),
        (7, 6, 3),
    ),
}


@pytest.fixture
def sqlite_source(tmp_path):
    """A second SQLite file, to move from."""
    return f"sqlite:///{tmp_path / 'source.sqlite'}"


@pytest.fixture
def duckdb_source(tmp_path):
    """A second DuckDB file, to move from."""
    return f"duckdb:///{tmp_path / 'source.duckdb'}"


@pytest.fixture
def programs(request, target_url, tmp_path, monkeypatch):
    """Return a migration between two databases of an engine, the first one filled by its script."""

    def make(engine, schema="", **said):
        fixture, own, server = SOURCES[engine]
        there = request.getfixturevalue(fixture)
        script(engine, there, request.getfixturevalue(server) if server else None, tmp_path)
        ends = {"source": {"schema": own}, "target": {"schema": schema or own}} if own else {}
        return migration(there, target_url(engine), tmp_path, monkeypatch, **ends, **said)

    return make


@pytest.mark.parametrize("engine", ["postgres", "mysql", "sqlite"])
def test_objects_arrive_as_they_are(programs, engine):
    """Every object has the same name and definition in the target as its source gave it."""
    spec = programs(engine)

    moved = move(spec)

    assert (moved.error, moved.not_equal(), moved.left_out()) == (None, {}, [])
    there, here = (p.catalog() for p in places(spec))
    assert {str(o): o.create for o in here.objects} == {str(o): o.create for o in there.objects}
    assert {o.state for o in here.objects} == {o.state for o in there.objects}
    assert {o.kind for o in here.objects} == KINDS[engine]
    assert set(here.views) == set(there.views)
    assert [(t.name, t.kind, t.partition_by) for t in here.tables] == [
        (t.name, t.kind, t.partition_by) for t in there.tables
    ]


@pytest.mark.parametrize("engine", WORKS)
def test_objects_work_and_did_not_act_on_the_load(programs, engine):
    """Triggers fire for new rows only; functions, counters and rules do what they did."""
    spec = programs(engine, "new" if engine == "postgres" else "")
    moved = move(spec)
    assert moved.error is None
    done, asked, expected = WORKS[engine]
    place = places(spec)[1]
    path = "SET search_path = new, public" if engine == "postgres" else "SELECT 1"

    with Session(place.dialect, place.url, readonly=False) as session:
        for statement in (path, *done.split(";")):
            session.query(statement)
        found = session.query(asked)[0]

    assert tuple(found) == expected


FAULTS = {
    "postgres": [
        ("DROP TRIGGER touched ON app.t", "missing: trigger app.touched on t"),
        ("ALTER TABLE app.t ENABLE TRIGGER asleep", "changed: trigger app.asleep on t"),
        (
            (
                "CREATE OR REPLACE FUNCTION app.twice(i integer) RETURNS integer LANGUAGE sql "
                "IMMUTABLE AS 'SELECT i * 3'"
            ),
            "function app.twice(i integer)",
        ),
        ("DROP VIEW app.w", "view app.w"),
        ("ALTER VIEW app.v RESET (security_barrier)", "view app.v"),
        ("ALTER TYPE app.mood ADD VALUE 'more'", "type app.mood"),
        ("ALTER TABLE app.t ALTER changed TYPE bigint", "type of changed"),
        ("ALTER TABLE app.t ALTER changed SET DEFAULT 7", "default of changed: 0"),
        ("ALTER TABLE app.t ALTER id DROP IDENTITY", "identity id"),
        ("ALTER TABLE app.t DROP CONSTRAINT t_n_check", "check t_n_check"),
    ],
    "mysql": [
        ("DROP TRIGGER `tr 2`", "missing: trigger tr 2"),
        ("CREATE OR REPLACE PROCEDURE pr() SELECT 1", "changed: procedure pr"),
        ("CREATE OR REPLACE VIEW v AS SELECT 1 AS one", "view v"),
        ("ALTER TABLE p MODIFY name varchar(31)", "type of name"),
    ],
}


@pytest.mark.parametrize("engine", FAULTS)
def test_schema_finds_what_was_changed_behind_our_back(programs, engine):
    """Each change of an object, a view, a type, a default or a check turns the proof red."""
    spec = programs(engine)
    move(spec)
    place = places(spec)[1]
    told = []
    for fault, _ in FAULTS[engine]:
        with Session(place.dialect, place.url, readonly=False) as session:
            session.query(fault)
        events: list[ProofResult] = []
        with pytest.raises(ProofFailedError):
            collect(spec, events)
        told.append(" ".join(e.detail for e in events if e.verdict == "different"))

    expected = [word for _, word in FAULTS[engine]]
    assert [w for w, t in zip(expected, told, strict=True) if w not in t] == []


def collect(spec, events):
    """Keep the proofs' results as they are said."""
    for event in validate(spec):
        if isinstance(event, ProofResult):
            events.append(event)


@pytest.mark.parametrize("engine", KINDS)
def test_objects_go_with_the_rollback(programs, engine):
    """What was made is taken back, whoever needs whom; a second run makes it again."""
    spec = programs(engine)
    before = places(spec)[1].catalog() if engine in ("postgres", "mysql") else None
    move(spec)

    for _ in roll_back(spec):
        pass

    after = places(spec)[1].catalog()
    left = [str(o) for o in after.objects if o.kind != "comment"]  # the schema itself stays
    assert (left, after.tables, after.views) == (
        [str(o) for o in before.objects] if before else [],
        (),
        (),
    )
    assert move(spec).error is None


def test_killed_run_makes_its_objects_again(programs):
    """CREATE commits at once in MariaDB: a run that was killed behind it finds its own objects."""
    spec = programs("mysql")
    move(spec)
    place = places(spec)[1]
    with Session(place.dialect, place.url, readonly=False) as session:
        session.query("UPDATE datamig_run SET status = 'running', finished_at = NULL")
        session.query(
            "DELETE FROM datamig_step WHERE step LIKE 'objects:%' "
            "OR step IN ('schema', 'constraints', 'validate', 'report')"
        )

    moved = move(spec)

    assert (moved.error, moved.left_out()) == (None, [])
    assert {o.kind for o in place.catalog().objects} == KINDS["mysql"]


def test_events_arrive_disabled(programs):
    """An event of both sides would act twice."""
    spec = programs("mysql")
    moved = move(spec)
    place = places(spec)[1]
    with Session(place.dialect, place.url, readonly=True) as session:
        found = session.query(
            "SELECT event_name, status, event_comment FROM information_schema.events "
            "WHERE event_schema = DATABASE()"
        )

    assert found == [("ev", "DISABLED", "it's DO")]
    assert any("events arrive disabled" in n for n in moved.notes)


def test_object_that_the_target_has_is_left_alone(programs, postgres_server):
    """A function of that name is somebody's: it is not replaced, the plan says so."""
    spec = programs("postgres")
    place = places(spec)[1]
    with Session(place.dialect, place.url, readonly=False) as session:
        session.query("CREATE SCHEMA app")
        session.query(
            "CREATE FUNCTION app.twice(i integer) RETURNS integer LANGUAGE sql IMMUTABLE "
            "AS 'SELECT 7'"
        )
        moved = move(spec)
        for _ in roll_back(spec):
            pass
        answer = session.query("SELECT app.twice(1)")[0][0]

    noted = [n for n in moved.notes if "the target has one of that name" in n]
    assert (moved.error, answer, len(noted), "app.twice(i integer)" in noted[0]) == (
        None,
        7,
        1,
        True,
    )


def test_grants_follow_where_the_role_is(programs, postgres_server):
    """``grants: keep`` moves rights and owners; ``ignore`` and a role that is missing are noted."""
    spec = programs("postgres", grants="keep")
    source, target = places(spec)
    with Session(source.dialect, source.url, readonly=False) as session:
        session.query("CREATE ROLE clerk; SET search_path = app")
        session.query(
            "GRANT SELECT, UPDATE ON t TO clerk WITH GRANT OPTION; ALTER VIEW v OWNER TO clerk"
        )
        session.query("REVOKE ALL ON FUNCTION twice FROM PUBLIC; GRANT SELECT ON log TO PUBLIC")
    rights = [str(o) for o in source.catalog().objects if o.kind in ("grant", "owner")]

    ignored = [n for n in move_notes(spec.model_copy(update={"grants": "ignore"})) if "grants" in n]
    moved = move(spec)

    assert (moved.error, moved.left_out()) == (None, [])
    assert len(ignored) == 2
    assert [str(o) for o in target.catalog().objects if o.kind in ("grant", "owner")] == rights
    assert len(rights) == 4
    for _ in roll_back(spec):
        pass
    with Session(source.dialect, source.url, readonly=False) as session:
        session.query("REASSIGN OWNED BY clerk TO datamig; DROP OWNED BY clerk; DROP ROLE clerk")


def move_notes(spec):
    """Return the notes of the plan."""
    from datamig_pipelines.running import look

    return look(spec).context.notes
