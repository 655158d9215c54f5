"""Where a database is."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy.engine import make_url

from datamig_pipelines.errors import MissingSecretError
from datamig_pipelines.spec import Connection, Migration
from datamig_pipelines.spec.text import spec_text


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


def test_connection_elsewhere_is_written_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration can be given another target; its URL is in no dump, no text and no repr of it."""
    monkeypatch.delenv("NOWHERE_URL", raising=False)
    ends = {"source": {"url": "sqlite:///s.db"}, "target": {"url_env": "NOWHERE_URL"}}
    migration = Migration.model_validate({"name": "m", **ends}).based(tmp_path)
    url = make_url("postgresql://me:geheim@host/scratch")
    moved = migration.elsewhere(url, tmp_path / "there").model_copy(update={"workers": 3})

    assert moved.target_url() == url
    assert moved.home == tmp_path / "there"
    texts = (moved.model_dump_json(), repr(moved), str(moved), spec_text(moved))
    assert not any("geheim" in text or "host/" in text for text in texts)
    with pytest.raises(MissingSecretError):
        migration.target_url()
