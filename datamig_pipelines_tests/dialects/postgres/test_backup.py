"""pg_dump, pg_restore and scratch databases."""

from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from datamig_pipelines.dialects.postgres import Postgres, backup
from datamig_pipelines.errors import BackupError, DriverMissingError
from datamig_pipelines.session import Session
from datamig_pipelines_tests.dialects.postgres.moving import fingerprint
from datamig_pipelines_tests.dialects.postgres.rich import RICH, SCHEMA


def test_backup_restores_into_a_scratch_database(
    url: URL, session: Session, dialect: Postgres, tmp_path: Path
) -> None:
    """What was dumped comes back: catalog, views, others, ledger, values; the scratch is dropped."""
    session.query(RICH)
    session.query("CREATE SCHEMA datamig; CREATE TABLE datamig.ledger (i int)")
    before = dialect.read_catalog(session, SCHEMA)

    files = dialect.dump(url, "", tmp_path / "backup")
    with dialect.scratch(url, tmp_path) as scratch:
        dialect.restore(scratch, files)
        with Session(dialect, scratch, readonly=True) as restored:
            after = dialect.read_catalog(restored, SCHEMA)
            prints = [fingerprint(restored, t) for t in after.tables]
            ledger = restored.query("SELECT count(*) FROM datamig.ledger")

    assert [f.is_file() and f.stat().st_size > 1000 for f in files] == [True]
    assert [t.columns for t in after.tables] == [t.columns for t in before.tables]
    assert [t.counters for t in after.tables] == [t.counters for t in before.tables]
    assert (after.views, after.others) == (before.views, before.others)
    assert prints == [fingerprint(session, t) for t in before.tables]
    assert ledger == [(0,)]
    names = session.query("SELECT datname FROM pg_database WHERE datname LIKE 'datamig_scratch%'")
    assert (scratch.database,) not in names


def test_restore_reads_definitions_in_any_encoding(
    url: URL, dialect: Postgres, tmp_path: Path
) -> None:
    """A database in LATIN1 has its definitions in LATIN1 in the archive."""
    name = "latin1_of_a_test"
    backup.asked(url, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'")
    old = url.set(database=name)
    try:
        backup.asked(old, "CREATE TABLE t (i int)")
        backup.asked(old, "COMMENT ON TABLE t IS 'caf\u00e9'")
        files = dialect.dump(old, "", tmp_path / "backup")
        with dialect.scratch(old, tmp_path) as scratch:
            dialect.restore(scratch, files)
            told = backup.asked(scratch, "SELECT obj_description('t'::regclass)")
        with Session(dialect, old, readonly=False) as there:
            there.query('CREATE TABLE "caf\u00e9s" (i int)')
            later = dialect.dump(old, "", tmp_path / "later")
            there.query('DROP TABLE "caf\u00e9s"')
            there.replace(later)
            names = there.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    finally:
        backup.asked(url, f"DROP DATABASE {name} WITH (FORCE)")

    assert told == ("caf\u00e9",)
    assert sorted(names) == [("caf\u00e9s",), ("t",)]


def test_restore_goes_without_roles_that_the_server_lacks(
    url: URL, session: Session, dialect: Postgres, tmp_path: Path
) -> None:
    """On another server the owners may be missing: everything becomes the superuser's."""
    session.query(
        'CREATE ROLE "some""body"; CREATE TABLE t AS SELECT 1 AS a; '
        'ALTER TABLE t OWNER TO "some""body"; GRANT SELECT ON t TO PUBLIC'
    )
    files = dialect.dump(url, "", tmp_path / "backup")
    with dialect.scratch(url, tmp_path) as scratch:
        dialect.restore(scratch, files)
        with Session(dialect, scratch, readonly=True) as restored:
            owners = restored.query("SELECT tableowner FROM pg_tables WHERE tablename = 't'")
    session.query('DROP TABLE t; DROP ROLE "some""body"')

    with dialect.scratch(url, tmp_path) as scratch:
        dialect.restore(scratch, files)
        with Session(dialect, scratch, readonly=True) as restored:
            rows = restored.query("SELECT a FROM t")

    assert owners == [('some"body',)], "who is there owns what is his"
    assert rows == [(1,)]


def test_failing_dump_is_told_without_the_password(
    url: URL, session: Session, dialect: Postgres, tmp_path: Path
) -> None:
    """A dump that pg_dump refuses is a BackupError with its words and no secret."""
    with pytest.raises(BackupError) as caught:
        dialect.restore(url, [tmp_path / "nothing.dump"])

    assert "nothing.dump" in caught.value.message
    assert str(url.password) not in str(caught.value)


def test_tools_must_fit_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest tool that is new enough is taken; too old or missing says what to install."""
    tools = {backup._Tool(13, "/13/pg_dump"), backup._Tool(17, "/17"), backup._Tool(16, "/16")}
    monkeypatch.setattr(backup, "_installed", lambda _: tools)

    assert backup.tool("pg_dump", 15) == "/16"
    with pytest.raises(BackupError, match="older") as old:
        backup.tool("pg_dump", 18)
    assert "postgresql-client-18" in old.value.hint

    monkeypatch.setattr(backup, "_installed", lambda _: set())
    with pytest.raises(DriverMissingError) as missing:
        backup.tool("pg_dump", 15)
    assert "postgresql-client" in missing.value.hint


def test_replace_leads_back_to_everything(
    url: URL, session: Session, dialect: Postgres, tmp_path: Path
) -> None:
    """Types, functions, views, large objects, publications, extensions' schemas; the ledger stays."""
    session.query(RICH)
    session.query("CREATE SCHEMA datamig; CREATE TABLE datamig.ledger (i int)")
    session.query("CREATE SCHEMA kept; CREATE EXTENSION IF NOT EXISTS pgcrypto SCHEMA kept")
    session.query("CREATE TABLE kept.own (i int); INSERT INTO kept.own VALUES (7)")
    session.query("SELECT lo_from_bytea(4711, 'large')")
    session.query("CREATE PUBLICATION told FOR TABLE kept.own")
    before = dialect.read_catalog(session, "*")
    prints = [fingerprint(session, t) for t in before.tables]
    files = dialect.dump(url, "", tmp_path / "backup")
    session.query("INSERT INTO datamig.ledger VALUES (1)")
    session.query("CREATE SCHEMA later; CREATE TABLE later.t (i int); DROP TABLE kept.own CASCADE")
    session.query("CREATE FUNCTION public.later() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    session.query("CREATE TABLE public.later (i int GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (i))")
    session.query("CREATE DOMAIN public.short AS text CHECK (length(VALUE) < 9)")
    session.query("SELECT lo_unlink(4711), lo_from_bytea(4712, 'more')")

    session.replace(files)

    after = dialect.read_catalog(session, "*")
    assert [t.columns for t in after.tables] == [t.columns for t in before.tables]
    assert (after.views, after.others) == (before.views, before.others)
    assert [fingerprint(session, t) for t in after.tables] == prints
    assert session.query(
        "SELECT oid, convert_from(lo_get(oid), 'UTF8') FROM pg_largeobject_metadata"
    ) == [(4711, "large")]
    assert session.query("SELECT tablename FROM pg_publication_tables") == [("own",)]
    assert session.query("SELECT i FROM datamig.ledger") == [(1,)]
    left = "SELECT count(*) FROM pg_proc WHERE proname = 'later' UNION ALL "
    left += "SELECT count(*) FROM pg_type WHERE typname IN ('short', 'later')"
    assert session.query(left) == [(0,), (0,)]
