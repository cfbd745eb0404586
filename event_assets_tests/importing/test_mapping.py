from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from event_assets.contract.decoder import Decoded, EventDecoder, Rejection
from event_assets.importing import FieldMapping, MappingError, find_mapping
from event_assets.importing.timestamps import UNITS


def _mapping(tmp_path: Path, text: str) -> FieldMapping:
    file = tmp_path / "mapping.yaml"
    file.write_text(text, encoding="utf-8")
    return FieldMapping.load(file)


def _mapped(tmp_path: Path, text: str, line: dict[str, Any]) -> dict[str, Any]:
    mapped: dict[str, Any] = json.loads(_mapping(tmp_path, text).map(json.dumps(line).encode()))
    return mapped


def test_paths_constants_templates_and_nested_fields(tmp_path: Path) -> None:
    mapping = """
        fields:
          event: kind
          user_id: who.id
          platform: {value: server}
          page.url: {template: "https://example.org/{project}/{who.id}"}
          app.id: {path: app, default: unknown}
    """
    line = {"kind": "commit", "who": {"id": "u1"}, "project": "größe", "n": 3}
    assert _mapped(tmp_path, mapping, line) == {
        "event": "commit",
        "user_id": "u1",
        "platform": "server",
        "page": {"url": "https://example.org/größe/u1"},
        "app": {"id": "unknown"},
        "properties": {"project": "größe", "n": 3},
    }


def test_what_is_not_there_leaves_its_field_out(tmp_path: Path) -> None:
    mapping = "fields: {event: kind, user_id: who.id, page.url: {template: 'x/{gone}'}}\nproperties: {a: b.c}"
    assert _mapped(tmp_path, mapping, {"kind": None, "who": "nobody"}) == {"properties": {"who": "nobody"}}


def test_values_keep_their_json_text(tmp_path: Path) -> None:
    mapping = _mapping(tmp_path, "fields: {event: kind}")
    mapped = mapping.map(b'{"kind":"a","big":123456789012345678901234567890,"exact":0.10,"text":"\\u00e9"}')
    assert mapped == b'{"event":"a","properties":{"big":123456789012345678901234567890,"exact":0.10,"text":"\\u00e9"}}'


def test_objects_can_be_spread_and_the_rest_dropped(tmp_path: Path) -> None:
    mapping = "fields: {event: kind}\nproperties: {project: project}\nspread: [props, more.deep]\nrest: drop"
    line = {"kind": "a", "project": "p", "props": {"x": 1}, "more": {"deep": {"y": [2]}}, "other": True}
    assert _mapped(tmp_path, mapping, line) == {"event": "a", "properties": {"project": "p", "x": 1, "y": [2]}}


@pytest.mark.parametrize(
    ("form", "value", "expected"),
    [
        ("rfc3339", "2026-11-20T10:00:00+05:45", "2026-11-20T10:00:00+05:45"),
        ("seconds", 1_795_000_000, "2026-11-18T11:06:40+00:00"),
        ("milliseconds", 1_795_000_000_123, "2026-11-18T11:06:40.123000+00:00"),
        ("nanoseconds", 1_795_000_000_123_456_789, "2026-11-18T11:06:40.123456+00:00"),
        ("seconds", "1795000000.25", "2026-11-18T11:06:40.250000+00:00"),
        ("iso", "2026-03-01 10:00:00.123+00", "2026-03-01T10:00:00.123000+00:00"),
        ("iso", "2026-03-01 10:00:00", "2026-03-01T10:00:00+01:00"),
        ("iso", "2026-03-01T10:00:00.123456789", "2026-03-01T10:00:00.123456+01:00"),
        ("iso", "2026-10-25 02:30:00 UTC", "2026-10-25T02:30:00+00:00"),
        ("iso", "2026-10-25 02:30", "2026-10-25T02:30:00+02:00"),
        ("iso", "2026-03-29 02:30:00,5 -0330", "2026-03-29T02:30:00.500000-03:30"),
        ("iso", "2026-03-01", "2026-03-01T00:00:00+01:00"),
        ("iso", "1795000000", "1795000000"),
        ("iso", "2016-12-31 23:59:60.25", "2017-01-01T00:00:00.250000+01:00"),
        ("iso", "2016-12-31 23:59:60+00", "2017-01-01T00:00:00+00:00"),
        ("iso", "2016-12-31 23:59:61", "2016-12-31 23:59:61"),
        ('[iso, "%d/%b/%Y:%H:%M:%S %z"]', "31/Dec/2016:23:59:60 +0000", "2017-01-01T00:00:00+00:00"),
        ('["%d.%m.%Y", iso, seconds]', "01.03.2026", "2026-03-01T00:00:00+01:00"),
        ('["%d.%m.%Y", iso, seconds]', "1795000000", "2026-11-18T11:06:40+00:00"),
        ("microseconds", "1795000000123456", "2026-11-18T11:06:40.123456+00:00"),
        ('"%d.%m.%Y %H:%M"', "20.11.2026 10:00", "2026-11-20T10:00:00+01:00"),
        ('"%Y-%m-%dT%H:%M:%S%z"', "2026-11-20T10:00:00-0330", "2026-11-20T10:00:00-03:30"),
    ],
)
def test_timestamps_are_read_in_many_forms(tmp_path: Path, form: str, value: Any, expected: str) -> None:
    zone = "" if form in ("rfc3339", *UNITS) else ", timezone: Europe/Berlin"
    mapping = f"fields: {{occurred_at: {{path: at, timestamp: {form}{zone}}}}}"
    assert _mapped(tmp_path, mapping, {"at": value}) == {"occurred_at": expected}


