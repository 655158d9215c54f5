"""Where a database is."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from datamig_pipelines.spec import Connection


@pytest.mark.parametrize("said", [{}, {"url": "sqlite:///a", "url_env": "A"}])
def test_exactly_one_of_url_and_url_env_is_needed(said):
    """Neither or both is refused."""
    with pytest.raises(ValidationError, match="write either url or url_env"):
        Connection.model_validate(said)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///a.db", "/base/a.db"),
        ("sqlite:////abs/a.db", "/abs/a.db"),
        ("duckdb:///x/../a.db", "/base/a.db"),
        ("postgresql://h/a.db", "a.db"),
        ("sqlite:///:memory:", ":memory:"),
    ],
)
def test_file_is_relative_to_the_yaml_file(url, expected):
    """Files are relative to the folder of the YAML file, databases of servers are names."""
    assert Connection(url=url).resolve(Path("/base")).database == expected


def test_schema_is_written_schema():
    """The YAML key is ``schema``; Python calls it schema_name."""
    assert Connection.model_validate({"url": "sqlite:///a", "schema": "*"}).schema_name == "*"
