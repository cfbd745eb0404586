"""Of a platform that has run for a day nothing is told, whatever came late of days before it; of one that has months of
history, its own or imported, what is unusual is told at once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.tables.minutes import MINUTE_ANOMALIES, MINUTE_EVENTS
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline.anomalies import incident_rows
from event_assets.pipeline.metric_panel import STEP, TOO_SHORT, anomaly_rows
from event_assets.pipeline.minute_anomalies import minute_anomalies_step, unusual_minutes
from event_assets.rules.anomalies import Anomalies, Period
from event_assets_tests.examples import examples
from event_assets_tests.factories import row_of
from event_assets_tests.pipeline.runs import a_run

RULES = Anomalies.model_validate(
    {
        "metrics": {
            "daily": {"table": "daily_events", "sum": "events"},
            "errors": {"table": "daily_events", "sum": "events", "where": {"event": ["app_error"]}, "of": "events"},
            "hourly": {"table": "hourly_events", "sum": "events"},
            "events_now": {"table": "minute_events", "sum": "events"},
        },
        "dimensions": ["platform"],
    }
)
LAST = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)
"""The last step of all series: it is not judged."""
OF: dict[Period, str] = {"day": "daily", "hour": "hourly"}
USUAL: dict[Period, int] = {"day": 20_000, "hour": 900}
"""Events a step."""
STEPS: dict[Period, int] = {"day": 60, "hour": 24 * 28}


def series(period: Period, web: object, ios: object, errors: bool = False) -> pa.Table:
    """Series of events of two platforms, whose last step is `LAST`."""
    own = {("platform", "web"): np.asarray(web, float), ("platform", "ios"): np.asarray(ios, float)}
    every = {("all", "(all)"): sum(own.values()), **own}
    rows: list[tuple[Any, ...]] = []
    for (dimension, value), counts in every.items():
        for ago, count in enumerate(np.asarray(counts)[::-1]):
            at = LAST - ago * STEP[period]
            if count:
                rows.append((OF[period], dimension, value, period, at, float(count), None))
            if count and errors:
                rows.append(("errors", dimension, value, period, at, float(count // 50), float(count)))
    names = ("metric", "dimension", "value", "period", "period_start", "amount", "whole")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    at_ = pa.array(columns.pop("period_start"), pa.timestamp("us", tz="UTC"))
    whole = pa.array(columns.pop("whole"), pa.float64())
    return pa.table({**columns, "period_start": at_, "whole": whole})


def told(table: pa.Table) -> tuple[set[str], list[dict[str, Any]]]:
    """Which states there are, and the incidents."""
    rows = anomaly_rows(table, RULES)
    return set(rows["state"].to_pylist()), incident_rows(rows, RULES).to_pylist()


@pytest.mark.parametrize("period", ["day", "hour"])
@pytest.mark.parametrize("ran", [1, 2, 6])
def test_what_has_run_for_a_few_steps_says_not_enough_history_whatever_came_late(period: Period, ran: int) -> None:
    rng = np.random.default_rng(ran)
    late = rng.poisson(0.5, STEPS[period] + 340)
    new = rng.poisson(18_143, ran)
    assert told(series(period, [*late, *new, 5_000], [*late, *new, 5_000], errors=period == "day")) == ({TOO_SHORT}, [])


def test_a_platform_that_is_new_is_no_incident_whatever_came_late_of_it() -> None:
    """Nine weeks of the web, of which iOS has run for the last two days."""
    rng = np.random.default_rng(4)
    web, ios = rng.poisson(20_000, 63), rng.poisson(0.5, 63)
    ios[-3:] = 300
    _, found = told(series("day", web, ios))
    assert [row for row in found if row["value"] == "ios"] == []


@pytest.mark.parametrize("period", ["day", "hour"])
@pytest.mark.parametrize("times", [0.0, 5.0])
def test_what_has_months_of_history_tells_an_outage_and_a_flood_at_once(period: Period, times: float) -> None:
    rng = np.random.default_rng(6)
    web, ios = rng.poisson(USUAL[period], (2, STEPS[period]))
    late = rng.poisson(0.5, 300)
    web[-2] = times * USUAL[period]
    states, found = told(series(period, [*late, *web], [*late, *ios]))
    begins = LAST - STEP[period]
    (at_once,) = (row for row in found if row["begins_at"] == begins)
    assert at_once["direction"] == ("more" if times else "less") and "usual" in states
    assert at_once["value"] == "web" or at_once["driver_value"] == "web"


@examples(12)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 3), min_size=1, max_size=200), st.booleans())
def test_late_events_before_the_beginning_change_no_row_after_it(
    seed: int, late: list[int], has_weekends: bool
) -> None:
    rng = np.random.default_rng(seed)
    open_ = (np.arange(60) % 7 < 5) | (not has_weekends)
    web, ios = rng.poisson(200, (2, 60)) * open_
    web[40] = web[40] * 4
    before, after = (anomaly_rows(series("day", [*more, *web], [*more, *ios]), RULES) for more in ([], late))
    assert before.num_rows > 90 and after.equals(before)


@pytest.mark.parametrize("closed", ["nights", "nights and weekends"])
def test_hours_in_which_nothing_ever_comes_take_no_history_away(closed: str) -> None:
    hours = np.arange(24 * 28 + 12)
    is_open = (hours % 24 >= 9) & (hours % 24 < 17)
    if closed == "nights and weekends":
        is_open &= hours // 24 % 7 < 5
    rng = np.random.default_rng(8)
    web, ios = rng.poisson(600, (2, len(hours))) * is_open
    web[-2], ios[-2] = 5, 4
    assert is_open[-2], "of an hour in which they are open"
    states, found = told(series("hour", web, ios))
    assert "usual" in states
    assert len(found) <= 2, "each Monday morning is as the last"
    assert [row["begins_at"] for row in found if row["is_open"]] == [LAST - STEP["hour"]]


def minutes_of(folder: Path, hours: dict[int, int], until: int) -> Lake:
    """A lake with the counts of these hours, each with so many events a minute, up to a minute of the last."""
    lake, rng = Lake(Storage(str(folder))), np.random.default_rng(9)
    table, first = lake.table(MINUTE_EVENTS.name), LAST - dt.timedelta(days=9)
    base, staged = table.snapshot(), []
    for hour, mean in hours.items():
        rows = []
        for minute in range(until if hour == max(hours) else 60):
            at, count = first + dt.timedelta(hours=hour, minutes=minute), int(rng.poisson(mean))
            own = {"hour": f"{at:%Y-%m-%dT%H}", "minute": at, "landed": count, "events": count}
            for dimension, value in (("all", "(all)"), ("platform", "web")):
                rows.append(row_of(MINUTE_EVENTS, **own, dimension=dimension, value=value))
        made = pa.Table.from_pylist(rows, MINUTE_EVENTS.arrow_schema())
        staged.append(table.stage_arrow(made, f"h{hour}", {"hour": rows[0]["hour"]}))
    table.commit(base, base.progress, add=staged)
    return lake


def judged(lake: Lake) -> pa.Table:
    minute_anomalies_step(a_run(lake, None, anomalies=RULES))
    return lake.table(MINUTE_ANOMALIES.name).snapshot().arrow()


def test_minutes_of_what_is_started_for_an_hour_now_and_then_are_not_judged(tmp_path: Path) -> None:
    lake = minutes_of(tmp_path, {0: 300, 1: 200, 30: 300, 31: 100, 77: 300, 150: 300}, 40)
    assert judged(lake).num_rows == 0
    silent_until = LAST - dt.timedelta(days=9) + dt.timedelta(hours=151)
    assert unusual_minutes(lake, RULES, silent_until).num_rows == 0


def test_minutes_after_some_days_of_which_nothing_came_at_night_are(tmp_path: Path) -> None:
    open_ = {hour: 40 for hour in range(24 * 2) if 8 <= hour % 24 < 18}
    for name, mean in (("usual", 40), ("flood", 400)):
        rows = judged(minutes_of(tmp_path / name, {**open_, max(open_): mean}, 40))
        last = rows.filter(pc.greater_equal(rows["period_start"], LAST - dt.timedelta(days=7, hours=7)))
        assert last.num_rows and ("unusual" in last["state"].to_pylist()) is (name == "flood")
