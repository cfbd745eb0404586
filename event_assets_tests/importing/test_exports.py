"""Exports of other systems, each brought in whole by a mapping: no value of a line is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.decoder import Decoded, EventDecoder
from event_assets.importing import FieldMapping, MappingError
from event_assets_tests.examples import examples

Line = dict[str, Any]


def mapping_of(folder: Path, text: str) -> FieldMapping:
    file = folder / "mapping.yaml"
    file.write_text(text, encoding="utf-8")
    return FieldMapping.load(file)


def mapped(folder: Path, text: str, line: Line) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(mapping_of(folder, text).map(json.dumps(line).encode()))
    return event


def test_properties_that_are_named_as_a_field_are_joined_by_the_rest(tmp_path: Path) -> None:
    text = "fields: {event: type, properties: event_properties}\nproperties: {plan: who.plan}"
    line = {"type": "purchase", "event_properties": {"revenue": 12.5}, "city": "Bonn", "who": {"plan": "pro"}}
    properties = {"revenue": 12.5, "city": "Bonn", "plan": "pro"}
    assert mapped(tmp_path, text, line) == {"event": "purchase", "properties": properties}
    assert mapped(tmp_path, text, {**line, "event_properties": '{"revenue": 12.5}'})["properties"] == properties
    assert mapped(tmp_path, text, {**line, "event_properties": "none"})["properties"] == {
        "properties": "none",
        "city": "Bonn",
        "plan": "pro",
    }


def test_json_in_a_string_is_an_object(tmp_path: Path) -> None:
    text = "fields: {session_id: properties.$session_id, page.url: properties.$current_url}\nspread: [properties]"
    inside = {"$session_id": "s1", "$current_url": "https://shop.example/", "revenue": 12.5, "text": '{"not": "me"'}
    expected = {"session_id": "s1", "page": {"url": "https://shop.example/"}, "properties": inside}
    for form in (inside, json.dumps(inside), f" {json.dumps(inside)} "):
        assert mapped(tmp_path, text, {"properties": form}) == expected


def test_what_cannot_be_spread_stays_under_its_name(tmp_path: Path) -> None:
    for value in ("{cut", "text", 5, [1, {"a": 2}], True):
        assert mapped(tmp_path, "fields: {}\nspread: [props]", {"props": value}) == {"properties": {"props": value}}


def test_beside_what_is_named_inside_an_object_the_rest_of_it_is_kept(tmp_path: Path) -> None:
    text = "fields: {page.url: context.page.url, user_id: context.user, app.id: gone.deep}"
    context = {"page": {"url": "https://shop.example/", "title": "Start"}, "user": "u1", "build": 77}
    for form in (context, json.dumps(context)):
        assert mapped(tmp_path, text, {"context": form, "gone": "text"}) == {
            "page": {"url": "https://shop.example/"},
            "user_id": "u1",
            "properties": {"context": {"page": {"title": "Start"}, "build": 77}, "gone": "text"},
        }


def test_a_dot_that_belongs_to_a_name_is_escaped(tmp_path: Path) -> None:
    text = r"fields: {page.url: context\.page\.url, page.title: 'a\.b.c', app.id: '[Amplitude] App'}"
    line = {"context.page.url": "https://shop.example/", "a.b": {"c": "t", "d": 1}, "[Amplitude] App": "shop"}
    assert mapped(tmp_path, text, line) == {
        "page": {"url": "https://shop.example/", "title": "t"},
        "app": {"id": "shop"},
        "properties": {"a.b": {"d": 1}},
    }


def test_of_two_values_for_one_property_neither_is_lost(tmp_path: Path) -> None:
    text = "fields: {}\nproperties: {plan: {path: code, map: {1: free}}}\nspread: [props, more]"
    line = {"code": 1, "plan": "top", "props": {"plan": "spread", "a": 1}, "more": {"a": 1, "b": 2}, "b": 3}
    assert mapped(tmp_path, text, line) == {
        "properties": {"plan": "free", "a": 1, "b": 2, "rest": {"plan": "spread", "b": 3, "rest": {"plan": "top"}}}
    }


def test_an_address_is_in_no_property_because_there_no_privacy_rule_would_find_it(tmp_path: Path) -> None:
    line = {"properties": {"$ip": "203.0.113.9", "plan": "pro"}}
    found = mapped(tmp_path, "fields: {ip: properties.$ip}\nspread: [properties]", line)
    assert found == {"ip": "203.0.113.9", "properties": {"plan": "pro"}}


def test_a_mapping_says_in_how_many_lines_its_paths_were_and_which_were_in_none(tmp_path: Path) -> None:
    text = r"""
    fields:
      event: [kind, {path: knd}, {value: other}]
      user_id: usr.id
      session_id: {path: sid, optional: true}
      anonymous_id: {hash: [ip, agent]}
      page.url: {template: "https://{host}/{path}", when: {typ: page}}
    """
    mapping = mapping_of(tmp_path, text)
    found = mapping.none_found()
    lines: list[Any] = [{"kind": "a", "ip": 1, "agent": None}, {"kind": "b"}, {"user": {"id": 1}}, []]
    for line in lines:
        mapping.map(json.dumps(line).encode(), found)
    counts = {named.path: count for named, count in zip(mapping.paths, found, strict=True)}
    assert {path: count for path, count in counts.items() if count} == {"kind": 2, "ip": 1, "agent": 1}
    assert mapping.never_found(found) == [
        "usr.id (for user_id)",
        "host (for page.url)",
        "path (for page.url)",
        "typ (for page.url, when)",
    ]


GA4 = r"""
fields:
  event_id: {hash: line}
  event: event_name
  platform: {path: platform, map: {WEB: web, IOS: ios, ANDROID: android}}
  anonymous_id: user_pseudo_id
  user_id: {path: user_id, optional: true}
  session_id: {template: "{user_pseudo_id}-{event_params[key=ga_session_id].value.int_value}"}
  derived_at: {path: event_timestamp, timestamp: microseconds}
  page.url: event_params[key=page_location].value.string_value
