"""Pipeline: the ledger hour by hour, what is behind, how fresh the warehouse is, and what was set aside and why."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import dash_mantine_components as dmc
from psycopg import sql

from event_assets.contract.tables.events import EVENT_LEDGER, QUARANTINED_EVENTS
from event_assets.contract.tables.minutes import LANDING_LAG
from event_assets.dashboards.cards import CHART_HEIGHT, card, grid, number_width, table
from event_assets.dashboards.charts import EVEN, WIDEST_BAR, bars, spoken, upright
from event_assets.dashboards.context import Context
from event_assets.dashboards.figures import Field, Figure
from event_assets.dashboards.formatter import Formatter
from event_assets.dashboards.markup import element
from event_assets.dashboards.rejections import exposition_of, set_aside, since, turned_away
from event_assets.embedded.record import read_record
from event_assets.lake.lake import Lake
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.storage import Storage
from event_assets.stack.overview import Overview, read_overview
from event_assets.stack.rejected import read_rejected

ID = "pipeline"
_HOURS, _SAMPLES, _SHAPE_LENGTH, _DAYS_OF_SAMPLES, _LAG_MINUTES = 72, 20, 240, 7, 10
_TYPES = {str: "text", int: "number", float: "number", bool: "boolean"}
_COUNTS = ("landed", "clean", "quarantined", "enriched", "duplicates", "pending")
_NO_EVENTS = "No events have come yet. Send some: event-assets simulate, or event-assets demo."


def content(context: Context) -> Any:
    """The cards of the page."""
    overview = _overview(context)
    formatter = context.formatter
    cards = _numbers(overview, formatter)
    for number, (kind, figure) in enumerate(_figures(context, overview)):
        if kind == "behind" and figure.is_empty:
            cards.append(_all_taken_in(overview, formatter))
            continue
        made = None if figure.is_empty else _CHARTS[kind](figure, formatter)
        has_table = kind in ("ledger", "bars", "waited")
        cards.append(card(figure, made, formatter, export=f"/{ID}/0/0/{number}", has_table=has_table))
    return grid(cards)


def figures(context: Context) -> list[tuple[str, Figure]]:
    """What is on the page, each with the kind of its chart."""
    return _figures(context, _overview(context))


def _overview(context: Context) -> Overview:
    return read_overview(context.settings, context.warehouse_url)


def _figures(context: Context, overview: Overview) -> list[tuple[str, Figure]]:
    settings = context.settings
    lake = Lake(Storage(settings.lake, settings.aws_region, settings.s3_endpoint_url))
    record = read_record(settings.home)
    return [
        ("behind", _behind(overview)),
        ("ledger", last_hours(lake)),
        ("bars", _reasons(overview)),
        ("table", _freshness(context)),
        ("table", set_aside(read_rejected(settings, since(context.source.now), latest=0).kinds)),
        ("table", turned_away(exposition_of(record.collector_url if record else None))),
        ("table", _samples(lake)),
        ("table", lag_of(context)),
        ("waited", landed_by_hour(lake)),
    ]


def _numbers(overview: Overview, formatter: Formatter) -> list[Any]:
    totals = overview.ledger
    counts = {
        "Events landed": totals.landed,
        "Clean": totals.clean,
        "Quarantined": sum(totals.quarantined.values()),
        "Duplicates": totals.duplicates,
    }
    shown = {title: formatter.number(count) for title, count in counts.items()}
    shown["The ledger"] = "balances" if totals.balanced else "does not balance"
    shown["Shards with unread records"] = formatter.number(len(overview.unread_shards))
    return [
        card(
            Figure(title, (), [(words,)]),
            element("div", words, class_=_look(words)),
            formatter,
            width=number_width(len(shown)),
            has_table=False,
        )
        for title, words in shown.items()
    ]


def _look(words: str) -> str:
    return {"balances": "big words", "does not balance": "big words down"}.get(words, "big")


def _behind(overview: Overview) -> Figure:
    rows = [
        (name, len(dates), ", ".join(dates[:5]) + (", …" if len(dates) > 5 else ""))
        for name, dates in sorted(overview.pending.items())
    ]
    fields = (Field("table", "Table"), Field("days", "Days", "number"), Field("dates", "Which"))
    told = "What a table has not taken in yet of what it is made of. The sensor asks for a run by itself."
    return Figure("Behind", fields, rows, told)


def _all_taken_in(overview: Overview, formatter: Formatter) -> Any:
    words = "Every table has taken in everything." if overview.ledger.landed else _NO_EVENTS
    return card(Figure("Behind", (), [(words,)]), element("p", words), formatter, has_table=False)


def _snapshot(lake: Lake, name: str) -> Snapshot | None:
    handle = lake.table(name)
    return handle.snapshot() if handle.exists() else None


def last_hours(lake: Lake) -> Figure:
    """The last hours of the ledger. So many days are opened at the most, as each has an hour at least."""
    snapshot = _snapshot(lake, EVENT_LEDGER.name)
    files = [] if snapshot is None else snapshot.of_dates(sorted(snapshot.dates())[-_HOURS:])
    rows = [] if snapshot is None else snapshot.arrow(files).to_pylist()
    rows.sort(key=lambda row: (row["arrival_date"], row["arrival_hour"]))
    made = [
        (
            dt.datetime.combine(row["arrival_date"], dt.time(row["arrival_hour"])),
            *(row[name] for name in _COUNTS),
            "yes" if row["balanced"] else "NO",
        )
        for row in rows[-_HOURS:]
    ]
    fields = (
        Field("hour", "Hour of arrival (UTC)", "moment"),
        *(Field(name, name.capitalize(), "number") for name in _COUNTS),
        Field("balanced", "Balances"),
    )
    told = "landed = clean + quarantined, and clean = enriched + duplicates + pending, for every hour."
    return Figure("The ledger, hour by hour", fields, made, told, empty=_NO_EVENTS)


def _by_hour(figure: Figure, formatter: Formatter) -> Any:
    return dmc.BarChart(
        h=CHART_HEIGHT,
        dataKey="hour",
        type="stacked",
        data=[
            {
                "hour": f"{formatter.text(row[0], 'day')} {row[0]:%H}h",
                "Enriched": row[4],
                "Duplicates": row[5],
                "Quarantined": row[3],
                "Pending": row[6],
            }
            for row in figure.rows
        ],
        series=[
            {"name": "Enriched", "color": "indigo.6"},
            {"name": "Duplicates", "color": "gray.5"},
            {"name": "Quarantined", "color": "red.6"},
            {"name": "Pending", "color": "orange.5"},
        ],
        withLegend=True,
        valueFormatter=formatter.in_charts("number"),
        maxBarWidth=WIDEST_BAR,
        xAxisProps=EVEN,
        yAxisProps=upright("number"),
        barChartProps=spoken(figure),
    )


def _reasons(overview: Overview) -> Figure:
    rows = sorted(overview.ledger.quarantined.items(), key=lambda each: (-each[1], each[0]))
    fields = (Field("reason", "Reason"), Field("events", "Events", "number"))
    told = (
        "Why events were set aside. Mend the rule or the sender, then materialise their day of clean_events with "
        "rebuild: true."
    )
    return Figure("Quarantine by reason", fields, list(rows), told, empty="Nothing is quarantined.")


def _freshness(context: Context) -> Figure:
    query = sql.SQL("SELECT table_name, max(loaded_at), sum(rows) FROM {} GROUP BY 1 ORDER BY 1").format(
        sql.Identifier(context.source.database.schema, "_loads")
    )
    now = context.source.clock()
    rows = [
        (name, (now - loaded).total_seconds(), loaded, count) for name, loaded, count in context.source.ask_rows(query)
    ]
    fields = (
        Field("table", "Table"),
        Field("age", "Loaded ago", "duration"),
        Field("at", "At (UTC)", "moment"),
        Field("rows", "Rows", "number"),
    )
    told = "When each table of the warehouse last changed: one that had nothing new is not loaded again."
    return Figure("Freshness of the warehouse", fields, rows, told, empty="Nothing is loaded yet.")


def lag_of(context: Context) -> Figure:
    """How long events of the last minutes took from the collector to the warehouse: one row, or none."""
    since = context.source.now - dt.timedelta(minutes=_LAG_MINUTES)
    took = "extract(epoch FROM loaded_at - received_at)"
    query = sql.SQL(
        f"SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY {took}), percentile_cont(0.95) WITHIN GROUP "
        f"(ORDER BY {took}), max({took}) FROM {{}} WHERE derived_at > %s AND received_at > %s"
    ).format(sql.Identifier(context.source.database.schema, "fct_events"))
    fields = (
        Field("events", "Events", "number"),
        Field("median", "Half of them within", "duration"),
        Field("most", "95 % within", "duration"),
        Field("longest", "The last within", "duration"),
    )
    rows = [row for row in context.source.ask_rows(query, (since, since)) if row[0]]
    told = "Of the events that the collector took in these minutes, how long until they stood in the warehouse."
    empty_ = f"No event of the last {_LAG_MINUTES} minutes is in the warehouse."
    return Figure(f"From collector to warehouse, last {_LAG_MINUTES} minutes", fields, rows, told, empty=empty_)


def landed_by_hour(lake: Lake) -> Figure:
    """Of the last hours in which events were landed, how many lay on the stream for long."""
    snapshot = _snapshot(lake, LANDING_LAG.name)
    days = [] if snapshot is None else sorted(snapshot.dates())[-_HOURS:]
    rows = [] if snapshot is None else snapshot.arrow(snapshot.of_dates(days)).to_pylist()
    hours: dict[dt.datetime, list[dict[str, Any]]] = {}
    for row in rows:
        hours.setdefault(row["minute"].replace(minute=0, tzinfo=None), []).append(row)
    made = [
        (
            hour,
            sum(row["events"] for row in own),
            sum(row["waited"] for row in own),
            max(row["longest_seconds"] for row in own),
        )
        for hour, own in sorted(hours.items())[-_HOURS:]
    ]
    fields = (
        Field("hour", "Hour of arrival (UTC)", "moment"),
        Field("events", "Events landed", "number"),
        Field("waited", "Over five minutes later", "number"),
        Field("longest", "The last after", "duration"),
    )
    told = "From the stream to the lake: a whole hour of them says that nothing was landed meanwhile."
    return Figure("Events that waited to be landed", fields, made, told, empty=_NO_EVENTS)


def _waited(figure: Figure, formatter: Formatter) -> Any:
    return dmc.BarChart(
        h=CHART_HEIGHT,
        dataKey="hour",
        data=[{"hour": f"{formatter.text(row[0], 'day')} {row[0]:%H}h", "Waited": row[2]} for row in figure.rows],
        series=[{"name": "Waited", "color": "orange.5"}],
        valueFormatter=formatter.in_charts("number"),
        maxBarWidth=WIDEST_BAR,
        xAxisProps=EVEN,
        yAxisProps=upright("number"),
        barChartProps=spoken(figure),
    )


def _samples(lake: Lake) -> Figure:
    snapshot = _snapshot(lake, QUARANTINED_EVENTS.name)
    names = ("arrived_at", "reason", "detail", "event", "data")
    rows: list[dict[str, Any]] = []
    if snapshot is not None:
        for day in sorted(snapshot.dates(), reverse=True)[:_DAYS_OF_SAMPLES]:
            rows += snapshot.arrow(snapshot.of_dates([day]), names).to_pylist()
    rows.sort(key=lambda row: row["arrived_at"], reverse=True)
    seen: Counter[str] = Counter()
    shown: list[tuple[Any, ...]] = []
    for row in rows:
        seen[row["reason"]] += 1
        if seen[row["reason"]] <= 3 and len(shown) < _SAMPLES:
            shown.append((row["arrived_at"], row["event"], row["reason"], row["detail"], shape_of(row["data"])))
    fields = (
        Field("at", "Arrived (UTC)", "moment"),
        Field("event", "Event"),
        Field("reason", "Reason"),
        Field("detail", "The rule that was broken"),
        Field("shape", "Its shape"),
    )
    told = (
        "The latest of each reason: names and types of its fields, not what they say, which may be about a person. The "
        "bytes are kept in quarantined_events and can be cleaned again."
    )
    return Figure("Quarantined events", fields, shown, told, empty="Nothing is quarantined.")


def shape_of(data: bytes) -> str:
    """An event without what it says: the names and types of its fields, as JSON."""
    try:
        text = json.dumps(_shape(json.loads(data)), ensure_ascii=False)
    except (ValueError, RecursionError):
        return f"{len(data)} bytes that are no JSON"
    return text if len(text) <= _SHAPE_LENGTH else f"{text[:_SHAPE_LENGTH]} …"


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {_printable(name): _shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shape(value[0]), f"{len(value)} in all"] if value else []
    return "null" if value is None else _TYPES[type(value)]


def _printable(name: str) -> str:
    return name if name.isprintable() else repr(name)


_CHARTS: dict[str, Callable[[Figure, Formatter], Any]] = {
    "behind": table,
    "ledger": _by_hour,
    "bars": bars,
    "table": table,
    "waited": _waited,
}
