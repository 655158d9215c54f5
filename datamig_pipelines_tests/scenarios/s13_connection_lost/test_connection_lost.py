"""Connections are lost under a load, and the same run ends as if they had not been."""

from collections import Counter

import psycopg
import pytest

from datamig_pipelines.errors import ConnectionLostError
from datamig_pipelines.transfer import Said, retrying
from datamig_pipelines_tests.engines import MariadbServer, Server
from datamig_pipelines_tests.scenarios.conftest import Going, Striking
from datamig_pipelines_tests.scenarios.journey import Journey, gaps
from datamig_pipelines_tests.scenarios.s13_connection_lost.proxy import proxied

TABLES = ["regions", "customers", "orders", "order_lines", "events"]
LOOSE = "session_id, level, message"


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "FIRST_WAIT_S", 0.1)


def said_by(journey: Journey) -> list[str]:
    """Run and return what was said."""
    return [event.text for event in journey.run() if isinstance(event, Said)]


def arrived(journey: Journey) -> None:
    assert gaps(journey.batches()) == []
    assert set(journey.verdicts()) <= {"equal", "not comparable"}
    counted = Counter[str]()
    for entry in journey.batches().values():
        counted[entry.table.rpartition(".")[2]] += entry.rows_loaded
    for name in TABLES:
        there, here = (len(journey.rows(name, side=side)) for side in ("source", "target"))
        assert here == there == counted[name], name
    there, here = (Counter(journey.rows("events", LOOSE, side)) for side in ("source", "target"))
    assert here == there


def terminate(url: str, condition: str = "TRUE") -> None:
    """End the server's side of a database's sessions."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
            f"current_database() AND application_name = 'datamig' AND ({condition})"
        )


HOLDS_LOCK = "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"


@pytest.mark.parametrize("which", [f"NOT {HOLDS_LOCK}", HOLDS_LOCK, "TRUE"])
def test_lost_target_is_opened_again(
    which: str, pg_shop_url: str, pg_url: str, going: Going, striking: Striking
) -> None:
    """Whichever of its sessions end, the run goes on behind what was committed."""
    journey = going(pg_shop_url, pg_url, batch_size=40, include=TABLES)

    striking(lambda: terminate(pg_url, which), each=8, most=4)
    said = said_by(journey)

    assert which != f"NOT {HOLDS_LOCK}" or any("; it goes on in" in text for text in said)
    arrived(journey)


@pytest.mark.parametrize("source", ["pg_shop_url", "mariadb_shop_url"])
def test_lost_source_is_opened_again(
    source: str, pg_url: str, going: Going, striking: Striking, request: pytest.FixtureRequest
) -> None:
    """The snapshot is gone; under a new one all that was loaded is proven, and the rest copied."""
    url = request.getfixturevalue(source)
    journey = going(url, pg_url, batch_size=40, include=TABLES[1:])

    striking(lambda: _end(url, request), each=10, most=3)
    said = said_by(journey)

    assert any("the load goes on in" in text for text in said)
    assert gaps(journey.batches()) == []
    assert set(journey.verdicts()) <= {"equal", "not comparable"}


def _end(url: str, request: pytest.FixtureRequest) -> None:
    if url.startswith("postgresql"):
        terminate(url)
        return
    server: MariadbServer = request.getfixturevalue("mariadb_server")
    name = url.rpartition("/")[2]
    sessions = f"SELECT id FROM information_schema.processlist WHERE db = '{name}'"
    for (session,) in server.query("mysql", sessions):
        server.query("mysql", f"KILL CONNECTION {session}")


def test_source_that_moved_on_while_it_was_lost(
    pg_url: str, pg_url2: str, going: Going, striking: Striking
) -> None:
    """Rows that were loaded and changed before the new snapshot are copied again."""
    journey = going(pg_url2, pg_url, batch_size=20)
    journey.ask(
        "CREATE TABLE t (id integer PRIMARY KEY, v integer)",
        "INSERT INTO t SELECT n, 0 FROM generate_series(1, 400) n",
        side="source",
    )

    def strike() -> None:
        journey.ask("UPDATE t SET v = v + 1 WHERE id <= 30", side="source")
        terminate(pg_url2)

    striking(strike, each=6, most=2)
    journey.run()

    assert sorted(journey.rows("t")) == sorted(journey.rows("t", side="source"))
    assert set(journey.verdicts()) == {"equal"}


def test_server_that_crashes_and_comes_back(
    own_postgres: Server,
    shop_url: str,
    going: Going,
    striking: Striking,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A crash of the target costs a wait: nobody has to run again."""
    monkeypatch.setattr(retrying, "FIRST_WAIT_S", 0.5)
    with own_postgres.database() as url:
        journey = going(shop_url, url, batch_size=40, include=TABLES)

        def crash() -> None:
            own_postgres.crash()
            own_postgres.start()

        striking(crash, each=12)
        journey.run()

        arrived(journey)


def test_connection_that_does_not_come_back_ends_the_run(
    pg_shop_url: str, pg_url: str, going: Going, striking: Striking
) -> None:
    """Without retries the loss is an error at once; the next run goes on."""
    journey = going(pg_shop_url, pg_url, batch_size=40, include=TABLES, max_retries=0)

    striking(lambda: terminate(pg_url), each=8)
    with pytest.raises(ConnectionLostError):
        journey.run()
    before = journey.batches()
    journey.run()

    assert {k: v for k, v in journey.batches().items() if k in before} == before
    arrived(journey)


@pytest.mark.parametrize("how", ["before", "after", "meanwhile"])
def test_commit_without_an_answer_is_asked_for(
    how: str, pg_shop_url: str, pg_url: str, going: Going, striking: Striking
) -> None:
    """A batch whose COMMIT, or the answer to it, got lost is in the target once."""
    with proxied(pg_url) as (proxy, url):
        journey = going(pg_shop_url, url, batch_size=40, include=TABLES)

        def strike() -> None:
            proxy.strike = how

        striking(strike, each=4, most=6)
        journey.run()

        assert proxy.struck.count(how) >= 3
        arrived(journey)
