"""What `scale` measures with: a stream of any number of shards, and tables of any number of files and commits, whose
data nobody has. The logs of the tables are real: they are written by the lake's own commits."""

from __future__ import annotations

import datetime as dt
import json
import time
import uuid
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from benchmarks.data import event_blocks
from event_assets.contract.tables.events import ENRICHED_EVENTS, RAW_EVENTS
from event_assets.lake.files import LakeFile
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Progress
from event_assets.lake.storage import Storage
from event_assets.lake.table import LakeTable
from event_assets.pipeline.land import partition_of
from event_assets.streams import EventLines, Shard, ShardMap, pack_events
from event_assets.streams.protocol import HASH_KEYS, PutResult, ReadResult, StoredRecord, StreamRecord, sequence_text

STREAM = "events"
_LATEST = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
_DAYS = 30
_COMMIT_FILES = 100_000
_SMALL_ONE_IN, _SMALL_BYTES, _FULL_BYTES, _FILE_ROWS = 50, 8_000_000, 128_000_000, 500_000


def packed(events: int, people: int = 5_000) -> list[bytes]:
    """The records that the collector makes of so many events of one shard, of so many people."""
    texts = islice((text for block in event_blocks(2 * events) for text in block.splitlines()), events)
    lines = (EventLines([f"person-{number % people}"], [text]) for number, text in enumerate(texts))
    return [each.record.data for each in pack_events(lines, ShardMap(shards_of(1)))]


def shards_of(count: int) -> list[Shard]:
    """So many open shards, each of as many hashes."""
    return [
        Shard(f"shardId-{n:012d}", (), False, sequence_text(n), None, first_hash=HASH_KEYS * n // count)
        for n in range(count)
    ]


class SyntheticStream:
    """Shards that hold the same `held` records again and again, up to so many each. A question takes `call_seconds`, as
    one over a network does; `calls` counts them."""

    name = STREAM

    def __init__(self, shards: int, held: Sequence[bytes], records: int, call_seconds: float = 0.0) -> None:
        self._shards = shards_of(shards)
        self._held, self._records, self._call_seconds = held, records, call_seconds
        self.calls = 0

    def shards(self) -> list[Shard]:
        self._ask()
        return self._shards

    def read(
        self, shard_id: str, after: str | None, max_records: int = 10_000, max_bytes: int = 10_000_000
    ) -> ReadResult:
        self._ask()
        first = 0 if after is None else int(after) + 1
        records: list[StoredRecord] = []
        size = 0
        for number in range(first, min(first + max_records, self._records)):
            data = bytes(bytearray(self._held[number % len(self._held)]))  # bytes of its own, as from a network
            size += len(data)
            if records and size > max_bytes:
                break
            records.append(StoredRecord(shard_id, sequence_text(number), "key", data, _LATEST))
        return ReadResult(records, first + len(records) >= self._records, False)

    def has_records_after(self, shard_id: str, after: str | None) -> bool:
        self._ask()
        return (-1 if after is None else int(after)) + 1 < self._records

    def retention(self) -> dt.timedelta:
        self._ask()
        return dt.timedelta(days=7)

    def create(self, shards: int) -> None:
        raise NotImplementedError("it has its shards")

    def put(self, records: Sequence[StreamRecord]) -> list[PutResult]:
        raise NotImplementedError("it is only read")

    def require_writable(self) -> None:
        raise NotImplementedError("it is only read")

    def split(self, shard_id: str) -> None:
        raise NotImplementedError("it has its shards")

    def merge(self, shard_id: str, adjacent_shard_id: str) -> None:
        raise NotImplementedError("it has its shards")

    def close(self) -> None:
        """Nothing is held."""

    def _ask(self) -> None:
        self.calls += 1
        time.sleep(self._call_seconds)


def make_files(folder: Path, count: int) -> None:
    """A lake whose `enriched_events` have so many files, of the last days, in its log, with a
    checkpoint, and a commit of one after it."""
    table = _table(folder)
    for first in range(0, count, _COMMIT_FILES):
        last = min(first + _COMMIT_FILES, count)
        table.commit(table.snapshot(), Progress(), add=[_file(n, count) for n in range(first, last)], affected={})
    table.snapshot().delta.create_checkpoint()
    table.commit(table.snapshot(), Progress(), add=[one_more()])


def make_log(folder: Path, commits: int) -> None:
    """A lake whose `enriched_events` have a file, and so many commits in its log, with a checkpoint behind them. All
    but the first are copies of it: who opens the table after the checkpoint sees no more of them than their names."""
    table = _table(folder)
    table.commit(table.snapshot(), Progress(), add=[_file(0, 1)], affected={})
    table.snapshot().delta.create_checkpoint()
    log = folder / ENRICHED_EVENTS.name / "_delta_log"
    first, last = f"{1:020d}", f"{commits:020d}"
    text = (log / f"{first}.json").read_bytes()
    for version in range(2, commits + 1):
        (log / f"{version:020d}.json").write_bytes(text)
    (log / f"{first}.checkpoint.parquet").rename(log / f"{last}.checkpoint.parquet")
    told = json.loads((log / "_last_checkpoint").read_bytes())
    (log / "_last_checkpoint").write_text(json.dumps({**told, "version": commits}))


def make_positions(folder: Path, shards: int, landed: int) -> None:
    """A lake whose `raw_events` have landed so many records of each of so many shards."""
    after = sequence_text(landed - 1)
    at = {"after": after, "ended": False, "seen_at": dt.datetime.now(dt.UTC).isoformat()}
    positions = {STREAM: {shard.shard_id: at for shard in shards_of(shards)}}
    table = Lake(Storage(str(folder))).table(RAW_EVENTS.name)
    table.commit(table.snapshot(), Progress(positions=positions))


def one_more() -> LakeFile:
    """A file that the log does not have yet."""
    return _file(0, 1)


def a_day() -> str:
    """The newest day of the tables."""
    return partition_of(StoredRecord("", "0", "", b"", _LATEST))["arrival_date"]


def _table(folder: Path) -> LakeTable:
    return Lake(Storage(str(folder))).table(ENRICHED_EVENTS.name)


def _file(number: int, count: int) -> LakeFile:
    day = str((_LATEST - dt.timedelta(days=(count - 1 - number) * _DAYS // count)).date())
    name = uuid.uuid4()
    # As the lake names what an engine has staged.
    path = f"data/{uuid.uuid4().hex}/in_event_date={day}/part-00000-{name}.c000.zstd.crc32-{name.hex[:8]}.parquet"
    size = _SMALL_BYTES if number % _SMALL_ONE_IN == 0 else _FULL_BYTES
    low = {"event_id": str(uuid.uuid4()), "event_date": day, "arrival_date": day, "site_date": day}
    return LakeFile("", size, _FILE_ROWS, {"event_date": day}, path, low, low)
