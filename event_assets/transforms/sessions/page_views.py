"""The rows of `page_views`: one a view of a page or a screen, by the date on which it began.

Which event belongs to which session is decided in sessionise.py.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from event_assets.contract.tables.sessions import PAGE_VIEWS
from event_assets.transforms.checkpoint import Checkpoint
from event_assets.transforms.dimension_keys import country_key, page_key
from event_assets.transforms.parts import in_parts
from event_assets.transforms.sessions.sessionise import SessionRules
from event_assets.transforms.sessions.sessions import engaged_seconds, whole_seconds
from event_assets.transforms.site_dates import site_date

_TEXTS = {
    "page_url": "url",
    "page_title": "title",
    "page_path": "path",
    "page_referrer": "referrer",
    "channel_group": "channel_group",
    "device_type": "device_type",
    "screen_name": "screen_name",
    "platform": "platform",
    "app_id": "app_id",
    "country": "country",
}

TEXT_COLUMNS = tuple(_TEXTS)
"""The columns of enriched events that the rows show."""

PAGE, SCREEN = "page", "screen"
"""Kinds of views."""

VIEWS_PER_CORE = 750_000
"""Page views that an engine holds in memory for each core while they are put in order: about 500 MB."""


def page_views_by_part(
    sessionised: DataFrame,
    events: DataFrame,
    rules: SessionRules,
    checkpoint: Checkpoint,
    cores: int,
    views_per_core: int = VIEWS_PER_CORE,
) -> DataFrame:
    """The rows of `page_views`, made part after part where the page views are many."""
    views = _views(sessionised)
    parts = in_parts(views, F.col("session_id"), views_per_core * cores)
    if len(parts) == 1:
        return page_views(sessionised, events, rules)
    later = checkpoint(_later_copies(views))
    return checkpoint(*(_rows(part, later, events, rules) for part in parts))


def page_views(sessionised: DataFrame, events: DataFrame, rules: SessionRules) -> DataFrame:
    """The page-view rows of sessionised events, in the columns of `PAGE_VIEWS`.

    `events` are the enriched events that `sessionised` was made of, or more: URL, title and channel are taken from
    there. An id that several views carry is one view: the earliest of them, in its session (see `view_id`). Pings count
    for a page view of the same session. A page view after its client's session was cut has no row,
    as it is in no session. The device of a page view is its session's.
    """
    views = _views(sessionised)
    return _rows(views, _later_copies(views), events, rules)


def _views(sessionised: DataFrame) -> DataFrame:
    return sessionised.where(F.col("is_view") & F.col("session_id").isNotNull()).select(
        *("session_id", "after_cut", "event_id", "anonymous_id", "user_id", "occurred_at", "is_bot"),
        F.col("view_id").alias("page_view_id"),
        F.when(F.col("is_screen"), SCREEN).otherwise(PAGE).alias("kind"),
        F.col("first_at").alias("start_at"),
        *("last_ping_at", "scroll_y", "viewport_height", "document_height", "slots"),
    )


def _later_copies(views: DataFrame) -> DataFrame:
    """The events of the page views that are in another session too, and earlier there. Most ids are there once, so that
    only the others are put in order."""
    repeated = views.groupBy("page_view_id").agg(F.count(F.lit(1)).alias("copies")).where("copies > 1")
    copies = views.join(repeated, "page_view_id", "left_semi")
    earliest = Window.partitionBy("page_view_id").orderBy(*_order())
    return copies.withColumn("copy", F.row_number().over(earliest)).where("copy > 1").select("event_id")


def _rows(views: DataFrame, later: DataFrame, events: DataFrame, rules: SessionRules) -> DataFrame:
    texts = events.select("event_id", *(F.col(name).alias(alias) for name, alias in _TEXTS.items()))
    counted = views.join(later, "event_id", "left_anti").where("NOT after_cut")
    return _finish(_places(counted).join(texts, "event_id", "left"), rules).select(*PAGE_VIEWS.column_names)


def _places(views: DataFrame) -> DataFrame:
    session = Window.partitionBy("session_id")
    return views.withColumn("index_in_session", F.row_number().over(session.orderBy(*_order()))).withColumn(
        "views_in_session", F.count(F.lit(1)).over(session).cast("int")
    )


def _order() -> list[Column]:
    return [F.col("start_at"), F.coalesce(F.col("occurred_at"), F.col("start_at")), F.col("event_id")]


def _finish(views: DataFrame, rules: SessionRules) -> DataFrame:
    pinged_views = F.when(F.col("slots") > 0, 1).otherwise(0)
    return (
        views.withColumn("event_date", F.to_date("start_at"))
        .withColumn("site_date", site_date(F.col("start_at"), F.col("app_id"), rules.zones))
        .withColumn("end_at", F.greatest("start_at", "last_ping_at"))
        .withColumn("engaged_seconds", engaged_seconds(F.col("slots"), pinged_views, rules))
        .withColumn("absolute_seconds", whole_seconds(F.col("start_at"), F.col("end_at")))
        .withColumn("scroll_percent", _scroll_percent())
        .withColumns({"page_key": page_key(), "geo_key": country_key()})
    )


def _scroll_percent() -> Column:
    document = F.col("document_height")
    top = F.least(F.greatest(F.coalesce(F.col("scroll_y"), F.lit(0)), F.lit(0)), document)
    bottom = F.least(top + F.coalesce(F.col("viewport_height"), F.lit(0)), document)
    return F.when(document > 0, F.round(F.lit(100.0) * bottom / document).cast("int"))
