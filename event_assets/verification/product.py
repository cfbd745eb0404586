"""Product analyses: each made again from the history, and the lines that say whether its rows are those.

An analysis is made whole, by a run of its own that waits for a pause. One that is not of the lake's events as they are
is late, not wrong: its line says since when.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from event_assets.contract.tables.lake import ANALYSIS_TABLES
from event_assets.rules.analysis import (
    ActiveUsers,
    Analyses,
    Analysis,
    Lifecycle,
    Paths,
    Retention,
    Stickiness,
    WebVitals,
)
from event_assets.rules.funnel import Funnel, FunnelTrend, TimeToConvert
from event_assets.rules.question import Ranged
from event_assets.rules.trends import Trends
from event_assets.settings import Settings
from event_assets.verification import funnels, periods, trends, visits
from event_assets.verification.evidence import Evidence
from event_assets.verification.history import Event, History, microseconds
from event_assets.verification.known import Known
from event_assets.verification.matching import all_hold
from event_assets.verification.reading import Refreshed
from event_assets.verification.report import Expectation, Key, Values, differing, equal, moment


class _Rows(NamedTuple):
    """Rows of an analysis by key: which columns they have, and how many of these are the key."""

    columns: tuple[str, ...]
    key_columns: int
    rows: dict[Key, Values]


def product_lines(
    evidence: Evidence, history: History, analyses: Analyses, settings: Settings
) -> Iterator[Expectation]:
    """Lines about funnels, retention, lifecycle, paths, active_users, stickiness and web_vitals."""
    known = Known(evidence)
    for analysis in (analysis for table in ANALYSIS_TABLES for analysis in analyses.of(table)):
        late = _late_line(evidence, analysis)
        if late is not None:
            yield late
        elif history.events:
            events = known.of_events(analysis, _events(analysis, history))
            if analysis.is_of_groups:
                events = [replace(event, person=known.group_of(event)) for event in events]
            yield from _about(evidence, analysis, _counted(analysis, events), history, settings)
    named = {analysis.name for analysis in analyses.usable}
    for table, made in sorted(evidence.refreshed.items()):
        for name in sorted(made.at.keys() - named):
            what = f"{name}: is no more; not refreshed {_since(made, name)}"
            yield Expectation(table, what, "", "", True, late=True)


def _late_line(evidence: Evidence, analysis: Analysis) -> Expectation | None:
    """A line that judges nothing, where the analysis is not made of the lake as it is."""
    component = analysis.table.name
    made = evidence.refreshed[component]
    sources = made.sources_of(analysis.name, analysis.digest)
    behind = {name: through for name, through in sources.items() if through.is_before(evidence.versions[name])}
    if sources and not behind:
        return None
    expected = ", ".join(f"{name} {evidence.versions[name].number}" for name in behind)
    actual = ", ".join(f"{name} {through.number}" for name, through in behind.items())
    return Expectation(
        component, f"{analysis.name}: not refreshed {_since(made, analysis.name)}", expected, actual, True, late=True
    )


def _since(made: Refreshed, name: str) -> str:
    at = made.at.get(name)
    return "yet" if at is None else f"since {moment(at.timestamp())}"


def _events(analysis: Analysis, history: History) -> list[Event]:
    """Those that it looks at: of its days."""
    events = history.events if analysis.include_bots else history.human
    span = _span(analysis, history)
    if span is None or (isinstance(analysis, Ranged) and analysis.shows_whole_periods):
        return list(events)
    first = _days_before(analysis, span)
    return [event for event in events if str(first) <= event.site_date <= str(span[1])]


def _span(analysis: Analysis, history: History) -> tuple[dt.date, dt.date] | None:
    return analysis.span(_last_day(history)) if isinstance(analysis, Ranged) else None


def _last_day(history: History) -> dt.date:
    return dt.date.fromisoformat(max(event.site_date for event in history.events))


def _days_before(analysis: Analysis, span: tuple[dt.date, dt.date]) -> dt.date:
    """The first day, of a trend that is compared that of the days before."""
    first, last = span
    is_compared = isinstance(analysis, Trends) and analysis.compare
    return first - (last - first) - dt.timedelta(days=1) if is_compared else first


def _with_spans(analysis: Trends, events: list[Event], history: History) -> list[tuple[str, Event]]:
    span = _span(analysis, history)
    if span is None:
        return [("now", event) for event in events]
    length = (span[1] - span[0] + dt.timedelta(days=1)) // dt.timedelta(microseconds=1)
    return [
        ("before", replace(event, at=event.at + length, shown=event.shown + length))
        if event.site_date < str(span[0])
        else ("now", event)
        for event in events
    ]


def _counted(analysis: Analysis, events: list[Event]) -> list[Event]:
    """Those that count. Others are nobody's: of analyses of people they still tell how far time has come."""
    if not analysis.where:
        return events
    if isinstance(analysis, Trends | Paths | WebVitals):
        return [event for event in events if all_hold(event, analysis.where)]
    return [event if all_hold(event, analysis.where) else replace(event, person=None) for event in events]


