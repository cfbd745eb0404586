"""Small pictures for metadata: bars as SVG, a few hundred bytes each, drawn without a plotting library's start-up
time."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

import dagster as dg

_WIDTH, _HEIGHT, _LABELS = 640, 140, 36
_COLOURS = ("#4f43dd", "#e0813a", "#2a9d8f", "#c43b6b", "#8a8f98", "#d9b429")
_BAR, _GAP, _NAME, _LEGEND = 7, 8, 150, 22


def bars(values: Sequence[tuple[str, float]], unit: str) -> dg.MarkdownMetadataValue:
    """One bar a value, with its figure on mouse-over; the first and last label and the largest value are written
    out."""
    svg = base64.b64encode(_svg(values, unit).encode()).decode()
    return dg.MetadataValue.md(f"![{unit}](data:image/svg+xml;base64,{svg})")


def grouped_bars(groups: Mapping[str, Mapping[str, float]], unit: str) -> dg.MarkdownMetadataValue:
    """Lying bars in groups, the group with the largest value first; each bar of a group has its name's colour."""
    names = list(dict.fromkeys(name for bars_ in groups.values() for name in bars_))
    order = sorted(groups, key=lambda group: (-max(groups[group].values(), default=0), group))
    svg = base64.b64encode(_grouped_svg({group: groups[group] for group in order}, names).encode()).decode()
    return dg.MetadataValue.md(f"![{unit}](data:image/svg+xml;base64,{svg})")


def _grouped_svg(groups: Mapping[str, Mapping[str, float]], names: Sequence[str]) -> str:
    largest = max((value for each in groups.values() for value in each.values()), default=0) or 1
    tall = _BAR * len(names) + _GAP
    room = _WIDTH - _NAME - 60
    shapes = []
    for place, name in enumerate(names):
        left, colour = place * _WIDTH / len(names), _COLOURS[place % len(_COLOURS)]
        shapes.append(f'<rect x="{left:.0f}" y="4" width="10" height="10" fill="{colour}"/>')
        shapes.append(_text(left + 14, 13, "start", name))
    for row, (group, each) in enumerate(groups.items()):
        top = _LEGEND + row * tall
        shapes.append(_text(_NAME - 6, top + tall / 2, "end", group))
        for place, name in enumerate(names):
            value, y, colour = each.get(name, 0.0), top + place * _BAR, _COLOURS[place % len(_COLOURS)]
            shapes.append(
                f'<rect x="{_NAME}" y="{y}" width="{max(room * value / largest, 0):.1f}" height="{_BAR - 1}" '
                f'fill="{colour}"><title>{escape(f"{group}, {name}: {value:,.2f}")}</title></rect>'
            )
        most = max(each.values(), default=0)
        shapes.append(_text(_NAME + room * most / largest + 4, top + tall / 2, "start", f"{most:,.1f}"))
    height = _LEGEND + len(groups) * tall
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}">{"".join(shapes)}</svg>'


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
    labels = "".join(_text(*each) for each in texts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}">{"".join(shapes)}{labels}</svg>'
    )


def _text(x: float, y: float, anchor: str, text: str) -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-family="sans-serif" font-size="11" fill="#666">'
        f"{escape(text)}</text>"
    )
