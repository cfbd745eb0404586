"""What a visual shows, as columns and rows: chart, table, CSV and tests all take the same. Nothing is drawn here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from event_assets.dashboards import sql
from event_assets.dashboards.database import Database, Row, Text
from event_assets.dashboards.selection import Selection, Span
from event_assets.rules.dashboard import Dashboard, Visual
from event_assets.rules.dashboard import Source as Asked

FILTER_TITLES = {
    "app_id": "app",
    "platform": "platform",
    "country": "country",
    "channel_group": "channel",
    "segment": "segment",
    "robots": "robots",
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
    """Columns, rows, and what must be said beside them. `before` are the rows that they are held against."""

    title: str
    fields: tuple[Field, ...]
    rows: list[Row]
    description: str = ""
    notes: tuple[str, ...] = ()
    before: list[Row] = field(default_factory=list)
    empty: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self.rows


@dataclass(frozen=True)
class Source:
    """Where figures come from: a dashboard, the database, and the time that it is."""

    dashboard: Dashboard
    database: Database
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
    event_days: int | None = None
    """Days of single events that the warehouse has; None: all."""

    @property
    def now(self) -> dt.datetime:
        """The end of the minute that it is."""
        return sql.moment_of(self.clock())

    def ask(self, query: sql.Query) -> list[Row]:
        """The rows of a query, decimals as floats."""
        return self.ask_rows(*query)

    def ask_rows(self, text: Text, values: Sequence[Any] = (), *, fresh: bool = False) -> list[Row]:
        """The rows of a statement, decimals as floats."""
        return [tuple(map(_plain, row)) for row in self.database.rows(text, values, fresh=fresh)]


NOTHING_YET = "No sessions in this period. Choose a longer one, or send events: event-assets simulate --hours 240"


def figure_of(source: Source, visual: Visual, selection: Selection) -> Figure:
    """The figure of a visual over metrics."""
    make = {"number": _number, "line": _line, "bars": _by_dimension, "table": _by_dimension}[visual.kind]
    return make(source, visual, selection)


def _number(source: Source, visual: Visual, selection: Selection) -> Figure:
    """One row: the metric, and that of the period before."""
    assert visual.metric is not None
    metric = source.dashboard.metrics[visual.metric]
    now, before = _spans(source, selection)
    names = [name for name in source.dashboard.metrics if source.dashboard.metrics[name].table == metric.table]
    place = names.index(visual.metric)
    # All metrics of the table at once: the numbers of a page are one look at it, not one each.

    def value(span: Span | None) -> Any:
        if span is None:
            return None
        rows = source.ask(sql.totals(source.dashboard, source.database.schema, names, selection, span))
        return rows[0][place] if rows else None

    fields = (Field(visual.metric, metric.title, metric.format), Field("before", _compared(selection), metric.format))
    return Figure(
        visual.title or metric.title,
        fields,
        [(value(now), value(before))],
        metric.description,
        _notes(source, visual, selection),
    )


def _line(source: Source, visual: Visual, selection: Selection) -> Figure:
    """A row a day: the day, the metric, and that of the day it is held against."""
    assert visual.metric is not None
    metric = source.dashboard.metrics[visual.metric]
    now, before = _spans(source, selection)

    def days(span: Span) -> dict[dt.date, Any]:
        query = sql.by_day(source.dashboard, source.database.schema, [visual.metric or ""], selection, span)
        return dict(source.ask(query))

    found, earlier = days(now), days(before) if before else {}
    # A day without rows has none of what is counted; of a mean or a share nothing is known.
    missing = 0 if metric.kind in ("count", "count_distinct", "sum") else None
    rows: list[Row] = []
    for place, day in enumerate(now.days):
        other = before.days[place] if before and place < len(before.days) else None
        rows.append((day, found.get(day, missing), earlier.get(other, missing) if other else None))
    fields = (
        Field("day", "Day", "date"),
        Field(visual.metric, metric.title, metric.format),
        *((Field("before", _compared(selection), metric.format),) if before else ()),
    )
    return Figure(
        visual.title or f"{metric.title} by day",
        fields,
        [row[: len(fields)] for row in rows] if found or earlier else [],
        metric.description,
        _notes(source, visual, selection),
        empty=NOTHING_YET,
    )


def _by_dimension(source: Source, visual: Visual, selection: Selection) -> Figure:
    """A row a value of the dimension, the largest first."""
    assert visual.by is not None
    now, _ = _spans(source, selection)
    dashboard, schema = source.dashboard, source.database.schema
    names = visual.named
    query = sql.by_dimension(dashboard, schema, names, visual.by, selection, now, visual.most + 1)
    rows = source.ask(query)
    title = dashboard.source_of(names[0]).dimensions[visual.by]
    metrics = [dashboard.metrics[name] for name in names]
    whole = metrics[0].title if visual.kind == "bars" else ", ".join(metric.title.lower() for metric in metrics[:2])
    notes = list(_notes(source, visual, selection))
    if len(rows) > visual.most:
        notes.append(f"The first {visual.most} by {metrics[0].title.lower()}.")
    return Figure(
        visual.title or (f"{whole} by {title.lower()}" if visual.kind == "bars" else _plural(title)),
        (Field(visual.by, title), *(Field(n, m.title, m.format) for n, m in zip(names, metrics, strict=True))),
        rows[: visual.most],
        "; ".join(f"{metric.title}: {metric.description}" for metric in metrics),
        tuple(notes),
        empty=NOTHING_YET,
    )


def _plural(title: str) -> str:
    return {"Country": "Countries"}.get(title, f"{title}s")


def _spans(source: Source, selection: Selection) -> tuple[Span, Span | None]:
    return selection.span(source.now), selection.span_before(source.now)


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
    elif days is not None and (source.now - selection.span(source.now).first).days >= days:
        yield f"The warehouse has single events of the last {days} days alone (EVENT_ASSETS_WAREHOUSE_EVENTS)."


def _not_filtered(names: Sequence[str]) -> Iterable[str]:
    if names:
        titles = ", ".join(FILTER_TITLES[name] for name in names)
        yield f"Not filtered by {titles}: what is counted here does not say it."


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value
