"""The ledger's tables are nobody's but its own."""

import pytest

from datamig_pipelines.catalog import is_ledger
from datamig_pipelines.dialects import DIALECTS
from datamig_pipelines.ledger.tables import ledger_tables


@pytest.mark.parametrize("engine", DIALECTS)
def test_every_ledger_table_is_known_as_one(engine):
    """A catalog shows none of them, so that none is moved, counted or taken for a stranger's."""
    names = [t.name for t in ledger_tables(DIALECTS[engine])]

    assert [n for n in names if not is_ledger(n)] == []
