"""What a file says, without how it says it."""

from datamig_pipelines.spec import Migration
from datamig_pipelines.spec.text import read_text, spec_sum, spec_text, text_changes

SAID = {
    "name": "m",
    "source": {"url": "sqlite:///s.sqlite"},
    "target": {"url_env": "TARGET"},
}


def text(**more: object) -> str:
    """Return the text of a migration with further attributes."""
    return spec_text(Migration.model_validate({**SAID, **more}))


def test_text_does_not_depend_on_defaults() -> None:
    """What is written out though it is the default says nothing new."""
    assert text() == text(batch_size=50_000, workers=2, validate={})
    assert spec_sum(text()) == spec_sum(text(batch_size=50_000))
    assert spec_sum(text()) != spec_sum(text(batch_size=1))


def test_text_can_be_read_back() -> None:
    """The words are those of the file: validate, schema, after."""
    said = {"validate": {"proofs": ["row_count"]}, "after": "x", "include": ["a"]}

    assert read_text(text(**said)) == {**SAID, **said}
    assert read_text("") == {}


def test_text_masks_what_looks_like_a_secret() -> None:
    """A file holds no password; what looks like one in a condition is masked all the same."""
    where = "dsn <> 'postgresql://me:hunter22@h/d'"

    assert "hunter22" not in text(tables=[{"name": "t", "where": where}])


def test_changes_are_lines_that_went_and_came() -> None:
    """Only these, in their order; lines that begin with dashes are no headers."""
    before, after = text(include=["a", "b"]), text(include=["a", "c"], batch_size=7)

    assert text_changes(before, before) == []
    assert sorted(text_changes(before, after)) == ["+ - c", "+ batch_size: 7", "- - b"]
