"""Texts that hold numbers, moments, truths or UUIDs: their canonical text, in SQL.

Only what every engine reads alike is brought into its form (ISO moments, plain digits); any other
text stays as it is, and so is equal to no typed value. Patterns have no backslash: engines disagree
about them in literals.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from datamig_pipelines.catalog import Kind, Type

TEXTS: Final = frozenset({Kind.TEXT, Kind.CHAR, Kind.ENUM, Kind.SET, Kind.ANY})
"""Kinds whose values are texts until somebody parses them."""

PARSED: Final = frozenset(
    {
        Kind.INTEGER,
        Kind.DECIMAL,
        Kind.FLOAT,
        Kind.BOOLEAN,
        Kind.UUID,
        Kind.DATE,
        Kind.TIME,
        Kind.TIMESTAMP,
        Kind.TIMESTAMPTZ,
    }
)
"""Forms that a text can be brought into."""


def rounds_digits(held: Type, into: Type) -> bool:
    """Say whether a number may have more digits than a decimal of fixed scale has room for."""
    return into.kind is Kind.DECIMAL and held.kind in {Kind.DECIMAL, Kind.FLOAT, *TEXTS}


def rounds_seconds(held: Type, into: Type) -> bool:
    """Say whether a moment without a zone may have more digits of a second than the target."""
    return held.kind is into.kind is Kind.TIMESTAMP and into.fraction is not None


_DAY: Final = "[0-9]{4,6}-[0-1][0-9]-[0-3][0-9]"
_MINUTE: Final = "([01][0-9]|2[0-3]):[0-5][0-9]"
_SECOND: Final = ":[0-5][0-9]([.][0-9]{0,6}0*)?"
_NUMBER: Final = "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)"
SMALL_POWER: Final = "^[+-]?([0-9]{1,15}[.]?[0-9]{0,10}|[.][0-9]{1,10})[eE][+-]?[0-9]$"
"""Numbers with an exponent that every engine's decimals have room for."""
_POWER: Final = "([0-9]{1,2}|[12][0-9]{2}|30[0-7])"
_SMALL: Final = "-3([01][0-9]|2[0-4])"
_LARGEST: Final = "[+-]?1[.][0-7][0-9]*[eE][+]?308"
_FLOATING: Final = f"^({_NUMBER}([eE]([+-]?{_POWER}|{_SMALL}))?|{_LARGEST})$"


