"""What no emulator does: Kinesis that throttles, fails in part, expires iterators, pages and trims."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from event_assets.streams import (
    RetryPolicy,
    ShardPosition,
    StreamBusy,
    StreamError,
    StreamGap,
    StreamReader,
    StreamRecord,
)
from event_assets.streams.kinesis import KinesisStream

ARRIVED = dt.datetime(2026, 11, 22, 12, tzinfo=dt.timezone(dt.timedelta(hours=2)))
SHARD = "shardId-000000000000"


class Waits:
    """A back-off that does not sleep and keeps the longest time that it might have."""

    def __init__(self) -> None:
        self.ceilings: list[float] = []

    def backoff(self, attempts: int = 5) -> RetryPolicy:
        return RetryPolicy(attempts, base_seconds=0.2, cap_seconds=1.0, sleep=lambda _: None, uniform=self._uniform)

    def _uniform(self, low: float, high: float) -> float:
        assert low == 0.0
        self.ceilings.append(high)
        return low


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def client(aws_credentials: None) -> Any:
    return boto3.session.Session().client("kinesis", region_name="us-east-1")


@pytest.fixture
def kinesis(client: Any) -> Iterator[Stubber]:
    """Answers in the order of the calls, and every answer is asked for."""
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def stream(client: Any, waits: Waits) -> KinesisStream:
    return KinesisStream("events", client=client, backoff=waits.backoff())


def record(number: int) -> dict[str, Any]:
    return {
        "SequenceNumber": str(number),
        "PartitionKey": "key",
        "Data": b"%d" % number,
        "ApproximateArrivalTimestamp": ARRIVED,
    }


def page(*numbers: int, following: str | None = "next", behind: int = 0) -> dict[str, Any]:
    answer: dict[str, Any] = {"Records": [record(number) for number in numbers], "MillisBehindLatest": behind}
    return answer | ({"NextShardIterator": following} if following else {})


def shard(number: int, parent: str | None = None) -> dict[str, Any]:
    return {
        "ShardId": f"shardId-{number:012d}",
        "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "9"},
        "SequenceNumberRange": {"StartingSequenceNumber": "1"},
    } | ({"ParentShardId": parent} if parent else {})


def padded(number: int) -> str:
    return str(number).zfill(56)


def test_a_partial_failure_is_told_record_by_record(kinesis: Stubber, stream: KinesisStream) -> None:
    throttled = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded"}
    kinesis.add_response(
        "put_records",
        {"FailedRecordCount": 1, "Records": [{"SequenceNumber": "7", "ShardId": SHARD}, throttled]},
    )
    results = stream.put([StreamRecord("a", b"1"), StreamRecord("b", b"2")])
    assert results[0] == (SHARD, padded(7), None)
    assert results[1] == (None, None, "ProvisionedThroughputExceededException: Rate exceeded")


def test_a_request_that_fails_keeps_the_verdicts_of_the_others(kinesis: Stubber, stream: KinesisStream) -> None:
    written = [{"SequenceNumber": str(number + 1), "ShardId": SHARD} for number in range(500)]
    kinesis.add_response("put_records", {"Records": written})
    kinesis.add_client_error("put_records", "InternalFailure", "try again", 500)
    results = stream.put([StreamRecord("a", b"1")] * 501)
    assert not any(result.error for result in results[:500])
    assert results[500].error is not None and results[500].error.startswith("InternalFailure: ")


def test_requests_keep_to_500_records_and_5_mebibytes(aws_credentials: None) -> None:
    requests: list[list[dict[str, Any]]] = []

    class Recorder:
        def put_records(self, **request: Any) -> dict[str, Any]:
            requests.append(request["Records"])
            return {"Records": [{"SequenceNumber": "1", "ShardId": SHARD} for _ in request["Records"]]}

    records = [StreamRecord("a" * 200, bytes(1_000))] * 1_001 + [StreamRecord("b", bytes(1_000_000))] * 7
    assert len(KinesisStream("events", client=Recorder()).put(records)) == 1_008
    sizes = [sum(len(entry["Data"]) + len(entry["PartitionKey"]) for entry in request) for request in requests]
    assert [len(request) for request in requests] == [500, 500, 6, 2]
    assert max(sizes) <= 5 * 1_048_576


def test_no_answer_is_an_error_of_the_records() -> None:
    class Unreachable:
        def put_records(self, **_: Any) -> None:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")

    (result,) = KinesisStream("events", client=Unreachable()).put([StreamRecord("a", b"1")])
    assert result.error is not None and result.error.startswith("StreamUnavailable: ")


def test_reading_waits_while_throughput_is_exceeded(kinesis: Stubber, stream: KinesisStream, waits: Waits) -> None:
    kinesis.add_client_error("get_shard_iterator", "ProvisionedThroughputExceededException")
    kinesis.add_response("get_shard_iterator", {"ShardIterator": "start"})
    for _ in range(4):
        kinesis.add_client_error("get_records", "ProvisionedThroughputExceededException")
    kinesis.add_response("get_records", page(1))
    assert [found.data for found in stream.read(SHARD, None).records] == [b"1"]
    assert waits.ceilings == [0.2, 0.2, 0.4, 0.8, 1.0]


def test_reading_gives_up_when_throttling_does_not_end(kinesis: Stubber, stream: KinesisStream) -> None:
    for _ in range(5):
        kinesis.add_client_error("get_shard_iterator", "LimitExceededException")
    with pytest.raises(StreamBusy, match="get_shard_iterator"):
        stream.read(SHARD, None)


def test_an_error_that_will_not_pass_is_not_repeated(kinesis: Stubber, stream: KinesisStream) -> None:
    kinesis.add_client_error("list_shards", "AccessDeniedException", "not authorised")
    with pytest.raises(StreamError, match="not authorised"):
        stream.shards()


def test_an_expired_iterator_is_renewed_where_reading_stood(kinesis: Stubber, stream: KinesisStream) -> None:
    kinesis.add_response("get_shard_iterator", {"ShardIterator": "start"})
    kinesis.add_response("get_records", page(1, 2, following="old"))
    assert stream.read(SHARD, None).at_tip
    expected = {
        "StreamName": "events",
        "ShardId": SHARD,
        "ShardIteratorType": "AT_SEQUENCE_NUMBER",
        "StartingSequenceNumber": "2",
    }
    kinesis.add_client_error("get_records", "ExpiredIteratorException", expected_params=None)
    kinesis.add_response("get_shard_iterator", {"ShardIterator": "renewed"}, expected)
    kinesis.add_response("get_records", page(2, 3), {"ShardIterator": "renewed", "Limit": 10_000})
    assert [found.data for found in stream.read(SHARD, padded(2)).records] == [b"3"]


def test_reading_on_uses_the_iterator_that_the_last_read_gave(kinesis: Stubber, stream: KinesisStream) -> None:
    kinesis.add_response("get_shard_iterator", {"ShardIterator": "start"})
    kinesis.add_response("get_records", page(1, following="second"))
    kinesis.add_response("get_records", page(following="third"), {"ShardIterator": "second", "Limit": 10_000})
    kinesis.add_response("get_records", page(2), {"ShardIterator": "third", "Limit": 1})
    stream.read(SHARD, None)
    assert stream.read(SHARD, padded(1)) == ([], True, False)
    assert stream.has_records_after(SHARD, padded(1))


def test_empty_pages_far_from_the_tip_are_passed(kinesis: Stubber, stream: KinesisStream) -> None:
    kinesis.add_response("get_shard_iterator", {"ShardIterator": "start"})
    for _ in range(3):
        kinesis.add_response("get_records", page(behind=86_400_000))
    kinesis.add_response("get_records", page(9, behind=5_000))
    result = stream.read(SHARD, None)
    assert ([found.data for found in result.records], result.at_tip) == ([b"9"], False)


def test_arrival_is_told_in_utc(kinesis: Stubber, stream: KinesisStream) -> None:
    kinesis.add_response("get_shard_iterator", {"ShardIterator": "start"})
    kinesis.add_response("get_records", page(1))
    (found,) = stream.read(SHARD, None).records
    assert found.arrived_at == ARRIVED and found.arrived_at.tzinfo is dt.UTC


def test_a_page_that_exceeds_the_bytes_is_cut_and_read_on(kinesis: Stubber, stream: KinesisStream) -> None:
    kinesis.add_response("get_shard_iterator", {"ShardIterator": "start"})
    kinesis.add_response("get_records", page(11, 12, 13, following=None))
    first = stream.read(SHARD, None, max_bytes=4)
    assert ([found.data for found in first.records], first.at_tip, first.shard_ended) == ([b"11", b"12"], False, False)
    kinesis.add_response("get_shard_iterator", {"ShardIterator": "again"})
    kinesis.add_response("get_records", page(12, 13, following=None))
    assert stream.read(SHARD, padded(12)).shard_ended


def test_shards_are_listed_page_by_page(kinesis: Stubber, stream: KinesisStream) -> None:
    kinesis.add_response("list_shards", {"Shards": [shard(0)], "NextToken": "more"}, {"StreamName": "events"})
    kinesis.add_client_error("list_shards", "LimitExceededException")
    kinesis.add_response("list_shards", {"Shards": [shard(1, parent=SHARD)]}, {"NextToken": "more"})
    found = stream.shards()
    assert [(listed.shard_id, listed.parents) for listed in found] == [
        (SHARD, ()),
        ("shardId-000000000001", (SHARD,)),
    ]


def test_a_checkpoint_that_was_trimmed_is_a_gap(kinesis: Stubber, stream: KinesisStream) -> None:
    kinesis.add_response("get_shard_iterator", {"ShardIterator": "start"})
    kinesis.add_response("get_records", page(behind=1))
    kinesis.add_response("get_records", page(8, 9))
    with pytest.raises(StreamGap) as gap:
        stream.read(SHARD, padded(5))
    assert (gap.value.expected_after, gap.value.trim_horizon) == (padded(5), padded(8))


@pytest.mark.slow
def test_a_closed_shard_without_its_checkpoint_is_a_gap(kinesis: Stubber, stream: KinesisStream) -> None:
    kinesis.add_response("get_shard_iterator", {"ShardIterator": "start"})
    kinesis.add_response("get_records", page(following=None))
    with pytest.raises(StreamGap):
        stream.read(SHARD, padded(5))


def test_an_open_shard_without_any_record_has_no_gap_yet(kinesis: Stubber, stream: KinesisStream) -> None:
    kinesis.add_response("get_shard_iterator", {"ShardIterator": "start"})
    kinesis.add_response("get_records", page())
    assert stream.read(SHARD, padded(5)) == ([], True, False)
    kinesis.add_response("get_records", page(8))
    with pytest.raises(StreamGap):
        stream.read(SHARD, padded(5))


def test_a_shard_that_was_seen_at_its_tip_since_was_only_quiet(kinesis: Stubber, stream: KinesisStream) -> None:
    now = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    retention = {
        "StreamDescriptionSummary": {
            "StreamName": "events",
            "StreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/events",
            "StreamStatus": "ACTIVE",
            "RetentionPeriodHours": 24,
            "StreamCreationTimestamp": now,
            "EnhancedMonitoring": [],
            "OpenShardCount": 1,
        }
    }

    def read_with(seen_at: dt.datetime) -> list[bytes]:
        kinesis.add_response("list_shards", {"Shards": [shard(0)]})
        kinesis.add_response("get_shard_iterator", {"ShardIterator": "start"})
        kinesis.add_response("get_records", page(8))
        kinesis.add_response("describe_stream_summary", retention)
        checkpoint = {SHARD: ShardPosition(padded(5), seen_at=seen_at)}
        return [found.data for batch in reader.read_new(checkpoint) for found in batch.records]

    reader = StreamReader(stream, clock=lambda: now)
    with pytest.raises(StreamGap):
        read_with(now - dt.timedelta(hours=25))
    kinesis.add_response("list_shards", {"Shards": [shard(0)]})
    kinesis.add_response("get_shard_iterator", {"ShardIterator": "start"})
    kinesis.add_response("get_records", page(8))
    kinesis.add_response("describe_stream_summary", retention)
    kinesis.add_response("get_shard_iterator", {"ShardIterator": "horizon"})
    kinesis.add_response("get_records", page(8))
    checkpoint = {SHARD: ShardPosition(padded(5), seen_at=now - dt.timedelta(hours=1))}
    assert [found.data for batch in reader.read_new(checkpoint) for found in batch.records] == [b"8"]
