"""Small pictures for metadata: bars as SVG, a few hundred bytes each, drawn without a plotting library's start-up
time."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from xml.sax.saxutils import escape

import dagster as dg

_WIDTH, _HEIGHT, _LABELS = 640, 140, 36


def bars(values: Sequence[tuple[str, float]], unit: str) -> dg.MarkdownMetadataValue:
    """One bar a value, with its figure on mouse-over; the first and last label and the largest value are written
    out."""
    svg = base64.b64encode(_svg(values, unit).encode()).decode()
    return dg.MetadataValue.md(f"![{unit}](data:image/svg+xml;base64,{svg})")


def _svg(values: Sequence[tuple[str, float]], unit: str) -> str:
    largest = max((value for _, value in values), default=0) or 1
    step = _WIDTH / max(len(values), 1)
    room = _HEIGHT - _LABELS
    shapes = []
    for place, (label, value) in enumerate(values):
        height = room * value / largest
        shapes.append(
            f'<rect x="{place * step + 1:.1f}" y="{18 + room - height:.1f}" width="{max(step - 2, 1):.1f}" '
            f'height="{height:.1f}" fill="#4f43dd"><title>{escape(label)}: {value:,.0f}</title></rect>'
        )
    texts = [(0, 12, "start", f"{largest:,.0f} {unit} at the most")]
    if values:
        texts += [(0, _HEIGHT - 4, "start", values[0][0]), (_WIDTH, _HEIGHT - 4, "end", values[-1][0])]
    labels = "".join(
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-family="sans-serif" font-size="11" fill="#666">'
        f"{escape(text)}</text>"
        for x, y, anchor, text in texts
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}">{"".join(shapes)}{labels}</svg>'
    )
