"""Imports onto the embedded stream, and through the real ingest API."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import zstandard

from event_assets.collector import WriteKeys
from event_assets.contract.decoder import Decoded, EventDecoder
from event_assets.importing import (
    ApiSink,
    FieldMapping,
    FileAside,
    ImportProgress,
    ImportStopped,
    StreamAside,
    StreamSink,
    Written,
    find_mapping,
    import_file,
    importer,
)
from event_assets.importing.reading import MAX_LINE_BYTES, read_lines
from event_assets.importing.sinks import SinkError
from event_assets.settings import Settings, load_settings
from event_assets.streams import EventStream, open_stream
from event_assets_tests.collector.serving import serving, written

SAMPLE = Path(__file__).parent.parent / "data" / "sample.ndjson.gz"
GIT_ACTIVITY = Path(os.environ.get("EVENT_ASSETS_TEST_DATA", "../shared/data")) / "git_activity/git_activity.ndjson.gz"


def _event(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "event_id": f"e{number}",
        "event": "commit",
        "user_id": f"u{number % 3}",
        "platform": "server",
        "occurred_at": "2020-02-29T12:00:00Z",
        "derived_at": "2020-02-29T12:00:00Z",
        "received_at": "2020-03-01T12:00:00Z",
        **fields,
    }


def _file(path: Path, lines: Sequence[bytes | dict[str, Any]]) -> Path:
    text = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines) + b"\n"
    packers: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstandard.compress}
    pack = packers.get(path.suffix, bytes)
    path.write_bytes(pack(text))
    return path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home", collector_ip_rate=0)


@pytest.fixture
def stream(settings: Settings) -> Iterator[EventStream]:
    opened = open_stream(settings)
    opened.create(2)
    yield opened
    opened.close()


@pytest.fixture
def sink(settings: Settings, stream: EventStream) -> StreamSink:
    return StreamSink(settings, stream)


@pytest.mark.parametrize("name", ["events.ndjson", "events.ndjson.gz", "events.ndjson.zst"])
def test_every_event_of_a_file_is_on_the_stream(
    tmp_path: Path, sink: StreamSink, stream: EventStream, name: str
) -> None:
    events = [_event(number) for number in range(100)]
    result = import_file(_file(tmp_path / name, events), None, sink)
    assert (result.lines, result.accepted, result.aside) == (100, 100, {})
    assert sorted(json.loads(line)["event_id"] for line in written(stream)) == sorted(e["event_id"] for e in events)


def test_a_trusted_source_says_when_events_were_received_and_happened(
    tmp_path: Path, sink: StreamSink, stream: EventStream
) -> None:
    import_file(_file(tmp_path / "f.ndjson", [_event(1)]), None, sink)
    decoded = EventDecoder().decode(written(stream)[0])
    assert isinstance(decoded, Decoded)
    assert decoded.event.received_at is not None
    assert decoded.event.derived_at is not None
    assert decoded.event.received_at.isoformat() == "2020-03-01T12:00:00+00:00"
    assert decoded.event.derived_at.isoformat() == "2020-02-29T12:00:00+00:00"


def test_lines_that_are_no_events_go_on_byte_for_byte_and_are_counted_by_reason(
    tmp_path: Path, sink: StreamSink, stream: EventStream
) -> None:
    bad = [b"not json", b"[1,2]", b'{"kind":"no id"}', b'{"who":"\xff', b"\x1f\x8b"]
    mapping = FieldMapping.load(_mapping_file(tmp_path))
    good = {"id": "e1", "kind": "commit", "who": "u1"}
    result = import_file(_file(tmp_path / "f.ndjson", [*bad, good]), mapping, sink)
    assert result.accepted == 1
    assert sum(result.aside.values()) == len(bad)
    assert {"malformed_json", "not_an_object", "missing_field"} <= set(result.aside)
    lines = written(stream)
    assert len(lines) == len(bad) + 1
    assert {b"not json", b"[1,2]", b'{"who":"\xff', b"\x1f\x8b"} <= set(lines)


def _mapping_file(tmp_path: Path) -> Path:
    file = tmp_path / "mapping.yaml"
    file.write_text("fields: {event_id: id, event: kind, user_id: who, platform: {value: server}}")
    return file


def test_consent_and_ip_privacy_hold_for_imports_too(tmp_path: Path, sink: StreamSink, stream: EventStream) -> None:
    refused = _event(1, anonymous_id="a1", consent={"analytics": False}, ip="203.0.113.77")
    allowed = _event(2, ip="203.0.113.77")
    import_file(_file(tmp_path / "f.ndjson", [refused, allowed]), None, sink)
    second, first = sorted((json.loads(line) for line in written(stream)), key=lambda event: str(event["event_id"]))
    assert "user_id" not in first and "a1" not in first.values()
    assert "ip" not in first
    assert second["ip"] == "203.0.113.0"


def test_blank_lines_a_byte_order_mark_and_carriage_returns_do_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "f.ndjson"
    file.write_bytes(b'\xef\xbb\xbf{"a":1}\r\n\r\n  \n{"a":2}')
    assert [(line.number, line.text) for line in read_lines(file)] == [(1, b'{"a":1}'), (4, b'{"a":2}')]


def test_an_import_says_where_paths_were_found_also_after_it_went_on(
    tmp_path: Path, sink: StreamSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "BATCH_LINES", 2)
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("fields: {event_id: event_id, event: event, user_id: user_id, platform: plattform}")
    lines: list[bytes | dict[str, Any]] = [_event(1), _event(2), {"event": "x"}, _event(3), b"["]
    file = _file(tmp_path / "f.ndjson", lines)
    fields, marks = FieldMapping.load(mapping), tmp_path / "marks"
    with pytest.raises(ImportStopped):
        import_file(file, fields, Breaking(sink, 1), bookmarks=marks)
    result = import_file(file, fields, sink, bookmarks=marks)
    assert {found.path: found.lines for found in result.paths} == {
        "event_id": 3,
        "event": 4,
        "user_id": 3,
        "plattform": 0,
    }
    assert result.never_found == ("plattform (for platform)",)


def test_a_line_without_end_is_cut_and_the_next_one_read(tmp_path: Path, sink: StreamSink, stream: EventStream) -> None:
    endless = b'{"x":"' + b"x" * (2 * MAX_LINE_BYTES + 17) + b'"}'
    result = import_file(_file(tmp_path / "f.ndjson", [endless, _event(1)]), None, sink)
    assert (result.accepted, dict(result.aside)) == (1, {"too_large": 1})
    assert sorted(len(line) for line in written(stream))[1] == MAX_LINE_BYTES


class Breaking:
    """A sink that stops after some batches."""

    def __init__(self, sink: StreamSink, batches: int) -> None:
        self._sink = sink
        self._left = batches

    def write(self, lines: Sequence[bytes]) -> Written:
        if not self._left:
            raise SinkError("the stream is full")
        self._left -= 1
        return self._sink.write(lines)


def test_an_import_that_stopped_goes_on_after_its_last_durable_line(
    tmp_path: Path, sink: StreamSink, stream: EventStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "BATCH_LINES", 10)
    file = _file(tmp_path / "f.ndjson.gz", [_event(number) for number in range(95)])
    with pytest.raises(ImportStopped, match=r"the stream is full\. Lines up to 30 are in"):
        import_file(file, None, Breaking(sink, 3), bookmarks=tmp_path / "marks")
    result = import_file(file, None, sink, bookmarks=tmp_path / "marks")
    assert (result.resumed_after, result.lines) == (30, 65)
    assert Counter(json.loads(line)["event_id"] for line in written(stream)) == Counter(f"e{n}" for n in range(95))
    assert list((tmp_path / "marks").iterdir()) == []


def test_another_file_of_the_same_name_is_imported_from_its_beginning(
    tmp_path: Path, sink: StreamSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "BATCH_LINES", 10)
    file = _file(tmp_path / "f.ndjson", [_event(number) for number in range(50)])
    with pytest.raises(ImportStopped):
        import_file(file, None, Breaking(sink, 1), bookmarks=tmp_path / "marks")
    _file(file, [_event(number) for number in range(20)])
    assert import_file(file, None, sink, bookmarks=tmp_path / "marks").resumed_after == 0


def test_importing_twice_repeats_the_same_bytes_under_the_same_ids(
    tmp_path: Path, sink: StreamSink, stream: EventStream
) -> None:
    file = _file(tmp_path / "f.ndjson", [_event(number) for number in range(5)])
    import_file(file, None, sink)
    import_file(file, None, sink)
    assert set(Counter(written(stream)).values()) == {2}


def test_progress_goes_to_the_end_of_the_file(
    tmp_path: Path, sink: StreamSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "BATCH_LINES", 10)
    seen: list[ImportProgress] = []
    import_file(_file(tmp_path / "f.ndjson", [_event(number) for number in range(25)]), None, sink, seen.append)
    assert [progress.lines for progress in seen] == [10, 20, 25]
    assert seen[-1].share == 1.0


def test_through_the_ingest_api_the_same_events_arrive_and_refused_ones_are_set_aside(
    tmp_path: Path, settings: Settings, stream: EventStream
) -> None:
    keys = WriteKeys.of(settings)
    key = keys.create("history", "server", trusted=True)
    lines: list[bytes | dict[str, Any]] = [_event(number) for number in range(1_200)]
    file = _file(tmp_path / "f.ndjson", [*lines, b"not json", b'{"event_id":"broken"}'])
    with serving(settings, stream, keys) as client:
        result = import_file(file, None, ApiSink(str(client.base_url), key, StreamAside(stream, settings)))
    assert (result.accepted, dict(result.aside)) == (1_200, {"malformed_json": 1, "missing_field": 1})
    there = written(stream)
    assert len(there) == 1_202
    assert b"not json" in there
    event = next(json.loads(line) for line in there if b'"e7"' in line)
    assert event["received_at"] == "2020-03-01T12:00:00Z"


def test_where_only_the_api_can_be_reached_refused_lines_are_kept_in_a_file(
    tmp_path: Path, settings: Settings, stream: EventStream
) -> None:
    keys = WriteKeys.of(settings)
    key = keys.create("history", "server", trusted=True)
    huge = json.dumps(_event(1, properties={"x": "y" * 2_000_000})).encode()
    aside = FileAside(tmp_path / "refused.ndjson")
    with serving(settings, stream, keys) as client:
        written_ = ApiSink(str(client.base_url), key, aside).write([b"not json", json.dumps(_event(2)).encode(), huge])
    assert (written_.accepted, sum(written_.aside.values())) == (1, 2)
    assert aside.path.read_bytes().splitlines() == [b"not json", huge]


def test_a_wrong_key_stops_an_import_with_what_the_api_says(
    tmp_path: Path, settings: Settings, stream: EventStream
) -> None:
    file = _file(tmp_path / "f.ndjson", [_event(1)])
    with (
        serving(settings, stream, WriteKeys.of(settings)) as client,
        pytest.raises(ImportStopped, match=r"401.*unknown_write_key"),
    ):
        import_file(file, None, ApiSink(str(client.base_url), "ea_nobody_nothing", FileAside(tmp_path / "aside")))


def test_the_sample_is_imported_with_its_broken_lines(sink: StreamSink, stream: EventStream) -> None:
    result = import_file(SAMPLE, None, sink)
    assert SAMPLE.stat().st_size < 300_000
    assert result.lines == result.accepted + sum(result.aside.values()) == len(written(stream))
    assert result.lines > 3_000
    assert "malformed_json" in result.aside


@pytest.mark.slow
@pytest.mark.release
@pytest.mark.skipif(not GIT_ACTIVITY.exists(), reason="the real data is not here")
def test_real_history_is_imported_whole(sink: StreamSink, stream: EventStream) -> None:
    result = import_file(GIT_ACTIVITY, find_mapping("git_activity"), sink)
    assert (result.lines, result.accepted, result.aside) == (610_735, 610_735, {})
