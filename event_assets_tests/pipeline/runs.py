"""A refresh of a lake whose upstream tables are given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from event_assets.contract.plan import TrackingPlan
from event_assets.lake.files import LakeFile
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


@contextmanager
def away(files: Collection[LakeFile]) -> Iterator[None]:
    """These files are not where they were, so that whoever reads one fails."""
    paths = [Path(file.url.removeprefix("file://")) for file in files]
    for path in paths:
        path.rename(path.with_suffix(".away"))
    try:
        yield
    finally:
        for path in paths:
            path.with_suffix(".away").rename(path)