spread:
  - {path: event_params, key: key, value: [value.string_value, value.int_value, value.double_value]}
"""


def test_an_export_with_arrays_of_pairs(tmp_path: Path) -> None:
    line = {
        "event_timestamp": "1772359200123456",
        "event_name": "page_view",
        "event_params": [
            {"key": "ga_session_id", "value": {"int_value": "1772359200"}},
            {"key": "page_location", "value": {"string_value": "https://shop.example/"}},
            {"key": "of another kind", "value": {"float_value": 1.5}},
        ],
        "user_id": None,
        "user_pseudo_id": "11.22",
        "platform": "WEB",
        "ecommerce": {"purchase_revenue": 12.5},
    }
    event = mapped(tmp_path, GA4, line)
    assert event | {"event_id": ""} == {
        "event_id": "",
        "event": "page_view",
        "platform": "web",
        "anonymous_id": "11.22",
        "session_id": "11.22-1772359200",
        "derived_at": "2026-03-01T10:00:00.123456+00:00",
        "page": {"url": "https://shop.example/"},
        "properties": {
            "ga_session_id": "1772359200",
            "page_location": "https://shop.example/",
            "of another kind": {"value": {"float_value": 1.5}},
            "ecommerce": {"purchase_revenue": 12.5},
        },
    }
    assert isinstance(EventDecoder().decode(json.dumps(event).encode()), Decoded)


def test_pairs_that_say_a_name_twice_stay_an_array(tmp_path: Path) -> None:
    pairs = [{"key": "a", "value": 1}, {"key": "a", "value": 2}]
    text = "fields: {}\nspread: [{path: params, key: key, value: value}]"
    assert mapped(tmp_path, text, {"params": pairs}) == {"properties": {"params": pairs}}
    assert mapped(tmp_path, text, {"params": json.dumps(pairs[:1])}) == {"properties": {"a": 1}}


CALLS = """
fields:
  event_id: messageId
  event:
    - {value: page_view, when: {type: [page, screen]}}
    - {value: identify, when: {type: identify}}
    - event
  platform: {value: web}
  anonymous_id: anonymousId
  user_id: {path: userId, optional: true}
  traits: [traits, context.traits]
  page.url: [context.page.url, properties.url]
