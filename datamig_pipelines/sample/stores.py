"""Stores, their employees, and what they have in stock."""

from collections.abc import Iterator

from datamig_pipelines.sample.names import POOLS
from datamig_pipelines.sample.plan import Plan, day, moment
from datamig_pipelines.sample.row import Row

OPENINGS = ("09:00:00", "09:00:00", "08:30:00", "00:00:00", "23:59:59")
ROLES = ("clerk", "clerk", "clerk", "cashier", "porter", "Kassierer:in")


def store_rows(plan: Plan) -> Iterator[Row]:
    """Yield the rows of `stores`; employee N manages store N, but some have no manager."""
    rng = plan.dice("stores")
    for number, country in enumerate(plan.branches, 1):
        city = rng.choice(POOLS[country.pool].cities)
        yield (
            number,
            f"{country.code}-{number:04d}",
            f"Shop {city}",
            country.code,
            None if number % 4 == 0 else number,
            day(rng),
            rng.choice(OPENINGS),
        )


def employee_rows(plan: Plan) -> Iterator[Row]:
    """Yield the rows of `employees`; the head of a store answers to employee 1, others to it."""
    rng = plan.dice("employees")
    for number in range(1, plan.sizes.employees + 1):
        store = (number - 1) % plan.sizes.stores + 1
        head = number == store
        boss = 1 if head else store
        yield (
            number,
            store,
            None if number == 1 else boss,
            POOLS[plan.branches[store - 1].pool].person(rng),
            "manager" if head else rng.choice(ROLES),
            rng.randrange(1_500_000, 9_000_000) / 100 if rng.random() < 0.95 else None,
            day(rng),
        )


def inventory_rows(plan: Plan) -> Iterator[Row]:
    """Yield the rows of `inventory`: as many different products in each store."""
    rng = plan.dice("inventory")
    each = min(plan.sizes.products, plan.sizes.inventory // plan.sizes.stores)
    for store in range(1, plan.sizes.stores + 1):
        for product in sorted(rng.sample(range(1, plan.sizes.products + 1), each)):
            yield (
                store,
                product,
                rng.randrange(-5, 500),
                rng.randrange(50) if rng.random() < 0.6 else None,
                moment(rng, fine=0) if rng.random() < 0.7 else None,
            )
