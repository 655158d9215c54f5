"""One row of a table is read by its key, whatever the key is made of."""

from collections.abc import Callable
from contextlib import closing

import pytest

from datamig_pipelines.running import look
from datamig_pipelines.running.opening import source_place
from datamig_pipelines.session import Session, open_readers
from datamig_pipelines.spec import Migration
from datamig_pipelines.transfer.rows import lens

KEYS = {
    "pg_url": {
        "integer": ("-5", "0", "7"),
        "bigint": ("9223372036854775807", "1"),
        "text": ("'it''s'", "''", "E'tab\\there'", "'ünï'", "'back\\slash'"),
        "numeric(20,5)": ("1.50000", "-2", "3"),
        "date": ("'2020-01-31'", "'0044-03-15 BC'"),
        "timestamptz": ("'2020-01-31 10:00:00.123456+02'", "'1999-12-31'"),
        "uuid": (
            "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
            "'00000000-0000-0000-0000-000000000000'",
        ),
    },
    "mariadb_url": {
        "INT": ("-5", "0", "7"),
        "BIGINT UNSIGNED": ("18446744073709551615", "1"),
        "VARCHAR(40)": ("'it''s'", "''", "'a%b'", "'ünï'", "'back\\\\slash'"),
        "DECIMAL(20,5)": ("1.5", "-2"),
        "DATE": ("'2020-01-31'", "'1000-01-01'"),
        "DATETIME(6)": ("'2020-01-31 10:00:00.123456'", "'1999-12-31'"),
    },
    "sqlite_url": {
        "INT": ("-5", "0", "7", "'many'"),
        "TEXT": ("'it''s'", "''", "'ünï'", "X'00ff'"),
        "DECIMAL(9,2)": ("1.5", "-2", "'x'"),
    },
    "duckdb_url": {
        "INTEGER": ("-5", "0", "7"),
        "VARCHAR": ("'it''s'", "''", "'ünï'"),
        "DECIMAL(9,2)": ("1.5", "-2"),
        "DATE": ("'2020-01-31'", "'1000-01-01'"),
    },
}


@pytest.fixture
def migration(request, monkeypatch, tmp_path) -> Callable[..., Migration]:
    """Make one table per type, keyed by it, or by it and a number."""

    def make(engine: str, key: str) -> Migration:
        monkeypatch.setenv("READ_ROW_URL", request.getfixturevalue(engine))
        said = {
            "name": "m",
            "source": {"url_env": "READ_ROW_URL"},
            "target": {"url": f"sqlite:///{tmp_path / 'target.sqlite'}"},
            "tables": [
                {"name": f"t{at}", "key": key.split(", ")} for at, _ in enumerate(KEYS[engine])
            ],
        }
        made = Migration.model_validate(said).based(tmp_path)
        place = source_place(made)
        with closing(Session(place.dialect, place.url, readonly=False)) as session:
            for at, (kind, values) in enumerate(KEYS[engine].items()):
                columns = f"k {kind} NOT NULL, n INTEGER NOT NULL, PRIMARY KEY ({key})"
                session.query(f"CREATE TABLE t{at} ({columns})")
                for number, value in enumerate(values):
                    session.query(f"INSERT INTO t{at} VALUES ({value}, {number})")
        return made

    return make


@pytest.mark.parametrize("key", ["k", "k, n"])
@pytest.mark.parametrize("engine", KEYS)
def test_row_is_found_by_the_key_that_the_ledger_has(migration, engine, key):
    """Of all rows exactly the one whose key it is, byte by byte the same as in the whole stream."""
    made = migration(engine, key)
    place = source_place(made)
    routes = {r.source.name.name: r for r in look(made).context.routes}
    readers, _ = open_readers(place.dialect, place.url, 1)
    with closing(readers[0]) as reader:
        for at, (kind, values) in enumerate(KEYS[engine].items()):
            route = routes[f"t{at}"]
            every = [row for some in reader.stream_lists(route.read(None)) for row in some]
            keys = [lens(route).key(every, i) for i in range(len(every))]
            found = [
                [row for some in reader.stream_lists(route.read_row(k)) for row in some]
                for k in keys
            ]
            assert (kind, len(every), bool(route.key)) == (kind, len(values), True)
            assert (kind, found) == (kind, [[row] for row in every])
