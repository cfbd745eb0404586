"""Segments for the front end: what a read key may ask, of whom, and that nobody else is told anything."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from event_assets.cli import app
from event_assets.collector import WriteKeys
from event_assets.enrichment.pseudonyms import Pseudonyms
from event_assets.online import open_online
from event_assets.settings import Settings
from event_assets.streams import EventStream
from event_assets_sdk.people import People, PeopleError, Stay
from event_assets_tests.collector.conftest import ORIGIN
from event_assets_tests.collector.serving import event, serving

WEB_SDK = Path(__file__).parents[2] / "web-sdk"
DAY = dt.date(2026, 3, 1)
NOW = dt.datetime(2026, 3, 31, 12, 30, tzinfo=dt.UTC)
AWKWARD = "o'brien/x?y#z ä%2F&"


def publish(settings: Settings, *segments: str) -> None:
    """Ann is in these segments, by three ids; Bob, by one, is in `vip`."""
    members = [*(("ann", segment, str(DAY)) for segment in segments), ("bob", "vip", str(DAY))]
    ids = [("user", "ann", "ann"), ("anonymous", "d1", "ann"), ("user", AWKWARD, "ann"), ("user", "bob", "bob")]
    open_online(settings).replace([members], [ids], "-".join(segments), NOW)


@pytest.fixture
def reader(keys: WriteKeys) -> str:
    """A site's read key, for two segments."""
    return keys.create("front", "web", allowed_origins=(ORIGIN,), reads=("buyers", "vip"))


@pytest.fixture
def client(settings: Settings, stream: EventStream, keys: WriteKeys, reader: str) -> Iterator[httpx.Client]:
    """A client that carries the read key, of a collector that knows people."""
    publish(settings, "buyers", "secret", "vip")
    with serving(settings, stream, keys) as client:
        client.headers["x-read-key"] = reader
        yield client


def of(client: httpx.Client, id_: str, **headers: str) -> httpx.Response:
    return client.get(f"/v1/people/{quote(id_, safe='')}/segments", headers=headers)


def test_a_person_is_found_by_every_id_with_the_segments_that_the_key_may_read(client: httpx.Client) -> None:
    segments = [{"segment": name, "since": "2026-03-01"} for name in ("buyers", "vip")]
    for id_ in ("ann", "d1", AWKWARD):
        answer = of(client, id_)
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"id": id_, "segments": segments, "as_of": NOW.isoformat()}
        assert answer.headers["cache-control"] == "no-store"
    assert of(client, "nobody").json()["segments"] == []
    several = client.post("/v1/people/segments", json={"ids": ["bob", "nobody", "d1", "bob"]}).json()
    assert [person["id"] for person in several["people"]] == ["bob", "nobody", "d1", "bob"]
    assert [len(person["segments"]) for person in several["people"]] == [1, 0, 2, 1]


def test_where_tables_have_pseudonyms_who_asks_names_people_by_the_plain_id(
    settings: Settings, stream: EventStream, keys: WriteKeys, reader: str
) -> None:
    named = Pseudonyms(("user_id",), (b"one", b"two"))
    ids = [("user", named.of("ann"), "p"), ("anonymous", named.of("d1"), "p")]
    open_online(settings).replace([[("p", "vip", str(DAY))]], [ids], "1", NOW)
    changed = {"pii_fields": ("user_id",), "pii_key": SecretStr('["one", "two"]')}
    with serving(settings.model_copy(update=changed), stream, keys) as client:
        client.headers["x-read-key"] = reader
        assert [len(of(client, id_).json()["segments"]) for id_ in ("ann", "d1", "bob")] == [1, 1, 0]
        several = client.post("/v1/people/segments", json={"ids": ["bob", "ann"]}).json()["people"]
    assert [(person["id"], len(person["segments"])) for person in several] == [("bob", 0), ("ann", 1)]


def test_what_is_published_anew_is_answered_at_once(client: httpx.Client, settings: Settings) -> None:
    assert len(of(client, "ann").json()["segments"]) == 2
    publish(settings, "vip")
    assert [each["segment"] for each in of(client, "ann").json()["segments"]] == ["vip"]


def test_a_read_key_sends_nothing_and_a_write_key_reads_nothing(
    client: httpx.Client, keys: WriteKeys, key: str, reader: str
) -> None:
    assert client.post("/v1/events", json=event(), headers={"x-write-key": reader}).status_code == 401
    assert client.post("/v1/track", json={"event": "x", "anonymousId": "a", "writeKey": reader}).status_code == 401
    for wrong in (key, "", "ea_x_y", keys.create("server", "server", trusted=True), f"{reader}x"):
        refused = of(client, "ann", **{"x-read-key": wrong})
        assert (refused.status_code, refused.json()["error"]) == (401, "unknown_read_key")
    assert of(client, "ann", **{"x-read-key": "", "authorization": f"Bearer {reader}"}).status_code == 200
    assert client.get(f"/v1/people/ann/segments?read_key={reader}", headers={"x-read-key": ""}).status_code == 401
    keys.revoke(reader)
    assert of(client, "ann").status_code in (200, 401)  # within a second


