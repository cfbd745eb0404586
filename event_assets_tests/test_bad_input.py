"""Bad input of every kind in one file: each event is right or flagged, and no neighbour is lost."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pyspark.sql import SparkSession

from event_assets_tests.modelling import Model, event

pytestmark = pytest.mark.slow

Row = dict[str, Any]
RECEIVED = "2024-05-01T12:00:10Z"
URLS = [
    "",
    " ",
    "http://",
    "http://[::1",
    "https://[2001:db8::1]:8443/a?utm_source=v6",
    "https://host:99999999/",
    "https://user:pa ss@exa mple.com/a b?c d",
    "//nowhere",
    "?utm_source=only",
    "javascript:alert(1)",
    "data:text/html;base64,AAAA",
    "not a url at all",
    "https://shop.example/%zz%",
    "https://shop.example/?&&==&utm_source&=x",
    "https://shop.example/?" + "a" * 30_000,
    "https://shop.example/#?utm_source=in-fragment",
    "https://例え.テスト/パス?q=値",
    "https://shop.example/\u202e\ufeff\U0001f600?\U0001f600=\u0301",
]
QUERIES = {
    "utm_source=日本語&utm_medium=メール": "日本語",
    "utm_source=%E6%97%A5%E6%9C%AC%E8%AA%9E": "日本語",
    "utm_source=a%20b%2Bc": "a b+c",
    "utm_source=%zz%4": None,
    "utm_source=%FF%FE%e4%b8": None,
    "utm_source=%00%0A": None,
}
"""Query strings, and the source that they give; None: any that is text."""
ADDRESSES = {
    "8.8.8.8": ("8.8.8.0", "US"),
    "2001:4860:4860::8888": ("2001:4860:4860::", "US"),
    "::ffff:8.8.8.8": ("8.8.8.0", "US"),
    "fe80::1%eth0": ("fe80::", None),
    "999.1.1.1": (None, None),
    "1.2.3": (None, None),
    "8.8.8.8, 10.0.0.1": (None, None),
    "日本": (None, None),
    "": (None, None),
}
"""IP addresses, what is kept of them, and their country."""
AGENTS = [
    "",
    " ",
    "\u0001\u0007",
    "(" * 500,
    "Mozilla/5.0 (日本語) 😀",
    "Mozilla/5.0 " + "(x; " * 2_500,
    "A" * 10_240,
    "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0 " + "x" * 10_240,
]
CLOCKS: dict[str, dict[str, str | None]] = {
    "slow": {"occurred_at": "1999-01-01T00:00:00Z", "sent_at": "1999-01-01T00:00:04Z"},
    "fast": {"occurred_at": "2099-01-01T00:00:00Z", "sent_at": "2099-01-01T00:00:04Z"},
    "set back": {"occurred_at": "2099-01-01T00:00:00Z", "sent_at": "2024-05-01T12:00:09Z"},
    "set forward": {"occurred_at": "2014-05-01T12:00:09Z", "sent_at": "2024-05-01T12:00:09Z"},
    "no clock": {"occurred_at": None},
}
TRAITS = ['{"\\ud83d\\ude00": 1, "plan": "pro"}', '{"n": 1e999, "m": -0}', '{"a": {"b": [[[]]]}, "a": 2}']
SHARED = 10_000
BUSY = 20_000


def bad_lines() -> Iterator[Row | bytes]:
    for number, url in enumerate(URLS):
        yield event(event_id=f"url{number}", page={"url": url, "referrer": url}, page_view_id=f"u{number}")
    for number, query in enumerate(QUERIES):
        yield event(
            event_id=f"query{number}", page={"url": f"https://shop.example/?{query}"}, page_view_id=f"q{number}"
        )
    for number, address in enumerate(ADDRESSES):
        yield event(event_id=f"ip{number}", ip=address)
    for number, agent in enumerate(AGENTS):
        yield event(event_id=f"agent{number}", device={"user_agent": agent})
    yield event(anonymous_id="scroller", page_view_id="s1")
    sizes = {"viewport": {"width": -1, "height": 500}, "document": {"width": 0, "height": 1000}}
    yield event("page_ping", anonymous_id="scroller", page_view_id="s1", scroll={"y_max": -900}, **sizes)
    for second in (20, 35, 36):
        yield event("page_ping", anonymous_id="pinger", page_view_id="p1", occurred_at=f"2024-05-01T12:00:{second}Z")
    for name, times in CLOCKS.items():
        yield event(event_id=name, anonymous_id="clock", received_at=RECEIVED) | times
    yield event(event_id="ahead", derived_at="2029-05-01T12:00:00Z", received_at=RECEIVED)
    yield event(event_id="out of years", occurred_at="9999-12-31T23:59:59-12:00")
    yield event(event_id="no year", occurred_at="0000-01-01T00:00:00Z")
    for number, traits in enumerate(TRAITS):
        line = event("identify", anonymous_id="t", user_id="t", occurred_at=f"2024-05-01T12:00:0{number}Z")
        yield f'{json.dumps(line)[:-1]}, "traits": {traits}}}'.encode()
    yield from (event("identify", anonymous_id="kiosk", user_id=f"k{number}") for number in range(SHARED))
    start = dt.datetime(2024, 6, 1, tzinfo=dt.UTC)
    for number in range(BUSY):
        at = (start + dt.timedelta(seconds=number * 86_399 / BUSY)).isoformat()
        yield event("click", anonymous_id=None, user_id="busy", platform="server", occurred_at=at)
    yield b"\xff\xfe not UTF-8"
    yield b'{"event_id": "cut'


@pytest.fixture(scope="module")
def model(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Model:
    made = Model(spark, tmp_path_factory.mktemp("bad"))
    made.run(bad_lines())
    return made


@pytest.fixture(scope="module")
def enriched(model: Model) -> dict[str, Row]:
    return {row["event_id"]: row for row in model.rows("enriched_events")}


def test_only_what_no_table_can_hold_or_no_clock_can_mean_is_set_aside(model: Model) -> None:
    set_aside = {row["event_id"] or row["data"][:4]: row["reason"] for row in model.rows("quarantined_events")}
    assert set_aside == {
        "ahead": "future",
        "out of years": "invalid_value",
        "no year": "invalid_value",
        b"\xff\xfe n": "invalid_utf8",
        b'{"ev': "malformed_json",
    }


def test_urls_that_cannot_be_parsed_are_kept_as_they_are_and_flagged(enriched: dict[str, Row], model: Model) -> None:
    rows = [enriched[f"url{number}"] for number in range(len(URLS))]
    assert [row["page_url"] for row in rows] == URLS == [row["page_referrer"] for row in rows]
    flagged = {row["event_id"] for row in enriched.values() if row["enrichment_failures"]}
    assert flagged < {row["event_id"] for row in rows} and "url3" in flagged
    assert all(row["channel_group"] or row["event_id"] in flagged for row in rows)
    assert len([row for row in model.rows("page_views") if row["page_view_id"].startswith("u")]) == len(URLS)
    assert rows[4]["source"] == "v6"


def test_query_strings_in_any_script_and_encoding_give_a_source_or_none(enriched: dict[str, Row]) -> None:
    for number, (query, source) in enumerate(QUERIES.items()):
        found = enriched[f"query{number}"]["source"]
        assert found == source if source else found is None or "\0" not in found, query


def test_addresses_of_both_kinds_have_a_country_and_what_is_no_address_is_not_kept(enriched: dict[str, Row]) -> None:
    found = {address: enriched[f"ip{number}"] for number, address in enumerate(ADDRESSES)}
    assert {address: (row["ip"], row["country"]) for address, row in found.items()} == ADDRESSES


def test_user_agents_of_any_length_are_kept_and_read(enriched: dict[str, Row]) -> None:
    rows = [enriched[f"agent{number}"] for number in range(len(AGENTS))]
    assert [row["device_user_agent"] for row in rows] == AGENTS
    assert rows[-1]["browser"] == "Firefox"


def test_a_negative_scroll_is_none(model: Model) -> None:
    [view] = [row for row in model.rows("page_views") if row["page_view_id"] == "s1"]
    assert view["scroll_percent"] == 50


def test_pings_without_their_view_make_a_session_and_no_page_view(model: Model) -> None:
    [session] = [row for row in model.rows("sessions") if row["anonymous_id"] == "pinger"]
    assert (session["page_views"], session["engaged_seconds"]) == (1, 15)
    assert session["start_at"] == dt.datetime(2024, 5, 1, 12, 0, 15, tzinfo=dt.UTC)
    assert not [row for row in model.rows("page_views") if row["page_view_id"] == "p1"]


def test_a_clock_that_is_years_off_does_not_move_the_event(enriched: dict[str, Row]) -> None:
    received = dt.datetime.fromisoformat(RECEIVED)
    before = {name: (received - enriched[name]["derived_at"]).total_seconds() for name in CLOCKS}
    years = dt.date(2024, 5, 1) - dt.date(2014, 5, 1)
    assert before == {"slow": 4, "fast": 4, "set back": 0, "set forward": years.total_seconds(), "no clock": 0}


def test_traits_that_are_hardly_text_lose_no_other(model: Model) -> None:
    [user] = [row for row in model.rows("users") if "t" in row["user_ids"].split('"')]
    assert user["traits"] == '{"a":2,"m":-0,"n":1e999,"plan":"pro","😀":1}'


def test_a_device_of_ten_thousand_users_joins_none_of_them(model: Model) -> None:
    kiosk = [row for row in model.rows("identities") if row["id"].startswith("k")]
    assert len(kiosk) == len({row["person_id"] for row in kiosk}) == SHARED + 1
    assert [row["id"] for row in kiosk if row["is_shared"]] == ["kiosk"]
    assert sum(row["events"] for row in model.rows("users") if row["person_id"].startswith("k")) == SHARED


def test_one_user_with_a_large_share_of_a_days_events_has_all_of_them(model: Model) -> None:
    [user] = [row for row in model.rows("users") if row["person_id"] == "busy"]
    [session] = [row for row in model.rows("sessions") if row["user_id"] == "busy"]
    assert (user["events"], session["events"], user["sessions"]) == (BUSY, BUSY, 1)
