"""A refresh of a lake whose upstream tables are given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from contextlib import nullcontext
from typing import Any

from pyspark.sql import SparkSession

from event_assets.contract.plan import TrackingPlan
from event_assets.lake.lake import Lake
from event_assets.pipeline.run import GivenRules, Run
from event_assets.pipeline.window import EVERYTHING, Window
from event_assets.transforms.events.clean import CleanRules

NO_PLAN = CleanRules(TrackingPlan(), dt.date(2010, 1, 1))


def a_run(
    lake: Lake,
    spark: SparkSession | None,
    window: Window = EVERYTHING,
    *,
    rebuild: bool = False,
    hours: Collection[int] = (),
    stream: Any = None,
    **rules: Any,
) -> Run:
    """A run of these days, by these rules and the defaults of the others."""

    def open_spark() -> SparkSession:
        assert spark is not None
        return spark

    given = GivenRules(**{"cleaning": NO_PLAN, **rules})
    return Run(lake, given, lambda: nullcontext(stream), open_spark, window, rebuild, hours)
