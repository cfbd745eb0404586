"""Scores for the front end: what a read key may ask, and what is answered of whom nobody knows."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from event_assets.collector import WriteKeys
from event_assets.models.scoring import NumberWeight, ScoreModel, ScoreRule, ScoreSegment, probability
from event_assets.online import MODELS_ID, REFUSED, open_online, refusal_id
from event_assets.settings import Settings
from event_assets.streams import EventStream
from event_assets_tests.collector.conftest import ORIGIN
from event_assets_tests.collector.serving import serving

WEB_SDK = Path(__file__).parents[2] / "web-sdk"
MODEL = ScoreModel(
    "comes_back",
    "1",
    {"events": {"count": "anything"}, "buys": {"count": {"event": "buy"}, "last": "2 days"}},
    [NumberWeight("events", 0.0, 1.0, 0.5, 0.0), NumberWeight("buys", 0.0, 1.0, 1.0, 0.0)],
    -1.0,
    (1.0, 0.0),
    [ScoreSegment("likely", 0.5), ScoreSegment("unlikely", 0.0)],
    ScoreRule("events", 3),
    True,
    "",
    "2026-03-29",
)


def publish(settings: Settings, *models: ScoreModel) -> None:
    """Ann did three things the day before yesterday, one of which was to buy."""
    now = dt.datetime.now(dt.UTC)
    facts = [("ann", str(now.date() - dt.timedelta(days=2)), json.dumps({"events": 3, "buys": 1}))]
    facts += [(MODELS_ID, each.name, msgspec.json.encode(each).decode()) for each in models]
    ids = [("user", "u-ann", "ann"), ("anonymous", "d-ann", "ann"), ("model", MODELS_ID, MODELS_ID)]
    open_online(settings, "features").replace([facts], [ids], str(len(models)), now)


@pytest.fixture
def reader(keys: WriteKeys) -> str:
    return keys.create("front", "web", allowed_origins=(ORIGIN,), reads=("comes_back", "by_rule"))


@pytest.fixture
def client(settings: Settings, stream: EventStream, keys: WriteKeys, reader: str) -> Iterator[httpx.Client]:
    publish(settings, MODEL)
    with serving(settings, stream, keys) as client:
        client.headers["x-read-key"] = reader
        yield client


def ask(client: httpx.Client, **asked: Any) -> httpx.Response:
    return client.post("/v1/segment", json=asked)


def test_a_score_is_of_what_is_known_of_before_and_what_is_seen_today(client: httpx.Client) -> None:
    answer = ask(client, user_id="u-ann", today={"buy": 1, "view": 2})
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["score"] == pytest.approx(
        probability(-1 + 0.5 * 6 + 1.0), abs=1e-12
    )  # the first purchase left its days
    assert (said["model"], said["segment"], said["by"], said["trained_to"]) == (
        *("comes_back", "likely", "model", "2026-03-29"),
    )
    assert said["reasons"] == [
        {"feature": "events", "value": 6, "effect": 3.0},
        {"feature": "buys", "value": 1, "effect": 1.0},
    ]
    assert ask(client, anonymous_id="d-ann", today={"buy": 1, "view": 2}).json() == said
    assert ask(client, user_id="unknown", anonymous_id="d-ann", today={"buy": 1, "view": 2}).json() == said


def test_of_somebody_unknown_today_alone_counts(client: httpx.Client) -> None:
    assert ask(client, anonymous_id="new", today={"view": 1}).json()["score"] == probability(-0.5)
    assert ask(client, anonymous_id="new").json()["score"] == probability(-1.0)
    assert ask(client).json()["score"] == probability(-1.0)


def test_who_refused_personalisation_is_in_the_last_segment_whatever_they_do_and_is_told_why(
    client: httpx.Client, settings: Settings
) -> None:
    now = dt.datetime.now(dt.UTC)
    facts = [(refusal_id("u-bob"), REFUSED, "refused"), (MODELS_ID, MODEL.name, msgspec.json.encode(MODEL).decode())]
    ids = [("refusal", refusal_id("u-bob"), refusal_id("u-bob")), ("model", MODELS_ID, MODELS_ID)]
    open_online(settings, "features").replace([facts], [ids], "refused", now)
    why = [{"feature": "consent.personalisation", "value": "refused", "effect": 0.0}]
    for asked in ({"user_id": "u-bob"}, {"user_id": "other", "anonymous_id": "u-bob"}):
        said = ask(client, **asked, today={"buy": 9, "view": 9}).json()
        assert (said["segment"], said["score"], said["by"], said["reasons"]) == ("unlikely", None, "default", why)
    assert ask(client, user_id="other", today={"buy": 9, "view": 9}).json()["by"] == "model"


def test_where_no_model_is_better_the_rule_says_the_segment(client: httpx.Client, settings: Settings) -> None:
    publish(settings, MODEL, msgspec.structs.replace(MODEL, name="by_rule", promoted=False))
    said = ask(client, model="by_rule", user_id="u-ann").json()
    assert (said["segment"], said["score"], said["by"]) == ("likely", None, "rule")
    ambiguous = ask(client, user_id="u-ann")
    assert ambiguous.status_code == 404 and "there are: by_rule, comes_back" in ambiguous.json()["detail"]


def test_a_key_asks_the_models_that_it_names_and_no_others(
    client: httpx.Client, settings: Settings, keys: WriteKeys, key: str
) -> None:
    publish(settings, MODEL, msgspec.structs.replace(MODEL, name="secret"))
    assert ask(client, model="secret").status_code == 404
    for wrong in (key, "", "ea_x_y"):
        refused = client.post("/v1/segment", json={}, headers={"x-read-key": wrong})
        assert (refused.status_code, refused.json()["error"]) == (401, "unknown_read_key")
    preflight = client.options("/v1/segment", headers={"origin": ORIGIN, "access-control-request-method": "POST"})
    assert preflight.status_code == 204


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        '{"today": {"view": -1}}',
        '{"today": {"view": 1.5}}',
        '{"today": {"": 1}}',
        '{"user_id": ""}',
        '{"models": "x"}',
        json.dumps({"today": {f"e{number}": 1 for number in range(201)}}),
    ],
)
def test_a_body_that_cannot_be_read_is_told_what_it_must_be(client: httpx.Client, body: str) -> None:
    refused = client.post("/v1/segment", content=body)
    assert refused.status_code == 400 and refused.json()["detail"]


def test_before_anything_is_published_the_answer_is_that_nothing_is_known(
    settings: Settings, stream: EventStream, keys: WriteKeys, reader: str
) -> None:
    with serving(settings, stream, keys) as client:
        refused = client.post("/v1/segment", json={}, headers={"x-read-key": reader})
    assert (refused.status_code, refused.json()["error"]) == (503, "models_unavailable")


def test_the_web_sdk_counts_what_it_collects_and_asks_or_gives_the_default(
    client: httpx.Client, keys: WriteKeys, key: str
) -> None:
    if shutil.which("node") is None or not (WEB_SDK / "dist" / "scored.js").exists():
        pytest.skip("needs the built web SDK: make web-sdk, which needs npm")
    server = keys.create("server", "server", reads=("comes_back",))
    program = f"""