def test_pages_of_an_origin_that_the_key_allows_read_and_others_do_not(client: httpx.Client, keys: WriteKeys) -> None:
    keys.create("other", "web", allowed_origins=("https://other.example",))
    asked = {"origin": ORIGIN, "access-control-request-method": "GET", "access-control-request-headers": "x-read-key"}
    preflight = client.options("/v1/people/ann/segments", headers=asked)
    assert preflight.status_code == 204 and preflight.headers["access-control-allow-origin"] == ORIGIN
    assert "x-read-key" in preflight.headers["access-control-allow-headers"]
    assert of(client, "ann", origin=ORIGIN).headers["access-control-allow-origin"] == ORIGIN
    refused = of(client, "ann", origin="https://other.example")
    assert (refused.status_code, refused.json()["error"]) == (403, "origin_not_allowed")
    assert client.options("/v1/people/segments", headers={"origin": "https://evil.example"}).status_code == 403


def test_a_key_has_a_rate_of_people_that_it_asks_for(settings: Settings, stream: EventStream, keys: WriteKeys) -> None:
    publish(settings, "vip")
    slow = keys.create("slow", "server", reads=("*",), events_per_second=0.001)
    with serving(settings, stream, keys) as client:
        assert of(client, "ann", **{"x-read-key": slow}).status_code == 200
        refused = client.post("/v1/people/segments", json={"ids": ["ann"]}, headers={"x-read-key": slow})
    assert (refused.status_code, refused.json()["error"]) == (429, "key_rate")
    assert int(refused.headers["retry-after"]) > 1


@pytest.mark.parametrize(
    "body",
    ['{"ids": []}', '{"ids": [1]}', '{"ids": "ann"}', "[]", "", '{"ids": [""]}', '{"ids": ["a\\u0000"]}',
     '{"ids": ["ann"], "more": 1}', '{"ids": ["' + "x" * 513 + '"]}', '{"ids": [' + ",".join(['"a"'] * 101) + "]}"],
)  # fmt: skip
def test_a_body_that_asks_for_nobody_or_too_many_is_refused(client: httpx.Client, body: str) -> None:
    assert client.post("/v1/people/segments", content=body).status_code == 400


def test_ids_that_nobody_can_have_are_refused_not_failed_on(client: httpx.Client) -> None:
    for path in ("", "%00", "a%0Ab", "x" * 513, "%ff"):
        assert client.get(f"/v1/people/{path}/segments").status_code in (200, 400)


def test_without_a_table_it_is_told_and_events_are_taken_as_ever(
    settings: Settings, stream: EventStream, keys: WriteKeys, key: str, reader: str
) -> None:
    with serving(settings, stream, keys) as client:
        unknown = of(client, "ann", **{"x-read-key": reader})
        assert (unknown.status_code, unknown.json()["error"]) == (503, "segments_unavailable")
        assert unknown.headers["retry-after"] == "30"
        assert client.post("/v1/events", json=event(), headers={"x-write-key": key}).status_code == 200


def test_the_command_makes_read_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_ASSETS_HOME", str(tmp_path))
    made = CliRunner().invoke(app, ["keys", "create", "front", "--reads", "buyers", "--reads", "vip"])
    assert made.exit_code == 0, made.output
    source = WriteKeys(tmp_path / "keys.json").find_reading(made.stdout.split()[0])
    assert source is not None and source.reads == ("buyers", "vip")
    assert CliRunner().invoke(app, ["keys", "create", "x", "--reads", "vip", "--trusted"]).exit_code == 2


def test_the_helpers_of_both_sdks_ask_for_the_same(client: httpx.Client, reader: str) -> None:
    url = str(client.base_url)
    asked = People(url, reader)
    stays = [Stay("buyers", DAY), Stay("vip", DAY)]
    assert asked.segments(AWKWARD) == stays
    many = [f"nobody-{number}" for number in range(150)]
    found = asked.segments_of(["ann", *many, "bob", "ann"])
    assert (found["ann"], found["bob"], found["nobody-149"], len(found)) == (stays, [Stay("vip", DAY)], [], 152)
    with pytest.raises(PeopleError, match="unknown_read_key") as refused:
        People(url, "ea_0_0").segments("ann")
    assert refused.value.status == 401
    with pytest.raises(PeopleError, match="no answer"):
        People("http://127.0.0.1:9", reader).segments("ann")


@pytest.mark.slow
def test_the_web_sdk_asks_for_segments_too(client: httpx.Client, keys: WriteKeys) -> None:
    if shutil.which("node") is None or not (WEB_SDK / "dist" / "people.js").exists():
        pytest.skip("needs the built web SDK: make web-sdk, which needs npm")
    server = keys.create("server", "server", reads=("buyers", "vip"))
    program = f"""
import {{ people }} from "event-assets-web/people";
const asked = people({{ endpoint: "{client.base_url}", readKey: "{server}" }});
const many = Array.from({{ length: 150 }}, (_, number) => `nobody-${{number}}`);
const found = await asked.segmentsOf(["ann", ...many]);
const refused = await people({{ endpoint: "{client.base_url}", readKey: "x" }}).segments("ann").catch(String);
console.log(JSON.stringify([await asked.segments({json.dumps(AWKWARD)}), found.get("ann"), found.size, refused]));
"""
    command = ["node", "--input-type=module", "--eval", program]
    done = subprocess.run(command, cwd=WEB_SDK, capture_output=True, text=True, check=True)
    one, ann, count, refused = json.loads(done.stdout)
    assert one == ann == [{"segment": name, "since": "2026-03-01"} for name in ("buyers", "vip")]
    assert count == 151 and "HTTP 401" in refused
