"""The rows of an analysis, out of the lake's tables as they are.

When an analysis is made is decided in product.py; what it counts is in `transforms/product/`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.company import COMPANIES, PERSON_ATTRIBUTES
from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.groups import GROUP_MEMBERS, GROUPS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import USERS
from event_assets.contract.tables.schema import Table
from event_assets.contract.tables.segments import SEGMENT_MEMBERSHIPS
from event_assets.lake.horizons import is_before
from event_assets.lake.snapshot import Snapshot
from event_assets.rules.analysis import ActiveUsers, Analysis, Lifecycle, Paths, Retention, Stickiness, WebVitals
from event_assets.rules.funnel import Funnel, FunnelTrend, TimeToConvert
from event_assets.rules.question import Period, Ranged
from event_assets.rules.trends import Trends
from event_assets.transforms.checkpoint import Checkpoint
from event_assets.transforms.identity.stitching import with_person
from event_assets.transforms.kept import facts
from event_assets.transforms.product.active_users import active_users
from event_assets.transforms.product.funnels import funnel, funnel_trend, times_to_convert
from event_assets.transforms.product.known import with_group, with_groups, with_people, with_segments
from event_assets.transforms.product.lifecycle import lifecycle
from event_assets.transforms.product.matching import all_hold
from event_assets.transforms.product.paths import top_paths
from event_assets.transforms.product.retention import retention
from event_assets.transforms.product.spans import BEFORE, NOW, Span
from event_assets.transforms.product.stickiness import stickiness
from event_assets.transforms.product.trends import trends
from event_assets.transforms.product.web_vitals import web_vitals
from event_assets.transforms.sessions.sessionise import (
    SessionRules,
    session_events,
    sessionise_in_parts,
    sessions_of_events,
)
from event_assets.transforms.site_dates import site_day

_DAY, _MICROSECOND = dt.timedelta(days=1), dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class Lakeside:
    """What analyses are made with: an engine of so many cores, tables as they are, the rules by which sessions are cut,
    a place for what is needed twice."""

    spark: SparkSession
    tables: Mapping[str, Snapshot]
    rules: SessionRules
    cores: int
    checkpoint: Checkpoint

    def rows(self, table: Table) -> DataFrame:
        """The rows of a table."""
        return self.tables[table.name].read(self.spark)


def sources_of(analysis: Analysis) -> tuple[Table, ...]:
    """The tables that an analysis is made of."""
    sources = [ENRICHED_EVENTS]
    if _is_of_people(analysis):
        sources.append(IDENTITIES)
    if analysis.knows_people:
        sources += [USERS, PERSON_ATTRIBUTES]
    if analysis.knows_groups or analysis.is_of_groups:
        sources.append(GROUP_MEMBERS)
    if analysis.knows_groups:
        sources += [GROUPS, COMPANIES]
    if analysis.knows_segments:
        sources.append(SEGMENT_MEMBERSHIPS)
    return tuple(sources)


def _is_of_people(analysis: Analysis) -> bool:
    """Whether it matters whose an event is."""
    asks = analysis.knows_people or analysis.knows_groups or analysis.knows_segments
    return asks or not isinstance(analysis, Paths | WebVitals)


def rows_of(analysis: Analysis, of: Lakeside) -> DataFrame:
    """The rows of an analysis, in the columns of its table without `analysis`."""
    events = _events(analysis, of)
    if _is_of_people(analysis):
        events = _known(analysis, with_person(events, of.rows(IDENTITIES)), of)
    counts = all_hold(analysis.where, events.columns)
    if isinstance(analysis, Paths):
        found = session_events(events, of.rules)
        sessions = of.checkpoint(*sessionise_in_parts(found, of.rules, of.cores, rows=sessions_of_events))
        return _paths(analysis, events.where(counts), sessions.where(~F.col("after_cut")))
    if isinstance(analysis, WebVitals):
        return web_vitals(events.where(counts), least_views=analysis.least_views)
    if isinstance(analysis, Trends):
        return _trends(analysis, _by_days_of_sites(analysis, _of_units(analysis, events.where(counts))))
    if analysis.where:  # nobody's, they still tell how far time has come
        unit = "unit_group" if analysis.is_of_groups else "person_id"
        events = events.withColumn(unit, F.when(counts, F.col(unit)))
    return _of_people(analysis, _by_days_of_sites(analysis, _of_units(analysis, events)), _span(analysis, of))


def _of_units(analysis: Analysis, events: DataFrame) -> DataFrame:
    """The events with whoever is counted as `person_id`: their company, where the analysis is of companies."""
    return events.withColumn("person_id", F.col("unit_group")) if analysis.is_of_groups else events


def with_gone_periods(rows: DataFrame, standing: DataFrame, analysis: Analysis, of: Lakeside) -> DataFrame:
    """The rows with those of periods that began on days which are gone by now, as they stand."""
    enriched, column = of.tables[ENRICHED_EVENTS.name], _PERIODS.get(analysis.table.name)
    if not enriched.whole_since or column is None:
        return rows
    span = _span(analysis, of)
    if span is not None:
        standing = standing.where(F.col(column) >= F.lit(str(span[0])).cast(standing.schema[column].dataType))
    return facts(rows, standing, column, enriched.whole_since)


_PERIODS = {
    **dict.fromkeys(("trends", "funnel_trends", "lifecycle"), "period_start"),
    "retention": "cohort_start",
    "active_users": "event_date",
}
"""The columns that say when the period of a row began. Other analyses are of all events that are left."""


def _known(analysis: Analysis, events: DataFrame, of: Lakeside) -> DataFrame:
    """The events with what the analysis asks of persons, companies and segments."""
    fields = analysis.fields()
    if analysis.knows_people:
        events = with_people(events, fields, of.rows(USERS), of.rows(PERSON_ATTRIBUTES))
    if analysis.knows_groups or analysis.is_of_groups:
        events = with_group(events, of.rows(GROUP_MEMBERS))
    if analysis.knows_groups:
        events = with_groups(events, fields, of.rows(COMPANIES), of.rows(GROUPS))
    return with_segments(events, of.rows(SEGMENT_MEMBERSHIPS)) if analysis.knows_segments else events


def _by_days_of_sites(analysis: Analysis, events: DataFrame) -> DataFrame:
    """The events of an analysis of days, weeks or months, each at the beginning of its site's day: all that counts of a
    moment there is the period that it lies in. Hours are UTC's."""
    is_of_days = isinstance(analysis, ActiveUsers)
    if isinstance(analysis, Lifecycle | Stickiness):
        is_of_days = analysis.period != "hour"
    if isinstance(analysis, Trends):
        is_of_days = analysis.interval != "hour"
    return events.withColumn("derived_at", site_day().cast("timestamp")) if is_of_days else events


