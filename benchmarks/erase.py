"""What erasing people costs: `python -m benchmarks erase [--events N] [--people N] [--others 0,1,3] [--json]`.

Events of a day are landed, cleaned and followed by every table, and beside them, on days and in files of their own,
so many times as many `others` of which nobody is erased. Then people of the first day are erased and everything is
scanned, in this process: each file of the first day holds one of them, and none of the others' does. Told are the bytes
of the lake by second of this process's processor, and what the same erasure costs with others beside it, as a ratio of
one run. The ledger's turn, which the engine takes, is left out.
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

from benchmarks.data import START, event_blocks
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
    parser.add_argument("--others", default="0,1,3", help="how many times as many events of others there are")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args(argv)
    measured = []
    for others in map(int, arguments.others.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            measured.append(measure(Path(folder), arguments.events, arguments.people, others))
    if arguments.json:
        told = {name: [each[name] for each in measured] for name in measured[0]}
        first = measured[0]["erase_core_seconds"]
        print(json.dumps({**told, "ratio_erase": [round(each["erase_core_seconds"] / first, 2) for each in measured]}))
    for told in [] if arguments.json else measured:
        print(
            f"{told['erased_events']} of {told['events']} events, {told['people']} people: "
            f"{told['files_written_again']} of {told['files']} files "
            f"({told['written_again_mb']} of {told['lake_mb']} MB) written again in {told['erase_core_seconds']} s, "
            f"{told['erase_mb_per_core_second']} MB/s of lake per core, "
            f"{told['erase_ndjson_mb_per_core_second']} MB/s of its events as JSON; scanned at "
            f"{told['scan_mb_per_core_second']} MB/s of lake ({told['read_mb']} MB unpacked); {told['found']} found."
        )
    return int(any(each["found"] for each in measured))


def measure(folder: Path, events: int, people: int, others: int) -> dict[str, Any]:
    """Makes a lake of so many events, and so many times as many of others, and erases so many people from it."""
    settings, lake = Settings(home=folder), Lake(Storage(str(folder / "lake")))
    stream = open_stream(settings)
    stream.create(2)
    ndjson = 0
    with sail() as spark:
        rules = GivenRules(CleanRules(TrackingPlan(), settings.first_day))
        run = Run.on(stream, lake, spark, rules)
        for day in range(others, -1, -1):  # those who are erased come last
            for block in event_blocks(events, seed=7 + day, start=START - dt.timedelta(days=day)):
                ndjson += len(block)
                stream.put([StreamRecord("k", record) for record in pack_text(block)])
            refresh_all(run)
        files, size = _files(lake)
        for device in _devices(lake, people, str(START.date())):
            request_erasure(lake, settings, Named(devices=(device,)), dt.datetime.now(dt.UTC))
        before, spent = _sizes(lake), [0.0]

        def refresh(names: Collection[str]) -> None:
            began = time.process_time()
            refresh_behind(run, names)
            spent[0] += time.process_time() - began

        around = Surroundings(lake, ErasureRules.of(settings), refresh=refresh, folders=(folder / "lake",))
        began = time.process_time()
        details = run_erasures(around).details
        whole = time.process_time() - began
    stream.close()
    scan = details["scan"]
    erasing = whole - spent[0] - scan["seconds"]
    gone = before.keys() - _sizes(lake).keys()
    return {
        "events": events * (1 + others),
        "people": people,
        "erased_events": details["events"],
        "lake_mb": round(size / 1e6, 1),
        "ndjson_mb": round(ndjson / 1e6, 1),
        "files": files,
        "files_written_again": len(gone),
        "written_again_mb": round(sum(before[path] for path in gone) / 1e6, 1),
        "erase_core_seconds": round(erasing, 2),
        "erase_mb_per_core_second": round(size / 1e6 / erasing, 1),
        "erase_ndjson_mb_per_core_second": round(ndjson / 1e6 / erasing, 1),
        "read_mb": round((scan["bytes"] + scan["unpacked_bytes"]) / 1e6, 1),
        "scan_core_seconds": round(scan["seconds"], 2),
        "scan_mb_per_core_second": round(scan["bytes"] / 1e6 / scan["seconds"], 1),
        "found": sum(scan["found"].values()),
    }


def _sizes(lake: Lake) -> dict[str, int]:
    tables = [lake.table(spec.name) for spec in LAKE_TABLES if lake.table(spec.name).exists()]
    return {file.url: file.size for table in tables for file in table.snapshot().files}


def _files(lake: Lake) -> tuple[int, int]:
    sizes = _sizes(lake)
    return len(sizes), sum(sizes.values())


def _devices(lake: Lake, people: int, day: str) -> list[str]:
    """Devices of a day that nobody signed in on, evenly over all."""
    snapshot = lake.table(ENRICHED_EVENTS.name).snapshot()
    rows = snapshot.arrow(snapshot.of_dates([day]), ("anonymous_id", "user_id"))
    known = set(rows.filter(pc.is_valid(rows["user_id"]))["anonymous_id"].to_pylist())
    every = sorted({device for device in rows["anonymous_id"].to_pylist() if device} - known)
    return every[:: max(1, len(every) // people)][:people]
