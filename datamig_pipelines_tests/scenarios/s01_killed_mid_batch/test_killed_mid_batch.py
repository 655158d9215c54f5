"""A run is killed with SIGKILL in every step, and still ends as if nothing had been."""

from collections import Counter

import pytest

from datamig_pipelines_tests.conftest import Judge
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Batches, Journey, gaps, lost, strikes

BATCH = 60
TABLES = [  # every kind of key, no key, blobs, a table that refers to itself
    *("regions", "countries", "customers", "orders", "order_lines", "payments", "stores"),
    *("employees", "categories", "product_images", "products", "events"),
]
POINTS = (
    ("schema", 1),
    ("load", 1),
    ("Progress", 30),
    ("Progress", 40),
    ("TableLoaded", 6),
    ("constraints", 1),
    ("validate", 1),
)
DIRECTIONS = {
    "sqlite-duckdb": ("shop_url", "duckdb_url"),
    "sqlite-postgres": ("shop_url", "pg_url"),
    "postgres-sqlite": ("pg_shop_url", "sqlite_url"),
    "postgres-postgres": ("pg_shop_url", "pg_url"),
    "mariadb-postgres": ("mariadb_shop_url", "pg_url"),
    "sqlite-mariadb": ("shop_url", "mariadb_url"),
    "sqlite-parquet": ("shop_url", "parquet_url"),
}


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_killed_run_ends_with_the_same_data(
    direction: str, going: Going, judge: Judge, request: pytest.FixtureRequest
) -> None:
    """Killed in every step, the last run finishes, and no row is missing, changed or doubled."""
    source, target = (request.getfixturevalue(name) for name in DIRECTIONS[direction])
    journey = going(source, target, batch_size=BATCH, include=TABLES)

    struck = _strike(journey, direction, POINTS)
    journey.start().finish()

    assert len(struck) >= 5
    _assert_arrived(journey, judge)


@pytest.mark.slow
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("seed", range(4))
def test_killed_run_ends_with_the_same_data_however_often(
    direction: str, seed: int, going: Going, judge: Judge, request: pytest.FixtureRequest
) -> None:
    """Killed twenty times at other points, the end is the same."""
    source, target = (request.getfixturevalue(name) for name in DIRECTIONS[direction])
    journey = going(source, target, batch_size=BATCH, include=TABLES)

    _strike(journey, f"{direction} {seed}", [*POINTS, *[("Progress", 60)] * 6, *POINTS])
    journey.start().finish()

    _assert_arrived(journey, judge)


@pytest.mark.parametrize("target", ["pg_url", "sqlite_url", "duckdb_url", "mariadb_url"])
def test_killed_backup_is_made_anew(
    target: str, shop_url: str, going: Going, request: pytest.FixtureRequest
) -> None:
    """Killed while it backs up the target, a process leaves nothing to stumble over."""
    journey = going(shop_url, request.getfixturevalue(target), include=["regions"])
    kept = journey.named("kept")
    journey.ask(f"CREATE TABLE {kept} (id INTEGER)", f"INSERT INTO {kept} VALUES (1)")

    for delay_s in (0.01, 0.1, 0.2):
        process = journey.start()
        assert process.wait_for("backup")
        process.kill(delay_s)
    journey.start().finish()

    folders = list((journey.folder / "backups").iterdir())
    assert [f.name for f in folders] == [f"shop-{journey.run_ids()[0]}"]
    assert (folders[0] / "manifest.json").is_file()
    assert journey.rows("kept") == [(1,)]


def _strike(journey: Journey, seed: str, points: list[tuple[str, int]]) -> list[str]:
    """Kill one process per point; after each, no committed batch is lost or was copied again."""
    struck, before = [], {}
    for mark, count, delay_s in strikes(seed, points):
        process = journey.start()
        if process.wait_for(mark, count) and process.kill(delay_s):
            struck.append(f"{mark} {count}")
        after = journey.batches()
        assert gaps(after) == []
        assert lost(before, after, _keyless(journey, before)) == []
        before = after
    return struck


def _keyless(journey: Journey, batches: Batches) -> set[str]:
    """Return the tables that start over, as long as they are not complete."""
    return {table for (table, _, _), entry in batches.items() if entry.high_key == "[]"}


def _assert_arrived(journey: Journey, judge: Judge) -> None:
    batches = journey.batches()
    assert gaps(batches) == []
    assert set(journey.verdicts()) <= {"equal", "not comparable"}
    counted = Counter[str]()
    for entry in batches.values():
        counted[entry.table.rpartition(".")[2]] += entry.rows_loaded
    for name in counted:
        there, here = (len(journey.rows(name, side=side)) for side in ("source", "target"))
        assert here == there == counted[name], name
    columns = "session_id, level, message"
    there, here = (Counter(journey.rows("events", columns, side)) for side in ("source", "target"))
    assert here == there
    assert max(here.values()) > 1, "the source has equal rows on purpose"
    if len(counted) == len(journey.catalog("source").tables):
        assert judge(journey.source_url, journey.target_url)["verdict"] in {"EXACT", "OK"}
