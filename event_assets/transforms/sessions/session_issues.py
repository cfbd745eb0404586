"""The rows of `session_issues`: one a session of a client that was cut, by the date on which it began.

Where a session is cut is decided in sessionise.py.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.sessions import SESSION_ISSUES
from event_assets.transforms.sessions.sessionise import SessionRules
from event_assets.transforms.sessions.sessions import begins_at

TOO_LONG = "too_long"
"""The reason of a session that ran on longer than its client's may."""


def session_issues(sessionised: DataFrame, rules: SessionRules) -> DataFrame:
    """The issues of sessionised events, in the columns of `SESSION_ISSUES`.

    A cut session is listed whether it has a row in `sessions` or not. A computed session of 24 hours is not: the next
    one goes on where it ended, and no event is left out.
    """
    within = ~F.col("after_cut")
    cut = (
        sessionised.where("NOT is_view AND is_cut")
        .groupBy("session_id")
        .agg(
            F.max(F.when(within, F.col("anonymous_id"))).alias("anonymous_id"),
            F.min(F.when(within, F.col("first_at"))).alias("first_at"),
            F.max(F.when(within, F.col("end_at"))).alias("end_at"),
            F.max("end_at").alias("last_event_at"),
            F.max(F.col("opens_with_ping") & within).alias("opens_with_ping"),
            F.sum(F.when(within, 0).otherwise(F.col("events"))).alias("events_after_cut"),
        )
        .where("events_after_cut > 0")
    )
    return (
        cut.withColumn("start_at", begins_at(F.col("first_at"), F.col("opens_with_ping"), rules))
        .withColumn("event_date", F.to_date("start_at"))
        .withColumn("reason", F.lit(TOO_LONG))
        .select(*SESSION_ISSUES.column_names)
    )
