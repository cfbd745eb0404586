"""Any interleaving of puts, reads and reshards gives every record exactly once, in the order of its key."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from event_assets.streams import ReadLimits, ShardPosition, StoredRecord, StreamReader, StreamRecord
from event_assets.streams.embedded import EmbeddedStream
from event_assets_tests.examples import examples
from event_assets_tests.streams.reading import by_key, put_all, read_all

KEYS = st.integers(0, 12).map("user-{}".format)
PUT = st.tuples(st.just("put"), st.lists(KEYS, min_size=1, max_size=12))
READ = st.tuples(st.just("read"), st.integers(1, 5), st.integers(1, 9), st.integers(0, 4))
RESHARD = st.tuples(st.sampled_from(["split", "merge"]), st.integers(0, 9))


class Session:
    """A stream, its one reader's checkpoint and what was put and read so far."""

    def __init__(self, folder: Path, shards: int) -> None:
        self.stream = EmbeddedStream(folder / "stream.db", "events")
        self.stream.create(shards)
        self.checkpoint: dict[str, ShardPosition] = {}
        self.put_records: list[StreamRecord] = []
        self.read_records: list[StoredRecord] = []

    def put(self, keys: list[str]) -> None:
        records = [StreamRecord(key, b"%d" % (len(self.put_records) + index)) for index, key in enumerate(keys)]
        put_all(self.stream, records)
        self.put_records += records

    def read(self, batch_records: int, shard_records: int, batches: int) -> None:
        """Read some batches and stop, as a run that is killed does; what is checkpointed is the sequence numbers."""
        limits = ReadLimits(shard_records=shard_records, batch_records=batch_records)
        for batch in itertools.islice(StreamReader(self.stream).read_new(self.checkpoint, limits=limits), batches):
            self.read_records += batch.records
            self.checkpoint = {**self.checkpoint, batch.shard_id: ShardPosition(batch.position.after)}

    def split(self, which: int) -> None:
        shards = self._open_shards()
        self.stream.split(shards[which % len(shards)])

    def merge(self, which: int) -> None:
        shards = self._open_shards()
        if len(shards) > 1:
            lower = which % (len(shards) - 1)
            self.stream.merge(shards[lower], shards[lower + 1])

    def _open_shards(self) -> list[str]:
        query = "SELECT printf('shardId-%012d', number) FROM shards WHERE last_sequence IS NULL ORDER BY first_hash"
        with self.stream._reading() as connection:
            return [name for (name,) in connection.execute(query)]


@examples(25)
@given(shards=st.integers(1, 3), steps=st.lists(st.one_of(PUT, PUT, READ, READ, RESHARD), max_size=25))
def test_every_record_is_read_once_in_the_order_of_its_key(shards: int, steps: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder), shards)
        for name, *arguments in steps:
            getattr(session, name)(*arguments)
        session.read_records += read_all(session.stream, session.checkpoint)
        assert by_key(session.read_records) == by_key(session.put_records)
        assert not StreamReader(session.stream).has_new(session.checkpoint)
        session.stream.close()
