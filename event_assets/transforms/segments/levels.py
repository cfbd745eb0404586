"""The levels that conditions of segments are about: how often somebody did something in a period, whether a trait
holds, …; and the days on which each is raised and lowered.

A level is asked for by what it is of, and is one column; whoever asks twice gets the same. What is held against a level
is not known here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from event_assets.contract.paths import parts_of
from event_assets.rules.condition import Anything, Step
from event_assets.rules.segment import TEXTS, Sequence, Trait, User
from event_assets.transforms.affected import is_one_of
from event_assets.transforms.money import MONEY, amount
from event_assets.transforms.product.matching import holds, inside, is_any_of, matches
from event_assets.transforms.product.periods import day_number
from event_assets.transforms.product.sequences import sequence_spans

_LARGEST = sys.float_info.max
_DAY = 86_400_000_000
_KEY = ("person_id", "day")


@dataclass(frozen=True)
class Counted:
    """How many events there were, of a step, each conversion once, or of any; in the last days, or ever."""

    step: Step | Anything
    days: int | None
    bots: bool


@dataclass(frozen=True)
class Earned:
    """The revenue of events of these names, each conversion once."""

    events: tuple[str, ...]
    bots: bool


@dataclass(frozen=True)
class SeenFor:
    """1 once the person was seen for the first time so many days ago."""

    days: int
    bots: bool


@dataclass(frozen=True)
class Walked:
    """In how many ways a sequence was gone through."""

    sequence: Sequence
    bots: bool


@dataclass(frozen=True)
class Known:
    """1 while a trait is what the condition asks for."""

    trait: Trait


@dataclass(frozen=True)
class Visits:
    """How many sessions began."""

    bots: bool


@dataclass(frozen=True)
class CameBy:
    """1 from the person's first session on, where it has what the condition asks for."""

    user: User
    bots: bool


@dataclass(frozen=True)
class Flagged:
    """How many of the person's devices that are outliers were seen until then."""


Level = Counted | Earned | SeenFor | Walked | Known | Visits | CameBy | Flagged


@dataclass(frozen=True)
class Facts:
    """What levels follow from: events with `person_id` and `is_repeated` (see conversion_ids.py), traits as in
    `user_traits`, sessions with `person_id`, outliers as in `outlier_visitors`."""

    events: DataFrame
    traits: DataFrame | None = None
    sessions: DataFrame | None = None
    outliers: DataFrame | None = None


class Levels:
    """The levels that are asked for, each a column. First ask for them, then for `known`."""

    def __init__(self) -> None:
        self._levels: dict[str, Level] = {}
        self._names: dict[str, str] = {}

    def of(self, level: Level) -> Column:
        """The level; a number that is never null."""
        name = self._names.setdefault(repr(level), f"level{len(self._names)}")
        self._levels[name] = level
        return F.col(name)

    def known(self, facts: Facts, last_day: int) -> DataFrame:
        """All levels at the end of each day on which one of them may change, to the last day: `person_id`, `day`.

        Days are counted from 1970-01-01. Raises `ValueError` where facts that a level is of are not given.
        """
        zeros = {name: F.lit(0).cast(_type(level)) for name, level in self._levels.items()}
        moves = [
            rows.select(*_KEY, *(F.col(n) if n in rows.columns else zero.alias(n) for n, zero in zeros.items()))
            for rows in self._moves(facts)
        ]
        daily = (
            reduce(DataFrame.unionByName, moves)
            .where(F.col("day") <= last_day)
            .groupBy(*_KEY)
            .agg(*(F.sum(name).alias(name) for name in zeros))
        )
        so_far = Window.partitionBy("person_id").orderBy("day").rowsBetween(Window.unboundedPreceding, 0)
        return daily.select(*_KEY, *(F.sum(name).over(so_far).alias(name) for name in zeros))

    def _moves(self, facts: Facts) -> Iterator[DataFrame]:
        """By how much each level goes up or down on a day; rows of one source have its levels alone."""
        of_events = {n: level for n, level in self._levels.items() if isinstance(level, Counted | Earned | SeenFor)}
        if of_events:
            yield _of_events(of_events, facts.events)
        for name, level in self._levels.items():
            if isinstance(level, Walked):
                yield _of_sequence(name, level, facts.events)
        of_traits = {name: level.trait for name, level in self._levels.items() if isinstance(level, Known)}
        if of_traits:
            yield _of_traits(of_traits, _given(facts.traits, "traits"))
        of_sessions = {name: level for name, level in self._levels.items() if isinstance(level, Visits | CameBy)}
        for bots in sorted({level.bots for level in of_sessions.values()}):
            some = {name: level for name, level in of_sessions.items() if level.bots is bots}
            yield _of_sessions(some, _humans(_given(facts.sessions, "sessions"), bots))
        for name, level in self._levels.items():
            if isinstance(level, Flagged):
                yield _of_outliers(name, _given(facts.outliers, "outliers"))


