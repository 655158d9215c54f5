"""The source goes on living between a killed load and the next: the target ends as the source is."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from datamig_pipelines import running
from datamig_pipelines.errors import SourceChangedError
from datamig_pipelines.ledger import Ledger
from datamig_pipelines.running.opening import current_run
from datamig_pipelines.steps import load
from datamig_pipelines.transfer import Said
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Batches, Journey, gaps, lost

BATCH = 20
BIG, SMALL, LOOSE = 600, 90, 130
PAIRS = {
    "postgres-postgres": ("pg_url2", "pg_url"),
    "sqlite-postgres": ("sqlite_url", "pg_url"),
    "postgres-sqlite": ("pg_url2", "sqlite_url"),
    "postgres-duckdb": ("pg_url2", "duckdb_url"),
    "mariadb-postgres": ("mariadb_url", "pg_url"),
    "postgres-mariadb": ("pg_url2", "mariadb_url"),
}
TABLES = ("big", "small", "words", "loose")
WHOLE = [{"name": name, "shards": 1} for name in ("small", "words")]  # before the parts of big


@pytest.fixture(autouse=True)
def _every_commit_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "_TICK_S", 0.0)


@pytest.fixture(params=PAIRS)
def journey(request: pytest.FixtureRequest, going: Going) -> Journey:
    """A migration of four tables: a big one, a small one, one with a key of text, one without."""
    source, target = (request.getfixturevalue(name) for name in PAIRS[request.param])
    return made(going(source, target, batch_size=BATCH, tables=WHOLE))


def made(journey: Journey) -> Journey:
    journey.ask(
        "CREATE TABLE big (id INTEGER NOT NULL PRIMARY KEY, v VARCHAR(40))",
        "CREATE TABLE small (id INTEGER NOT NULL PRIMARY KEY, v VARCHAR(40))",
        "CREATE TABLE words (w VARCHAR(20) NOT NULL PRIMARY KEY, v VARCHAR(40))",
        "CREATE TABLE loose (a INTEGER, v VARCHAR(40))",
        inserted("big", *range(10, 10 * BIG + 10, 10)),
        inserted("small", *range(10, 10 * SMALL + 10, 10)),
        inserted("words", *range(10, 10 * SMALL + 10, 10)),
        inserted("loose", *(n // 2 for n in range(LOOSE))),
        side="source",
    )
    return journey


def inserted(table: str, *numbers: int) -> str:
    keys = [f"'w{n:05}'" if table == "words" else str(n) for n in numbers]
    rows = (f"({key}, 'value {n}')" for key, n in zip(keys, numbers, strict=True))
    return f"INSERT INTO {table} VALUES {', '.join(rows)}"


def killed(journey: Journey, rows: dict[str, int]) -> Batches:
    """Kill a load as soon as so many rows of some tables are there; return what it has done."""
    process = journey.start()
    for event in process.told():
        if event["event"] == "Progress" and int(event["rows"]) >= rows.get(_short(event), 10**9):
            del rows[_short(event)]
        if not rows:
            break
    assert process.kill(), "it ended before it was killed"
    return journey.batches()


def _short(event: dict[str, str]) -> str:
    return event["table"].rpartition(".")[2]


def arrived(journey: Journey) -> None:
    assert gaps(journey.batches()) == []
    for table in TABLES:
        there, here = (Counter(journey.rows(table, side=side)) for side in ("source", "target"))
        assert here == there, table
    assert set(journey.verdicts()) <= {"equal", "not comparable"}
    counted = Counter[str]()
    for entry in journey.batches().values():
        counted[entry.table.rpartition(".")[2]] += entry.rows_loaded
    assert all(counted[t] == len(journey.rows(t)) for t in TABLES)


def test_target_equals_the_source_as_it_is_at_the_end(journey: Journey) -> None:
    """Inserts, updates and deletes in what is loaded, in finished tables too, all arrive."""
    killed(journey, {"big": 300, "small": SMALL, "words": SMALL})
    journey.ask(
        inserted("big", 15),
        "UPDATE big SET v = 'new' WHERE id = 1000",
        "UPDATE big SET id = 7 WHERE id = 2000",
        "DELETE FROM big WHERE id = 500",
        inserted("big", 10 * BIG + 5),
        inserted("small", 10 * SMALL + 55),
        "DELETE FROM small WHERE id <= 210",
        "UPDATE words SET v = 'new' WHERE w = 'w00300'",
        inserted("loose", 10_000),
        side="source",
    )

    journey.start().finish()

    arrived(journey)


def test_nothing_is_copied_again_if_nothing_changed(journey: Journey) -> None:
    """Killed twice, every batch that was committed is still the one that counts."""
    before = killed(journey, {"big": 200})
    middle = killed(journey, {"big": 400, "words": SMALL})

    journey.start().finish()

    assert lost(before, middle) == []
    assert lost(middle, journey.batches()) == []
    arrived(journey)


def test_loaded_run_catches_up_until_keys_stand(journey: Journey) -> None:
    """Killed between load and keys, a run whose tables are all loaded ends as the source is."""
    process = journey.start()
    assert process.wait_for("constraints")
    assert process.kill()
    journey.ask(
        "UPDATE big SET v = 'new' WHERE id = 1000",
        "DELETE FROM small WHERE id <= 210",
        inserted("words", 10_000),
        inserted("loose", 10_000),
        side="source",
    )

    journey.start().finish()

    arrived(journey)


def test_finished_run_is_left_alone(journey: Journey) -> None:
    """Where nothing is left to load, nothing is proven again and nothing is taken back."""
    journey.start().finish()
    before = journey.batches()
    journey.ask("UPDATE big SET v = 'new' WHERE id = 1000", side="source")

    journey.refused()

    assert journey.batches() == before


@pytest.fixture
def moved(pg_url: str, pg_url2: str, going: Going) -> Callable[..., Journey]:
    """A migration between two PostgreSQL, killed in the middle of its big table."""

    def make(rows: dict[str, int] | None = None, **attributes: object) -> Journey:
        journey = made(going(pg_url2, pg_url, batch_size=BATCH, **{"tables": WHOLE, **attributes}))
        killed(journey, rows or {"big": 300, "small": SMALL})
        return journey

    return make


def said(journey: Journey) -> list[str]:
    return [e.text for e in running.run(journey.migration) if isinstance(e, Said)]


def test_only_changed_batches_are_copied_again(moved: Callable[..., Journey]) -> None:
    """Of a loaded range that changed, that batch alone is replaced; a sentence says so."""
    journey = moved()
    before = journey.batches()
    journey.ask("UPDATE small SET v = 'new' WHERE id IN (20, 30, 700)", side="source")

    sentences = said(journey)

    after = journey.batches()
    changed = [k for k, e in before.items() if after.get(k) != e]
    assert {t.rpartition(".")[2] for t, _, _ in changed} == {"small"}
    assert len(changed) == 2
    assert all(after[k].taken_back and after[k].rows_read == 0 for k in changed)
    assert any(re.search(r"small: 2 of \d batches changed in the source", s) for s in sentences)
    arrived(journey)


def test_rows_behind_a_finished_table_are_read_on(moved: Callable[..., Journey]) -> None:
    """A table that was complete is opened again for rows that came behind it."""
    journey = moved()
    before = journey.batches()
    journey.ask(inserted("small", 99_999), side="source")

    sentences = said(journey)

    assert lost(before, journey.batches()) == []
    assert any("small: rows were added behind" in s for s in sentences)
    arrived(journey)


def test_table_whose_ranges_nobody_shares_starts_over(moved: Callable[..., Journey]) -> None:
    """A key of text has an order of its own on each engine: the whole table is copied again."""
    journey = moved({"big": 300, "words": SMALL})
    journey.ask("UPDATE words SET v = 'new' WHERE w = 'w00300'", side="source")

    sentences = said(journey)

    assert any("words" in s and "starts over" in s for s in sentences)
    arrived(journey)


def test_table_without_a_key_goes_on_behind_equal_rows(moved: Callable[..., Journey]) -> None:
    """Rows of a keyless table that come again as they were are not copied again."""
    journey = moved({"loose": 60, "big": 100})
    before = journey.batches()
    journey.ask("UPDATE big SET v = 'new' WHERE id = 10", inserted("loose", 5), side="source")

    said(journey)

    assert [k for k in lost(before, journey.batches()) if "loose" in k[0]] == []
    assert any("loose" in k[0] for k in before)
    arrived(journey)


def test_position_of_every_snapshot_is_kept(moved: Callable[..., Journey]) -> None:
    """The ledger has the position of each load, the run that of the last."""
    journey = moved()
    journey.ask(inserted("big", 11), side="source")
    journey.run()

    with journey.place("target").open(readonly=True) as session:
        ledger = Ledger(session)
        run = current_run(ledger, "shop")
        positions = ledger.positions(run.run_id)

    assert len(positions) == len(set(positions)) == 2
    assert run.position == positions[-1]


def test_change_behind_keys_is_refused(moved: Callable[..., Journey]) -> None:
    """Where foreign keys may cascade, nothing is deleted: the run stops and says why."""
    journey = moved()
    run_id = journey.run_ids()[0]
    with journey.place("target").open(readonly=False) as session:
        ledger = Ledger(session)
        ledger.begin_step(run_id, "constraints:keys of small")
        ledger.end_step(run_id, "constraints:keys of small", "done")
    before = journey.batches()
    journey.ask("UPDATE small SET v = 'new' WHERE id = 20", side="source")

    error = journey.refused()

    assert isinstance(error, SourceChangedError)
    assert "small" in error.message
    assert journey.batches() == before


@pytest.mark.parametrize("shift", [0, 100_000, 10])
def test_transformed_table_is_copied_again(
    shift: int, moved: Callable[..., Journey], tmp_path: Path
) -> None:
    """What a function made of changed rows is replaced, even if it gives rows other keys."""
    (tmp_path / "migration" / f"shifts_{shift}.py").write_text(
        "import polars as pl\n"
        "def change(frame: pl.DataFrame) -> pl.DataFrame:\n"
        f"    return frame.with_columns(v='t ' + pl.col('v'), id=pl.col('id') + {shift})\n"
    )
    table = {"name": "small", "shards": 1, "transform": f"shifts_{shift}.change"}
    journey = moved(tables=[table])
    journey.ask("UPDATE small SET v = 'new' WHERE id = 500", side="source")

    journey.run()

    expected = {(i + shift, f"t {v}") for i, v in journey.rows("small", "id, v", "source")}
    assert set(journey.rows("small", "id, v")) == expected
    assert len(journey.rows("small")) == SMALL
    assert set(journey.verdicts()) == {"equal"}
