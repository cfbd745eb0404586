"""What a day of 1 billion or 40 billion events asks of the platform's bookkeeping, and what gives way first:
`python -m benchmarks scale [--json]`.

No event is processed, and no network is there: streams and tables are made of metadata, of as many shards, files and
commits as such days leave after what retention keeps, and the platform's own code looks at them: a tick of the stream's
sensor, a landing run, the lake's logs. How many shards, runs and bytes a rate needs follows from what costs are told by
(`infra/prices.yaml`), and from what is measured here. Each measure is taken in an interpreter of its own; its memory is
what that grows by. What is named under `extrapolated` is not measured at its size, but told by the line through the two
largest that are: files beyond `--most-files`, commits beyond `--most-commits`. `of_limit` is how often each figure is
at its limit, `breaks_first` the one that is so most often. How many cores transforms take is another benchmark's.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.scale_measures import Figures, measured
from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.lake.files import LakeFile
from event_assets.lake.maintenance import LARGEST_FILE_BYTES, SMALL_FILE_BYTES, merges
from event_assets.pipeline.arrivals import LEAST_SECONDS
from event_assets.pipeline.compaction import MOST_FILES
from event_assets.pipeline.land import OBJECT_BYTES
from event_assets.settings import Settings
from infra.costs import table as prices

_DAY = 86_400
_SPARE = 0.5
"""Share of what a landing run can do that it is given: the rest is for catching up."""
_RECORDS_A_SHARD = 1_000
_LOG_DAYS = 30
_CHECKPOINT = 25
"""Days that a table keeps its log, and commits from one checkpoint to the next: as `lake/table.py` makes tables."""
_RAW_DAYS, _EVENT_DAYS = 90, 400
"""Days that are kept, as `rules/retention.yaml` has them."""


class Need(NamedTuple):
    """What a rate of events needs, before anything is measured at its size."""

    events_a_day: int
    shards: int
    landing_runs: int
    stream_mb_a_second: float
    stream_mb_a_second_at_peak: float
    objects_landed_a_day: int
    raw_files_a_day: int
    enriched_files_a_day: int

    @property
    def commits_a_day(self) -> int:
        """Of `raw_events`, of all landing runs together."""
        return round(_DAY / LEAST_SECONDS)


def needs(
    events: int,
    landing_mb_a_second: float,
    enriched_bytes: float,
    batch_seconds: float,
    object_bytes: int = OBJECT_BYTES,
) -> Need:
    """What so many events a day need, of a landing run that does so much and rows of `enriched_events` so large."""
    assumed = prices().assumed
    average = events / _DAY * assumed["stream_bytes_per_event"] / 1e6
    peak = average * assumed["peak_factor"]
    records = peak * 1e6 / assumed["stream_record_bytes"]
    shards = max(2, ceil(peak / assumed["kinesis_shard_mb_second"]), ceil(records / _RECORDS_A_SHARD))
    runs = ceil(peak / (landing_mb_a_second * _SPARE))
    an_hour = average * 1e6 * 3_600 / shards
    return Need(
        events,
        shards,
        runs,
        round(average, 2),
        round(peak, 2),
        round(shards * _DAY / (LEAST_SECONDS * runs)),
        24 * shards * ceil(an_hour / object_bytes),
        files_of_a_day(events / _DAY * batch_seconds * enriched_bytes, round(_DAY / batch_seconds)),
    )


def files_of_a_day(batch_bytes: float, batches: int) -> int:
    """Files that stay of a day's partition after so many batches of so many bytes, whose small files are put together
    as the platform plans it whenever there are as many as it waits for."""
    if batch_bytes >= SMALL_FILE_BYTES:
        return batches * ceil(batch_bytes / LARGEST_FILE_BYTES)
    done, small = 0, list[LakeFile]()
    for number in range(batches):
        small.append(_file(number, batch_bytes))
        if len(small) >= MOST_FILES:
            whole = [_file(number, sum(file.size for file in group)) for group in merges(small, MOST_FILES)]
            small = [file for file in whole if file.size < SMALL_FILE_BYTES]
            done += len(whole) - len(small)
    return done + len(small)


def _file(number: int, size: float) -> LakeFile:
    return LakeFile("", round(size), 1, {"event_date": "2026-11-20"}, f"{number:06d}")


@dataclass
class Line:
    """A figure by size: as measured at these sizes, on a line between and beyond them."""

    points: Mapping[int, float]

    def at(self, size: int) -> float:
        sizes = sorted(self.points)
        after = next((place for place, each in enumerate(sizes) if each >= size), len(sizes) - 1)
        low, high = sizes[max(0, after - 1)], sizes[after]
        if low == high or size in self.points:
            return self.points[size if size in self.points else high]
        slope = (self.points[high] - self.points[low]) / (high - low)
        return max(0.0, self.points[low] + slope * (size - low))

    @property
    def slope(self) -> float:
        """What one more costs, from the smallest size to the largest."""
        low, high = min(self.points), max(self.points)
        return max(0.0, (self.points[high] - self.points[low]) / (high - low)) if low < high else 0.0

    def is_beyond(self, size: int) -> bool:
        """Whether the size was not measured, nor a larger one."""
        return size > max(self.points)


class Limit(NamedTuple):
    """What must not be exceeded: by what, how much of it there is, in which unit, and what it means where it is."""

    name: str
    value: float
    most: float
    why: str
    is_extrapolated: bool = False


def limits(need: Need, found: Mapping[str, Line], beside: Figures, given: argparse.Namespace) -> list[Limit]:
    """What of this rate is near its limit, the nearest first."""
    raw, enriched = need.raw_files_a_day * given.raw_days, need.enriched_files_a_day * given.event_days
    memory = found["mb"].at(raw) + found["mb"].at(enriched) + beside["landing_mb"]
    is_beyond = found["mb"].is_beyond(max(raw, enriched))
    told = [
        Limit(
            "look of the sensor",
            beside["look_seconds"],
            Settings().sensor_interval_seconds,
            "seconds of a tick, to the seconds between two",
        ),
        Limit(
            "commits of raw_events",
            max(LEAST_SECONDS, _commit_seconds(found, raw)) * need.landing_runs,
            given.batch_seconds,
            "seconds in which each landing run opens the table and commits once, one after the other, to those of a "
            "micro-batch",
            found["commit"].is_beyond(raw),
        ),
        Limit(
            "opening enriched_events",
            found["open"].at(enriched) + found["plan"].at(enriched),
            given.batch_seconds,
            "seconds to open and plan the table of as many files as are kept, to those of a micro-batch",
            found["open"].is_beyond(enriched),
        ),
        Limit(
            "memory of the driver",
            memory,
            given.memory_gb * 1024,
            "megabytes for both tables' logs and a landing pass, to what the process has",
            is_beyond,
        ),
        Limit(
            "putting raw objects together",
            need.stream_mb_a_second / beside["merging_mb_a_second"],
            1.0,
            "seconds a second of the one process that does it",
        ),
    ]
    return sorted(told, key=lambda each: -each.value / each.most)


def _commit_seconds(found: Mapping[str, Line], files: int) -> float:
    """To open a table of so many files and commit once, with the commit's share of a checkpoint."""
    return found["open"].at(files) + found["commit"].at(files) + found["checkpoint"].at(files) / _CHECKPOINT


