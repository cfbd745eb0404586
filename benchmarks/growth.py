"""What a micro-batch costs after little and after much history: `python -m benchmarks growth [--json]`.

History is written as clean events and brought along by the platform's own steps, a lake and a warehouse for each size;
of what is larger than `--made` every row of everybody is copied, with other ids, as often as it takes. Micro-batches of
events from people who were there before, any of them alike, go through every table, by turns, so that what else the
machine does weighs on all sizes alike; CPU seconds of this process, engine included, are counted a table: `times` is
the largest history's cost as a multiple of the smallest one's (1 is flat), `slope` CPU seconds more a million events of
history. Files of each table, and what was opened to bring it along (files, and their bytes), are told by size too,
memory by turn. `--picture` draws costs and bytes.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression, median
from typing import Any

import psutil
from pyspark.sql import SparkSession

from benchmarks.history import PACES, History
from benchmarks.picture import picture
from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.embedded.postgres import open_postgres
from event_assets.pipeline.following import Fault, Following
from event_assets.pipeline.registry import STEPS
from event_assets.pipeline.report import StepReport
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.engines import sail
from event_assets_tests.pipeline.pipeline import Pipeline

Spent = dict[str, tuple[float, int, int]]
"""By table CPU seconds, and files and bytes that were scanned."""
_NAMED = 5
"""Tables of a pace whose lines have a name in the picture."""


def main(argv: list[str]) -> int:
    """Prints CPU seconds a table by size of the history."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks growth", description=__doc__)
    parser.add_argument("--sizes", default="0.25,0.5,1,2", help="millions of events of history, rising")
    parser.add_argument("--batch", type=int, default=10_000, help="events of a micro-batch")
    parser.add_argument("--batches", type=int, default=3)
    parser.add_argument("--days", type=int, default=42, help="days that the history lies on")
    parser.add_argument(
        "--made", type=float, default=1, help="millions of events that the platform makes tables of; more are copies"
    )
    parser.add_argument("--event-days", type=int, help="days of events in the warehouse; all by default")
    parser.add_argument("--random-ids", action="store_true", help="ids of version 4, as many other SDKs send")
    parser.add_argument("--picture", type=Path, help="a file for the picture: .svg or .png")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(argv)
    sizes = [int(float(size) * 1_000_000) for size in given.sizes.split(",")]
    found = _measure(sizes, given)
    if given.picture:
        draw(found, given.picture)
    if given.json:
        print(json.dumps(found))
    else:
        _show(found)
    return 0


@dataclass(frozen=True)
class _Place:
    """A lake and a warehouse with a history of some size."""

    pipeline: Pipeline
    history: History
    following: Following
    seconds: float
    """That making it took."""

    @classmethod
    def of(cls, size: int, given: argparse.Namespace, spark: SparkSession, folder: Path, url: str) -> _Place:
        pipeline, history = Pipeline(spark, folder), History(given.random_ids)
        warehouse = Warehouse(PostgresDialect(LakeFiles()), url, event_days=given.event_days)
        warehouse.ensure()
        made = min(size, int(given.made * 1_000_000))
        began = time.monotonic()
        history.add(pipeline, made, given.days)
        if size > made:
            history.multiply(pipeline, round(size / made))
        seconds = round(time.monotonic() - began, 1)
        print(f"{history.events:,} events in {seconds:,.0f} s", file=sys.stderr, flush=True)
        return cls(pipeline, history, Following(pipeline.refresh(), warehouse, 90), seconds)

    def follow(self, batch: int) -> Spent:
        """Takes a micro-batch into every table."""
        self.pipeline.put(list(self.history.lines(batch)))
        return _costs(self.following)


