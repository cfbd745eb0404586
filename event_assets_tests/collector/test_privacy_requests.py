"""What people ask for through the API: who may, what is kept of it, and what becomes of it."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from event_assets.audit import audit_log
from event_assets.cli import app
from event_assets.collector import WriteKeys
from event_assets.collector.signatures import Signed, sign
from event_assets.contract.erasure import Owner
from event_assets.lake.asked import Asked, read_asked, write_asked
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.lake.tombstones import ErasureRules, read_tombstones
from event_assets.privacy.asked import take_asked, waiting
from event_assets.privacy.requests import requests, write_request
from event_assets.settings import Settings
from event_assets.streams import EventStream
from event_assets_tests.collector.serving import event, serving

PATH = "/v1/privacy/requests"
PERSON = {"kind": "erasure", "user_ids": ["u-1"], "emails": ["jane@example.com"]}


@pytest.fixture
def privacy_key(keys: WriteKeys) -> str:
    """A key that says what people ask for."""
    return keys.create("support desk", "server", for_privacy=True)


def send(client: httpx.Client, key: str, path: str, body: Any = None, **changed: str) -> httpx.Response:
    """A signed request; `changed` are headers that are sent otherwise."""
    method, text = ("GET", b"") if body is None else ("POST", json.dumps(body).encode())
    stamp, nonce = str(int(time.time())), changed.pop("nonce", secrets.token_hex(8))
    signature = sign(key, stamp, nonce, Signed(method, path, b"", "", text))
    id_ = "_".join(key.split("_")[:2])
    headers = {"x-write-key": id_, "x-timestamp": stamp, "x-nonce": nonce, "x-signature": signature}
    return client.request(method, path, content=text, headers={**headers, **changed})


def test_a_request_is_queued_with_its_deadline_and_told_to_its_key_alone(
    client: httpx.Client, settings: Settings, keys: WriteKeys, privacy_key: str
) -> None:
    answer = send(client, privacy_key, PATH, PERSON)
    assert answer.status_code == 202, answer.text
    told = answer.json()
    due = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=settings.privacy_deadline_days)
    assert told == {"id": told["id"], "kind": "erasure", "state": "queued", "due": str(due)}
    asked = read_asked(Storage(settings.lake), told["id"])
    assert asked is not None
    assert (asked.users, asked.devices, asked.emails) == (("u-1",), (), ("jane@example.com",))
    assert send(client, privacy_key, f"{PATH}/{told['id']}").json() == told
    other = keys.create("other", "server", for_privacy=True)
    time.sleep(1.1)  # keys are looked at each second
    assert send(client, other, f"{PATH}/{told['id']}").status_code == 404
    assert send(client, privacy_key, f"{PATH}/..%2F..%2Fkeys").status_code == 404


def test_only_a_key_of_this_scope_may_and_each_request_is_signed_and_counted_once(
    client: httpx.Client, keys: WriteKeys, key: str, privacy_key: str
) -> None:
    server = keys.create("server", "server", signed=True)
    for wrong in (server, f"ea_{'0' * 12}_{'0' * 40}"):
        refused = send(client, wrong, PATH, PERSON)
        assert (refused.status_code, refused.json()["error"]) == (401, "unknown_privacy_key")
    assert client.post(PATH, json=PERSON, headers={"x-write-key": key}).status_code == 401
    assert client.post(PATH, json=PERSON, headers={"x-write-key": privacy_key}).status_code == 401
    id_ = "_".join(privacy_key.split("_")[:2])
    assert client.post(PATH, json=PERSON, headers={"x-write-key": id_}).json()["error"] == "bad_signature"
    assert send(client, privacy_key, PATH, PERSON, **{"x-signature": "0" * 64}).status_code == 401
    assert send(client, privacy_key, PATH, PERSON, origin="https://www.example.com").status_code == 403
    assert send(client, privacy_key, "/v1/events", event()).status_code == 401, "it sends no events"
    assert send(client, privacy_key, PATH, PERSON, nonce="only-once").status_code == 202
    assert send(client, privacy_key, PATH, PERSON, nonce="only-once").status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "erasure"},
        {"kind": "sale", "user_ids": ["u"]},
        {**PERSON, "user_ids": [""]},
        {**PERSON, "user_ids": ["u"] * 21},
        {**PERSON, "user_id": "u"},
        {**PERSON, "linked_users": "maybe"},
        [],
    ],
)
def test_what_names_nobody_or_cannot_be_read_is_refused(
    client: httpx.Client, settings: Settings, privacy_key: str, body: Any
) -> None:
    assert send(client, privacy_key, PATH, body).status_code == 400
    assert waiting(Lake(Storage(settings.lake))) == []


def test_a_key_is_held_to_its_rate(client: httpx.Client, privacy_key: str) -> None:
    answers = [send(client, privacy_key, f"{PATH}/none") for _ in range(40)]
    assert {answer.status_code for answer in answers} == {404, 429}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers if answer.status_code == 429)


def test_a_request_that_is_taken_up_is_of_the_time_at_which_it_was_made_and_the_queue_names_nobody(
    client: httpx.Client, settings: Settings, privacy_key: str
) -> None:
    id_ = send(client, privacy_key, PATH, PERSON).json()["id"]
    lake = Lake(Storage(settings.lake))
    [asked] = waiting(lake)
    assert take_asked(lake, settings) == 1
    assert take_asked(lake, settings) == 0
    [request] = requests(lake.storage)
    assert (request.id, request.requested_at, request.deadline) == (id_, asked.asked_at, asked.due)
    erased = read_tombstones(lake.storage, ErasureRules.of(settings))
    assert erased.is_erased(Owner("u-1", None, asked.asked_at))
    assert not erased.is_erased(Owner("u-1", None, asked.asked_at + dt.timedelta(seconds=1)))
    assert b"u-1" not in lake.storage.read(f"privacy/asked/{id_}.json")
    assert send(client, privacy_key, f"{PATH}/{id_}").json()["state"] == "open"
    write_asked(lake.storage, asked)  # as if the run had been killed before it was noted
    assert take_asked(lake, settings) == 1
    assert len([*requests(lake.storage)]) == 1
    write_request(lake.storage, replace(request, state="waiting"))
    assert send(client, privacy_key, f"{PATH}/{id_}").json()["state"] == "waiting"


def test_the_run_that_sees_a_request_first_enters_it_into_the_audit_log(
    client: httpx.Client, settings: Settings, privacy_key: str
) -> None:
    lake, id_ = Lake(Storage(settings.lake)), send(client, privacy_key, PATH, PERSON).json()["id"]
    [asked] = waiting(lake)
    take_asked(lake, settings)
    [entry] = audit_log(settings).entries()
    assert (entry.action, entry.of, entry.by) == ("erasure_requested", id_, f"key {privacy_key.split('_')[1]}")
    assert entry.said == {"asked_at": asked.asked_at.isoformat()}
    # The key that the first request made is the audit log's from now on.
    assert send(client, privacy_key, PATH, {**PERSON, "kind": "access"}).status_code == 202
    for _ in range(2):
        take_asked(lake, settings)
        last = audit_log(settings).verify()
        assert last is not None and (last.number, last.action) == (2, "access_requested") and last.key


def test_the_queue_may_be_in_a_bucket_of_which_the_collector_writes_nothing_else(
    s3_emulator: str, settings: Settings, stream: EventStream, keys: WriteKeys, privacy_key: str
) -> None:
    s3 = boto3.client("s3", endpoint_url=s3_emulator, region_name="us-east-1")
    s3.create_bucket(Bucket="asked")
    there = {"lake_url": "s3://asked/lake", "s3_endpoint_url": s3_emulator, "aws_region": "us-east-1"}
    edge = settings.model_copy(update={"stream_kind": "kinesis", **there})
    with serving(edge, stream, keys) as client:
        ids = [send(client, privacy_key, PATH, {**PERSON, "kind": kind}).json()["id"] for kind in ("erasure", "access")]
        written = {each["Key"] for each in s3.list_objects_v2(Bucket="asked")["Contents"]}
        assert written == {f"lake/privacy/asked/{id_}.json" for id_ in ids}
        assert send(client, privacy_key, f"{PATH}/nobody").status_code == 404
        pipeline = edge.model_copy(update={"privacy_key": SecretStr("a key of this test")})
        assert take_asked(Lake(Storage(edge.lake, "us-east-1", s3_emulator)), pipeline) == 1
        states = [send(client, privacy_key, f"{PATH}/{id_}").json()["state"] for id_ in ids]
    assert states == ["open", "queued"]
    actions = [entry.action for entry in audit_log(pipeline).entries()]
    assert sorted(actions) == ["access_requested", "erasure_requested"]


def test_a_queue_that_cannot_be_written_takes_nothing_and_says_so(
    client: httpx.Client, settings: Settings, privacy_key: str
) -> None:
    folder = Path(settings.lake, "privacy", "asked")
    folder.parent.mkdir(parents=True)
    folder.write_text("no folder")
    answer = send(client, privacy_key, PATH, PERSON)
    assert (answer.status_code, answer.json()["error"]) == (503, "queue_unavailable")


def test_a_request_for_access_waits_for_the_zip_and_is_done_with_it(
    client: httpx.Client, settings: Settings, privacy_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = send(client, privacy_key, PATH, {**PERSON, "kind": "access"}).json()["id"]
    assert take_asked(Lake(Storage(settings.lake)), settings) == 0
    monkeypatch.setenv("EVENT_ASSETS_HOME", str(settings.home))
    to = settings.home / "person.zip"
    for status in (0, 2):  # answered once
        answer = CliRunner().invoke(app, ["privacy", "export", str(to), "--request", id_])
        assert answer.exit_code == status, answer.output
    assert to.exists()
    assert send(client, privacy_key, f"{PATH}/{id_}").json()["state"] == "done"
    asked = read_asked(Storage(settings.lake), id_)
    assert isinstance(asked, Asked) and not (asked.users or asked.emails)


def test_a_collector_that_knows_no_lake_takes_no_request_that_nobody_would_see(
    settings: Settings, stream: EventStream, keys: WriteKeys, privacy_key: str
) -> None:
    alone = settings.model_copy(update={"stream_kind": "kinesis"})
    with serving(alone, stream, keys) as client:
        answer = send(client, privacy_key, PATH, PERSON)
    assert (answer.status_code, answer.json()["error"]) == (503, "no_queue")
