"""Why two values differ: guessed from the values, one cause per pair."""

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from datamig_pipelines.catalog import Kind
from datamig_pipelines.dialects.documents import is_document
from datamig_pipelines.dialects.parsing import CANONICAL, TEXTS

_ZONE_STEP: Final = timedelta(minutes=15)
_WIDEST_ZONE: Final = timedelta(hours=26)
_BITS: Final = (8, 16, 24, 32, 64)
_NUMBERS: Final = (Kind.INTEGER, Kind.YEAR, Kind.DECIMAL)
_MOMENTS: Final = (Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.DATE)
_FLOAT: Final = re.compile(r"(-?)(\d+)e(-?\d+)")

OTHER: Final = "another value"
UNREAD: Final = "a text that engines read differently"
"""No difference that could be judged: the source's text is no value in a form that all share."""
_MENDS: Final = {
    "time zone": 'columns: {COLUMN: {expression: "<SQL that yields UTC>"}}',
    "rounded": "casts: [{when: {column: TABLE.COLUMN}, to: <a type with more decimals>}]",
    "truncated": "casts: [{when: {column: TABLE.COLUMN}, to: <a longer text type>}]",
    "single precision": "casts: [{when: {column: TABLE.COLUMN}, to: double precision}]",
    "sign": "casts: [{when: {column: TABLE.COLUMN}, to: <a wider integer, or decimal>}]",
    "wrapped": "casts: [{when: {column: TABLE.COLUMN}, to: <a wider integer, or decimal>}]",
    "boolean": 'columns: {COLUMN: {expression: "<SQL that is true or false>"}}',
    "trailing blanks": "casts: [{when: {column: TABLE.COLUMN}, to: text}]",
    "characters": "source: {url: <with the right charset>}, or columns: {COLUMN: {expression: …}}",
    "JSON": "casts: [{when: {column: TABLE.COLUMN}, to: json}]",
}


@dataclass(frozen=True)
class CauseCount:
    """How often a cause was found in a column, with one example (None: rows not fetched)."""

    cause: str
    column: str
    count: int
    example: Any = None


def counted(
    found: Sequence[tuple[str, str, Any]], unlisted: Sequence[tuple[str, int]] = ()
) -> list[CauseCount]:
    """Return cause and column of some findings with their number, most often first."""
    sums: dict[tuple[str, str], CauseCount] = {}
    for cause, column, example in found:
        one = sums.get((cause, column), CauseCount(cause, column, 0, example))
        sums[cause, column] = CauseCount(cause, column, one.count + 1, one.example)
    for cause, count in unlisted:
        one = sums.get((cause, ""), CauseCount(cause, "", 0))
        sums[cause, ""] = CauseCount(cause, "", one.count + count, one.example)
    return sorted(sums.values(), key=lambda c: (-c.count, c.cause, c.column))


def mend(cause: str, table: str, column: str) -> str:
    """Return what to write into the migration's file against a cause; '' where nothing would do."""
    for word, text in _MENDS.items():
        if cause.startswith(word):
            short = table.rpartition(".")[2]
            return text.replace("TABLE", short).replace("COLUMN", column)
    return ""


def cause_of(source: str | None, target: str | None, form: Kind) -> str:
    """Return why a target's canonical text is not the source's, both of one form."""
    if source is None or target is None:
        return _of_null(source, target)
    if form in _NUMBERS:
        found = _of_numbers(source, target)
    elif form is Kind.FLOAT:
        found = _of_floats(source, target)
    elif form in _MOMENTS:
        found = _of_moments(source, target)
    elif form is Kind.BOOLEAN:
        found = "boolean the other way round" if {source, target} == {"true", "false"} else ""
    elif form is Kind.BLOB:
        found = "truncated" if target and source.startswith(target) else ""
    elif form is Kind.DOCUMENT:
        found = ""
    else:
        found = _of_texts(source, target)
    return found or OTHER


def unread(source: str | None, target: str | None, held: Kind, form: Kind) -> bool:
    """Say whether a text of the source was parsed by the target by rules of its own."""
    if source is None or target is None:
        return False
    if form is Kind.DOCUMENT:
        return not (is_document(source) and is_document(target))
    if held in TEXTS and form is Kind.BLOB:
        return target == _escaped_bytes(bytes.fromhex(source))
    if held not in TEXTS or form not in CANONICAL:
        return False
    return not re.fullmatch(CANONICAL[form], source, re.ASCII)


def _escaped_bytes(text: bytes) -> str:
    r"""Return the digits of what PostgreSQL reads in a text: ``\x41``, or bytes with escapes."""
    if found := re.fullmatch(rb"\\x((?:[0-9a-fA-F]{2})*)", text):
        return found[1].decode().lower()
    plain = re.sub(rb"\\(\\|[0-3][0-7]{2})", _unescaped, text)
    return plain.hex() if plain != text else ""


