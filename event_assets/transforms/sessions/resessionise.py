"""Brings sessions and page views up to date after events came or went, as if all of it had been done again.

No table is read or written here: the caller gives functions that read days of tables, and writes what comes back.
What a session is stands in sessionise.py.

A changed event affects its client session, or its key at its time. What is affected is a *recompute range*: all of a
client session, or a chain of a key's events without a gap longer than the timeout. All sessions and page views that
begin in a range are made again, and no others. A change can spread: when another view becomes the earliest of its id,
the sessions of the old one and of the new one are affected too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from event_assets.transforms.checkpoint import Checkpoint
from event_assets.transforms.sessions.event_days import find_days, page_view_hash, session_hash
from event_assets.transforms.sessions.page_views import TEXT_COLUMNS as PAGE_VIEW_TEXTS
from event_assets.transforms.sessions.page_views import page_views_by_part
from event_assets.transforms.sessions.session_issues import session_issues
from event_assets.transforms.sessions.sessionise import (
    EVENT_COLUMNS,
    SECOND,
    SessionRules,
    is_view,
    key_hash,
    session_events,
    session_key,
    sessionise_in_parts,
    view_id,
)
from event_assets.transforms.sessions.sessions import TEXT_COLUMNS as SESSION_TEXTS
from event_assets.transforms.sessions.sessions import sessions

ReadDays = Callable[[Collection[dt.date]], DataFrame]
"""The rows of a table on these event dates."""

_UNIT = ("unit", "is_client")


@dataclass(frozen=True, slots=True)
class Tables:
    """What `resessionise` may read: days of enriched events as they are now, of page views as they were made before.

    `dates` are the event dates that there are. `event_days` are the rows of their index, which tells on which dates the
    other events of a client session, and of a page view id, are; `conversion_ids` those of theirs, which tells what
    counts once. The engine has so many `cores`.
    """

    dates: Collection[dt.date]
    events: ReadDays
    page_views: ReadDays
    event_days: DataFrame
    checkpoint: Checkpoint
    conversion_ids: DataFrame | None = None
    cores: int = 1


@dataclass(frozen=True, slots=True)
class Resessionised:
    """The rows that replace those of the ranges. Sessions are not stitched yet.

    `dates` are the event dates on which rows of the ranges can be or have been; `rounds` how often more was read.
    """

    ranges: DataFrame
    sessions: DataFrame
    session_issues: DataFrame
    page_views: DataFrame
    dates: frozenset[dt.date]
    rounds: int


def resessionise(changed: DataFrame, tables: Tables, rules: SessionRules) -> Resessionised:
    """What the sessions and page views become after `changed`: enriched rows that came, and rows that went.

    An event that moved is in there twice, as it was and as it is.
    """
    affected = tables.checkpoint(affected_keys(changed))
    dates = _dates(affected)
    rounds = 0
    while True:
        rounds += 1
        loaded = tables.checkpoint(select_affected(tables.events(dates), affected))
        ranges = tables.checkpoint(recompute_ranges(loaded, affected, rules))
        far = elsewhere(tables.event_days, loaded, affected)
        wanted = (open_dates(ranges, rules) | far) & set(tables.dates)
        spread = tables.checkpoint(also_affected(loaded, affected, tables.page_views(dates | far)))
        new = _dates(spread)
        if wanted <= dates and not new:
            break
        dates |= wanted | new
        if new:
            affected = tables.checkpoint(affected.unionByName(spread))
    found = session_events(loaded, rules, tables.conversion_ids)
    rows = tables.checkpoint(*sessionise_in_parts(found, rules, tables.cores))
    return Resessionised(
        ranges,
        in_ranges(sessions(rows, loaded, rules), ranges),
        in_ranges(session_issues(rows, rules), ranges),
        in_ranges(page_views_by_part(rows, loaded, rules, tables.checkpoint, tables.cores), ranges),
        frozenset(dates | {date - dt.timedelta(days=1) for date in dates}),
        rounds,
    )


def merge_ranges(existing: DataFrame, recomputed: DataFrame, ranges: DataFrame) -> DataFrame:
    """The rows outside the ranges as they are, those inside as they have become."""
    return outside_ranges(existing, ranges).unionByName(recomputed)


def outside_ranges(rows: DataFrame, ranges: DataFrame) -> DataFrame:
    """The rows of `sessions`, `session_issues` or `page_views` that begin in no range."""
    return _with_range(rows, ranges).where(~F.col("in_range")).drop("in_range")


def in_ranges(rows: DataFrame, ranges: DataFrame) -> DataFrame:
    """The rows of `sessions`, `session_issues` or `page_views` that begin in a range."""
    return _with_range(rows, ranges).where("in_range").drop("in_range")


def affected_keys(changed: DataFrame) -> DataFrame:
    """What the changed events touch: the session unit, the time, and for a view its id.

    Columns: unit (client session id, else hash of the key), is_client, affected_at, event_date, page_view_id.
    """
    page_view_id = F.when(is_view(), view_id())
    columns = (F.col("derived_at").alias("affected_at"), "event_date", page_view_id.alias("page_view_id"))
    return changed.select(*_units(), *columns).where(F.col("unit").isNotNull()).distinct()


def select_affected(events: DataFrame, affected: DataFrame) -> DataFrame:
    """The events of affected units, and the views of other units that share an id with them.

    Columns: those that sessions and page views are made of, and unit, is_client, is_affected. `page_view_id` is the
    `view_id`, which says as much as it does.
    """
    columns = dict.fromkeys(("event_date", *EVENT_COLUMNS, *SESSION_TEXTS, *PAGE_VIEW_TEXTS))
    units = affected.select(*_UNIT).distinct().withColumn("is_affected", F.lit(True))
    named = events.select(*columns, *_units()).withColumn("page_view_id", view_id())
    flagged = named.join(units, list(_UNIT), "left")
    mine = _page_views(flagged.where("is_affected")).select("page_view_id")
    ids = mine.unionByName(affected.select("page_view_id")).where(F.col("page_view_id").isNotNull()).distinct()
    rivals = _page_views(flagged.where(F.col("is_affected").isNull())).join(ids, "page_view_id", "left_semi")
    return flagged.where("is_affected").unionByName(rivals)


def recompute_ranges(events: DataFrame, affected: DataFrame, rules: SessionRules) -> DataFrame:
    """The stretches of affected units that are made again. Takes `select_affected`'s and `affected_keys`' rows.

    Columns: unit, is_client, from_at, to_at. A client session is one range without ends.
    """
    points = (
        events.where("is_affected AND NOT is_client")
        .select("unit", F.unix_micros("derived_at").alias("time"), F.lit(0).alias("is_hit"))
        .unionByName(
            affected.where("NOT is_client").select(
                "unit", F.unix_micros("affected_at").alias("time"), F.lit(1).alias("is_hit")
            )
        )
    )
    in_time = Window.partitionBy("unit").orderBy("time")
    gap = F.col("time") - F.lag("time").over(in_time)
    chains = (
        points.withColumn("breaks", F.when(gap > rules.timeout, 1).otherwise(0))
        .withColumn("chain", F.sum("breaks").over(in_time.rowsBetween(Window.unboundedPreceding, 0)))
        .groupBy("unit", "chain")
        .agg(F.min("time").alias("first"), F.max("time").alias("last"), F.max("is_hit").alias("is_hit"))
        .where("is_hit = 1")
    )
    early = rules.first_ping_seconds * SECOND  # a session that opens with a ping begins so much before it
    from_at, to_at = F.timestamp_micros(F.col("first") - early), F.timestamp_micros("last")
    return chains.select(
        "unit", F.lit(False).alias("is_client"), from_at.alias("from_at"), to_at.alias("to_at")
    ).unionByName(
        affected.where("is_client")
        .select(*_UNIT, F.lit(None).cast("timestamp").alias("from_at"), F.lit(None).cast("timestamp").alias("to_at"))
        .distinct()
    )


def open_dates(ranges: DataFrame, rules: SessionRules) -> set[dt.date]:
    """The dates on which an event could lengthen a range; where one is not loaded, the range is not known yet."""
    before = F.to_date(F.timestamp_micros(F.unix_micros("from_at") - rules.timeout))
    after = F.to_date(F.timestamp_micros(F.unix_micros("to_at") + rules.timeout))
    ends = ranges.where("NOT is_client").select(F.explode(F.array(before, after)).alias("event_date"))
    return _dates(ends)


def elsewhere(event_days: DataFrame, loaded: DataFrame, affected: DataFrame) -> set[dt.date]:
    """The dates of all events of affected client sessions, and of all views with an affected or loaded one's id."""
    clients = affected.where("is_client").select(session_hash("unit").alias("id_hash"))
    views = (rows.select(page_view_hash("page_view_id").alias("id_hash")) for rows in (_page_views(loaded), affected))
    return find_days(event_days, reduce(DataFrame.unionByName, views, clients))