def _of_people(
    analysis: Funnel | FunnelTrend | TimeToConvert | Retention | Lifecycle | ActiveUsers | Stickiness,
    events: DataFrame,
    span: Span | None,
) -> DataFrame:
    match analysis:
        case Funnel():
            return funnel(
                events,
                analysis.steps,
                within=analysis.within,
                order=analysis.order,
                exclusions=analysis.exclusions,
                breakdown=analysis.breakdowns,
                breakdown_values=analysis.breakdown_values,
                breakdown_of=analysis.breakdown_of,
            )
        case FunnelTrend():
            return funnel_trend(
                events.withColumn("shown_at", _shown(analysis.interval)),
                analysis.steps,
                within=analysis.within,
                order=analysis.order,
                exclusions=analysis.exclusions,
                interval=analysis.interval,
                week_starts=analysis.week_starts,
            )
        case TimeToConvert():
            return times_to_convert(
                events,
                analysis.steps,
                within=analysis.within,
                order=analysis.order,
                exclusions=analysis.exclusions,
                from_step=analysis.from_step,
                to_step=analysis.to_step,
                bins=analysis.bins,
            )
        case Retention():
            return retention(
                events.withColumn("shown_at", _shown(analysis.period)),
                analysis.target,
                analysis.returning,
                period=analysis.period,
                periods=analysis.periods,
                first_time=analysis.first_time,
                week_starts=analysis.week_starts,
                rolling=analysis.rolling,
                minimum_occurrences=analysis.minimum_occurrences,
                breakdown=analysis.breakdowns,
                breakdown_values=analysis.breakdown_values,
                span=span,
                compare=analysis.compare,
            )
        case Lifecycle():
            return lifecycle(
                events,
                analysis.event,
                period=analysis.period,
                week_starts=analysis.week_starts,
                span=span,
                compare=analysis.compare,
            )
        case ActiveUsers():
            return active_users(events, analysis.event, span=span, compare=analysis.compare)
        case Stickiness():
            return stickiness(events, analysis.event, period=analysis.period, week_starts=analysis.week_starts)


