"""What a micro-batch costs after little and after much history: `python -m benchmarks growth [--json]`.

History is written as clean events and brought along by the platform's own steps, a lake and a warehouse for each size.
Micro-batches of events from people who were there before go through every table, by turns, so that what else the
machine does weighs on all sizes alike; CPU seconds of this process, engine included, are counted a table: `times` is
the largest history's cost as a multiple of the smallest one's (1 is flat), `slope` CPU seconds more a million events of
history. Files of each table, and what was opened to bring it along (files, and their bytes), are told by size too,
memory by turn. `--picture` draws costs and bytes.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression, median
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
from pyspark.sql import SparkSession

from event_assets.contract.tables.events import CLEAN_EVENTS
from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.embedded.postgres import open_postgres
from event_assets.lake.files import LakeFile
from event_assets.pipeline.domains import Pace
from event_assets.pipeline.following import Fault, Following
from event_assets.pipeline.registry import STEPS, refresh_all
from event_assets.pipeline.report import StepReport
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.engines import sail
from event_assets_tests.pipeline.pipeline import Pipeline

Spent = dict[str, tuple[float, int, int]]
"""By table CPU seconds, and files and bytes that were scanned."""
_PER_SESSION = 8
_EVENTS_PER_PERSON = 40
_NAMED = 5
"""Tables of a pace whose lines have a name in the picture."""
PACES: tuple[Pace, ...] = ("seconds", "minute", "minutes")


class History:
    """Days of clean events: sessions of people of whom there are the more, the more history there is."""

    def __init__(self, random_ids: bool) -> None:
        self.random_ids = random_ids
        self.events = 0
        self._rng = np.random.default_rng(7)
        self._began = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)

    @property
    def people(self) -> int:
        """How many there are by now."""
        return max(1, self.events // _EVENTS_PER_PERSON)

    def add(self, pipeline: Pipeline, events: int, days: int) -> None:
        """Writes as many events more, spread over the days before today, and brings every table along."""
        table, files = pipeline.lake.table(CLEAN_EVENTS.name), list[LakeFile]()
        name = uuid.uuid4().hex
        per_hour = events // (days * 24)
        self.events += per_hour * days * 24
        for number in range(days * 24):
            hour = self._began - dt.timedelta(hours=number + 1)
            partition = {"arrival_date": str(hour.date()), "arrival_hour": str(hour.hour)}
            files.append(table.stage_arrow(self._hour(hour, per_hour), name, partition))
        base = table.snapshot()
        table.commit(base, base.progress, add=files)
        refresh_all(pipeline.refresh(), [step for step in STEPS if step.pace in PACES and step.name != "raw_events"])

    def _hour(self, hour: dt.datetime, events: int) -> pa.Table:
        number = np.arange(events)
        session, place = number // _PER_SESSION, number % _PER_SESSION
        people = self._rng.integers(0, self.people, session[-1] + 1)
        micros = (hour.timestamp() + session * (3_500 / (session[-1] + 1)) + place * 10) * 1_000_000
        times = pa.array(micros.astype(np.int64)).cast(pa.timestamp("us", tz="UTC"))
        texts = [uuid.uuid4().hex[:12] for _ in range(session[-1] + 1)]
        known: dict[str, pa.Array] = {
            "event_date": pa.array([hour.date()] * events),
            "arrival_date": pa.array([hour.date()] * events),
            "arrival_hour": pa.array(np.full(events, hour.hour, np.int32)),
            "line": pa.array(number.astype(np.int32)),
            "stream": pa.array(["history"] * events),
            "shard_id": pa.array([texts[0]] * events),
            "sequence_number": pa.array(["0"] * events),
            "event_id": pa.array([_event_id(self.random_ids, micro, self._rng) for micro in micros.tolist()]),
            "event": pa.array(np.where(place % 4 == 0, "page_view", "page_ping")),
            "schema_version": pa.array(np.ones(events, np.int32)),
            "anonymous_id": pa.array([f"person-{people[s]}" for s in session]),
            "session_id": pa.array([f"s-{texts[s]}" for s in session]),
            "page_view_id": pa.array([f"p-{texts[s]}-{p // 4}" for s, p in zip(session, place, strict=True)]),
            **dict.fromkeys(("occurred_at", "sent_at", "received_at", "derived_at", "arrived_at"), times),
            "platform": pa.array(["web"] * events),
            "properties": pa.array(["{}"] * events),
            "page_url": pa.array([f"https://shop.example/{n % 50}" for n in number]),
        }
        schema = CLEAN_EVENTS.arrow_schema()
        return pa.table([known.get(f.name, pa.nulls(events, f.type)).cast(f.type) for f in schema], schema=schema)

    def lines(self, events: int) -> Iterator[bytes]:
        """A micro-batch of now: sessions that begin, of people who were there before."""
        now = dt.datetime.now(dt.UTC)
        for number in range(events):
            if number % _PER_SESSION == 0:
                person, session = int(self._rng.integers(0, self.people)), uuid.uuid4().hex[:12]
            at = now - dt.timedelta(seconds=60 - number % _PER_SESSION)
            text = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            told = {
                "event_id": _event_id(self.random_ids, at.timestamp() * 1_000_000, self._rng),
                "event": "page_view" if number % 4 == 0 else "page_ping",
                "anonymous_id": f"person-{person}",
                "session_id": f"s-{session}",
                "page_view_id": f"p-{session}-{number % _PER_SESSION // 4}",
                **dict.fromkeys(("occurred_at", "sent_at", "received_at"), text),
                "platform": "web",
                "page": {"url": f"https://shop.example/{number % 50}"},
                "properties": {},
            }
            yield json.dumps(told).encode()


def _event_id(random: bool, micros: float, rng: np.random.Generator) -> str:
    """A UUID: of version 4, or of version 7, which is in the order of time."""
    if random:
        return str(uuid.uuid4())
    high, low = (int(number) for number in rng.integers(0, 2**62, 2))
    return str(uuid.UUID(int=int(micros // 1000) << 80 | 7 << 76 | (high & 0xFFF) << 64 | 2 << 62 | low))


def main(argv: list[str]) -> int:
    """Prints CPU seconds a table by size of the history."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks growth", description=__doc__)
    parser.add_argument("--sizes", default="0.25,0.5,1,2", help="millions of events of history, rising")
    parser.add_argument("--batch", type=int, default=10_000, help="events of a micro-batch")
    parser.add_argument("--batches", type=int, default=3)
    parser.add_argument("--days", type=int, default=42, help="days that the history lies on")
    parser.add_argument("--random-ids", action="store_true", help="ids of version 4, as many other SDKs send")
    parser.add_argument("--picture", type=Path, help="a file for the picture: .svg or .png")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(argv)
    sizes = [int(float(size) * 1_000_000) for size in given.sizes.split(",")]
    found = _measure(sizes, given.batch, given.batches, given.days, given.random_ids)
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

    @classmethod
    def of(cls, size: int, days: int, random_ids: bool, spark: SparkSession, folder: Path, url: str) -> _Place:
        pipeline, history = Pipeline(spark, folder), History(random_ids)
        warehouse = Warehouse(PostgresDialect(LakeFiles()), url)
        warehouse.ensure()
        history.add(pipeline, size, days)
        return cls(pipeline, history, Following(pipeline.refresh(), warehouse, 90))

    def follow(self, batch: int) -> Spent:
        """Takes a micro-batch into every table."""
        self.pipeline.put(list(self.history.lines(batch)))
        return _costs(self.following)


