"""Counts of minutes as series side by side, and what was found in them as rows of minute_anomalies."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.tables.minutes import LANDING_LAG, MINUTE_EVENTS
from event_assets.lake.files import LakeFile
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.table import LakeTable
from event_assets.models.minutes import AGO, AHEAD, DAY, REACH, Minutes, judge
from event_assets.models.panel import ALL, Kind, Panel, Places, SeriesKey
from event_assets.pipeline.metric_panel import Steps, known_steps, rows_of, weights_of
from event_assets.rules.anomalies import MEASURES, Anomalies, Of
from event_assets.transforms.metrics.metric_series import EVERYTHING

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
_EVENTS, _LANDING = MEASURES["minute_events"], MEASURES["minute_landing"]
_COUNTED: list[tuple[Of, str]] = [
    *(("minute_events", name) for name in _EVENTS),
    *(("minute_landing", name) for name in _LANDING),
]
"""What each minute has a number of, by table."""
_LEAST_MINUTES = 10
"""The least of the file is asked of so many minutes."""
_HOURS_OF_A_DAY = 8
"""Hours of a day in which anything must come where a platform runs: at night nothing may."""
_SEPARATOR = "\x1f"


_READ: WeakKeyDictionary[LakeTable, dict[str, pa.Table]] = WeakKeyDictionary()
"""By table, for as long as it is kept open, the files that were read the last time: most hours are those of before."""


@dataclass
class MinuteCounts:
    """minute_events at one version, of which each hour is read once, and landing_lag."""

    snapshot: Snapshot
    landing: Snapshot
    _used: dict[str, pa.Table] = field(default_factory=dict)
    _before: dict[str, pa.Table] = field(init=False)

    def __post_init__(self) -> None:
        self._before = _READ.get(self.snapshot.table, {})
        _READ[self.snapshot.table] = self._used

    def hours(self) -> set[str]:
        """The hours in which anything came."""
        return set(self._files)

    @property
    def newest(self) -> dt.datetime | None:
        """The last minute in which anything came; None where nothing did."""
        hours = self.hours()
        if not hours:
            return None
        last: dt.datetime = pc.max(self._of(max(hours))["minute"]).as_py()
        return last

    @cached_property
    def first(self) -> dt.datetime | None:
        """The beginning of the first hour in which anything came from which on something did in a third of the hours
        of a day; None where that was not yet."""
        hours = sorted(dt.datetime.fromisoformat(f"{hour}:00+00:00") for hour in self.hours())
        of_a_day = zip(hours, hours[_HOURS_OF_A_DAY - 1 :], strict=False)
        return next((hour for hour, later in of_a_day if later - hour < DAY * MINUTE), None)

    def between(self, begins: dt.datetime, ends: dt.datetime) -> pa.Table:
        """The rows of the minutes from one to another."""
        there, hour, parts = self.hours(), begins.replace(minute=0), []
        while hour < ends:
            if (name := f"{hour:%Y-%m-%dT%H}") in there:
                parts.append(self._of(name))
            hour += HOUR
        return _minutes_of(pa.concat_tables([MINUTE_EVENTS.arrow_schema().empty_table(), *parts]), begins, ends)

    def landed_between(self, begins: dt.datetime, ends: dt.datetime) -> pa.Table:
        """The rows of landing_lag of the minutes from one to another."""
        days = (ends.date() - begins.date()).days + 1
        files = self.landing.of_dates(str(begins.date() + dt.timedelta(days=each)) for each in range(days))
        parts = [self._read(self.landing, file) for file in files]
        return _minutes_of(pa.concat_tables([LANDING_LAG.arrow_schema().empty_table(), *parts]), begins, ends)

    def _of(self, hour: str) -> pa.Table:
        return pa.concat_tables([self._read(self.snapshot, file) for file in self._files[hour]])

    def _read(self, snapshot: Snapshot, file: LakeFile) -> pa.Table:
        if file.path not in self._used:
            known = self._before.get(file.path)
            self._used[file.path] = snapshot.arrow([file]) if known is None else known
        return self._used[file.path]

    @cached_property
    def _files(self) -> dict[str, list[LakeFile]]:
        files: dict[str, list[LakeFile]] = {}
        for file in self.snapshot.files:
            files.setdefault(file.partition["hour"], []).append(file)
        return files


def judged_hour(counts: MinuteCounts, hour: dt.datetime, ends: dt.datetime, rules: Anomalies) -> pa.Table:
    """What is unusual in the minutes of an hour before `ends`, in the columns of `MINUTE_ANOMALIES`."""
    metrics = rules.metrics_of("minute")
    keys = _watched(counts.between(hour - DAY * MINUTE, hour), rules)
    begins, first = hour - REACH * MINUTE, counts.first
    length = (ends - begins) // MINUTE
    places = {place: number for number, place in enumerate(dict.fromkeys(key[1:] for key in keys))}
    dense = np.stack([_dense(counts, begins - ago * MINUTE, length, places, not ago) for ago in AGO])
    own = np.array([places[key[1:]] for key in keys])
    own_metrics = [metrics[key.metric] for key in keys]
    sums = np.array([_COUNTED.index((each.table, each.sum)) for each in own_metrics])
    wholes = np.array([_COUNTED.index((each.table, each.of)) if each.of else 0 for each in own_metrics])
    is_rate = np.array([each.of is not None for each in own_metrics])
    every = {key.metric: place for place, key in enumerate(keys) if key.dimension == ALL}
    age = (begins - first) // MINUTE if first is not None else 0
    minutes = Minutes(
        dense[:, own, sums],
        dense[:, own, wholes] * is_rate[None, :, None],
        is_rate,
        np.array([every[key.metric] for key in keys]),
        age,
    )
    kinds: list[Kind] = ["rate" if each else "count" for each in is_rate]
    own_begins = tuple(hour + number * MINUTE for number in range(length - REACH))
    known = known_steps(keys, own_begins, rules)
    amounts, of_wholes = (each[0, :, REACH:length] for each in (minutes.amounts, minutes.wholes))
    panel = Panel(keys, kinds, amounts, of_wholes, np.zeros(len(keys), dtype=np.int64), 1, known)
    steps = Steps(panel, "minute", own_begins)
    found = judge(minutes, REACH, rules.budget_of("minute"), weights_of(steps, rules.feedback))
    found.is_alert[known] = found.is_judged[known] = False
    return rows_of(steps, found)


def _watched(day: pa.Table, rules: Anomalies) -> list[SeriesKey]:
    """The series of everything, and of each dimension the largest of the day before."""
    sums = day.group_by(["dimension", "value"]).aggregate([(name, "sum") for name in _EVENTS]).to_pylist()
    keys = []
    for name, metric in rules.metrics_of("minute").items():
        keys.append(SeriesKey(name, *EVERYTHING))
        size = f"{metric.of or metric.sum}_sum"
        for dimension in rules.dimensions_of(metric):
            told = [(-row[size], row["value"]) for row in sums if row["dimension"] == dimension]
            large = [each for each in sorted(told) if -each[0] >= rules.least * DAY / _LEAST_MINUTES]
            keys += [SeriesKey(name, dimension, value) for _, value in large[: rules.values]]
    return keys


def _dense(
    counts: MinuteCounts, begins: dt.datetime, length: int, places: dict[tuple[str, str], int], is_now: bool
) -> np.ndarray[tuple[int, int, int], np.dtype[np.float64]]:
    """The counts of these values by value, measure and minute; of now nothing after the last minute."""
    dense = np.zeros((len(places), len(_COUNTED), length + AHEAD))
    ends = begins + (length + (0 if is_now else AHEAD)) * MINUTE
    rows = counts.between(begins, ends)
    names = pa.array([_SEPARATOR.join(place) for place in places], pa.string())
    named = pc.binary_join_element_wise(rows["dimension"], rows["value"], _SEPARATOR)
    rows = rows.append_column("place", pc.index_in(named, names))
    rows = rows.filter(pc.is_valid(rows["place"]))
    own, at = rows["place"].to_numpy(), _steps(rows, begins)
    for number, name in enumerate(_EVENTS):
        dense[own, number, at] = rows[name].to_numpy()
    if EVERYTHING in places:
        landed = counts.landed_between(begins, ends)
        for number, name in enumerate(_LANDING, len(_EVENTS)):
            dense[places[EVERYTHING], number, _steps(landed, begins)] = landed[name].to_numpy()
    return dense


def _steps(rows: pa.Table, begins: dt.datetime) -> Places:
    since = pc.subtract(rows["minute"], pa.scalar(begins, rows["minute"].type)).cast(pa.int64())
    steps: Places = since.to_numpy() // 60_000_000
    return steps


def _minutes_of(rows: pa.Table, begins: dt.datetime, ends: dt.datetime) -> pa.Table:
    first, last = (pa.scalar(each, rows["minute"].type) for each in (begins, ends))
    return rows.filter(pc.and_(pc.greater_equal(rows["minute"], first), pc.less(rows["minute"], last)))
