"""The embedded log beyond the contract: several processes, SIGKILL, retention, a log that is made anew."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from event_assets.streams import (
    ShardPosition,
    StreamError,
    StreamGap,
    StreamNotFound,
    StreamReader,
    StreamRecord,
    embedded,
)
from event_assets.streams.embedded import EmbeddedStream
from event_assets_tests.streams.reading import by_key, numbered, put_all, read_all

PUT_FOREVER = """
import sys
from pathlib import Path
from event_assets.streams import StreamRecord
from event_assets.streams.embedded import EmbeddedStream

path, writer, puts = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
stream = EmbeddedStream(path, "events")
stream.create(2)
for number in range(puts):
    results = stream.put([StreamRecord(writer, b"%d" % (3 * number + part)) for part in range(3)])
    assert not any(result.error for result in results)
    print(3 * number + 2, flush=True)
"""


def start_writer(path: Path, name: str, puts: int = 1_000_000) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PUT_FOREVER, str(path), name, str(puts)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def lines_of(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    return iter(process.stdout)


class Clock:
    """A clock that is set by hand, in seconds since 1970."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def utc(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.now, dt.UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def aging(tmp_path: Path, clock: Clock) -> Iterator[EmbeddedStream]:
    """A stream of two shards that keeps records for an hour of `clock`."""
    stream = EmbeddedStream(tmp_path / "aging.db", "events", retention=dt.timedelta(hours=1), clock=clock)
    stream.create(2)
    yield stream
    stream.close()


def test_what_was_acknowledged_before_sigkill_is_there_and_nothing_is_torn(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    acknowledged = []
    for attempt in range(3):
        with start_writer(path, f"writer-{attempt}") as process:
            lines = lines_of(process)
            last = [next(lines) for _ in range(20)]
            process.kill()
            acknowledged.append(int([*last, *(line for line in lines if line.endswith("\n"))][-1]))
    stream = EmbeddedStream(path, "events")
    found = by_key(read_all(stream))
    for attempt, last_number in enumerate(acknowledged):
        numbers = [int(data) for data in found[f"writer-{attempt}"]]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) > last_number and len(numbers) % 3 == 0
    put_all(stream, [StreamRecord("after", b"1")])
    stream.close()


