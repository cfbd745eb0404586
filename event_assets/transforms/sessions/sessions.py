"""The rows of `sessions`: one a session, by the date on which it began.

Which event belongs to which session is decided in sessionise.py.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.sessions import SESSIONS
from event_assets.transforms.dimension_keys import campaign_key, country_key, device_key
from event_assets.transforms.money import total
from event_assets.transforms.sessions.sessionise import SECOND, SessionRules
from event_assets.transforms.site_dates import site_date

_ENTRY = {
    "page_url": "entry_url",
    "page_path": "landing_page",
    "page_referrer": "referrer",
    "device_locale": "language",
    **{
        name: name
        for name in (
            *("source", "medium", "campaign", "channel_group"),
            *("browser", "os", "device_type", "platform", "app_id", "country"),
        )
    },
}
_EXIT = {"page_url": "exit_url", "page_path": "exit_page"}

TEXT_COLUMNS = tuple(dict.fromkeys((*_ENTRY, *_EXIT)))
"""The columns of enriched events that the rows show."""


def sessions(sessionised: DataFrame, events: DataFrame, rules: SessionRules) -> DataFrame:
    """The session rows of sessionised events, in the columns of `SESSIONS`, without whose they are (see stitching.py).

    `events` are the enriched events that `sessionised` was made of, or more: landing page, source and device are taken
    from there. Every session has a row, or those that have what `rules.starts_with` asks for. Events after the cut of a
    client's session, and events without any id, are in no row.
    """
    found = sessionised.where(F.col("session_id").isNotNull() & ~F.col("is_view") & ~F.col("after_cut"))
    counts = found.groupBy("session_id").agg(*_aggregates())
    if rules.starts_with == "page":
        counts = counts.where("has_page")
    described = _describe(_describe(counts, events, "entry_event_id", _ENTRY), events, "exit_event_id", _EXIT)
    return _finish(described, rules).select(*SESSIONS.column_names)


def _aggregates() -> list[Column]:
    """What two sessions say that have one id: a client's, and one that was computed. Nearly always there is one."""
    return [
        *(F.max(name).alias(name) for name in ("anonymous_id", "user_id", "entry_event_id", "exit_event_id", "end_at")),
        # As the greatest truth Sail would find these a session at a time.
        *(F.bool_or(name).alias(name) for name in ("has_page", "opens_with_ping", "is_bot", "is_cut")),
        F.min("first_at").alias("first_at"),
        *(F.sum(name).alias(name) for name in ("page_views", "pinged_views", "slots", "conversions", "events", "lost")),
        total(F.col("revenue")).alias("revenue"),
        _counts_on().alias("counts_on"),
    ]


def _counts_on() -> Column:
    """Whether it is known who numbered the session's events: each names its install, or it seems to have been one, of
    one device, on one side of the network; and numbers count up."""
    one_device = F.bool_and("is_of_one_device") & (F.min("anonymous_id") == F.max("anonymous_id"))
    one_side = ~(F.bool_or("counts_by_server") & F.bool_or("counts_elsewhere"))
    return (F.bool_and("names_install") | (one_device & one_side)) & ~F.bool_or("counts_anew")


def _describe(rows: DataFrame, events: DataFrame, key: str, names: dict[str, str]) -> DataFrame:
    texts = events.select(F.col("event_id").alias(key), *(F.col(name).alias(alias) for name, alias in names.items()))
    return rows.join(texts, key, "left")


def _finish(grouped: DataFrame, rules: SessionRules) -> DataFrame:
    is_engaged = (
        (F.col("page_views") >= 2) | (F.col("engaged_seconds") >= rules.engaged_seconds) | (F.col("conversions") > 0)
    )
    return (
        grouped.withColumn("start_at", begins_at(F.col("first_at"), F.col("opens_with_ping"), rules))
        .withColumn("event_date", F.to_date("start_at"))
        .withColumn("site_date", site_date(F.col("start_at"), F.col("app_id"), rules.zones))
        .withColumn("engaged_seconds", engaged_seconds(F.col("slots"), F.col("pinged_views"), rules))
        .withColumn("absolute_seconds", whole_seconds(F.col("start_at"), F.col("end_at")))
        .withColumn("is_engaged", is_engaged)
        .withColumn("is_bounce", (F.col("page_views") == 1) & ~F.col("is_engaged"))
        .withColumn("language", _language(F.col("language")))
        .withColumn("sequence_gaps", F.when(F.col("counts_on"), F.col("lost")))
        .withColumns({name: F.lit(None).cast("string") for name in ("stitched_user_id", "person_id")})
        .withColumns({"campaign_key": campaign_key(), "device_key": device_key(), "geo_key": country_key()})
    )


def _language(locale: Column) -> Column:
    """`de` of `de-AT` and of `de_AT.UTF-8`; null where there is none."""
    first = F.lower(F.trim(F.substring_index(F.translate(locale, "_.", "--"), "-", 1)))
    return F.when(first != "", first)


def begins_at(first_at: Column, opens_with_ping: Column, rules: SessionRules) -> Column:
    """When a session begins: with its first event, some seconds earlier where its first view or ping is a ping."""
    micros = F.unix_micros(first_at)
    return F.timestamp_micros(F.when(opens_with_ping, micros - rules.first_ping_seconds * SECOND).otherwise(micros))


def engaged_seconds(slots: Column, pinged_views: Column, rules: SessionRules) -> Column:
    """Ten seconds for every slot with a ping but each view's first, and five for that."""
    return ((slots - pinged_views) * rules.heartbeat_seconds + pinged_views * rules.first_ping_seconds).cast("int")


def whole_seconds(start_at: Column, end_at: Column) -> Column:
    """Whole-second boundaries between two times: 0.9 s to 1.1 s is one."""
    return (F.unix_seconds(end_at) - F.unix_seconds(start_at)).cast("int")
