"""What erasing people costs: `python -m benchmarks erase [--events N] [--people N] [--json]`.

Events are landed, cleaned and followed by every table; then people are erased and everything is scanned, in this
process. Told are the bytes of the lake, and of the JSON of its events, by second of this process's processor; the files
that were written again, and what the scan found. The ledger's turn, which the engine takes, is left out.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import tempfile
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from benchmarks.data import event_blocks
from event_assets.contract.plan import TrackingPlan
from event_assets.contract.records import pack_text
from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.lake.tombstones import ErasureRules
from event_assets.pipeline.registry import refresh_all
from event_assets.pipeline.run import GivenRules, Run
from event_assets.privacy.closure import Named
from event_assets.privacy.refreshing import refresh_behind
from event_assets.privacy.requests import request_erasure
from event_assets.privacy.run import Surroundings, run_erasures
from event_assets.settings import Settings
from event_assets.streams import StreamRecord, open_stream
from event_assets.transforms.events.clean import CleanRules
from event_assets_tests.engines import sail


def main(argv: list[str]) -> int:
    """Runs the benchmark. 1 where a scan still finds somebody."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks erase", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        told = measure(Path(folder), arguments.events, arguments.people)
    if arguments.json:
        print(json.dumps(told))
    else:
        print(
            f"{told['erased_events']} of {told['events']} events, {told['people']} people: "
            f"{told['files_written_again']} of {told['files']} files written again, "
            f"erasing {told['erase_mb_per_core_second']} MB/s of lake per core ({told['lake_mb']} MB packed), "
            f"{told['erase_ndjson_mb_per_core_second']} MB/s of events ({told['ndjson_mb']} MB of JSON); "
            f"scanning {told['scan_mb_per_core_second']} MB/s of what is read ({told['read_mb']} MB unpacked); "
            f"{told['found']} found."
        )
    return int(told["found"] > 0)


def measure(folder: Path, events: int, people: int) -> dict[str, Any]:
    """Makes a lake of so many events and erases so many people from it."""
    settings, lake = Settings(home=folder), Lake(Storage(str(folder / "lake")))
    stream = open_stream(settings)
    stream.create(2)
    ndjson = 0
    for block in event_blocks(events):
        ndjson += len(block)
        stream.put([StreamRecord("k", record) for record in pack_text(block)])
    with sail() as spark:
        rules = GivenRules(CleanRules(TrackingPlan(), settings.first_day))
        run = Run.on(stream, lake, spark, rules)
        refresh_all(run)
        files, size = _files(lake)
        for device in _devices(lake, people):
            request_erasure(lake, settings, Named(devices=(device,)), dt.datetime.now(dt.UTC))
        spent = [0.0]

        def refresh(names: Collection[str]) -> None:
            began = time.process_time()
            refresh_behind(run, names)
            spent[0] += time.process_time() - began

        around = Surroundings(lake, ErasureRules.of(settings), refresh=refresh, folders=(folder / "lake",))
        began = time.process_time()
        details = run_erasures(around).details
        whole = time.process_time() - began
    scan = details["scan"]
    read = (scan["bytes"] + scan["unpacked_bytes"]) / 1e6
    erasing = whole - spent[0] - scan["seconds"]
    return {
        "events": events,
        "people": people,
        "erased_events": details["events"],
        "lake_mb": round(size / 1e6, 1),
        "files": files,
        "files_written_again": sum(table["files"] for table in details["tables"].values()),
        "erase_core_seconds": round(erasing, 2),
        "erase_mb_per_core_second": round(size / 1e6 / erasing, 1),
        "ndjson_mb": round(ndjson / 1e6, 1),
        "erase_ndjson_mb_per_core_second": round(ndjson / 1e6 / erasing, 1),
        "read_mb": round(read, 1),
        "scan_mb_per_core_second": round(read / scan["seconds"], 1),
        "found": sum(scan["found"].values()),
    }


def _files(lake: Lake) -> tuple[int, int]:
    tables = [lake.table(spec.name).snapshot() for spec in LAKE_TABLES if lake.table(spec.name).exists()]
    return sum(len(table.files) for table in tables), sum(table.bytes for table in tables)


def _devices(lake: Lake, people: int) -> list[str]:
    """Devices that nobody signed in on, evenly over all."""
    rows = lake.table(ENRICHED_EVENTS.name).snapshot().arrow(columns=("anonymous_id", "user_id"))
    known = set(rows.filter(pc.is_valid(rows["user_id"]))["anonymous_id"].to_pylist())
    every = sorted({device for device in rows["anonymous_id"].to_pylist() if device} - known)
    return every[:: max(1, len(every) // people)][:people]