@pytest.mark.slow
def test_processes_write_and_read_and_reshard_at_once(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    stream = EmbeddedStream(path, "events")
    stream.create(2)
    checkpoint: dict[str, ShardPosition] = {}
    records = []
    writers = [start_writer(path, f"writer-{number}", puts=60) for number in range(3)]
    while any(process.poll() is None for process in writers):
        records += read_all(stream, checkpoint)
        if len(stream.shards()) < 8:
            stream.split(next(shard.shard_id for shard in stream.shards() if not shard.closed))
    assert [process.wait() for process in writers] == [0, 0, 0]
    for process in writers:
        assert process.stdout is not None
        process.stdout.close()
    records += read_all(stream, checkpoint)
    assert by_key(records) == {f"writer-{number}": [b"%d" % n for n in range(180)] for number in range(3)}
    stream.close()


def test_threads_that_wait_share_a_commit(log: EmbeddedStream, monkeypatch: pytest.MonkeyPatch) -> None:
    commits: list[int] = []
    commit = EmbeddedStream._commit

    def counted(stream: EmbeddedStream, tickets: list[Any]) -> None:
        commits.append(len(tickets))
        commit(stream, tickets)

    monkeypatch.setattr(EmbeddedStream, "_commit", counted)
    threads = [threading.Thread(target=put_all, args=(log, numbered([f"user-{number}"]))) for number in range(8)]
    with log._writing:
        for thread in threads:
            thread.start()
        while len(log._waiting) < 8:
            pass
    for thread in threads:
        thread.join()
    assert commits == [8]
    assert len(read_all(log)) == 8


def test_a_commit_waits_for_the_disk(log: EmbeddedStream) -> None:
    put_all(log, numbered(["a"]))
    assert log._writer is not None
    assert log._writer.execute("PRAGMA synchronous").fetchone() == (2,)
    assert log._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_old_records_are_trimmed_and_young_ones_kept(aging: EmbeddedStream, clock: Clock) -> None:
    put_all(aging, numbered(["a", "b", "c"]))
    clock.now += 1_800
    put_all(aging, numbered(["a", "b", "c"], 10))
    clock.now += 1_801
    assert aging.trim() == 3
    assert aging.trim() == 0
    assert sorted(record.data for record in read_all(aging)) == [b"10", b"11", b"12"]


def test_putting_trims_by_and_by(aging: EmbeddedStream, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "TRIM_SECONDS", 0.0)
    put_all(aging, numbered(["a"] * 10))
    clock.now += 3_601
    put_all(aging, numbered(["a"]))
    assert len(read_all(aging)) == 1


def test_a_checkpoint_that_the_trim_horizon_has_passed_is_a_gap(aging: EmbeddedStream, clock: Clock) -> None:
    put_all(aging, [StreamRecord("a", b"1")])
    checkpoint: dict[str, ShardPosition] = {}
    (read,) = read_all(aging, checkpoint)
    lost = aging.put([StreamRecord("a", b"2")])
    clock.now += 3_601
    (kept,) = aging.put([StreamRecord("a", b"3")])
    aging.trim()
    assert lost[0].error is None
    assert StreamReader(aging).has_new(checkpoint)
    with pytest.raises(StreamGap) as gap:
        read_all(aging, checkpoint)
    assert gap.value.shard_id == read.shard_id
    assert gap.value.expected_after == read.sequence_number
    assert gap.value.trim_horizon == kept.sequence_number
    assert read.sequence_number in str(gap.value)


def test_a_gap_that_is_accepted_is_reported_and_passed(aging: EmbeddedStream, clock: Clock) -> None:
    put_all(aging, [StreamRecord("a", b"1")])
    checkpoint: dict[str, ShardPosition] = {}
    read_all(aging, checkpoint)
    put_all(aging, [StreamRecord("a", b"2")])
    clock.now += 3_601
    aging.trim()
    put_all(aging, [StreamRecord("a", b"3")])
    gaps: list[StreamGap] = []
    batches = list(StreamReader(aging).read_new(checkpoint, on_gap=gaps.append))
    assert [record.data for batch in batches for record in batch.records] == [b"3"]
    assert len(gaps) == 1
    assert list(StreamReader(aging).read_new({batches[0].shard_id: batches[0].position})) == []


def test_a_checkpoint_at_the_last_trimmed_record_lost_nothing(aging: EmbeddedStream, clock: Clock) -> None:
    put_all(aging, [StreamRecord("a", b"1")])
    checkpoint: dict[str, ShardPosition] = {}
    read_all(aging, checkpoint)
    clock.now += 3_601
    aging.trim()
    put_all(aging, [StreamRecord("a", b"2")])
    assert [record.data for record in read_all(aging, checkpoint)] == [b"2"]


def test_records_that_a_never_read_shard_lost_are_a_gap(aging: EmbeddedStream, clock: Clock) -> None:
    put_all(aging, [StreamRecord("a", b"1")])
    checkpoint: dict[str, ShardPosition] = {}
    (read,) = read_all(aging, checkpoint)
    aging.split(read.shard_id)
    put_all(aging, [StreamRecord("a", b"2")])
    clock.now += 3_601
    aging.trim()
    with pytest.raises(StreamGap):
        read_all(aging, checkpoint)


def test_what_was_trimmed_before_the_first_read_is_no_gap(aging: EmbeddedStream, clock: Clock) -> None:
    put_all(aging, numbered(f"user-{number}" for number in range(20)))
    clock.now += 3_601
    aging.trim()
    put_all(aging, [StreamRecord("a", b"1")])
    checkpoint: dict[str, ShardPosition] = {}
    assert len(read_all(aging, checkpoint)) == 1
    assert read_all(aging, checkpoint) == []


def test_a_log_made_anew_never_repeats_a_sequence_number(tmp_path: Path) -> None:
    def fill_and_delete() -> tuple[list[str], dict[str, ShardPosition]]:
        stream = EmbeddedStream(tmp_path / "log" / "stream.db", "events")
        stream.create(2)
        put_all(stream, numbered(f"user-{number}" for number in range(500)))
        checkpoint: dict[str, ShardPosition] = {}
        numbers = [record.sequence_number for record in read_all(stream, checkpoint)]
        stream.close()
        for file in (tmp_path / "log").iterdir():
            file.unlink()
        return numbers, checkpoint

    first, _ = fill_and_delete()
    second, checkpoint = fill_and_delete()
    assert max(first) < min(second)
    third = EmbeddedStream(tmp_path / "log" / "stream.db", "events", clock=lambda: 0.0)
    third.create(2)
    with pytest.raises(StreamGap):
        read_all(third, checkpoint)
    third.close()


def test_a_locked_file_is_a_verdict_of_each_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "BUSY_SECONDS", 0.01)
    stream = EmbeddedStream(tmp_path / "stream.db", "events")
    stream.create(1)
    other = sqlite3.connect(tmp_path / "stream.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    results = stream.put(numbered(["a", "b"]))
    assert [result.error for result in results] == [
        f"StreamBusy: {tmp_path}/stream.db is in use by another process (database is locked): try again"
    ] * 2
    other.execute("ROLLBACK")
    put_all(stream, numbered(["a", "b"]))
    other.close()
    stream.close()


def test_a_full_disk_is_a_verdict_of_each_record_and_loses_no_others(log: EmbeddedStream) -> None:
    put_all(log, numbered(["a"]))
    assert log._writer is not None
    (pages,) = log._writer.execute("PRAGMA page_count").fetchone()
    log._writer.execute(f"PRAGMA max_page_count = {pages + 1}")
    results = log.put([StreamRecord("b", os.urandom(100_000))])
    (error,) = (result.error for result in results)
    assert error is not None and error.startswith(f"StreamFull: {log.path} cannot grow (database or disk is full)")
    assert [record.partition_key for record in read_all(log)] == ["a"]


def test_a_file_that_is_no_log_is_named(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    path.write_bytes(b"not a database, but long enough to look like one" * 100)
    with pytest.raises(StreamError, match=r"stream\.db is no event stream"):
        EmbeddedStream(path, "events").shards()
    with pytest.raises(StreamError, match=r"stream\.db is no event stream"):
        EmbeddedStream(path, "events").put(numbered(["a"]))


def test_another_streams_file_and_another_format_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "stream.db"
    EmbeddedStream(path, "events").create(1)
    with pytest.raises(StreamNotFound, match="clicks"):
        EmbeddedStream(path, "clicks").create(1)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(StreamError, match="format 7"):
        EmbeddedStream(path, "events").shards()


def test_only_open_neighbours_can_be_resharded(tmp_path: Path) -> None:
    stream = EmbeddedStream(tmp_path / "stream.db", "events")
    stream.create(3)
    first, second, third = (shard.shard_id for shard in stream.shards())
    with pytest.raises(StreamError, match="neighbours"):
        stream.merge(first, third)
    stream.merge(first, second)
    with pytest.raises(StreamError, match="closed"):
        stream.split(first)
    stream.close()


def test_a_closed_stream_can_be_used_again(log: EmbeddedStream) -> None:
    put_all(log, numbered(["a"]))
    log.close()
    put_all(log, numbered(["b"]))
    assert len(read_all(log)) == 2
