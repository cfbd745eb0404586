"""How many planted and labelled faults are found, and how often usual days are called unusual.

Made-up metrics always; of real data what is named: `--nab` a clone of Numenta's benchmark (data/ and
labels/combined_windows.json), `--shop` the made-up shop of the package retentioneering as CSV (user_id, session_id,
event, timestamp, platform, acquisition_channel, …), gzip or not. Nothing is chosen by what is measured here but, of
Numenta's files, by the first half; the second half is what counts.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.planted import FAULTS, planted
from benchmarks.planted_minutes import by_minutes
from benchmarks.simulated_minutes import simulated_minutes
from event_assets.models.anomalies import Detection, detect
from event_assets.models.incidents import PAUSE
from event_assets.models.panel import ALL, Flags, Numbers, Panel, SeriesKey
from event_assets.simulator.anomalies import KINDS, Anomaly
from event_assets.simulator.generate import generate
from event_assets.simulator.rates import FaultRates

HOURLY = Detection(
    budget=0.000_03, windows=(1, 3, 6, 12), history=48, remembered=720, recalibrate=24, accepted=48, rate_memory=168.0
)
"""Of hours, one series at a time. The budget is the best of five by the first half of Numenta's files, whose series
break their own pattern far more often than it says."""
_DAY = 86_400
_PROBATION = 0.15
"""Numenta's: of the first share of each file nothing is asked."""


class Score(NamedTuple):
    """Labelled stretches that were found of all, stretches that were called unusual outside of them, and of how many
    usual days."""

    found: int
    missed: int
    false: int
    usual_days: float

    def plus(self, other: Score) -> Score:
        """The score of both."""
        return Score(
            self.found + other.found,
            self.missed + other.missed,
            self.false + other.false,
            self.usual_days + other.usual_days,
        )

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.false) if self.found + self.false else 1.0

    @property
    def recall(self) -> float:
        return self.found / (self.found + self.missed) if self.found + self.missed else 1.0

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    @property
    def false_a_day(self) -> float:
        return self.false / self.usual_days

    def __str__(self) -> str:
        return (
            f"P {self.precision:.2f} R {self.recall:.2f} F1 {self.f1:.2f}, {self.false_a_day:.3f} false alerts per "
            f"series-day ({self.found} of {self.found + self.missed} found, {self.false} false in "
            f"{self.usual_days:,.0f} days)"
        )


def main(argv: list[str]) -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks anomalies", description=__doc__)
    parser.add_argument("--seeds", type=int, default=8, help="panels of made-up metrics")
    parser.add_argument("--simulated", type=int, default=0, help="seeds of simulated traffic with each kind of anomaly")
    parser.add_argument("--minutes", type=int, default=0, help="seeds of made-up traffic by minutes")
    parser.add_argument("--usual-days", type=int, default=14, help="days of each of them without any fault")
    parser.add_argument("--simulated-minutes", type=int, default=0, help="seeds of simulated traffic by minutes")
    parser.add_argument("--first-seed", type=int, default=0, help="the first seed of all of these")
    parser.add_argument("--nab", type=Path, help="folder of Numenta's benchmark")
    parser.add_argument("--shop", type=Path, help="file of the made-up shop")
    parser.add_argument("--json", action="store_true", help="as JSON")
    arguments = parser.parse_args(argv)
    told: dict[str, object] = {}
    if arguments.seeds:
        told["made-up metrics"] = made_up(_seeds(arguments, "seeds"))
    if arguments.minutes:
        told["minutes"] = by_minutes(_seeds(arguments, "minutes"), arguments.usual_days)
    if arguments.simulated:
        told["simulated traffic"] = simulated(_seeds(arguments, "simulated"))
    if arguments.simulated_minutes:
        told["simulated minutes"] = simulated_minutes(_seeds(arguments, "simulated_minutes"))
    if arguments.nab:
        told |= {f"Numenta, {half} half": str(score) for half, score in numenta(arguments.nab).items()}
    if arguments.shop:
        told["shop"] = shop(arguments.shop)
    print(json.dumps(told, default=str) if arguments.json else _lines(told))
    return 0


def _seeds(arguments: argparse.Namespace, of: str) -> range:
    return range(arguments.first_seed, arguments.first_seed + getattr(arguments, of))


def _lines(told: dict[str, object], indent: str = "") -> str:
    parts = (
        f"{indent}{name}:\n{_lines(value, indent + '  ')}" if isinstance(value, dict) else f"{indent}{name}: {value}"
        for name, value in told.items()
    )
    return "\n".join(parts)