def _measure(sizes: list[int], given: argparse.Namespace) -> dict[str, Any]:
    """By table the median CPU seconds of a micro-batch after each size of history, how they grow, and files."""
    spent: list[dict[str, list[tuple[float, int, int]]]] = [defaultdict(list) for _ in sizes]
    memory: list[int] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="event-assets-growth-")))
        spark = stack.enter_context(sail())
        places = []
        for size in sizes:
            url = stack.enter_context(open_postgres(folder / f"{size}" / "warehouse"))
            places.append(_Place.of(size, given, spark, folder / f"{size}" / "home", url))
        for number in range(given.batches + 1):
            for place, one in zip(places, spent, strict=True):
                took = place.follow(given.batch)
                if number:  # the first takes the history into the warehouse
                    for name, each in took.items():
                        one[name].append(each)
            memory.append(psutil.Process().memory_info().rss // 2**20)
        files = [
            {spec.name: len(place.pipeline.lake.table(spec.name).snapshot().files) for spec in LAKE_TABLES}
            for place in places
        ]
    names = list(dict.fromkeys(name for one in spent for name in one))
    middle = {name: [[median(told) for told in zip(*one[name], strict=True)] for one in spent] for name in names}
    costs = {name: [round(each[0], 3) for each in of_sizes] for name, of_sizes in middle.items()}
    return {
        "date": str(dt.datetime.now(dt.UTC).date()),
        "events of history": sizes,
        "copies of what the platform made": [place.history.times for place in places],
        "seconds to make the history": [place.seconds for place in places],
        "load of the machine": round(psutil.getloadavg()[2], 1),
        "cpu seconds": costs,
        "times": {name: round(each[-1] / each[0], 2) if each[0] else None for name, each in costs.items()},
        "slope": {name: _slope(sizes, each) for name, each in costs.items()},
        "files": {name: [each[name] for each in files] for name in files[0] if name in names},
        "scanned files": _scanned(middle, 1, 1),
        "scanned mb": _scanned(middle, 2, 1e6),
        "memory mb": memory,
    }


def _scanned(middle: Mapping[str, list[list[float]]], place: int, unit: float) -> dict[str, list[float]]:
    found = {name: [round(each[place] / unit, 3) for each in of_sizes] for name, of_sizes in middle.items()}
    return {name: each for name, each in found.items() if any(each)}


def _slope(sizes: list[int], costs: list[float]) -> float | None:
    """CPU seconds more a million events of history."""
    if len(sizes) < 2 or len(sizes) != len(costs):
        return None
    return round(linear_regression([size / 1_000_000 for size in sizes], costs).slope, 3)


def draw(found: dict[str, Any], path: Path) -> None:
    """Draws the costs of each table by size of the history, the dearest named, a panel a pace, and what is scanned."""
    sizes, costs, scanned = found["events of history"], found["cpu seconds"], found["scanned mb"]
    title = "CPU seconds of a micro-batch, and MB that it scans, by millions of events of history"
    with picture(path, title, len(PACES) + 1, (13, 4)) as (*of_paces, of_scans):
        for axes, pace in zip(of_paces, PACES, strict=True):
            names = [table.name for step in STEPS if step.pace == pace for table in step.tables]
            _lines(axes, sizes, costs, [f"all of pace {pace}", *_dearest(costs, names)])
        _lines(of_scans, sizes, scanned, _dearest(scanned, (name for name in scanned if "all of" not in name)))


def _dearest(values: Mapping[str, list[float]], names: Iterable[str]) -> list[str]:
    return sorted((name for name in names if name in values), key=lambda name: -values[name][-1])


def _lines(axes: Any, sizes: list[int], values: Mapping[str, list[float]], names: list[str]) -> None:
    """A line a name, the first of them with their names."""
    for place, name in enumerate(names):
        label = name if place <= _NAMED else None
        told = values[name]
        millions = [size / 1_000_000 for size in sizes[-len(told) :]]
        axes.plot(millions, told, marker="o", label=label, color=None if label else "#ced4da")
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    if names:
        axes.legend(fontsize=7, frameon=False)


def _costs(following: Following) -> Spent:
    """Refreshes every table; by table what it took."""
    costs: Spent = defaultdict(lambda: (0.0, 0, 0))
    for pace in PACES:
        before = time.process_time()
        for each in following.follow(pace):
            if isinstance(each, Fault):
                raise each.error
            now = time.process_time()
            more = each.report.more if isinstance(each.report, StepReport) else {}
            for name in ("/".join(each.asset), f"all of pace {pace}"):
                seconds, files, size = costs[name]
                files, size = files + more.get("scanned_files", 0), size + more.get("scanned_bytes", 0)
                costs[name] = (seconds + now - before, files, size)
            before = now
    return costs


def _show(found: dict[str, Any]) -> None:
    sizes = "".join(f"{size:>12,}" for size in found["events of history"])
    print(f"{'CPU seconds after history of':32}{sizes}{'times':>9}{'slope':>9}")
    for name, costs in found["cpu seconds"].items():
        told = (f"{each:9}" if each is not None else f"{'':9}" for each in (found["times"][name], found["slope"][name]))
        print(f"{name:32}" + "".join(f"{cost:12.2f}" for cost in costs) + "".join(told))
    print("files")
    for name, files in found["files"].items():
        print(f"{name:32}" + "".join(f"{count:12,}" for count in files))
    for unit, shape in (("scanned files", "12,"), ("scanned mb", "12,.2f")):
        print(unit)
        for name, each in found[unit].items():
            print(f"{name:32}" + "".join(f"{value:{shape}}" for value in each))
    print(f"{'memory after each turn, MB':32}" + "".join(f"{size:12,}" for size in found["memory mb"]))
