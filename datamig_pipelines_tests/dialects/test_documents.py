"""Documents have one form, whoever wrote them; PostgreSQL's jsonb is the judge of what is equal."""

import json

import psycopg
import pytest

from datamig_pipelines.dialects.documents import document, is_document

ALIKE = (
    ('{"b": 1, "aa": [1, 2]}', '{"aa":[1,2],"b":1}'),
    ("1.50", "1.5"),
    ("1e2", "100"),
    ("-0.0", "0"),
    ("12E-3", "0.012"),
    ("1e300", "1" + "0" * 300),
    ("0.00001", "1e-5"),
    ('"\\u00e9\\/"', '"é/"'),
    (" [ true , null ] ", "[true,null]"),
    ('{"é": {"z": [], "y": {}}}', '{"\\u00e9":{"y":{},"z":[]}}'),
)
APART = (
    ("1", '"1"'),
    ("1", "1.0000000000000000001"),
    ("123456789012345678901", "123456789012345678902"),
    ("1e-400", "0"),
    ("1e100", "1e101"),
    ("-1", "1"),
    ("[1,2]", "[2,1]"),
    ("[]", "{}"),
    ("null", '"null"'),
    ("true", '"true"'),
    ('{"a": null}', "{}"),
    ('{"a,b": 1}', '{"a": 1, "b": 1}'),
    ('"a"', '"a "'),
)


@pytest.mark.parametrize(("one", "two"), ALIKE)
def test_documents_that_differ_in_writing_only_have_one_form(one, two):
    """The order of keys, blanks, escapes and the way a number is written do not count."""
    assert document(one) == document(two)


@pytest.mark.parametrize(("one", "two"), APART)
def test_other_documents_have_other_forms(one, two):
    """A number's value, its being a number, the order of a list and every text count."""
    assert document(one) != document(two)


def test_form_agrees_with_jsonb(pg_url):
    """What PostgreSQL calls the same jsonb has the same form, and so has what it writes of it."""
    asked = "SELECT %s::jsonb = %s::jsonb, %s::jsonb::text"
    with psycopg.connect(pg_url.replace("+psycopg", "")) as there:
        for one, two in (*ALIKE, *APART):
            same, shown = there.execute(asked, (one, two, one)).fetchone()
            assert (document(one) == document(two)) is same
            assert document(shown) == document(one)


def test_form_is_a_document_and_has_itself_for_a_form():
    """A repair may write it as a literal."""
    for text in {t for pair in (*ALIKE, *APART) for t in pair}:
        form = document(text)
        assert document(form) == form
        json.loads(form)


UNREADABLE = ("", "{", "NaN", "[Infinity]", "nonsense", "[" * 100_000, '[{"a": 1, "\\u0061": 2}]')


@pytest.mark.parametrize("text", UNREADABLE)
def test_text_that_cannot_be_read_stays_as_it_is(text):
    """It is no document, and no error either; of a key that comes twice, jsonb loses a value."""
    assert (document(text), is_document(text)) == (text, False)
