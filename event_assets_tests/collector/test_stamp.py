"""What the collector adds and takes: time of receipt, address, user agent, refused consent."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.collector.keys import TRUSTS
from event_assets.collector.privacy import ip_rule
from event_assets.collector.stamp import Stamp
from event_assets.collector.validator import Validated, Validator
from event_assets.contract.consent import TO_OTHERS
from event_assets.contract.decoder import Decoded, EventDecoder, Limits
from event_assets.contract.plan import TrackingPlan
from event_assets.settings import load_settings
from event_assets_tests.collector.serving import event
from event_assets_tests.examples import texts

NOW = dt.datetime(2026, 11, 22, 10, 0, 0, 123_000, tzinfo=dt.UTC)
TEXT = "2026-11-22T10:00:00.123Z"
AGENT = 'Mozilla/5.0 "quoted"'


def validated(sent: Any, trusted: bool = False, **settings: Any) -> Validated:
    chosen = load_settings(**settings)
    line = sent if isinstance(sent, bytes) else json.dumps(sent, separators=(",", ":")).encode()
    stamp = Stamp(NOW, "203.0.113.77", AGENT, TRUSTS if trusted else (), ip_rule(chosen))
    validator = Validator(TrackingPlan(), Limits(), chosen.consent_refused)
    return validator.validate(validator.fast_path.of_lines([line]), stamp)


def only_line(result: Validated) -> bytes:
    """What is written of the one event."""
    (piece,) = result.lines.pieces
    return result.lines.text([piece])


def stamped(sent: Any, trusted: bool = False, **settings: Any) -> dict[str, Any]:
    """The event as written, whose text has no key twice."""
    line = only_line(validated(sent, trusted, **settings))

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({name for name, _ in pairs}) == len(pairs)
        return dict(pairs)

    written: dict[str, Any] = json.loads(line, object_pairs_hook=once)
    return written


ADDED = {"received_at": TEXT, "ip": "203.0.113.0"}


def test_an_event_gets_its_time_of_receipt_its_truncated_address_and_its_user_agent() -> None:
    assert stamped(event()) == {**event(), **ADDED, "device": {"user_agent": AGENT}}


@pytest.mark.parametrize(
    "device",
    [{"locale": "de"}, {}, {"locale": "de", "user_agent": None}, {"user_agent": None}],
)
def test_a_device_without_a_user_agent_gets_one_and_keeps_the_rest(device: dict[str, Any]) -> None:
    assert stamped(event(device=device))["device"] == {**device, "user_agent": AGENT}


def test_a_device_that_names_its_user_agent_keeps_it() -> None:
    assert stamped(event(device={"user_agent": "App/1"}))["device"] == {"user_agent": "App/1"}


def test_a_device_inside_the_properties_is_not_the_device() -> None:
    written = stamped(event(properties={"device": {"a": 1}}))
    assert (written["properties"], written["device"]) == ({"device": {"a": 1}}, {"user_agent": AGENT})
    both = stamped({**event(properties={"device": {"a": 1}}), "device": {"locale": "de"}})
    assert both["properties"] == {"device": {"a": 1}}
    assert both["device"] == {"locale": "de", "user_agent": AGENT}


def test_a_client_cannot_set_what_is_the_collectors_to_set() -> None:
    forged = event(received_at="2020-01-01T00:00:00Z", derived_at="2020-01-01T00:00:00Z", ip="198.51.100.1")
    assert stamped(forged) == {**event(), **ADDED, "device": {"user_agent": AGENT}}
    hidden = json.dumps(event())[:-1] + ', "\\u0069p": "198.51.100.1", "recei\\u0076ed_at": "2020-01-01T00:00:00Z"}'
    assert stamped(hidden.encode()) == {**event(), **ADDED, "device": {"user_agent": AGENT}}


def test_a_trusted_source_sets_times_and_addresses_and_adds_nothing_of_its_own() -> None:
    given_times: dict[str, Any] = {"received_at": "2020-01-01T00:00:00Z", "derived_at": "2019-12-31T00:00:00Z"}
    assert stamped(event(**given_times, ip="198.51.100.1"), trusted=True) == {
        **event(),
        **given_times,
        "ip": "198.51.100.0",
    }
    assert stamped(event(), trusted=True) == {**event(), "received_at": TEXT}


def test_a_trusted_source_cannot_name_a_time_that_is_to_come() -> None:
    (verdict,) = validated(event(derived_at="2026-12-22T00:00:00Z"), trusted=True).verdicts
    assert (verdict.status, verdict.reason) == ("rejected", "future")


@pytest.mark.parametrize(
    ("privacy", "address", "kept"),
    [
        ("keep", "203.0.113.77", "203.0.113.77"),
        ("truncate", "203.0.113.77", "203.0.113.0"),
        ("truncate", "2001:db8:1:2:3::4", "2001:db8:1::"),
        ("truncate", "::ffff:203.0.113.77", "203.0.113.0"),
        ("truncate", "testclient", None),
        ("truncate", "", None),
    ],
)
def test_an_address_is_kept_as_privacy_says(privacy: Any, address: str, kept: str | None) -> None:
    assert ip_rule(load_settings(ip_privacy=privacy))(address) == kept


def test_a_hashed_address_is_the_same_for_the_same_key_only() -> None:
    rules = [ip_rule(load_settings(ip_privacy="hash", ip_hash_key=key)) for key in ("a", "a", "b")]
    first, again, other = (rule("203.0.113.77") for rule in rules)
    assert first == again != other
    assert first is not None and "203" not in first[:3] and len(first) == 32
    assert rules[0]("nowhere") is None


REFUSED = {"analytics": False, "marketing": True}


def test_of_a_dropped_event_only_that_there_was_one_is_written() -> None:
    result = validated(event(1, consent=REFUSED), consent_refused="drop")
    assert only_line(result) == b'{"dropped":"consent_refused"}'
    assert (result.verdicts[0].status, result.verdicts[0].reason) == ("dropped", "consent_refused")


def test_of_a_stripped_event_name_minute_platform_and_country_stay() -> None:
    personal = event(1, user_id="ann", traits={"email": "a@b.c"}, device={"user_agent": "X", "os": "Y"}, ip="1.2.3.4")
    written = stamped({**personal, "consent": REFUSED}, trusted=True, consent_refused="strip")
    assert written.pop("event_id") == written.pop("anonymous_id")
    assert written == {
        "event": "search",
        "schema_version": 1,
        "platform": "web",
        "ip": "AU",
        "consent": REFUSED,
        "received_at": "2026-11-22T10:00:00Z",
        "derived_at": "2026-11-22T09:59:00Z",
    }


def test_a_stripped_event_names_its_user_neither_in_its_text_nor_in_its_key() -> None:
    sent = {**event(1, user_id="ann", anonymous_id=None), "consent": REFUSED}
    result = validated(sent, consent_refused="strip")
    line, (key,) = only_line(result), result.lines.keys
    assert b"ann" not in line and b"e-1" not in line and re.fullmatch("stripped-[0-9a-f]{32}", key)
    assert isinstance(EventDecoder().decode(line), Decoded)


def test_the_client_is_answered_under_the_id_that_it_gave() -> None:
    for refusal in ("strip", "drop"):
        assert validated(event(1, consent=REFUSED), consent_refused=refusal).verdicts[0].event_id == "e-1"


def test_the_record_of_a_refusal_is_kept_even_where_refused_events_are_dropped() -> None:
    written = stamped(event(1, event="consent_changed", consent=REFUSED), consent_refused="drop")
    assert (written["event"], written["event_id"], written["anonymous_id"]) == ("consent_changed", "e-1", "a-1")
    assert not {"ip", "device", "properties"} & written.keys()


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize("more", [{}, {"unknown": 1}])
@pytest.mark.parametrize("purpose", TO_OTHERS)
def test_ids_that_advertisers_know_a_device_by_are_left_out_where_others_may_not_know_the_person(
    trusted: bool, more: dict[str, Any], purpose: str
) -> None:
    device = {"id": "d-1", "advertising_id": "ad-1", "manufacturer": "Google", "user_agent": "x"}
    for answer in (True, None, False):
        consent = {"analytics": True, purpose: answer}
        written = stamped(event(device=device, consent=consent, **more), trusted)
        kept = {"manufacturer": "Google", "user_agent": "x"} if answer is False else device
        assert (written["device"], written["consent"]) == (kept, consent)


@pytest.mark.parametrize("more", [{}, {"unknown": 1}])
@pytest.mark.parametrize("said", [{}, {"consent": None}, {"consent": {"analytics": True}}, {"consent": {}}])
def test_a_browser_that_says_global_privacy_control_refuses_to_be_sold_or_shared_unless_the_person_agreed(
    said: dict[str, Any], more: dict[str, Any]
) -> None:
    validator = Validator(TrackingPlan(), Limits(), "strip")
    device = {"id": "d-1", "advertising_id": "ad-1", "model": "m", "user_agent": "x"}

    def sent(trusted: bool = False, **fields: Any) -> dict[str, Any]:
        stamp = Stamp(NOW, "", None, TRUSTS if trusted else (), lambda _: None, opts_out=True)
        line = json.dumps(event(device=device, **more, **fields)).encode()
        written = validator.validate(validator.fast_path.of_lines([line]), stamp)
        text: dict[str, Any] = json.loads(only_line(written))
        return text

    written = sent(**said)
    assert written["consent"] == {**(said.get("consent") or {}), "sell_or_share": False, "gpc": True}
    assert written["device"] == {"model": "m", "user_agent": "x"}
    assert sent(consent={"marketing": True})["consent"]["sell_or_share"] is False
    assert sent(consent={"sell_or_share": False})["consent"] == {"sell_or_share": False, "gpc": True}
    agreed = sent(consent={"sell_or_share": True})
    assert (agreed["consent"], agreed["device"]) == ({"sell_or_share": True}, device)
    assert "id" not in sent(consent={"sell_or_share": True, "marketing": False})["device"]
    assert sent(trusted=True)["device"] == device, "what a server relays is not its own"


def test_they_are_left_out_of_an_event_that_is_set_aside_too() -> None:
    stamp = Stamp(NOW, "", None, (), lambda _: None)
    sent = {"device": {"id": "d-1", "model": "m"}, "consent": {"marketing": False}}
    assert json.loads(stamp.refused(json.dumps(sent).encode(), "segment"))["device"] == {"model": "m"}
    others: list[dict[str, Any]] = [
        *({**sent, "consent": {"marketing": True}}, {**sent, "consent": 5}),
        {"device": [], "consent": {}},
    ]
    for other in others:
        assert json.loads(stamp.refused(json.dumps(other).encode(), "segment"))["device"] == other["device"]


def test_nor_are_they_in_one_of_a_browser_that_says_global_privacy_control_whatever_it_says_of_consent() -> None:
    stamp = Stamp(NOW, "", None, (), lambda _: None, opts_out=True)
    for said in ({}, {"consent": 5}, {"consent": {"sell_or_share": 1}}):
        written = json.loads(
            stamp.refused(json.dumps({"device": {"id": "d", "model": "m"}, **said}).encode(), "segment")
        )
        assert written["device"] == {"model": "m"}, said


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | texts(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["device", "ip", "received_at", "x", 'd"evice', "properties", "traits"]) | texts(max_size=6)


@given(
    properties=st.dictionaries(NAMES, JSON_VALUES, max_size=4),
    extra=st.dictionaries(st.sampled_from(["x", "y", "z z", 'd"']), JSON_VALUES, max_size=3),
    device=st.none() | st.dictionaries(st.sampled_from(["os", "locale", "user_agent"]), st.none() | texts(max_size=5)),
    spaces=st.booleans(),
    trusted=st.booleans(),
)
def test_whatever_an_event_holds_stamping_adds_its_fields_and_changes_nothing_else(
    properties: dict[str, Any], extra: dict[str, Any], device: dict[str, Any] | None, spaces: bool, trusted: bool
) -> None:
    sent = {**extra, **event(properties=properties)} | ({} if device is None else {"device": device})
    result = validated(json.dumps(sent, separators=None if spaces else (",", ":")).encode(), trusted)
    if not result.lines.keys:
        return
    written = json.loads(only_line(result))
    expected = dict(sent)
    if not trusted:
        agent = (device or {}).get("user_agent")
        expected["device"] = {**(device or {}), "user_agent": agent or AGENT}
        expected["ip"] = "203.0.113.0"
    assert written == {**expected, "received_at": TEXT}
