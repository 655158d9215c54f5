"""Events: a log without any key, in which equal rows occur."""

import json
from collections.abc import Iterator
from random import Random

from datamig_pipelines.sample.plan import Plan, moment
from datamig_pipelines.sample.row import Row

LEVELS = ("info", "info", "info", "info", "debug", "warning", "error")
SOURCES = ("web", "web", "app", "till", "lager-süd")
MESSAGES = (
    "page viewed",
    "cart changed",
    "login failed: bad password for 'admin'",
    "timeout after 30 s\n\tat shop.cart (cart.js:12)\n\tat main",
    "Zahlung bestätigt ✅",
    "",
)
TWIN = 20
"""One event in so many is an exact copy of the one before."""

EDGE_SESSIONS = (0, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63))


def event_rows(plan: Plan) -> Iterator[Row]:
    """Yield the rows of `events`."""
    rng = plan.dice("events")
    row: Row = ()
    for index in range(plan.sizes.events):
        if index % TWIN == 0 and row:
            yield row
            continue
        row = (
            moment(rng, fine=0.8),
            rng.choice(LEVELS),
            rng.choice(SOURCES),
            session(rng, index),
            rng.randint(1, plan.sizes.customers) if rng.random() < 0.6 else None,
            rng.choice(MESSAGES),
            payload(rng),
        )
        yield row


def session(rng: Random, index: int) -> int | None:
    """Draw a session number of 64 bits, or none; the first are at the edges."""
    if index < len(EDGE_SESSIONS):
        return EDGE_SESSIONS[index]
    return rng.getrandbits(63) if rng.random() < 0.9 else None


def payload(rng: Random) -> str | None:
    """Draw a JSON payload, or none."""
    if rng.random() < 0.5:
        return None
    return json.dumps({"ms": rng.randrange(5_000), "path": f"/p/{rng.randrange(4_000)}?q=ü&r=\\"})
