"""Where pseudonyms are made is no matter for any row, and with `collector` no byte before cleaning names anybody."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from pyspark.sql import SparkSession

from event_assets.collector import WriteKeys
from event_assets.collector.protocols.segment_usual import usual_events
from event_assets.enrichment.pseudonyms import Pseudonyms
from event_assets.enrichment.sealing import Sealing
from event_assets.importing import ApiSink, StreamAside, StreamSink
from event_assets.lake.tombstones import ErasureRules
from event_assets.privacy.closure import Named, closure_of
from event_assets.settings import Settings, load_settings
from event_assets_tests.collector.serving import serving
from event_assets_tests.examples import examples
from event_assets_tests.pipeline.naming_requests import SNOWPLOW, mixpanel_of, of_others, packed
from event_assets_tests.pipeline.pipeline import BY_PLACE, WITHOUT_ATTRIBUTION, Pipeline
from event_assets_tests.pipeline.test_refused_consent import MARK, contents
from event_assets_tests.pipeline.test_rotated_keys import TABLES
from event_assets_tests.privacy.people import ask, events_of, names_of, naming, rows_of, run

pytestmark = pytest.mark.slow

SENT = "2026-11-22T10:00:00.000Z"
FIELDS = (
    *("user_id", "page_title", "screen_name", "device_model", "device_id", "device_advertising_id"),
    *(
        "properties.email",
        "traits.email",
        "traits.name",
        "extra.unknown",
        "extra.context.traits",
        "extra.device.serial",
    ),
)
ONE, BOTH = "one", json.dumps(["one", "two"])


def at(where: str, keys: str, fields: tuple[str, ...] = ("user_id", "traits.email")) -> dict[str, Any]:
    return {"pii_fields": fields, "pii_key": SecretStr(keys), "pii_at": where}


def feed(pipeline: Pipeline, lines: list[bytes], **changed: Any) -> None:
    """Imports the lines by these settings, which hold from now on, and brings all tables up to date."""
    pipeline.settings = pipeline.settings.model_copy(update=changed)
    StreamSink(pipeline.settings, pipeline.stream).write(lines)
    pipeline.run(steps=WITHOUT_ATTRIBUTION)


@examples(2)
@given(data=st.data())
def test_switching_where_pseudonyms_are_made_and_rotating_their_keys_makes_nobody_two(
    spark: SparkSession, data: st.DataObject
) -> None:
    lines = data.draw(st.permutations(events_of(range(1, 4))))
    cuts = sorted(data.draw(st.tuples(*[st.integers(1, len(lines) - 1)] * 2)))
    first, last = data.draw(st.permutations(["clean", "collector"]))
    with tempfile.TemporaryDirectory() as folder:
        switched, whole = (Pipeline(spark, Path(folder) / name) for name in ("switched", "whole"))
        feed(switched, lines[: cuts[0]], **at(first, ONE))
        feed(switched, lines[cuts[0] : cuts[1]], **at(last, ONE))
        feed(switched, lines[cuts[1] :], **at(data.draw(st.sampled_from([first, last])), BOTH))
        feed(whole, lines, **at("clean", BOTH))
        made = [{table: each.rows(table, BY_PLACE) for table in TABLES} for each in (switched, whole)]
        assert made[0] == made[1]
        assert len({row["person_id"] for row in made[0]["identities"]}) == 3
        assert switched.ledger() == whole.ledger()
        # What was set aside says nothing either, whoever made pseudonyms of it.
        assert not any(name in row["data"] for row in switched.rows("quarantined_events") for name in names_of(1))


def test_a_person_is_found_and_erased_by_the_plain_id_in_what_has_pseudonyms_from_the_first_write(
    spark: SparkSession, tmp_path: Path
) -> None:
    pipeline = Pipeline(spark, tmp_path)
    feed(pipeline, events_of(range(1, 5)), **at("collector", ONE))
    rules = ErasureRules.of(pipeline.settings)
    before = closure_of(pipeline.lake, rules, Named(users=("user-0001",)))
    assert before.devices == {rules.known_as("device-0001")}
    ask(pipeline, 2)  # before the rotation, and worked off after it
    feed(pipeline, [], **at("collector", BOTH))
    ask(pipeline, 1)
    assert run(pipeline).state == "done"
    rows = {name: "".join(lines) for name, lines in rows_of(pipeline).items()}
    rules = ErasureRules.of(pipeline.settings)
    gone, left = (
        {
            name
            for person in people
            for kind in ("user", "device")
            for id_ in [f"{kind}-{person:04}"]
            for name in (*rules.ever_known_as(id_), *rules.ever_written_as(id_))
        }
        for people in ((1, 2), (3, 4))
    )
    assert [name for name, text in rows.items() if any(id_ in text for id_ in gone)] == []
    assert naming(rows_of(pipeline), (1, 2, 3, 4)) == {}
    assert sum(any(id_ in text for id_ in left) for text in rows.values()) > 5
    # What of theirs is of before and arrives late is erased before it is written, whichever key it was sealed by.
    for keys in ((b"one",), (b"one", b"two")):
        sealing = Sealing(Pseudonyms(("user_id", "traits.email"), keys))
        pipeline.put([sealing.event(line) for line in events_of([1]) if line.endswith(b"}")])
    pipeline.run(steps=WITHOUT_ATTRIBUTION)
    rows = {name: "".join(lines) for name, lines in rows_of(pipeline).items()}
    assert [name for name, text in rows.items() if any(id_ in text for id_ in gone)] == []


def marked(number: int, **changes: Any) -> dict[str, Any]:
    """An event with a mark in every field that is to be replaced."""
    secret = f"{MARK}{number}@x.example"
    return {
        "event_id": f"e-{number}",
        "event": "page_view",
        "platform": "web",
        "anonymous_id": f"{MARK}a{number % 3}",
        "user_id": f"{MARK}u{number % 3}",
        "page": {"url": "https://x.example/a", "title": secret},
        "screen": {"name": secret},
        "device": {"model": secret, "id": f"{MARK}d", "advertising_id": f"{MARK}ad", "serial": secret},
        "ip": "198.51.100.77",
        "properties": {"email": secret, "previous_id": f"{MARK}a0", "price": number},
        "traits": {"email": [secret, {"x": secret}], "name": {"first": secret}, "plan": "free"},
        "traits_once": {"name": secret},
        "context": {"traits": {"mail": secret}},
        "unknown": secret,
        "consent": {"analytics": True},
        **changes,
    }


def usual_of_segment(number: int) -> dict[str, Any]:
    """A message with marks and nothing unusual, which is read at one look."""
    secret = f"{MARK}{number}@x.example"
    return {
        "type": "track",
        "event": "b",
        "messageId": f"usual-{number}",
        "anonymousId": f"{MARK}a{number}",
        "userId": f"{MARK}u{number}",
        "timestamp": SENT,
        "context": {"library": {"name": "js", "version": "1"}, "page": {"url": "https://x.example/", "title": secret}},
        "properties": {"email": secret},
    }


def send(client: httpx.Client, key: str) -> None:
    """By every door: one a body, an array, NDJSON, a beacon, a pixel, other SDKs; sound events and broken ones."""
    kinds = ("page_view", "identify", "alias", "purchase", "screen_view", "consent_changed")
    sound = [marked(number, event=kind) for number, kind in enumerate(kinds)]
    refused = [marked(7, consent={"analytics": False}), marked(8, event=kinds[5], consent={"analytics": False})]
    broken = [marked(10, platform="toaster"), marked(11, user_id=7), marked(12, properties=f"{MARK}@x")]
    every = [*sound, *refused, *broken]
    headers = {"x-write-key": key, "x-forwarded-for": "203.0.113.99"}
    for event in every:
        client.post("/v1/events", json=event, headers=headers)
    client.post("/v1/events", json=every, headers=headers)
    lines = "\n".join(map(json.dumps, every))
    client.post("/v1/events", content=lines, headers={**headers, "content-type": "text/plain"})
    client.post("/v1/events", content=json.dumps(every[0])[:-1], headers=headers)
    query = {"write_key": key, "platform": "web", "event": "mail_opened", "title": f"{MARK}t", "user_id": f"{MARK}u1"}
    assert client.get("/v1/pixel.gif", params=query).status_code == 200
    by_segment = {
        "type": "track",
        "event": "b",
        "messageId": "s-1",
        "anonymousId": f"{MARK}a1",
        "userId": f"{MARK}u1",
        "context": {"traits": {"email": f"{MARK}@x"}, "device": {"model": MARK, "id": MARK}, "ip": "198.51.100.77"},
        "properties": {"email": f"{MARK}@x"},
    }
    batch = [by_segment, {**by_segment, "event": None, "messageId": "s-2"}, {**by_segment, "properties": [MARK]}]
    client.post("/v1/batch", json={"batch": batch}, headers=headers)
    client.post("/v1/batch", content=json.dumps({"batch": batch})[:-3], headers=headers)
    usual = {"batch": [usual_of_segment(number) for number in range(3)], "sentAt": SENT}
    assert usual_events(json.dumps(usual).encode(), "web", None) is not None, "it goes the way of many at once"
    client.post("/v1/batch", json=usual, headers=headers)
    for path, body in of_others(key):
        client.post(path, **body)
    client.get("/i", params={**SNOWPLOW, "aid": key})
    client.get("/track", params={"data": packed(mixpanel_of(key)["event"])})


def places_with_marks(folder: Path) -> list[str]:
    forbidden = (MARK.encode(), b"198.51.100.77", b"203.0.113.99")
    return [place for place, data in contents(folder) if any(text in data for text in forbidden)]


def fed_by_every_door(spark: SparkSession, settings: Settings) -> Pipeline:
    pipeline = Pipeline(spark, settings.home)
    pipeline.settings = settings
    keys = WriteKeys.of(settings)
    trusted = keys.create("backend", "server", trusted=True)
    lines = [json.dumps(marked(20)).encode(), json.dumps(marked(21, platform="toaster")).encode()]
    lines += [lines[0][:-1], lines[0].replace(b'"page_view"', b'"\xff"')]
    with serving(settings, pipeline.stream, keys) as client:
        send(client, keys.create("site", "web"))
        send(client, trusted)
        api = ApiSink(str(client.base_url), trusted, StreamAside(pipeline.stream, settings))
        api.write(lines)
        api.close()
    StreamSink(settings, pipeline.stream).write(lines)
    pipeline.run(steps=WITHOUT_ATTRIBUTION)
    return pipeline


@pytest.mark.representative
@pytest.mark.parametrize("where", ["clean", "collector"])
def test_no_byte_of_any_file_names_anybody_whose_pseudonyms_are_made_there(
    spark: SparkSession, tmp_path: Path, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load_settings(home=tmp_path / "home", collector_ip_rate=0, **at(where, BOTH, FIELDS))
    with caplog.at_level("DEBUG"):
        pipeline = fed_by_every_door(spark, settings)
    logged = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    assert logged and not any(MARK in message for message in logged)
    places = places_with_marks(settings.home)
    if where == "collector":
        assert places == []
    else:
        assert places and all("/raw_events/" in place or "/stream.db" in place for place in places), places
    counts = pipeline.ledger()
    assert counts["landed"] == counts["clean"] + counts["quarantined"] and counts["quarantined"] >= 8
    reasons = {row["reason"] for row in pipeline.rows("quarantined_events")}
    assert {"missing_field", "invalid_utf8", "invalid_value", "wrong_type"} <= reasons
    rows = pipeline.rows("enriched_events")
    assert len({row["user_id"] for row in rows} - {None}) == 3 and {row["country"] for row in rows} >= {None}
    assert {len(row["user_id"]) for row in rows if row["user_id"]} == {64}
