"""How long late events take on a lake of many days: `python -m benchmarks late [--events N] [--days N] [--json]`.

A lake of enriched events is written day by day, sessions are made of all, then batches of late events come: some go on
with old sessions of clients on days far apart, some tell whose an old device is. Timed is bringing sessions up to date.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import numpy as np
import pyarrow as pa

from event_assets.contract.plan import TrackingPlan
from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.lake.files import LakeFile
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Progress
from event_assets.lake.storage import Storage
from event_assets.lake.table import LakeTable
from event_assets.pipeline.identities import identities_step
from event_assets.pipeline.run import GivenRules, Run
from event_assets.pipeline.sessions import sessions_step
from event_assets.streams import EventStream
from event_assets.transforms.events.clean import CleanRules
from event_assets_tests.engines import sail

FIRST = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
_PER_SESSION = 8
_LATE = 400
_BATCHES = 3


def day_of_events(day: int, events: int, suffix: str = "", user: str | None = None) -> pa.Table:
    """Enriched events of one day: sessions of a view, pings and another view, each of a device of its own."""
    number = np.arange(events)
    session, place = number // _PER_SESSION, number % _PER_SESSION
    start = (FIRST + dt.timedelta(days=day)).timestamp() * 1_000_000
    micros = (start + session * 86_000_000_000 // max(1, events // _PER_SESSION) + place * 10_000_000).astype(np.int64)
    times = pa.array(micros).cast(pa.timestamp("us", tz="UTC"))
    ids = [f"{day}-{s}" for s in session]
    known: dict[str, pa.Array] = {
        **dict.fromkeys(("event_date", "arrival_date"), pa.array([(FIRST + dt.timedelta(days=day)).date()] * events)),
        **dict.fromkeys(("arrival_hour", "line"), pa.array(np.zeros(events, np.int32))),
        **dict.fromkeys(("stream", "shard_id", "sequence_number"), pa.array(["0"] * events)),
        "event_id": pa.array([f"e{day}-{n}{suffix}" for n in number]),
        "event": pa.array(np.where(place % 4 == 0, "page_view", "page_ping")),
        "schema_version": pa.array(np.ones(events, np.int32)),
        "anonymous_id": pa.array([f"a{i}" for i in ids]),
        "user_id": pa.array([user and f"{user}{i}" for i in ids], pa.string()),
        "session_id": pa.array([f"s{i}" for i in ids]),
        "page_view_id": pa.array([f"p{i}-{p // 4}{suffix}" for i, p in zip(ids, place, strict=True)]),
        **dict.fromkeys(("occurred_at", "sent_at", "received_at", "derived_at", "arrived_at"), times),
        "platform": pa.array(["web"] * events),
        "properties": pa.array(["{}"] * events),
        "page_url": pa.array([f"https://shop.example/{n % 50}" for n in number]),
        "is_bot": pa.array(np.zeros(events, np.bool_)),
    }
    schema = ENRICHED_EVENTS.arrow_schema()
    return pa.table([known.get(f.name, pa.nulls(events, f.type)).cast(f.type) for f in schema], schema=schema)


def late_events(batch: int, days: int, per_day: int) -> Iterator[tuple[int, pa.Table]]:
    """A batch: the first sessions of days far apart go on, every second one with a user."""
    chosen = np.random.default_rng(batch).choice(days, 10, replace=False)
    for place, day in enumerate(sorted(int(day) for day in chosen)):
        user = "u" if place % 2 else None
        yield day, day_of_events(day, min(_LATE // 10, per_day), f"-late{batch}", user)


def write(table: LakeTable, parts: Iterator[tuple[int, pa.Table]], name: str) -> None:
    """Commits the events of some days."""
    files: list[LakeFile] = []
    for day, rows in parts:
        partition = {"event_date": str((FIRST + dt.timedelta(days=day)).date())}
        files.append(table.stage_arrow(rows, f"{name}-{day}", partition))
    table.commit(table.snapshot(), Progress(), add=files)


def _no_stream() -> AbstractContextManager[EventStream]:
    raise AssertionError("nothing is landed here")


def run(events: int, days: int) -> dict[str, float]:
    """Makes the lake, times the batches."""
    per_day = events // days
    with tempfile.TemporaryDirectory() as folder, sail() as spark:
        lake = Lake(Storage(folder))
        table = lake.table(ENRICHED_EVENTS.name)
        now = Run(lake, GivenRules(CleanRules(TrackingPlan(), FIRST.date())), _no_stream, lambda: spark)
        write(table, ((day, day_of_events(day, per_day)) for day in range(days)), "all")
        result: dict[str, float] = {"events": per_day * days, "days": days}
        identities_step(now)
        result["all_seconds"] = _seconds(lambda: sessions_step(now))
        for batch in range(_BATCHES):
            write(table, late_events(batch, days, per_day), f"late{batch}")
            result[f"late_{batch}_seconds"] = _seconds(lambda: sessions_step(now))
        identities_step(now)
        result["stamping_seconds"] = _seconds(lambda: sessions_step(now))
        return result


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return round(time.perf_counter() - began, 2)


def main(argv: list[str]) -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks late", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(argv)
    result = run(given.events, given.days)
    if given.json:
        print(json.dumps(result))
    else:
        print("\n".join(f"{name:20} {value:12,.2f}" for name, value in result.items()))
    return 0
