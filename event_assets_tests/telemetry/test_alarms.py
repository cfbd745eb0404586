"""Every alarm rings by its own fault, told by the code that meets it, and by nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cache
from typing import Any

import dagster as dg
import pytest

from event_assets.collector.buffer import BufferBudget
from event_assets.collector.metrics import CollectorMetrics
from event_assets.collector.telling import Telling
from event_assets.collector.verdicts import Verdicts
from event_assets.defs.automation.telling import failed_runs, tell_incidents, tell_seen, telling_tick
from event_assets.defs.checks.telling import told as told_by_check
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.telling import telling_load, telling_step
from event_assets.streams import StreamGap
from event_assets.telemetry import metrics as names
from event_assets.telemetry.alarms import ALARMS, Alarm, is_ringing
from event_assets.telemetry.process import telling
from event_assets.warehouse.loads import LoadMismatch
from event_assets_tests.telemetry.telling import Lines

RETENTION = dt.timedelta(days=7)


def seen(hours: float, faults: int = 0) -> None:
    with telling_tick():
        tell_seen(dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours), RETENTION, faults)


def stream_gap() -> None:
    with pytest.raises(StreamGap), telling_step("raw_events"):
        raise StreamGap("shardId-0", "1", "5")


def load_mismatch() -> None:
    with pytest.raises(LoadMismatch), telling_load("fct_events"):
        raise LoadMismatch("fct_events", ["2 rows instead of 3"])


@cache
def failed_run() -> dg.RunFailureSensorContext:
    """What Dagster tells of a run that failed."""

    @dg.op
    def fails() -> None:
        raise RuntimeError("no")

    @dg.job
    def failing() -> None:
        fails()

    with dg.DagsterInstance.ephemeral() as instance:
        done = failing.execute_in_process(instance=instance, raise_on_error=False)
        (event,) = [each for each in done.all_events if each.event_type_value == "PIPELINE_FAILURE"]
        context = dg.build_run_status_sensor_context("failed_runs", event, instance, done.dagster_run)
        return context.for_run_failure()


def quarantined(share: int) -> None:
    for table, rows in (("clean_events", 1_000 - share), ("quarantined_events", share)):
        with telling_step(table) as tell:
            tell([StepReport(table, 1, rows, 1, rows)])


def checked(metric: names.Metric) -> None:
    told_by_check(dg.AssetCheckResult(passed=False), metric, 2)


def of_collector(trouble: Callable[[CollectorMetrics, BufferBudget], Any]) -> Callable[[Lines], None]:
    def meet(lines: Lines) -> None:
        budget = BufferBudget(1_000)
        metrics = CollectorMetrics(budget)
        trouble(metrics, budget)
        Telling(metrics, lines.meter).tell()

    return meet


def not_taken(metrics: CollectorMetrics, budget: BufferBudget) -> None:
    verdicts = Verdicts(["e-1"])
    verdicts.retry(0, "stream_unavailable")
    metrics.count(verdicts, "own")


FAULTS: dict[str, Callable[[Lines], object]] = {
    "StreamGap": lambda lines: stream_gap(),
    "StreamTrimming": lambda lines: seen(hours=85),
    "LandingLate": lambda lines: seen(hours=0.3),
    "SensorSilent": lambda lines: None,
    "SensorBlind": lambda lines: seen(hours=0, faults=1),
    "RunFailed": lambda lines: failed_runs(failed_run()),
    "LoadMismatch": lambda lines: load_mismatch(),
    "WarehouseDiffers": lambda lines: checked(names.WAREHOUSE_DIFFERENCES),
    "LedgerUnbalanced": lambda lines: checked(names.UNBALANCED_HOURS),
    "QuarantineShare": lambda lines: quarantined(200),
    "MetricUnusual": lambda lines: tell_incidents(2),
    "EventsNotTaken": of_collector(not_taken),
    "KeysUnreadable": of_collector(lambda metrics, budget: metrics.keys_unreadable.set(1)),
    "BufferFull": of_collector(lambda metrics, budget: budget.reserve().grow(810)),
    "IngestSlow": of_collector(lambda metrics, budget: metrics.request_seconds.observe(0.8)),
}
ALSO = {"StreamTrimming": {"LandingLate"}}
"""What is so late that half of the retention is over is late by any measure."""


def lines_of(fault: Callable[[Lines], object], minutes: int = 17, lines: Lines | None = None) -> Lines:
    """What is told in so many minutes in each of which the fault is met."""
    lines = lines or Lines()
    with telling(lines.meter):
        for _ in range(minutes):
            fault(lines)
            lines.meter.flush()
            lines.now += 60
    return lines


def well(lines: Lines) -> None:
    """A minute in which nothing is wrong."""
    seen(hours=0)
    tell_incidents(0)
    quarantined(10)
    of_collector(lambda metrics, budget: metrics.request_seconds.observe(0.02))(lines)
    told_by_check(dg.AssetCheckResult(passed=True))


def ringing(lines: Lines) -> set[str]:
    return {alarm.name for alarm in ALARMS if is_ringing(alarm, lines.lines, lines.now)}


def met(alarm: Alarm) -> Callable[[Lines], object]:
    """A minute in which nothing is wrong but what this alarm is for."""

    def meet(lines: Lines) -> None:
        if alarm.name != "SensorSilent":
            well(lines)
        FAULTS[alarm.name](lines)

    return meet


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.name)
def test_an_alarm_rings_by_its_own_fault_and_no_other_does(alarm: Alarm) -> None:
    assert ringing(lines_of(met(alarm))) == {alarm.name, *ALSO.get(alarm.name, ())}


def test_none_rings_where_all_is_well_and_each_ends_when_its_fault_does() -> None:
    lines = lines_of(well)
    assert ringing(lines) == set()
    with telling(lines.meter):
        for name, fault in FAULTS.items():
            if name != "SensorSilent":
                fault(lines)
        lines.meter.flush()
        assert "StreamGap" in ringing(lines)
        for _ in range(18):
            lines.now += 60
            well(lines)
            lines.meter.flush()
    assert ringing(lines) == set()


def test_what_lasts_no_more_than_a_minute_rings_only_where_a_minute_is_enough() -> None:
    lines = lines_of(well)
    with telling(lines.meter):
        for name in ("LandingLate", "IngestSlow", "BufferFull", "RunFailed"):
            FAULTS[name](lines)
        lines.meter.flush()
    assert ringing(lines) == {"RunFailed"}


def test_every_alarm_is_on_a_metric_that_is_told_and_has_a_name_of_its_own() -> None:
    lines = Lines()
    with telling(lines.meter):
        for fault in (*FAULTS.values(), well):
            fault(lines)
        lines.meter.flush()
    told = {name for line in lines.lines for name in line}
    assert {alarm.metric.name for alarm in ALARMS} <= told
    assert len({alarm.name for alarm in ALARMS}) == len(ALARMS)
