"""What a load does for the server's other users.

Replicas cannot be watched from here: a primary knows who they are, not how far they are.
"""

from math import ceil

from datamig_pipelines.dialects.base import Queryable
from datamig_pipelines.dialects.mysql.driver import is_mariadb


def set_limits(
    session: Queryable, lock_timeout_s: float | None, statement_timeout_s: float | None
) -> None:
    """Set both timeouts of a session, in whole seconds; MySQL limits its SELECTs only."""
    if lock_timeout_s:
        seconds = ceil(lock_timeout_s)
        session.query(
            f"SET SESSION lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds}"
        )
    if statement_timeout_s:
        if is_mariadb(str(session.query("SELECT VERSION()")[0][0])):
            session.query(f"SET SESSION max_statement_time = {statement_timeout_s}")
        else:
            session.query(f"SET SESSION max_execution_time = {ceil(statement_timeout_s * 1000)}")
