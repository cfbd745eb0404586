"""From records to clean and quarantined events: each line ends in exactly one of the two, with what it said."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from event_assets.contract.plan import TrackingPlan
from event_assets.contract.records import pack
from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.transforms.events.clean import CleanRules, clean, quarantine
from event_assets_tests.examples import examples
from event_assets_tests.factories import NOON, frame, rows_of

RULES = CleanRules(TrackingPlan(), dt.date(2010, 1, 1))
_WEB = {"event": "search", "platform": "web", "anonymous_id": "a1", "received_at": NOON.isoformat()}


def sent(event_id: str = "e1", **fields: Any) -> bytes:
    """A valid event as its text."""
    return json.dumps({"event_id": event_id, **_WEB, **fields}).encode()


def records(spark: SparkSession, *contents: bytes) -> DataFrame:
    """One record for each content."""
    rows = [
        {
            "arrival_date": NOON.date(),
            "arrival_hour": NOON.hour,
            "arrived_at": NOON,
            "stream": "events",
            "shard_id": "shardId-000000000000",
            "sequence_number": f"{number:056}",
            "partition_key": "a1",
            "data": content,
            "events": 1,
        }
        for number, content in enumerate(contents)
    ]
    return frame(spark, rows, RAW_EVENTS)


def packed(lines: Sequence[bytes]) -> bytes:
    (record,) = pack(lines)
    return record


def test_integers_outside_64_bits_are_kept_as_strings_and_their_neighbours_as_they_were(
    spark_engine: SparkSession,
) -> None:
    long = b'{"order": 18446744073709551616, "paid": 9223372036854775807, "name": "18446744073709551616"}'
    lines = [sent("e1", properties={}).replace(b'"properties": {}', b'"properties": ' + long), sent("e2", more=2**70)]
    first, second = rows_of(clean(records(spark_engine, packed(lines)), RULES))
    assert first["properties"] == long.decode().replace("18446744073709551616,", '"18446744073709551616",')
    assert json.loads(second["extra"]) == {"more": str(2**70)}


def test_ids_that_advertisers_know_a_device_by_are_left_out_where_marketing_is_refused(spark: SparkSession) -> None:
    device = {"id": "d-1", "advertising_id": "ad-1", "manufacturer": "Google", "ad_tracking": True}
    told = [(str(said), {"marketing": said}) for said in (None, True, False)]
    lines = [sent(name, device=device, consent=consent) for name, consent in told]
    rows = rows_of(clean(records(spark, packed(lines)), RULES))
    names = ("event_id", "device_id", "device_advertising_id", "device_manufacturer", "device_ad_tracking")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("None", "d-1", "ad-1", "Google", True),
        ("True", "d-1", "ad-1", "Google", True),
        ("False", None, None, "Google", True),
    ]


def test_every_line_of_a_record_is_clean_or_quarantined_with_its_bytes_and_its_reason(
    spark_engine: SparkSession,
) -> None:
    lines = [sent("e1"), b"{", sent("e2", platform="fridge"), sent("e3")]
    raw = records(spark_engine, packed(lines), b"\x28\xb5\x2f\xfdgarbage")
    assert [(row["event_id"], row["line"]) for row in rows_of(clean(raw, RULES))] == [("e1", 0), ("e3", 3)]
    set_aside = sorted(rows_of(quarantine(raw, RULES)), key=lambda row: (row["sequence_number"], row["line"]))
    assert [(row["line"], row["reason"], row["event_id"], row["data"]) for row in set_aside] == [
        (1, "malformed_json", None, b"{"),
        (2, "invalid_value", "e2", lines[2]),
        (0, "bad_encoding", None, b"\x28\xb5\x2f\xfdgarbage"),
    ]


@examples(8)
@given(
    st.lists(
        st.sampled_from([sent(), sent(event="x" * 200), sent(occurred_at="2031-01-01T00:00:00Z")])
        | st.binary(min_size=1, max_size=60).filter(lambda text: text.strip() == text and b"\n" not in text),
        min_size=1,
        max_size=20,
    )
)
def test_whatever_a_record_holds_the_books_balance(spark: SparkSession, lines: list[bytes]) -> None:
    raw = records(spark, packed(lines))
    numbers = [row["line"] for made in (clean(raw, RULES), quarantine(raw, RULES)) for row in rows_of(made)]
    assert sorted(numbers) == list(range(len(lines)))


def test_no_clock_is_believed_more_than_a_day_ahead_of_the_streams(spark_engine: SparkSession) -> None:
    def at(**ahead: float) -> str:
        return (NOON + dt.timedelta(**ahead)).isoformat()

    received = {"on time": at(days=1), "ahead": at(days=1, seconds=1), "of 2126": "2126-03-01T10:00:00Z"}
    lines = [sent(name, received_at=when, derived_at=NOON.isoformat()) for name, when in received.items()]
    lines += [sent("agrees", received_at=received["ahead"], derived_at=received["ahead"])]
    lines += [sent("old", received_at=at(days=-900), derived_at=at(days=-898.5))]
    raw = records(spark_engine, packed(lines))
    assert [row["event_id"] for row in rows_of(clean(raw, RULES))] == ["on time"]
    set_aside = [(row["event_id"], row["reason"]) for row in rows_of(quarantine(raw, RULES))]
    assert sorted(set_aside) == [(name, "future") for name in ("agrees", "ahead", "of 2126", "old")]