def made_up(seeds: Iterable[int], how: Detection | None = None) -> dict[str, object]:
    """Of each kind of fault how many are found in their own series, and on how many days of the same panels without any
    fault anything at all begins to be told, or is told."""
    found, all_, late = Counter[str](), Counter[str](), list[int]()
    beginning, alerting, usual = 0, 0, 0
    for seed in seeds:
        panel, faults = planted(seed, faults=4)
        is_alert = detect(panel, how or Detection()).is_alert
        for fault in faults:
            told = is_alert[fault.series, fault.begins : fault.ends]
            all_[fault.kind] += 1
            found[fault.kind] += bool(told.any())
            late += [int(told.argmax())] if told.any() else []
        quiet = detect(planted(seed)[0], how or Detection())
        begins = quiet.is_alert & ~np.pad(quiet.is_alert, ((0, 0), (1, 0)))[:, :-1]
        beginning += int(begins.any(axis=0).sum())
        alerting += int(quiet.is_alert.any(axis=0).sum())
        usual += int(quiet.is_judged.any(axis=0).sum())
    kinds = {kind: f"{found[kind]} of {all_[kind]} found" for kind in FAULTS}
    days = {"days on which an alert begins": f"{beginning} of {usual}", "days alerting": f"{alerting} of {usual}"}
    return {**kinds, **days, "median days until told": float(np.median(late)) if late else None}


def simulated(seeds: Iterable[int], people: int = 100) -> dict[str, str]:
    """Of each kind of anomaly that the simulator plants, for two days within two months, in how many of the seeds it is
    found in the series of its event while it holds, and on how many days before it anything is told."""
    told: dict[str, str] = {}
    start, days = dt.datetime(2026, 8, 3, tzinfo=dt.UTC), 60
    for kind, what in ((kind, what) for kind, what in KINDS.items() if what.lasts is None):
        found = alerting = usual = 0
        for seed in seeds:
            first = 40 + seed % 15
            begin = start.timestamp() + first * _DAY
            anomaly = Anomaly(kind, begin, begin + 2 * _DAY, what.strength)
            events = generate(seed, people, start, 24 * days, FaultRates.none(), (anomaly,))
            panel = _by_name(((event.event, event.occurred_at) for event in events), start.timestamp(), days)
            is_alert = detect(panel, Detection()).is_alert
            own = next(place for place, key in enumerate(panel.keys) if key.value == what.metric)
            found += bool(is_alert[own, first : first + 2].any())
            alerting += int(is_alert[:, :first].any(axis=0).sum())
            usual += first - Detection().history
        told[kind] = f"{found} found, {alerting} of {usual} days before alert"
    return told


