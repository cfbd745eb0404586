"""A figure as a chart: which one, by the kind of the visual."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

import dash_mantine_components as dmc

from event_assets.dashboards.cards import CHART_HEIGHT, table, table_of
from event_assets.dashboards.figures import Field, Figure
from event_assets.dashboards.flows import sankey_picture
from event_assets.dashboards.formats import change_of, change_parts
from event_assets.dashboards.formatter import Formatter
from event_assets.dashboards.markup import Node, element
from event_assets.dashboards.period_figures import BEFORE, first_period

_COLORS = ("indigo.6", "teal.6", "orange.6", "grape.6", "cyan.7", "red.6", "lime.7", "pink.6")
_STATUS_COLORS = {"new": "indigo.6", "returning": "teal.6", "resurrecting": "orange.5", "dormant": "gray.5"}
_SEEN_CHANGE = 0.0005
"""What is less is written as none."""
EVEN: dict[str, Any] = {"interval": "equidistantPreserveStart", "minTickGap": 12, "padding": {"left": 28, "right": 28}}
"""The ticks of an axis: as far from each other all along it, with room for the words of the last one."""
WIDEST_BAR = 48
"""Pixels."""
Row = Sequence[Any]
_GOOD_AND_POOR = {"lcp_ms": (2500, 4000), "inp_ms": (200, 500), "cls": (0.1, 0.25)}


def number(figure: Figure, formatter: Formatter) -> Node:
    """The value in large, and how it changed."""
    now, before, held = change_parts(figure)
    format_ = figure.fields[0].format
    change = change_of(held, before)
    parts = [element("div", formatter.text(now, format_), class_="big")]
    if before is not None:
        told = element("span", f"{figure.fields[1].title}: {formatter.text(before, format_)}", class_="note")
        parts.append(element("div", *([] if change is None else [_change(change, formatter)]), told, class_="against"))
    return element("div", *parts)


def _change(change: float, formatter: Formatter) -> Node:
    if abs(change) < _SEEN_CHANGE:
        change = 0.0
    sign, name = ("▲", "up") if change > 0 else ("▼", "down") if change < 0 else ("=", "same")
    return element("span", f"{sign} {formatter.growth(abs(change))}", class_=name)


def line(figure: Figure, formatter: Formatter) -> Any:
    """An area by day, with a gap where there is nothing to measure; what it is held against as a broken line."""
    metric, *others = figure.fields[1:]
    series = [{"name": metric.title, "color": "indigo.6"}]
    series += [{"name": other.title, "color": "gray.6", "strokeDasharray": "4 4"} for other in others]
    names = [each["name"] for each in series]
    return dmc.AreaChart(
        h=CHART_HEIGHT,
        dataKey="day",
        type="default",
        data=[{"day": formatter.text(row[0], "day"), **dict(zip(names, row[1:], strict=True))} for row in figure.rows],
        series=series,
        valueFormatter=formatter.in_charts(metric.format),
        withLegend=len(series) > 1,
        withDots=_needs_dots(figure, range(1, len(figure.fields))),
        connectNulls=False,
        curveType="linear",
        fillOpacity=0.15,
        xAxisProps=EVEN,
        yAxisProps=upright(metric.format),
        areaChartProps=spoken(figure),
    )


def lines(figure: Figure, formatter: Formatter) -> Any:
    """A line for each column that counts or measures, broken where there is nothing to measure."""
    counted = [(place, field) for place, field in enumerate(figure.fields) if field.format in ("number", "decimal")]
    format_ = "decimal" if any(field.format == "decimal" for _, field in counted) else "number"
    when = "day" if figure.fields[0].format == "date" else figure.fields[0].format
    return dmc.LineChart(
        h=CHART_HEIGHT,
        dataKey="day",
        data=[
            {"day": formatter.text(row[0], when), **{field.title: row[place] for place, field in counted}}
            for row in figure.rows
        ],
        series=[_stroke(n, field.title) for n, (_, field) in enumerate(counted)],
        valueFormatter=formatter.in_charts(format_),
        withLegend=True,
        withDots=_needs_dots(figure, [place for place, _ in counted]),
        connectNulls=False,
        curveType="linear",
        xAxisProps=EVEN,
        yAxisProps=upright(format_),
        lineChartProps=spoken(figure),
    )


def upright(format_: str) -> dict[str, Any]:
    """The axis of values: of what is counted there are no halves."""
    return {"width": 64, "allowDecimals": format_ != "number"}


def spoken(figure: Figure) -> dict[str, Any]:
    """What a chart is called by what reads aloud; arrow keys lead from value to value."""
    return {"accessibilityLayer": True, "title": figure.title}


def _needs_dots(figure: Figure, places: Sequence[int]) -> bool:
    """Whether points stand alone: there are but two, or one has gaps on either side, and so no line."""
    return len(figure.rows) < 3 or any(_is_alone([row[place] is not None for row in figure.rows]) for place in places)


def _is_alone(known: Sequence[bool]) -> bool:
    around = [False, *known, False]
    return any(here and not (before or after) for before, here, after in zip(around, known, around[2:], strict=False))


def _stroke(number: int, title: str) -> dict[str, str]:
    color = {"name": title, "color": _COLORS[number % len(_COLORS)]}
    return color | {"strokeDasharray": "4 4"} if title.endswith("(before)") else color


def bars(figure: Figure, formatter: Formatter) -> Node:
    """A bar for each value, with its figure in words and its share of the largest in length."""
    format_ = figure.fields[1].format
    most = max((row[1] or 0 for row in figure.rows), default=0) or 1
    words = formatter.column([row[1] for row in figure.rows], format_)
    shown = [(str(row[0]), told, (row[1] or 0) / most) for row, told in zip(figure.rows, words, strict=True)]
    return element("div", *(_bar(*each) for each in shown), class_="bars")


def _bar(name: str, told: str, share: float, size: str = "thin") -> Node:
    """A bar below its name and what is told of it."""
    head = element("div", element("span", name, class_="cut"), element("span", told, class_="told"), class_="head")
    length = element("div", style={"width": f"{100 * min(max(share, 0), 1):.4g}%"})
    return element("div", head, element("div", length, class_=f"bar {size}", aria_hidden="true"))


def stickiness(figure: Figure, formatter: Formatter) -> Any:
    """Columns: how many people came on how many days."""
    return dmc.BarChart(
        h=CHART_HEIGHT,
        dataKey="periods",
        data=[{"periods": str(row[0]), figure.fields[1].title: row[1]} for row in figure.rows],
        series=[{"name": figure.fields[1].title, "color": "indigo.6"}],
        valueFormatter=formatter.in_charts("number"),
        xAxisLabel="Days",
        maxBarWidth=WIDEST_BAR,
        xAxisProps=EVEN,
        yAxisProps=upright("number"),
        barChartProps=spoken(figure),
    )


def histogram(figure: Figure, formatter: Formatter) -> Any:
    """Columns: how many people took how long."""
    return dmc.BarChart(
        h=CHART_HEIGHT,
        dataKey="from",
        data=[{"from": formatter.duration(row[0]), figure.fields[1].title: row[1]} for row in figure.rows],
        series=[{"name": figure.fields[1].title, "color": "indigo.6"}],
        valueFormatter=formatter.in_charts("number"),
        xAxisLabel="From",
        maxBarWidth=WIDEST_BAR,
        xAxisProps=EVEN,
        yAxisProps=upright("number"),
        barChartProps=spoken(figure),
    )


def lifecycle(figure: Figure, formatter: Formatter) -> Any:
    """Stacked columns: those who are there above the line, those who left below. Paler beside them what was before."""
    statuses = figure.fields[1:]
    return dmc.BarChart(
        h=CHART_HEIGHT,
        dataKey="period",
        data=[
            {"period": formatter.text(row[0], "day"), **{f.title: v for f, v in zip(statuses, row[1:], strict=True)}}
            for row in figure.rows
        ],
        series=[_status(field) for field in statuses],
        valueFormatter=formatter.in_charts("number"),
        withLegend=True,
        barChartProps={"stackOffset": "sign", **spoken(figure)},
        maxBarWidth=WIDEST_BAR,
        xAxisProps=EVEN,
        yAxisProps=upright("number"),
    )


def _status(field: Field) -> dict[str, str]:
    name = field.name.removesuffix(BEFORE)
    color, stack = (_STATUS_COLORS[name], "now") if name == field.name else (f"{_STATUS_COLORS[name][:-1]}3", "before")
    return {"name": field.title, "color": color, "stackId": stack}


def heatmap(figure: Figure, formatter: Formatter) -> Node:
    """Cohorts as rows, periods as columns; the darker, the more came back."""
    first = first_period(figure)
    head = [element("th", f.title, class_="middle" if n >= first else None) for n, f in enumerate(figure.fields)]
    rows = [
        [
            element("th", formatter.text(row[0], "date")),
            *(element("td", formatter.text(row[n], figure.fields[n].format)) for n in range(1, first)),
            *(_heat(share, formatter) for share in row[first:]),
        ]
        for row in figure.rows
    ]
    return table_of(figure.title, head, rows)


def _heat(share: float | None, formatter: Formatter) -> Node:
    if share is None:
        return element("td", "")
    # At most so dark that the text above it keeps its contrast, in both colour schemes.
    dark = {"--share": f"{min(1.0, share) ** 0.5 * 55:.0f}%"}
    return element("td", formatter.percent(share, 0), class_="heat", style=dark)


def funnel(figure: Figure, formatter: Formatter) -> Node:
    """Bars of all people, then the shares of each value of the breakdown."""
    parts = {name: list(rows) for name, rows in groupby(figure.rows, lambda row: row[0])}
    whole = parts.pop("(all)", [])
    first = whole[0][3] if whole else 0
    shown = [
        element(
            "div", *(_step(row, first or 1, figure.fields[3].title.lower(), formatter) for row in whole), class_="bars"
        )
    ]
    if parts:
        shown.append(table(_by_value(figure.title, whole, parts), formatter))
    return element("div", *shown)


def _by_value(title: str, whole: Sequence[Row], parts: Mapping[str, Sequence[Row]]) -> Figure:
    """A row a value of the breakdown: its people at each step, and their share from the first to the last."""
    last = max(row[1] for row in whole)
    fields = (
        Field("of", "Of"),
        *(Field(f"s{row[1]}", row[2], "number") for row in whole),
        Field("all", "First to last", "percent"),
    )
    rows = []
    for name, of in parts.items():
        people = {row[1]: row for row in of}
        counted = [people[row[1]][3] if row[1] in people else 0 for row in whole]
        rows.append((name, *counted, people[last][4] if last in people else None))
    return Figure(f"{title} by its breakdown", fields, rows)


def _step(row: Row, first: int, whom: str, formatter: Formatter) -> Node:
    _, step, name, people, conversion, of_before, median, *earlier = row
    told = f"{formatter.number(people)} {whom}"
    if step > 1:
        told += f" · {formatter.text(conversion, 'percent')} of the first step"
        told += f" · {formatter.text(of_before, 'percent')} of the step before"
        told += f" · median {formatter.duration(median)}" if median is not None else ""
    if earlier:
        told += f" · period before: {formatter.number(earlier[0])} {whom}"
        told += f", {formatter.text(earlier[1], 'percent')}" if step > 1 else ""
    return _bar(f"{step}. {name}", told, people / first, "thick")


def sankey(figure: Figure, formatter: Formatter) -> Node:
    """The widest ways from step to step, as a picture in either colour scheme."""
    pictures = [
        element("img", src=sankey_picture(figure.rows, color, formatter.number), alt=figure.title, class_=scheme)
        for scheme, color in (("in-light", "#212529"), ("in-dark", "#dee2e6"))
    ]
    return element("div", *pictures, class_="scroll wide", tabindex="0", role="region", aria_label=figure.title)


def vitals(figure: Figure, formatter: Formatter) -> Node:
    """A table in which each measure is told good, fair or poor."""
    looks = ["number" if field.format == "number" else None for field in figure.fields]
    head = [element("th", field.title, class_=look) for field, look in zip(figure.fields, looks, strict=True)]
    rows = [
        [
            element("td", _vital(field, value, formatter), class_=look)
            for field, value, look in zip(figure.fields, row, looks, strict=True)
        ]
        for row in figure.rows
    ]
    return table_of(figure.title, head, rows)


def _vital(field: Field, value: Any, formatter: Formatter) -> Node:
    words = formatter.text(value, field.format)
    if field.name not in _GOOD_AND_POOR or value is None:
        return words
    good, poor = _GOOD_AND_POOR[field.name]
    name = "good" if value <= good else "fair" if value <= poor else "poor"
    return element("span", f"{words} {name}", class_=name)


CHARTS: dict[str, Callable[[Figure, Formatter], Any]] = {
    "number": number,
    "line": line,
    "bars": bars,
    "table": table,
    "lifecycle": lifecycle,
    "active_users": lines,
    "lines": lines,
    "trends": lines,
    "stickiness": stickiness,
    "retention": heatmap,
    "funnel": funnel,
    "funnel_trend": lines,
    "time_to_convert": histogram,
    "paths": sankey,
    "web_vitals": vitals,
}
"""By kind of visual."""
