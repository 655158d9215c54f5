"""Reviews of products by customers."""

from collections.abc import Iterator

from datamig_pipelines.sample.plan import TAIL, Plan, moment
from datamig_pipelines.sample.row import Row
from datamig_pipelines.sample.texts import OPINIONS, edge_or, paragraph


def review_rows(plan: Plan) -> Iterator[Row]:
    """Yield the rows of `reviews`; no customer reviews a product twice."""
    rng = plan.dice("reviews")
    pairs = range(plan.sizes.products * plan.sizes.customers)
    chosen = rng.sample(pairs, plan.sizes.reviews + TAIL)
    for number, pair in enumerate(chosen, 1):
        product, customer = divmod(pair, plan.sizes.customers)
        text = rng.choice((None, "", paragraph(rng, OPINIONS, 5), paragraph(rng, OPINIONS, 9)))
        yield (
            number,
            product + 1,
            customer + 1,
            rng.choices((1, 2, 3, 4, 5), (1, 1, 2, 5, 8))[0],
            rng.choice((None, "", *OPINIONS)),
            edge_or(number, text),
            moment(rng),
        )
