"""How long the ingest API takes to say which segments somebody is in: `python -m benchmarks segments [--json]`.

An online table (SQLite) of so many people, each with a user id, a device and a few segments, and one collector process
that another process (`benchmarks.load`) asks for one person after the other, at `--rate` requests a second over as many
connections as a front end has. `p50_ms` and `p99_ms` are from a request to its answer, as the asking process sees it;
`cpu_us` is the collector's processor time for an answer, and `most_per_second` what it answers when asked as fast as
answers come. `app_us` is the part of `cpu_us` that is not the web server's: the app called in the benchmark's own
process; `find_us` the part of that which is the look into the table. `load` is the machine's load of the last minute.
The goal is a p99 of 10 ms at 500 a second; where others use the machine, look at `cpu_us`.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
from starlette.types import Message

from benchmarks.collector import UNREACHED_RATE, collector_process
from event_assets.collector import WriteKeys, create_app
from event_assets.online import open_online
from event_assets.settings import load_settings

PEOPLE, RATE, SECONDS, CONNECTIONS = 1_000_000, 500.0, 20.0, 16
_SEGMENTS = tuple(f"segment_{n}" for n in range(12))
_BATCH, _ASKED = 10_000, 20_000
Figures = dict[str, float]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks segments", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--people", type=int, default=PEOPLE, help="people in the table")
    parser.add_argument("--rate", type=float, default=RATE, help="requests a second")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="length of each measurement")
    asked = parser.parse_args(argv)
    figures = measure(asked.people, asked.rate, asked.seconds)
    print(
        json.dumps(figures) if asked.json else "\n".join(f"{name:<20} {value:>12,}" for name, value in figures.items())
    )
    return 0


def measure(people: int, rate: float, seconds: float) -> Figures:
    """All figures: milliseconds, microseconds, requests a second."""
    with tempfile.TemporaryDirectory(prefix="event-assets-") as folder:
        home = Path(folder) / "home"
        with collector_process("null", home) as (url, _, process):
            began = time.perf_counter()
            ids = _publish(home, people)
            published = time.perf_counter() - began
            key = WriteKeys(home / "keys.json").create("front", "web", events_per_second=UNREACHED_RATE, reads=("*",))
            paths = Path(folder) / "paths"
            chosen = random.Random(7)
            paths.write_text("\n".join(f"/v1/people/u-{chosen.randrange(people)}/segments" for _ in range(_ASKED)))
            _load(url, key, paths, 2.0, rate)  # warms up
            asked, steady = _watched(url, key, paths, seconds, rate, process)
            load = psutil.getloadavg()[0]
            _, fast = _watched(url, key, paths, seconds / 2, None, process)
            parts = asyncio.run(_parts(home, key, paths.read_text().splitlines()))
    return {
        "people": people,
        "ids": ids,
        "publish_seconds": round(published, 1),
        "per_second": round(steady["requests"] / steady["seconds"]),
        "p50_ms": round(steady["p50_ms"], 2),
        "p99_ms": round(steady["p99_ms"], 2),
        "cpu_us": round(asked / steady["requests"] * 1e6),
        **parts,
        "load": round(load, 1),
        "failed": steady["failed"],
        "most_per_second": round(fast["requests"] / fast["seconds"]),
    }


async def _parts(home: Path, key: str, paths: Sequence[str]) -> Figures:
    """Microseconds of processor time that the app takes for a request without a server, and the table of it."""
    settings = load_settings(home=home, collector_ip_rate=0)
    app, headers = (
        create_app(settings),
        [(b"host", b"127.0.0.1"), (b"user-agent", b"x" * 80), (b"x-read-key", key.encode())],
    )
    scopes = [
        {
            "type": "http",
            "method": "GET",
            "path": path,
            "headers": headers,
            "scheme": "http",
            "client": ("127.0.0.1", 1),
        }
        for path in paths
    ]
    statuses = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        statuses.append(message.get("status", 200))

    began = time.process_time()
    for scope in scopes:
        await app(scope, receive, send)
    asked = time.process_time() - began
    if set(statuses) != {200}:
        raise RuntimeError(f"the app answers {set(statuses) - {200}}")
    table, ids = open_online(settings), [path.split("/")[3] for path in paths]
    began = time.process_time()
    for id_ in ids:
        table.find([id_])
    found = time.process_time() - began
    table.close()
    return {"app_us": round(asked / len(paths) * 1e6), "find_us": round(found / len(paths) * 1e6)}


def _publish(home: Path, people: int) -> int:
    table = open_online(load_settings(home=home))
    day = "2026-03-01"

    def members() -> Iterator[list[tuple[str, str, str]]]:
        for first in range(0, people, _BATCH):
            numbers = range(first, min(first + _BATCH, people))
            yield [(f"u-{n}", _SEGMENTS[(n + k) % 12], day) for n in numbers for k in range(n % 3 + 1)]

    def ids() -> Iterator[list[tuple[str, str, str]]]:
        for first in range(0, people, _BATCH):
            numbers = range(first, min(first + _BATCH, people))
            yield [row for n in numbers for row in (("user", f"u-{n}", f"u-{n}"), ("anonymous", f"a-{n}", f"u-{n}"))]

    try:
        return table.replace(members(), ids(), "1", dt.datetime.now(dt.UTC))
    finally:
        table.close()


def _watched(
    url: str, key: str, paths: Path, seconds: float, rate: float | None, process: psutil.Process
) -> tuple[float, Figures]:
    """The collector's seconds of processor time, and what the load saw."""
    before = process.cpu_times()
    found = _load(url, key, paths, seconds, rate)
    after = process.cpu_times()
    return (after.user + after.system) - (before.user + before.system), found


def _load(url: str, key: str, paths: Path, seconds: float, rate: float | None) -> Figures:
    command = [sys.executable, "-m", "benchmarks.load", url, str(paths), "--gets", "--key", key]
    command += ["--seconds", str(seconds), "--connections", str(CONNECTIONS)]
    done = subprocess.run(command + (["--rate", str(rate)] if rate else []), check=True, stdout=subprocess.PIPE)
    found: Figures = json.loads(done.stdout)
    return found
