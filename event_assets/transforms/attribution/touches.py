"""The rows of `touches`: where each session of a person came from, and the last source that was not direct.

A session's own source is told in `sessions.py`; what a conversion is credited to in `attribution.py`.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from event_assets.contract.tables.attribution import TOUCHES

DAY = 86_400_000_000
"""Microseconds of a day."""

_SOURCE = ("source", "medium", "campaign", "channel_group")


def touches(sessions: DataFrame, page_views: DataFrame, days: int = 30, standing: DataFrame | None = None) -> DataFrame:
    """The touches of these sessions, in the columns of `TOUCHES`; the sessions of robots are left out.

    All sessions of a person must be there, but for those whose touches, as they were before, are `standing`: of a touch
    only the last source follows from others. `page_views` are those of the sessions, or more; `days`: how long a source
    that is not direct lasts.
    """
    first_views = page_views.where("index_in_session = 1").select("session_id", F.col("start_at").alias("viewed_at"))
    people = sessions.where(~F.col("is_bot") & F.col("person_id").isNotNull())
    rows = people.join(first_views, "session_id", "left").select(
        "person_id",
        "session_id",
        F.coalesce("viewed_at", "start_at").alias("at"),
        _has_page_view().alias("has_page_view"),
        (_has_page_view() | (F.col("platform") != "server")).alias("is_touch"),
        *_SOURCE,
    )
    if standing is not None:
        rows = rows.unionByName(standing.select(*rows.columns))
    return last_non_direct(rows, days).select(*TOUCHES.column_names)


def last_non_direct(touches: DataFrame, days: int = 30) -> DataFrame:
    """Each touch with the source of the person's last touch that was not direct, nor internal, itself included.

    Takes person_id, session_id, at, source, medium, campaign, channel_group; adds last_source, last_medium,
    last_campaign, last_channel_group. A source lasts `days`, their end included; where there is none, the touch keeps
    its own. A channel group that is null, because an enrichment failed, is no source that lasts.

    >>> visits = spark.createDataFrame(
    ...     [("p1", "s1", dt.datetime(2026, 3, 2), "google", "organic", None, "Organic Search"),
    ...      ("p1", "s2", dt.datetime(2026, 3, 9), "(direct)", "(none)", None, "Direct")],
    ...     "person_id string, session_id string, at timestamp, source string, medium string, campaign string, "
    ...     "channel_group string")
    >>> [row.last_source for row in last_non_direct(visits).orderBy("at").collect()]
    ['google', 'google']
    """
    so_far = (
        Window.partitionBy("person_id")
        .orderBy("at", "session_id")
        .rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    lasting = F.when(~F.col("channel_group").isin("Direct", "Internal"), F.struct("at", *_SOURCE))
    is_near = F.unix_micros("at") - F.unix_micros("_last.at") <= days * DAY
    return (
        touches.withColumn("_last", F.last(lasting, ignorenulls=True).over(so_far))
        .withColumns(
            {f"last_{name}": F.when(is_near, F.col(f"_last.{name}")).otherwise(F.col(name)) for name in _SOURCE}
        )
        .drop("_last")
    )


def _has_page_view() -> Column:
    """By its view of a page or a screen, by a ping of one, or by the URL of its first event."""
    return F.col("viewed_at").isNotNull() | (F.col("page_views") > 0) | F.col("entry_url").isNotNull()
