"""Amazon Kinesis as an `EventStream`, through boto3.

Reading waits out throttling and renews expired iterators by itself; putting is one attempt, its retries belong to
the writer. Nothing here knows the other streams.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from event_assets.streams.protocol import (
    PutResult,
    ReadResult,
    Shard,
    StoredRecord,
    StreamBusy,
    StreamError,
    StreamGap,
    StreamNotFound,
    StreamRecord,
    refusal,
    sequence_text,
)
from event_assets.streams.retry_policy import RetryPolicy

PUT_RECORDS = 500
PUT_BYTES = 5 * 1_048_576  # the lower of the two limits that Kinesis has had (5 and 10 MiB): it costs no throughput
READ_RECORDS = 10_000
READ_BACKOFF = RetryPolicy(base_seconds=0.2)
EMPTY_PAGES = 10_000  # each moves on by minutes of a quiet shard: more than a year of retention

TRANSIENT = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "KMSThrottlingException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestTimeout",
        "ResourceInUseException",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
    }
)


class _IteratorExpired(StreamError):
    """A shard iterator is older than five minutes."""


class _InvalidArgument(StreamError):
    """Kinesis does not take an argument, such as a sequence number of another stream."""


class _Cursor(NamedTuple):
    """An iterator that continues after the sequence number `after`; `before`: that record itself comes first."""

    after: str | None
    iterator: str
    before: bool


class KinesisStream:
    """The Kinesis data stream `name`.

    `endpoint_url` points to an emulator or a private endpoint; credentials come from where boto3 looks for them.
    `client` replaces the boto3 client, `backoff` says how long reading waits for throughput.
    """

    def __init__(
        self,
        name: str,
        *,
        region: str = "us-east-1",
        endpoint_url: str | None = None,
        client: Any = None,
        backoff: RetryPolicy = READ_BACKOFF,
    ) -> None:
        self._name = name
        self._region = region
        self._endpoint_url = endpoint_url
        self._made_client = client
        self._making_client = threading.Lock()
        self._backoff = backoff
        self._cursors: dict[str, _Cursor] = {}

    def __reduce__(self) -> tuple[object, ...]:
        """The same stream, asked by another process, with the credentials that it finds."""
        return partial(KinesisStream, self._name, region=self._region, endpoint_url=self._endpoint_url), ()

    @property
    def name(self) -> str:
        return self._name

    @property
    def _client(self) -> Any:
        with self._making_client:
            if self._made_client is None:
                # Our own loops retry: they know which calls may be repeated and tell each record's verdict.
                config = Config(
                    retries={"total_max_attempts": 1, "mode": "standard"},
                    connect_timeout=5,
                    read_timeout=30,
                    max_pool_connections=32,
                )
                self._made_client = boto3.session.Session().client(
                    "kinesis", region_name=self._region, endpoint_url=self._endpoint_url, config=config
                )
            return self._made_client

    def create(self, shards: int) -> None:
        try:
            self._summary()
        except StreamNotFound:
            try:
                self._client.create_stream(StreamName=self._name, ShardCount=shards)
            except ClientError as error:
                if _code(error) != "ResourceInUseException":
                    raise StreamError(f"Kinesis stream {self._name} could not be created: {error}") from error
        self._wait_until_active()

    def _wait_until_active(self) -> None:
        failures = 0
        while (status := self._summary()["StreamStatus"]) != "ACTIVE":
            failures += 1
            if status == "DELETING" or not RetryPolicy(attempts=120, base_seconds=0.25, cap_seconds=2).wait(failures):
                raise StreamBusy(f"Kinesis stream {self._name} is {status}")

    def _summary(self) -> dict[str, Any]:
        summary: dict[str, Any] = self._ask("describe_stream_summary", StreamName=self._name)
        return dict(summary["StreamDescriptionSummary"])

    def retention(self) -> dt.timedelta:
        return dt.timedelta(hours=int(self._summary()["RetentionPeriodHours"]))

    def put(self, records: Sequence[StreamRecord]) -> list[PutResult]:
        results: list[PutResult | None] = [None] * len(records)
        fit = []
        for index, record in enumerate(records):
            fault = refusal(record)
            if fault is None:
                fit.append(index)
            else:
                results[index] = PutResult(None, None, fault)
        for chunk in _chunks(records, fit):
            for index, result in zip(chunk, self._put_chunk([records[index] for index in chunk]), strict=True):
                results[index] = result
        return [result for result in results if result is not None]

    def _put_chunk(self, records: list[StreamRecord]) -> list[PutResult]:
        entries = [{"PartitionKey": key, "Data": data} for key, data in records]
        try:
            answer = self._client.put_records(StreamName=self._name, Records=entries)
        except ClientError as error:
            if _code(error) == "ResourceNotFoundException":
                raise StreamNotFound(str(error)) from error
            return [PutResult(None, None, f"{_code(error)}: {error}")] * len(records)
        except BotoCoreError as error:  # no answer: the records may be there or not, a repeat makes duplicates at worst
            return [PutResult(None, None, f"StreamUnavailable: {error}")] * len(records)
        return [_put_result(entry) for entry in answer["Records"]]

    def require_writable(self) -> None:
        self.shards()

    def shards(self) -> list[Shard]:
        return [_shard(listed) for listed in self._list_shards()]

    def _list_shards(self) -> Iterator[dict[str, Any]]:
        page = self._ask("list_shards", StreamName=self._name)
        yield from page["Shards"]
        while page.get("NextToken"):
            page = self._ask("list_shards", NextToken=page["NextToken"])
            yield from page["Shards"]

    def read(
        self, shard_id: str, after: str | None, max_records: int = 10_000, max_bytes: int = 10_000_000
    ) -> ReadResult:
        cursor = self._cursors.pop(shard_id, None)
        if cursor is None or cursor.after != after:
            cursor = self._new_cursor(shard_id, after)
        for _ in range(EMPTY_PAGES):
            limit = min(max_records + cursor.before, READ_RECORDS)
            try:
                page = self._ask("get_records", ShardIterator=cursor.iterator, Limit=limit)
            except _IteratorExpired:
                cursor = self._new_cursor(shard_id, after)
                continue
            ended = page.get("NextShardIterator") is None
            # A full page may have been cut by the limit, whatever it says about the time behind.
            at_tip = ended or (page.get("MillisBehindLatest", 0) == 0 and len(page["Records"]) < limit)
            records = _following(shard_id, cursor, page["Records"], ended)
            fitting = _within(records, max_bytes)
            if len(fitting) < len(records):
                return ReadResult(fitting, at_tip=False, shard_ended=False)
            if not ended:
                last = records[-1].sequence_number if records else after
                cursor = _Cursor(last, page["NextShardIterator"], cursor.before and not page["Records"])
                self._cursors[shard_id] = cursor
            if records or at_tip:
                return ReadResult(records, at_tip, ended)
        raise StreamBusy(f"{shard_id} of {self._name} gave {EMPTY_PAGES} empty pages in a row")

    def _new_cursor(self, shard_id: str, after: str | None) -> _Cursor:
        """An iterator at the oldest record, or at the record `after` itself: that it is still there proves that
        nothing after it was trimmed."""
        start = {"ShardIteratorType": "TRIM_HORIZON"}
        if after is not None:
            start = {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": after.lstrip("0") or "0"}
        try:
            answer = self._ask("get_shard_iterator", StreamName=self._name, ShardId=shard_id, **start)
        except _InvalidArgument as error:
            if after is None:
                raise
            raise StreamGap(shard_id, after, None) from error
        return _Cursor(after, answer["ShardIterator"], before=after is not None)

    def has_records_after(self, shard_id: str, after: str | None) -> bool:
        return bool(self.read(shard_id, after, max_records=1).records)

    def split(self, shard_id: str) -> None:
        for listed in self._list_shards():
            if listed["ShardId"] == shard_id:
                hashes = listed["HashKeyRange"]
                middle = (int(hashes["StartingHashKey"]) + int(hashes["EndingHashKey"])) // 2
                self._ask(
                    "split_shard", StreamName=self._name, ShardToSplit=shard_id, NewStartingHashKey=str(middle + 1)
                )
                return self._wait_until_active()
        raise StreamNotFound(f"Kinesis stream {self._name} has no shard {shard_id}")

    def merge(self, shard_id: str, adjacent_shard_id: str) -> None:
        self._ask("merge_shards", StreamName=self._name, ShardToMerge=shard_id, AdjacentShardToMerge=adjacent_shard_id)
        self._wait_until_active()

    def close(self) -> None:
        with self._making_client:
            if self._made_client is not None:
                self._made_client.close()
                self._made_client = None
        self._cursors.clear()

    def _ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """One call, repeated with back-off while Kinesis is throttling, failing or out of reach."""
        failures = 0
        while True:
            try:
                return dict(getattr(self._client, operation)(**arguments))
            except ClientError as error:
                if _code(error) not in TRANSIENT:
                    raise _permanent(error) from error
                cause: Exception = error
            except (HTTPClientError, ConnectionError) as error:
                cause = error
            except BotoCoreError as error:
                raise StreamError(f"Kinesis cannot be asked: {error}") from error
            failures += 1
            if not self._backoff.wait(failures):
                raise StreamBusy(f"Kinesis stream {self._name}, {operation}: {cause}") from cause


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def _permanent(error: ClientError) -> StreamError:
    kinds = {
        "ResourceNotFoundException": StreamNotFound,
        "ExpiredIteratorException": _IteratorExpired,
        "InvalidArgumentException": _InvalidArgument,
    }
    return kinds.get(_code(error), StreamError)(str(error))


def _chunks(records: Sequence[StreamRecord], indexes: list[int]) -> Iterator[list[int]]:
    """The indexes in runs that one PutRecords call takes."""
    chunk: list[int] = []
    size = 0
    for index in indexes:
        key, data = records[index]
        weight = len(key.encode()) + len(data)
        if chunk and (len(chunk) == PUT_RECORDS or size + weight > PUT_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(index)
        size += weight
    if chunk:
        yield chunk


def _put_result(entry: dict[str, Any]) -> PutResult:
    if entry.get("ErrorCode"):
        return PutResult(None, None, f"{entry['ErrorCode']}: {entry.get('ErrorMessage', '')}")
    return PutResult(entry["ShardId"], sequence_text(entry["SequenceNumber"]), None)


def _shard(listed: dict[str, Any]) -> Shard:
    parents = (listed.get("ParentShardId"), listed.get("AdjacentParentShardId"))
    sequences = listed["SequenceNumberRange"]
    last = sequences.get("EndingSequenceNumber")
    return Shard(
        listed["ShardId"],
        tuple(parent for parent in parents if parent),
        last is not None,
        sequence_text(sequences["StartingSequenceNumber"]),
        None if last is None else sequence_text(last),
        first_hash=int(listed["HashKeyRange"]["StartingHashKey"]),
    )


def _following(shard_id: str, cursor: _Cursor, found: list[dict[str, Any]], ended: bool) -> list[StoredRecord]:
    """The records after the cursor's. Raises `StreamGap` if the cursor's own record should come first and does not.

    On an open shard where nothing is found there is nothing to miss yet.
    """
    records = [
        StoredRecord(
            shard_id,
            sequence_text(record["SequenceNumber"]),
            record["PartitionKey"],
            record["Data"],
            record["ApproximateArrivalTimestamp"].astimezone(dt.UTC),
        )
        for record in found
    ]
    if not cursor.before or cursor.after is None:
        return records
    if records and records[0].sequence_number == cursor.after:
        return records[1:]
    if records or ended:
        raise StreamGap(shard_id, cursor.after, records[0].sequence_number if records else None)
    return []


def _within(records: list[StoredRecord], max_bytes: int) -> list[StoredRecord]:
    """As many records as fit into `max_bytes`, at least one."""
    size = 0
    for index, record in enumerate(records):
        size += len(record.data)
        if index and size > max_bytes:
            return records[:index]
    return records
