"""Small pictures for metadata: SVG of a few kilobytes each, drawn without a plotting library's start-up time.

Dagster keeps each of them with every materialisation, in three places, and shows it as an image, where no mouse finds a
title: a shape says where it is, and no more.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

import dagster as dg

_WIDTH, _HEIGHT, _LABELS = 640, 140, 36
_COLOUR = "#4f43dd"
_COLOURS = ("#4f43dd", "#2a9d8f", "#e0813a", "#8a8f98", "#c43b6b", "#d9b429")
_PALE, _GREY = "#e4e2f9", "#666"
_ROW = 26
_MOST_PLACES, _MOST_MARKS = 90, 40
_BAR, _GAP, _NAME, _LEGEND = 7, 8, 150, 22


def bars(values: Sequence[tuple[str, float]], unit: str) -> dg.MarkdownMetadataValue:
    """One bar a value; the first and last label and the largest value are written out."""
    largest = max((value for _, value in values), default=0) or 1
    step = _WIDTH / max(len(values), 1)
    room = _HEIGHT - _LABELS
    shapes = []
    for place, (_, value) in enumerate(values):
        height = room * value / largest
        shapes.append(_box(place * step + 1, 18 + room - height, max(step - 2, 1), height, _COLOUR))
    shapes.append(_text(0, 12, f"{largest:,.0f} {unit} at the most"))
    if values:
        shapes += _ends(values[0][0], values[-1][0], _HEIGHT - 4)
    return _image(shapes, _HEIGHT, unit)


def grouped_bars(groups: Mapping[str, Mapping[str, float]], unit: str) -> dg.MarkdownMetadataValue:
    """Lying bars in groups, the group with the largest value first; each bar of a group has its name's colour."""
    names = list(dict.fromkeys(name for each in groups.values() for name in each))
    largest = max((value for each in groups.values() for value in each.values()), default=0) or 1
    tall, room = _BAR * len(names) + _GAP, _WIDTH - _NAME - 60
    shapes = _legend(names)
    for row, group in enumerate(sorted(groups, key=lambda name: (-max(groups[name].values(), default=0), name))):
        each, top = groups[group], _LEGEND + row * tall
        shapes.append(_text(_NAME - 6, top + tall / 2, group, "end"))
        for place, name in enumerate(names):
            value = each.get(name, 0.0)
            colour = _COLOURS[place % len(_COLOURS)]
            shapes.append(_box(_NAME, top + place * _BAR, max(room * value / largest, 0), _BAR - 1, colour))
        most = max(each.values(), default=0)
        shapes.append(_text(_NAME + room * most / largest + 4, top + tall / 2, f"{most:,.1f}"))
    return _image(shapes, _LEGEND + len(groups) * tall, unit)


def rows_of_bars(rows: Sequence[tuple[str, float, str]], title: str) -> dg.MarkdownMetadataValue:
    """One line a row: its label, a bar as long as its value, and what is written on it."""
    largest = max((value for _, value, _ in rows), default=0) or 1
    left, room = 220, 220
    shapes = []
    for place, (label, value, words) in enumerate(rows):
        top = place * _ROW
        shapes += [
            _box(left, top + 3, room, _ROW - 6, _PALE),
            _box(left, top + 3, room * value / largest, _ROW - 6, _COLOUR),
            _text(left - 8, top + 17, _short(label, 34), "end"),
            _text(left + room + 8, top + 17, words, fill="#222"),
        ]
    return _image(shapes, max(len(rows), 1) * _ROW, title)


def heat_map(
    rows: Sequence[tuple[str, Sequence[float | None]]], columns: Sequence[str], title: str
) -> dg.MarkdownMetadataValue:
    """One line a row of shares, the darker the greater; each with its percentage. None is no cell."""
    left, width = 150, (_WIDTH - 150) / max(len(columns), 1)
    shapes = [_text(left + width * (k + 0.5), 14, name, "middle") for k, name in enumerate(columns)]
    for place, (label, shares) in enumerate(rows, 1):
        top = place * _ROW
        shapes.append(_text(left - 8, top + 15, _short(label, 24), "end"))
        for k, share in enumerate(shares):
            if share is None:
                continue
            shown, ink = f"{share:.0%}", "#fff" if share > 0.5 else "#222"
            fill = f'{_COLOUR}" fill-opacity="{0.06 + 0.94 * min(share, 1):.2f}'
            shapes.append(_box(left + k * width, top, width - 1, _ROW - 1, fill))
            if width > 26:
                shapes.append(_text(left + width * (k + 0.5), top + 16, shown, "middle", ink))
    return _image(shapes, (len(rows) + 1) * _ROW, title)


