"""Customers and their addresses."""

from collections.abc import Iterator
from datetime import date
from random import Random

from datamig_pipelines.sample.names import NICKNAMES, POOLS
from datamig_pipelines.sample.plan import Plan, day, moment
from datamig_pipelines.sample.row import Row

KINDS = ("home", "home", "work", "billing")
EXTRAS = (None, None, None, "", "c/o O'Neil & Sons", "3rd floor; ring twice", "Hinterhof\t2. Stock")
EARLIEST_BIRTH = date(1930, 1, 1)
LEAP_DAY = "2000-02-29"


def customer_rows(plan: Plan) -> Iterator[Row]:
    """Yield the rows of `customers`."""
    rng = plan.dice("customers")
    for number, country in enumerate(plan.homes, 1):
        yield (
            number,
            f"{country.pool}.{number}@{country.code.lower()}.example.com",
            POOLS[country.pool].person(rng),
            nickname(rng, number),
            country.code,
            birth_date(rng, number),
            f"+{rng.randrange(10**9, 10**12)}" if rng.random() < 0.6 else None,
            int(rng.expovariate(0.005)) if rng.random() < 0.7 else 0,
            int(rng.random() < 0.4),
            rng.randrange(5_000_000) / 100 if rng.random() < 0.3 else None,
            moment(rng),
        )


def nickname(rng: Random, number: int) -> str | None:
    """Draw a nickname; the first customers have all of them."""
    if number <= len(NICKNAMES):
        return NICKNAMES[number - 1]
    return rng.choice(NICKNAMES) if rng.random() < 0.2 else None


def birth_date(rng: Random, number: int) -> str | None:
    """Draw a date of birth, or none; the first is a leap day, the second before 1970."""
    if number <= 2:
        return LEAP_DAY if number == 1 else str(EARLIEST_BIRTH)
    return day(rng, EARLIEST_BIRTH, 28_000) if rng.random() < 0.8 else None


def address_rows(plan: Plan) -> Iterator[Row]:
    """Yield the rows of `addresses`."""
    rng = plan.dice("addresses")
    for number, owner in enumerate(plan.owners, 1):
        country = plan.homes[owner - 1]
        names = POOLS[country.pool]
        located = rng.random() < 0.7
        yield (
            number,
            owner,
            rng.choice(KINDS),
            names.street(rng),
            rng.choice(EXTRAS),
            rng.choice(names.cities),
            f"{rng.randrange(100_000):05d}" if rng.random() < 0.9 else None,
            country.code,
            round(rng.uniform(-90, 90), 6) if located else None,
            round(rng.uniform(-180, 180), 6) if located else None,
        )
