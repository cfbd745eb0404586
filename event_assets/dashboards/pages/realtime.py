"""Real time: the last half hour, which moves by itself. The one page that reads events, by their index."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import dash
import dash_mantine_components as dmc
import psycopg
from dash import Input, Output, dcc, html
from psycopg import sql

from event_assets.dashboards.cards import CHART_HEIGHT, HALF, WHOLE, card, empty, grid, number_width, table
from event_assets.dashboards.charts import EVEN, bars, spoken, upright
from event_assets.dashboards.charts import number as large_number
from event_assets.dashboards.context import Context, View, current_context
from event_assets.dashboards.figures import Field, Figure
from event_assets.dashboards.formatter import Formatter

_ID = "realtime"
_MINUTES, _NOW_MINUTES = 30, 5
_EVERY_MS = 2_000
_MOST, _LATEST = 10, 20
_NOT_LOADED = (
    "This page reads single events, and the warehouse has none: EVENT_ASSETS_WAREHOUSE_EVENTS is none. Set it to all "
    "or days:30; what is missing is loaded then."
)
_EMPTY = "No events in the last half hour. Send some: event-assets simulate --hours 0.5"


def view() -> View:
    """The page; what is on it comes with the first tick."""
    about = f"The last {_MINUTES} minutes, by the second; robots are left out."
    return View(_ID, "Real time", about, (), lambda context, selection: _frame(context))


def add_callbacks(app: dash.Dash) -> None:
    """What makes the page move."""

    @app.callback(Output("realtime", "children"), Input("realtime-tick", "n_intervals"), prevent_initial_call=True)
    def tick(_: int | None) -> Any:
        try:
            return content(current_context())
        except psycopg.Error:
            return empty("The warehouse does not answer just now; it is asked again in two seconds.")


def _frame(context: Context) -> Any:
    if context.settings.warehouse_event_days == 0:
        return empty(_NOT_LOADED)
    return [dcc.Interval(id="realtime-tick", interval=_EVERY_MS), html.Div(content(context), id="realtime")]


def content(context: Context) -> Any:
    """The cards as of now."""
    now = _now(context)
    cards = []
    for number, (kind, figure) in enumerate(figures(context)):
        address = f"/{_ID}/0/0/{number}"
        made = None if figure.is_empty else _CHARTS[kind](figure, context.formatter)
        # Made anew every two seconds, a chart that waits to be seen would blink.
        how = {"has_table": kind in ("bars", "columns"), "waits": False}
        cards.append(card(figure, made, context.formatter, width=_WIDTHS[kind], export=address, **how))
    at = dmc.Text(f"As of {now:%H:%M:%S} UTC", size="sm", c="dimmed", mb="sm", id="realtime-at")
    return [at, grid(cards)]


def figures(context: Context) -> list[tuple[str, Figure]]:
    """What is on the page as of now, each with the kind of its chart."""
    now = _now(context)
    since = now - dt.timedelta(minutes=_MINUTES)
    total = _ask(context, "count(*), count(DISTINCT coalesce(anonymous_id, user_id))", "", since, now)
    recent = _ask(
        context, "count(DISTINCT coalesce(anonymous_id, user_id))", "", now - dt.timedelta(minutes=_NOW_MINUTES), now
    )
    events, visitors = total[0] if total else (0, 0)
    path = "coalesce(page_path, screen_name)"
    return [
        _number(f"Visitors in {_NOW_MINUTES} minutes", recent[0][0] if recent else 0),
        _number(f"Visitors in {_MINUTES} minutes", visitors),
        _number(f"Events in {_MINUTES} minutes", events),
        ("columns", _minutes(context, since, now)),
        ("bars", _top(context, path, "Page", "event IN ('page_view', 'screen_view')", since, now)),
        ("bars", _top(context, "event", "Event", "true", since, now)),
        ("table", _latest(context, since, now)),
    ]


def _now(context: Context) -> dt.datetime:
    return context.source.clock().replace(microsecond=0)


def _ask(context: Context, columns: str, more: str, first: dt.datetime, until: dt.datetime) -> list[tuple[Any, ...]]:
    """The rows of these minutes. `columns` and `more` are this module's own words."""
    query = sql.SQL("SELECT {} FROM {} WHERE derived_at > %s AND derived_at <= %s AND NOT is_bot {}").format(
        sql.SQL(columns),
        sql.Identifier(context.source.database.schema, "fct_events"),
        sql.SQL(more),
    )
    return context.source.ask_rows(query, (first, until))


def _minutes(context: Context, since: dt.datetime, now: dt.datetime) -> Figure:
    rows = _ask(context, "date_trunc('minute', derived_at), count(*)", "GROUP BY 1", since, now)
    counted: dict[dt.datetime, int] = {row[0]: row[1] for row in rows}
    last = now.replace(second=0)
    all_ = [last - dt.timedelta(minutes=back) for back in reversed(range(_MINUTES))]
    fields = (Field("minute", "Minute", "moment"), Field("events", "Events", "number"))
    made = [(minute, counted.get(minute, 0)) for minute in all_] if counted else []
    return Figure("Events a minute", fields, made, "By when they happened (derived_at).", empty=_EMPTY)


def _by_minute(figure: Figure, formatter: Formatter) -> Any:
    return dmc.BarChart(
        h=CHART_HEIGHT,
        dataKey="minute",
        data=[{"minute": f"{minute:%H:%M}", "Events": count} for minute, count in figure.rows],
        series=[{"name": "Events", "color": "indigo.6"}],
        valueFormatter=formatter.in_charts("number"),
        xAxisProps=EVEN,
        yAxisProps=upright("number"),
        barProps={"isAnimationActive": False},
        barChartProps=spoken(figure),
    )


def _top(context: Context, column: str, title: str, where: str, since: dt.datetime, now: dt.datetime) -> Figure:
    more = f"AND {where} AND {column} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {_MOST}"
    rows = _ask(context, f"{column}, count(*)", more, since, now)
    return Figure(f"{title}s", (Field("value", title), Field("events", "Events", "number")), rows, empty=_EMPTY)


def _latest(context: Context, since: dt.datetime, now: dt.datetime) -> Figure:
    columns = "derived_at, event, platform, country, coalesce(page_path, screen_name)"
    rows = _ask(context, columns, f"ORDER BY derived_at DESC, event_id LIMIT {_LATEST}", since, now)
    fields = (
        Field("at", "At", "moment"),
        Field("event", "Event"),
        Field("platform", "Platform"),
        Field("country", "Country"),
        Field("page", "Page or screen"),
    )
    return Figure("Latest events", fields, rows, empty=_EMPTY)


def _number(title: str, value: int) -> tuple[str, Figure]:
    return "number", Figure(title, (Field("value", title, "number"),), [(value,)])


_CHARTS: dict[str, Callable[[Figure, Formatter], Any]] = {
    "number": large_number,
    "columns": _by_minute,
    "bars": bars,
    "table": table,
}
_WIDTHS = {"number": number_width(3), "columns": WHOLE, "bars": HALF, "table": WHOLE}
