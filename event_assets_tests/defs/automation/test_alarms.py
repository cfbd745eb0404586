"""The sensor that judges alarms on this machine: it tells once when one begins and once when it ends."""

from __future__ import annotations

import time
from pathlib import Path

import dagster as dg
import pytest

from event_assets.defs.automation import alarms as alarms_module
from event_assets.defs.automation.alarms import alarm_sensor
from event_assets.defs.checks.alarms import alarm_checks
from event_assets.settings import Settings
from event_assets.telemetry import metrics as names
from event_assets.telemetry.alarms import ALARMS, Alarm
from event_assets.telemetry.calling import NotCalled
from event_assets.telemetry.emission import append, line_of
from event_assets.telemetry.metrics import Metric


class Watched:
    """The sensor, minute by minute, and whom it told of what."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.settings = Settings(home=home)
        self.now = 1_790_000_000.0
        self.told: list[tuple[str, bool]] = []
        self.out_of_reach = False
        self.cursor: str | None = None
        self._sensor = alarm_sensor(self.settings)
        monkeypatch.setattr(alarms_module, "call", self._call)
        monkeypatch.setattr("event_assets.defs.automation.alarms.time.time", lambda: self.now)

    def _call(self, settings: Settings, alarm: Alarm, rings: bool) -> None:
        if self.out_of_reach:
            raise NotCalled("the webhook is out of reach")
        self.told.append((alarm.name, rings))

    def minute(self, *metrics: Metric) -> list[tuple[str | None, bool]]:
        """A minute in which this is told; the checks that the sensor shows at its end."""
        for metric in metrics:
            line = line_of(self.now, {metric.name: 1}, {}, "shop", "test")
            append(self.settings.metrics_folder, self.now, line)
        with dg.DagsterInstance.ephemeral() as instance:
            context = dg.build_sensor_context(instance=instance, cursor=self.cursor)
            result = self._sensor(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        self.now += 60
        shown = [each for each in result.asset_events if isinstance(each, dg.AssetCheckEvaluation)]
        return [(each.check_name, each.passed) for each in shown]


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(tmp_path, monkeypatch)


def test_it_tells_once_that_an_alarm_begins_and_once_that_it_ended(watched: Watched) -> None:
    assert watched.minute(names.SENSOR_TICKS) == []
    assert watched.minute(names.SENSOR_TICKS, names.STREAM_GAPS) == [("alarm_stream_gap", False)]
    assert watched.minute(names.SENSOR_TICKS, names.STREAM_GAPS) == []
    shown = [each for _ in range(3) for each in watched.minute(names.SENSOR_TICKS)]
    assert shown == [("alarm_stream_gap", True)]
    assert watched.told == [("StreamGap", True), ("StreamGap", False)]


def test_whoever_was_out_of_reach_is_told_when_it_can_be(watched: Watched) -> None:
    watched.out_of_reach = True
    assert watched.minute(names.SENSOR_TICKS, names.RUNS_FAILED) == []
    watched.out_of_reach = False
    assert watched.minute(names.SENSOR_TICKS, names.RUNS_FAILED) == [("alarm_run_failed", False)]


@pytest.mark.slow
def test_silence_is_judged_after_a_quarter_of_an_hour_and_not_after_a_machine_slept(watched: Watched) -> None:
    for _ in range(15):
        assert watched.minute() == []
    assert watched.minute() == [("alarm_sensor_silent", False)]
    watched.minute(names.SENSOR_TICKS)
    watched.minute(names.SENSOR_TICKS)
    assert watched.told[-1] == ("SensorSilent", False)
    watched.now += 8 * 3_600
    for _ in range(10):
        watched.minute()
    assert watched.told[-1] == ("SensorSilent", False)


def test_every_alarm_is_a_check_of_the_stream_that_is_judged_when_it_is_asked(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    now = time.time()
    append(settings.metrics_folder, now, line_of(now, {"StreamGaps": 1, "SensorTicks": 1}, {}, "shop", "test"))
    found = {}
    for alarm, check in zip(ALARMS, alarm_checks(settings), strict=True):
        result = check()
        assert isinstance(result, dg.AssetCheckResult)
        found[alarm.name] = result.passed
    assert [name for name, passed in found.items() if not passed] == ["StreamGap"]
