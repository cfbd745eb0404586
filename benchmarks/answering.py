"""How a collector answers who asks for people: what the benchmarks of single questions share.

Figures: `p50_ms`, `p95_ms` and `p99_ms` are from when a request falls due to its answer, as the asking process
(`benchmarks.load`) sees it; `cpu_us` is the collector's processor time for an answer, `bare_cpu_us` that of an app on
the same server that decodes the body and does nothing else, and `bare_p99_ms` its p99; both are asked in turn, and of
each the round with the lowest p99 counts. `waited_us` is how long the collector was ready to run and had no core, an
answer, and `late_p99_ms` how late the asking process was: what others on the machine do to both. `load` is the
machine's load of the last minute. With `--ahead` both processes run before all others (real-time priority, which takes
the right to it), as on a machine of their own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import psutil

CONNECTIONS, ROUNDS = 16, 3
Figures = dict[str, float]


class Question(NamedTuple):
    """What is asked: lines of a file as bodies, or (`flags` has `--gets`) as paths."""

    path: str
    lines: Path
    key: str
    flags: tuple[str, ...]


class Server(NamedTuple):
    """Who is asked."""

    url: str
    process: psutil.Process


class _Round(NamedTuple):
    seen: Figures
    cpu_us: float
    waited_us: float


def answering(
    collector: Server, bare: Server, question: Question, seconds: float, rate: float, ahead: bool = False
) -> Figures:
    """The figures of a question asked at a rate for so many seconds, and then as fast as answers come."""
    for server in (collector, bare):
        if ahead:
            os.sched_setscheduler(server.process.pid, os.SCHED_RR, os.sched_param(1))
        _round(server, question, 2.0, rate, ahead)  # warms up
    rounds: dict[Server, list[_Round]] = {collector: [], bare: []}
    for _ in range(ROUNDS):
        for server in rounds:
            rounds[server].append(_round(server, question, seconds / ROUNDS, rate, ahead))
    load = psutil.getloadavg()[0]
    ours, others = (min(rounds[server], key=lambda each: each.seen["p99_ms"]) for server in (collector, bare))
    fast = _round(collector, question, seconds / 2, None, ahead).seen
    return {
        "per_second": round(ours.seen["requests"] / ours.seen["seconds"]),
        **{name: round(ours.seen[name], 2) for name in ("p50_ms", "p95_ms", "p99_ms", "late_p99_ms")},
        "worst_p99_ms": round(max(each.seen["p99_ms"] for each in rounds[collector]), 2),
        "cpu_us": round(ours.cpu_us),
        "waited_us": round(ours.waited_us),
        "bare_p99_ms": round(others.seen["p99_ms"], 2),
        "bare_cpu_us": round(others.cpu_us),
        "load": round(load, 1),
        "failed": sum(each.seen["failed"] for each in rounds[collector]),
        "most_per_second": round(fast["requests"] / fast["seconds"]),
    }


def _round(server: Server, question: Question, seconds: float, rate: float | None, ahead: bool) -> _Round:
    command = [sys.executable, "-m", "benchmarks.load", server.url + question.path, str(question.lines)]
    command += ["--key", question.key, "--seconds", str(seconds), "--connections", str(CONNECTIONS), *question.flags]
    command += [*(["--rate", str(rate)] if rate else []), *(["--ahead"] if ahead else [])]
    cpu, waited = _cpu_seconds(server.process), _waited_seconds(server.process)
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    cpu, waited = _cpu_seconds(server.process) - cpu, _waited_seconds(server.process) - waited
    seen: Figures = json.loads(done.stdout)
    return _Round(seen, cpu / seen["requests"] * 1e6, waited / seen["requests"] * 1e6)


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _waited_seconds(process: psutil.Process) -> float:
    """How long its first thread, which answers, was ready and did not run."""
    return int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[1]) / 1e9


def shown(figures: Figures, as_json: bool) -> str:
    """The figures, for a person or as one JSON object."""
    return json.dumps(figures) if as_json else "\n".join(f"{name:<20} {value:>12,}" for name, value in figures.items())
