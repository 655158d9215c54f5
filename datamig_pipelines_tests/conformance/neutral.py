"""Values in neutral forms: what two engines print for the same value becomes equal here.

Nothing of the product is used: this is the second opinion that the matrix is measured with.
"""

import json
import re
import struct
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

_ZONED = re.compile(r"^(.*?)\s*(Z|UTC|[+-]\d\d(?::?\d\d)?(?::?\d\d)?)$")
_CLOCK = re.compile(r"(-?)(\d+):(\d\d):(\d\d(?:\.\d+)?)")
_AMOUNT = re.compile(r"([+-]?\d+)\s*(year|mon|day)")


def neutral(kind: str, text: str | None) -> object:
    """Return what is compared of a value; a text that is no value of its kind stays a text."""
    if text is None:
        return None
    try:
        return _FORMS[kind](text)
    except (ValueError, InvalidOperation, OverflowError):
        return ("text", text)


def _number(text: str) -> object:
    number = Decimal(text.strip())
    return str(number).lower() if not number.is_finite() else number


def _money(text: str) -> object:
    return _number(text.replace("$", "").replace(",", ""))


def _float64(text: str) -> object:
    number = float(text)
    return repr(number)


def _float32(text: str) -> object:
    number = struct.unpack("f", struct.pack("f", float(text)))[0]
    return repr(number)


def _bool(text: str) -> object:
    return {"t": True, "true": True, "1": True, "f": False, "false": False, "0": False}.get(
        text.lower(), text
    )


def _moment(text: str) -> str:
    plain = text.replace("T", " ").replace("(BC)", "BC")
    era = " BC" if "BC" in plain else ""
    plain = plain.replace(" BC", "")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return plain.removesuffix(" 00:00:00") + era


def _zoned(text: str) -> object:
    """Return an instant in UTC; what has no zone is UTC."""
    era = " BC" if "BC" in text else ""
    plain = " ".join(text.replace("(BC)", "").replace("BC", "").split())
    match = _ZONED.match(plain)
    if not match:
        return _moment(plain) + era
    moment, zone = match[1], match[2]
    if zone in ("Z", "UTC") or not zone.strip("+-0:"):
        return _moment(moment) + era
    whole = datetime.fromisoformat(f"{moment}{zone}").astimezone(UTC)
    return _moment(whole.replace(tzinfo=None).isoformat(" "))


def _timetz(text: str) -> object:
    match = _ZONED.match(text)
    if not match:
        return ("text", text)
    zone = re.sub(r"(:00)+$", "", match[2])
    return _clock(match[1]), zone


def _clock(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _interval(text: str) -> object:
    amounts = {"year": 0, "mon": 0, "day": 0}
    for number, unit in _AMOUNT.findall(text):
        amounts[unit] += int(number)
    clock = _CLOCK.search(text)
    micros = Decimal(0)
    if clock:
        sign = -1 if clock[1] else 1
        micros = sign * (int(clock[2]) * 3600 + int(clock[3]) * 60 + Decimal(clock[4]))
    elif not _AMOUNT.search(text):
        return ("text", text)
    return amounts["year"] * 12 + amounts["mon"], amounts["day"], micros.normalize() + 0


def _json(text: str) -> object:
    return json.loads(text, object_pairs_hook=list, parse_float=Decimal, parse_int=Decimal)


def _jsonb(text: str) -> object:
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def _array(text: str) -> object:
    return _folded(_json(text))


def _folded(value: object) -> object:
    """Return an array whose elements are compared as texts: 12.50 and "12.5" hold the same."""
    if isinstance(value, list):
        return [_folded(v) for v in value]
    return None if value is None else _moment(re.sub(r"(?<=\d)\+00(:00)?$", "", str(value)))


_FORMS = {
    "number": _number,
    "money": _money,
    "float32": _float32,
    "float64": _float64,
    "bool": _bool,
    "text": str,
    "big": str,
    "any": str,
    "char": lambda text: text.rstrip(" "),
    "bytes": str.lower,
    "bits": str,
    "date": _moment,
    "time": _clock,
    "timetz": _timetz,
    "timestamp": _moment,
    "timestamptz": _zoned,
    "interval": _interval,
    "json": _json,
    "jsonb": _jsonb,
    "array": _array,
    "uuid": str.lower,
}
