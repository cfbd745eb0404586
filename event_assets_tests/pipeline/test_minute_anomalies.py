"""minute_anomalies and incidents of minutes follow from the counts, however often they are judged, and from silence."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from event_assets.contract.tables.anomalies import METRIC_INCIDENTS
from event_assets.contract.tables.minutes import MINUTE_ANOMALIES, MINUTE_EVENTS
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline.incident_sayings import IncidentError, mute, say_what_it_was, watched
from event_assets.pipeline.minute_anomalies import minute_anomalies_step
from event_assets.pipeline.open_incidents import all_incidents, open_incidents, told_once
from event_assets.pipeline.run import Rules
from event_assets.rules.anomalies import Anomalies, Mute
from event_assets_tests.factories import row_of
from event_assets_tests.pipeline.runs import a_run

BEGIN = dt.datetime(2026, 11, 28, tzinfo=dt.UTC)
LENGTH, OUTAGE = 30 * 60, range(29 * 60 + 10, 29 * 60 + 25)
MINUTE = dt.timedelta(minutes=1)
FILE: dict[str, Any] = {
    "metrics": {
        "events_now": {"table": "minute_events", "sum": "events"},
        "errors_now": {"table": "minute_events", "sum": "errors", "of": "events"},
        "hourly": {"table": "hourly_events", "sum": "events"},
    },
    "dimensions": ["platform"],
}
RULES = Anomalies.model_validate(FILE)


class Counted:
    """A lake of which the counts of minutes are given: two platforms, of which one stops in the outage."""

    def __init__(self, folder: Path, rules: Anomalies = RULES, outage: range = OUTAGE, left: float = 0.0) -> None:
        self.lake, self.rules = Lake(Storage(str(folder))), rules
        rng = np.random.default_rng(2)
        self.events = {name: rng.poisson(mean, LENGTH) for name, mean in (("ios", 50), ("web", 30))}
        self.errors = {name: rng.binomial(counts, 0.02) for name, counts in self.events.items()}
        for counts in (self.events["ios"], self.errors["ios"]):
            counts[outage.start : outage.stop] = left * counts[outage.start : outage.stop]
        self.there = 0

    def put(self, until: int) -> None:
        """Counts up to a minute. The hours that are touched are written again."""
        table = self.lake.table(MINUTE_EVENTS.name)
        base = table.snapshot()
        hours = range(self.there // 60, (until - 1) // 60 + 1)
        add = [self._hour(table, hour, min(until, 60 * hour + 60)) for hour in hours]
        names = {file.partition["hour"] for file in add}
        table.commit(base, base.progress, add=add, remove=[f for f in base.files if f.partition["hour"] in names])
        self.there = until

    def _hour(self, table: Any, hour: int, until: int) -> Any:
        minutes = range(60 * hour, until)
        columns: dict[str, list[Any]] = {name: [] for name in MINUTE_EVENTS.column_names}
        name = f"{BEGIN + hour * 60 * MINUTE:%Y-%m-%dT%H}"
        for dimension, value, of in (
            ("all", "(all)", ("ios", "web")),
            ("platform", "ios", ("ios",)),
            ("platform", "web", ("web",)),
        ):
            for minute in minutes:
                events, errors = (int(sum(each[k][minute] for k in of)) for each in (self.events, self.errors))
                row = (name, BEGIN + minute * MINUTE, dimension, value, events, 0, events, errors, *[0] * 5)
                for column, cell in zip(columns.values(), row, strict=True):
                    column.append(cell)
        rows = pa.table(columns, schema=MINUTE_EVENTS.arrow_schema())
        return table.stage_arrow(rows, uuid.uuid4().hex, {"hour": name})

    def judge(self, *, rebuild: bool = False) -> int:
        return minute_anomalies_step(a_run(self.lake, None, rebuild=rebuild, anomalies=self.rules)).version

    def rows(self) -> list[dict[str, Any]]:
        rows = self.lake.table(MINUTE_ANOMALIES.name).snapshot().arrow().to_pylist()
        return sorted(rows, key=lambda row: [str(row[name]) for name in MINUTE_ANOMALIES.key])

    def open(self, silent_until: dt.datetime | None = None) -> list[dict[str, Any]]:
        return open_incidents(self.lake, self.given, silent_until)

    @property
    def given(self) -> Rules:
        return a_run(self.lake, None, anomalies=self.rules).rules


def at(minute: int) -> dt.datetime:
    return BEGIN + minute * MINUTE


def test_a_platform_that_stops_is_one_incident_from_its_first_minutes_until_it_has_been_back_for_ten(
    tmp_path: Path,
) -> None:
    counted = Counted(tmp_path)
    counted.put(OUTAGE.start + 5)
    counted.judge()
    (incident,) = counted.open()
    assert "ios" in (incident["value"], incident["driver_value"]) and incident["direction"] == "less"
    assert at(OUTAGE.start) <= incident["begins_at"] <= at(OUTAGE.start + 3)
    assert incident["incident_id"].startswith(f"{incident['begins_at']:%Y-%m-%dT%H:%M}/events_now/")
    counted.put(OUTAGE.stop + 9)
    counted.judge()
    (same,) = counted.open()
    assert same["incident_id"] == incident["incident_id"] and same["is_open"]
    counted.put(OUTAGE.stop + 17)
    counted.judge()
    assert counted.open() == []
    assert [row["incident_id"] for row in all_incidents(counted.lake, RULES)] == [incident["incident_id"]]


def test_any_split_is_judged_as_all_at_once_and_rows_stay_few(tmp_path: Path) -> None:
    whole, split = Counted(tmp_path / "whole"), Counted(tmp_path / "split")
    whole.put(LENGTH)
    whole.judge()
    for until in (20 * 60, 29 * 60, 29 * 60 + 12, 29 * 60 + 13, LENGTH):
        split.put(until)
        split.judge()
    assert split.rows() == whole.rows()
    version = split.judge()
    assert split.judge() == version
    split.judge(rebuild=True)
    assert split.rows() == whole.rows()
    unusual = {row["period_start"] for row in whole.rows() if row["state"] == "unusual"}
    assert unusual and max(unusual) < at(OUTAGE.stop + 5) and min(unusual) >= at(OUTAGE.start)
    begins = {row["period_start"] for row in whole.rows()}
    assert min(begins - unusual) >= at(LENGTH - 1) - dt.timedelta(hours=2) and max(begins) == at(LENGTH - 2)


def test_counts_that_come_late_to_an_hour_are_judged_again(tmp_path: Path) -> None:
    whole, late = Counted(tmp_path / "whole"), Counted(tmp_path / "late")
    whole.put(LENGTH)
    whole.judge()
    given = {name: counts.copy() for name, counts in late.events.items()}
    late.events["web"][28 * 60 : 28 * 60 + 40] = 0
    late.put(LENGTH)
    late.judge()
    assert late.rows() != whole.rows()
    late.events, late.there = given, 28 * 60
    late.put(LENGTH)
    late.judge()
    assert late.rows() == whole.rows()


def test_silence_is_told_though_nothing_comes_and_is_the_same_incident_when_something_does(tmp_path: Path) -> None:
    counted = Counted(tmp_path, outage=range(0))
    until = 29 * 60 + 20
    counted.put(until)
    counted.judge()
    assert counted.open() == counted.open(at(until + 1)) == []
    (silent,) = counted.open(at(until + 8))
    assert silent["direction"] == "less" and at(until - 1) <= silent["begins_at"] <= at(until + 3)
    assert [row["incident_id"] for row in counted.open(at(until + 600))] == [silent["incident_id"]], "it lasts"
    for counts in (*counted.events.values(), *counted.errors.values()):
        counts[until : until + 15] = 0
    counted.put(until + 20)
    counted.judge()
    assert [row["incident_id"] for row in counted.open()] == [silent["incident_id"]]


def test_a_young_lake_says_nothing_of_silence(tmp_path: Path) -> None:
    counted = Counted(tmp_path)
    counted.put(200)
    counted.judge()
    assert counted.open(at(260)) == []


def incident(period: str, begins: dt.datetime, ends: dt.datetime, metric: str, **more: Any) -> dict[str, Any]:
    own = {"dimension": "all", "value": "(all)", "direction": "less", "is_muted": False, **more}
    return row_of(METRIC_INCIDENTS, period=period, begins_at=begins, ends_at=ends, metric=metric, **own)


@pytest.mark.parametrize(
    ("ends", "more", "is_told"),
    [
        (120, {}, False),
        (180, {}, True),
        (120, {"direction": "more"}, True),
        (120, {"metric": "other"}, True),
        (120, {"dimension": "platform", "value": "ios"}, False),
    ],
    ids=["the same hour", "goes on for another", "the other way", "another number", "of a value"],
)
def test_an_hour_that_only_says_what_its_minutes_said_is_not_told_again(
    ends: int, more: dict[str, Any], is_told: bool
) -> None:
    minutes = incident("minute", at(70), at(85), "events_now")
    hours = incident("hour", at(60), at(ends), **{"metric": "hourly", **more})
    assert told_once([minutes, hours], RULES) == ([minutes, hours] if is_told else [minutes])
    assert hours in told_once([{**minutes, "is_muted": True}, hours], RULES)


def test_feedback_by_command_moves_the_proof_that_is_asked_of_the_series(tmp_path: Path) -> None:
    """Of a fall to half, which is just told, less is told after four incidents that were not real."""
    counted = Counted(tmp_path, left=0.5)
    counted.put(LENGTH)
    counted.judge()
    before = [row for row in counted.rows() if row["state"] == "unusual"]
    now = at(LENGTH)
    for number in range(4):
        for series in ("all/(all)", "platform/ios"):
            say_what_it_was(counted.lake, now, f"{at(number):%Y-%m-%dT%H:%M}/events_now/{series}", was=False)
    counted.judge()
    after = [row for row in counted.rows() if row["state"] == "unusual"]
    assert len(after) < len(before)
    say_what_it_was(counted.lake, now + MINUTE, f"{BEGIN:%Y-%m-%dT%H:%M}/events_now/all/(all)", was=True)
    feedback = {each.incident: each.was for each in watched(counted.lake, counted.given).feedback}
    assert len(feedback) == 8 and feedback["2026-11-28T00:00/events_now/all/(all)"] is True


def test_what_was_not_real_and_what_is_muted_by_command_is_not_told(tmp_path: Path) -> None:
    counted = Counted(tmp_path)
    counted.put(OUTAGE.stop)
    counted.judge()
    rules = counted.given
    (told,) = counted.open()
    mute(counted.lake, rules, at(LENGTH), Mute(metric="events_now"))
    assert counted.open() == []
    mute(counted.lake, rules, at(LENGTH + 1), Mute(metric="events_now", until=BEGIN.date()))
    assert counted.open() == [told]
    say_what_it_was(counted.lake, at(LENGTH + 2), told["incident_id"], was=False)
    assert counted.open() == []
    with pytest.raises(IncidentError, match="no metric 'gone'; there are errors_now"):
        mute(counted.lake, rules, at(LENGTH + 3), Mute(metric="gone"))