def _measure(sizes: list[int], batch: int, batches: int, days: int, random_ids: bool) -> dict[str, Any]:
    """By table the median CPU seconds of a micro-batch after each size of history, how they grow, and files."""
    spent: list[dict[str, list[tuple[float, int, int]]]] = [defaultdict(list) for _ in sizes]
    memory: list[int] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="event-assets-growth-")))
        spark = stack.enter_context(sail())
        places = []
        for size in sizes:
            url = stack.enter_context(open_postgres(folder / f"{size}" / "warehouse"))
            places.append(_Place.of(size, days, random_ids, spark, folder / f"{size}" / "home", url))
        for number in range(batches + 1):
            for place, one in zip(places, spent, strict=True):
                took = place.follow(batch)
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
        "events of history": sizes,
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
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    sizes, costs, scanned = found["events of history"], found["cpu seconds"], found["scanned mb"]
    canvas = Figure(figsize=(13, 4), layout="constrained")
    FigureCanvasAgg(canvas)
    title = "CPU seconds of a micro-batch, and MB that it scans, by millions of events of history"
    canvas.suptitle(title, x=0.01, ha="left")
    *of_paces, of_scans = canvas.subplots(1, len(PACES) + 1)
    for axes, pace in zip(of_paces, PACES, strict=True):
        names = [table.name for step in STEPS if step.pace == pace for table in step.tables]
        _lines(axes, sizes, costs, [f"all of pace {pace}", *_dearest(costs, names)])
    _lines(of_scans, sizes, scanned, _dearest(scanned, (name for name in scanned if "all of" not in name)))
    canvas.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


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
