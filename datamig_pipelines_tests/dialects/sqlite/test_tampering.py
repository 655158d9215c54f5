"""What can be harmed in SQLite, and what cannot."""

from datamig_pipelines_tests.dialects.sqlite.reads import table_of


def test_counter_that_the_rows_hold_up_cannot_be_set_back(session):
    """SQLite counts on from the highest row: without sqlite_sequence nothing comes twice."""
    session.query("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)")
    session.query("INSERT INTO t VALUES (1), (2)")
    held, harms = table_of(session, "t"), []
    harms.append(session.dialect.set_back(session, held, held.columns[0]))
    session.query("DELETE FROM t WHERE id = 2")
    harms.append(session.dialect.set_back(session, held, held.columns[0]))

    assert [harm is None for harm in harms] == [True, False]