def _by_name(events: Iterable[tuple[str, float]], begin: float, days: int) -> Panel:
    counts: dict[str, Numbers] = {}
    for name, at in events:
        day = int((at - begin) // _DAY)
        if 0 <= day < days:
            counts.setdefault(name, np.zeros(days))[day] += 1
    names = sorted(counts)
    shape = (len(names), days)
    return Panel(
        [SeriesKey("events", "event", name) for name in names],
        ["count"] * len(names),
        np.array([counts[name] for name in names]),
        np.zeros(shape),
        np.zeros(len(names), dtype=np.int64),
        7,
        np.zeros(shape, dtype=bool),
    )


def numenta(folder: Path, how: Detection = HOURLY) -> dict[str, Score]:
    """The scores of every second of Numenta's files by name, from the first and from the second on.

    Values are means of hours. What follows within `PAUSE` hours is one alert, as people are told of it; a window is
    found if one of them begins or goes on in it.
    """
    labels = json.loads((folder / "labels" / "combined_windows.json").read_text(encoding="utf-8"))
    scores = {"first": Score(0, 0, 0, 0.0), "second": Score(0, 0, 0, 0.0)}
    for number, name in enumerate(sorted(labels)):
        half = ("first", "second")[number % 2]
        one = _scored(folder / "data" / name, labels[name], how)
        scores[half] = scores[half].plus(one)
    return scores


def _scored(file: Path, windows: Sequence[tuple[str, str]], how: Detection) -> Score:
    hours, values = _hours(file)
    shape = (1, len(values))
    panel = Panel(
        [SeriesKey(file.stem, ALL, "(all)")],
        ["value"],
        values.reshape(shape),
        np.zeros(shape),
        np.zeros(1, dtype=np.int64),
        24,
        np.zeros(shape, dtype=bool),
    )
    alerts = detect(panel, how).is_alert[0]
    asked = np.arange(len(values)) >= min(_PROBATION * len(values), 750 / 12)
    inside, found, asked_for = np.zeros(len(values), dtype=bool), 0, 0
    for first, last in windows:
        on = (hours >= np.datetime64(first[:13], "h")) & (hours <= np.datetime64(last[:13], "h"))
        inside |= on
        if (on & asked).any():
            asked_for += 1
            found += bool((alerts & on & asked).any())
    false = sum(1 for run in _incidents(alerts & asked) if not inside[run].any())
    return Score(found, asked_for - found, false, float((asked & ~inside).sum()) / 24)


def _hours(file: Path) -> tuple[np.ndarray[tuple[int], np.dtype[np.datetime64]], Numbers]:
    """The mean of each hour from the first to the last; an hour without any value has that of the one before."""
    sums, counts = dict[np.datetime64, float](), Counter[np.datetime64]()
    with file.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            hour = np.datetime64(row["timestamp"][:13], "h")
            sums[hour] = sums.get(hour, 0.0) + float(row["value"])
            counts[hour] += 1
    hours = np.arange(min(sums), max(sums) + np.timedelta64(1, "h"))
    values, last = [], sums[hours[0]] / counts[hours[0]]
    for hour in hours:
        last = sums[hour] / counts[hour] if hour in sums else last
        values.append(last)
    return hours, np.array(values)


def _runs(flags: Flags) -> Iterator[slice]:
    """The stretches in which flags hold."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(int), [0]))))
    yield from (slice(int(begin), int(end)) for begin, end in zip(edges[::2], edges[1::2], strict=True))


def _incidents(alerts: Flags) -> list[slice]:
    """The stretches of alerts, each over after `PAUSE` steps without one."""
    incidents: list[slice] = []
    for run in _runs(alerts):
        goes_on = bool(incidents) and run.start - incidents[-1].stop < PAUSE
        first = incidents.pop().start if goes_on else run.start
        incidents.append(slice(first, run.stop))
    return incidents


SHOP_STORIES = {
    "viral article": ("2024-02-29", "2024-03-03"),
    "mobile checkout bug": ("2024-04-09", "2024-05-09"),
    "payment gateway incident": ("2024-05-19", "2024-06-07"),
}
SHOP_WANTED = {
    "viral article": {("sessions", "channel", "organic"), ("sessions", "all", "(all)")},
    "mobile checkout bug": {("checkout", "platform", "mobile"), ("events", "event", "checkout_bug")},
    "payment gateway incident": {
        ("payment", "all", "(all)"),
        ("events", "event", "payment_error"),
        ("events", "event", "support_chat"),
    },
}
"""The series of which at least one must be told, for a story to be found."""
SHOP_FIRST_QUIET = "2024-02-22"


def shop(file: Path, how: Detection | None = None) -> dict[str, object]:
    """Which stories of the shop are found in a series of theirs, and on how many days outside of them anything is
    told."""
    panel, days = shop_panel(file)
    findings = detect(panel, how or Detection())
    told: dict[str, object] = {"series": len(panel.keys)}
    usual = days >= np.datetime64(SHOP_FIRST_QUIET)
    for story, (first, last) in SHOP_STORIES.items():
        on = (days >= np.datetime64(first)) & (days <= np.datetime64(last))
        usual &= ~on
        by = [
            f"{'/'.join(key)} from {days[on][row[on].argmax()]}"
            for key, row in zip(panel.keys, findings.is_alert, strict=True)
            if key in SHOP_WANTED[story] and row[on].any()
        ]
        told[story] = f"found: {', '.join(by)}" if by else "not found"
    alerting = findings.is_alert.any(axis=0) & usual
    told["usual days alerting"] = f"{int(alerting.sum())} of {int(usual.sum())}"
    told["which"] = ", ".join(
        f"{days[step]} {'/'.join(panel.keys[series])}" for series, step in np.argwhere(findings.is_alert & usual)
    )
    return told


def shop_panel(file: Path) -> tuple[Panel, np.ndarray[tuple[int], np.dtype[np.datetime64]]]:
    """Sessions by channel and platform, events by name, and the two steps of the checkout as rates, by day."""
    said = file.read_bytes()
    rows = list(csv.DictReader((gzip.decompress(said) if file.suffix == ".gz" else said).decode().splitlines()))
    first = min(row["timestamp"][:10] for row in rows)
    last = max(row["timestamp"][:10] for row in rows)
    days = np.arange(np.datetime64(first), np.datetime64(last) + np.timedelta64(1, "D"))
    place = {str(day): number for number, day in enumerate(days)}
    amounts: dict[SeriesKey, Numbers] = {}
    wholes: dict[SeriesKey, Numbers] = {}

    def add(to: dict[SeriesKey, Numbers], key: SeriesKey, day: str) -> None:
        to.setdefault(key, np.zeros(len(days)))[place[day]] += 1

    sessions = {row["session_id"]: row for row in sorted(rows, key=lambda row: row["timestamp"], reverse=True)}
    for row in sessions.values():
        for where in _places(row):
            add(amounts, SeriesKey("sessions", *where), row["timestamp"][:10])
    for row in rows:
        add(amounts, SeriesKey("events", "event", row["event"]), row["timestamp"][:10])
        for metric, of, hit in (
            ("checkout", "shipping_details", "payment_details"),
            ("payment", "payment_details", "purchase"),
        ):
            for where in [each for each in _places(row) if each[0] != "channel"]:
                if row["event"] == of:
                    add(wholes, SeriesKey(metric, *where), row["timestamp"][:10])
                if row["event"] == hit:
                    add(amounts, SeriesKey(metric, *where), row["timestamp"][:10])
    keys, none = sorted(amounts), np.zeros(len(days))
    return Panel(
        keys,
        ["rate" if key in wholes else "count" for key in keys],
        np.array([amounts[key] for key in keys]),
        np.array([wholes.get(key, none) for key in keys]),
        np.zeros(len(keys), dtype=np.int64),
        7,
        np.zeros((len(keys), len(days)), dtype=bool),
    ), days


def _places(row: dict[str, str]) -> list[tuple[str, str]]:
    return [(ALL, "(all)"), ("platform", row["platform"]), ("channel", row["acquisition_channel"])]
