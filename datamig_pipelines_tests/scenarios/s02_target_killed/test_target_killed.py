"""A server dies under the load and comes back; the next run ends as if nothing had been."""

from collections import Counter

import pytest

from datamig_pipelines.errors import ConnectError, ConnectionLostError
from datamig_pipelines_tests.engines import MariadbServer, Server
from datamig_pipelines_tests.scenarios.conftest import Going, Striking
from datamig_pipelines_tests.scenarios.journey import Journey, gaps, lost

TABLES = ["regions", "countries", "customers", "orders", "order_lines", "stores", "events"]
EVENTS = "session_id, level, message"


@pytest.mark.parametrize("strike_at", [3, 12])
def test_crashed_target_is_loaded_to_the_end(
    strike_at: int, own_postgres: Server, shop_url: str, going: Going, striking: Striking
) -> None:
    """PostgreSQL is killed under the load and started; the run goes on, nothing is doubled."""
    with own_postgres.database() as url:
        journey = going(shop_url, url, batch_size=40, include=TABLES, max_retries=0)

        striking(own_postgres.crash, each=strike_at)
        error = journey.refused()
        own_postgres.start()
        before = journey.batches()
        journey.run()

        assert isinstance(error, ConnectionLostError | ConnectError)
        assert error.hint
        assert lost(before, journey.batches(), {"events"}) == []
        _assert_arrived(journey)


def test_crashed_source_is_read_to_the_end(
    mariadb_server: MariadbServer,
    mariadb_shop_url: str,
    pg_url: str,
    going: Going,
    striking: Striking,
) -> None:
    """MariaDB is killed while it is read; started again, the run goes on behind the last batch."""
    journey = going(mariadb_shop_url, pg_url, batch_size=40, max_retries=0)

    striking(mariadb_server.crash, each=5)
    error = journey.refused()
    mariadb_server.start()
    before = journey.batches()
    journey.run()

    assert isinstance(error, ConnectionLostError | ConnectError)
    assert lost(before, journey.batches(), {"events"}) == []
    _assert_arrived(journey)


def _assert_arrived(journey: Journey) -> None:
    assert gaps(journey.batches()) == []
    assert set(journey.verdicts()) <= {"equal", "not comparable"}
    there, here = (Counter(journey.rows("events", EVENTS, side)) for side in ("source", "target"))
    assert here == there
