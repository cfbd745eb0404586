"""When somebody is to be called: every alarm on what the platform tells of itself, and how it is judged.

CloudWatch judges them on AWS (`infra/watch.py` hands them over), the code here on one machine, by the same rule: a
minute is beyond the limit or not, and so many minutes one after the other ring. What is to be done is on the page of
the alarm under `docs/runbooks`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from event_assets.telemetry import metrics as names
from event_assets.telemetry.metrics import Metric

MINUTE = 60.0
LEAST_OF_SHARE = 100
"""Of fewer events no share is told."""


_ByMinute = dict[int, list[float]]


class Alarm(NamedTuple):
    """It rings where so many of the last `minutes` in a row are above the limit.

    `whole`: the sum is told as a share, in per cent, of this metric and its own together, over all the minutes at once
    and where these are `LEAST_OF_SHARE` at least. `below`: it rings where they are below the limit; a minute of which
    nothing is told is below it. Where it is not `is_told_here`, people on one machine are told of what it is about in
    other ways, and it is shown alone.
    """

    name: str
    metric: Metric
    statistic: Literal["Sum", "Maximum", "p99"]
    limit: float
    minutes: int
    meaning: str
    whole: Metric | None = None
    below: bool = False
    is_told_here: bool = True

    @property
    def page(self) -> str:
        """Where it says what to do."""
        return page_of(self.name)


def page_of(alarm: str) -> str:
    """The page of an alarm: of `StreamGap` it is `docs/runbooks/stream-gap.md`."""
    return f"docs/runbooks/{re.sub(r'(?<=[a-z])(?=[A-Z])', '-', alarm).lower()}.md"


ALARMS = (
    Alarm(
        "StreamGap",
        names.STREAM_GAPS,
        "Sum",
        0,
        1,
        "Records were trimmed from the stream before they were landed: events are lost.",
    ),
    Alarm(
        "StreamTrimming",
        names.RETENTION_USED,
        "Maximum",
        50,
        5,
        "What is not landed yet is older than half of the stream's retention: at the whole of it, events are lost.",
    ),
    Alarm(
        "LandingLate",
        names.UNLANDED_SECONDS,
        "Maximum",
        900,
        5,
        "Records have been on the stream for over a quarter of an hour and are not in the lake.",
    ),
    Alarm(
        "SensorSilent",
        names.SENSOR_TICKS,
        "Sum",
        1,
        15,
        "Dagster's sensor has not looked at the stream for a quarter of an hour: nothing new is taken in.",
        below=True,
    ),
    Alarm(
        "SensorBlind",
        names.SENSOR_FAULTS,
        "Sum",
        0,
        5,
        "Dagster's sensor looks and cannot see: the stream or a table cannot be read.",
    ),
    Alarm("RunFailed", names.RUNS_FAILED, "Sum", 0, 1, "A run of Dagster failed; its page says at which step."),
    Alarm(
        "LoadMismatch",
        names.LOAD_MISMATCHES,
        "Sum",
        0,
        1,
        "The warehouse would not have held the lake's rows; the load was rolled back.",
    ),
    Alarm(
        "WarehouseDiffers",
        names.WAREHOUSE_DIFFERENCES,
        "Sum",
        0,
        1,
        "What stands in the warehouse is not what the lake holds: dashboards show wrong numbers.",
    ),
    Alarm(
        "LedgerUnbalanced",
        names.UNBALANCED_HOURS,
        "Sum",
        0,
        1,
        "Events of an hour are unaccounted for between the stream and the tables.",
    ),
    Alarm(
        "QuarantineShare",
        names.EVENTS_QUARANTINED,
        "Sum",
        5,
        15,
        "More than one event in twenty is set aside: a client sends what the contract does not allow.",
        whole=names.EVENTS_CLEANED,
    ),
    Alarm(
        "MetricUnusual",
        names.OPEN_INCIDENTS,
        "Maximum",
        0,
        1,
        "A metric that is watched is not what was expected: people do something else, or it is not told any more.",
        is_told_here=False,
    ),
    Alarm(
        "EventsNotTaken",
        names.EVENTS_NOT_TAKEN,
        "Sum",
        0,
        5,
        "The stream does not take events: clients are told to send them again, and some will not be able to.",
    ),
    Alarm("KeysUnreadable", names.KEYS_UNREADABLE, "Maximum", 0, 3, "The ingest API cannot read its write keys."),
    Alarm(
        "BufferFull",
        names.BUFFER_USED,
        "Maximum",
        80,
        3,
        "A process of the ingest API holds over four fifths of what it may: it will refuse requests.",
    ),
    Alarm(
        "IngestSlow",
        names.REQUEST_SECONDS,
        "p99",
        0.5,
        5,
        "One request in a hundred takes the ingest API longer than half a second.",
    ),
)
"""All of them, the worst first."""


def is_ringing(alarm: Alarm, lines: Sequence[Mapping[str, Any]], now: float) -> bool:
    """Whether the alarm rings at `now` (seconds since 1970), by lines in the embedded metric format.

    The minute that has not ended yet may ring, and does not end what rings; where less than the limit rings it is the
    other way round, since that minute may still reach it. As in CloudWatch a minute of which nothing is told is not
    beyond the limit, but where less than it rings.
    """
    this = math.floor(now / MINUTE)
    told = _by_minute(lines, alarm.metric)
    if alarm.whole is not None:
        return _share(told, _by_minute(lines, alarm.whole), range(this - alarm.minutes, this + 1)) > alarm.limit
    beyond = [_is_beyond(alarm, told.get(minute, ())) for minute in range(this - alarm.minutes, this + 1)]
    return all(beyond) if alarm.below else all(beyond[:-1]) or all(beyond[1:])


def _share(part: _ByMinute, rest: _ByMinute, minutes: range) -> float:
    """In per cent."""
    of_part, of_rest = (sum(sum(of.get(minute, ())) for minute in minutes) for of in (part, rest))
    return 100 * of_part / (of_part + of_rest) if of_part + of_rest >= LEAST_OF_SHARE else 0.0


def _is_beyond(alarm: Alarm, values: Sequence[float]) -> bool:
    if alarm.below:
        return sum(values) < alarm.limit
    return bool(values) and _STATISTICS[alarm.statistic](values) > alarm.limit


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[math.ceil(0.99 * len(values)) - 1]


_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {"Sum": sum, "Maximum": max, "p99": _p99}


def _by_minute(lines: Iterable[Mapping[str, Any]], metric: Metric) -> _ByMinute:
    found: dict[int, list[float]] = {}
    for line in lines:
        if metric.name in line:
            value = line[metric.name]
            minute = math.floor(line["_aws"]["Timestamp"] / 1000 / MINUTE)
            found.setdefault(minute, []).extend(value if isinstance(value, list) else [value])
    return found
