"""The portable text of a value: the same on every engine, for proofs.

Done on Python values, column by column: for SQLite, and for rows that a transform made.
"""

import re
import struct
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.parsing import TEXTS
from datamig_pipelines.dialects.reading import Cell

Canon = Callable[[Cell], str]
"""From a value that is not NULL to its portable text."""

TRUE: Final = frozenset({"t", "true", "y", "yes", "on", "1"})
FALSE: Final = frozenset({"f", "false", "n", "no", "off", "0"})
_NUMBER: Final = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?\s*", re.ASCII)
_NOT_FINITE: Final = {
    "nan": "NaN",
    "inf": "Infinity",
    "infinity": "Infinity",
    "+infinity": "Infinity",
    "-inf": "-Infinity",
    "-infinity": "-Infinity",
}
_STAMP: Final = re.compile(
    r"\s*(\d{4,6})-(\d{1,2})-(\d{1,2})"
    r"(?:[ T]+(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d*))?)?)?"
    r"\s*(Z|UTC|[+-]\d\d(?::?\d\d)?)?\s*",
    re.IGNORECASE,
)
_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CLOCK: Final = re.compile(r"\s*([+-]?)(\d+):(\d\d)(?::(\d\d)(?:[.,](\d*))?)?\s*")


def canon(held: Type, compare: Kind) -> Canon:
    """Return the function that brings the values of one column into their portable text."""
    if held.kind is Kind.BITS and compare in {Kind.BITS, Kind.TEXT}:
        width = held.length or 0
        return lambda v: format(v, f"0{width}b") if type(v) is int else plain(v)
    if held.kind is Kind.FLOAT and held.bits == 32 and compare is Kind.FLOAT:
        return floating32
    if compare in {Kind.TEXT, Kind.JSON, Kind.ENUM, Kind.SET} and held.kind is Kind.BOOLEAN:
        return boolean
    if compare in {Kind.TEXT, Kind.JSON} and held.kind is Kind.DECIMAL:
        return rendered_number
    own = _OF_TEXT if held.kind in TEXTS else _BY_KIND
    return own.get(compare) or _BY_KIND.get(compare, plain)


def plain(value: Cell) -> str:
    """Return text as it is, numbers as Python writes them, bytes as hex."""
    if type(value) is str:
        return value
    return value.hex() if isinstance(value, bytes) else str(value)


def char(value: Cell) -> str:
    """Return text without trailing blanks."""
    return plain(value).rstrip(" ")


def boolean(value: Cell) -> str:
    """Return ``true`` or ``false``; what is neither stays as it is."""
    if value == 1:
        return "true"
    if value == 0:
        return "false"
    text = plain(value)
    word = text.strip().lower()
    return "true" if word in TRUE else "false" if word in FALSE else text


def integer(value: Cell) -> str:
    """Return the digits of an integer."""
    return str(value) if type(value) is int else decimal(value)


def decimal(value: Cell) -> str:
    """Return a number without exponent and without trailing zeros."""
    if type(value) is int:
        return str(value)
    text = plain(value)
    if _NUMBER.fullmatch(text) is None:
        return _NOT_FINITE.get(text.strip().lower(), text)
    if "e" in text or "E" in text:
        text = f"{Decimal(text.strip()):f}"
    return _trimmed(text.strip())


def _trimmed(text: str) -> str:
    sign = "-" if text[0] == "-" else ""
    whole, _, fraction = text.lstrip("+-").partition(".")
    fraction = fraction.rstrip("0")
    number = (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else "")
    return number if number == "0" else sign + number


def rendered_number(value: Cell) -> str:
    """Return a number as it is rendered on its way: plain digits, text as it is."""
    if type(value) is not float:
        return plain(value)
    text = repr(value)
    if text in _NOT_FINITE:
        return _NOT_FINITE[text]
    if "e" in text:
        text = f"{Decimal(text):f}"
    return text if text[-1] != "0" or "." not in text else text.rstrip("0").rstrip(".")


