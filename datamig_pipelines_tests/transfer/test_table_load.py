"""Loading one table: every row is loaded once, rejected once, or the load says why not."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.dialects.sqlite import SQLite
from datamig_pipelines.errors import LedgerError, RejectsError, StatementError
from datamig_pipelines.ledger import Ledger
from datamig_pipelines.running.opening import opened
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration, Rejects
from datamig_pipelines.steps import STEPS
from datamig_pipelines.transfer import Route
from datamig_pipelines.transfer.manifest import cut_table
from datamig_pipelines.transfer.table_load import LoadOrder, TableLoad
from datamig_pipelines.transfer.tally import Tally

RUN = "run"


@dataclass
class Bench:
    """A made target, and loads into it."""

    route: Route
    source: Session
    target: Session
    folder: Path

    def load(
        self, rejects: str = "100%", stopped: Callable[[], bool] = lambda: False, **changed
    ) -> TableLoad:
        """Return the load of the one shard; going on, it begins with what the ledger counts."""
        route = replace(self.route, **changed)
        order = LoadOrder(RUN, Rejects(abort_above=rejects), self.folder, stopped)
        if not self.state().shards:
            Ledger(self.target).add_shards(cut_table(route, RUN, self.source))
        tally = Tally(route, self.state(), [1])
        return TableLoad(route, order, self.source, self.target, 1, tally)

    def ids(self) -> list[int]:
        return [row[0] for row in self.target.query("SELECT id FROM t ORDER BY rowid")]

    def rejected(self) -> list[int]:
        found = Ledger(self.target).rejects(RUN)
        return [int(json.loads(r.row_values)["id"]) for _, r in found]

    def state(self):
        return Ledger(self.target).table_state(RUN, "t")

    def done(self) -> bool:
        return bool(self.state().shards) and not self.state().open_shards


Benches = Callable[..., Bench]


@pytest.fixture
def bench(tmp_path) -> Iterator[Benches]:
    """Make a source table with rows (id, v) of which the target refuses v < 0."""
    with contextmanager(made)(tmp_path) as make:
        yield make


def made(folder: Path) -> Iterator[Benches]:
    closed = []

    def make(values: list[int], declaration: str = "id INTEGER PRIMARY KEY", **said) -> Bench:
        path = folder / "source.sqlite"
        with closing(sqlite3.connect(path)) as file, file:
            file.execute("PRAGMA ignore_check_constraints = 1")
            file.execute(f"CREATE TABLE t ({declaration}, v INTEGER CHECK (v >= 0))")
            file.executemany("INSERT INTO t VALUES (?, ?)", enumerate(values, 1))
        url = make_url(f"sqlite:///{folder / 'target.sqlite'}")
        attributes = {
            "name": "m",
            "source": {"url": f"sqlite:///{path}"},
            "target": {"url": str(url)},
            "batch_size": 10,
            **said,
        }
        migration = Migration.model_validate(attributes).based(folder)
        with opened(migration) as (plan, session):
            list(STEPS["schema"].run(plan.context, session))
        source = Session(SQLite(), make_url(f"sqlite:///{path}"), readonly=True)
        target = Session(SQLite(), url, readonly=False)
        closed.extend([source, target])
        return Bench(plan.context.routes[0], source, target, folder)

    yield make
    for session in closed:
        session.close()


def readers() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name == "datamig-reader"]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 35])
def test_load_brings_every_row_once(bench, count):
    """All rows arrive in order, and the ledger's accounting is theirs."""
    made_ = bench([5] * count)

    list(made_.load().run())

    state = made_.state()
    assert (made_.ids(), state.rows_read, state.rows_loaded, state.batches, made_.done()) == (
        list(range(1, count + 1)), count, count, -(-count // 10), True,
    )  # fmt: skip


@pytest.mark.parametrize("after", [1, 2, 3, 4])
def test_load_goes_on_behind_the_last_batch(bench, after):
    """Stopped after any batch, the next load brings the rest and nothing twice."""
    made_ = bench([5] * 35)
    seen = []
    for progress in made_.load(stopped=lambda: len(seen) > after).run():
        seen.append(progress)  # noqa: PERF402 (the load looks at it while it runs)

    first = len(made_.ids())
    list(made_.load().run())

    assert (first < 35 or after == 4, made_.ids()) == (True, list(range(1, 36)))


@pytest.mark.parametrize(
    "key", ["id INTEGER PRIMARY KEY", "id TEXT PRIMARY KEY", "id DECIMAL(9,2) PRIMARY KEY"]
)
def test_load_resumes_with_any_batch_size(bench, key):
    """Another batch size in the second process changes nothing."""
    made_ = bench([5] * 30, key)
    stop = threading.Event()
    for progress in made_.load(stopped=stop.is_set, batch_size=7).run():
        if progress.rows:
            stop.set()

    list(made_.load(batch_size=4).run())

    assert sorted(map(int, made_.ids())) == list(range(1, 31))


BAD = [
    [],
    [1],
    [10],
    [11],
    [35],
    [1, 2, 3],
    [9, 10, 11, 12],
    list(range(1, 11)),
    list(range(1, 36)),
    list(range(1, 36, 2)),
]


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_load_rejects_the_bad_rows_and_no_others(bench, bad):
    """Wherever the refused rows stand, they alone are set aside; all others arrive."""
    made_ = bench([-1 if i in bad else 5 for i in range(1, 36)])

    list(made_.load().run())

    good = [i for i in range(1, 36) if i not in bad]
    assert (made_.ids(), made_.rejected()) == (good, bad)


def test_reject_keeps_key_values_and_reason(bench):
    """A reject can be understood without the source."""
    made_ = bench([5, -7])
    list(made_.load().run())

    ((_, reject),) = Ledger(made_.target).rejects(RUN)

    shown = (json.loads(reject.row_key), json.loads(reject.row_values))
    assert (shown, "CHECK" in reject.reason) == ((["2"], {"id": "2", "v": "-7"}), True)


def test_rows_that_are_refused_only_together_are_told_apart(bench):
    """Of two rows with one key in one batch the first stays and the second is a reject."""
    made_ = bench([5] * 6, "id INTEGER")
    made_.target.query("CREATE UNIQUE INDEX u ON t (v)")

    list(made_.load().run())

    assert (made_.ids(), made_.rejected()) == ([1], [2, 3, 4, 5, 6])


@pytest.mark.parametrize(("limit", "batches"), [("0", 1), ("2", 2), ("5%", 2)])
def test_load_stops_over_the_limit_and_keeps_what_is_good(bench, limit, batches):
    """The batch that passes the limit is still kept; nothing behind it is read."""
    made_ = bench([-1 if i % 5 == 0 else 5 for i in range(1, 41)])

    with pytest.raises(RejectsError, match=f"more than {limit}"):
        list(made_.load(limit).run())

    assert (made_.state().batches, made_.done()) == (batches, False)


@pytest.mark.parametrize(("where", "stops"), [("v < 5", True), ("", False)])
def test_limit_of_a_filtered_table_is_a_share_of_the_rows_read(bench, where, stops):
    """How many rows the whole table has says nothing about those that the filter leaves."""
    made_ = bench([-1, *[1] * 9, *[9] * 90])
    load = made_.load("5%", where=where)

    if stops:
        with pytest.raises(RejectsError, match="1 of 10 rows"):
            list(load.run())
    else:
        list(load.run())

    assert made_.rejected() == [1]


def test_load_without_a_key_starts_over(bench):
    """A table that nobody can resume is emptied and read again, rejects included."""
    made_ = bench([5, -1] * 15)
    stop = threading.Event()
    for progress in made_.load(stopped=stop.is_set, key=(), key_names=()).run():
        if progress.rows:
            stop.set()

    list(made_.load(key=(), key_names=()).run())

    assert (made_.ids(), made_.rejected()) == (list(range(1, 31, 2)), list(range(2, 31, 2)))


def test_loaded_table_is_not_loaded_again(bench):
    """A second load of a complete table does nothing."""
    made_ = bench([5] * 12)
    list(made_.load().run())

    assert (list(made_.load().run()), len(made_.ids())) == ([], 12)


def test_failed_write_leaves_no_reader_behind(bench, monkeypatch):
    """When a write fails for good, the reader's thread is gone before the error is seen."""
    made_ = bench([5] * 100)
    made_.target.query("DROP TABLE t")

    with pytest.raises(StatementError):
        list(made_.load().run())

    assert readers() == []


def test_failed_read_keeps_what_was_committed(bench, monkeypatch):
    """An error of the source is raised behind the batches that were read before it."""
    made_ = bench([5] * 35)
    real = made_.source.stream

    def failing(read):
        for number, row in enumerate(real(read)):
            if number == 25:
                raise StatementError("the source is gone", hint="")
            yield [row]

    monkeypatch.setattr(made_.source, "stream_lists", failing)
    with pytest.raises(StatementError, match="the source is gone"):
        list(made_.load().run())

    assert made_.ids() == list(range(1, 21))


def test_batch_and_its_entry_are_one(bench, monkeypatch):
    """If the ledger cannot be written, the rows of the batch are not there either."""
    made_ = bench([5] * 35)
    load = made_.load()
    real = load.ledger.add_batch

    def failing(entry, rejects):
        if entry.number == 2:
            raise LedgerError("no room", hint="")
        real(entry, rejects)

    monkeypatch.setattr(load.ledger, "add_batch", failing)
    with pytest.raises(LedgerError):
        list(load.run())

    assert (made_.ids(), made_.state().rows_loaded) == (list(range(1, 11)), 10)


@pytest.mark.parametrize("where", ["v = 1 OR v = 2", "v > 1 OR v < 1 OR v = 1", "1"])
def test_where_with_or_is_kept_together_with_the_resume(bench, where):
    """The filter's OR does not swallow the condition that goes on behind the last batch."""
    made_ = bench([i % 4 for i in range(40)], tables=[{"name": "t", "where": where}])
    expected = [
        i + 1 for i in range(40) if i % 4 in (1, 2) or not where.startswith("v = 1 OR v = 2")
    ]
    stop = threading.Event()
    for progress in made_.load(stopped=stop.is_set).run():
        if progress.rows:
            stop.set()

    list(made_.load().run())

    assert made_.ids() == expected
