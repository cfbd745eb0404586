"""What a visual shows, as columns and rows: chart, table, CSV and tests all take the same. Nothing is drawn here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from event_assets.dashboards import period_people, rollups, sql
from event_assets.dashboards.database import Row
from event_assets.dashboards.formatter import Formatter
from event_assets.dashboards.selection import Selection, Span, equal_hours
from event_assets.dashboards.source import Source
from event_assets.rules.dashboard import Dashboard, Page, Visual
from event_assets.rules.dashboard import Source as Asked

FILTER_TITLES = {
    "app_id": "app",
    "platform": "platform",
    "country": "country",
    "channel_group": "channel",
    "segment": "segment",
    "robots": "robots",
    "model": "attribution model",
}


@dataclass(frozen=True)
class Field:
    """A column of a figure. `format` is a metric's, or `text`, `date`, `moment`,
    `moment_of_year`."""

    name: str
    title: str
    format: str = "text"


@dataclass(frozen=True)
class Figure:
    """Columns, rows, and what must be said beside them."""

    title: str
    fields: tuple[Field, ...]
    rows: list[Row]
    description: str = ""
    notes: tuple[str, ...] = ()
    empty: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self.rows


NOTHING_YET = "No sessions in this period. Choose a longer one, or send events: event-assets simulate --hours 240"

_NOTHING_OF = {
    "agg_channel_performance": "Nothing is credited in this period, and no spend is known. Conversions with a session "
    "before them are credited; spend is what EVENT_ASSETS_SPEND_FILE says.",
    "dim_companies": "No company came in this period. Companies are the groups of group events; company data "
    "(EVENT_ASSETS_COMPANY_DIR) tells of them.",
    "dim_trained_models": "No model learned in this period. They learn once a week, where EVENT_ASSETS_MODELS_DIR has "
    "files of models and the extra models is installed.",
    "agg_metric_incidents": "No incident began in this period.",
    "agg_metric_anomalies": "No metric was watched in this period: each needs weeks of history first, and the extra "
    "models.",
    "dim_outlier_visitors": "No visitor of the last 28 days did enough to be judged.",
}
"""What is said where there is nothing, by table of the warehouse: why, and the next step."""
_UNKNOWN = "It is not known of any day in this period."


def _empty(asked: Asked) -> str:
    return _NOTHING_OF.get(asked.table, NOTHING_YET)


def figure_of(source: Source, visual: Visual, selection: Selection, page: Page | None = None) -> Figure:
    """The figure of a visual over metrics. What its page shows beside it of the same rows, numbers over one table and
    bars of one metric, is asked for at once."""
    if visual.kind == "number":
        return _number(source, visual, selection, page.numbers if page else ())
    if visual.kind == "line":
        return _line(source, visual, selection)
    return _by_dimension(source, visual, selection, page)


def title_of(dashboard: Dashboard, visual: Visual) -> str:
    """What the figure of a visual over metrics is called, which is known before it is."""
    if visual.title:
        return visual.title
    metrics = [dashboard.metrics[name] for name in visual.named]
    if visual.by is None:
        return f"{metrics[0].title} by day" if visual.kind == "line" else metrics[0].title
    title = dashboard.source_of(visual.named[0]).dimensions[visual.by]
    return f"{metrics[0].title} by {title.lower()}" if visual.kind == "bars" else _plural(title)


def _number(source: Source, visual: Visual, selection: Selection, beside: Sequence[str]) -> Figure:
    """One row: the metric, and that of the period before; then, where the whole period cannot be held against as many
    hours, the part of the metric that is."""
    assert visual.metric is not None
    name, metric, asked = (
        visual.metric,
        source.dashboard.metrics[visual.metric],
        source.dashboard.source_of(visual.metric),
    )
    names = [each for each in dict.fromkeys((*beside, name)) if source.dashboard.metrics[each].table == metric.table]
    now, before = _spans(source, selection)
    fields = [Field(name, metric.title, metric.format), Field("before", _compared(selection), metric.format)]
    values = [_totals(source, names, selection, now, is_preset=True)[name]]
    held = equal_hours(now, before, whole_days=asked.is_by_day) if before else None
    values.append(_totals(source, names, selection, held[1])[name] if held else None)
    if held and held[0] != now:
        fields.append(Field("held", f"Of it, up to {_last_day(source, held[0])}", metric.format))
        values.append(_totals(source, names, selection, held[0])[name])
    not_held = _not_held(source, now, before, held, has_change=bool(values[1]))
    return Figure(
        title_of(source.dashboard, visual),
        tuple(fields),
        [tuple(values)],
        _described(source, name, selection),
        (*_notes(source, visual, selection), *(not_held if values[0] is not None else ())),
    )


def _totals(
    source: Source, names: Sequence[str], selection: Selection, span: Span, *, is_preset: bool = False
) -> dict[str, Any]:
    """The metrics, all over one table, in the span; people of a whole preset period from their mart."""
    found: dict[str, Any] = dict.fromkeys(names)
    people = period_people.people_of(source, selection) if is_preset else None
    if people is not None:
        found |= {name: people for name in names if period_people.is_in_mart(source.dashboard, name)}
    rest = [name for name in names if found[name] is None]
    summed = [name for name in rest if rollups.adds_up(source.dashboard, name)]
    if not rollups.is_there(source, source.dashboard.source_of(names[0]), selection, span):
        summed = []
    for asked, some in ((rollups, summed), (sql, [name for name in rest if name not in summed])):
        rows = source.ask(asked.totals(source.dashboard, source.database.schema, some, selection, span)) if some else []
        found |= dict(zip(some, rows[0], strict=True)) if rows else {}
    return found


def _not_held(
    source: Source, now: Span, before: Span | None, held: tuple[Span, Span] | None, *, has_change: bool
) -> Iterable[str]:
    if before and held is None:
        yield "It is counted by whole days, and today goes on: there is nothing of equal hours to hold it against."
    elif held and held[0] != now and has_change:
        yield f"The change is of as many whole days on either side, up to {_last_day(source, held[0])}."


def _last_day(source: Source, span: Span) -> str:
    return Formatter(source.locale).text(span.days[-1], "day")


def _described(source: Source, name: str, selection: Selection) -> str:
    """What the metric means; of people also where their number is from, as it may be older than what is beside it."""
    told = source.dashboard.metrics[name].description
    if not period_people.is_in_mart(source.dashboard, name):
        return told
    if period_people.people_of(source, selection) is None:
        return f"{told} Counted from the sessions of the period."
    return f"{told} Of the whole period, as agg_period_people was last made."


def _described_by_day(source: Source, name: str, selection: Selection) -> str:
    told = source.dashboard.metrics[name].description
    if not period_people.is_in_mart(source.dashboard, name):
        return told
    if period_people.people_by_day(source, selection, source.span(selection)) is None:
        return f"{told} Counted from the sessions of each day."
    return f"{told} Days before today as agg_period_people was last made."


def _line(source: Source, visual: Visual, selection: Selection) -> Figure:
    """A row a day: the day, the metric, and that of the day it is held against."""
    assert visual.metric is not None
    metric = source.dashboard.metrics[visual.metric]
    now, before = _spans(source, selection)
    # A table of whole days has today so far, and all of the day that it would be held against.
    goes_on = source.dashboard.source_of(visual.metric).is_by_day and not now.is_of_whole_days

    found = _by_day(source, visual.metric, selection, now)
    earlier = _by_day(source, visual.metric, selection, before) if before else {}
    # A day without rows has none of what is counted; of a mean or a share nothing is known.
    missing = 0 if metric.kind in ("count", "count_distinct", "sum") else None
    rows: list[Row] = []
    for place, day in enumerate(now.days):
        other = before.days[place] if before and place < len(before.days) else None
        if goes_on and day == now.days[-1]:
            other = None
        rows.append((day, found.get(day, missing), earlier.get(other, missing) if other else None))
    fields = (
        Field("day", "Day", "date"),
        Field(visual.metric, metric.title, metric.format),
        *((Field("before", _compared(selection), metric.format),) if before else ()),
    )
    return Figure(
        title_of(source.dashboard, visual),
        fields,
        [row[: len(fields)] for row in rows] if {*found.values(), *earlier.values()} - {None} else [],
        _described_by_day(source, visual.metric, selection),
        _notes(source, visual, selection),
        empty=_UNKNOWN if found or earlier else _empty(source.dashboard.source_of(visual.named[0])),
    )


def _by_day(source: Source, name: str, selection: Selection, span: Span) -> dict[dt.date, Any]:
    """The metric by day; people of days that are over from their mart, of the day that goes on as counted."""
    dashboard, schema, told = source.dashboard, source.database.schema, None
    if period_people.is_in_mart(dashboard, name):
        told = period_people.people_by_day(source, selection, span)
    rest = span if told is None else span.rest
    if rest is None:
        return told or {}
    query = _asked(source, [name], selection, rest).by_day(dashboard, schema, [name], selection, rest)
    return {**(told or {}), **dict(source.ask(query))}


def _by_dimension(source: Source, visual: Visual, selection: Selection, page: Page | None) -> Figure:
    """A row a value of the dimension, the largest first."""
    assert visual.by is not None
    now, _ = _spans(source, selection)
    dashboard, names = source.dashboard, visual.named
    rows = _rows_beside(source, visual, selection, now, page)
    if rows is None:
        rows = _rows_by(source, names, visual.by, selection, now, visual.most + 1)
    title = dashboard.source_of(names[0]).dimensions[visual.by]
    metrics = [dashboard.metrics[name] for name in names]
    notes = list(_notes(source, visual, selection))
    if len(rows) > visual.most:
        notes.append(f"The first {visual.most} by {metrics[0].title.lower()}.")
    return Figure(
        title_of(dashboard, visual),
        (Field(visual.by, title), *(Field(n, m.title, m.format) for n, m in zip(names, metrics, strict=True))),
        rows[: visual.most],
        "; ".join(f"{metric.title}: {metric.description}" for metric in metrics),
        tuple(notes),
        empty=_empty(source.dashboard.source_of(visual.named[0])),
    )


def _rows_beside(
    source: Source, visual: Visual, selection: Selection, now: Span, page: Page | None
) -> list[Row] | None:
    """The rows of bars, of a question that all bars of the metric on the page ask; None where they ask each for
    themselves: by what is summed already, or of what is no sum."""
    dashboard, metric = source.dashboard, visual.metric
    if page is None or metric is None or not sql.adds_row_by_row(dashboard, metric):
        return None
    bars = [each for each in page.bars_of(metric) if _asked(source, [metric], selection, now, each.by or "") is sql]
    by = list(dict.fromkeys(each.by for each in bars if each.by))
    if visual.by not in by or len(by) == 1:
        return None
    most = max(each.most for each in bars) + 1
    query = sql.by_dimensions(dashboard, source.database.schema, metric, by, selection, now, most)
    mine = by.index(visual.by)
    return [row[1:] for row in source.ask(query) if row[0] == mine][: visual.most + 1]


def _rows_by(source: Source, names: Sequence[str], by: str, selection: Selection, now: Span, most: int) -> list[Row]:
    """A row a value: the value, then the metrics; people of a whole preset period from their mart, which says them by
    one dimension alone."""
    dashboard, schema = source.dashboard, source.database.schema
    in_mart = [name for name in names[1:] if period_people.is_in_mart(dashboard, name)]
    is_whole = not any(selection.values.values())
    people = period_people.people_by(source, selection, by) if in_mart and is_whole else {}
    rest = [name for name in names if name not in in_mart] if people else names
    asked = _asked(source, rest, selection, now, by)
    rows = source.ask(asked.by_dimension(dashboard, schema, rest, by, selection, now, most))
    if not people:
        return rows
    told = [
        (row[0], {**dict(zip(rest, row[1:], strict=True)), **dict.fromkeys(in_mart, people.get(row[0]))})
        for row in rows
    ]
    return [(value, *(metrics[name] for name in names)) for value, metrics in told]


def _asked(source: Source, names: Sequence[str], selection: Selection, span: Span, by: str = "") -> Any:
    """What makes the statements: over the mart of days, where that says all of it, else over the table."""
    dashboard = source.dashboard
    if all(rollups.adds_up(dashboard, name) for name in names):
        return rollups if rollups.is_there(source, dashboard.source_of(names[0]), selection, span, by) else sql
    return sql


def _plural(title: str) -> str:
    return {"Country": "Countries"}.get(title, f"{title}s")


def _spans(source: Source, selection: Selection) -> tuple[Span, Span | None]:
    return source.span(selection), source.span_before(selection)


def _compared(selection: Selection) -> str:
    return "A year before" if selection.compare == "year" else "Period before"


def _notes(source: Source, visual: Visual, selection: Selection) -> tuple[str, ...]:
    asked = source.dashboard.source_of(visual.named[0])
    return (*_not_loaded(source, asked, selection), *_not_filtered(sql.without_effect(asked, selection)))


def _not_loaded(source: Source, asked: Asked, selection: Selection) -> Iterable[str]:
    """Of a period that reaches further back than the events in the warehouse."""
    days = source.event_days if asked.warehouse_table.are_events else None
    if days == 0:
        yield "The warehouse has no single events: EVENT_ASSETS_WAREHOUSE_EVENTS is none."
    elif days is not None and (source.now - source.span(selection).first).days >= days:
        yield f"The warehouse has single events of the last {days} days alone (EVENT_ASSETS_WAREHOUSE_EVENTS)."


def _not_filtered(names: Sequence[str]) -> Iterable[str]:
    if names:
        titles = ", ".join(FILTER_TITLES[name] for name in names)
        yield f"Not filtered by {titles}: what is counted here does not say it."
