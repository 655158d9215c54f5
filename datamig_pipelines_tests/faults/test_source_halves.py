"""What does less in a PostgreSQL source than it seems to: the plan says what becomes of it."""

import pytest

from datamig_pipelines import running
from datamig_pipelines_tests.faults.conftest import send
from datamig_pipelines_tests.scenarios.conftest import Going, going

__all__ = ["going"]

MADE = (
    'CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT COLLATE "POSIX", score INTEGER)',
    "CREATE UNLOGGED TABLE notes (id INTEGER PRIMARY KEY, person_id INTEGER)",
    "CREATE TABLE calls (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES people)",
    "CREATE TABLE mails (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES people)",
    "INSERT INTO people VALUES (1, 'Ada', 5)",
    "INSERT INTO calls VALUES (1, 1)",
    "ALTER TABLE people ADD CONSTRAINT scored CHECK (score > 0) NOT VALID",
    "ALTER TABLE notes ADD CONSTRAINT of_person CHECK (person_id > 0) NOT VALID",
    "ALTER TABLE calls DISABLE TRIGGER ALL",
    "ALTER TABLE mails DISABLE TRIGGER ALL",
    "INSERT INTO mails VALUES (1, 77)",
    "CREATE TABLE visits (id INTEGER PRIMARY KEY, person_id INTEGER)",
    "ALTER TABLE visits ADD CONSTRAINT who FOREIGN KEY (person_id) REFERENCES people NOT VALID",
)
SAID = (
    "people: the check scored leaves old rows alone there (NOT VALID); here every row is checked",
    "notes is unlogged there; here it outlives a crash",
    "visits: foreign key (person_id) to public.people leaves old rows alone there (NOT VALID)",
    "calls: foreign key (person_id) to public.people is switched off there",
    "mails: foreign key (person_id) to public.people is broken in the source itself",
    '1 collation not moved by this version: public.people.name "POSIX"',
)


@pytest.mark.parametrize("target", ["pg_url", "sqlite_url"])
def test_half_things_of_the_source_are_told_and_proven(
    going: Going, pg_url2: str, target: str, request: pytest.FixtureRequest
) -> None:
    """They are made whole in the target, or left behind; both is a line of the plan."""
    send(pg_url2, *MADE)
    journey = going(pg_url2, request.getfixturevalue(target), backup={"verify": "none"})

    notes = "\n".join(running.look(journey.migration).context.notes)
    journey.run()

    assert [line for line in SAID if line not in notes] == []
    assert set(journey.verdicts()) == {"equal"}
