"""Each mapping that is shipped, on a small sample in the true shape of what it is for: events of the contract."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from event_assets.contract.decoder import Decoded, EventDecoder
from event_assets.importing import find_mapping
from event_assets.importing.reading import read_lines

MAPPINGS = Path(__file__).parents[2] / "event_assets" / "importing" / "mappings"
Row = dict[str, Any]


def events_of(mapping: str, folder: Path, data: bytes | Row) -> list[Row]:
    """The events of a sample, each of which the contract takes."""
    file = folder / "sample"
    file.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    rules = find_mapping(mapping)
    found, made = rules.none_found(), []
    for line in read_lines(file, form=rules.form):
        made += list(rules.events(line.text, found, line.number))
    assert rules.never_found(found) == []
    decoded = [EventDecoder().decode(event) for event in made]
    assert all(isinstance(each, Decoded) for each in decoded), decoded
    return [msgspec.json.decode(event) for event in made]


def table(*rows: Row, separator: str = ",") -> bytes:
    names = list(rows[0])
    cells = [[str(row[name]).replace('"', '""') for name in names] for row in rows]
    quoted = [
        separator.join(f'"{cell}"' if '"' in cell or separator in cell else cell for cell in row) for row in cells
    ]
    return "\n".join([separator.join(names), *quoted]).encode()


def test_every_mapping_has_a_sample_here() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    own_tests = "git_activity"
    assert [
        each.stem for each in MAPPINGS.glob("*.yaml") if f'"{each.stem}"' not in here and each.stem != own_tests
    ] == []


SESSION = hashlib.sha256(b"11.22-1772359200").hexdigest()[:32]
"""A session's id names the visitor, and the time alone would be everybody's: it is a hash of both."""


def test_ga4_in_bigquery(tmp_path: Path) -> None:
    row = {
        "event_date": "20260301",
        "event_timestamp": "1772359200123456",
        "event_name": "purchase",
        "event_params": [
            {"key": "ga_session_id", "value": {"string_value": None, "int_value": "1772359200"}},
            {"key": "page_location", "value": {"string_value": "https://shop.example/?utm_source=x"}},
            {"key": "currency", "value": {"string_value": "EUR"}},
        ],
        "user_id": None,
        "user_pseudo_id": "11.22",
        "platform": "WEB",
        "stream_id": "77",
        "device": {"category": "mobile", "operating_system": "Android", "language": "de-de"},
        "ecommerce": {"purchase_revenue": 12.5, "transaction_id": "T1"},
        "items": [{"item_id": "SKU", "price": 12.5}],
    }
    (event,) = events_of("ga4_bigquery", tmp_path, row)
    assert (event["event"], event["session_id"], event["app"]) == ("purchase", SESSION, {"id": "77"})
    assert event["device"] == {"os": "Android", "locale": "de-de"}
    assert event["properties"]["revenue"] == 12.5 and event["properties"]["currency"] == "EUR"
    assert event["properties"]["ecommerce"] == {"transaction_id": "T1"} and event["properties"]["items"]


def test_tables_of_segment_and_rudderstack(tmp_path: Path) -> None:
    times = {
        "original_timestamp": "2026-03-01 10:00:00.5+00",
        "sent_at": "2026-03-01 10:00:01+00",
        "received_at": "2026-03-01 10:00:02+00",
        "timestamp": "2026-03-01 10:00:01.5+00",
    }
    row = {"id": "m1", "event": "order_completed", "event_text": "Order Completed", "anonymous_id": "a", "user_id": "u"}
    row |= {
        **times,
        "context_ip": "203.0.113.9",
        "context_page_url": "https://a.example/",
        "revenue": "12.5",
        "plan": "x",
    }
    (event,) = events_of("segment_warehouse", tmp_path, table(row))
    assert (event["event_id"], event["user_id"], event["ip"]) == ("m1", "u", "203.0.113.9")
    assert event["derived_at"] == "2026-03-01T10:00:01.500000+00:00"
    assert event["properties"] == {"revenue": 12.5, "event_text": "Order Completed", "plan": "x"}


def test_batch_exports_of_posthog(tmp_path: Path) -> None:
    inside: Row = {"$lib": "web", "$device_id": "d", "$session_id": "s", "$current_url": "https://a.example/"}
    inside |= {"$is_identified": True, "$set": {"plan": "pro"}, "$ip": "203.0.113.9"}
    row = {"uuid": "p1", "event": "$pageview", "properties": json.dumps(inside), "distinct_id": "u"}
    row |= {"timestamp": "2026-03-01 10:00:00.123000", "created_at": "2026-03-01 10:00:02.000000"}
    (event,) = events_of("posthog_batch_export", tmp_path, table(row, separator="\t"))
    assert (event["event"], event["anonymous_id"], event["user_id"]) == ("page_view", "d", "u")
    assert event["traits"] == {"plan": "pro"} and event["ip"] == "203.0.113.9"
    assert "203.0.113.9" not in json.dumps(event["properties"])


def test_visits_of_matomo_have_an_event_for_each_action(tmp_path: Path) -> None:
    actions = [
        {
            "type": "action",
            "url": "https://a.example/",
            "pageTitle": "Start",
            "timestamp": 1772359200,
            "idpageview": "Ab1",
        },
        {"type": "outlink", "url": "https://b.example/", "timestamp": 1772359210},
        {"type": "ecommerceOrder", "orderId": "7", "revenue": "12.50", "timestamp": 1772359220},
    ]
    visit = {"idSite": 1, "idVisit": 9, "visitorId": "c0ffee", "userId": None, "visitIp": "203.0.113.0"}
    visit |= {"actionDetails": actions, "referrerUrl": "https://c.example/", "operatingSystemName": "GNU/Linux"}
    page, link, order = events_of("matomo_visits", tmp_path, visit)
    assert [each["event"] for each in (page, link, order)] == ["page_view", "outbound_link", "purchase"]
    assert {each["session_id"] for each in (page, link, order)} == {"1-9"}
    assert (page["page_view_id"], page["page"]["url"]) == ("Ab1", "https://a.example/")
    assert "url" not in link["page"] and link["properties"]["actionDetails"]["url"] == "https://b.example/"
    assert order["properties"] == {"revenue": 12.50, "actionDetails": {"orderId": "7"}}
    assert len({each["event_id"] for each in (page, link, order)}) == 3


def test_umami(tmp_path: Path) -> None:
    row = {"website_id": "w", "session_id": "v1", "visit_id": "s1", "event_id": "e1", "hostname": "a.example"}
    row |= {"os": "Linux", "language": "de-DE", "url_path": "/shoes", "url_query": "utm_source=x", "country": "DE"}
    row |= {"referrer_domain": "b.example", "referrer_path": "/", "page_title": "Shoes", "event_type": "1"}
    row |= {"event_name": "", "distinct_id": "\\N", "created_at": "2026-03-01 10:00:00"}
    view, click = events_of(
        "umami",
        tmp_path,
        table(row, {**row, "event_id": "e2", "event_type": "2", "event_name": "click", "url_query": ""}),
    )
    assert (view["event"], view["anonymous_id"], view["session_id"]) == ("page_view", "v1", "s1")
    assert view["page"]["url"] == "https://a.example/shoes?utm_source=x"
    assert view["page"]["referrer"] == "https://b.example/" and "user_id" not in view
    assert (click["event"], click["page"]["url"]) == ("click", "https://a.example/shoes")


def test_plausible(tmp_path: Path) -> None:
    row = {"timestamp": "2026-03-01 10:00:00", "name": "pageview", "site_id": 1, "user_id": 17446744073709551615}
    row |= {"session_id": 99, "hostname": "a.example", "pathname": "/shoes", "referrer": "b.example", "utm_source": "x"}
    row |= {"meta.key": ["author"], "meta.value": ["ann"], "browser": "Firefox"}
    (event,) = events_of("plausible_events", tmp_path, row)
    assert (event["event"], event["anonymous_id"], event["session_id"]) == ("page_view", "17446744073709551615", "99")
    assert event["page"]["url"] == "https://a.example/shoes" and event["campaign"] == {"source": "x"}
    assert event["properties"].pop("meta.key") == ["author"]
    assert event["properties"] == {"site_id": 1, "pathname": "/shoes", "meta.value": ["ann"], "browser": "Firefox"}


def test_enriched_events_of_snowplow(tmp_path: Path) -> None:
    columns = find_mapping("snowplow_enriched").form.columns
    assert len(columns) == 131
    row = dict.fromkeys(columns, "") | {
        "app_id": "shop",
        "platform": "web",
        "collector_tstamp": "2026-03-01 10:00:01.000",
        "dvce_created_tstamp": "2026-03-01 10:00:00.000",
        "derived_tstamp": "2026-03-01 10:00:00.500",
        "event": "unstruct",
        "event_name": "add_to_cart",
        "event_id": "c6ef3124-b53a-4b13-a233-0088f79dcbcb",
        "user_ipaddress": "203.0.113.9",
        "domain_userid": "d1",
        "domain_sessionid": "s1",
        "page_url": "https://shop.example/",
        "br_viewwidth": "1280",
        "unstruct_event": json.dumps({"schema": "iglu:u", "data": {"schema": "iglu:x", "data": {"sku": "7"}}}),
    }
    ping = {**row, "event": "page_ping", "event_id": "2", "unstruct_event": "", "pp_yoffset_max": "300"}
    data = "\n".join("\t".join(each.values()) for each in (row, ping)).encode()
    event, pinged = events_of("snowplow_enriched", tmp_path, data)
    assert (event["event"], event["session_id"], event["viewport"]) == ("add_to_cart", "s1", {"width": 1280})
    assert event["properties"]["sku"] == "7"
    assert event["properties"]["unstruct_event"] == {"schema": "iglu:u", "data": {"schema": "iglu:x"}}
    assert (pinged["event"], pinged["scroll"]) == ("page_ping", {"y_max": 300})


NGINX = (
    b'203.0.113.9 - - [01/Mar/2026:10:00:00 +0100] "GET /shoes?a=1 HTTP/1.1" 200 512 "https://a.example/" '
    b'"Mozilla/5.0"\n'
    b'203.0.113.9 - - [01/Mar/2026:10:00:00 +0100] "GET /shoes.png HTTP/1.1" 200 512 "-" "Mozilla/5.0"\n'
)
ALB = (
    b"https 2026-03-01T10:00:00.123456Z app/web/50dc 203.0.113.9:46532 10.0.0.1:80 0.001 0.002 0.000 200 200 34 366 "
    b'"GET https://shop.example:443/shoes HTTP/1.1" "Mozilla/5.0" ECDHE TLSv1.2 arn:aws:target "Root=1"\n'
)
CLOUDFRONT = (
    b"#Fields: date time c-ip cs-method cs-uri-stem sc-status sc-bytes cs(User-Agent) cs-uri-query x-host-header "
    b"cs-protocol\n"
    b"2026-03-01\t10:00:00\t203.0.113.9\tGET\t/shoes\t404\t99\tMozilla/5.0%20(X11)\t-\tshop.example\thttps\n"
)


@pytest.mark.parametrize(
    ("mapping", "log", "event", "url"),
    [
        ("nginx", NGINX, "page_view", "/shoes?a=1"),
        ("alb", ALB, "page_view", "https://shop.example:443/shoes"),
        ("cloudfront", CLOUDFRONT, "request", "https://shop.example/shoes"),
    ],
)
def test_logs(tmp_path: Path, mapping: str, log: bytes, event: str, url: str) -> None:
    first, *others = events_of(mapping, tmp_path, log)
    assert (first["event"], first["page"]["url"], first["ip"]) == (event, url, "203.0.113.9")
    assert [other["event"] for other in others] == ["request"] * len(others)
    assert isinstance(first["properties"]["status"], int)
    assert first["device"]["user_agent"].startswith("Mozilla/5.0") and "ip" not in first["properties"]
