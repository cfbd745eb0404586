"""Each alarm as a check of the stream: whether it rings now, by the metrics of the last minutes."""

import re
import time
from collections.abc import Mapping
from typing import Any

import dagster as dg

from event_assets.defs.assets.sources import EVENT_STREAM
from event_assets.settings import Settings
from event_assets.telemetry.alarms import ALARMS, MINUTE, Alarm, is_ringing
from event_assets.telemetry.emission import lines_since

_MOST_MINUTES = max(alarm.minutes for alarm in ALARMS) + 2


def alarm_checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    """A check an alarm, for settings whose metrics go into a folder."""
    return [_check(alarm, settings) for alarm in ALARMS]


def check_name(alarm: Alarm) -> str:
    """`StreamGap` is the check `alarm_stream_gap`."""
    return "alarm_" + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", alarm.name).lower()


def lines_of(settings: Settings, now: float) -> list[Mapping[str, Any]]:
    """The metrics that alarms are judged by at `now` (seconds since 1970)."""
    return list(lines_since(settings.metrics_folder, now - _MOST_MINUTES * MINUTE))


def _check(alarm: Alarm, settings: Settings) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=EVENT_STREAM, name=check_name(alarm), description=alarm.meaning)
    def rings_not() -> dg.AssetCheckResult:
        now = time.time()
        rings = is_ringing(alarm, lines_of(settings, now), now)
        return dg.AssetCheckResult(passed=not rings, metadata={"runbook": alarm.page})

    return rings_not