def stacked_bars(places: Sequence[str], series: Mapping[str, Sequence[float]], title: str) -> dg.MarkdownMetadataValue:
    """One bar a place, made of all series; what is negative hangs below the line. The last places, where they are
    many."""
    places, series = _last(places, series)
    up = max((sum(max(v, 0) for v in column) for column in zip(*series.values(), strict=True)), default=0)
    down = max((sum(max(-v, 0) for v in column) for column in zip(*series.values(), strict=True)), default=0)
    scale = 150 / ((up + down) or 1)
    line, step = 22 + up * scale, _WIDTH / max(len(places), 1)
    shapes = _legend(tuple(series))
    for place in range(len(places)):
        top = bottom = line
        for colour, values in zip(_COLOURS, series.values(), strict=False):
            value = values[place]
            height = abs(value) * scale
            top -= height if value > 0 else 0
            at = top if value > 0 else bottom
            bottom += height if value < 0 else 0
            if value:
                shapes.append(_box(place * step + 0.5, at, max(step - 1, 0.5), height, colour))
    shapes.append(_box(0, line, _WIDTH, 0.7, _GREY))
    shapes += _ends(places[0], places[-1], 190) if places else []
    return _image(shapes, 196, title)


def lines(places: Sequence[str], series: Mapping[str, Sequence[float]], title: str) -> dg.MarkdownMetadataValue:
    """One line a series over the places. The last ones, where they are many."""
    places, series = _last(places, series)
    largest = max((value for values in series.values() for value in values), default=0) or 1
    step = _WIDTH / max(len(places) - 1, 1)
    shapes = [*_legend(tuple(series)), _text(_WIDTH, 12, f"{largest:,.0f} at the most", "end")]
    for colour, values in zip(_COLOURS, series.values(), strict=False):
        points = [(place * step, 174 - 150 * value / largest) for place, value in enumerate(values)]
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        shapes.append(f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if len(points) <= _MOST_MARKS:
            shapes += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in points]
    shapes += _ends(places[0], places[-1], 190) if places else []
    return _image(shapes, 196, title)


def curves(series: Mapping[str, Sequence[tuple[float, float]]], across: str, up: str) -> dg.MarkdownMetadataValue:
    """One line a series in a square of shares, from 0 to 1 each way, with the diagonal; `across` and `up` say what the
    shares are of."""
    side, left, top = 240, 40, _LEGEND + 4

    def place(x: float, y: float) -> tuple[float, float]:
        return left + side * x, top + side * (1 - y)

    (x0, y0), (x1, y1) = place(0, 0), place(1, 1)
    shapes = [*_legend(tuple(series)), _text(left, top + side + 16, across), _text(left + side + 8, top + 12, up)]
    shapes.append(f'<rect x="{left}" y="{top}" width="{side}" height="{side}" fill="none" stroke="{_PALE}"/>')
    shapes.append(f'<line x1="{x0}" y1="{y0}" x2="{x1}" y2="{y1}" stroke="{_GREY}" stroke-dasharray="3 4"/>')
    for colour, points in zip(_COLOURS, series.values(), strict=False):
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
        shapes.append(f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return _image(shapes, top + side + 24, f"{up} by {across}")


def _last(
    places: Sequence[str], series: Mapping[str, Sequence[float]]
) -> tuple[Sequence[str], dict[str, Sequence[float]]]:
    return places[-_MOST_PLACES:], {name: values[-_MOST_PLACES:] for name, values in series.items()}


def _legend(names: Sequence[str]) -> list[str]:
    shapes = []
    for place, name in enumerate(names):
        start = place * _WIDTH / max(len(names), 6)
        shapes += [_box(start, 3, 10, 10, _COLOURS[place % len(_COLOURS)]), _text(start + 14, 12, name)]
    return shapes


def _ends(first: str, last: str, y: float) -> list[str]:
    return [_text(0, y, first), _text(_WIDTH, y, last, "end")]


def _box(x: float, y: float, width: float, height: float, fill: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"/>'


def _text(x: float, y: float, words: str, anchor: str = "start", fill: str = _GREY) -> str:
    at = "" if anchor == "start" else f' text-anchor="{anchor}"'
    ink = "" if fill == _GREY else f' fill="{fill}"'
    return f'<text x="{x:.1f}" y="{y:.1f}"{at}{ink}>{escape(words)}</text>'


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _image(shapes: Sequence[str], height: float, title: str) -> dg.MarkdownMetadataValue:
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height:.0f}" '
        f'viewBox="0 0 {_WIDTH} {height:.0f}"><g font-family="sans-serif" font-size="11" fill="{_GREY}">'
        f"{''.join(shapes)}</g></svg>"
    )
    return dg.MetadataValue.md(f"![{title}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})")
