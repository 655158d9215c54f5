"""The plan of a sample database: how many rows, and the facts that several tables share."""

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from random import Random
from uuid import UUID

from datamig_pipelines.sample.countries import COUNTRIES, Country

START = datetime(2019, 1, 1)  # noqa: DTZ001 - the shop's columns know no time zones
DAYS = 2500
"""Everything happens in the DAYS after START."""

TAIL = 3
"""Rows that are written and deleted again at the end of some tables."""

EDGE_PRICES = (0, 1, 10, 9_999_999_999)
"""Prices, in cents, of the first products: nothing, the least, a round one, the most."""


@dataclass(frozen=True)
class Sizes:
    """How many rows the tables have; the others follow from these."""

    customers: int
    suppliers: int
    products: int
    stores: int
    employees: int
    orders: int
    inventory: int
    reviews: int
    events: int

    @classmethod
    def scaled(cls, scale: float) -> "Sizes":
        """Scale the numbers, but keep enough rows for every special case to occur."""
        if not (math.isfinite(scale) and scale > 0):
            raise ValueError(f"scale must be a positive number, not {scale}")
        return cls(
            customers=max(60, round(20_000 * scale)),
            suppliers=max(10, round(200 * scale)),
            products=max(40, round(4_000 * scale)),
            stores=max(4, round(60 * scale)),
            employees=max(12, round(1_200 * scale)),
            orders=max(100, round(50_000 * scale)),
            inventory=max(40, round(30_000 * scale)),
            reviews=max(60, round(22_000 * scale)),
            events=max(60, round(60_000 * scale)),
        )


@dataclass(frozen=True)
class Plan:
    """The sizes, the seed, and facts drawn once because several tables need them."""

    sizes: Sizes
    seed: int

    @classmethod
    def make(cls, scale: float, seed: int) -> "Plan":
        """Make the plan of a database."""
        return cls(Sizes.scaled(scale), seed)

    def dice(self, name: str) -> Random:
        """Start the random numbers of one table, which no other table can disturb."""
        return Random(f"{self.seed}:{name}")

    @cached_property
    def homes(self) -> list[Country]:
        """The country of each customer; every country occurs."""
        rest = self.sizes.customers + TAIL - len(COUNTRIES)
        return [*COUNTRIES, *self.dice("homes").choices(COUNTRIES, k=rest)]

    @cached_property
    def owners(self) -> list[int]:
        """The customer of each address; a customer has none to three."""
        numbers = self.dice("owners").choices((0, 1, 2, 3), (1, 4, 4, 1), k=self.sizes.customers)
        return [owner for owner, times in enumerate(numbers, 1) for _ in range(times)]

    @cached_property
    def prices(self) -> list[int]:
        """The price of each product, in cents."""
        rng = self.dice("prices")
        rest = self.sizes.products - len(EDGE_PRICES)
        return [*EDGE_PRICES, *(price(rng) for _ in range(rest))]

    @cached_property
    def active(self) -> list[bool]:
        """Whether each product can be ordered; those with special prices cannot."""
        rng = self.dice("active")
        rest = self.sizes.products - len(EDGE_PRICES)
        return [False] * len(EDGE_PRICES) + [True, *(rng.random() < 0.9 for _ in range(rest - 1))]

    @cached_property
    def branches(self) -> list[Country]:
        """The country of each store."""
        return self.dice("branches").choices(COUNTRIES, k=self.sizes.stores)


def price(rng: Random) -> int:
    """Draw a price in cents: mostly small, often just below a round one."""
    cents = int(rng.lognormvariate(7.8, 1.0)) + 50
    return cents // 100 * 100 + 99 if rng.random() < 0.6 else cents


def day(rng: Random, first: date = START, days: int = DAYS) -> str:
    """Draw a date, as 'YYYY-MM-DD'."""
    return f"{first + timedelta(days=rng.randrange(days)):%Y-%m-%d}"


def moment(rng: Random, fine: float = 0.3) -> str:
    """Draw a timestamp, to the microsecond with probability `fine`, else to the second."""
    seconds = rng.randrange(DAYS * 86_400)
    micros = rng.randrange(1, 1_000_000) if rng.random() < fine else 0
    return str(START + timedelta(seconds=seconds, microseconds=micros))


def token(rng: Random) -> str:
    """Draw a random UUID, in its usual 36 characters."""
    return str(UUID(int=rng.getrandbits(128), version=4))
