"""The writer: few records for many events, again only what failed, a verdict for each event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from event_assets.contract.records import unpack
from event_assets.streams import EventLines, EventStream, PutResult, RetryPolicy, StreamRecord, StreamWriter, aggregate
from event_assets.streams.embedded import EmbeddedStream
from event_assets_tests.streams.reading import by_key, numbered, read_all


class Failing:
    """An embedded log that refuses the records that `fails` picks, each put anew; the others are written."""

    def __init__(self, log: EmbeddedStream, *rounds: set[int]) -> None:
        self.log = log
        self.rounds = list(rounds)
        self.puts: list[int] = []

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


@pytest.mark.parametrize("encoding", ["zstd", "gzip", "plain"])
def test_events_of_a_key_share_records_of_25_kilobytes_in_their_order(encoding: str) -> None:
    events = [EventLines(f"user-{number % 3}", b'{"n":%d,"pad":"%s"}' % (number, b"x" * 700)) for number in range(300)]
    records = aggregate(events, encoding)  # type: ignore[arg-type]
    assert max(len(record.data) for record in records) <= 25_000
    for user in range(3):
        lines = [line for record in records if record.partition_key == f"user-{user}" for line in unpack(record.data)]
        assert lines == [each.text for each in events if each.key == f"user-{user}"]


def test_the_lines_of_a_text_are_events_like_others(log: EmbeddedStream) -> None:
    lines = [EventLines("a", b'{"n":1}\n{"n":2}', 2), EventLines("b", b'{"n":3}'), EventLines("a", b'{"n":4}')]
    assert writer(log).write_events(lines) == {}
    stored = by_key(read_all(log))
    assert {key: [unpack(record) for record in records] for key, records in stored.items()} == {
        "a": [[b'{"n":1}', b'{"n":2}', b'{"n":4}']],
        "b": [[b'{"n":3}']],
    }


def test_it_is_said_of_which_keys_the_events_are_not_durable(log: EmbeddedStream) -> None:
    events = [EventLines("a", b'{"n":1}'), EventLines("b", b'{"n":2}'), EventLines("a", b'{"n":3}')]
    errors = writer(Failing(log, {1}), attempts=1).write_events(events)
    assert errors == {"b": "ProvisionedThroughputExceededException: Rate exceeded"}


def test_an_event_is_durable_only_if_all_records_of_its_key_are(log: EmbeddedStream) -> None:
    events = [EventLines("a", bytes([65 + number]) * 20_000) for number in range(3)]
    assert writer(Failing(log, {1}), attempts=1).write_events(events, "plain").keys() == {"a"}
    assert writer(log).write_events([]) == {}
