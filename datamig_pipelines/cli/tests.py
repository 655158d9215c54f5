"""datamig tests: writes a pytest file that proves a migration, and that the proofs find faults."""

import os
import re
from pathlib import Path
from typing import Annotated

import typer

from datamig_pipelines.cli.arguments import MigrationName
from datamig_pipelines.cli.output import remark, say
from datamig_pipelines.errors import PermissionDeniedError, SpecError
from datamig_pipelines.spec import Migration, find_migration, read_migration

Out = Annotated[Path, typer.Option("--out", help="Folder for the file.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file if it is there.")]

_TESTS = {  # proof → name of the test, its claim
    "row_count": ("row_counts_are_equal", "The target has every row of the source."),
    "fingerprint": ("values_are_equal", "Every value arrived, in the row where it belongs."),
    "column_statistics": (
        "column_statistics_are_equal",
        "NULLs, ends and sums of every column are the same.",
    ),
    "schema": ("schema_is_the_planned_one", "Columns, keys and indexes are there."),
    "foreign_keys": ("references_point_to_rows", "No row refers to a row that is not there."),
    "counters": ("counters_go_on_behind_the_data", "The next number was never given out before."),
}
_HEAD = '''"""The migration {name} arrived: one test per proof and table.

Written by `datamig tests`; it is yours now. The databases are those of the migration's file: set
the environment variables that it names, then run pytest.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from datamig_pipelines.running import Breaker, Prover, breaking, proving
from datamig_pipelines.spec import read_migration

MIGRATION = (Path(__file__).parent / {path!r}).resolve()
TABLES = [
{tables}
]


@pytest.fixture(scope="module")
def prover() -> Iterator[Prover]:
    """Both databases, the source in one snapshot, the target under the lock of runs."""
    with proving(read_migration(MIGRATION)) as found:
        yield found


def check(prover: Prover, proof: str, table: str) -> None:
    """Fail where source and target differ; skip, with the reason, what cannot be compared."""
    result = prover.prove(proof, table)
    if result.verdict == "not comparable":
        pytest.skip(f"not comparable: {{result.detail}}")
    assert result.verdict == "equal", (
        f"{{result.detail or 'different'}} (source {{result.source}}, target {{result.target}})"
    )
'''
_FAULTS = '''

# ---- faults: would the proofs find what may go wrong?
#
# With DATAMIG_TEST_FAULTS=1 the source is loaded once more, into a scratch database beside the
# target, which is dropped afterwards; only there faults are planted, one at a time. The target
# itself is not touched. DATAMIG_TEST_SAMPLE=1000 (or 5%) takes a part of each table.

FAULTS = [
{faults}
]


@pytest.fixture(scope="module")
def breaker() -> Iterator[Breaker]:
    """A scratch copy of the migration, to be harmed."""
    with breaking(read_migration(MIGRATION), os.environ.get("DATAMIG_TEST_SAMPLE", "")) as found:
        yield found


@pytest.mark.skipif(
    os.environ.get("DATAMIG_TEST_FAULTS", "") in ("", "0"), reason="set DATAMIG_TEST_FAULTS=1"
)
@pytest.mark.parametrize(("table", "fault"), FAULTS)
def test_fault_is_found(breaker: Breaker, table: str, fault: str) -> None:
    """Planted in the scratch copy, the fault makes its proof red, which names the place."""
    finding = breaker.plant(fault, table)
    if finding.result is None:
        pytest.skip(finding.why)
    assert finding.found, str(finding)
'''
_TEST = '''

@pytest.mark.parametrize("table", TABLES)
def test_{name}(prover: Prover, table: str) -> None:
    """{claim}"""
    check(prover, "{proof}", table)
'''


def tests(
    migration: MigrationName,
    *,
    out: Out = Path("tests"),  # noqa: PT028 (a verb, no test)
    force: Force = False,  # noqa: PT028 (a verb, no test)
) -> None:
    """Write a pytest file that proves the migration, for a project's own tests."""
    from datamig_pipelines import running

    path = find_migration(migration)
    spec = read_migration(path)
    file = out / f"test_{re.sub(r'[^A-Za-z0-9_]', '_', spec.name)}_migration.py"
    if file.exists() and not force:
        hint = "Write it with --force, or name another folder with --out."
        raise SpecError(f"{file} is there already", hint=hint)
    if not spec.validation.proofs:
        hint = "Name proofs in validate: {proofs: [...]}, or leave the key out for all of them."
        raise SpecError(f"{spec.name} asks for no proof", hint=hint, where=str(path))
    plan = running.look(spec)
    tables = [r.name for r in plan.context.routes]
    faults = running.fitting_faults(plan)
    try:
        out.mkdir(parents=True, exist_ok=True)
        file.write_text(_page(spec, path, out, (tables, faults)), "utf-8")
    except OSError as error:
        msg = f"{file} cannot be written: {error.strerror}"
        raise PermissionDeniedError(msg, hint="Name another folder with --out.") from error
    say(str(file))
    remark(f"{len(tables)} tables, {len(spec.validation.proofs)} proofs: pytest {file}")
    remark(f"{len(faults)} faults in a scratch copy: DATAMIG_TEST_FAULTS=1 pytest {file}")


def _page(
    spec: Migration, path: Path, out: Path, found: tuple[list[str], list[tuple[str, str]]]
) -> str:
    tables, faults = found
    relative = os.path.relpath(path.resolve(), out.resolve())
    head = _HEAD.format(
        name=spec.name,
        path=Path(relative).as_posix(),
        tables="\n".join(f"    {name!r}," for name in tables),
    )
    written = (_TESTS[proof] for proof in spec.validation.proofs)
    proven = "".join(
        _TEST.format(name=name, claim=claim, proof=proof)
        for proof, (name, claim) in zip(spec.validation.proofs, written, strict=True)
    )
    if not faults:
        return head + proven
    listed = "\n".join(f"    ({table!r}, {fault!r})," for fault, table in faults)
    return head + proven + _FAULTS.format(faults=listed)
