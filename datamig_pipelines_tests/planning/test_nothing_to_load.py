"""Tables of which nothing can be loaded."""

from dataclasses import replace

import pytest
import yaml

from datamig_pipelines.catalog import Column
from datamig_pipelines.errors import PlanError
from datamig_pipelines_tests.planning.engines import INTEGER, plan, table

ID = Column("id", INTEGER, nullable=False)


def test_tables_without_a_column_to_load_are_named_with_the_line_that_leaves_them_out():
    """All at once, with what is left out already; with that line there is a plan."""
    made = replace(ID, generated="1 + 1")
    tables = [table("t", ID), table("g[1]", made), table("x", ID)]
    tables.append(replace(table("none", ID), columns=()))
    with pytest.raises(PlanError, match=r"public\.g\[1\], public\.none") as caught:
        plan(*tables, exclude=["x"])
    line = yaml.safe_load(caught.value.hint.split("`")[1])

    assert [str(r.target.name) for r in plan(*tables, **line).context.routes] == ["public.t"]
