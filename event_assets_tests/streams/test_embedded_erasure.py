"""Records of the embedded log are rewritten in their places, and nothing of what they were is left in its files."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from event_assets.streams import StreamRecord
from event_assets.streams.embedded import EmbeddedStream
from event_assets.streams.embedded_erasure import Rewritten, rewrite_records


@pytest.fixture
def stream(tmp_path: Path) -> EmbeddedStream:
    stream = EmbeddedStream(tmp_path / "stream.db", "events")
    stream.create(1)
    stream.put([StreamRecord(f"key-{n}", b"record of person %d " % n * 400) for n in range(9)])
    return stream


def change(key: str, data: bytes, arrived_at: dt.datetime) -> Rewritten | None:
    return Rewritten("erased", b"nobody") if key in ("key-3", "key-8") else None


def test_the_others_keep_bytes_and_numbers_and_the_files_forget(stream: EmbeddedStream) -> None:
    [shard] = stream.shards()
    before = stream.read(shard.shard_id, None).records
    assert rewrite_records(stream.path, change) == 2
    after = stream.read(shard.shard_id, None).records
    for old, new in zip(before, after, strict=True):
        if old.partition_key in ("key-3", "key-8"):
            assert (new.partition_key, new.data) == ("erased", b"nobody")
        else:
            assert new == old
        assert (new.sequence_number, new.arrived_at) == (old.sequence_number, old.arrived_at)
    kept = b"".join(path.read_bytes() for path in stream.path.parent.iterdir())
    assert b"person 3" not in kept
    assert b"key-8" not in kept
    assert b"person 4" in kept
    assert rewrite_records(stream.path, change) == 0, "again there is nothing to do"


def test_where_there_is_no_log_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert rewrite_records(tmp_path / "none.db", change) == 0
    assert list(tmp_path.iterdir()) == []
