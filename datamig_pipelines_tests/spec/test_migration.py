"""What the root of a file decides."""

import pytest
from pydantic import ValidationError

from datamig_pipelines.errors import MissingSecretError, UnknownEngineError
from datamig_pipelines.spec import Migration

ENDS = {"source": {"url": "sqlite:///a.db"}, "target": {"url": "sqlite:///b.db"}}


def made(**attributes) -> Migration:
    return Migration.model_validate({"name": "shop", **ENDS, **attributes})


@pytest.mark.parametrize(
    ("attributes", "names", "expected"),
    [
        ({}, ("public.t", "t"), True),
        ({"exclude": ["t*"]}, ("public.t", "t"), False),
        ({"include": ["public.*"]}, ("public.t", "t"), True),
        ({"include": ["T"]}, ("public.t", "t"), False),
        ({"include": ["other"], "tables": [{"name": "t"}]}, ("public.t", "t"), True),
        ({"exclude": ["t*"], "tables": [{"name": "t"}]}, ("public.t", "t"), True),
    ],
)
def test_wants_a_table(attributes, names, expected):
    """A table is moved if it is included and not excluded, or has a paragraph of its own."""
    assert made(**attributes).wants(*names) is expected


def test_table_spec_is_found_by_either_name():
    """A paragraph may call its table with or without its schema."""
    migration = made(tables=[{"name": "public.t"}, {"name": "u"}])

    found = [migration.table_spec("public.t", "t"), migration.table_spec("public.u", "u")]

    assert [t.name for t in found if t] == ["public.t", "u"]


@pytest.mark.parametrize("name", ["", "1st", "a-b", "a b", "ä"])
def test_name_is_an_identifier(name):
    """Assets and jobs are called by the name, so it has letters, digits and _ only."""
    with pytest.raises(ValidationError):
        made(name=name)


def test_secret_that_is_not_set_is_named(monkeypatch):
    """A missing environment variable is an error that names the variable and the side."""
    monkeypatch.delenv("NOT_SET", raising=False)
    migration = made(source={"url_env": "NOT_SET"})

    with pytest.raises(MissingSecretError, match="NOT_SET") as caught:
        migration.source_url()

    assert caught.value.where == "shop: source"


def test_url_put_into_url_env_does_not_show_its_password(monkeypatch):
    """Who writes a URL where a name belongs does not see the password again in the message."""
    migration = made(source={"url_env": "postgresql://u:hunter2@h/d"})

    with pytest.raises(MissingSecretError) as caught:
        migration.source_url()

    assert "hunter2" not in str(caught.value)


def test_environment_variable_that_is_no_url_is_refused(monkeypatch):
    """What is no URL is refused without being repeated."""
    monkeypatch.setenv("NO_URL", "hunter2")

    with pytest.raises(UnknownEngineError) as caught:
        made(source={"url_env": "NO_URL"}).source_url()

    assert "hunter2" not in str(caught.value)


def test_home_is_below_what_the_environment_says(monkeypatch, tmp_path):
    """DATAMIG_HOME decides where plans and reports go."""
    monkeypatch.setenv("DATAMIG_HOME", str(tmp_path))

    assert made().home == tmp_path / "shop"


def test_models_are_frozen():
    """Nobody changes a spec on its way."""
    with pytest.raises(ValidationError, match="frozen"):
        made().batch_size = 5  # type: ignore[misc]