spread: [properties]
"""


def test_calls_of_several_types_have_events_of_their_own(tmp_path: Path) -> None:
    page = {"type": "page", "messageId": 7, "anonymousId": "a", "properties": {"url": "https://a.example/"}}
    assert mapped(tmp_path, CALLS, page) == {
        "event_id": "7",
        "event": "page_view",
        "platform": "web",
        "anonymous_id": "a",
        "page": {"url": "https://a.example/"},
        "properties": {"type": "page", "url": "https://a.example/"},
    }
    who = {"type": "identify", "messageId": "m", "userId": "u", "event": "kept", "context": {"traits": {"plan": "x"}}}
    identify = mapped(tmp_path, CALLS, who)
    assert (identify["event"], identify["traits"]) == ("identify", {"plan": "x"})
    assert identify["properties"] == {"type": "identify", "event": "kept"}
    both = mapped(tmp_path, CALLS, {**who, "traits": {"plan": "y"}})
    assert both["traits"] == {"plan": "y"}
    assert both["properties"]["context"] == {"traits": {"plan": "x"}}


NAMES = st.sampled_from(["a", "b", "a.b", "x[0]", "rest", "\\", "$c"])
VALUES = st.recursive(
    st.none() | st.integers() | st.sampled_from(["", "text", "{", "[1]", '{"a": {"b": "inner"}}']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
PATHS = st.sampled_from(["a", "b", "a.a", "a.b.a", r"a\.b", "b.rest", "rest.a", r"b.a\.b", "a[0].a", "a[a=text].b"])


def leaves(value: Any) -> list[str]:
    """The texts and numbers in a value, those of JSON in strings too."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return leaves(json.loads(value))
        except ValueError:
            pass
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if inner is None:
        return [] if value is None else [str(value)]
    return [leaf for each in inner for leaf in leaves(each)]


@examples(60)
@given(
    line=st.dictionaries(NAMES, VALUES, max_size=4),
    fields=st.dictionaries(st.sampled_from(["event", "user_id", "page.url", "traits.x", "properties"]), PATHS),
    properties=st.dictionaries(NAMES, PATHS, max_size=2),
    spread=st.lists(PATHS, max_size=2),
)
def test_no_value_of_any_line_is_lost_by_any_mapping(
    tmp_path_factory: pytest.TempPathFactory,
    line: Line,
    fields: dict[str, str],
    properties: dict[str, str],
    spread: list[str],
) -> None:
    rules = json.dumps({"fields": fields, "properties": properties, "spread": spread})
    event = mapped(tmp_path_factory.getbasetemp(), rules, line)
    assert {*leaves(line)} <= {*leaves(event)}


def test_each_element_of_an_array_is_an_event_with_what_the_line_says(tmp_path: Path) -> None:
    text = "{each: a.list, fields: {event_id: {hash: numbered_line}, event: a.list.name, user_id: who}}"
    mapping = mapping_of(tmp_path, text)
    line = {"who": "u", "a": {"list": [{"name": "x", "n": 1}, {"name": "x", "n": 1}], "b": 2}}
    for form in (line, {**line, "a": json.dumps(line["a"])}):
        first, second = (
            json.loads(each) for each in mapping.events(json.dumps(form).encode(), mapping.none_found(), 7)
        )
        assert first.pop("event_id") != second.pop("event_id"), "two alike are two events"
        assert first == second
        assert first == {"event": "x", "user_id": "u", "properties": {"a": {"list": {"n": 1}, "b": 2}}}
    for other in ({"who": "u"}, {"who": "u", "a": {"list": []}}, [1]):
        assert len(list(mapping.events(json.dumps(other).encode(), mapping.none_found(), 1))) == 1


def test_texts_that_mean_nothing_are_none_and_texts_that_say_numbers_may_be_numbers(tmp_path: Path) -> None:
    text = """
    nulls: ["-", '\\N']
    fields: {user_id: who, event: [first, second]}
    properties: {n: {path: n, type: number}, b: {path: b, type: boolean}, t: {path: t, type: number}}
    """
    line = {
        "who": "-",
        "first": "\\N",
        "second": "view",
        "n": "-1.50e2",
        "b": "No",
        "t": "007",
        "left": "-",
        "kept": "x",
    }
    assert mapped(tmp_path, text, line) == {
        "event": "view",
        "properties": {"n": -150.0, "b": False, "t": "007", "kept": "x"},
    }


def test_a_time_that_is_optional_may_be_missing_and_then_the_next_one_counts(tmp_path: Path) -> None:
    text = "fields: {derived_at: [{path: a, timestamp: iso, optional: true}, {path: b, timestamp: seconds}]}"
    assert mapped(tmp_path, text, {"b": 0}) == {"derived_at": "1970-01-01T00:00:00+00:00"}
    assert mapped(tmp_path, text, {}) == {"derived_at": ""}, "it is given no other time"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{columns: [a, b], log: alb, fields: {}}", "columns and log exclude each other"),
        ("{columns: [a, a], fields: {}}", "columns names a twice"),
        ("{log: iis, fields: {}}", "combined"),
    ],
)
def test_what_a_file_is_cannot_be_two_things(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(MappingError, match=said):
        mapping_of(tmp_path, text)
