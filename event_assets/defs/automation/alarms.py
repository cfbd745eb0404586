"""The sensor that judges alarms on this machine, where no CloudWatch does: it tells whom the settings name, and shows
the state of each as a check of the stream.

It starts no run. What rang before is its cursor; if that is lost, what rings is told once more.
"""

import json
import time
from dataclasses import dataclass
from typing import Any, Self

import dagster as dg

from event_assets.defs.assets.sources import EVENT_STREAM
from event_assets.defs.checks.alarms import check_name, lines_of
from event_assets.settings import Settings
from event_assets.telemetry.alarms import ALARMS, Alarm, is_ringing
from event_assets.telemetry.calling import NotCalled, call

_EVERY_SECONDS = 60
_PAUSE_SECONDS = 300.0
"""If it has not looked for so long, what was silent meanwhile says nothing: the machine slept."""


@dataclass
class _Watch:
    """What the cursor keeps: since when it looks without a pause, when it looked last, what rings."""

    since: float
    last: float
    ringing: list[str]

    @classmethod
    def of(cls, cursor: str | None, now: float) -> Self:
        try:
            kept: dict[str, Any] = json.loads(cursor or "")
            watch = cls(float(kept["since"]), float(kept["last"]), [str(name) for name in kept["ringing"]])
        except (ValueError, KeyError, TypeError):
            return cls(now, now, [])
        if now - watch.last > _PAUSE_SECONDS:
            watch.since = now
        watch.last = now
        return watch


def alarm_sensor(settings: Settings) -> dg.SensorDefinition:
    """The sensor, for settings whose metrics go into a folder."""

    @dg.sensor(
        name="alarms",
        description="Judges the alarms by the metrics of the last minutes, and tells of those that begin or end.",
        minimum_interval_seconds=_EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def alarms(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        now = time.time()
        watch = _Watch.of(context.cursor, now)
        lines = lines_of(settings, now)
        shown = []
        for alarm in ALARMS:
            if alarm.below and now - watch.since < 60 * alarm.minutes:
                continue
            rings = is_ringing(alarm, lines, now)
            if rings == (alarm.name in watch.ringing):
                continue
            try:
                if alarm.is_told_here:
                    call(settings, alarm, rings)
            except NotCalled as error:  # it is told again at the next look
                context.log.error(f"Not everybody was told of {alarm.name}: {error}.")
                continue
            watch.ringing = [*watch.ringing, alarm.name] if rings else [n for n in watch.ringing if n != alarm.name]
            shown.append(_shown(alarm, rings))
        return dg.SensorResult(
            asset_events=shown,
            cursor=json.dumps({"since": watch.since, "last": watch.last, "ringing": watch.ringing}),
            skip_reason=f"Ringing: {', '.join(watch.ringing)}." if watch.ringing else "No alarm rings.",
        )

    return alarms


def _shown(alarm: Alarm, rings: bool) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(EVENT_STREAM),
        check_name=check_name(alarm),
        passed=not rings,
        metadata={"runbook": alarm.page},
        description=alarm.meaning if rings else "It has ended.",
    )
