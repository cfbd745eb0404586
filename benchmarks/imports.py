"""`python -m benchmarks imports`: what translating costs an import.

A file of what a browser SDK of Segment sends, an event a line as its archives have them, beside the same events
natively, each onto the embedded log. `segment_share` is the rate of the one by the rate of the other, by processor
time; the best of the rounds, which take turns.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.collector import Figures
from benchmarks.data import event_blocks
from benchmarks.protocols import segment_message
from event_assets.importing import StreamSink, Translator, import_file
from event_assets.settings import load_settings
from event_assets.streams import open_stream

_NATIVE, _SEGMENT = "native", "segment"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks imports", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--events", type=int, default=50_000, help="events of each file")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is imported")
    asked = parser.parse_args(argv)
    figures = imported(asked.events, asked.rounds)
    print(json.dumps(figures) if asked.json else "\n".join(f"{name:<24} {value}" for name, value in figures.items()))
    return 0


def imported(events: int, rounds: int) -> Figures:
    """Microseconds of processor time for an event of each file, and the share."""
    costs: dict[str, list[float]] = {_NATIVE: [], _SEGMENT: []}
    with tempfile.TemporaryDirectory() as folder:
        files = _files(Path(folder), events)
        for place in range(rounds):
            for name, file in files.items():
                costs[name].append(_cpu_us(file, name, Path(folder) / f"{name}-{place}"))
    native, segment = min(costs[_NATIVE]), min(costs[_SEGMENT])
    return {"cpu_us_native": native, "cpu_us_segment": segment, "segment_share": round(native / segment, 2)}


def _files(folder: Path, events: int) -> dict[str, Path]:
    block = next(event_blocks(events, duplicates=0.0))
    lines = [re.sub(rb',"ip":"[^"]*"', b"", line) for line in block.splitlines()]
    files = {name: folder / f"{name}.ndjson" for name in (_NATIVE, _SEGMENT)}
    files[_NATIVE].write_bytes(b"\n".join(lines))
    files[_SEGMENT].write_text("\n".join(json.dumps(_archived(json.loads(line))) for line in lines), encoding="utf-8")
    return files


def _archived(event: dict[str, Any]) -> dict[str, Any]:
    """An event as archives have it: with when it was sent and received."""
    times = {"sentAt": event["sent_at"], "receivedAt": event["received_at"], "originalTimestamp": event["occurred_at"]}
    return segment_message(event) | times


def _cpu_us(file: Path, name: str, home: Path) -> float:
    settings = load_settings(home=home)
    rules = Translator("segment", file.name) if name == _SEGMENT else None
    with closing(open_stream(settings)) as stream:
        stream.create(1)
        began = time.process_time()
        result = import_file(file, rules, StreamSink(settings, stream))
        spent = time.process_time() - began
    assert result.accepted == result.lines, result.aside
    return round(spent / result.accepted * 1e6, 1)
