"""States are compared with those of backups that an earlier version made."""

from dataclasses import replace

from datamig_pipelines.backups import State, differences, strangers
from datamig_pipelines.backups.state import KNOWS

OLDER = State({}, {}, ("sequence s (aaaaaaaaaaaa)", "sequence gone (bbbbbbbbbbbb)"))
NOW = State({}, {}, ('collation t.name "C"', "sequence s (cccccccccccc)"), KNOWS)


def test_state_of_an_earlier_version_is_no_difference_by_itself() -> None:
    """It knew no collations and digested sequences otherwise; a sequence that is gone is told."""
    assert differences(OLDER, NOW) == ["sequence gone (bbbbbbbbbbbb) is missing"]
    assert strangers(OLDER, NOW) == []
    assert strangers(replace(OLDER, others=()), NOW) == ["sequence s (cccccccccccc)"]


def test_states_of_one_version_differ_in_what_that_knows() -> None:
    """A sequence that moved and a collation that went are differences."""
    later = replace(NOW, others=("sequence s (dddddddddddd)",))

    assert differences(NOW, later) == ['collation t.name "C" is missing', "sequence s is another"]