@pytest.mark.parametrize("line", [{"at": "soon"}, {"at": 1e300}, {"at": None}, {}], ids=str)
@pytest.mark.parametrize("form", ["milliseconds", "'%Y'", "rfc3339"])
def test_an_event_without_a_readable_time_is_refused_instead_of_given_another(
    tmp_path: Path, form: str, line: dict[str, Any]
) -> None:
    fields = "event_id: {value: e}, event: {value: x}, user_id: {value: u}, platform: {value: server}"
    mapping = _mapping(tmp_path, f"fields: {{{fields}, occurred_at: {{path: at, timestamp: {form}}}}}")
    verdict = EventDecoder().decode(mapping.map(json.dumps(line).encode()))
    assert isinstance(verdict, Rejection)
    assert verdict.reason in ("invalid_value", "wrong_type")


def test_an_id_can_be_made_of_paths_or_of_the_whole_line_and_is_stable(tmp_path: Path) -> None:
    mapping = "fields: {event_id: {hash: line}, anonymous_id: {hash: [ip, agent]}}\nrest: drop"
    first = _mapped(tmp_path, mapping, {"ip": "1.2.3.4", "agent": "x", "n": 1})
    second = _mapped(tmp_path, mapping, {"ip": "1.2.3.4", "agent": "x", "n": 2})
    assert first["anonymous_id"] == second["anonymous_id"]
    assert first["event_id"] != second["event_id"]
    assert len(first["event_id"]) == 32
    assert "anonymous_id" not in _mapped(tmp_path, mapping, {"n": 1})


def test_what_a_template_gives_can_be_hashed_and_is_nothing_where_a_part_is_missing(tmp_path: Path) -> None:
    mapping = 'fields: {session_id: {template: "{who}-{session}", hashed: true}}\nrest: drop'
    told = _mapped(tmp_path, mapping, {"who": "ann", "session": 7})
    assert told == {"session_id": hashlib.sha256(b"ann-7").hexdigest()[:32]}
    assert _mapped(tmp_path, mapping, {"who": "ann"}) == {}


@pytest.mark.parametrize("line", [b"", b"not json", b"[1]", b'"text"', b'{"a":'])
def test_a_line_that_is_no_object_stays_as_it_is(tmp_path: Path, line: bytes) -> None:
    assert _mapping(tmp_path, "fields: {event: kind}").map(line) == line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("fields: {evnt: kind}", "no field 'evnt'"),
        ("fields: {session_id: {path: a, hashed: true}}", "hashed is for a template"),
        ("fields: {page.colour: kind}", "no field 'page.colour'"),
        ("fields: {event: {path: a, value: b}}", "exactly one of"),
        ("fields: {event: {pth: a}}", "fields.event.pth: there is no such key; there are path, value, "),
        ("fields: {occurred_at: {path: a, timestamp: often}}", "timestamp must be"),
        ("fields: {occurred_at: {path: a, timestamp: iso, timezone: Mars/Base}}", "no time zone 'Mars/Base'"),
        ("fields: {occurred_at: {path: a, timestamp: seconds, timezone: Europe/Berlin}}", "leave timezone out"),
        ("fields: {occurred_at: {path: a, timezone: Europe/Berlin}}", "add timestamp: iso"),
        ("fields: {properties.plan: a}", "write 'plan' under properties: instead"),
        ("fields: {event: a}\nrest: keep", "rest: Input should be 'properties' or 'drop'"),
        ("fields: {event: a}\nspread: [{path: a, key: k}]", "key and value belong together"),
        ("fields: {event: a}\nspread: [{pth: a}]", "spread.path: this key is required"),
        ("fields: {event: a}\nextra: b", "there are description, fields, properties, spread, rest"),
        ("fields: {event: a, event: b}", "'event' is given twice"),
        ("[1]", "it must be an object of keys and values"),
        ("fields: [", "mapping.yaml"),
        ("properties: {}", "fields: this key is required"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_where_and_why(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(MappingError, match=r"mapping\.yaml") as error:
        _mapping(tmp_path, text)
    assert says in str(error.value)


def test_an_unknown_mapping_names_those_that_are_shipped() -> None:
    with pytest.raises(MappingError, match="git_activity"):
        find_mapping("no_such_mapping")


def test_the_shipped_mapping_of_git_activity_makes_events_of_the_contract() -> None:
    line = {
        "event_id": "c3445d42d2799eb9afe102b71cba7ae9",
        "event_type": "file_modified",
        "user_id": "131b4df1a36a6df3",
        "event_ts": "2026-08-21T22:45:56+02:00",
        "received_ts": "2026-08-22T22:45:56+00:00",
        "project": "a/b",
        "props": {"dir": ".", "ext": ".yml", "depth": 0},
    }
    mapped = find_mapping("git_activity").map(json.dumps(line).encode())
    assert json.loads(mapped) == {
        "event_id": line["event_id"],
        "event": "file_modified",
        "user_id": line["user_id"],
        "platform": "server",
        "occurred_at": line["event_ts"],
        "derived_at": line["event_ts"],
        "received_at": line["received_ts"],
        "properties": {"project": "a/b", "dir": ".", "ext": ".yml", "depth": 0},
    }
    assert isinstance(EventDecoder().decode(mapped), Decoded)