def also_affected(loaded: DataFrame, affected: DataFrame, page_views: DataFrame) -> DataFrame:
    """What is affected beside `affected`, because another event has become the one that counts for a `page_view_id`.

    `page_views` are the rows as they were before. Columns as `affected_keys`.
    """
    order = Window.partitionBy("page_view_id").orderBy(
        "derived_at", F.coalesce(F.col("occurred_at"), F.col("derived_at")), "event_id"
    )
    views = _page_views(loaded)
    now = views.withColumn("copy", F.row_number().over(order)).where("copy = 1")
    ids = views.select("page_view_id").unionByName(affected.select("page_view_id")).distinct()
    before = page_views.join(ids, "page_view_id", "left_semi")
    pairs = now.select("page_view_id", F.col("event_id").alias("now_id")).join(
        before.select("page_view_id", F.col("event_id").alias("before_id")), "page_view_id", "full"
    )
    moved = pairs.where(~F.col("now_id").eqNullSafe(F.col("before_id"))).select("page_view_id")
    columns = ("unit", "is_client", "affected_at", "event_date", "page_view_id")
    gained = now.withColumn("affected_at", F.col("derived_at")).select(*columns)
    lost = _units_of_rows(before.withColumn("affected_at", F.col("start_at"))).select(*columns)
    spread = gained.unionByName(lost).join(moved, "page_view_id", "left_semi")
    return spread.join(affected.select(*_UNIT, "affected_at"), [*_UNIT, "affected_at"], "left_anti").select(*columns)


