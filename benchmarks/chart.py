"""A bar chart as SVG, written by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

_LEFT, _WIDTH, _RIGHT = 210, 520, 90
_BAR, _GAP, _HEAD = 16, 4, 30
_COLOURS = ("#8a8f98", "#2563eb", "#60a5fa", "#d97706", "#b91c1c")


@dataclass(frozen=True)
class Bar:
    """One bar: its words and its length."""

    label: str
    value: float


def draw(title: str, unit: str, groups: Mapping[str, Sequence[Bar]]) -> str:
    """Return an SVG of bars in groups, each group with its own scale; a label has one colour."""
    labels = list(dict.fromkeys(bar.label for bars in groups.values() for bar in bars))
    colours = {label: _COLOURS[i % len(_COLOURS)] for i, label in enumerate(labels)}
    parts = [_text(10, 20, f"{title} ({unit})", weight="bold")]
    top = 36
    for name, bars in groups.items():
        parts.append(_text(10, top + 18, name, weight="bold"))
        longest = max((bar.value for bar in bars), default=1) or 1
        top += _HEAD
        for bar in bars:
            parts += _drawn(bar, top, _WIDTH * bar.value / longest, colours[bar.label])
            top += _BAR + _GAP
        top += _GAP
    return _framed(_LEFT + _WIDTH + _RIGHT, top + 10, parts)


def _drawn(bar: Bar, top: int, width: float, colour: str) -> list[str]:
    size = f'width="{max(width, 1):.1f}" height="{_BAR}"'
    return [
        _text(_LEFT - 8, top + 12, bar.label, anchor="end"),
        f'<rect x="{_LEFT}" y="{top}" {size} fill="{colour}"/>',
        _text(_LEFT + int(width) + 6, top + 12, f"{bar.value:.1f}"),
    ]


def _text(x: int, y: int, text: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>'
    )


def _framed(width: int, height: int, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="12">'
    )
    ground = '<rect width="100%" height="100%" fill="#ffffff"/>'
    return "\n".join([head, ground, *parts, "</svg>", ""])
