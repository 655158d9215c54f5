"""Puts a backup in the place of what is in a database, in one transaction: all of it or nothing."""

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, cast

from sqlalchemy.engine import URL

from datamig_pipelines.dialects.postgres import backup
from datamig_pipelines.errors import LockTimeoutError, RestoreError

_BLOCK_BYTES: Final = 1024 * 1024
_TAIL_BYTES: Final = 1024
_COMMIT: Final = re.compile(rb"\nCOMMIT;(?=\s+(?:(?:--|\\unrestrict )[^\n]*\s+)*\Z)")
"""The end of pg_restore's script: its own COMMIT, then comments. Ours comes later."""
_ANY_BYTES: Final = "surrogateescape"
"""Names in an archive are in the database's encoding; they go through as they are."""
_LOCK_TIMEOUT_S: Final = 30
_LEDGER: Final = "datamig"
_THROUGH: Final = "datamig-is-through"
_SYSTEM: Final = "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'datamig')"
_KEPT: Final = (
    f"SELECT n.nspname FROM pg_namespace n WHERE {_SYSTEM} AND (n.nspname = 'public' "
    "OR EXISTS (SELECT 1 FROM pg_extension e WHERE e.extnamespace = n.oid))"
)
"""Schemas that stay, emptied: what an extension made cannot be dropped alone."""
_NO_MEMBER: Final = (
    "NOT EXISTS (SELECT 1 FROM pg_depend m WHERE m.deptype IN ('e', 'i') "
    "AND m.classid = {table}::regclass AND m.objid = {oid})"
)
"""No part of an extension or of another object, with which it goes."""
_FIRST_OF_USERS: Final = 16384
"""The first oid that initdb gave to nothing."""
_PLAIN_DEFAULTS: Final = """
    FOR it IN SELECT pg_get_userbyid(d.defaclrole) AS owner, n.nspname, d.defaclobjtype AS type,
        coalesce(quote_ident(g.rolname), 'PUBLIC') AS grantee
      FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
      LEFT JOIN LATERAL aclexplode(d.defaclacl) a ON a.grantee <> d.defaclrole
      LEFT JOIN pg_roles g ON g.oid = a.grantee
    LOOP
      EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s REVOKE ALL ON %s FROM %s', it.owner,
        coalesce(' IN SCHEMA ' || quote_ident(it.nspname), ''), CASE it.type WHEN 'r' THEN 'TABLES'
        WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'ROUTINES' WHEN 'T' THEN 'TYPES'
        ELSE 'SCHEMAS' END, it.grantee);
      IF it.nspname IS NULL AND it.type IN ('f', 'T') THEN
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT %s TO PUBLIC', it.owner,
          CASE it.type WHEN 'f' THEN 'EXECUTE ON ROUTINES' ELSE 'USAGE ON TYPES' END);
      END IF;
    END LOOP;"""
