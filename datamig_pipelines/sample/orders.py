"""Orders with their lines and payments."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from datamig_pipelines.sample.plan import DAYS, START, Plan, token
from datamig_pipelines.sample.row import Row
from datamig_pipelines.sample.texts import NOTES, edge_or

STATUSES = ("new", "paid", "shipped", "delivered", "returned", "cancelled")
WEIGHTS = (3, 5, 7, 76, 4, 5)
METHODS = ("card", "card", "card", "transfer", "wallet", "cash")
UNPAID = ("new", "cancelled")
GAP = 50
"""One number in so many is missing from the ids of orders."""


@dataclass(frozen=True)
class Basket:
    """An order with its lines and payments."""

    order: Row
    lines: list[Row]
    payments: list[Row]


def baskets(plan: Plan) -> Iterator[Basket]:
    """Yield the orders in the order of time; the total of each is the sum of its lines."""
    rng = plan.dice("orders")
    choice = [number for number, active in enumerate(plan.active, 1) if active]
    numbers = [1000] * plan.sizes.stores
    step = DAYS * 86_400 // plan.sizes.orders
    for index in range(plan.sizes.orders):
        order_id = index + index // (GAP - 1) + 1
        store = rng.randrange(plan.sizes.stores)
        numbers[store] += 1
        placed = START + timedelta(seconds=index * step + rng.randrange(max(step, 1)))
        status = STATUSES[index] if index < 6 else rng.choices(STATUSES, WEIGHTS)[0]
        lines, cents = lines_of(rng, order_id, plan, choice, status)
        customer, address = receiver(rng, plan)
        order = (
            order_id,
            store + 1,
            numbers[store],
            customer,
            address,
            status,
            cents / 100,
            plan.branches[store].currency,
            edge_or(index + 1, rng.choice(NOTES) if rng.random() < 0.2 else None),
            str(placed),
        )
        yield Basket(order, lines, payments_of(rng, order_id, status, cents, placed))


def receiver(rng: Random, plan: Plan) -> tuple[int, int | None]:
    """Draw a customer and the address to ship to, or a customer who picks up."""
    if rng.random() < 0.1:
        return rng.randint(1, plan.sizes.customers), None
    address = rng.randrange(len(plan.owners))
    return plan.owners[address], address + 1


def lines_of(
    rng: Random, order_id: int, plan: Plan, choice: list[int], status: str
) -> tuple[list[Row], int]:
    """Draw the lines of an order and their sum in cents; a cancelled order may have none."""
    if status == "cancelled" and order_id % 2 == 0:
        return [], 0
    lines: list[Row] = []
    total = 0
    for line_no in range(1, min(int(rng.expovariate(0.5)), 11) + 2):
        product = rng.choice(choice)
        cents = plan.prices[product - 1]
        quantity = 1 if rng.random() < 0.7 else rng.randint(2, 9)
        discount = cents // 10 if rng.random() < 0.1 else 0
        total += cents * quantity - discount
        lines.append((order_id, line_no, product, quantity, cents / 100, discount / 100))
    return lines, total


def payments_of(rng: Random, order_id: int, status: str, cents: int, placed: datetime) -> list[Row]:
    """Draw the payments of an order: one or two, and a negative one if it was returned."""
    if status in UNPAID:
        return []
    first = cents // 3 if rng.random() < 0.05 else cents
    amounts = [first] if first == cents else [first, cents - first]
    if status == "returned":
        amounts.append(-cents)
    return [payment(rng, order_id, amount, placed) for amount in amounts]


def payment(rng: Random, order_id: int, cents: int, placed: datetime) -> Row:
    """Draw a payment; its id is left to the database."""
    method = rng.choice(METHODS)
    details = None
    if method == "card":
        details = json.dumps({"last4": f"{rng.randrange(10_000):04d}", "3ds": rng.random() < 0.5})
    late = timedelta(seconds=rng.randrange(90_000), microseconds=rng.randrange(1_000_000))
    return None, order_id, method, cents / 100, token(rng), details, str(placed + late)
