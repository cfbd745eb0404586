"""How long an acknowledged event takes to the warehouse under a whole stack: `python -m benchmarks freshness [--json]`.

A stack of its own is started (`event-assets up`), and gets events at a given rate through its ingest API: 5 % of them
of the last day, 1 % of the last 400 days. A client of its own polls the warehouse. Timed is from the answer of the
ingest API to the row: the first of all; then, in `fct_events`, one in ten of all events but those long past, and in the
other tables a visit every two seconds; in the end the first event after an idle spell. `dagster_mb_a_day` is what
Dagster's storage grew by in the second half, as of a day, in all and by kind of file, before anything is forgotten: the
longer a run has stayed, the less. `dagster_runs` are the runs that began meanwhile, by job, and
`dagster_kept_mb` is what the storage holds at the end once all that may be forgotten is. `memory` is of each process of
the stack in the second half, at first, at last, and what a line through all says that it grows by in an hour. The
machine's load is printed with it: where others work, only ratios tell. `--picture` draws how long rows took, over time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import psycopg

from benchmarks.dagster_bytes import by_kind, runs_since, total
from benchmarks.memory import Memory
from benchmarks.picture import picture
from event_assets.collector.keys import WriteKeys
from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.defs.automation.forgetting import forget, give_back_disk, old_runs
from event_assets.embedded.record import StackRecord, read_record
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.settings import Settings

BATCH = 25
LOOK_SECONDS = 0.1
PROBE_SECONDS = 2.0
PATIENCE_SECONDS = 400.0
_LATE, _LONG_PAST = 0.05, 0.01
_SAMPLED = 10
_DRAWN = 500
"""About so many rows of a table are in the picture."""
_FOUND_BY = {
    "fct_events": "event_id",
    "fct_page_views": "page_view_id",
    "fct_sessions": "anonymous_id",
    "dim_visitors": "anonymous_id",
    "dim_users": "person_id",
    "fct_conversions": "user_id",
}
"""By which column an event is found in each table."""
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"


@dataclass
class Watch:
    """What was acknowledged and is looked for, and how long it took, table by table."""

    url: str
    waiting: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    took: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    """By table, when each was acknowledged and the seconds until its row was seen."""
    moved: float = field(default_factory=time.monotonic)
    ended: threading.Event = field(default_factory=threading.Event)

    def expect(self, table: str, value: str, at: float) -> None:
        """Looks for the row of this value, acknowledged at this time."""
        self.waiting[table][value] = at

    @property
    def missing(self) -> int:
        return sum(map(len, self.waiting.values()))

    def look(self) -> None:
        """Polls until told to end."""
        with psycopg.connect(self.url, autocommit=True) as session:
            while not self.ended.wait(LOOK_SECONDS):
                for table, column in _FOUND_BY.items():
                    values = list(self.waiting[table])
                    if values:
                        self._found(session, table, column, values)

    def _found(self, session: psycopg.Connection[Any], table: str, column: str, values: list[str]) -> None:
        try:
            query = f"SELECT DISTINCT {column} FROM analytics.{table} WHERE {column} = ANY(%s)"
            rows = session.execute(query.encode(), (values,)).fetchall()
        except psycopg.errors.UndefinedTable:
            return
        now = time.time()
        for (value,) in rows:
            at = self.waiting[table].pop(value)
            self.took[table].append((at, now - at))
            self.moved = time.monotonic()

    def seconds(self, table: str) -> list[float]:
        """Of what was acknowledged after the first row of all was seen: what came before waited for the start."""
        begun = sum(min(self.took["fct_events"]))
        return [seconds for at, seconds in self.took[table] if at >= begun]


@contextmanager
def stack(home: Path) -> Iterator[StackRecord]:
    """`event-assets up` under this home."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EVENT_ASSETS_")}
    environment |= {f"EVENT_ASSETS_{name}": "0" for name in ("COLLECTOR_PORT", "DAGSTER_PORT")}
    environment["EVENT_ASSETS_HOME"] = str(home)
    command = [sys.executable, "-m", "event_assets.cli", "up"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            while (record := read_record(home)) is None:
                if process.poll() is not None:
                    raise RuntimeError(f"The stack ended with status {process.returncode}.")
                time.sleep(0.2)
            yield record
        finally:
            process.terminate()


class Traffic:
    """Sends events to an ingest API and tells the watch what to look for."""

    def __init__(self, client: httpx.Client, watch: Watch) -> None:
        self.sent = 0
        self._client = client
        self._watch = watch

    def send(self, rate: float, seconds: float) -> None:
        """Sends for so long."""
        began = next_probe = time.monotonic()
        sent_before = self.sent
        while (now := time.monotonic()) < began + seconds:
            if now >= next_probe:
                self.probe()
                next_probe += PROBE_SECONDS
            self._put([self._event() for _ in range(BATCH)])
            time.sleep(max(0.0, began + (self.sent - sent_before) / rate - time.monotonic()))

    def probe(self) -> None:
        """A visit of somebody new, who signs in and buys."""
        who, user, view = (f"{name}-{uuid.uuid4().hex}" for name in ("visitor", "user", "view"))
        known = {"anonymous_id": who, "user_id": user}
        events = [self._event(page_view_id=view, **known), self._event(event="purchase", **known)]
        events[1]["properties"] = {"order_id": uuid.uuid4().hex, "revenue": 12.5, "currency": "EUR"}
        at = self._put(events)
        values = {"event_id": str(events[0]["event_id"]), "page_view_id": view, "person_id": user, **known}
        for table, column in _FOUND_BY.items():
            self._watch.expect(table, values[column], at)

    def _put(self, events: list[dict[str, Any]]) -> float:
        answer = self._client.post("/v1/events", json=events).raise_for_status().json()
        at = time.time()
        assert answer["accepted"] == len(events), answer
        for event in events:
            self.sent += 1
            if self.sent % _SAMPLED == 0 and not event["event_id"].startswith("past-"):
                self._watch.expect("fct_events", event["event_id"], at)
        return at

    def _event(self, **more: str) -> dict[str, Any]:
        now = datetime.now(UTC)
        draw = random.random() if not more else 1.0
        ago = timedelta(days=random.random() * (400 if draw < _LONG_PAST else 1))
        happened = now - ago if draw < _LATE + _LONG_PAST else now
        return {
            "event_id": f"{'past-' if draw < _LONG_PAST else ''}{uuid.uuid4()}",
            "event": "page_view",
            "anonymous_id": f"a{random.randrange(2000)}",
            "page_view_id": uuid.uuid4().hex,
            "platform": "web",
            "occurred_at": happened.isoformat(),
            "sent_at": now.isoformat(),
            "page": {"url": f"https://shop.example/p/{random.randrange(500)}?utm_source=news", "title": "A page"},
            "device": {"user_agent": _AGENT, "locale": "en-GB"},
            "properties": {"list": "new", "position": random.randrange(100)},
            **more,
        }


def run(rate: float, seconds: float, idle: float, path: Path | None = None) -> dict[str, Any]:
    """Starts a stack, sends, watches; gives the figures, and draws them to a file."""
    with (
        tempfile.TemporaryDirectory(prefix="event-assets-fresh-", ignore_cleanup_errors=True) as folder,
        stack(Path(folder)) as record,
    ):
        settings = Settings(home=Path(folder))
        key = WriteKeys.of(settings).create("freshness", "web")
        assert record.warehouse_url is not None
        watch = Watch(record.warehouse_url)
        looking = threading.Thread(target=watch.look, daemon=True)
        looking.start()
        client = httpx.Client(base_url=record.collector_url, headers={"Authorization": f"Bearer {key}"})
        traffic = Traffic(client, watch)
        loads = [os.getloadavg()[0]]
        with Memory({name: service.pid for name, service in record.services.items()}) as memory:
            traffic.send(rate, seconds / 2)
            storage = Path(record.dagster_home)
            halfway, half = by_kind(storage), datetime.now(UTC)
            traffic.send(rate, seconds / 2)
        grown = {kind: size - halfway.get(kind, 0) for kind, size in by_kind(storage).items()}
        loads.append(os.getloadavg()[0])
        _until_there(watch)
        loads.append(os.getloadavg()[0])
        figures: dict[str, Any] = {
            "rate": rate,
            "sent": traffic.sent,
            "missing": watch.missing,
            "load_average": [round(load, 1) for load in loads],
            "first_seconds": round(min(watch.took["fct_events"])[1], 2),
            "seconds": {table: _spread(watch.seconds(table)) for table in _FOUND_BY},
            "dagster_mb_a_day": {
                kind: round(size / 1e6 * 86_400 / (seconds / 2), 1)
                for kind, size in {"all": sum(grown.values()), **grown}.items()
            },
            "dagster_runs": runs_since(storage, half),
            "memory": memory.grown(since=seconds / 2),
            "files": _files(settings),
        }
        if idle:
            time.sleep(idle)
            traffic.probe()
            _until_there(watch)
            figures["first_after_idle_seconds"] = round(max(watch.took["fct_events"])[1], 2)
        watch.ended.set()
        looking.join()
        figures["dagster_kept_mb"] = round(_kept(storage) / 1e6, 1)
    if path:
        draw(watch.took, rate, path)
    return figures


def draw(took: Mapping[str, Sequence[tuple[float, float]]], rate: float, path: Path) -> None:
    """Draws each row by when its event was acknowledged and the seconds until it was seen, table by table."""
    began = min(at for rows in took.values() for at, _ in rows)
    with picture(path, f"Seconds from acknowledgement to warehouse row, {rate:,.0f} events/s") as [axes]:
        for table, rows in took.items():
            thin = rows[:: len(rows) // _DRAWN + 1]
            axes.plot([at - began for at, _ in thin], [max(s, 0.1) for _, s in thin], ".", ms=3, label=table)
        axes.set_yscale("log")
        axes.set_yticks(ticks := [each for each in (0.5, 1, 2, 5, 10, 20, 60, 120, 300) if each > axes.get_ylim()[0]])
        axes.set_yticklabels([f"{each:g} s" for each in ticks])
        axes.set_xlabel("seconds since the first event")
        axes.legend(fontsize=7, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
        axes.spines[["top", "right"]].set_visible(False)


def _until_there(watch: Watch) -> None:
    watch.moved = time.monotonic()
    while watch.missing and time.monotonic() - watch.moved < PATIENCE_SECONDS:
        time.sleep(LOOK_SECONDS)


def _spread(seconds: list[float]) -> dict[str, float]:
    if len(seconds) < 2:
        return {}
    cuts = statistics.quantiles(seconds, n=20, method="inclusive")
    return {"p50": round(cuts[9], 2), "p95": round(cuts[18], 2), "max": round(max(seconds), 2), "rows": len(seconds)}


def _kept(home: Path) -> int:
    """Bytes of Dagster's storage once all runs that are over are forgotten."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        now = datetime.now(UTC)
        forget(instance, old_runs(instance, now, now, most=100_000))
        give_back_disk(instance)
    return total(home)


def _files(settings: Settings) -> dict[str, int]:
    """Files of each table that has more than a few."""
    lake = Lake(Storage(settings.lake))
    counts = {spec.name: len(lake.table(spec.name).snapshot().files) for spec in LAKE_TABLES}
    return {name: count for name, count in counts.items() if count > 10}


def main(argv: list[str]) -> int:
    """Prints the figures; 1 where an event did not come."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks freshness", description=__doc__)
    parser.add_argument("--rate", type=float, default=300.0, help="events a second")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument(
        "--idle", type=float, default=0.0, help="seconds without events before a last one; 0: no last one"
    )
    parser.add_argument("--picture", type=Path, help="a file for the picture: .svg or .png")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(argv)
    figures = run(given.rate, given.seconds, given.idle, given.picture)
    print(json.dumps(figures) if given.json else json.dumps(figures, indent=2))
    return 1 if figures["missing"] else 0
