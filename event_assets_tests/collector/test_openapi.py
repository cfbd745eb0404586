"""The OpenAPI document against the running API: requests made from it, valid and not, get what it documents."""

from __future__ import annotations

import datetime as dt
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of_hypothesis
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from event_assets.collector import WriteKeys
from event_assets.online import open_online
from event_assets.settings import Settings
from event_assets_tests.collector.serving import event
from event_assets_tests.collector.test_scores import MODEL, publish
from event_assets_tests.examples import examples

# The probe without a key carries ours (test_access has that). OpenAPI cannot say all that makes an event valid: its
# printable name, whole numbers written as such, the lines of a text, one of two parameters.
UNSAYABLE: list[Any] = [checks.ignored_auth, checks.positive_data_acceptance]
OPERATIONS = [
    *(("POST", "/v1/events"), ("GET", "/v1/pixel.gif"), ("GET", "/v1/health"), ("GET", "/v1/ready")),
    *(("GET", "/v1/people/{id}/segments"), ("POST", "/v1/people/segments"), ("POST", "/v1/segment")),
    *(("POST", "/v1/privacy/requests"), ("GET", "/v1/privacy/requests/{id}")),
]


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_to_a_generated_request_is_documented(
    client: httpx.Client, settings: Settings, keys: WriteKeys, key: str, method: str, path: str, mode: GenerationMode
) -> None:
    headers = {"x-write-key": key, "x-read-key": keys.create("app", "web", reads=("*",))}
    now = dt.datetime.now(dt.UTC)
    open_online(settings).replace([[("ann", "vip", str(now.date()))]], [[("user", "ann", "ann")]], "1", now)
    publish(settings, MODEL)
    operation = schemathesis.openapi.from_url(f"{client.base_url}/openapi.json")[path][method]
    if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query or operation.path_parameters):
        pytest.skip("takes nothing that could be wrong")

    @settings_of_hypothesis(examples(25), database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def answers_as_documented(case: Any) -> None:
        case.call_and_validate(headers=headers, excluded_checks=UNSAYABLE)

    answers_as_documented()


def test_every_field_of_an_answer_is_documented(client: httpx.Client) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    answer = client.post("/v1/events", json=[event(1), event(2, platform="fridge")]).json()
    assert set(answer) == set(schemas["Verdicts"]["properties"])
    assert {name for result in answer["results"] for name in result} <= set(schemas["Verdict"]["properties"])
    assert set(client.post("/v1/events").json()) == set(schemas["Refusal"]["properties"])
