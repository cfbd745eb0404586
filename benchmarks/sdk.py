"""What a call of the Python SDK costs, by where it keeps events, while four threads track a few hundred times a second.

`python -m benchmarks sdk [--calls N]`. Nobody answers at the collector's address: only the calls are measured.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from event_assets_sdk import EventClient

THREADS = 4
_PAUSE = 0.002
"""Seconds between two calls of a thread: without, they would wait for each other, not for what is measured."""
CHOICES: tuple[Any, ...] = (True, "spool", False)


def main(argv: Sequence[str]) -> int:
    """Measures each choice."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks sdk", description=__doc__)
    parser.add_argument("--calls", type=int, default=2_000, help="calls of each thread")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(argv)
    found = [measure(disk, given.calls) for disk in CHOICES]
    for row in found:
        print(json.dumps(row) if given.json else "  ".join(f"{name} {value}" for name, value in row.items()))
    return 0


def measure(disk: Any, calls: int) -> dict[str, object]:
    """Milliseconds of a call (median, 99th percentile, longest), and calls a second of all threads together."""
    took: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        client = EventClient("http://127.0.0.1:9", "ea_0_0", disk=disk, queue_path=Path(folder) / "queue.sqlite")

        def track() -> None:
            own = []
            for number in range(calls):
                begun = time.perf_counter()
                client.track("add_to_cart", {"product_id": "p-1", "quantity": number, "price": 9.5}, anonymous_id="a")
                own.append(time.perf_counter() - begun)
                time.sleep(_PAUSE)
            took.extend(own)

        threads = [threading.Thread(target=track) for _ in range(THREADS)]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        whole = time.perf_counter() - begun
        client.close(timeout=0)
    took.sort()
    at = {"p50_ms": 0.5, "p99_ms": 0.99}
    parts = {name: round(took[int(len(took) * share)] * 1_000, 3) for name, share in at.items()}
    return {
        "disk": str(disk),
        **parts,
        "max_ms": round(took[-1] * 1_000, 1),
        "calls_per_second": round(len(took) / whole),
    }