def turn_in_a_folder(seconds: float, a_commit: float) -> float:
    """Seconds from one commit to the next of a run that does nothing else, where the lake is a folder: what opening and
    committing take, and so much more for each commit that the log keeps, since a folder is listed whole. The slower
    they come, the fewer are kept, so that it settles. In a bucket only what follows a checkpoint is listed."""
    settled = (seconds + sqrt(seconds**2 + 4 * a_commit * _LOG_DAYS * _DAY)) / 2
    return max(LEAST_SECONDS, settled)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks scale", description=__doc__)
    parser.add_argument("--events", default="1e9,40e9", help="events a day, with commas between")
    parser.add_argument("--most-files", type=int, default=1_000_000, help="the largest log that is made, in files")
    parser.add_argument("--most-commits", type=int, default=172_800, help="the longest log that is made, in commits")
    parser.add_argument("--shards", type=int, default=2_000, help="shards that a look is measured at besides")
    parser.add_argument("--call-ms", type=float, default=10.0, help="that a question to the stream takes")
    parser.add_argument("--batch-seconds", type=float, default=5.0, help="from one micro-batch to the next")
    parser.add_argument("--backlog-mb", type=float, default=70.0, help="that a shard holds for a landing run's memory")
    parser.add_argument("--batch-events", type=int, default=20_000, help="of the batch whose bytes are measured")
    parser.add_argument("--memory-gb", type=float, default=8.0, help="that a driver has")
    parser.add_argument("--object-mb", type=float, default=OBJECT_BYTES / 1e6, help="of an object of raw_events")
    parser.add_argument("--raw-days", type=int, default=_RAW_DAYS, help="days of raw_events that are kept")
    parser.add_argument("--event-days", type=int, default=_EVENT_DAYS, help="days of enriched_events that are kept")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args(argv)
    found = measure([int(float(each)) for each in asked.events.split(",")], asked)
    print(json.dumps(found) if asked.json else "\n".join(_shown(found)))
    return 0


