"""`event-assets model` on a file of events: how long each table takes, and how much memory all of it.

Without a file it is one of as many made events as are wanted, of about 600 bytes each.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.data import write_events
from benchmarks.watch import watched


def main(argv: list[str]) -> int:
    """Runs the benchmark. 1 when the reconciliation do not balance."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks model", description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", help="events, as `event-assets model` takes them")
    parser.add_argument("--mapping", help="how the file's fields are to be read")
    parser.add_argument("--events", type=int, default=2_000_000, help="events to make where no file is given")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="event-assets-model-") as folder:
        file = arguments.file
        if file is None:
            file = Path(folder) / "events.ndjson.zst"
            write_events(file, arguments.events)
        figures = _modelled(file, Path(folder) / "out", arguments.mapping)
    print(json.dumps(figures) if arguments.json else "\n".join(f"{name}: {value}" for name, value in figures.items()))
    return 0 if figures["balance"] else 1


def _modelled(file: Path, out: Path, mapping: str | None) -> dict[str, Any]:
    program = str(Path(sys.executable).with_name("event-assets"))
    mapped = ["--mapping", mapping] if mapping else []
    output, memory = watched([program, "model", str(file), "--out", str(out), *mapped, "--json"])
    made = json.loads(output.splitlines()[-1])
    seconds = sum(made["seconds"].values())
    return {
        "events": made["reconciliation"]["lines"],
        "seconds": round(seconds, 1),
        "events_per_second": round(made["reconciliation"]["lines"] / seconds),
        "peak_memory_mb": memory,
        "balance": made["reconciliation"]["balance"],
        "rows": made["rows"],
        "seconds_by_table": made["seconds"],
    }