@dataclass(frozen=True)
class Speech:
    """How an engine says it: patterns with ``{0}`` for the text."""

    matches: str = "{0} ~ '{1}'"
    replaced: str = "regexp_replace({0}, '{1}', '')"
    joined: Callable[..., str] = lambda *texts: f"({' || '.join(texts)})"

    def cases(self, text: str, *cases: tuple[str, str]) -> str:
        """Return a CASE over shapes; a text of none of them is itself."""
        whens = " ".join(f"WHEN {self.matches.format(text, p)} THEN {s}" for p, s in cases)
        return f"CASE {whens} ELSE {text} END"

    def without(self, text: str, pattern: str) -> str:
        """Return a text without the one part that matches."""
        return self.replaced.format(text, pattern)

    # ---- forms

    def number(self, text: str, power: str) -> str:
        """Return plain digits; ``power`` is SQL for a number that has an exponent."""
        bare = f"trim({text})"
        digits = self.without(bare, "^[+-]?0*")
        cut = self.without(digits, "[.]?0*$")
        short = f"CASE WHEN {digits} LIKE '%.%' THEN {cut} ELSE {digits} END"
        sign = f"CASE WHEN {bare} LIKE '-%' THEN '-' ELSE '' END"
        zero = f"CASE WHEN {digits} LIKE '.%' THEN '0' ELSE '' END"
        whole = (
            f"CASE WHEN ({short}) = '' THEN '0' ELSE {self.joined(sign, zero, f'({short})')} END"
        )
        return self._or_word(bare, (f"^{_NUMBER}$", whole), (SMALL_POWER, power))

    def floating(self, text: str, digits: str) -> str:
        """Return ``digits``, the canonical text of the float, where there is one."""
        return self._or_word(f"trim({text})", (_FLOATING, digits))

    def _or_word(self, bare: str, *cases: tuple[str, str]) -> str:
        word = f"lower({bare})"
        found = (
            f"CASE WHEN {word} = 'nan' THEN 'NaN' WHEN {word} IN ('inf', 'infinity', '+infinity') "
            f"THEN 'Infinity' WHEN {word} IN ('-inf', '-infinity') THEN '-Infinity' ELSE {bare} END"
        )
        whens = " ".join(f"WHEN {self.matches.format(bare, p)} THEN {s}" for p, s in cases)
        return f"CASE {whens} ELSE {found} END"

    def boolean(self, text: str) -> str:
        """Return ``true`` or ``false`` for the words that engines know."""
        word = f"lower(trim({text}))"
        return (
            f"CASE WHEN {word} IN ('t', 'true', 'y', 'yes', 'on', '1') THEN 'true' "
            f"WHEN {word} IN ('f', 'false', 'n', 'no', 'off', '0') THEN 'false' ELSE {text} END"
        )

    def guid(self, text: str) -> str:
        """Return lower case with four dashes."""
        digits = f"lower(trim({text}))"
        for sign in ("-", "{", "}"):
            digits = f"replace({digits}, '{sign}', '')"
        cuts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        parts = [f"substr({digits}, {at}, {size})" for at, size in cuts]
        dashed = [p for part in parts for p in (part, "'-'")][:-1]
        found = self.matches.format(digits, "^[0-9a-f]{32}$")
        return f"CASE WHEN {found} THEN {self.joined(*dashed)} ELSE lower({text}) END"

    def date(self, text: str) -> str:
        """Return the day; a time of day is none, unless it is midnight."""
        midnight = "[ T]00:00(:00([.]0*)?)?$"
        bare = f"trim({text})"
        cut = self.without(bare, midnight)
        return self.cases(bare, (f"^{_DAY}{midnight}", cut))

    def moment(self, text: str) -> str:
        """Return day and time; a text with a zone stays as it is."""
        bare = f"trim({text})"
        blank = f"replace({bare}, 'T', ' ')"
        return self.cases(
            bare,
            (f"^{_DAY}$", self.joined(bare, "' 00:00:00'")),
            (f"^{_DAY}[ T]{_MINUTE}$", self.joined(blank, "':00'")),
            (f"^{_DAY}[ T]{_MINUTE}:[0-5][0-9]$", blank),
            (f"^{_DAY}[ T]{_MINUTE}{_SECOND}$", self.without(blank, "[.]?0*$")),
        )

    def instant(self, text: str, shifted: str = "") -> str:
        """Return day and time in UTC; ``shifted`` is SQL for a text with another offset."""
        utc = "(Z|[+-]00(:?00)?)$"
        bare = f"trim({text})"
        known = f"^{_DAY}([ T]{_MINUTE}({_SECOND})?)?"
        plain = self.joined(self.moment(self.without(bare, utc)), "'+00'")
        cases = [(f"{known}$", self.joined(self.moment(bare), "'+00'")), (known + utc, plain)]
        if shifted:
            cases.append((f"{known}[+-][0-9]{{2}}(:?[0-9]{{2}})?$", shifted))
        return self.cases(bare, *cases)

    def clock(self, text: str) -> str:
        """Return a time of day."""
        bare = f"trim({text})"
        return self.cases(
            bare,
            (f"^{_MINUTE}$", self.joined(bare, "':00'")),
            (f"^{_MINUTE}:[0-5][0-9][.][0-9]{{0,6}}0*$", self.without(bare, "[.]?0*$")),
        )


BY_ELEMENT: Final = frozenset(
    {Kind.FLOAT, Kind.DECIMAL, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.BLOB, Kind.INTERVAL}
)
"""Elements that engines write otherwise into JSON: such lists are compared element by element."""

_DIGITS: Final = r"-?\d+(\.\d+)?|NaN|-?Infinity"
_MOMENT: Final = r"\d{4,6}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?"
CANONICAL: Final = {
    Kind.INTEGER: _DIGITS,
    Kind.DECIMAL: _DIGITS,
    Kind.FLOAT: r"0|-?\d+e-?\d+|NaN|-?Infinity",
    Kind.BOOLEAN: "true|false",
    Kind.UUID: r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    Kind.DATE: r"\d{4,6}-\d\d-\d\d",
    Kind.TIME: r"\d\d:\d\d:\d\d(\.\d{1,6})?",
    Kind.TIMESTAMP: _MOMENT,
    Kind.TIMESTAMPTZ: rf"{_MOMENT}\+00",
}
"""What a text looks like that was brought into its form."""
