# ruff: noqa: RUF001 - characters that look like others are the point
"""Texts of products, orders and reviews, with the characters that often break a migration."""

from random import Random

EDGE_TEXTS: tuple[str | None, ...] = (
    None,
    "",
    " ",
    "two\nlines",
    "windows\r\nlines\r\n",
    "tab\tbetween\tcolumns",
    "back\\slash, \\n is not a newline, C:\\new\\table",
    "\\N",
    "NULL",
    "it's \"quoted\", `ticked` and ''doubled''",
    'a,"b;c"|d',
    "100% of %s and {braces} and ${money} and :name and ?",
    "'; DROP TABLE products; --",
    '<p class="x">Tom &amp; Jerry</p>',
    "  spaces at both ends  ",
    "no-break\u00a0space, zero\u200bwidth, soft\u00adhyphen",
    "right to left: \u200fשלום\u200f and back",
    "combining e\u0301 and composed \u00e9",
    "emoji 👩🏽‍🚀 🏳️‍🌈 and 𝒎𝒂𝒕𝒉 beyond the basic plane",
    "\ufefftext after a byte order mark",
    "long: " + "0123456789 " * 400,
)
"""Texts given in turn to the first rows of a table, so that each occurs at every scale."""

LOOKS = (
    "Plain", "Sturdy", "Crème", "Läcker", "Mini", "Folding", "Très chic", "Noir", "Łagodny", "大",
)  # fmt: skip
THINGS = (
    "lamp", "kettle", "jacket", "puzzle", "notebook", "teapot", "Fußball", "smörgås board", "茶碗",
    "саморез", "umbrella", "toolbox", "headphones", "rug", "mug ☕",
)  # fmt: skip
SENTENCES = (
    "Made to last.",
    "Do not wash above 40\u00a0°C.",
    'Fits 19" racks.',
    "Includes:\n\t- one bag\n\t- two screws",
    "It's \"the best\" we've had.",
    "Path on the disc: D:\\manual\\index.html",
    "Größe: ½ m × ¾ m.",
    "日本製。",
    "Ships in 24h; returns in 30 days.",
)
OPINIONS = (
    "Good value.",
    "Broke after a week :-(",
    "Très bien !",
    "Отлично",
    "最高です👍",
    "ممتاز",
    "Would buy again.\nReally.",
    '5/5 "stars"',
    "meh",
)
NOTES = ("", "Leave at the neighbour's", "Gift 🎁 — no invoice", "Ring\n2×", "Rabatt 5\u00a0%")
COLOURS = ("red", "grün", "bleu", "黒", "blanc cassé", "navy")


def edge_or(number: int, text: str | None) -> str | None:
    """Give the first rows, counted from 1, the special texts; leave the text of the others."""
    return EDGE_TEXTS[number - 1] if number <= len(EDGE_TEXTS) else text


def product_name(rng: Random) -> str:
    """Draw the name of a product."""
    return f"{rng.choice(LOOKS)} {rng.choice(THINGS)} {rng.randrange(100, 1000)}"


def paragraph(rng: Random, phrases: tuple[str, ...], most: int) -> str:
    """Draw some sentences, from one to `most` of them."""
    return " ".join(rng.choices(phrases, k=rng.randint(1, most)))
