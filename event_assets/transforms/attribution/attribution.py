"""What channels are credited with: six attribution models over paths to conversion.

Paths are made in `conversion_paths.py`. Sums are made of decimals, so that they do not depend on the order of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal, get_args

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.attribution import ATTRIBUTION, CHANNEL_PERFORMANCE
from event_assets.contract.versions import version_of
from event_assets.transforms.attribution.conversion_paths import ARROW
from event_assets.transforms.attribution.touches import DAY
from event_assets.transforms.money import LARGEST_AMOUNT
from event_assets.transforms.site_dates import site_day

Model = Literal["first", "last", "linear", "position", "time_decay", "data_driven"]
MODELS: tuple[Model, ...] = get_args(Model)
"""Every model, in the order in which they are usually named."""

_EXACT = "decimal(38,18)"


@dataclass(frozen=True, slots=True)
class AttributionRules:
    """The constants of attribution.

    `source_days`: how long a source that is not direct lasts; `lookback_days`: how far a path reaches back from its
    conversion; `half_life_days`: after how long a touch counts half (time_decay); `ends_percent`: the credit of the
    first and of the last touch each, the rest is the middle's (position).
    """

    source_days: int = 30
    lookback_days: int = 30
    half_life_days: float = 7.0
    ends_percent: float = 40.0

    @property
    def version(self) -> str:
        """Changes with the rules; what other rules made is made again."""
        return version_of(self)


RULES = AttributionRules()


def attribute(paths: DataFrame, model: Model, rules: AttributionRules = RULES) -> DataFrame:
    """What a model credits each channel group with: columns channel_group, conversions, revenue.

    `paths` has `path` (channel groups with ` > ` between, equal neighbours once) and, where they are not one conversion
    each: `conversions` (0 for a path that led to none), `revenue`, `paths` (how many paths the row stands for).
    time_decay needs `touched_before` as in `conversion_paths`. A null or empty path is credited to nobody; an amount
    that is no number below 1e15 counts 0. Raises `ValueError` for a model that there is not.

    - first, last, linear: all to the first or last touch, or to each the same.
    - position: 40 % to the first and the last touch each, 20 % to those between; of two touches each has half.
    - time_decay: a touch counts half as much as one that came 7 days later.
    - data_driven: with p(path) = conversions / paths of that path, the credit of a touch is in proportion to
      max(p(path) - p(path without it), 0); where that is 0 for all, the last touch has it. This is Fractribution.

    >>> paths = spark.createDataFrame([("Email > Direct", 10.0)], "path string, revenue double")
    >>> sorted(map(tuple, attribute(paths, "linear").collect()))
    [('Direct', 0.5, 5.0), ('Email', 0.5, 5.0)]
    """
    return _summed(_credited(paths, model, rules), ["channel_group"])


def attribution(paths: DataFrame, rules: AttributionRules = RULES) -> DataFrame:
    """All models over the paths, in the columns of `ATTRIBUTION`."""
    models = [attribute(paths, model, rules).withColumn("model", F.lit(model)) for model in MODELS]
    return reduce(DataFrame.unionByName, models).select(*ATTRIBUTION.column_names)


def channel_performance(paths: DataFrame, spend: DataFrame | None, rules: AttributionRules = RULES) -> DataFrame:
    """All models by the site's day of conversion, beside the spend of the day, in the columns of `CHANNEL_PERFORMANCE`.

    `spend` has event_date, channel_group, spend, currency: one row a day and channel group.
    """
    by = ["event_date", "channel_group"]
    models = []
    for model in MODELS:
        credited = _summed(_credited(paths.withColumn("event_date", site_day()), model, rules), by)
        beside = credited if spend is None else credited.join(spend, by, "full")
        models.append(beside.withColumn("model", F.lit(model)))
    rows = reduce(DataFrame.unionByName, models).fillna(0.0, ["conversions", "revenue"])
    if spend is None:
        rows = rows.withColumns({"spend": F.lit(None).cast("double"), "currency": F.lit(None).cast("string")})
    return (
        rows.withColumn("roas", F.when(F.col("spend") > 0, F.col("revenue") / F.col("spend")))
        .withColumn("cpa", F.when(F.col("conversions") > 0, F.col("spend") / F.col("conversions")))
        .select(*CHANNEL_PERFORMANCE.column_names)
    )


def _summed(credited: DataFrame, by: Sequence[str]) -> DataFrame:
    return credited.groupBy(*by).agg(*(_sum_of(name) for name in ("conversions", "revenue")))


def _sum_of(name: str) -> Column:
    part = F.col(name).cast("double") * F.col("share")
    exact = F.when(F.abs(part) < LARGEST_AMOUNT, part).try_cast(_EXACT)
    return F.coalesce(F.sum(exact).cast("double"), F.lit(0.0)).alias(name)


def _credited(paths: DataFrame, model: Model, rules: AttributionRules) -> DataFrame:
    """One row a converted path and channel group that has a share in it: the path's columns, channel_group, share."""
    if model not in MODELS:
        raise ValueError(f"there is no attribution model {model!r}: it is one of {', '.join(MODELS)}")
    rows = _filled(paths)
    converted = rows.where("conversions > 0").withColumn("channels", _channels())
    if model == "data_driven":
        shared = converted.join(_data_driven(rows), "path")
    else:
        shared = converted.withColumn("shares", _shares(model, rules))
    return (
        shared.withColumn("touch", F.explode(F.arrays_zip("channels", "shares")))
        .withColumns({"channel_group": F.col("touch.channels"), "share": F.col("touch.shares")})
        .where("share > 0")
    )


