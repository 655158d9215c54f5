"""Metrics of real runs, scraped as Prometheus does."""

import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from datamig_pipelines import running
from datamig_pipelines.ledger import Ledger
from datamig_pipelines.running.opening import target_place
from datamig_pipelines.spec import Migration
from datamig_pipelines.transfer import Event, Said
from datamig_pipelines.transfer.events import Committed, Paced
from datamig_pipelines.transfer.pace import Pace
from datamig_pipelines_tests.engines import free_port

ROWS = 400
Making = Callable[..., Migration]
Figures = dict[str, float]


@pytest.fixture
def making(tmp_path: Path) -> Making:
    """Make a migration of one table of which the target refuses two rows."""
    with closing(sqlite3.connect(tmp_path / "source.sqlite")) as db, db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER CHECK (v >= 0))")
        db.executemany("INSERT INTO t VALUES (?, ?)", [(i, i) for i in range(ROWS)])
        db.execute("UPDATE t SET v = -1 WHERE id IN (5, 300)")

    def make(**attributes: object) -> Migration:
        said = {
            "name": "m",
            "source": {"url": "sqlite:///source.sqlite"},
            "target": {"url": "sqlite:///target.sqlite"},
            "batch_size": 20,
            "rejects": {"allow": ["t"]},
            **attributes,
        }
        return Migration.model_validate(said).based(tmp_path)

    return make


def figures(text: str) -> Figures:
    """Return what a page says, by name and the labels beside the migration."""
    found: Figures = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = {k: v for k, v in sample.labels.items() if k != "migration"}
            assert sample.labels["migration"] == "m"
            found[" ".join([sample.name, *labels.values()])] = sample.value
    return found


def scrape(port: int) -> Figures:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        return figures(answer.read().decode())


def until(events: Iterator[Event], count: int) -> None:
    """Follow a run until so many batches were told."""
    for event in events:
        count -= isinstance(event, Committed)
        if count == 0:
            return


def read_rows(migration: Migration) -> int:
    with target_place(migration).open(readonly=True) as session:
        ledger = Ledger(session)
        return ledger.table_state(ledger.runs("m")[-1].run_id, "t").rows_read


def test_metrics_are_served_during_a_run_and_tell_only_what_is_committed(making):
    """A scrape amid the load has no row that the ledger does not have; after it the port is shut."""
    port = free_port()  # below the range of clients, so no connection takes it meanwhile
    migration = making(metrics={"port": port})
    events = running.run(migration)
    until(events, 5)

    amid = scrape(port)
    committed = read_rows(migration)
    list(events)

    assert amid["datamig_batches_total t"] == 5
    assert 5 * 20 == amid["datamig_rows_total t"] <= committed
    assert amid["datamig_expected_rows t"] == ROWS
    assert amid["datamig_run_state running"] == 1
    assert amid["datamig_commit_seconds_count t"] == 5
    with pytest.raises(URLError):
        scrape(port)


def test_file_holds_the_final_figures(making, tmp_path):
    """The textfile collector finds rows, rejects, batches, state and the time of success."""
    list(running.run(making(metrics={"file": "m.prom"})))

    found = figures((tmp_path / "m.prom").read_text())

    assert {k: found[k] for k in found if k.split()[0] in WANTED} == {
        "datamig_rows_total t": ROWS,
        "datamig_rejects_total t": 2,
        "datamig_batches_total t": ROWS / 20,
        "datamig_eta_seconds t": 0,
        "datamig_paused": 0,
        "datamig_run_state done": 1,
        "datamig_run_state failed": 0,
        "datamig_run_state running": 0,
        "datamig_run_state none": 0,
    }
    assert found["datamig_bytes_total t"] > 0
    assert found["datamig_last_success_timestamp_seconds"] > 1.7e9
    assert list(tmp_path.glob("m.prom.*")) == []


WANTED = {
    "datamig_rows_total",
    "datamig_rejects_total",
    "datamig_batches_total",
    "datamig_eta_seconds",
    "datamig_paused",
    "datamig_run_state",
}


def test_counters_go_on_after_an_interruption(making, tmp_path, monkeypatch):
    """The next process begins with what the ledger knows: no counter falls."""
    migration = making(metrics={"file": "m.prom"})
    with monkeypatch.context() as patched:
        patched.setattr(Pace, "wait", _seven_batches())
        events = running.run(migration)
        until(events, 7)
        events.close()  # type: ignore[attr-defined]
    before = figures((tmp_path / "m.prom").read_text())
    again = running.run(migration)
    next(again)
    begun = figures((tmp_path / "m.prom").read_text())
    list(again)
    after = figures((tmp_path / "m.prom").read_text())

    names = ("datamig_rows_total t", "datamig_batches_total t", "datamig_bytes_total t")
    assert all(0 < before[n] <= begun[n] < after[n] for n in names)
    assert after["datamig_rows_total t"] == ROWS
    assert after["datamig_batches_total t"] == ROWS / 20


def _seven_batches() -> Callable[..., bool]:
    """Let so many batches pass; hold the next one until the load is stopped."""
    passed: list[int] = []

    def wait(pace: Pace, rows: int, size: int, stopped: Callable[[], bool]) -> bool:
        passed.append(rows)
        while len(passed) > 7 and not stopped():
            time.sleep(0.01)
        return not stopped()

    return wait


def test_port_that_is_taken_is_told_and_the_run_goes_on(making):
    """A second process on the machine is no reason to stop a migration."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = list(running.run(making(metrics={"port": port})))

    assert any(isinstance(e, Said) and f"no metrics on 127.0.0.1:{port}" in e.text for e in told)
    assert running.status(making())["runs"][-1]["status"] == "done"


def test_file_that_cannot_be_written_is_told_and_the_run_goes_on(making):
    """A folder that is not there is said once."""
    told = list(running.run(making(metrics={"file": "nowhere/m.prom"})))

    said = [e.text for e in told if isinstance(e, Said) and "no metrics in" in e.text]
    assert len(said) == 1
    assert running.status(making())["runs"][-1]["status"] == "done"


def test_failure_and_pause_are_shown(making, tmp_path):
    """The state of a failed run is failed; a pause is a 1 as long as it lasts."""
    from datamig_pipelines.running.metrics import Figures as Fed

    fed = Fed("m")
    fed.see(Paced("paused by ann", paused=True))
    assert fed.registry.get_sample_value("datamig_paused", {"migration": "m"}) == 1
    fed.see(Paced("going on"))
    assert fed.registry.get_sample_value("datamig_paused", {"migration": "m"}) == 0

    with pytest.raises(Exception, match="more than 1"):
        list(running.run(making(metrics={"file": "m.prom"}, rejects={"abort_above": 1})))
    found = figures((tmp_path / "m.prom").read_text())
    assert found["datamig_run_state failed"] == 1
    assert "datamig_last_success_timestamp_seconds" not in found


def test_metrics_need_a_place():
    """`metrics: {}` is a mistake that is told when the file is read."""
    said = {"name": "m", "source": {"url": "sqlite:///a"}, "target": {"url": "sqlite:///b"}}
    with pytest.raises(ValueError, match="write port, file or both"):
        Migration.model_validate({**said, "metrics": {}})