def floating(value: Cell) -> str:
    """Return sign, shortest digits, ``e`` and the exponent of ``0.digits``."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return plain(value)
    if number == 0:
        return "0"
    text = repr(number)
    if text in _NOT_FINITE:
        return _NOT_FINITE[text]
    sign = "-" if text[0] == "-" else ""
    mantissa, _, exponent = text.lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    lost = len(whole + fraction) - len(digits)
    return f"{sign}{digits.rstrip('0')}e{int(exponent or 0) + len(whole) - lost}"


def floating32(value: Cell) -> str:
    """Return `floating` of a value that a 32-bit column rounds."""
    try:
        (rounded,) = struct.unpack("f", struct.pack("f", float(value)))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return plain(value)
    return floating(rounded)


def parsed_float(value: Cell) -> str:
    """Return `floating` of a text that is a number; any other text stays as it is."""
    text = plain(value)
    known = _NUMBER.fullmatch(text) or text.strip().lower() in _NOT_FINITE
    return floating(value) if known or type(value) is float else text


def moment(value: Cell) -> str:
    """Return `stamp` of a text without a zone; with one, a moment would lose it."""
    found = _STAMP.fullmatch(plain(value))
    return plain(value) if found is not None and found[8] else stamp(value)


def blob(value: Cell) -> str:
    """Return lower hex; text counts as its UTF-8 bytes."""
    return value.hex() if isinstance(value, bytes) else plain(value).encode().hex()


def stamp(value: Cell) -> str:
    """Return ``2020-01-31 10:00:00.5``; a value with a zone is brought to UTC."""
    text = plain(value)
    if len(text) == 19 and text[10] == " " and text[4] == "-" and text[16] == ":":
        return text
    found = _STAMP.fullmatch(text)
    if found is None:
        return text
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    date = f"{year}-{int(month):02}-{int(day):02}"
    clock = f"{int(hour or 0):02}:{minute or '00'}:{second or '00'}"
    tail = (fraction or "").rstrip("0")
    moved = _to_utc(f"{date} {clock}", zone or "")
    return moved + (f".{tail}" if tail else "")


def _to_utc(text: str, zone: str) -> str:
    if not zone.strip("+-0:ZUTCzutc"):
        return text
    offset = zone[1:].replace(":", "").ljust(4, "0")
    shift = timedelta(hours=int(offset[:2]), minutes=int(offset[2:]))
    try:
        moment = datetime.fromisoformat(text)
        utc = moment + shift if zone[0] == "-" else moment - shift
    except (ValueError, OverflowError):
        return text + zone
    return utc.isoformat(" ")


def instant(value: Cell) -> str:
    """Return `stamp` in UTC with ``+00``."""
    text = stamp(value)
    return f"{text}+00" if _STAMP.fullmatch(text) else text


def date(value: Cell) -> str:
    """Return ``2020-01-31``; a time of day stays unless it is midnight."""
    text = plain(value)
    if len(text) == 10 and text[4] == "-" and text[7] == "-":
        return text
    moment = stamp(text)
    return moment.removesuffix(" 00:00:00")


def clock(value: Cell) -> str:
    """Return ``[-]10:00:00.5``, a time of day or a duration."""
    text = plain(value)
    found = _CLOCK.fullmatch(text)
    if found is None:
        return text
    sign, hours, minutes, seconds, fraction = found.groups()
    tail = (fraction or "").rstrip("0")
    whole = f"{int(hours):02}:{minutes}:{seconds or '00'}" + (f".{tail}" if tail else "")
    return f"-{whole}" if sign == "-" and whole.strip("0:.") else whole


def guid(value: Cell) -> str:
    """Return a UUID in lower case with its four dashes."""
    if isinstance(value, bytes):
        if len(value) == 36:
            return value.decode("ascii", "replace").lower()
        return str(uuid.UUID(bytes=bytes(value))) if len(value) == 16 else value.hex()
    text = plain(value)
    if _GUID.fullmatch(text):
        return text
    digits = re.sub(r"[-{}\s]", "", text).lower()
    return str(uuid.UUID(digits)) if re.fullmatch(r"[0-9a-f]{32}", digits) else text


_BY_KIND: Final[dict[Kind, Canon]] = {
    Kind.BOOLEAN: boolean,
    Kind.INTEGER: integer,
    Kind.YEAR: integer,
    Kind.DECIMAL: decimal,
    Kind.FLOAT: floating,
    Kind.CHAR: char,
    Kind.BLOB: blob,
    Kind.DATE: date,
    Kind.TIMESTAMP: stamp,
    Kind.TIMESTAMPTZ: instant,
    Kind.TIME: clock,
    Kind.DURATION: clock,
    Kind.UUID: guid,
}
_OF_TEXT: Final[dict[Kind, Canon]] = {Kind.TIMESTAMP: moment, Kind.FLOAT: parsed_float}
"""Texts that somebody is to parse."""
