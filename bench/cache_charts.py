"""Charts of the cache benchmark as SVG: one bar a library; pure."""

from collections.abc import Mapping
from typing import Final
from xml.sax.saxutils import escape

WIDTH: Final = 720
LEFT: Final = 150
STEP: Final = 26
OURS: Final = "#0f766e"
OTHER: Final = "#9ca3af"


def chart(title: str, values: Mapping[str, float], unit: str, caption: str) -> str:
    """Draw horizontal bars, ours in a colour of its own.

    Args:
        title: what is shown.
        values: by library.
        unit: stands behind each value.
        caption: how it was measured.
    """
    height = 56 + len(values) * STEP + 30
    most = max(values.values()) or 1
    font = 'font-family="system-ui, sans-serif" font-size="12" fill="#1f2937"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" {font}>',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" rx="6" fill="#ffffff"/>',
        f'<text x="16" y="28" font-size="16" font-weight="600">{escape(title)}</text>',
    ]
    for number, (name, value) in enumerate(values.items()):
        y = 48 + number * STEP
        length = max(2.0, (WIDTH - LEFT - 110) * value / most)
        colour = OURS if name == "cqrs-swr" else OTHER
        lines += [
            f'<text x="{LEFT - 10}" y="{y + 13}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="18" rx="2" fill="{colour}"/>',
            f'<text x="{LEFT + length + 8:.1f}" y="{y + 13}">{value:,.10g} {escape(unit)}</text>',
        ]
    lines.append(f'<text x="16" y="{height - 14}" font-size="11" fill="#6b7280">{escape(caption)}</text>')
    return "\n".join([*lines, "</svg>", ""])


def phases() -> str:
    """Draw an entry's phases over time: what a look-up is answered with, and who waits."""
    spans = (
        ("FRESH", "ttl", 0, 150, "#0f766e", ("served at once",)),
        ("STALE", "stale", 150, 190, "#0891b2", ("served at once;", "one refresh behind")),
        (
            "ERROR ONLY",
            "fail_safe",
            340,
            190,
            "#b45309",
            ("waits for a new answer;", "if that fails, the old one"),
        ),
        ("ABSENT", "", 530, 150, "#9ca3af", ("waits for a new answer,", "or gets its failure")),
    )
    font = 'font-family="system-ui, sans-serif" font-size="12" fill="#1f2937"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} 210" role="img" {font}>',
        "<title>The phases of an entry over time</title>",
        f'<rect width="{WIDTH}" height="210" rx="6" fill="#ffffff"/>',
        '<text x="20" y="26" font-size="16" font-weight="600">The phases of an entry over time</text>',
    ]
    for name, _window, x, width, colour, texts in spans:
        left = 20 + x
        lines.append(f'<rect x="{left}" y="44" width="{width - 2}" height="34" rx="3" fill="{colour}"/>')
        middle = left + width / 2
        lines.append(
            f'<text x="{middle}" y="66" text-anchor="middle" font-weight="600" fill="#ffffff">{name}</text>'
        )
        lines += [
            f'<text x="{middle}" y="{98 + 16 * number}" text-anchor="middle">{text}</text>'
            for number, text in enumerate(texts)
        ]
    brackets = ((20, 170, 140, "ttl"), (170, 360, 140, "stale"), (170, 550, 168, "fail_safe"))
    for start, end, y, name in brackets:
        lines.append(
            f'<path d="M{start + 2} {y - 5}V{y + 5}M{start + 2} {y}H{end - 2}M{end - 2} {y - 5}V{y + 5}" stroke="#6b7280"/>'
        )
        lines.append(
            f'<text x="{(start + end) / 2}" y="{y + 16}" text-anchor="middle" font-family="monospace">{name}</text>'
        )
    note = (
        "computed at the left edge; jitter may shorten ttl, and an invalidation ends FRESH and STALE at once"
    )
    lines.append(f'<text x="20" y="202" font-size="11" fill="#6b7280">{note}</text>')
    return "\n".join([*lines, "</svg>", ""])