def _type(level: Level) -> str:
    return MONEY if isinstance(level, Earned) else "long"


def _given(rows: DataFrame | None, what: str) -> DataFrame:
    if rows is None:
        raise ValueError(f"a segment has a condition on {what}, and none are given: pass {what}=")
    return rows


def _humans(rows: DataFrame, bots: bool) -> DataFrame:
    """The rows of persons; those of robots only where they count."""
    known = rows.where(F.col("person_id").isNotNull())
    return known if bots or "is_bot" not in rows.columns else known.where(~F.col("is_bot"))


def _of_events(levels: Mapping[str, Counted | Earned | SeenFor], events: DataFrame) -> DataFrame:
    """The days of each person with what they count, and again when that leaves the period."""
    values = {name: _value(level, events).alias(name) for name, level in levels.items()}
    marked = _humans(events, bots=True).select(
        "person_id", day_number(F.col("derived_at")).alias("day"), *values.values()
    )
    daily = marked.groupBy(*_KEY).agg(*(F.sum(name).alias(name) for name in values))
    firsts = [name for name, level in levels.items() if isinstance(level, SeenFor)]
    person = Window.partitionBy("person_id")
    for name in firsts:
        first = F.min(F.when(F.col(name) > 0, F.col("day"))).over(person)
        daily = daily.withColumn(name, F.coalesce(F.col("day") == first, F.lit(False)).cast("long"))
    shifts = sorted({shift for level in levels.values() for shift in _signs(level)})
    moved = daily.withColumn("shift", F.explode(F.array(*map(F.lit, shifts)))).select(
        "person_id", (F.col("day") + F.col("shift")).alias("day"), *(_shifted(n, level) for n, level in levels.items())
    )
    return moved.where(reduce(or_, (F.col(name) != 0 for name in levels)))


def _value(level: Counted | Earned | SeenFor, events: DataFrame) -> Column:
    """What an event adds to the day."""
    counts = F.lit(True) if level.bots or "is_bot" not in events.columns else ~F.col("is_bot")
    if isinstance(level, Earned):
        none = F.lit(0).cast(MONEY)
        earns = counts & is_one_of("event", level.events) & ~F.col("is_repeated")
        return F.when(earns, F.coalesce(amount(F.col("revenue_reporting")), none)).otherwise(none)
    if isinstance(level, Counted) and isinstance(level.step, Step):
        counts = counts & matches(level.step, events.columns) & ~F.col("is_repeated")
    return counts.cast("long")


def _signs(level: Level) -> dict[int, int]:
    """After how many days a day's value is added (1) or taken away (-1)."""
    if isinstance(level, SeenFor):
        return {level.days: 1}
    if isinstance(level, Counted) and level.days is not None:
        return {0: 1, level.days: -1}
    return {0: 1}