def measure(rates: Sequence[int], given: argparse.Namespace) -> dict[str, Any]:
    """The figures of each rate, and what was measured by size."""
    landed = _say("landing", lambda: measured("landing", shards=4, megabytes=min(16.0, given.backlog_mb)))
    sizes = _say("bytes of tables", lambda: measured("tables", events=given.batch_events))
    merged = _say("merging", lambda: measured("merging", passes=8, megabytes=min(4.0, given.backlog_mb)))
    mb_a_second = landed["megabytes"] / landed["seconds"]
    enriched, full = sizes[ENRICHED_EVENTS.name], round(given.object_mb * 1e6)
    each = [needs(rate, mb_a_second, enriched, given.batch_seconds, full) for rate in rates]
    kept = [
        n
        for need in each
        for n in (need.raw_files_a_day * given.raw_days, need.enriched_files_a_day * given.event_days)
    ]
    lines = _lines(_sizes(kept, given.most_files), _sizes([need.commits_a_day for need in each], given.most_commits))
    told = {
        "landing_mb_a_second": round(mb_a_second, 1),
        "landing_events_a_second": round(landed["events"] / landed["seconds"]),
        "merging_mb_a_second": round(merged["megabytes"] / merged["seconds"], 1),
        "enriched_bytes_an_event": round(sizes[ENRICHED_EVENTS.name], 1),
        f"look_seconds_of_{given.shards}_shards": _look(given.shards, 20, given, holds=False),
    }
    of_rates = {f"{need.events_a_day:,} events a day": _of_rate(need, lines, told, given) for need in each}
    by_size = {
        name: {f"{size:,}": round(value, 3) for size, value in sorted(line.points.items())}
        for name, line in lines.items()
    }
    return {**of_rates, "measured": told, "by_size": by_size}


def _of_rate(
    need: Need, lines: Mapping[str, Line], told: Mapping[str, float], given: argparse.Namespace
) -> dict[str, Any]:
    of_run = ceil(need.shards / need.landing_runs)
    memory = _say("memory of landing", lambda: measured("landing", shards=of_run, megabytes=given.backlog_mb))
    looks = [_look(need.shards, need.landing_runs, given, holds=holds) for holds in (True, False)]
    beside = {
        "landing_mb": memory["mb"],
        "look_seconds": max(looks),
        "merging_mb_a_second": told["merging_mb_a_second"],
    }
    ordered = limits(need, lines, beside, given)
    first = ordered[0]
    is_over = first.value > first.most
    raw, enriched = need.raw_files_a_day * given.raw_days, need.enriched_files_a_day * given.event_days
    return {
        **{name: value for name, value in need._asdict().items() if name != "events_a_day"},
        "commits_a_day_at_most": need.commits_a_day,
        "raw_files_kept": raw,
        "enriched_files_kept": enriched,
        "landing_memory_mb": memory["mb"],
        "tick_seconds_busy": looks[0],
        "tick_seconds_quiet": looks[1],
        "tip_seconds": round(max(lines["tip"].points.values()), 3),
        "open_seconds": round(lines["open"].at(enriched), 2),
        "plan_seconds": round(lines["plan"].at(enriched), 2),
        "commit_seconds": round(_commit_seconds(lines, raw), 2),
        "turn_seconds_in_a_folder": round(
            turn_in_a_folder(_commit_seconds(lines, raw), lines["log_open"].slope + lines["log_commit"].slope), 1
        ),
        "of_limit": {each.name: round(each.value / each.most, 2) for each in ordered},
        "extrapolated": [each.name for each in ordered if each.is_extrapolated],
        "breaks_first": f"{first.name}: {first.why}" if is_over else f"nothing; nearest: {first.name}",
    }


