"""Files of what other SDKs send, brought in through the collector's translators."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from event_assets.collector.protocols.router import PROTOCOLS
from event_assets.contract.decoder import Decoded, EventDecoder
from event_assets.importing import Format, ImportStopped, Preview, StreamSink, Translator, import_file
from event_assets.settings import Settings, load_settings
from event_assets.stack.rejected import protocol_said
from event_assets.streams import EventStream, open_stream
from event_assets_tests.collector.protocols.test_segment import JSON
from event_assets_tests.collector.serving import written
from event_assets_tests.importing.test_importer import Breaking

Json = dict[str, Any]
AT, SENT, RECEIVED = "2020-02-29T12:00:00Z", "2020-02-29T12:00:05Z", "2020-02-29T12:00:06Z"
SEGMENT: Json = {
    "type": "track",
    "event": "Order Completed",
    "messageId": "m-1",
    "userId": "u-1",
    "originalTimestamp": AT,
    "sentAt": SENT,
    "properties": {"revenue": 12.5},
    "context": {"library": {"name": "analytics-node", "version": "3.1.0"}},
}
SNOWPLOW: Json = {"duid": "d", "dtm": "1582977600000", "p": "web", "url": "https://x.example/"}
SAMPLES: dict[Format, list[Json]] = {
    "segment": [
        SEGMENT | {"receivedAt": RECEIVED},
        {"batch": [SEGMENT | {"messageId": "m-2"}, SEGMENT | {"messageId": "m-3", "type": "group", "groupId": "g"}]},
    ],
    "rudderstack": [SEGMENT | {"receivedAt": RECEIVED, "channel": "server"}],
    "snowplow": [
        {
            "schema": "iglu:payload_data",
            "data": [{"e": "pv", "eid": "e-1", "duid": "d", "dtm": "1582977600000", "p": "web"}],
        },
        {
            "e": "se",
            "se_ac": "add",
            "eid": "e-2",
            "duid": "d",
            "dtm": "1582977600000",
            "p": "srv",
            "url": "https://x.example/",
        },
    ],
    "posthog": [
        {"uuid": "p-1", "event": "$pageview", "distinct_id": "d", "timestamp": AT, "properties": {"$lib": "web"}},
        {
            "api_key": "k",
            "batch": [{"uuid": "p-2", "event": "a", "distinct_id": "d", "timestamp": AT}],
            "sent_at": SENT,
        },
    ],
    "amplitude": [
        {"api_key": "k", "events": [{"event_type": "a", "user_id": "u-1", "insert_id": "i-1", "time": 1582977600000}]},
        {
            "event_type": "b",
            "device_id": "d-1",
            "$insert_id": "i-2",
            "event_time": "2020-02-29 12:00:00.000000",
            "server_received_time": "2020-02-29 12:00:06.000000",
            "session_id": 1582977600000,
        },
    ],
    "mixpanel": [
        {"event": "a", "properties": {"distinct_id": "u-1", "$insert_id": "i-1", "time": 1582977600}},
        {"$token": "k", "$distinct_id": "u-1", "$time": 1582977600, "$set": {"plan": "pro"}},
    ],
    "ga4": [
        {
            "client_id": "c-1",
            "timestamp_micros": "1582977600000000",
            "events": [{"name": "page_view", "params": {"page_location": "https://x.example/"}}, {"name": "a"}],
        }
    ],
}
EVENTS = {"segment": 3, "rudderstack": 1, "snowplow": 2, "posthog": 2, "amplitude": 2, "mixpanel": 2, "ga4": 2}
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "ndjson": bytes,
    "ndjson.gz": gzip.compress,
    "json.zst": zstandard.compress,
}
DECODER = EventDecoder()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home")


@pytest.fixture
def stream(settings: Settings) -> Iterator[EventStream]:
    opened = open_stream(settings)
    opened.create(1)
    yield opened
    opened.close()


def file_of(folder: Path, lines: list[Any], ending: str = "ndjson") -> Path:
    file = folder / f"export.{ending}"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    text = f"[{','.join(texts)}]" if ending.startswith("json") else "\n".join(texts)
    file.write_bytes(PACKED[ending](text.encode()))
    return file


def on(stream: EventStream) -> list[Json]:
    return sorted((json.loads(line) for line in written(stream)), key=lambda event: str(event.get("event_id")))


@pytest.mark.parametrize("ending", sorted(PACKED))
@pytest.mark.parametrize("format_", get_args(Format))
def test_requests_and_single_events_of_every_protocol_are_events_at_their_own_time(
    tmp_path: Path, settings: Settings, stream: EventStream, format_: Format, ending: str
) -> None:
    file = file_of(tmp_path, SAMPLES[format_], ending)
    result = import_file(file, Translator(format_, file.name), StreamSink(settings, stream))
    assert (result.lines, result.accepted, result.aside) == (len(SAMPLES[format_]), EVENTS[format_], {})
    for line in written(stream):
        verdict = DECODER.decode(line)
        assert isinstance(verdict, Decoded)
        event = verdict.event
        happened = event.derived_at or event.received_at
        assert happened is not None and happened.isoformat().startswith("2020-02-29T12:00:0")


def test_a_receipt_that_the_file_tells_is_believed_and_sets_the_clock_right(tmp_path: Path) -> None:
    [text] = Translator("segment", "f").events(1, json.dumps(SEGMENT | {"receivedAt": RECEIVED}).encode())
    event = json.loads(text)
    assert (event["received_at"], event["sent_at"], "derived_at" in event) == (RECEIVED, SENT, False)
    [text] = Translator("segment", "f").events(1, json.dumps(SEGMENT).encode())
    event = json.loads(text)
    assert (event["derived_at"], "received_at" in event) == (AT, False)


def test_a_number_that_json_has_not_is_none() -> None:
    line = json.dumps(SEGMENT | {"properties": {"a": float("nan"), "b": "NaN"}}).encode()
    [text] = Translator("segment", "f").events(1, line)
    assert json.loads(text)["properties"] == {"a": None, "b": "NaN"}


def test_an_event_without_an_id_gets_one_of_the_file_its_line_and_what_it_says(
    tmp_path: Path, settings: Settings, stream: EventStream
) -> None:
    message = {name: value for name, value in SEGMENT.items() if name not in ("messageId", "originalTimestamp")}
    file = file_of(tmp_path, [message, message, {"batch": [message, message]}])
    for _ in range(2):
        import_file(file, Translator("segment", file.name), StreamSink(settings, stream))
    ids = [event["event_id"] for event in on(stream)]
    assert (len(ids), len({*ids})) == (8, 4)
    [other] = Translator("segment", "another file").events(1, json.dumps(message).encode())
    assert json.loads(other)["event_id"] not in ids


def test_an_import_that_was_stopped_goes_on_and_doubles_nothing(
    tmp_path: Path, settings: Settings, stream: EventStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("event_assets.importing.importer.BATCH_LINES", 4)
    message = {name: value for name, value in SEGMENT.items() if name != "messageId"}
    file = file_of(tmp_path, [{"batch": [message] * 3}] * 10)
    how, sink, marks = Translator("segment", file.name), StreamSink(settings, stream), tmp_path / "marks"
    with pytest.raises(ImportStopped):
        import_file(file, how, Breaking(sink, 5), bookmarks=marks)
    result = import_file(file, how, sink, bookmarks=marks)
    assert result.resumed_after == 4 and len({event["event_id"] for event in on(stream)}) == 30
    assert not [*marks.iterdir()]


def test_what_nobody_can_read_and_what_breaks_the_contract_is_set_aside(
    tmp_path: Path, settings: Settings, stream: EventStream
) -> None:
    lines = [SEGMENT, "[1", "17", SEGMENT | {"event": "", "receivedAt": 17}, {"batch": [{}, 5]}]
    result = import_file(file_of(tmp_path, lines), Translator("segment", "f"), StreamSink(settings, stream))
    assert result.accepted == 1 and sum(result.aside.values()) == 5 and not result.is_refused
    other = file_of(tmp_path, [{"a": 1}])
    assert import_file(other, Translator("ga4", "f"), StreamSink(settings, stream)).is_refused


@pytest.mark.parametrize("format_", get_args(Format))
def test_what_is_set_aside_names_its_protocol(
    tmp_path: Path, settings: Settings, stream: EventStream, format_: Format
) -> None:
    translator = Translator(format_, "f")
    assert translator.protocol in PROTOCOLS
    lines = ['{"event":"","x":[1]}', "{ }", "[1", "17", '{"a":']
    sink = StreamSink(settings, stream, protocol=translator.protocol)
    result = import_file(file_of(tmp_path, lines), translator, sink)
    aside = [data for data in written(stream) if protocol_said(data) == translator.protocol]
    assert len(aside) == sum(result.aside.values()) >= 3
    assert any(b'"a":' in data for data in aside) and any(b'"[1"' in data for data in aside)


def test_a_preview_writes_nothing_and_shows_the_first_events_and_what_would_be_quarantined(
    tmp_path: Path, settings: Settings
) -> None:
    refusing = SEGMENT | {"context": {"consent": {"categoryPreferences": {"Analytics": False}}}, "event": ""}
    file = file_of(tmp_path, [SEGMENT | {"event": ""}, refusing, *[SEGMENT] * 20])
    preview = Preview(settings)
    result = import_file(file, Translator("segment", file.name, "server"), preview)
    assert (result.accepted, result.aside, result.dropped) == (20, {"missing_field": 1}, 1)
    shown = preview.shown()
    assert [event["platform"] for event in shown["first"]] == ["server"] * 5
    [broken] = shown["quarantined"]
    assert "missing_field" in broken["reason"] and json.loads(broken["line"])["event_id"] == "m-1"
    assert not (settings.home / "stream").exists()


@given(st.sampled_from(get_args(Format)), JSON | st.dictionaries(st.sampled_from(["batch", "data", "events"]), JSON))
def test_no_line_crashes_a_translator_and_what_it_gives_gets_a_verdict(format_: Format, line: Any) -> None:
    for text in Translator(format_, "f").events(1, json.dumps(line).encode()):
        DECODER.decode(text)
