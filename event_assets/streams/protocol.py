"""What every event stream offers: records in shards, in order, durable once put.

Only the types, limits and errors that the implementations share. No storage, no network and no retries.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

SEQUENCE_DIGITS = 56
MAX_RECORD_BYTES = 1_048_576
MAX_KEY_CHARACTERS = 256
HASH_BYTES = 16
HASH_KEYS = 1 << 8 * HASH_BYTES

RECORD_TOO_LARGE = "RecordTooLarge"
INVALID_PARTITION_KEY = "InvalidPartitionKey"
PERMANENT_ERRORS = (RECORD_TOO_LARGE, INVALID_PARTITION_KEY)
"""Starts of `PutResult.error` that no retry can mend."""


class StreamError(Exception):
    """A stream cannot do what was asked of it."""


class StreamNotFound(StreamError):
    """There is no stream of this name, or it has no shard of this id."""


class StreamBusy(StreamError):
    """The stream refused for longer than we wait: throttled, locked or out of reach. Asking later may work."""


class StreamFull(StreamError):
    """The stream has no room for another record. It takes them again once there is room."""


class StreamReadOnly(StreamError):
    """The stream's file or folder may not be written by this user."""


class StreamDamaged(StreamError):
    """What the stream keeps cannot be read any more. No retry mends it: `event-assets doctor` says what does."""


class StreamGap(StreamError):
    """Records after the checkpoint are no longer on the stream: they were trimmed before anybody read them.

    `expected_after` is the sequence number of the last record that was read, `trim_horizon` that of the first
    record which is still there (None: nothing is there, or the shard itself is gone).
    """

    def __init__(self, shard_id: str, expected_after: str, trim_horizon: str | None) -> None:
        there = f"the oldest record is {trim_horizon}" if trim_horizon else "nothing older than now is left"
        super().__init__(
            f"Records of {shard_id} after {expected_after} were trimmed before they were read: {there}. "
            "Either they outlived the stream's retention, or the stream was deleted and made anew."
        )
        self.shard_id = shard_id
        self.expected_after = expected_after
        self.trim_horizon = trim_horizon


class StreamRecord(NamedTuple):
    """A record to put. Records of one `partition_key` go to one shard and keep their order."""

    partition_key: str
    data: bytes


class StoredRecord(NamedTuple):
    """A record as the stream keeps it. `sequence_number` has 56 digits, so that text order is stream order.

    `arrived_at` is in UTC.
    """

    shard_id: str
    sequence_number: str
    partition_key: str
    data: bytes
    arrived_at: dt.datetime


class Shard(NamedTuple):
    """One ordered part of a stream. A closed shard takes no more records; its children are read after it.

    `trimmed_through`: the last record that was trimmed, where the stream keeps that and numbers all shards together.
    `first_hash`: where the hashes of the keys begin that it takes (`hash_key`); the next shard's are where they end.
    """

    shard_id: str
    parents: tuple[str, ...]
    closed: bool
    first_sequence_number: str
    last_sequence_number: str | None
    trimmed_through: str | None = None
    first_hash: int = 0


class PutResult(NamedTuple):
    """What became of one record: where it is, or `error` = a code, a colon and a sentence."""

    shard_id: str | None
    sequence_number: str | None
    error: str | None


class ReadResult(NamedTuple):
    """Consecutive records of one shard.

    `at_tip`: nothing more was there at the time of the read. `shard_ended`: nothing more will ever come; of a closed
    shard it may take one more read, without records, to learn that.
    """

    records: list[StoredRecord]
    at_tip: bool
    shard_ended: bool


class EventStream(Protocol):
    """A stream of records. Safe to use from several threads and several processes at once."""

    @property
    def name(self) -> str:
        """The stream's name."""

    def create(self, shards: int) -> None:
        """Make the stream with so many shards and wait until it can be used; nothing happens if it is there."""

    def put(self, records: Sequence[StreamRecord]) -> list[PutResult]:
        """Put records once: one result each, in order. A result without `error` means the record is durable.

        What a later attempt may mend (throttling, a lost connection, a full disk) is an `error` of the records
        concerned, with the error's name as its code; `StreamNotFound` and `StreamDamaged` are raised.
        """

    def require_writable(self) -> None:
        """Returns where a put would be taken now. Cheap: for readiness. Raises the `StreamError` that says why not."""

    def shards(self) -> list[Shard]:
        """All shards that are known, closed ones too. Raises `StreamNotFound`, `StreamBusy`."""

    def read(
        self, shard_id: str, after: str | None, max_records: int = 10_000, max_bytes: int = 10_000_000
    ) -> ReadResult:
        """The records that follow the sequence number `after`; None reads from the oldest record.

        Gives at least one record if there is one, however large. Raises `StreamGap` if records after `after`
        were trimmed, `StreamNotFound`, `StreamBusy`.
        """

    def has_records_after(self, shard_id: str, after: str | None) -> bool:
        """Whether `read` would give a record. Cheap. Raises what `read` raises."""

    def retention(self) -> dt.timedelta:
        """How long records are kept."""

    def split(self, shard_id: str) -> None:
        """Close a shard and halve its hash range between two children."""

    def merge(self, shard_id: str, adjacent_shard_id: str) -> None:
        """Close two shards whose hash ranges adjoin, the lower first, and give both ranges to one child."""

    def close(self) -> None:
        """Let go of connections. The stream itself stays."""


@runtime_checkable
class SparkReadable(EventStream, Protocol):
    """A stream that Spark's executors can read by themselves."""

    is_read_by_spark: bool
    """Whether they are to."""

    def span(self, shard_id: str, after: str | None) -> tuple[int, int] | None:
        """The number of the record that follows `after`, and the one behind the last; None where nothing is between
        them. Raises what `read` raises."""

    def spark_options(self, spans: Mapping[str, tuple[int, int]]) -> dict[str, str]:
        """Of Spark's source for it: these shards, each from a number to before another."""

    def spark_stream_options(self, after: Mapping[str, int | None], most: int) -> dict[str, str]:
        """Of the same source for a streaming query: these shards, each from the number after one (None: from its oldest
        record) on, so many records of each in a batch at the most."""


def hash_key(partition_key: str) -> int:
    """Where a partition key falls among the shards: its MD5 as a number, as in Kinesis.

    Half a surrogate pair counts too: no record's own key holds one, but a key whose events go into a record may.
    """
    return int.from_bytes(hash_bytes(partition_key))


def hash_bytes(partition_key: str) -> bytes:
    """The same as its bytes, which sort as the numbers do."""
    return hashlib.md5(partition_key.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()


def sequence_text(number: int | str) -> str:
    """A sequence number as 56 digits."""
    return str(number).zfill(SEQUENCE_DIGITS)


def refusal(record: StreamRecord) -> str | None:
    """Why no stream takes this record, as text for `PutResult.error`; None if it is fit."""
    key, data = record
    if not 1 <= len(key) <= MAX_KEY_CHARACTERS:
        return f"{INVALID_PARTITION_KEY}: it has {len(key)} characters, 1 to {MAX_KEY_CHARACTERS} are allowed"
    try:
        size = len(data) + (len(key) if key.isascii() else len(key.encode()))
    except UnicodeEncodeError:
        return f"{INVALID_PARTITION_KEY}: it holds half a surrogate pair, which UTF-8 cannot say"
    if size > MAX_RECORD_BYTES:
        return f"{RECORD_TOO_LARGE}: it has {size} bytes, {MAX_RECORD_BYTES} are allowed with its key"
    return None
