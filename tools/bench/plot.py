"""Bars as SVG, drawn by hand: no library, the same bytes for the same figures, readable on light and dark pages.

Belongs here: marks, text, scale.  Does not belong here: which figures are shown (``report``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _LEFT, _RIGHT, _ROW, _BAR, _TOP = 860, 330, 110, 26, 16, 44
_OURS, _THEIRS, _WRONG, _INK = "#2f6f9f", "#b9822f", "#a04040", "#6b6b6b"


@dataclass(frozen=True)
class Bar:
    """One way: its median with the least and the most; ``kind`` is ours, limit, theirs or wrong."""

    label: str
    value: float
    least: float
    most: float
    kind: str = "ours"


def bars(title: str, unit: str, shown: Sequence[Bar]) -> str:
    """An SVG document with a bar for each way, its spread as a line, and the figure beside it."""
    height = _TOP + _ROW * len(shown) + 12
    most = max((b.most for b in shown), default=1) or 1
    scale = (_WIDTH - _LEFT - _RIGHT) / most
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    said = f'role="img" aria-label="{escape(title, quote=True)}" font-family="sans-serif" font-size="13"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {said}>',
        f'<text x="8" y="22" fill="{_INK}" font-size="15" font-weight="bold">{escape(title)}</text>',
    ]
    for row, bar in enumerate(shown):
        lines += _bar(bar, _TOP + _ROW * row, scale, unit)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _bar(bar: Bar, top: int, scale: float, unit: str) -> list[str]:
    middle = top + _BAR / 2
    width, least, most = (round(_LEFT + v * scale, 1) for v in (bar.value, bar.least, bar.most))
    colour = {"limit": _INK, "theirs": _THEIRS, "wrong": _WRONG}.get(bar.kind, _OURS)
    said = "incorrect" if bar.kind == "wrong" else f"{bar.value:.1f} {unit}"
    return [
        f'<text x="{_LEFT - 8}" y="{middle + 4.5}" text-anchor="end" fill="{_INK}">{escape(bar.label)}</text>',
        f'<rect x="{_LEFT}" y="{top}" width="{round(width - _LEFT, 1)}" height="{_BAR}" rx="2" fill="{colour}"/>',
        f'<line x1="{least}" y1="{middle}" x2="{most}" y2="{middle}" stroke="{_INK}" stroke-width="1.5"/>',
        f'<text x="{max(width, most) + 6}" y="{middle + 4.5}" fill="{_INK}">{said}</text>',
    ]