def _shown(period: Period) -> Column:
    """The moment by which an event is in its period: the beginning of its site's day; of hours, when it happened."""
    return F.col("derived_at") if period == "hour" else site_day().cast("timestamp")


def _trends(analysis: Trends, events: DataFrame) -> DataFrame:
    if "span" in events.columns:  # what was before is in the periods that it is held against
        span = analysis.span(dt.date(1970, 1, 1))
        assert span is not None
        later = F.timestamp_micros(F.unix_micros("derived_at") + (span[1] - span[0] + _DAY) // _MICROSECOND)
        events = events.withColumn("derived_at", F.when(F.col("span") == BEFORE, later).otherwise(F.col("derived_at")))
    return trends(
        events,
        analysis.series,
        analysis.formulas,
        interval=analysis.interval,
        week_starts=analysis.week_starts,
        breakdown=analysis.breakdowns,
        breakdown_values=analysis.breakdown_values,
    )


def _paths(analysis: Paths, events: DataFrame, sessions: DataFrame) -> DataFrame:
    nodes = events.where(F.col("event").isin(analysis.events)) if analysis.events else events
    return top_paths(
        nodes.drop("session_id").join(sessions.select("event_id", "session_id"), "event_id"),
        analysis.by,
        length=analysis.length,
        start=analysis.start,
        end=analysis.end,
        collapse_repeats=analysis.collapse_repeats,
        most=analysis.most,
    )


def _events(analysis: Analysis, of: Lakeside) -> DataFrame:
    """The events that the analysis looks at; of a trend that is compared those of the days before too, told apart by
    `span`."""
    enriched = of.tables[ENRICHED_EVENTS.name]
    span = _span(analysis, of)
    if span is None or (isinstance(analysis, Ranged) and analysis.shows_whole_periods):
        events = enriched.read(of.spark, [file for file in enriched.files if not is_before(file, enriched.whole_since)])
    else:
        first, end = span
        is_compared = isinstance(analysis, Trends) and analysis.compare
        begin = first - (end - first) - _DAY if is_compared else first
        files = enriched.of_dates(day for day in enriched.dates() if str(begin - _DAY) <= day <= str(end + _DAY))
        events = enriched.read(of.spark, files).where(site_day().between(F.lit(begin), F.lit(end)))
        if is_compared:
            is_earlier = site_day() < F.lit(first)
            events = events.withColumn("span", F.when(is_earlier, BEFORE).otherwise(NOW))
    return events if analysis.include_bots else events.where(~F.col("is_bot"))


def _span(analysis: Analysis, of: Lakeside) -> Span | None:
    """The first and the last day that the analysis looks at; None: all."""
    if not isinstance(analysis, Ranged) or not analysis.is_of_some_days:
        return None
    last = _last_day(of.tables[ENRICHED_EVENTS.name], of.spark)
    return None if last is None else analysis.span(last)


def _last_day(enriched: Snapshot, spark: SparkSession) -> dt.date | None:
    """The last day of a site that has events: it is among those of the last two days in UTC."""
    latest = sorted(enriched.dates())[-2:]
    if not latest:
        return None
    last: dt.date | None = enriched.read(spark, enriched.of_dates(latest)).agg(F.max(site_day())).collect()[0][0]
    return last
