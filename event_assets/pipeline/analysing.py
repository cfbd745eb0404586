"""The rows of an analysis, out of the lake's tables as they are.

When an analysis is made is decided in product.py; what it counts is in `transforms/product/`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.company import COMPANIES, PERSON_ATTRIBUTES
from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.groups import GROUP_MEMBERS, GROUPS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import USERS
from event_assets.contract.tables.schema import Table
from event_assets.contract.tables.segments import SEGMENT_MEMBERSHIPS
from event_assets.lake.snapshot import Snapshot
from event_assets.rules.analysis import (
    ActiveUsers,
    Analysis,
    Funnel,
    Lifecycle,
    Paths,
    Retention,
    Stickiness,
    WebVitals,
)
from event_assets.transforms.checkpoint import Checkpoint
from event_assets.transforms.identity.stitching import with_person
from event_assets.transforms.product.active_users import active_users
from event_assets.transforms.product.funnels import funnel
from event_assets.transforms.product.known import with_group, with_groups, with_people, with_segments
from event_assets.transforms.product.lifecycle import lifecycle
from event_assets.transforms.product.matching import all_hold
from event_assets.transforms.product.paths import top_paths
from event_assets.transforms.product.retention import retention
from event_assets.transforms.product.stickiness import stickiness
from event_assets.transforms.product.web_vitals import web_vitals
from event_assets.transforms.sessions.sessionise import (
    SessionRules,
    session_events,
    sessionise_in_parts,
    sessions_of_events,
)
from event_assets.transforms.site_dates import site_day


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
    if analysis.knows_groups:
        sources += [GROUP_MEMBERS, GROUPS, COMPANIES]
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
    if analysis.where:  # nobody's, they still tell how far time has come
        events = events.withColumn("person_id", F.when(counts, F.col("person_id")))
    return _of_people(analysis, _by_days_of_sites(analysis, events))


def _known(analysis: Analysis, events: DataFrame, of: Lakeside) -> DataFrame:
    """The events with what the analysis asks of persons, companies and segments."""
    fields = analysis.fields()
    if analysis.knows_people:
        events = with_people(events, fields, of.rows(USERS), of.rows(PERSON_ATTRIBUTES))
    if analysis.knows_groups:
        events = with_group(events, of.rows(GROUP_MEMBERS))
        events = with_groups(events, fields, of.rows(COMPANIES), of.rows(GROUPS))
    return with_segments(events, of.rows(SEGMENT_MEMBERSHIPS)) if analysis.knows_segments else events


def _by_days_of_sites(analysis: Analysis, events: DataFrame) -> DataFrame:
    """The events of an analysis of days, weeks or months, each at the beginning of its site's day: all that counts of a
    moment there is the period that it lies in. Hours are UTC's."""
    is_of_days = isinstance(analysis, ActiveUsers) or (
        isinstance(analysis, Retention | Lifecycle | Stickiness) and analysis.period != "hour"
    )
    return events.withColumn("derived_at", site_day().cast("timestamp")) if is_of_days else events


def _of_people(analysis: Funnel | Retention | Lifecycle | ActiveUsers | Stickiness, events: DataFrame) -> DataFrame:
    match analysis:
        case Funnel():
            return funnel(
                events,
                analysis.steps,
                within=analysis.within,
                order=analysis.order,
                breakdown=analysis.breakdown,
                breakdown_values=analysis.breakdown_values,
            )
        case Retention():
            return retention(
                events,
                analysis.target,
                analysis.returning,
                period=analysis.period,
                periods=analysis.periods,
                first_time=analysis.first_time,
                week_starts=analysis.week_starts,
            )
        case Lifecycle():
            return lifecycle(events, analysis.event, period=analysis.period, week_starts=analysis.week_starts)
        case ActiveUsers():
            return active_users(events, analysis.event)
        case Stickiness():
            return stickiness(events, analysis.event, period=analysis.period, week_starts=analysis.week_starts)


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
    """The events that the analysis looks at: of its last days, counted from the last day that has any, or from one so
    many days before that."""
    files, enriched = None, of.tables[ENRICHED_EVENTS.name]
    days = analysis.days if isinstance(analysis, Funnel | Paths | Stickiness | WebVitals) else None
    if days is not None and enriched.files:
        ago = analysis.days_ago if isinstance(analysis, Funnel) else 0
        last = dt.date.fromisoformat(max(enriched.dates())) - dt.timedelta(days=ago)
        first = last - dt.timedelta(days=days - 1)
        files = enriched.of_dates(date for date in enriched.dates() if str(first) <= date <= str(last))
    events = enriched.read(of.spark, files)
    return events if analysis.include_bots else events.where(~F.col("is_bot"))
