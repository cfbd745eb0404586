"""Web vitals: how fast pages are for those who see them."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.transforms.product.matching import NONE

REPORTED_BY = ("page_view", "web_vitals")
MEASURES = ("lcp_ms", "inp_ms", "fid_ms", "cls")


def web_vitals(events: DataFrame, *, least_views: int = 1) -> DataFrame:
    """75th percentiles by page and device, in the columns of `WEB_VITALS` without `analysis`.

    `events` have `event`, `event_id`, `page_view_id`, `page_path`, `device_type` and `properties`. Measures are the
    columns `lcp_ms`, `inp_ms`, `fid_ms` and `cls` of `web_vitals` and `page_view` events, else properties of that name.
    They grow while a page is open, so the largest that a page view reports is its own. Negative ones and what is no
    number do not count. Percentiles lie between two views' values in proportion.

    >>> web_vitals(events, least_views=100).orderBy("lcp_ms", ascending=False).show()
    """
    measured = events.where(F.col("event").isin(list(REPORTED_BY))).select(
        F.coalesce("page_view_id", "event_id").alias("_view"),
        *(F.coalesce(name, F.lit(NONE)).alias(name) for name in ("page_path", "device_type")),
        *(_number(name, name in events.columns).alias(name) for name in MEASURES),
    )
    views = measured.groupBy("page_path", "device_type", "_view").agg(*(F.max(name).alias(name) for name in MEASURES))
    return (
        views.where(F.coalesce(*MEASURES).isNotNull())
        .groupBy("page_path", "device_type")
        .agg(F.count(F.lit(1)).alias("views"), *(F.percentile(name, 0.75).alias(name) for name in MEASURES))
        .where(F.col("views") >= least_views)
    )


def _number(name: str, is_column: bool) -> Column:
    given = F.get_json_object(F.col("properties"), f"$.{name}").try_cast("double")
    value = F.coalesce(F.col(name), given) if is_column else given
    return F.when((value >= 0) & (value < F.lit(float("inf"))), value)
