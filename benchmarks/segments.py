"""How long the ingest API takes to say which segments somebody is in: `python -m benchmarks segments [--json]`.

An online table (SQLite) of so many people, each with a user id, a device and a few segments, and one collector process
that another process asks for one person after the other, at `--rate` requests a second over as many connections as a
front end has. What the figures are is told in `benchmarks.answering`. `app_us` is the part of `cpu_us` that is not the
web server's: the app called in the benchmark's own process; `find_us` the part of that which is the look into the
table. The goal is a p99 of 10 ms at 500 a second; where others use the machine, look at `cpu_us`.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from starlette.types import Message

from benchmarks.answering import Figures, Question, Server, answering, shown
from benchmarks.collector import UNREACHED_RATE, collector_process
from event_assets.collector import WriteKeys, create_app
from event_assets.online import open_online
from event_assets.settings import load_settings

PEOPLE, RATE, SECONDS = 1_000_000, 500.0, 30.0
_SEGMENTS = tuple(f"segment_{n}" for n in range(12))
_BATCH, _ASKED = 10_000, 20_000


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks segments", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--people", type=int, default=PEOPLE, help="people in the table")
    parser.add_argument("--rate", type=float, default=RATE, help="requests a second")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="length of each measurement")
    parser.add_argument("--ahead", action="store_true", help="run before all other processes")
    asked = parser.parse_args(argv)
    print(shown(measure(asked.people, asked.rate, asked.seconds, asked.ahead), asked.json))
    return 0


def measure(people: int, rate: float, seconds: float, ahead: bool = False) -> Figures:
    """All figures: milliseconds, microseconds, requests a second."""
    with tempfile.TemporaryDirectory(prefix="event-assets-") as folder, ExitStack() as running:
        home, paths = Path(folder) / "home", Path(folder) / "paths"
        url, _, process = running.enter_context(collector_process("null", home))
        bare_url, _, bare = running.enter_context(collector_process("bare", Path(folder) / "bare"))
        began = time.perf_counter()
        ids = _publish(home, people)
        published = time.perf_counter() - began
        key = WriteKeys(home / "keys.json").create("front", "web", events_per_second=UNREACHED_RATE, reads=("*",))
        chosen = random.Random(7)
        paths.write_text("\n".join(f"/v1/people/u-{chosen.randrange(people)}/segments" for _ in range(_ASKED)))
        question = Question("", paths, key, ("--gets",))
        figures = answering(Server(url, process), Server(bare_url, bare), question, seconds, rate, ahead)
        parts = asyncio.run(_parts(home, key, paths.read_text().splitlines()))
    return {"people": people, "ids": ids, "publish_seconds": round(published, 1), **figures, **parts}


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
