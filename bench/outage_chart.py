"""The chart of ``bench/outage.py``: what was lost of what was sent, as SVG; pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

COLOURS: Final = ("#0f766e", "#b45309", "#9ca3af")
WIDTH: Final = 860
LEFT: Final = 220
RIGHT: Final = 150
TOP: Final = 84
BAR: Final = 11
GAP: Final = 15
INK: Final = "#1f2937"
FAINT: Final = "#d1d5db"
STEPS: Final = (0, 20, 40, 60)


def chart(rows: Mapping[str, Mapping[str, tuple[int, int, str]]], caption: str) -> str:
    """Draw horizontal bars: for each fault one bar a program, as long as its share of lost records.

    Args:
        rows: by fault and by program: how many were sent, how many lost, and what stands beside the bar.
        caption: how it was measured.
    """
    names = list(next(iter(rows.values())))
    each = len(names) * BAR + GAP
    bottom = TOP + len(rows) * each
    most = max([*STEPS, *(100 * lost / sent for row in rows.values() for sent, lost, _ in row.values())])
    scale = (WIDTH - LEFT - RIGHT) / most
    font = f'font-family="system-ui, sans-serif" font-size="12" fill="{INK}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 44}" role="img" {font}>',
        "<title>Records lost while the server misbehaves</title>",
        f'<rect width="{WIDTH}" height="{bottom + 44}" rx="6" fill="#ffffff"/>',
        '<text x="16" y="26" font-size="16" font-weight="600">Records lost while the server misbehaves</text>',
        f'<text x="16" y="{bottom + 32}" font-size="11" fill="#6b7280">{escape(caption)}</text>',
        *_legend(names),
        *_grid(scale, bottom),
    ]
    for number, (fault, row) in enumerate(rows.items()):
        lines += _row(fault, list(row.values()), TOP + number * each, scale)
    return "\n".join([*lines, "</svg>", ""])


def _legend(names: Sequence[str]) -> Iterator[str]:
    for number, (name, colour) in enumerate(zip(names, COLOURS, strict=True)):
        x = 16 + number * 130
        yield f'<rect x="{x}" y="40" width="11" height="11" rx="2" fill="{colour}"/>'
        yield f'<text x="{x + 17}" y="50">{escape(name)}</text>'


def _grid(scale: float, bottom: int) -> Iterator[str]:
    for share in STEPS:
        x = LEFT + share * scale
        yield f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{bottom - GAP + 4}" stroke="{FAINT}"/>'
        yield f'<text x="{x:.1f}" y="{TOP - 13}" text-anchor="middle" font-size="11" fill="#6b7280">{share} %</text>'


def _row(fault: str, bars: Sequence[tuple[int, int, str]], y: int, scale: float) -> Iterator[str]:
    middle = y + len(bars) * BAR / 2 + 4
    yield f'<text x="{LEFT - 12}" y="{middle:.1f}" text-anchor="end">{escape(fault)}</text>'
    for number, ((sent, lost, beside), colour) in enumerate(zip(bars, COLOURS, strict=True)):
        top, width = y + number * BAR, max(2.0, 100 * lost / sent * scale)
        yield f'<rect x="{LEFT}" y="{top}" width="{width:.1f}" height="{BAR - 2}" rx="1" fill="{colour}"/>'
        yield f'<text x="{LEFT + width + 6:.1f}" y="{top + BAR - 2}" font-size="10">{escape(beside)}</text>'
