"""A server dies under the load and comes back; the next run ends as if nothing had been."""

from collections import Counter
from collections.abc import Iterator

import pytest

from datamig_pipelines import running
from datamig_pipelines.errors import ConnectError, ConnectionLostError, EngineError
from datamig_pipelines.spec import Migration
from datamig_pipelines.steps import load
from datamig_pipelines.transfer import Event, Progress
from datamig_pipelines_tests.engines import MariadbServer, Server
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey, gaps, lost

TABLES = ["regions", "countries", "customers", "orders", "order_lines", "stores", "events"]
EVENTS = "session_id, level, message"


@pytest.fixture(autouse=True)
def _every_commit_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "_TICK_S", 0.0)


@pytest.mark.parametrize("strike_at", [3, 12])
def test_crashed_target_is_loaded_to_the_end(
    strike_at: int, own_postgres: Server, shop_url: str, going: Going
) -> None:
    """PostgreSQL is killed under the load and started; the run goes on, nothing is doubled."""
    with own_postgres.database() as url:
        journey = going(shop_url, url, batch_size=40, include=TABLES, max_retries=0)

        error = _run_and_crash(journey, own_postgres, strike_at)
        own_postgres.start()
        before = journey.batches()
        journey.run()

        assert isinstance(error, ConnectionLostError | ConnectError)
        assert error.hint
        assert lost(before, journey.batches(), {"events"}) == []
        _assert_arrived(journey)


def test_crashed_source_is_read_to_the_end(
    mariadb_server: MariadbServer, mariadb_shop_url: str, pg_url: str, going: Going
) -> None:
    """MariaDB is killed while it is read; started again, the run goes on behind the last batch."""
    journey = going(mariadb_shop_url, pg_url, batch_size=40, max_retries=0)

    error = _run_and_crash(journey, mariadb_server, 5)
    mariadb_server.start()
    before = journey.batches()
    journey.run()

    assert isinstance(error, ConnectionLostError | ConnectError)
    assert lost(before, journey.batches(), {"events"}) == []
    _assert_arrived(journey)


def _run_and_crash(journey: Journey, server: Server, strike_at: int) -> EngineError:
    def struck(migration: Migration) -> Iterator[Event]:
        commits = 0
        for event in running.run(migration):
            commits += isinstance(event, Progress)
            if commits == strike_at:
                server.crash()
            yield event

    error = journey.refused(struck)
    assert isinstance(error, EngineError)
    return error


def _assert_arrived(journey: Journey) -> None:
    assert gaps(journey.batches()) == []
    assert set(journey.verdicts()) <= {"equal", "not comparable"}
    there, here = (Counter(journey.rows("events", EVENTS, side)) for side in ("source", "target"))
    assert here == there
