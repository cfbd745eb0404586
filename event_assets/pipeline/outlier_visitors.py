"""outlier_visitors: who behaves like a robot and does not say so, by the habits of all visitors of the last four weeks.

The table is made whole when the events, or who is who, have changed: what is usual depends on all. It is a function of
the events of the 28 days that end with the lake's last day. Nobody is left out of another table for it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import OUTLIER_VISITORS
from event_assets.models.outliers import LEAST_VISITORS, Habit, Numbers, Outliers, Usual, usual_of
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.people import last_date
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Rules, Run
from event_assets.transforms.identity.stitching import with_person
from event_assets.transforms.people.habits import HABITS, habits

OUTLIERS_CODE = "2"
"""Version of the code that makes this table; raise it when the rows it gives change."""
OUTLIERS_SOURCES = (ENRICHED_EVENTS, IDENTITIES)
DAYS = 28
MOST_SHARE = 0.05
"""Where more than this share are outliers, they are not few among many any more, and what is usual may be theirs."""
_BARS = 24


class _Told(NamedTuple):
    """What a habit is called in a reason, and whether it is judged by the logarithm: of the value, or, where it may be
    nothing, of one more."""

    words: str
    side: int
    least: float
    logarithm: float | None = None


_HABITS: dict[str, _Told] = {
    "seconds_between_views": _Told("seconds between views", -1, 0.35, 0.0),
    "evenness": _Told("share of alike times between events", 1, 0.1),
    "views_in_sequence": _Told("share of views that page on", 1, 0.05),
    "engaged_views": _Told("signs of attention a view", -1, 0.2, 1.0),
    "busiest_hour": _Told("actions in the busiest hour", 1, 0.3, 0.0),
    "hours_of_a_day": _Told("hours of a day", 1, 0.3, 0.0),
    "conversions_a_day": _Told("conversions in a day", 1, 0.4, 1.0),
    "accounts": _Told("accounts used", 1, 0.4, 1.0),
}
assert tuple(_HABITS) == HABITS


def outlier_rules(rules: Rules) -> str:
    """The version of the rules that outlier_visitors goes by."""
    return "-".join(rules.sessions.conversion_events)


def outliers_step(run: Run) -> StepReport:
    """Brings outlier_visitors up to date. Shows how many visitors have which score."""
    conversion_events = run.rules.sessions.conversion_events

    def whole(work: Work) -> Result:
        devices = habits(recent(work), conversion_events).withColumn("user_id", F.lit(None).cast("string"))
        measured = work.checkpoint(with_person(devices, work.rows(IDENTITIES)).drop("user_id"))
        usual = usual_habits(measured.select(*HABITS).toArrow())
        if usual is None:
            return Result(work.spark.createDataFrame([], OUTLIER_VISITORS.spark_schema()))
        return Result(measured.mapInArrow(_judging(usual), OUTLIER_VISITORS.spark_schema()))

    code = f"{OUTLIERS_CODE}-{outlier_rules(run.rules)}"
    report = refresh_keys(run, KeyedRefresh(OUTLIER_VISITORS, OUTLIERS_SOURCES, code, whole))
    scores = run.lake.table(OUTLIER_VISITORS.name).snapshot().arrow(columns=("score", "is_outlier"))
    flagged = int(scores["is_outlier"].to_numpy().sum()) if scores.num_rows else 0
    warnings = () if scores.num_rows else (f"too few visitors to be judged: it takes {LEAST_VISITORS}",)
    return replace(
        report,
        more={**report.more, "outliers": flagged},
        bars=_distribution(scores["score"].to_pylist()),
        bars_unit="visitors with that score; above 1 is too far off",
        warnings=warnings,
    )


def recent(work: Work) -> DataFrame:
    """The events of the days that are judged."""
    enriched = work.upstream[ENRICHED_EVENTS.name]
    first = max(str(last_date(enriched) - dt.timedelta(days=DAYS - 1)), work.horizon)
    return work.rows_on(ENRICHED_EVENTS, [date for date in enriched.dates() if date >= first])


def usual_habits(measured: pa.Table) -> Usual | None:
    """What is usual among visitors of whom the `habits` are given; None where they are too few."""
    return usual_of(habit_values(measured), [Habit(name, told.side, told.least) for name, told in _HABITS.items()])


def outlier_rows(measured: pa.Table, usual: Usual) -> pa.Table:
    """What is to be said of visitors, by their `habits` and `person_id`, in the columns of `OUTLIER_VISITORS`."""
    found = usual.judge(habit_values(measured))
    known = measured.select(["anonymous_id", "person_id", "first_at", "last_at", "actions"]).to_pylist()
    rows = [{**row, **_row(measured, usual, found, place)} for place, row in enumerate(known)]
    return pa.Table.from_pylist(rows, OUTLIER_VISITORS.arrow_schema())


def _judging(usual: Usual) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def judging(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield from outlier_rows(pa.Table.from_batches([batch]), usual).to_batches()

    return judging


def habit_values(measured: pa.Table) -> Numbers:
    """The `HABITS` of visitors as they are judged: a row a visitor, by the logarithm where that is the scale."""
    return np.column_stack([_judged(measured, name) for name in HABITS])


def _judged(measured: pa.Table, name: str) -> Numbers:
    values: Numbers = measured[name].cast(pa.float64()).to_numpy().astype(float)
    beyond = _HABITS[name].logarithm
    return values if beyond is None else np.log(np.maximum(values + beyond, 1e-3))


def _row(measured: pa.Table, usual: Usual, found: Outliers, place: int) -> dict[str, Any]:
    reasons = [_reason(measured, usual, found, place, habit) for habit in found.reasons(place)]
    is_outlier = bool(found.is_outlier[place])
    return {
        "score": round(float(found.score[place]), 6),
        "is_outlier": is_outlier,
        "reason": reasons[0]["habit"] if is_outlier else None,
        "reasons": json.dumps(reasons),
        "why": "; ".join(map(_sentence, reasons)) if is_outlier else None,
    }


def _reason(measured: pa.Table, usual: Usual, found: Outliers, place: int, habit: int) -> dict[str, Any]:
    name = HABITS[habit]
    beyond, middle = _HABITS[name].logarithm, float(usual.middle[habit])
    return {
        "habit": name,
        "value": round(float(measured[name][place].as_py()), 3),
        "usual": round(middle if beyond is None else float(np.exp(middle)) - beyond, 3),
        "deviations": round(float(found.deviations[place, habit]), 1),
    }


def _sentence(reason: dict[str, Any]) -> str:
    return f"{_HABITS[reason['habit']].words} {reason['value']:g} where {reason['usual']:g} is usual"


def _distribution(scores: Sequence[float]) -> list[tuple[str, float]]:
    """How many visitors have which score, in steps of a tenth; the last has all above."""
    counts = np.bincount(np.minimum((np.array(scores) * 10).astype(int), _BARS - 1), minlength=_BARS)
    return [(f"{step / 10:.1f}", float(count)) for step, count in enumerate(counts)] if len(scores) else []
