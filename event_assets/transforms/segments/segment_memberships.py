"""The rows of `segment_memberships`: who was in which segment, from which day to which.

A day's answer is the one at its end, in UTC: of all that the person did until then. It can change only on days on
which something happened, and on those on which something that was counted leaves its period. So each condition is a
level that is raised and lowered on such days (levels.py), a running sum of a person's changes is the level on each,
and the tree of conditions is one expression over the levels. Nobody is looked at day by day, and when it is computed
does not matter.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import reduce
from operator import add, and_, or_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from event_assets.contract.tables.segments import SEGMENT_MEMBERSHIPS
from event_assets.rules.condition import Anything, Step
from event_assets.rules.segment import (
    TEXTS,
    All,
    AnyOf,
    Condition,
    Did,
    InSegment,
    IsOutlier,
    Not,
    Segment,
    Trait,
    User,
)
from event_assets.rules.segment import Sequence as Walk
from event_assets.rules.segment_order import in_order
from event_assets.transforms.attribution.conversion_ids import with_repeated
from event_assets.transforms.money import as_double
from event_assets.transforms.product.periods import date_of
from event_assets.transforms.segments.levels import (
    CameBy,
    Counted,
    Earned,
    Facts,
    Flagged,
    Known,
    Levels,
    SeenFor,
    Visits,
    Walked,
)

_EPOCH = dt.date(1970, 1, 1)
_MOST_DAYS = 10_000_000
"""More days than there can be: a longer period is ever."""


def segment_memberships(
    events: DataFrame,
    segments: Sequence[Segment],
    as_of: dt.date,
    *,
    traits: DataFrame | None = None,
    sessions: DataFrame | None = None,
    conversion_events: Sequence[str] = ("purchase",),
    ids: DataFrame | None = None,
    outliers: DataFrame | None = None,
) -> DataFrame:
    """Who was in which segment, until the day `as_of`, in the columns of `SEGMENT_MEMBERSHIPS`.

    `events` have `person_id`, `event`, `event_id`, `derived_at` and `properties`, and what the segments name; where
    there is `is_bot`, robots are left out of segments that do not ask for them. A person is in no segment before their
    first event. `traits` (`user_traits`), `sessions` (with `person_id`) and `outliers` (`outlier_visitors`) are needed
    where a condition is about them.
    `ids` are rows of `conversion_ids`: an event that tells of the same conversion again is then no step, no conversion
    and no revenue; without them every one is.
    Raises `RuleError` where a segment is made of one that is not there, or of itself; `ValueError` where traits,
    sessions or outliers are missing.

    >>> buyers = Segment(name="buyers", who=Did(Step("purchase"), at_least=2, last="30 days"))
    >>> segment_memberships(events, [buyers], dt.date(2026, 3, 31)).show()
    """
    ordered = in_order(tuple(segments))
    if not ordered:
        return events.sparkSession.createDataFrame([], SEGMENT_MEMBERSHIPS.spark_schema())
    levels = Levels()
    inside = {segment.name: _Tree(levels, segment, conversion_events).member() for segment in ordered}
    known = levels.known(Facts(with_repeated(events, ids), traits, sessions, outliers), (as_of - _EPOCH).days)
    for name, is_member in inside.items():
        known = known.withColumn(_member(name), is_member)
    return _stays(known, list(inside))


def members_by_day(memberships: DataFrame) -> DataFrame:
    """How many members each segment had after each day on which that changed: `segment`, `event_date`, `members`."""
    moves = memberships.withColumn("by", F.explode(F.array(F.lit(1), F.lit(-1))))
    date = F.when(F.col("by") == 1, F.col("from_date")).otherwise(F.col("to_date"))
    changes = (
        moves.select("segment", date.alias("event_date"), F.col("by").cast("long").alias("by"))
        .where(F.col("event_date").isNotNull())
        .groupBy("segment", "event_date")
        .agg(F.sum("by").alias("by"))
    )
    so_far = Window.partitionBy("segment").orderBy("event_date").rowsBetween(Window.unboundedPreceding, 0)
    return changes.select("segment", "event_date", F.sum("by").over(so_far).alias("members"))


def _member(segment: str) -> str:
    return f"in_{segment}"


def _stays(known: DataFrame, names: Sequence[str]) -> DataFrame:
    """The days on which somebody came into a segment, with the day on which they left."""
    answers = F.posexplode(F.array(*(F.col(_member(name)) for name in names))).alias("_nth", "_in")
    segment = F.element_at(F.array(*map(F.lit, names)), F.col("_nth") + 1)
    one_by_one = known.select("person_id", "day", answers).withColumn("segment", segment)
    in_time = Window.partitionBy("person_id", "segment").orderBy("day")
    turns = one_by_one.withColumn("_before", F.lag("_in", 1, False).over(in_time)).where("_in != _before")
    return (
        turns.withColumn("_to", F.lead("day").over(in_time))
        .where("_in")
        .select(
            "segment",
            "person_id",
            date_of(F.col("day")).alias("from_date"),
            date_of(F.col("_to")).alias("to_date"),
            F.col("_to").isNull().alias("is_current"),
        )
    )


class _Tree:
    """The conditions of one segment as an expression over levels, which are asked for on the way."""

    def __init__(self, levels: Levels, segment: Segment, conversion_events: Sequence[str]) -> None:
        self._levels = levels
        self._who = segment.who
        self._bots = segment.include_bots
        self._conversions = tuple(dict.fromkeys(conversion_events))

    def member(self) -> Column:
        """Whether a person is in the segment: one that was seen, and of whom the tree holds."""
        return (self._count("anything") >= 1) & self._holds(self._who)

    def _holds(self, condition: Condition) -> Column:
        match condition:
            case All():
                return reduce(and_, map(self._holds, condition.all))
            case AnyOf():
                return reduce(or_, map(self._holds, condition.any))
            case Not():
                return ~self._holds(condition.condition)
            case InSegment():
                return F.col(_member(condition.segment))
            case Did():
                return _between(self._count(condition.did, condition.days), *condition.bounds)
            case Walk():
                return self._levels.of(Walked(condition, self._bots)) >= 1
            case Trait():
                return self._levels.of(Known(condition)) >= 1
            case User():
                return self._user(condition)
            case IsOutlier():
                return (self._levels.of(Flagged()) >= 1) == F.lit(condition.outlier)

    def _user(self, condition: User) -> Column:
        if condition.user in TEXTS:
            return self._levels.of(CameBy(condition, self._bots)) >= 1
        if condition.user == "days_since_first_seen":
            return self._first_seen(*_days(condition))
        if condition.user == "days_since_last_seen":
            return self._last_seen(*_days(condition))
        return _between(self._number(condition.user), condition.at_least, condition.at_most)

    def _number(self, name: str) -> Column:
        if name == "events":
            return self._count("anything")
        if name == "sessions":
            return self._levels.of(Visits(self._bots))
        if name == "revenue":
            return as_double(self._levels.of(Earned(self._conversions, self._bots)))
        return reduce(add, (self._count(Step(event=event)) for event in self._conversions), F.lit(0))

    def _first_seen(self, least: int, most: int | None) -> Column:
        holds = self._levels.of(SeenFor(least, self._bots)) >= 1
        return holds if most is None else holds & (self._levels.of(SeenFor(most + 1, self._bots)) == 0)

    def _last_seen(self, least: int, most: int | None) -> Column:
        holds = F.lit(True) if least == 0 else self._count("anything", least) == 0
        return holds if most is None else holds & (self._count("anything", most + 1) >= 1)

    def _count(self, step: Step | Anything, days: int | None = None) -> Column:
        return self._levels.of(Counted(step, days, self._bots))


def _between(level: Column, least: float | None, most: float | None) -> Column:
    bounds = [level >= float(least)] if least is not None else []
    bounds += [level <= float(most)] if most is not None else []
    return reduce(and_, bounds)


def _days(condition: User) -> tuple[int, int | None]:
    least, most = condition.at_least or 0, condition.at_most
    return min(int(least), _MOST_DAYS), None if most is None else min(int(most), _MOST_DAYS)
