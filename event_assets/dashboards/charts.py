"""A figure as a chart: which one, by the kind of the visual."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import dash_mantine_components as dmc
from dash import html

from event_assets.dashboards.cards import labelled, table
from event_assets.dashboards.figures import Field, Figure
from event_assets.dashboards.flows import sankey_picture
from event_assets.dashboards.formats import UNKNOWN, change_of, change_parts, text_of

_HEIGHT = 260
_COLORS = ("indigo.6", "teal.6", "orange.6", "grape.6", "cyan.7", "red.6", "lime.7", "pink.6")
_STATUS_COLORS = {"new": "indigo.6", "returning": "teal.6", "resurrecting": "orange.5", "dormant": "gray.5"}
_GOOD_AND_POOR = {"lcp_ms": (2500, 4000), "inp_ms": (200, 500), "cls": (0.1, 0.25)}
Currency = str | None


def number(figure: Figure, currency: Currency) -> Any:
    """The value in large, and how it changed."""
    now, before, held = change_parts(figure)
    format_ = figure.fields[0].format
    change = change_of(held, before)
    big = dmc.Text(text_of(now, format_, currency), fz=28, fw=700, lh=1.2)
    if before is None:
        return big
    told = f"{figure.fields[1].title}: {text_of(before, format_, currency)}"
    if change is None:
        return html.Div([big, dmc.Text(told, size="xs", c="dimmed")])
    sign = "▲" if change > 0 else "▼" if change < 0 else "="
    badge = html.Span(f"{sign} {abs(change):.1%}", className="up" if change > 0 else "down" if change < 0 else "same")
    return html.Div([big, dmc.Group([badge, dmc.Text(told, size="xs", c="dimmed")], gap="xs")])


def line(figure: Figure, currency: Currency) -> Any:
    """An area by day, what it is held against as a broken line."""
    metric = figure.fields[1]
    scale, unit = _scale(metric.format)
    series = [{"name": metric.title, "color": "indigo.6"}]
    names = [metric.title]
    if len(figure.fields) > 2:
        series.append({"name": figure.fields[2].title, "color": "gray.6", "strokeDasharray": "4 4"})
        names.append(figure.fields[2].title)
    return dmc.AreaChart(
        h=_HEIGHT,
        dataKey="day",
        type="default",
        data=[{"day": f"{row[0]:%d %b}", **_scaled(names, row[1:], scale)} for row in figure.rows],
        series=series,
        unit=unit,
        withLegend=len(series) > 1,
        withDots=len(figure.rows) < 3,
        curveType="monotone",
        fillOpacity=0.15,
        yAxisProps={"width": 64},
        areaChartProps={"accessibilityLayer": True},
    )


def _scale(format_: str) -> tuple[float, str]:
    return {"percent": (100.0, "%"), "duration": (1.0, " s"), "milliseconds": (1.0, " ms")}.get(format_, (1.0, ""))


def _scaled(names: Sequence[str], values: Sequence[Any], scale: float) -> dict[str, Any]:
    return {name: None if v is None else round(v * scale, 2) for name, v in zip(names, values, strict=False)}


def lines(figure: Figure, currency: Currency) -> Any:
    """A line for each column that counts people."""
    counted = [(place, field) for place, field in enumerate(figure.fields) if field.format == "number"]
    return dmc.LineChart(
        h=_HEIGHT,
        dataKey="day",
        data=[
            {"day": f"{row[0]:%d %b}", **{field.title: row[place] for place, field in counted}} for row in figure.rows
        ],
        series=[{"name": f.title, "color": _COLORS[n % len(_COLORS)]} for n, (_, f) in enumerate(counted)],
        withLegend=True,
        withDots=len(figure.rows) < 3,
        curveType="linear",
        yAxisProps={"width": 64},
    )


def bars(figure: Figure, currency: Currency) -> Any:
    """A bar for each value, with its figure in words and its share of the largest in length."""
    metric = figure.fields[1]
    most = max((row[1] or 0 for row in figure.rows), default=0) or 1
    return dmc.Stack([_bar(str(row[0]), row[1], most, metric, currency) for row in figure.rows], gap="xs")


def _bar(name: str, value: Any, most: float, metric: Field, currency: Currency, words: str = "") -> Any:
    told = words or text_of(value, metric.format, currency)
    head = dmc.Group(
        [dmc.Text(name, size="sm", className="cut"), dmc.Text(told, size="sm", fw=600)],
        justify="space-between",
        wrap="nowrap",
    )
    return html.Div(
        [
            head,
            dmc.Progress(value=100 * (value or 0) / most, color="indigo.6", size="sm", **labelled(f"{name}: {told}")),
        ]
    )


def stickiness(figure: Figure, currency: Currency) -> Any:
    """Columns: how many people came on how many days."""
    return dmc.BarChart(
        h=_HEIGHT,
        dataKey="periods",
        data=[{"periods": str(row[0]), "People": row[1]} for row in figure.rows],
        series=[{"name": "People", "color": "indigo.6"}],
        xAxisLabel="Days",
        yAxisProps={"width": 64},
    )


def lifecycle(figure: Figure, currency: Currency) -> Any:
    """Stacked columns: those who are there above the line, those who left below."""
    statuses = figure.fields[1:]
    return dmc.BarChart(
        h=_HEIGHT,
        dataKey="period",
        type="stacked",
        data=[
            {"period": f"{row[0]:%d %b}", **{f.title: v for f, v in zip(statuses, row[1:], strict=True)}}
            for row in figure.rows
        ],
        series=[{"name": field.title, "color": _STATUS_COLORS[field.name]} for field in statuses],
        withLegend=True,
        barChartProps={"stackOffset": "sign"},
        yAxisProps={"width": 64},
    )


def heatmap(figure: Figure, currency: Currency) -> Any:
    """Cohorts as rows, periods as columns; the darker, the more came back."""
    head = [dmc.TableTh(field.title, ta="center" if place > 1 else "left") for place, field in enumerate(figure.fields)]
    rows = [
        dmc.TableTr(
            [
                dmc.TableTh(f"{row[0]:%d %b %Y}", fw=400),
                dmc.TableTd(f"{row[1]:,}"),
                *(
                    dmc.TableTd("" if v is None else f"{v:.0%}", ta="center", className="heat", style=_heat(v))
                    for v in row[2:]
                ),
            ]
        )
        for row in figure.rows
    ]
    made = dmc.Table([dmc.TableThead(dmc.TableTr(head)), dmc.TableTbody(rows)], fz="sm", withRowBorders=False)
    return html.Div(made, className="scroll", tabIndex="0", role="region", **labelled(figure.title))


def _heat(share: float | None) -> dict[str, str]:
    # At most so dark that the text above it keeps its contrast, in both colour schemes.
    return {} if share is None else {"--share": f"{min(1.0, share) ** 0.5 * 55:.0f}%"}


def funnel(figure: Figure, currency: Currency) -> Any:
    """Bars of all people, then the shares of each value of the breakdown."""
    parts = {name: list(rows) for name, rows in groupby(figure.rows, lambda row: row[0])}
    whole = parts.pop("(all)", [])
    first = whole[0][3] if whole else 0
    steps = [_step(row, first or 1) for row in whole]
    if not parts:
        return dmc.Stack(steps, gap="sm")
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
    broken = table(Figure(f"{figure.title} by its breakdown", fields, rows))
    return dmc.Stack([*steps, broken], gap="sm")


def _step(row: Sequence[Any], first: int) -> Any:
    _, step, name, people, conversion, of_before, median = row
    told = f"{people:,} people"
    if step > 1:
        told += f" · {text_of(conversion, 'percent')} of the first step"
        told += f" · {text_of(of_before, 'percent')} of the step before"
        told += f" · median {text_of(median, 'duration')}" if median is not None else ""
    head = dmc.Group(
        [dmc.Text(f"{step}. {name}", fw=600, size="sm"), dmc.Text(told, size="sm", c="dimmed")], justify="space-between"
    )
    return html.Div(
        [head, dmc.Progress(value=100 * people / first, size=24, color="indigo.6", **labelled(f"{name}: {told}"))]
    )


def sankey(figure: Figure, currency: Currency) -> Any:
    """The widest ways from step to step, as a picture in either colour scheme."""
    pictures = [
        dmc.Image(src=sankey_picture(figure.rows, text), alt=figure.title, **hidden)
        for text, hidden in (("#212529", {"darkHidden": True}), ("#dee2e6", {"lightHidden": True}))
    ]
    return html.Div(pictures, className="scroll wide", tabIndex="0", role="region", **labelled(figure.title))


def vitals(figure: Figure, currency: Currency) -> Any:
    """A table in which each measure is told good, fair or poor."""
    head = [dmc.TableTh(field.title) for field in figure.fields]
    rows = [
        dmc.TableTr([dmc.TableTd(_vital(f, v), className="cell") for f, v in zip(figure.fields, row, strict=True)])
        for row in figure.rows
    ]
    made = dmc.Table([dmc.TableThead(dmc.TableTr(head)), dmc.TableTbody(rows)], fz="sm")
    return html.Div(made, className="scroll", tabIndex="0", role="region", **labelled(figure.title))


def _vital(field: Field, value: Any) -> Any:
    words = text_of(value, field.format)
    if field.name not in _GOOD_AND_POOR or value is None:
        return words if value is not None else UNKNOWN
    good, poor = _GOOD_AND_POOR[field.name]
    name = "good" if value <= good else "fair" if value <= poor else "poor"
    return html.Span(f"{words} {name}", className=name)


CHARTS: dict[str, Callable[[Figure, Currency], Any]] = {
    "number": number,
    "line": line,
    "bars": bars,
    "table": table,
    "lifecycle": lifecycle,
    "active_users": lines,
    "lines": lines,
    "stickiness": stickiness,
    "retention": heatmap,
    "funnel": funnel,
    "paths": sankey,
    "web_vitals": vitals,
}
"""By kind of visual."""