def _look(shards: int, runs: int, given: argparse.Namespace, *, holds: bool) -> float:
    asked = {"shards": shards, "runs": runs, "call_seconds": given.call_ms / 1000, "holds": holds}
    return round(_say(f"look at {shards:,} shards", lambda: measured("look", **asked))["seconds"], 2)


def _sizes(kept: Iterable[int], most: int) -> list[int]:
    """The sizes to measure: those that are asked for, as far as they are not too large, a small one, and two to draw a
    line through where one is."""
    wanted = {*kept}
    within = {size for size in wanted if size <= most}
    return sorted({most // 100, *within, *({most // 10, most} if wanted - within else set())} - {0})


def _lines(files: Sequence[int], commits: Sequence[int]) -> dict[str, Line]:
    by_files = {size: _opened(files=size) for size in files}
    by_commits = {size: _opened(commits=size) for size in commits}
    found = {name: Line({n: each[f"seconds_{name}"] for n, each in by_files.items()}) for name in _SECONDS}
    found["mb"] = Line({size: each["mb"] for size, each in by_files.items()})
    for name in ("open", "commit"):
        found[f"log_{name}"] = Line({n: each[f"seconds_{name}"] for n, each in by_commits.items()})
    return found


_SECONDS = ("tip", "open", "plan", "commit", "checkpoint")


def _opened(**size: int) -> Figures:
    said = ", ".join(f"{count:,} {what}" for what, count in size.items())
    with tempfile.TemporaryDirectory(prefix="event-assets-scale-") as folder:
        lake = str(Path(folder) / "lake")
        _say(f"makes a log of {said}", lambda: measured("make", folder=lake, **size))
        return _say(f"opens a log of {said}", lambda: measured("opening", folder=lake))


def _say(what: str, do: Callable[[], Figures]) -> Figures:
    print(f"{what} …", file=sys.stderr, flush=True)
    return do()


def _shown(found: Mapping[str, Any]) -> Iterable[str]:
    rates = {name: each for name, each in found.items() if name not in ("measured", "by_size")}
    yield f"{'':34}" + "".join(f"{name.removesuffix(' events a day'):>20}" for name in rates)
    first = next(iter(rates.values()))
    for name, value in first.items():
        if not isinstance(value, dict | list | str):
            yield f"{name:34}" + "".join(f"{each[name]:>20,}" for each in rates.values())
    yield "times its limit"
    for name in first["of_limit"]:
        marks = ("~" if name in each["extrapolated"] else "" for each in rates.values())
        told = (f"{mark}{each['of_limit'][name]:,}" for mark, each in zip(marks, rates.values(), strict=True))
        yield f"  {name:32}" + "".join(f"{each:>20}" for each in told)
    for name, each in rates.items():
        yield f"{name}: first breaks {each['breaks_first']}"
    yield "measured"
    for name, value in found["measured"].items():
        yield f"  {name:44}{value:>12,}"
    for name, points in found["by_size"].items():
        yield f"  {name:24}" + "".join(f"{size:>12}: {value:<9,}" for size, value in points.items())


if __name__ == "__main__":
    sys.exit(main())
