"""What becomes of columns: casts."""

import re

import pytest

from datamig_pipelines.catalog import Catalog, Column
from datamig_pipelines.errors import SpecError
from datamig_pipelines_tests.planning.engines import INTEGER, plan, table

ID = Column("id", INTEGER, nullable=False)


@pytest.mark.parametrize("to", ["intger", "intger[]", "x.intger(3)"])
def test_cast_to_a_type_that_the_target_lacks_is_refused(to):
    """A slip of the pen in ``casts`` is found before anything is touched."""
    here = Catalog("X", "1", types=("int4", "mood"))

    with pytest.raises(SpecError, match=re.escape(f"PostgreSQL has no type {to!r}")):
        plan(table("t", ID), casts=[{"when": {"type": "integer"}, "to": to}], here=here)


@pytest.mark.parametrize("to", ["mood", 'public."mood"', "mood[]", "varchar(9)", "bigint"])
def test_cast_to_a_type_of_the_target_is_taken(to):
    """Types that somebody made in the target are types."""
    here = Catalog("X", "1", types=("int4", "mood"))

    made = plan(table("t", ID), casts=[{"when": {"type": "integer"}, "to": to}], here=here)

    assert any(f"becomes {to}" in n for n in made.context.notes)