def _about(
    evidence: Evidence, analysis: Analysis, events: list[Event], history: History, settings: Settings
) -> Iterator[Expectation]:
    made = _made(analysis, events, history, settings)
    table = analysis.table.name
    query = f"SELECT {', '.join(made.columns)} FROM lake_{table} WHERE analysis = ?"
    found = [_in_microseconds(made.columns, row) for row in evidence.rows(query, [analysis.name])]
    by_key = {row[: made.key_columns]: row[made.key_columns :] for row in found}
    for what, expected, actual in _sums(analysis, made.rows, by_key, events, _span(analysis, history)):
        yield equal(table, f"{analysis.name}: {what}", expected, actual)
    rows = [(row[: made.key_columns], row[made.key_columns :]) for row in found]
    yield differing(table, f"{analysis.name}: rows that say something else", made.rows, rows)


def _sums(
    analysis: Analysis,
    made: dict[Key, Values],
    found: dict[Key, Values],
    events: list[Event],
    span: tuple[dt.date, dt.date] | None,
) -> Iterator[tuple[str, float, float]]:
    """What must balance: words for it, what it must be, and what it is."""
    match analysis:
        case Trends() | TimeToConvert():
            yield "rows", len(made), len(found)
        case FunnelTrend():
            yield "people who began, over all periods", *(sum(v[0] for v in rows.values()) for rows in (made, found))
        case Funnel():
            firsts = [values[1] for values in (rows.get(("(all)", 1), ("", 0)) for rows in (made, found))]
            yield "people at the first step", firsts[0], firsts[1]
        case Retention():
            torn = sum(values[0] != values[1] for key, values in found.items() if key[-1] == 0)
            yield "cohorts whose first cell is not their size", 0, torn
            yield (
                "people of all cohorts",
                *(sum(v[0] for key, v in rows.items() if key[-1] == 0) for rows in (made, found)),
            )
        case Lifecycle():
            by = (analysis.period, analysis.week_starts)
            active = periods.active_in(events, analysis.event, *by)
            shown = periods.Shown.of(span, *by, compares=analysis.compare)
            here = sum(values[0] for key, values in found.items() if key[-1] != "dormant")
            yield "people who were active, over all periods", _active_in(shown, active), here
        case ActiveUsers():
            active = periods.active_in(events, analysis.event, "day")
            yield (
                "people who were active, over all days",
                _active_in(periods.Shown.of(span, "day", "sunday", compares=analysis.compare), active),
                sum(v[0] for v in found.values()),
            )
        case Stickiness():
            active = periods.active_in(events, analysis.event, analysis.period, analysis.week_starts)
            yield "people who were active", len(set().union(*active.values())), sum(v[0] for v in found.values())
        case Paths():
            yield "sessions on a path", *(sum(v[0] for key, v in rows.items() if key[0] == 0) for rows in (made, found))
        case WebVitals():
            yield "page views measured", *(sum(values[0] for values in rows.values()) for rows in (made, found))


def _active_in(shown: periods.Shown, active: dict[int, set[str]]) -> int:
    return sum(len(people) for number, people in active.items() if shown.place(number) is not None)


def _made(analysis: Analysis, events: list[Event], history: History, settings: Settings) -> _Rows:
    span = _span(analysis, history)
    match analysis:
        case Trends():
            return _Rows(trends.COLUMNS, 4, trends.trends_rows(analysis, _with_spans(analysis, events, history)))
        case Funnel():
            return _Rows(funnels.COLUMNS, 2, funnels.funnel_rows(analysis, events))
        case FunnelTrend():
            return _Rows(funnels.TREND_COLUMNS, 1, funnels.funnel_trend_rows(analysis, events))
        case TimeToConvert():
            return _Rows(funnels.TIME_COLUMNS, 1, funnels.time_rows(analysis, events))
        case Retention():
            return _Rows(periods.RETENTION_COLUMNS, 4, periods.retention_rows(analysis, events, span))
        case Lifecycle():
            return _Rows(periods.LIFECYCLE_COLUMNS, 3, periods.lifecycle_rows(analysis, events, span))
        case ActiveUsers():
            return _Rows(periods.ACTIVE_COLUMNS, 2, periods.active_rows(analysis, events, span))
        case Stickiness():
            return _Rows(periods.STICKINESS_COLUMNS, 1, periods.stickiness_rows(analysis, events))
        case Paths():
            return _Rows(visits.PATH_COLUMNS, 3, visits.path_rows(analysis, events, settings))
        case WebVitals():
            return _Rows(visits.VITAL_COLUMNS, 2, visits.vital_rows(analysis, events))


def _in_microseconds(columns: tuple[str, ...], row: Values) -> Values:
    return tuple(
        microseconds(value) if name.endswith("_start") and isinstance(value, (int, float)) else value
        for name, value in zip(columns, row, strict=True)
    )