def _unescaped(found: re.Match[bytes]) -> bytes:
    return b"\\" if found[1] == b"\\" else bytes([int(found[1], 8)])


def _of_null(source: str | None, target: str | None) -> str:
    if source == "":
        return "empty became NULL"
    if target == "":
        return "NULL became empty"
    return "value became NULL" if target is None else "NULL became a value"


def _of_numbers(source: str, target: str) -> str:
    try:
        there, here = Decimal(source), Decimal(target)
    except InvalidOperation:
        return ""
    if not there.is_finite() or not here.is_finite():
        return ""
    if there == -here:
        return "sign lost"
    gap = abs(there - here)
    if gap in [Decimal(1 << bits) for bits in _BITS]:
        return f"wrapped at {int(gap).bit_length() - 1} bits"
    there_digits, here_digits = _scale(there), _scale(here)
    if here_digits < there_digits and gap < Decimal(1).scaleb(-here_digits):
        return f"rounded to {here_digits} decimals"
    return ""


def _scale(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _of_floats(source: str, target: str) -> str:
    there, here = _float(source), _float(target)
    if there is None or here is None:
        return ""
    if there == -here:
        return "sign lost"
    near = abs(there - here) <= abs(there) * Decimal("1e-6")
    if near and len(here.as_tuple().digits) <= 9 < len(there.as_tuple().digits):
        return "single precision"
    return "rounded" if near else ""


def _float(text: str) -> Decimal | None:
    found = _FLOAT.fullmatch(text)
    if found is None:
        return Decimal(0) if text == "0" else None
    sign, digits, exponent = found.groups()
    return Decimal(f"{sign}0.{digits}e{exponent}")


def _of_moments(source: str, target: str) -> str:
    try:
        there, here = (datetime.fromisoformat(t.removesuffix("+00")) for t in (source, target))
    except ValueError:
        return ""
    if (here.tzinfo is None) is not (there.tzinfo is None):
        return ""
    gap = here - there
    if abs(gap) <= _WIDEST_ZONE and not gap % _ZONE_STEP and len(source) > 10:
        minutes = int(gap.total_seconds()) // 60
        sign = "-" if minutes < 0 else "+"
        return f"time zone: shifted by {sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    if abs(gap) <= timedelta(seconds=1) and _fraction(target) < _fraction(source):
        return f"rounded to {_fraction(target)} digits of a second"
    return ""


def _fraction(moment: str) -> int:
    return len(moment.removesuffix("+00").partition(".")[2])


def _of_texts(source: str, target: str) -> str:
    return next((cause for cause, holds in _TEXTS if holds(source, target)), "")


def _misread(source: str, target: str) -> bool:
    """Say whether UTF-8 was read as another encoding, or such a damage was undone."""
    return any(
        good.encode().decode(encoding, "replace") == bad
        for encoding in ("latin-1", "cp1252")
        for good, bad in ((source, target), (target, source))
    )


def _replaced(source: str, target: str) -> bool:
    """Say whether characters became ``?`` or the replacement character."""
    if len(source) != len(target):
        return "\ufffd" in target and "\ufffd" not in source
    changed = [(s, t) for s, t in zip(source, target, strict=True) if s != t]
    return all(t in "?\ufffd" and ord(s) > 127 for s, t in changed)


def _same_json(source: str, target: str) -> bool:
    if source[:1] not in ("{", "["):
        return False
    try:
        return bool(json.loads(source) == json.loads(target))
    except ValueError:
        return False


def _plain(text: str) -> str:
    """Return a text without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


_TEXTS: Final[tuple[tuple[str, Callable[[str, str], bool]], ...]] = (
    ("trailing blanks", lambda s, t: s.rstrip(" ") == t.rstrip(" ")),
    ("blanks around it", lambda s, t: s.strip() == t.strip()),
    ("line ends", lambda s, t: s.replace("\r\n", "\n") == t.replace("\r\n", "\n")),
    ("case", lambda s, t: s.casefold() == t.casefold()),
    (
        "characters composed differently (Unicode normal form)",
        lambda s, t: unicodedata.normalize("NFC", s) == unicodedata.normalize("NFC", t),
    ),
    ("truncated", lambda s, t: bool(t) and s.startswith(t)),
    ("characters replaced", _replaced),
    ("characters of another encoding", _misread),
    ("characters without their accents", lambda s, t: bool(t) and _plain(s) == t),
    ("JSON written differently", _same_json),
)
