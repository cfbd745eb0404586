"""What the product analyses and segments found, as figures: read as they were made, one figure an analysis."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from psycopg import sql

from event_assets.dashboards.database import Row
from event_assets.dashboards.figures import Field, Figure
from event_assets.dashboards.period_figures import (
    ACTIVE_COLUMNS,
    LIFECYCLE_COLUMNS,
    RETENTION_COLUMNS,
    figure_of_active,
    figure_of_lifecycle,
    figure_of_retention,
)
from event_assets.dashboards.source import Source
from event_assets.dashboards.trend_figures import COLUMNS, figure_of_funnel_trend, figure_of_times, figure_of_trend
from event_assets.rules.analysis import Analysis
from event_assets.rules.dashboard import Visual, VisualKind

_SHOWN_DAYS = 90
NOT_MADE = (
    "It is not made yet: analyses have a run of their own, some minutes after the first events. Pipeline says more."
)
_BEFORE = "_before"
"""What the name of a funnel over the period before has behind that of the funnel it is held against."""
_NOTHING = "No event counts: look at the names of events and fields, and at the days."
_AS_MADE = "All people, as the analysis was last made: no filter applies."


def figures_of(source: Source, visual: Visual) -> list[Figure]:
    """The figures of a visual over analyses: that of the named one, or of each of its kind."""
    if visual.kind == "segments":
        return _segments(source)
    table, columns, make = _KINDS[visual.kind]
    names = [visual.analysis] if visual.analysis else _names(source, table)
    read = sql.SQL("SELECT {} FROM {} WHERE analysis = %s").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(source.database.schema, table)
    )

    def rows_of(name: str) -> list[Row]:
        return source.ask_rows(read, (name,))

    if visual.kind == "funnel":
        names = [name for name in names if name.removesuffix(_BEFORE) not in {*names} - {name}]
        pairs = [(name, rows_of(name), rows_of(name + _BEFORE)) for name in names]
        made = [(name, figure) for name, rows, earlier in pairs for figure in _funnel(visual, name, rows, earlier)]
    else:
        made = [(name, figure) for name in names for figure in make(visual, name, rows_of(name))]
    found = [_of_companies(figure) if name in source.of_companies else figure for name, figure in made]
    return found or [Figure(visual.title or _title(visual.kind), (), [], empty=NOT_MADE)]


def title_of(visual: Visual) -> str:
    """What a visual over analyses is called before it is known which there are."""
    return visual.title or _title(visual.analysis or visual.kind)


def figure_of_rows(analysis: Analysis, rows: Sequence[Mapping[str, Any]]) -> Figure:
    """The figure of an analysis that somebody just made of the lake."""
    _, columns, make = _KINDS[analysis.kind]
    visual = Visual(kind=cast(VisualKind, analysis.kind), title=_title(analysis.name), most=1000)
    [figure] = make(visual, analysis.name, [tuple(row[name] for name in columns) for row in rows])
    figure = replace(figure, notes=("As of the lake now.",), empty=_NOTHING)
    return _of_companies(figure) if analysis.is_of_groups else figure


def _of_companies(figure: Figure) -> Figure:
    """The figure in the words of what it counts."""

    def told(words: str) -> str:
        return words.replace("People", "Companies").replace("people", "companies").replace("person", "company")

    fields = tuple(replace(field, title=told(field.title)) for field in figure.fields)
    return replace(figure, fields=fields, description=told(figure.description), notes=tuple(map(told, figure.notes)))


def _names(source: Source, table: str) -> list[str]:
    query = sql.SQL("SELECT DISTINCT analysis FROM {} ORDER BY 1").format(sql.Identifier(source.database.schema, table))
    return [name for (name,) in source.ask_rows(query)]


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _lifecycle(visual: Visual, name: str, rows: Sequence[Row]) -> Iterator[Figure]:
    yield figure_of_lifecycle(visual.title or _title(name), rows, _AS_MADE, NOT_MADE)


def _active(visual: Visual, name: str, rows: Sequence[Row]) -> Iterator[Figure]:
    title = visual.title or "Active people: day, 7 days, 30 days"
    yield figure_of_active(title, name, rows, _AS_MADE, NOT_MADE)


def _sticking(visual: Visual, name: str, rows: Sequence[tuple[Any, ...]]) -> Iterator[Figure]:
    yield Figure(
        visual.title or "On how many days people came",
        (Field("periods", "Days", "number"), Field("people", "People", "number"), Field("share", "Share", "percent")),
        sorted(rows),
        f"Of the last 30 days, on how many each person was active ({name}).",
        (_AS_MADE,),
        empty=NOT_MADE,
    )


def _retention(visual: Visual, name: str, rows: Sequence[Row]) -> Iterator[Figure]:
    yield figure_of_retention(visual.title or _title(name), rows, _AS_MADE, NOT_MADE)


def _funnel(visual: Visual, name: str, rows: Sequence[Row], earlier: Sequence[Row] = ()) -> Iterator[Figure]:
    """With the people and shares of an earlier period, where they are known."""
    before = {row[:2]: (row[3], row[4]) for row in earlier}
    fields: tuple[Field, ...] = (
        Field("breakdown", "Of"),
        Field("step", "Step", "number"),
        Field("name", "Name"),
        Field("people", "People", "number"),
        Field("conversion", "Of the first step", "percent"),
        Field("step_conversion", "Of the step before", "percent"),
        Field("median", "Median time since", "duration"),
    )
    ordered = sorted(rows, key=lambda row: (row[0] != "(all)", row[0], row[1]))
    if before:
        fields += (
            Field("people_before", "People, period before", "number"),
            Field("conversion_before", "Of the first step, period before", "percent"),
        )
        ordered = [(*row, *before.get(row[:2], (0, None))) for row in ordered]
    told = "People who reached each step within the window, in order, and the median time since the step before."
    yield Figure(visual.title or _title(name), fields, ordered, told, (_AS_MADE,), empty=NOT_MADE)


def _paths(visual: Visual, name: str, rows: Sequence[tuple[Any, ...]]) -> Iterator[Figure]:
    fields = (
        Field("step", "Step", "number"),
        Field("from", "From"),
        Field("to", "To"),
        Field("transitions", "Sessions", "number"),
        Field("seconds", "Mean time between", "duration"),
    )
    ordered = sorted(rows, key=lambda row: (row[0], -row[3]))
    told = "Which way sessions go, from their first page on; the width is the number of sessions."
    yield Figure(visual.title or _title(name), fields, ordered, told, (_AS_MADE,), empty=NOT_MADE)


def _vitals(visual: Visual, name: str, rows: Sequence[tuple[Any, ...]]) -> Iterator[Figure]:
    fields = (
        Field("page", "Page"),
        Field("device", "Device"),
        Field("views", "Views measured", "number"),
        Field("lcp_ms", "LCP", "milliseconds"),
        Field("inp_ms", "INP", "milliseconds"),
        Field("cls", "CLS", "shift"),
    )
    ordered = sorted(rows, key=lambda row: -row[2])[: visual.most]
    told = (
        "75th percentiles: largest contentful paint (good up to 2.5 s, poor over 4 s), interaction to next paint "
        "(200, 500 ms), cumulative layout shift (0.1, 0.25)."
    )
    yield Figure(visual.title or f"Web vitals ({name})", fields, ordered, told, (_AS_MADE,), empty=NOT_MADE)


def _trends(visual: Visual, name: str, rows: Sequence[Row]) -> Iterator[Figure]:
    yield figure_of_trend(visual.title or _title(name), rows, _AS_MADE, NOT_MADE)


def _funnel_trend(visual: Visual, name: str, rows: Sequence[Row]) -> Iterator[Figure]:
    yield figure_of_funnel_trend(visual.title or _title(name), rows, _AS_MADE, NOT_MADE)


def _times(visual: Visual, name: str, rows: Sequence[Row]) -> Iterator[Figure]:
    yield figure_of_times(visual.title or _title(name), rows, _AS_MADE, NOT_MADE)


_KINDS: dict[str, tuple[str, tuple[str, ...], Callable[..., Iterator[Figure]]]] = {
    "trends": ("agg_trends", COLUMNS, _trends),
    "lifecycle": ("agg_lifecycle", LIFECYCLE_COLUMNS, _lifecycle),
    "active_users": ("agg_active_users", ACTIVE_COLUMNS, _active),
    "stickiness": ("agg_stickiness", ("periods", "people", "share"), _sticking),
    "retention": ("agg_retention", RETENTION_COLUMNS, _retention),
    "funnel": (
        "agg_funnels",
        ("breakdown", "step", "step_name", "people", "conversion", "step_conversion", "median_seconds"),
        _funnel,
    ),
    "funnel_trend": ("agg_funnel_trends", ("period_start", "people", "converted", "conversion"), _funnel_trend),
    "time_to_convert": ("agg_times_to_convert", ("from_seconds", "people"), _times),
    "paths": ("agg_paths", ("step", "from_node", "to_node", "transitions", "mean_seconds"), _paths),
    "web_vitals": ("agg_web_vitals", ("page_path", "device_type", "views", "lcp_ms", "inp_ms", "cls"), _vitals),
}


def _segments(source: Source) -> list[Figure]:
    """Now, how far they overlap, and over time."""
    return [_members(source), _overlaps(source), _sizes(source)]


def _members(source: Source) -> Figure:
    table = sql.Identifier(source.database.schema, "dim_segment_memberships")
    week = source.now.date() - dt.timedelta(days=7)
    rows = source.ask_rows(
        sql.SQL(
            "SELECT segment, sum(CASE WHEN is_current THEN 1 ELSE 0 END), sum(CASE WHEN from_date > %s THEN 1 ELSE 0 "
            "END), sum(CASE WHEN to_date > %s THEN 1 ELSE 0 END) FROM {} GROUP BY 1 ORDER BY 2 DESC, 1"
        ).format(table),
        (week, week),
    )
    fields = (
        Field("segment", "Segment"),
        Field("members", "Members now", "number"),
        Field("entered", "Entered in 7 days", "number"),
        Field("left", "Left in 7 days", "number"),
    )
    return Figure(
        "Segments", fields, rows, "Members at the end of the last day, and who came and went.", empty=NOT_MADE
    )


def _sizes(source: Source) -> Figure:
    table = sql.Identifier(source.database.schema, "dim_segment_memberships")
    rows = source.ask_rows(
        sql.SQL(
            "SELECT segment, day, sum(change) FROM (SELECT segment, from_date AS day, 1 AS change FROM {0} UNION ALL "
            "SELECT segment, to_date, -1 FROM {0} WHERE to_date IS NOT NULL) AS changes GROUP BY 1, 2 ORDER BY 2"
        ).format(table)
    )
    names = sorted({row[0] for row in rows})
    today = source.now.date()
    days = [today - dt.timedelta(days=back) for back in reversed(range(_SHOWN_DAYS))]
    size = dict.fromkeys(names, 0)
    changes: dict[dt.date, list[tuple[str, int]]] = {}
    for segment, day, change in rows:
        changes.setdefault(max(day, days[0]), []).append((segment, int(change)))
    made = []
    for day in days:
        for segment, change in changes.get(day, ()):
            size[segment] += change
        made.append((day, *(size[name] for name in names)))
    fields = (Field("day", "Day", "date"), *(Field(name, name, "number") for name in names))
    return Figure("Members by day", fields, made if names else [], "Members at the end of each day.", empty=NOT_MADE)


def _overlaps(source: Source) -> Figure:
    table = sql.Identifier(source.database.schema, "dim_segment_memberships")
    rows = source.ask_rows(
        sql.SQL(
            "SELECT one.segment, other.segment, count(*) FROM {0} AS one JOIN {0} AS other ON one.person_id = "
            "other.person_id WHERE one.is_current AND other.is_current GROUP BY 1, 2"
        ).format(table)
    )
    counts = {(one, other): count for one, other, count in rows}
    names = sorted({one for one, _ in counts})
    fields = (Field("segment", "Of"), *(Field(name, name, "number") for name in names))
    made = [(one, *(counts.get((one, other), 0) for other in names)) for one in names]
    return Figure("Overlap", fields, made, "People who belong to both now.", empty=NOT_MADE)
