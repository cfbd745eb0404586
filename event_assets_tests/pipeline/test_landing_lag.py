"""landing_lag tells of each minute how long its events lay on the stream; where nobody landed them it is told."""

from __future__ import annotations

import datetime as dt
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from event_assets.contract.tables.anomalies import METRIC_ANOMALIES
from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.contract.tables.minutes import LANDING_LAG, MINUTE_ANOMALIES, MINUTE_EVENTS
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline.land import land_step
from event_assets.pipeline.landing_lag import landing_lag_step
from event_assets.pipeline.metric_panel import anomaly_rows
from event_assets.pipeline.minute_anomalies import minute_anomalies_step
from event_assets.pipeline.open_incidents import open_incidents
from event_assets.pipeline.raw_objects import merge_objects
from event_assets.rules.anomalies import Anomalies
from event_assets.streams import StreamRecord
from event_assets.streams.embedded import EmbeddedStream
from event_assets_tests.factories import row_of
from event_assets_tests.pipeline.runs import a_run

MINUTE = dt.timedelta(minutes=1)
RULES = Anomalies.model_validate(
    {
        "metrics": {
            "events_now": {"table": "minute_events", "sum": "events"},
            "landing_now": {"table": "minute_landing", "sum": "waited", "of": "events"},
        }
    }
)


