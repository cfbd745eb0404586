"""What is read at one look says the same as what is read member by member."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from event_assets.collector.protocols.protocol import Request
from event_assets.collector.protocols.segment import Messages, events
from event_assets.collector.protocols.segment_usual import usual_event, usual_events
from event_assets_tests.collector.protocols.test_segment import CALL, PAGE, TRACK

SENT = "2026-11-22T10:00:01.000Z"
CONTEXT = {name: PAGE["context"][name] for name in ("library", "userAgent", "userAgentData", "locale", "campaign")}
IN_PAGE = {name: value for name, value in PAGE["context"]["page"].items() if name != "tab_url"}
USUAL: dict[str, dict[str, Any]] = {
    "track": {**TRACK, "context": {**CONTEXT, "page": IN_PAGE}},
    "page": {**PAGE, "context": {**CONTEXT, "page": IN_PAGE}},
    "browser_page": {
        **{name: value for name, value in PAGE.items() if name not in ("name", "category")},
        "context": {**CONTEXT, "page": IN_PAGE},
        "properties": {**IN_PAGE, "load_ms": 3},
    },
    "identify": {**CALL, "type": "identify", "traits": {"plan": "pro"}, "properties": {}, "context": CONTEXT},
}
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, "", 17, 1.5, True, {}, [], {"a": None}, {"a": {"b": []}}, "x", "\0", "é", "\ud800"),
        *("2026-11-28", "-12345", "2026-11-22T10:00:00", "2026-11-22T10:00:00+01:00", "soonTandTZ", "track"),
        *({"name": ""}, {"name": "n", "version": "1"}, {"url": "https://x.example/a", "path": "/b", "title": ""}),
    ]
)
MORE = ("event", "traits", "sentAt", "channel", "receivedAt", "originalTimestamp")
TOP = st.dictionaries(st.sampled_from([*PAGE, *MORE]), ODD, max_size=2)
INNER = st.dictionaries(st.sampled_from([*CONTEXT, "page", "timezone", "ip", "traits"]), ODD, max_size=2)
OF_CAMPAIGN = st.dictionaries(st.sampled_from(["source", "medium", "name", "term", "content", "id"]), ODD, max_size=2)
OF_PAGE = st.dictionaries(st.sampled_from([*IN_PAGE, "hash", "host", "name", "category", "more"]), ODD, max_size=2)


@given(kind=st.sampled_from(sorted(USUAL)), top=TOP, inner=INNER, page=OF_PAGE, own=OF_PAGE, campaign=OF_CAMPAIGN)
@example(
    kind="page", top={}, inner={}, page={"url": None}, own={"url": "https://y.example/", "search": ""}, campaign={}
)
@example(kind="page", top={"properties": None}, inner={"page": {}}, page={}, own={}, campaign={"source": ""})
def test_what_one_look_gives_is_what_every_look_gives(
    kind: str,
    top: dict[str, Any],
    inner: dict[str, Any],
    page: dict[str, Any],
    own: dict[str, Any],
    campaign: dict[str, Any],
) -> None:
    message = USUAL[kind]
    context = {**message["context"], **({"page": {**IN_PAGE, **page}} if page else {}), **inner}
    context |= {"campaign": {**CONTEXT["campaign"], **campaign}} if campaign else {}
    properties = {**message["properties"], **(own if "page" in kind else {})}
    text = json.dumps({**message, "context": context, "properties": properties, **top}).encode()
    usual = usual_event(text, "web", SENT)
    if usual is not None:
        assert json.loads(usual) == json.loads(Messages("web", SENT).read(text))


def test_one_look_is_enough_for_what_sdks_usually_send() -> None:
    for message in USUAL.values():
        assert usual_event(json.dumps(message).encode(), "web", SENT) is not None
    body = json.dumps({"batch": list(USUAL.values()), "sentAt": SENT, "writeKey": "k"}).encode()
    usual = usual_events(body, "web", None)
    assert usual is not None and usual.count == len(list(usual)) == len(USUAL)
    assert [json.loads(line) for line in usual] == [
        json.loads(usual_event(json.dumps(message).encode(), "web", SENT) or b"") for message in USUAL.values()
    ]


def test_a_text_with_line_breaks_is_looked_at_message_by_message() -> None:
    body = json.dumps({"batch": list(USUAL.values()), "sentAt": SENT}, indent=1).encode()
    assert usual_events(body, "web", None) is None
    made = list(events(Request("POST", "/v1/batch", body=body), "web"))
    assert len(made) == len(USUAL)
