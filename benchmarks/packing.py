"""What stream records the collector makes of a group of events: how many, how large, and what they cost.

Groups of several sizes, of as many people as there are and of many, are packed for a stream of four shards that takes
everything at once. `usd_per_million_…` are what Kinesis in us-east-1 bills for taking a million events, shards apart:
by units of 25 KB of a record (provisioned) and by gigabytes, each record rounded up to 1 KB (on-demand); other prices
are arguments.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import time
from collections.abc import Sequence
from itertools import islice

from benchmarks.data import event_blocks
from event_assets.streams import EventLines, Shard, ShardMap, pack_events
from event_assets.streams.protocol import HASH_KEYS

SHARDS = 4
REQUEST = 50
"""Events that come together."""
ROUNDS = 5
UNIT_BYTES = 25_000
GROUPS = ((50, 5_000), (1_000, 5_000), (10_000, 5_000), (10_000, 100_000))
"""Events of a group, and people of whom they are."""

Figures = dict[str, float]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks packing", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--usd-per-million-units", type=float, default=0.014, help="for units of 25 KB")
    parser.add_argument("--usd-per-gb", type=float, default=0.08, help="for data taken in on demand")
    asked = parser.parse_args(argv)
    figures = {
        f"{events:,} events of {people:,} people": measure(
            events, people, asked.usd_per_million_units, asked.usd_per_gb
        )
        for events, people in GROUPS
    }
    if asked.json:
        print(json.dumps(figures))
    else:
        for group, found in figures.items():
            print(group, *(f"  {name:<28} {value:>12,}" for name, value in found.items()), sep="\n")
    return 0


def measure(events: int, people: int, usd_per_million_units: float, usd_per_gb: float) -> Figures:
    """The figures of one group."""
    whose = random.Random(7)
    texts = [*islice((text for block in event_blocks(2 * events) for text in block.splitlines()), events)]
    keys = [f"person-{whose.randrange(people)}" for _ in texts]
    group = [EventLines(keys[at : at + REQUEST], texts[at : at + REQUEST]) for at in range(0, events, REQUEST)]
    shards = ShardMap(
        Shard(f"shard-{number}", (), False, "0", None, first_hash=HASH_KEYS * number // SHARDS)
        for number in range(SHARDS)
    )
    cheapest = math.inf
    for _ in range(ROUNDS):
        began = time.process_time()
        packed = pack_events(group, shards)
        cheapest = min(cheapest, time.process_time() - began)
    sizes = [len(record.data) for record, _ in packed]
    units = sum(math.ceil(size / UNIT_BYTES) for size in sizes)
    kilobytes = sum(math.ceil(size / 1024) for size in sizes)
    return {
        "records": len(sizes),
        "events_a_record": round(events / len(sizes), 1),
        "bytes_an_event": round(sum(sizes) / events, 1),
        "cpu_us_an_event": round(cheapest / events * 1e6, 2),
        "usd_per_million_provisioned": round(units / events * usd_per_million_units, 6),
        "usd_per_million_on_demand": round(kilobytes / events / 1024**2 * 1e6 * usd_per_gb, 6),
    }


if __name__ == "__main__":
    sys.exit(main())
