"""`python -m benchmarks starting`: the processor time that a process takes before it begins.

`definitions` is to import `event_assets.definitions` and to make its definitions, beyond what Dagster and its own
storage take in every process that has an instance (`dagster`); `sdk` is to import `event_assets_sdk`. Each in processes
of its own, the cheapest of the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from benchmarks.collector import Figures

_DAGSTER = (
    "import dagster, dagster._core.storage.event_log, dagster._core.storage.runs, dagster._core.storage.schedules"
)
_PARTS = {
    "dagster": ("", _DAGSTER),
    "definitions": (_DAGSTER, "from event_assets.definitions import defs; defs()"),
    "sdk": ("", "import event_assets_sdk"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks starting", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is started")
    asked = parser.parse_args(argv)
    figures = started(asked.rounds)
    print(json.dumps(figures) if asked.json else "\n".join(f"{name:<24} {value}" for name, value in figures.items()))
    return 0


def started(rounds: int) -> Figures:
    """Seconds of processor time of each part."""
    found = {name: min(_cpu_seconds(*part) for _ in range(rounds)) for name, part in _PARTS.items()}
    return {f"cpu_seconds_{name}": round(seconds, 3) for name, seconds in found.items()}


def _cpu_seconds(before: str, measured: str) -> float:
    code = f"import time\n{before}\nbegan = time.process_time()\n{measured}\nprint(time.process_time() - began)"
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "EVENT_ASSETS_HOME": home}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])