def _units() -> tuple[Column, Column]:
    unit = F.coalesce(F.col("session_id"), key_hash(session_key()))
    return unit.alias("unit"), F.col("session_id").isNotNull().alias("is_client")


def _units_of_rows(rows: DataFrame) -> DataFrame:
    """Rows of `page_views` by each unit that their session id can be of: a client can send an id that we computed."""
    clients = rows.withColumn("unit", F.col("session_id")).withColumn("is_client", F.lit(True))
    computed = rows.withColumn("unit", _hash_of("session_id")).withColumn("is_client", F.lit(False))
    return clients.unionByName(computed.where(F.col("unit").isNotNull()))


def _hash_of(session_id: str) -> Column:
    """The key's hash in a computed session id; null for another id."""
    is_computed = (F.length(session_id) == 49) & (F.substring(session_id, 33, 1) == "-")
    return F.when(is_computed, F.substring(session_id, 1, 32))


def _with_range(rows: DataFrame, ranges: DataFrame) -> DataFrame:
    """The rows, each with whether it is `in_range`. Ranges do not overlap."""
    clients = ranges.where("is_client").select(F.col("unit").alias("session_id"), F.lit(True).alias("of_client"))
    chains = ranges.where("NOT is_client").select(F.col("unit").alias("range"), "from_at", "to_at")
    begins_inside = F.col("start_at").between(F.col("from_at"), F.col("to_at"))
    return (
        rows.withColumn("unit", _hash_of("session_id"))
        .join(clients, "session_id", "left")
        .join(chains, (F.col("unit") == F.col("range")) & begins_inside, "left")
        .withColumn("in_range", F.col("of_client").isNotNull() | F.col("range").isNotNull())
        .select(*rows.columns, "in_range")
    )


def _page_views(events: DataFrame) -> DataFrame:
    """The views among `select_affected`'s rows."""
    return events.where(is_view())


def _dates(rows: DataFrame) -> set[dt.date]:
    return {row["event_date"] for row in rows.select("event_date").distinct().collect()}
