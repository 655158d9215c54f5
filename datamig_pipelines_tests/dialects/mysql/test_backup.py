"""mariadb-dump, the client that reads it back, and scratch databases."""

from pathlib import Path

import pytest

from datamig_pipelines.dialects.base import family
from datamig_pipelines.dialects.mysql import MySQL, backup
from datamig_pipelines.dialects.reading import Compared
from datamig_pipelines.errors import BackupError, DriverMissingError
from datamig_pipelines.session import Session
from datamig_pipelines_tests.engines import Server

DIALECT = MySQL()
SCRIPT = (
    "CREATE TABLE p (id int AUTO_INCREMENT PRIMARY KEY, b blob, t text, ts timestamp(6) NULL)",
    "INSERT INTO p VALUES (41, x'00ff5c0a27', 'it''s 🐎 \\\\', '2020-01-31 10:00:00.5')",
    "CREATE TABLE c (p int, FOREIGN KEY fk (p) REFERENCES p (id) ON DELETE CASCADE)",
    "INSERT INTO c VALUES (41), (NULL)",
    "CREATE VIEW v AS SELECT id FROM p",
    "CREATE TRIGGER tr BEFORE INSERT ON c FOR EACH ROW SET NEW.p = NEW.p",
    "CREATE PROCEDURE pr() SELECT 1",
    "CREATE TABLE datamig_run (run_id int)",
)


def prints(session: Session) -> dict[str, str]:
    """Return the checksum of every table."""
    return {
        t.name.name: str(
            session.fingerprint(
                DIALECT.table(t.name),
                [Compared(DIALECT.quote(c.name), c.type, family(c.type)) for c in t.columns],
            )
        )
        for t in DIALECT.read_catalog(session, "").tables
    }


def test_backup_restores_into_a_scratch_database(source: Session, tmp_path: Path) -> None:
    """What was dumped comes back, programs and views included, our ledger empty; the scratch goes."""
    for statement in SCRIPT:
        source.query(statement)
    source.query("INSERT INTO datamig_run VALUES (1)")
    before = DIALECT.read_catalog(source, "")

    files = DIALECT.dump(source.url, "", tmp_path / "backup")
    with DIALECT.scratch(source.url, tmp_path) as scratch:
        DIALECT.restore(scratch, files)
        with Session(DIALECT, scratch, readonly=True) as restored:
            after = DIALECT.read_catalog(restored, "")
            assert prints(restored) == prints(source)
            assert restored.query("SELECT count(*) FROM datamig_run") == [(0,)]

    assert [(t.columns, t.counters) for t in after.tables] == [
        (t.columns, t.counters) for t in before.tables
    ]
    assert (after.views, after.others) == (before.views, before.others)
    assert source.query("SHOW DATABASES LIKE 'datamig_scratch%'") == []
    assert [oct(f.stat().st_mode)[-3:] for f in files] == ["600", "600"]


def test_failing_programs_are_told_without_the_password(
    source: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that fails ends the restore; a missing program names its package."""
    script = tmp_path / "bad.sql"
    script.write_text("SELECT 1; SELEC 2;")
    with pytest.raises(BackupError, match="1064") as caught:
        DIALECT.restore(source.url, [script])
    assert str(source.url.password) not in str(caught.value)

    monkeypatch.setattr(backup.shutil, "which", lambda _: None)
    with pytest.raises(DriverMissingError) as missing:
        DIALECT.dump(source.url, "", tmp_path)
    assert "mariadb-client" in missing.value.hint


def test_any_password_is_read_from_a_private_file(
    source: Session, mariadb_server: Server, tmp_path: Path
) -> None:
    """Whatever is in it, the program logs in with it; the file has mode 0600 and is removed."""
    secret = "p\"a\\\\s's# 1"
    user = f"CREATE OR REPLACE USER odd@'%' IDENTIFIED BY {DIALECT.literal(secret)}"
    source.query(user)
    source.query("GRANT ALL PRIVILEGES ON *.* TO odd@'%'")
    url = source.url.set(username="odd", password=secret)

    assert DIALECT.dump(url, "", tmp_path)[0].stat().st_size > 0
    with backup._login(url) as path:
        assert oct(Path(path).stat().st_mode)[-3:] == "600"
    assert not Path(path).exists()


def test_replace_leads_back_to_everything(source: Session, tmp_path: Path) -> None:
    """Tables, views, triggers, routines, events and sequences; the ledger's tables stay."""
    for statement in SCRIPT:
        source.query(statement)
    source.query("CREATE EVENT ev ON SCHEDULE EVERY 1 YEAR DO SELECT 1")
    source.query("CREATE SEQUENCE sq START WITH 5")
    source.query("CREATE TABLE datamig_of_others (i int)")
    before, sums = DIALECT.read_catalog(source, ""), prints(source)
    files = DIALECT.dump(source.url, "", tmp_path / "backup")
    source.query("INSERT INTO datamig_run VALUES (1)")
    for statement in (
        "DROP VIEW v",
        "DELETE FROM c",
        "CREATE TABLE later (i int)",
        "CREATE VIEW later_v AS SELECT * FROM later",
        "CREATE FUNCTION later_f() RETURNS int RETURN 1",
        "DROP EVENT ev",
    ):
        source.query(statement)

    source.replace(files)

    after = DIALECT.read_catalog(source, "")
    assert (prints(source), after.views, after.others) == (sums, before.views, before.others)
    assert source.query("SELECT run_id FROM datamig_run") == [(1,)]
    assert source.query("SHOW TABLES LIKE 'datamig_of_others'") == [("datamig_of_others",)]
    assert source.query("SELECT NEXTVAL(sq)") == [(5,)]
    assert source.query("SELECT @@foreign_key_checks") == [(1,)]
