"""Which URLs are one database."""

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.spec.connection import address

SAME = [
    ("postgresql://localhost/d", "postgresql://me:pw@127.0.0.1:5432/d"),
    ("postgresql+psycopg2://[::1]/d", "postgresql://LOCALHOST/d?sslmode=require"),
    ("postgresql:///d?host=/var/run/postgresql", "postgresql://localhost/d"),
    ("postgresql://%2Fvar%2Frun%2Fpostgresql/d", "postgresql:///d"),
    ("postgresql://localhost/d?port=5433", "postgresql://127.0.0.1:5433/d"),
    ("postgresql://d@localhost", "postgresql://d@localhost/d"),
    ("mysql+pymysql://localhost/d", "mysql://127.0.0.1:3306/d"),
    ("mysql:///d?unix_socket=/run/mysqld/mysqld.sock", "mysql://localhost/d"),
    ("postgresql://DB.example/d", "postgresql://db.example:5432/d"),
]
OTHER = [
    ("postgresql://localhost/d", "postgresql://localhost:5433/d"),
    ("postgresql://localhost/d", "postgresql://localhost/e"),
    ("postgresql://localhost/d", "postgresql://db.example/d"),
    ("postgresql:///d?host=/tmp/mine", "postgresql://localhost/d"),
    ("mysql:///d?unix_socket=/tmp/mine.sock", "mysql://localhost/d"),
    ("mysql://localhost/d", "postgresql://localhost/d"),
    ("sqlite:////a", "sqlite:////b"),
]


@pytest.mark.parametrize(("one", "two"), SAME)
def test_address_is_the_same_for_aliases(one, two):
    """Host aliases, usual ports and sockets, drivers, users and options make no other database."""
    assert address(make_url(one)) == address(make_url(two))


@pytest.mark.parametrize(("one", "two"), OTHER)
def test_address_differs_for_others(one, two):
    """Port, database, host, an unusual socket, engine and file do."""
    assert address(make_url(one)) != address(make_url(two))
