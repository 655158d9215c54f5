"""What is deleted, and what never is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from datamig_pipelines import running
from datamig_pipelines.backups import Manifest, State, expired
from datamig_pipelines.ledger import Ledger
from datamig_pipelines.spec import Backup
from datamig_pipelines.steps import StepDone
from datamig_pipelines.transfer import Said
from datamig_pipelines_tests.scenarios.conftest import Going

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def kept(run: str, age_days: int, *, verified: str = "restore", side: str = "target") -> Manifest:
    """Return the manifest of a backup of some age."""
    return Manifest(
        id=f"m-{run}-{side}",
        migration="m",
        run=run,
        side=side,
        time=(NOW - timedelta(days=age_days)).isoformat(),
        datamig="0",
        engine="SQLite",
        version="3",
        tool="x",
        what="all",
        moment="idle",
        position="",
        files=(),
        state=State({}, {}),
        verified=verified,
    )


def gone(policy: Backup, manifests: list[Manifest], unfinished: str = "") -> list[str]:
    """Return the runs whose backups would be deleted."""
    finished = {m.run for m in manifests if m.run != unfinished}
    return [m.run for m in expired(policy, manifests, finished, NOW)]


@pytest.mark.parametrize(
    ("policy", "deleted"),
    [
        ({}, []),
        ({"keep": 2}, ["a", "b"]),
        ({"keep": 9}, []),
        ({"keep_days": 15}, ["a", "b"]),
        ({"keep": 1, "keep_days": 15}, ["a", "b"]),
        ({"keep": 3, "keep_days": 1}, ["a"]),
        ({"keep": 1, "keep_days": 1}, ["a", "b", "c"]),
    ],
)
def test_retention_deletes_what_neither_rule_keeps(
    policy: dict[str, int], deleted: list[str]
) -> None:
    """The newest stay, the young stay, and what either rule keeps stays."""
    four = [kept("a", 40), kept("b", 30), kept("c", 10), kept("d", 5)]

    assert gone(Backup(**policy), four) == deleted


def test_retention_spares_the_last_hope() -> None:
    """An unfinished run's backup, an unknown run's, and the newest proven one are never deleted."""
    some = [
        kept("a", 40),
        kept("proven", 30),
        kept("c", 10, verified="checksum"),
        kept("d", 5, verified="none"),
    ]
    policy = Backup(keep=1)

    assert gone(policy, some) == ["a", "c"]
    assert gone(policy, some, unfinished="a") == ["c"]
    assert [m.run for m in expired(policy, some, {"d"}, NOW)] == []


def test_retention_counts_each_side_apart() -> None:
    """Sources and safety dumps do not push out backups of the target."""
    some = [kept("a", 3), kept("b", 2, side="source"), kept("c", 1, side="safety")]

    assert gone(Backup(keep=1), some) == []


def test_retention_deletes_and_says_so(going: Going, shop_url: str, sqlite_url: str) -> None:
    """Backups of runs that are over go, those of other migrations stay; each deletion is told."""
    journey = going(shop_url, sqlite_url, include=["regions"], backup={"keep": 2})
    journey.ask("CREATE TABLE mine (id INTEGER)")
    other = journey.migration.path("./backups") / "shop_of_others-1"
    other.mkdir(parents=True)
    for _ in range(2):
        journey.run()
        list(running.roll_back(journey.migration))
    first = journey.run_ids()[0]

    events = journey.run()

    names = {p.name for p in other.parent.iterdir()}
    assert len(names) == 3
    assert f"shop-{first}" not in names
    told = [e.text for e in events if isinstance(e, Said) and "deleted" in e.text]
    assert len(told) == 1
    assert first in told[0]
    done = next(e for e in events if isinstance(e, StepDone) and e.step == "backup")
    assert done.detail["deleted"] == [f"shop-{first}"]


def test_retention_keeps_an_unfinished_run(going: Going, shop_url: str, sqlite_url: str) -> None:
    """The backup of a run that the ledger does not call over stays, however old."""
    journey = going(shop_url, sqlite_url, include=["regions"], backup={"keep": 1})
    journey.ask("CREATE TABLE mine (id INTEGER)")
    journey.run()
    list(running.roll_back(journey.migration))
    with journey.place("target").open(readonly=False) as session:
        Ledger(session).end_run(journey.run_ids()[0], "failed")
        Ledger(session).start_run(_copied(Ledger(session), "shop"))

    journey.run()

    assert len(list(Path(journey.migration.path("./backups")).iterdir())) == 2


def _copied(ledger: Ledger, migration: str):
    from dataclasses import replace

    last = ledger.runs(migration)[-1]
    return replace(
        last, run_id="later", started_at="9999-01-01T00:00:00.000+00:00", status="rolled_back"
    )