"""The archive's default privileges come last: what is made before must get none, of old or new."""
_EMPTY: Final = f"""
DO $datamig$
DECLARE
  it record;
BEGIN
  IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    {_PLAIN_DEFAULTS}
  END IF;
  FOR it IN SELECT evtname FROM pg_event_trigger LOOP
    EXECUTE format('DROP EVENT TRIGGER IF EXISTS %I', it.evtname);
  END LOOP;
  FOR it IN SELECT pubname FROM pg_publication LOOP
    EXECUTE format('DROP PUBLICATION IF EXISTS %I', it.pubname);
  END LOOP;
  FOR it IN SELECT n.nspname FROM pg_namespace n
            WHERE {_SYSTEM} AND n.nspname NOT IN ({_KEPT}) LOOP
    EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', it.nspname);
  END LOOP;
  FOR it IN SELECT (pg_identify_object(d.classid, d.objid, 0)).*
            FROM pg_depend d
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.deptype = 'n'
              AND d.refobjid IN (SELECT n.oid FROM pg_namespace n WHERE n.nspname IN ({_KEPT}))
              AND {_NO_MEMBER.format(table="d.classid", oid="d.objid")} LOOP
    IF it.type NOT IN ('composite type', 'default acl', 'extension') THEN
      EXECUTE format('DROP %s IF EXISTS %s CASCADE', it.type, it.identity);
    END IF;
  END LOOP;
  FOR it IN SELECT srvname FROM pg_foreign_server s
            WHERE {_NO_MEMBER.format(table="'pg_foreign_server'", oid="s.oid")} LOOP
    EXECUTE format('DROP SERVER IF EXISTS %I CASCADE', it.srvname);
  END LOOP;
  FOR it IN SELECT fdwname FROM pg_foreign_data_wrapper w
            WHERE {_NO_MEMBER.format(table="'pg_foreign_data_wrapper'", oid="w.oid")} LOOP
    EXECUTE format('DROP FOREIGN DATA WRAPPER IF EXISTS %I CASCADE', it.fdwname);
  END LOOP;
  FOR it IN SELECT castsource::regtype AS source, casttarget::regtype AS target FROM pg_cast c
            WHERE c.oid >= {_FIRST_OF_USERS}
              AND {_NO_MEMBER.format(table="'pg_cast'", oid="c.oid")} LOOP
    EXECUTE format('DROP CAST IF EXISTS (%s AS %s)', it.source, it.target);
  END LOOP;
  FOR it IN SELECT amname FROM pg_am a
            WHERE a.oid >= {_FIRST_OF_USERS}
              AND {_NO_MEMBER.format(table="'pg_am'", oid="a.oid")} LOOP
    EXECUTE format('DROP ACCESS METHOD IF EXISTS %I CASCADE', it.amname);
  END LOOP;
  PERFORM lo_unlink(l.oid) FROM pg_largeobject_metadata l;
END
$datamig$;
"""
_BEGIN: Final = f"""
BEGIN;
SET LOCAL lock_timeout = '{_LOCK_TIMEOUT_S}s';
SELECT pg_advisory_xact_lock(hashtext('datamig restore'));
CREATE TEMPORARY TABLE datamig_there ON COMMIT DROP AS
SELECT oid, relname FROM pg_class WHERE relnamespace = to_regnamespace('{_LEDGER}');
{_EMPTY}
"""
_END: Final = """
DO $datamig$
DECLARE
  gone text;
BEGIN
  SELECT pg_catalog.string_agg(t.relname::text, ', ') INTO gone FROM pg_temp.datamig_there t
  WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.oid = t.oid);
  IF gone IS NOT NULL THEN
    RAISE EXCEPTION 'in the schema of the ledger lies what would be gone for good: %', gone;
  END IF;
END
$datamig$;
"""
"""What others put beside the ledger comes back with no restore: a drop must not take it along."""


def replace(url: URL, files: Sequence[Path]) -> None:
    """Drop everything but our ledger and restore a backup, in one transaction of psql.

    A process that dies in between takes the end of the script with it: the server rolls back.

    Raises:
        RestoreError: It was refused, LockTimeoutError: somebody holds locks; nothing was changed.
    """
    major, superuser = backup.asked(url, backup.ABOUT_US)
    owners = [] if superuser else ["--no-owner", "--no-acl"]
    archive = backup.archive(files)
    restore = backup.tool("pg_restore", int(major))
    psql = backup.tool("psql", int(major))
    kept = {_LEDGER, *(name for (name,) in backup.all_asked(url, _KEPT))}
    environment = backup.environment(url)
    with tempfile.TemporaryDirectory(prefix="datamig-") as folder:
        contents, of_kept = Path(folder) / "contents", Path(folder) / "of_kept"
        made, theirs = _contents(restore, archive, kept)
        contents.write_text(made, "utf-8", _ANY_BYTES)
        of_kept.write_text(theirs, "utf-8", _ANY_BYTES)
        chosen = [f"--use-list={contents}", f"--exclude-schema={_LEDGER}"]
        # Without the option each large object is framed by a BEGIN and a COMMIT of its own.
        once = "--single-transaction"
        written = [
            restore,
            once,
            backup.NO_SUBSCRIPTIONS,
            *owners,
            *chosen,
            "--file=-",
            str(archive),
        ]
        client = [psql, "-X", "-q", "--no-password", "-o", os.devnull, "-v", "ON_ERROR_STOP=1"]
        begin = _BEGIN
        if theirs:  # with a schema excluded, pg_restore has them go with what it does not make
            begin += _read([restore, *owners, f"--use-list={of_kept}", "--file=-", str(archive)])
        into = [*client, f"--dbname={backup.conninfo(url)}"]
        _pipe(begin.encode("utf-8", _ANY_BYTES), (written, into), environment, url)


