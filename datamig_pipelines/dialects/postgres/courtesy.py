"""What a load does for the server's other users: it does not block them, it watches replicas."""

from typing import Final

from datamig_pipelines.dialects.base import Queryable

LOCK_TIMEOUT_S: Final = 30.0
"""Whoever waits for a lock holds up everybody who comes after it: not for ever, then."""


def set_limits(
    session: Queryable, lock_timeout_s: float | None, statement_timeout_s: float | None
) -> None:
    """Set both timeouts of a session; 0 would be none, so nothing is rounded down to it."""
    lock_ms = max(1, round((lock_timeout_s or LOCK_TIMEOUT_S) * 1000))
    statement_ms = max(1, round(statement_timeout_s * 1000)) if statement_timeout_s else 0
    session.query(f"SET lock_timeout = {lock_ms}; SET statement_timeout = {statement_ms}")


def replication_lag_s(session: Queryable) -> float | None:
    """Return the largest replay lag of the streaming replicas, 0 where they follow or are none.

    A user without pg_read_all_stats (or pg_monitor) sees that there are replicas and no more: None.
    """
    found = session.query(
        "SELECT count(*), count(state), EXTRACT(epoch FROM max(replay_lag)) "
        "FROM pg_stat_replication"
    )
    replicas, seen, lag_s = found[0]
    if replicas and not seen:
        return None
    return float(lag_s or 0)