def _filled(paths: DataFrame) -> DataFrame:
    defaults = {"conversions": F.lit(1).cast("long"), "revenue": F.lit(0.0), "paths": F.lit(1).cast("long")}
    absent = {name: value for name, value in defaults.items() if name not in paths.columns}
    return (paths.withColumns(absent) if absent else paths).where("path <> ''")


def _channels() -> Column:
    return F.split("path", ARROW)


def _shares(model: Model, rules: AttributionRules) -> Column:
    """The share of each place of a path, as an array as long as `channels`."""
    size = F.size("channels")
    if model == "time_decay":
        return _decayed(rules)
    ends = rules.ends_percent / 100
    at_ends = F.when(size == 1, 1.0).when(size == 2, 0.5).otherwise(ends)
    of_place = {
        "first": lambda place: F.when(place == 1, 1.0).otherwise(0.0),
        "last": lambda place: F.when(place == size, 1.0).otherwise(0.0),
        "linear": lambda _: F.lit(1.0) / size,
        "position": lambda place: F.when((place == 1) | (place == size), at_ends).otherwise(
            (1 - 2 * ends) / (size - 2)
        ),
    }[model]
    return F.transform(F.sequence(F.lit(1), size), of_place)


def _decayed(rules: AttributionRules) -> Column:
    """Ages are counted from the youngest touch's: so the largest weight is 1, however old all are."""
    ages = F.from_json("touched_before", "array<bigint>")
    youngest = F.array_min(ages)
    half_life = rules.half_life_days * DAY
    weights = F.transform(ages, lambda age: F.pow(F.lit(2.0), (youngest - age) / half_life))
    return _normalised(weights)


def _data_driven(rows: DataFrame) -> DataFrame:
    """(path, shares) of each path that converted."""
    chances = rows.groupBy("path").agg((F.sum("conversions") / F.sum("paths")).alias("chance"))
    others = chances.select(F.col("path").alias("rest"), F.col("chance").alias("chance_of_rest"))
    gain = F.greatest(F.col("chance") - F.coalesce("chance_of_rest", F.lit(0.0)), F.lit(0.0))
    gains = (
        chances.where("chance > 0")
        .withColumn("channels", _channels())
        .withColumn("place", F.explode(F.sequence(F.lit(1), F.size("channels"))))
        .withColumn("rest", _without_place())
        .join(others, "rest", "left")
        .groupBy("path")
        .agg(F.sort_array(F.collect_list(F.struct("place", gain.alias("gain")))).alias("gains"))
        .select("path", F.col("gains.gain").alias("gains"))
    )
    # One array of which each element is chosen, not one of two arrays: Sail gives these types that differ.
    with_default = F.transform(
        "gains",
        lambda each, place: F.when(F.col("has_gain"), each).when(place == F.size("gains") - 1, 1.0).otherwise(0.0),
    )
    has_gain = F.exists("gains", lambda each: each > 0)
    return gains.withColumn("has_gain", has_gain).select("path", _normalised(with_default).alias("shares"))


def _without_place() -> Column:
    kept = F.filter("channels", lambda _, index: index != F.col("place") - 1)
    return F.concat_ws(ARROW, kept)


def _normalised(weights: Column) -> Column:
    total = F.aggregate(weights, F.lit(0.0), lambda one, other: one + other)
    return F.transform(weights, lambda weight: weight / total)