import {{ EventClient }} from "event-assets-web/core";
import {{ scored }} from "event-assets-web/scored";
const asking = {{ readKey: "{server}", otherwise: "unlikely" }};
const at = (endpoint) => scored((options) => new EventClient(options), {{ endpoint, writeKey: "{key}" }}, asking);
const client = at("{client.base_url}");
client.track("buy");
client.track("view");
const told = await client.segment({{ timeout: 5000 }});
const away = at("http://127.0.0.1:9");
const late = await client.segment({{ timeout: 0 }});
const unwilling = at("{client.base_url}");
unwilling.setConsent({{ personalisation: false }});
const refused = await unwilling.segment({{ timeout: 5000 }});
client.optOut();
console.log(JSON.stringify([told, refused, await away.segment(), late, await client.segment()]));
process.exit(0);
"""
    command = ["node", "--input-type=module", "--eval", program]
    done = subprocess.run(command, cwd=WEB_SDK, capture_output=True, text=True, check=True)
    told, refused, *defaults = json.loads(done.stdout)
    why = {"feature": "consent.personalisation", "value": "refused", "effect": 0}
    assert refused == {"segment": "unlikely", "score": None, "by": "default", "reasons": [why]}
    assert (told["by"], told["score"]) == ("model", probability(-1 + 0.5 * 2 + 1.0))
    assert defaults == [{"segment": "unlikely", "score": None, "by": "default", "reasons": []}] * 3
