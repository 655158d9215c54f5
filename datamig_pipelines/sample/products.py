"""Categories, suppliers, products and the images of products."""

import json
import struct
import zlib
from collections.abc import Iterator
from random import Random

from datamig_pipelines.sample.countries import COUNTRIES
from datamig_pipelines.sample.names import POOLS
from datamig_pipelines.sample.plan import TAIL, Plan, day, moment, token
from datamig_pipelines.sample.row import Row, Value
from datamig_pipelines.sample.texts import (
    COLOURS,
    SENTENCES,
    edge_or,
    paragraph,
    product_name,
)

TREE: dict[str, dict[str, tuple[str, ...]]] = {
    "Home & Garden": {
        "Kitchen": ("Kettles", "Knives", "Crème & Pâtisserie"),
        "Lighting": ("Lamps", "Candles"),
        "Garden": ("Seeds", "Gartenmöbel"),
    },
    "Clothing": {"Women": ("Coats", "Shoes"), "Men": ("Shirts", "Ties"), "Kids": ()},
    "Electronics": {"Audio": ("Headphones", "Hi-Fi"), "Computers": ("Keyboards", '19" racks')},
    "Books": {"日本語": ("漫画",), "Русский": ("Поэзия",), "English": ("Poetry", "Crime")},
    "Toys 🧸": {"Puzzles": (), "Board games": ("Chess",)},
    "Uncategorised": {},
}
"""The categories: three levels, and branches of different depths."""

CATEGORY_COUNT = sum(1 + len(kids) + sum(map(len, kids.values())) for kids in TREE.values())
FORMS = ("GmbH", "Ltd.", "S.à r.l.", "株式会社", "Sp. z o.o.", "& Söhne", "Inc.")
EDGE_WEIGHTS = (None, 0.0, 0.1, 1234.5678)
EDGE_CONTENTS = (None, b"", b"\x00", bytes(range(256)))
EDGE_ATTRIBUTES = (
    "{}",
    "[]",
    '{"a": null}',
    '{"big": 9007199254740993}',
    '{ "spaced" :  [ 1.50 ] }',
)


def category_rows(_: object) -> Iterator[Row]:
    """Yield the rows of `categories`, parents first."""
    number = 0

    def row(parent_id: int | None, name: str, position: int) -> Row:
        nonlocal number
        number += 1
        return number, parent_id, name, f"category-{number}", position

    for i, (top, kids) in enumerate(TREE.items()):
        yield row(None, top, i)
        top_id = number
        for j, (middle, leaves) in enumerate(kids.items()):
            yield row(top_id, middle, j)
            middle_id = number
            for k, leaf in enumerate(leaves):
                yield row(middle_id, leaf, k)


def supplier_rows(plan: Plan) -> Iterator[Row]:
    """Yield the rows of `suppliers`."""
    rng = plan.dice("suppliers")
    for number in range(1, plan.sizes.suppliers + TAIL + 1):
        country = rng.choice(COUNTRIES)
        yield (
            number,
            f"{rng.choice(POOLS[country.pool].family)} {rng.choice(FORMS)}",
            country.code,
            f"{country.code}{number:09d}" if number % 4 else None,
            rng.random() * 10 if number % 3 else None,
            day(rng),
        )


def product_rows(plan: Plan) -> Iterator[Row]:
    """Yield the rows of `products`."""
    rng = plan.dice("products")
    for number, (cents, active) in enumerate(zip(plan.prices, plan.active, strict=True), 1):
        yield (
            number,
            token(rng),
            f"{number:06d}-{rng.choice('ABCX')}",
            rng.randint(1, CATEGORY_COUNT),
            rng.randint(1, plan.sizes.suppliers) if rng.random() < 0.95 else None,
            product_name(rng),
            edge_or(number, paragraph(rng, SENTENCES, 6)),
            cents / 100,
            pick(EDGE_WEIGHTS, number, rng.randrange(1, 30_000) / 1000),
            int(active),
            pick(EDGE_ATTRIBUTES, number, attributes(rng)),
            day(rng) if rng.random() < 0.9 else None,
            moment(rng),
        )


def pick(edges: tuple[Value, ...], number: int, value: Value) -> Value:
    """Give the first rows, counted from 1, the special values; leave the value of the others."""
    return edges[number - 1] if number <= len(edges) else value


def attributes(rng: Random) -> str:
    """Draw the attributes of a product, as a JSON object."""
    found: dict[str, object] = {
        "colour": rng.choice(COLOURS),
        "sizes": rng.sample(("XS", "S", "M", "L", "XL"), rng.randrange(4)),
        "box": {"w": rng.randrange(1, 900) / 10, "h": rng.randrange(1, 90), "fragile": False},
    }
    if rng.random() < 0.3:
        found["quote"] = 'says "hi"\\\n'
    return json.dumps(found, ensure_ascii=rng.random() < 0.5)


def image_rows(plan: Plan) -> Iterator[Row]:
    """Yield the rows of `product_images`: none to two for each product."""
    rng = plan.dice("product_images")
    number = 0
    for product in range(1, plan.sizes.products + 1):
        for position in range(1, rng.choice((1, 1, 1, 2, 2, 0)) + 1):
            number += 1
            content = pick(EDGE_CONTENTS, number, content_of(rng))
            mime = "application/octet-stream" if number <= len(EDGE_CONTENTS) else "image/png"
            caption = product_name(rng) if number % 3 else None
            yield number, product, position, mime, content, caption


def content_of(rng: Random) -> bytes | None:
    """Draw the content of an image; some have none, and some are empty."""
    chance = rng.random()
    if chance < 0.05:
        return None
    return b"" if chance < 0.08 else png(rng.randbytes(192))


def png(pixels: bytes) -> bytes:
    """Make an image of 8 by 8 pixels, uncompressed so that every machine gives the same bytes."""
    lines = b"".join(b"\x00" + pixels[at : at + 24] for at in range(0, 192, 24))
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