def _shifted(name: str, level: Level) -> Column:
    value = F.lit(0).cast(_type(level))
    for shift, sign in _signs(level).items():
        value = F.when(F.col("shift") == shift, F.col(name) if sign > 0 else -F.col(name)).otherwise(value)
    return value.alias(name)


def _of_sequence(name: str, level: Walked, events: DataFrame) -> DataFrame:
    """From the day on which a sequence ends until the one on which its beginning leaves the period."""
    spans = sequence_spans(_humans(events, level.bots).where("NOT is_repeated"), level.sequence.sequence)
    days = spans.select(
        "person_id", *(F.floor(F.col(at) / _DAY).cast("long").alias(at) for at in ("began_at", "ended_at"))
    )
    if level.sequence.days is None:
        ends = days.groupBy("person_id").agg(F.min("ended_at").alias("day"))
        return ends.withColumn(name, F.lit(1).cast("long"))
    spanned = days.withColumn("leaves", F.col("began_at") + level.sequence.days).where("leaves > ended_at")
    return _raised(spanned, "ended_at", "leaves", {name: F.lit(1).cast("long")})


def _of_traits(levels: Mapping[str, Trait], traits: DataFrame) -> DataFrame:
    """From the day on which a trait was said until the one on which something else was."""
    held = traits.select(
        "person_id",
        day_number(F.col("from_at")).alias("from_day"),
        day_number(F.col("to_at")).alias("to_day"),
        *(_is_known(trait).cast("long").alias(name) for name, trait in levels.items()),
    ).where(reduce(or_, (F.col(name) != 0 for name in levels)))
    return _raised(held, "from_day", "to_day", {name: F.col(name) for name in levels})


def _is_known(trait: Trait) -> Column:
    head, *path = parts_of(trait.trait)
    text = inside(F.concat(F.lit('{"v":'), F.col("value"), F.lit("}")), ["v", *path])
    asked = trait.comparison
    known = text.isNotNull() if asked is None else text.isNotNull() & holds(text, asked)
    return F.coalesce((F.col("trait") == head) & known, F.lit(False))


def _of_sessions(levels: Mapping[str, Visits | CameBy], sessions: DataFrame) -> DataFrame:
    """The days on which sessions began."""
    first = Window.partitionBy("person_id").orderBy("start_at", "session_id")
    numbered = sessions.select(
        "person_id", day_number(F.col("start_at")).alias("day"), *TEXTS, F.row_number().over(first).alias("nth")
    )
    values = {
        name: _came_by(level.user) if isinstance(level, CameBy) else F.lit(True) for name, level in levels.items()
    }
    daily = numbered.groupBy(*_KEY).agg(*(F.sum(value.cast("long")).alias(name) for name, value in values.items()))
    return daily.where(reduce(or_, (F.col(name) != 0 for name in levels)))


def _came_by(user: User) -> Column:
    text = F.col(user.user)
    values = user.is_ if isinstance(user.is_, list) else [user.is_]
    holds = text.isNotNull() if user.is_ is None else is_any_of(text, [value for value in values if value is not None])
    return F.coalesce((F.col("nth") == 1) & holds, F.lit(False))


def _of_outliers(name: str, outliers: DataFrame) -> DataFrame:
    """The days on which devices were first seen that are outliers."""
    day = day_number(F.col("first_at")).alias("day")
    return outliers.where("is_outlier").select("person_id", day, F.lit(1).cast("long").alias(name))


def _raised(rows: DataFrame, from_day: str, to_day: str, values: Mapping[str, Column]) -> DataFrame:
    """Raised on one day and lowered on the other, if that is ever."""
    both = rows.withColumn("sign", F.explode(F.array(F.lit(1), F.lit(-1))))
    day = F.when(F.col("sign") == 1, F.col(from_day)).otherwise(F.col(to_day))
    moves = both.select("person_id", day.alias("day"), *((v * F.col("sign")).alias(n) for n, v in values.items()))
    return moves.where(F.col("day").isNotNull())
