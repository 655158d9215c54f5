"""States are compared with those of backups that an earlier version made."""

from dataclasses import replace

from datamig_pipelines.backups import State, differences, strangers
from datamig_pipelines.backups.state import KNOWS

OLDEST = State({}, {}, ("sequence s (aaaaaaaaaaaa)", "sequence gone (bbbbbbbbbbbb)"))
OLDER = replace(
    OLDEST,
    others=('collation t.name "C"', "sequence s (dddddddddddd)", "sequence gone (bbbbbbbbbbbb)"),
    knows=("collation", "sequence"),
)
NOW = State(
    {},
    {},
    ('collation t.name "C"', "sequence s (cccccccccccc)"),
    KNOWS,
    {"sequence s": (5, 5)},
)


def test_state_of_an_earlier_version_is_no_difference_by_itself() -> None:
    """It knew no collations and digested sequences otherwise; a sequence that is gone is told."""
    assert differences(OLDEST, NOW) == ["sequence gone (bbbbbbbbbbbb) is missing"]
    assert strangers(OLDEST, NOW) == []
    assert strangers(replace(OLDEST, others=()), NOW) == ["sequence s (cccccccccccc)"]
    assert differences(OLDER, NOW) == ["sequence gone (bbbbbbbbbbbb) is missing"]
    assert strangers(OLDER, NOW) == []


def test_states_of_one_version_differ_in_what_that_knows() -> None:
    """A sequence of another definition, one that moved and a collation that went are told."""
    later = replace(NOW, others=("sequence s (dddddddddddd)",), counters={"sequence s": (6, 6)})

    assert differences(NOW, later) == [
        'collation t.name "C" is missing',
        "sequence s is another",
        "sequence s stands at 6, 5 before",
    ]