def _contents(program: str, archive: Path, kept: set[str]) -> tuple[str, str]:
    """Return the archive's table of contents without the schemas that are there already.

    Comments on these, and rights on them, are a list of their own; not those of our ledger.
    """
    there = re.compile(r"^\d+; \d+ \d+ (?:SCHEMA -|(ACL|COMMENT) - SCHEMA) (.*) \S+$")
    lines, theirs = [], []
    for line in _read([program, "--list", str(archive)]).splitlines():
        found = there.match(line)
        if not (found and found[2] in kept):
            lines.append(line)
        elif found[1] and found[2] != _LEDGER:
            theirs.append(line)
    return "\n".join(lines) + "\n", "".join(f"{line}\n" for line in theirs)


def _read(argv: list[str]) -> str:
    """Return what pg_restore says of an archive. Raises RestoreError."""
    done = subprocess.run(
        argv, check=False, capture_output=True, encoding="utf-8", errors=_ANY_BYTES
    )
    if done.returncode:
        said = done.stderr.encode(errors="replace").decode().strip()[:300]
        msg = f"pg_restore cannot read the backup: {said}"
        raise RestoreError(msg, hint="Nothing was changed. Use another backup.")
    return done.stdout


def _pipe(
    begin: bytes, programs: tuple[list[str], list[str]], environment: dict[str, str], url: URL
) -> None:
    """Let one program's script run in another, framed by BEGIN and, only at its end, COMMIT.

    COMMIT is sent when the reader has said that all before it went through: a reader that outlives
    us finds its input ended and the transaction open.
    """
    with tempfile.TemporaryFile() as complaints, tempfile.TemporaryFile() as refusals:
        writer, reader = programs
        script = subprocess.Popen(writer, stdout=subprocess.PIPE, stderr=complaints)
        client = subprocess.Popen(
            reader,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=refusals,
            env=environment,
        )
        try:
            through = _pump(begin, script, client)
        finally:
            for pipe in (script.stdout, client.stdin, client.stdout):
                with suppress(BrokenPipeError):  # the client has ended, and says why
                    cast("IO[bytes]", pipe).close()
            ended = script.wait(), client.wait()
        said = [_said(refusals, url), _said(complaints, url)]
    if ended != (0, 0) or not through:
        raise _refused(ended, said)


def _pump(
    begin: bytes, script: "subprocess.Popen[bytes]", client: "subprocess.Popen[bytes]"
) -> bool:
    """Pass the script on; say whether all of it went through and COMMIT was sent."""
    source, target = cast("IO[bytes]", script.stdout), cast("IO[bytes]", client.stdin)
    with suppress(BrokenPipeError):
        target.write(begin)
        tail = b""
        while block := source.read(_BLOCK_BYTES):
            held = tail + block
            target.write(held[:-_TAIL_BYTES])
            tail = held[-_TAIL_BYTES:]
        its_end = _COMMIT.search(tail)
        if script.wait() != 0 or its_end is None:
            return False
        target.write(tail[: its_end.start()] + tail[its_end.end() :])
        target.write(f"{_END}\n\\echo {_THROUGH}\n".encode())
        target.flush()
        if cast("IO[bytes]", client.stdout).readline().strip() != _THROUGH.encode():
            return False
        target.write(b"COMMIT;\n")
        target.flush()
        return True
    return False


def _said(file: IO[bytes], url: URL) -> str:
    file.seek(0)
    return backup.without(url.password, file.read(20_000).decode(errors="replace").strip())


def _refused(ended: tuple[int, int], said: list[str]) -> RestoreError | LockTimeoutError:
    text = next((s for s in said if s), f"pg_restore ended with {ended[0]}, psql with {ended[1]}")
    lines = text.splitlines()
    first = next((line for line in lines if "ERROR:" in line or "FATAL:" in line), lines[0])
    if "lock timeout" in text:
        msg = f"somebody else holds locks in the target: {first}"
        hint = "Nothing was changed. End the other sessions, then run the rollback again."
        return LockTimeoutError(msg, hint=hint)
    msg = f"the restore was refused: {first[:500]}"
    return RestoreError(msg, hint="Nothing was changed. Mend the cause, run the rollback again.")