class Landing:
    """A stream whose clock is the real one, less what it is set back by, and a lake."""

    def __init__(self, folder: Path) -> None:
        self.ago = dt.timedelta()
        self.stream = EmbeddedStream(folder / "stream.db", "events", clock=self._time)
        self.stream.create(1)
        self.lake = Lake(Storage(str(folder / "lake")))
        self.folder = folder

    def _time(self) -> float:
        return (dt.datetime.now(dt.UTC) - self.ago).timestamp()

    def put(self, minutes_ago: float, records: int = 1) -> None:
        self.ago = minutes_ago * MINUTE
        results = self.stream.put([StreamRecord("k", b'{"event": "a"}\n{"event": "b"}')] * records)
        assert all(result.error is None for result in results)

    def land(self) -> None:
        self.ago = dt.timedelta()
        land_step(a_run(self.lake, None, stream=self.stream))

    def count(self) -> int:
        return landing_lag_step(a_run(self.lake, None)).version

    def rows(self) -> list[dict[str, Any]]:
        rows = self.lake.table(LANDING_LAG.name).snapshot().arrow().to_pylist()
        return sorted(rows, key=lambda row: str(row["minute"]))

    def told(self) -> list[tuple[int, int, int]]:
        """By minute events, those that waited, and for how many minutes the first did."""
        return [(row["events"], row["waited"], int(row["longest_seconds"] // 60)) for row in self.rows()]


@pytest.fixture
def landing(tmp_path: Path) -> Iterator[Landing]:
    made = Landing(tmp_path)
    yield made
    made.stream.close()


def test_of_each_minute_it_is_told_how_many_events_waited_and_how_long(landing: Landing) -> None:
    landing.put(40.5, 2)
    landing.land()
    landing.put(20.5)
    landing.put(3.0)
    landing.land()
    landing.count()
    assert landing.told() == [(4, 4, 40), (2, 2, 20), (2, 0, 3)]
    (first, *_) = landing.rows()
    assert first["minute"].second == 0 and first["day"] == str(first["minute"].date())


def test_commits_are_counted_once_however_often_it_looks_and_whatever_becomes_of_their_objects(
    landing: Landing,
) -> None:
    other = Landing(landing.folder / "other")
    for at_each_commit in (landing, other):
        for minutes in (90.5, 60.5, 30.5, 2.0):
            at_each_commit.put(minutes)
            at_each_commit.land()
            if at_each_commit is landing:
                at_each_commit.count()
    raw = other.lake.table(RAW_EVENTS.name)
    paths = {file.path for file in raw.snapshot().files}
    merge_objects(raw, paths, 2, 1_000_000)
    other.count()
    other.stream.close()
    assert landing.told() == other.told() == [(2, 2, 90), (2, 2, 60), (2, 2, 30), (2, 0, 2)]
    version = landing.count()
    before = landing.rows()
    assert landing.count() == version
    landing_lag_step(a_run(landing.lake, None, rebuild=True))
    assert landing.rows() == before


def test_raw_events_that_are_landed_again_say_nothing_new_of_minutes_that_are_counted(landing: Landing) -> None:
    landing.put(10.0)
    landing.land()
    landing.count()
    before = landing.rows()
    shutil.rmtree(landing.folder / "lake" / RAW_EVENTS.name)
    landing.put(1.0)
    landing.land()
    landing.count()
    assert landing.rows()[:1] == before and landing.told()[1:] == [(2, 0, 1)]


def test_the_table_is_made_again_from_the_log_that_is_kept(landing: Landing) -> None:
    for minutes in (30.5, 1.0):
        landing.put(minutes)
        landing.land()
    landing.count()
    before = landing.rows()
    shutil.rmtree(landing.folder / "lake" / LANDING_LAG.name)
    (landing.folder / "lake" / RAW_EVENTS.name / "_delta_log" / f"{0:020d}.json").unlink()
    landing.count()
    assert landing.rows() == before


def _history(landing: Landing, first: dt.datetime, minutes: int) -> None:
    """A day and more in which all was landed at once: what the steps of then would have counted."""
    rng = np.random.default_rng(3)
    counts = rng.poisson(40, minutes)
    events, lag = landing.lake.table(MINUTE_EVENTS.name), landing.lake.table(LANDING_LAG.name)
    hours: dict[str, list[dict[str, Any]]] = {}
    days: dict[str, list[dict[str, Any]]] = {}
    for number, count in enumerate(counts.tolist()):
        at = first + number * MINUTE
        told = {"minute": at, "events": count}
        every = {"hour": f"{at:%Y-%m-%dT%H}", "dimension": "all", "value": "(all)", "landed": count, **told}
        hours.setdefault(every["hour"], []).append(row_of(MINUTE_EVENTS, **every))
        if number < minutes - 30:
            own = {"day": str(at.date()), "waited": 0, "longest_seconds": 2.0, **told}
            days.setdefault(own["day"], []).append(row_of(LANDING_LAG, **own))
    for table, spec, column, parts in ((events, MINUTE_EVENTS, "hour", hours), (lag, LANDING_LAG, "day", days)):
        base = table.snapshot()
        files = [
            table.stage_arrow(pa.Table.from_pylist(rows, spec.arrow_schema()), uuid.uuid4().hex, {column: name})
            for name, rows in parts.items()
        ]
        table.commit(base, base.progress, add=files)


def test_where_landing_stood_still_an_incident_is_told_as_soon_as_it_goes_on(landing: Landing) -> None:
    now = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)
    minutes = 30 * 60
    _history(landing, now - minutes * MINUTE, minutes)
    run = a_run(landing.lake, None, anomalies=RULES)
    minute_anomalies_step(run)
    assert open_incidents(landing.lake, run.rules, None) == []
    for ago in range(29, 0, -1):
        landing.put(ago, 20)
    landing.land()
    landing.count()
    minute_anomalies_step(run)
    (incident,) = open_incidents(landing.lake, run.rules, None)
    assert (incident["metric"], incident["direction"]) == ("landing_now", "more")
    assert now - 30 * MINUTE <= incident["begins_at"] <= now - 26 * MINUTE
    assert incident["observed"] > 0.9 and incident["expected"] < 0.05
    rows = landing.lake.table(MINUTE_ANOMALIES.name).snapshot().arrow().to_pylist()
    assert {row["metric"] for row in rows if row["state"] == "unusual"} == {"landing_now"}


def test_an_hour_in_which_it_stood_still_is_unusual_among_hours_in_which_it_did_not() -> None:
    last, hours = dt.datetime(2026, 11, 30, tzinfo=dt.UTC), 24 * 28
    rng = np.random.default_rng(4)
    amounts, wholes = rng.binomial(900, 0.001, hours), rng.poisson(900, hours)
    amounts[-3] = 700
    names = ("metric", "dimension", "value", "period", "period_start", "amount", "whole")
    own = ("hourly_landing", "all", "(all)", "hour")
    rows = [
        (*own, last - ago * dt.timedelta(hours=1), float(amounts[-1 - ago]), float(wholes[-1 - ago]))
        for ago in range(hours)
    ]
    table = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows])
    at = pa.array(table["period_start"].to_pylist(), pa.timestamp("us", tz="UTC"))
    table = table.set_column(names.index("period_start"), "period_start", at)
    rules = Anomalies.model_validate(
        {"metrics": {"hourly_landing": {"table": "hourly_landing", "sum": "waited", "of": "events"}}}
    )
    found = anomaly_rows(table, rules).to_pylist()
    assert set(found[0]) == set(METRIC_ANOMALIES.column_names)
    unusual = [row["period_start"] for row in found if row["state"] == "unusual"]
    assert unusual[0] == last - dt.timedelta(hours=2) and len(unusual) <= 2
