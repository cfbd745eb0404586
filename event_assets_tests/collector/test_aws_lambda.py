"""The Lambda handler on the request JSON that API Gateway sends (HTTP API, payload format 2.0)."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import boto3
import pytest
from moto import mock_aws

from event_assets.collector import WriteKeys, aws_lambda
from event_assets.settings import Settings, SettingsError, load_settings
from event_assets.streams import open_stream
from event_assets_tests.collector.serving import event, written

REQUEST = json.loads((Path(__file__).parent / "events" / "api_gateway_v2.json").read_text())


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The environment of a Lambda function, with an instance that has not served yet."""
    monkeypatch.setenv("EVENT_ASSETS_HOME", str(tmp_path))
    new_instance()
    yield load_settings()
    new_instance()


def new_instance() -> None:
    """What was made for earlier requests is gone."""
    for made in (aws_lambda._adapter, aws_lambda._origin, aws_lambda._settings):
        made.cache_clear()


def request(
    key: str, body: str = "", headers: Mapping[str, str] = MappingProxyType({}), *, is_base64: bool = False
) -> dict[str, Any]:
    return {
        **REQUEST,
        "headers": {**REQUEST["headers"], "x-write-key": key, **headers},
        "body": body,
        "isBase64Encoded": is_base64,
    }


def test_events_are_on_the_stream_when_the_handler_returns_each_time(deployed: Settings) -> None:
    key = WriteKeys.of(deployed).create("site", "web")
    for number in range(3):
        answer = aws_lambda.handler(request(key, json.dumps([event(number)])), None)
        assert answer["statusCode"] == 200
        assert json.loads(answer["body"])["accepted"] == 1
        assert len(written(open_stream(deployed))) == number + 1
    first = json.loads(written(open_stream(deployed))[0])
    assert (first["ip"], first["device"]["user_agent"][:7]) == ("203.0.113.0", "Mozilla")


def test_a_compressed_body_comes_in_base64(deployed: Settings) -> None:
    key = WriteKeys.of(deployed).create("site", "web")
    body = base64.b64encode(gzip.compress(json.dumps([event(1), event(2)]).encode())).decode()
    answer = aws_lambda.handler(request(key, body, {"content-encoding": "gzip"}, is_base64=True), None)
    assert answer["statusCode"] == 200
    assert len(written(open_stream(deployed))) == 2


def test_the_pixel_is_given_back_in_base64(deployed: Settings) -> None:
    key = WriteKeys.of(deployed).create("site", "web")
    asked = request(key)
    asked["rawPath"] = "/v1/pixel.gif"
    asked["requestContext"] = {
        **asked["requestContext"],
        "http": {**asked["requestContext"]["http"], "method": "GET", "path": "/v1/pixel.gif"},
    }
    asked["rawQueryString"] = "anonymous_id=a-1&event=mail_opened"
    answer = aws_lambda.handler(asked, None)
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, True)
    assert base64.b64decode(answer["body"]).startswith(b"GIF89a")


def test_a_request_without_a_key_is_unauthorised(deployed: Settings) -> None:
    assert aws_lambda.handler(REQUEST, None)["statusCode"] == 401


def test_behind_cloudfront_who_knows_its_secret_gets_in_from_an_address_of_their_own(
    deployed: Settings, aws_credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENT_ASSETS_COLLECTOR_ORIGIN_SECRET", "front")
    monkeypatch.setenv("EVENT_ASSETS_AWS_REGION", "us-east-1")
    key = WriteKeys.of(deployed).create("site", "web")
    with mock_aws():
        boto3.client("secretsmanager", region_name="us-east-1").create_secret(Name="front", SecretString="s3cret")
        around = aws_lambda.handler(request(key, json.dumps([event(1)])), None)
        asked = request(
            key,
            json.dumps([event(2)]),
            {"x-origin-verify": "s3cret", "x-forwarded-for": "198.51.100.7, 203.0.113.77"},
        )
        through = aws_lambda.handler(asked, None)
    assert (around["statusCode"], json.loads(around["body"])["error"]) == (403, "not_this_way")
    assert through["statusCode"] == 200
    (line,) = written(open_stream(deployed))
    assert json.loads(line)["ip"] == "198.51.100.0"


def test_a_secret_that_cannot_be_read_lets_nobody_in(
    deployed: Settings, aws_credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENT_ASSETS_COLLECTOR_ORIGIN_SECRET", "front")
    with mock_aws(), pytest.raises(SettingsError, match="The secret front cannot be read"):
        aws_lambda.handler(request("key"), None)


def test_pseudonyms_before_the_first_write_are_made_with_a_key_that_is_fetched(
    deployed: Settings, aws_credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {"PII_AT": "collector", "PII_FIELDS": "user_id", "PII_KEY_SECRET": "pii", "AWS_REGION": "us-east-1"}
    for name, value in variables.items():
        monkeypatch.setenv(f"EVENT_ASSETS_{name}", value)
    key = WriteKeys.of(deployed).create("site", "web")
    with mock_aws():
        boto3.client("secretsmanager", region_name="us-east-1").create_secret(Name="pii", SecretString="a key")
        answer = aws_lambda.handler(request(key, json.dumps([event(1, user_id="ada@example.com")])), None)
    assert answer["statusCode"] == 200
    (line,) = written(open_stream(deployed))
    assert b"ada@example.com" not in line and json.loads(line)["user_id"].startswith("pseudonym.")
