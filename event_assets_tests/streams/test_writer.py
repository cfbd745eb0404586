"""The writer: few records for many events, again only what failed, a verdict for each event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from event_assets.contract.records import unpack
from event_assets.streams import (
    EventLines,
    EventStream,
    PutResult,
    RetryPolicy,
    Shard,
    ShardMap,
    StreamBusy,
    StreamRecord,
    StreamWriter,
)
from event_assets.streams.embedded import EmbeddedStream
from event_assets_tests.streams.reading import by_key, numbered, read_all


class Failing:
    """An embedded log that refuses the records that `fails` picks, each put anew; the others are written."""

    def __init__(self, log: EmbeddedStream, *rounds: set[int]) -> None:
        self.log = log
        self.rounds = list(rounds)
        self.puts: list[int] = []

    def shards(self) -> list[Shard]:
        return self.log.shards()

    def put(self, records: Sequence[StreamRecord]) -> list[PutResult]:
        self.puts.append(len(records))
        failing = self.rounds.pop(0) if self.rounds else set()
        written = iter(self.log.put([record for index, record in enumerate(records) if index not in failing]))
        refused = PutResult(None, None, "ProvisionedThroughputExceededException: Rate exceeded")
        return [refused if index in failing else next(written) for index in range(len(records))]


def impatient(attempts: int = 10) -> RetryPolicy:
    return RetryPolicy(attempts, sleep=lambda _: None)


def writer(stream: object, attempts: int = 10) -> StreamWriter:
    return StreamWriter(cast(EventStream, stream), impatient(attempts))


def test_only_what_failed_is_written_again(log: EmbeddedStream) -> None:
    failing = Failing(log, {0, 2, 4}, {1}, {0})
    results = writer(failing).write(numbered(["a", "b", "c", "d", "e"]))
    assert failing.puts == [5, 3, 1, 1]
    stored = {record.sequence_number: record.partition_key for record in read_all(log)}
    assert [stored[cast(str, result.sequence_number)] for result in results] == ["a", "b", "c", "d", "e"]


def test_what_fails_to_the_end_says_so_and_the_rest_is_durable(log: EmbeddedStream) -> None:
    results = writer(Failing(log, {1}, {0}, {0}), attempts=3).write(numbered(["a", "b", "c"]))
    assert [result.error is None for result in results] == [True, False, True]
    assert by_key(read_all(log)) == {"a": [b"0"], "c": [b"2"]}


def test_what_no_retry_can_mend_is_tried_once(log: EmbeddedStream) -> None:
    failing = Failing(log)
    results = writer(failing).write([StreamRecord("a", bytes(2_000_000)), StreamRecord("b", b"1")])
    assert failing.puts == [2]
    assert [result.error is None for result in results] == [False, True]


def test_the_wait_is_random_up_to_a_bound_that_doubles_to_its_cap() -> None:
    asked: list[tuple[float, float]] = []
    slept: list[float] = []

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return high / 2

    backoff = RetryPolicy(5, base_seconds=1.0, cap_seconds=3.0, sleep=slept.append, uniform=uniform)
    assert [backoff.wait(failures) for failures in range(1, 6)] == [True, True, True, True, False]
    assert asked == [(0.0, 1.0), (0.0, 2.0), (0.0, 3.0), (0.0, 3.0)]
    assert slept == [0.5, 1.0, 1.5, 1.5]


def test_what_is_not_durable_is_said_by_key_and_the_rest_is_there(log: EmbeddedStream) -> None:
    one, other = keys_of_two_shards(log)
    events = [
        EventLines([one, one, other], [b'{"n":1}', b'{"n":2}', b'{"n":3}']),
        EventLines([one], [b'{"n":4}']),
    ]
    errors = writer(Failing(log, {1}), attempts=1).write_events(events)
    assert errors == {other: "ProvisionedThroughputExceededException: Rate exceeded"}
    assert [unpack(record.data) for record in read_all(log)] == [[b'{"n":1}', b'{"n":2}', b'{"n":4}']]
    assert writer(log).write_events([]) == {}


def test_an_event_is_durable_only_if_all_records_of_its_key_are(log: EmbeddedStream) -> None:
    events = [EventLines(["a"], [bytes([65 + number]) * 20_000]) for number in range(3)]
    assert writer(Failing(log, {1}), attempts=1).write_events(events, "plain").keys() == {"a"}


def test_shards_that_the_stream_was_cut_into_meanwhile_are_seen(log: EmbeddedStream) -> None:
    writes = writer(log)
    assert writes.write_events([EventLines(["a"], [b"1"])]) == {}
    log.split(open_shards(log)[0])
    assert writes.write_events([EventLines([f"user-{number}" for number in range(9)], [b"1"] * 9)]) == {}
    one, other = keys_of_two_shards(log)
    assert writes.write_events([EventLines([one, other], [b"one", b"other"])]) == {}
    stored = {unpack(record.data)[0]: record.shard_id for record in read_all(log)}
    assert (stored[b"one"], stored[b"other"]) == (shard_of(log, one), shard_of(log, other))


def test_shards_are_asked_for_now_and_then_and_an_old_answer_is_better_than_none(log: EmbeddedStream) -> None:
    now = [0.0]
    asked: list[int] = []

    class Throttled(Failing):
        def shards(self) -> list[Shard]:
            asked.append(1)
            if len(asked) > 1:
                raise StreamBusy("Rate exceeded")
            return super().shards()

    writes = StreamWriter(cast(EventStream, Throttled(log)), impatient(), clock=lambda: now[0])
    for now[0] in (0.0, 5.0, 11.0, 12.0):
        assert writes.write_events([EventLines(["a"], [b"1"])]) == {}
    assert len(asked) == 3
    with pytest.raises(StreamBusy):
        StreamWriter(cast(EventStream, Throttled(log)), impatient()).write_events([EventLines(["a"], [b"1"])])


def open_shards(log: EmbeddedStream) -> list[str]:
    return [shard.shard_id for shard in log.shards() if not shard.closed]


def shard_of(log: EmbeddedStream, key: str) -> str | None:
    (result,) = log.put([StreamRecord(key, b"")])
    return result.shard_id


def keys_of_two_shards(log: EmbeddedStream) -> tuple[str, str]:
    """A key of one shard and one of another: where the stream has a single one, it is split."""
    if len(open_shards(log)) == 1:
        log.split(open_shards(log)[0])
    shards = ShardMap(log.shards())
    of_shard = {shards.record_key(key): key for key in (f"user-{number}" for number in range(50))}
    one, other, *_ = of_shard.values()
    return one, other
