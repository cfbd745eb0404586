"""What an application says becomes the text of one event that the contract takes."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.decoder import Decoded, EventDecoder
from event_assets_sdk.events import MAX_EVENT_BYTES, InvalidEvent, QueuedEvent, event_of, line_of, text_of
from event_assets_tests.examples import examples, texts

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats()
    | texts()
    | st.characters(categories=["Cs"])
    | st.decimals()
    | st.datetimes()
    | st.dates()
    | st.uuids()
    | st.binary()
    | st.sets(st.integers())
    | st.just(object()),
    lambda parts: st.lists(parts) | st.dictionaries(texts() | st.integers() | st.tuples(st.integers()), parts),
    max_leaves=8,
)


def event(**more: Any) -> dict[str, Any]:
    return {"event_id": "e", "event": "search", "anonymous_id": "a", "platform": "server", **more}


def queued(text: bytes, sequence: int | None = 3, process: str = "p", steady: float = 10.0) -> QueuedEvent:
    return QueuedEvent(1, "e", sequence, text, 1_000.0, steady, process)


@examples(25)
@given(st.dictionaries(texts(), ANYTHING, max_size=4))
def test_whatever_the_properties_are_the_collector_can_read_the_event(properties: dict[str, Any]) -> None:
    line = line_of(queued(text_of(event(properties=properties))), "p", 0.0, 12.5)
    decoded = EventDecoder().decode(line)
    assert isinstance(decoded, Decoded), decoded
    assert decoded.event.sequence == 3


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (decimal.Decimal("9.90"), 9.9),
        (dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC), "2026-01-02T03:04:05.000Z"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Colour.RED, "red"),
        (Point(1), {"x": 1}),
        ((1, 2), [1, 2]),
        ({1}, [1]),
        (b"ab", "ab"),
        (float("nan"), None),
        ({1: {(2,): float("inf")}}, {"1": {"(2,)": None}}),
    ],
)
def test_values_that_json_does_not_know_are_kept_as_what_they_mean(value: Any, kept: Any) -> None:
    assert json.loads(text_of(event(properties={"x": value})))["properties"]["x"] == kept


def circular() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["self"] = value
    return value


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (event(event=""), "1 to 128"),
        (event(event="x" * 129), "1 to 128"),
        (event(event="a\nb"), "control characters"),
        (event(event=7), "control characters"),
        (event(anonymous_id=None), "whom"),
        (event(user_id=5), "user_id"),
        (event(session_id="s" * 129), "session_id"),
        (event(properties={"x": "y" * MAX_EVENT_BYTES}), "bytes"),
        (event(properties=circular()), "itself"),
    ],
)
def test_what_the_collector_would_refuse_is_refused_with_the_rule(broken: dict[str, Any], rule: str) -> None:
    with pytest.raises(InvalidEvent, match=rule):
        text_of(broken)


def test_number_and_time_of_sending_are_added_when_it_is_sent() -> None:
    text = text_of(event(sequence=99, sent_at="never"))
    assert json.loads(line_of(queued(text), "p", 0.0, 12.5)) == event(sequence=3, sent_at="1970-01-01T00:16:42.500Z")
    assert "sequence" not in json.loads(line_of(queued(text, sequence=None), "p", 0.0, 12.5))


def test_a_clock_that_was_set_does_not_change_how_old_an_event_is() -> None:
    line = line_of(queued(text_of(event())), "p", now=2_000_000_000.0, steady_now=70.0)
    assert json.loads(line)["sent_at"] == "1970-01-01T00:17:40.000Z"


@pytest.mark.parametrize(("process", "steady"), [("another", 10.0), ("p", 100.0)])
def test_an_event_of_another_process_or_boot_is_sent_at_the_time_of_the_clock(process: str, steady: float) -> None:
    line = line_of(queued(text_of(event()), process=process, steady=steady), "p", now=2_000.0, steady_now=70.0)
    assert json.loads(line)["sent_at"] == "1970-01-01T00:33:20.000Z"


def test_a_time_that_is_given_is_when_it_happened() -> None:
    at = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    said = event_of("search", None, {"occurred_at": at, "user_id": None, "context": {"page": {"url": "x"}}}, "e", 5.0)
    assert said == {
        "event_id": "e",
        "event": "search",
        "page": {"url": "x"},
        "occurred_at": "2026-01-02T01:04:05.000Z",
    }
