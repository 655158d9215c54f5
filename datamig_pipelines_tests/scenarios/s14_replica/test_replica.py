"""A load gives way to a replica of its target that cannot follow: two real PostgreSQL servers."""

import time
from collections.abc import Iterator

import pytest

from datamig_pipelines import running
from datamig_pipelines_tests.engines import PASSWORD, USER, PostgresServer, Server, find_program
from datamig_pipelines_tests.scenarios.conftest import Going

pytestmark = pytest.mark.slow
LIMIT_S = 240


class Replica(PostgresServer):
    """A streaming replica of another server."""

    programs = ("pg_basebackup", "postgres")

    def __init__(self, primary: PostgresServer) -> None:
        super().__init__()
        self.primary = primary

    def initialise(self) -> None:
        command = [str(find_program("pg_basebackup")), "-D", str(self.data), "-R", "-X", "stream"]
        command += ["-h", "127.0.0.1", "-p", str(self.primary.port), "-U", USER, "-c", "fast"]
        environment = {**self._environment, "PGPASSWORD": PASSWORD}
        self._run(command, as_server=True, env=environment)

    def start(self) -> None:
        Server.start(self)  # the primary's roles are here


@pytest.fixture
def replica(own_postgres: PostgresServer) -> Iterator[Replica]:
    """A replica that follows ``own_postgres``."""
    if reason := Replica.missing():
        pytest.skip(reason)
    made = Replica(own_postgres)
    try:
        made.start()
        yield made
    finally:
        made.remove()


def _lag(primary: PostgresServer) -> float:
    asked = "SELECT coalesce(extract(epoch FROM max(replay_lag)), 0) FROM pg_stat_replication"
    return float(primary.query("postgres", asked)[0][0])


def _until(question: object, what: str) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not question():  # type: ignore[operator]
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def test_load_waits_for_a_replica_that_stands_still(
    own_postgres: PostgresServer, replica: Replica, shop_url: str, going: Going
) -> None:
    """While the replica replays nothing, the load stops; when it has caught up, it goes on."""
    own_postgres.create_database("target")
    throttle = {"rows_per_s": 60, "max_lag_s": 3}
    tables = ["regions", "countries", "customers", "addresses"]
    journey = going(
        shop_url, own_postgres.url("target"), batch_size=10, include=tables, throttle=throttle
    )
    process = journey.start()
    assert process.wait_for("Progress", 3), process.complaints

    replica.query("postgres", "SELECT pg_wal_replay_pause()")
    assert process.wait_for("Paced"), process.complaints
    process.run_ahead()
    assert _lag(own_postgres) > 3
    before = journey.batches()
    time.sleep(2)  # time to do what must not be done
    after = journey.batches()
    others = journey.migration.workers - 1  # each may have been at the end of a batch
    stood = before.items() <= after.items() and len(after) <= len(before) + others
    replica.query("postgres", "SELECT pg_wal_replay_resume()")

    assert stood
    assert process.wait_for("Paced"), process.complaints
    process.finish()
    assert set(journey.verdicts()) == {"equal"}
    _until(lambda: _lag(own_postgres) < 3, "the replica never caught up")
    copied = replica.query("target", "SELECT count(*) FROM addresses")
    assert copied == own_postgres.query("target", "SELECT count(*) FROM addresses")


def test_user_who_may_not_see_replicas_is_told_so(
    own_postgres: PostgresServer, replica: Replica, shop_url: str, going: Going
) -> None:
    """Without pg_monitor the lag is unknown, not zero: the run says so once and goes through."""
    own_postgres.create_database("target")
    own_postgres.query("postgres", "CREATE ROLE plain LOGIN PASSWORD 'plain'")
    own_postgres.query("postgres", "GRANT CREATE ON DATABASE target TO plain")
    own_postgres.query("target", "GRANT ALL ON SCHEMA public TO plain")
    url = f"postgresql://plain:plain@127.0.0.1:{own_postgres.port}/target"
    journey = going(shop_url, url, include=["regions"], throttle={"max_lag_s": 3})

    told = [getattr(e, "text", "") for e in running.run(journey.migration)]

    blind = "cannot see whether to wait: this user may not see how far the replicas are"
    assert told.count(blind) == 1
