"""The Lambda handler on the request JSON that API Gateway sends (HTTP API, payload format 2.0)."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from event_assets.collector import WriteKeys, aws_lambda
from event_assets.settings import Settings, load_settings
from event_assets.streams import open_stream
from event_assets_tests.collector.serving import event, written

REQUEST = json.loads((Path(__file__).parent / "events" / "api_gateway_v2.json").read_text())


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The environment of a Lambda function, with an instance that has not served yet."""
    monkeypatch.setenv("EVENT_ASSETS_HOME", str(tmp_path))
    aws_lambda._adapter.cache_clear()
    yield load_settings()
    aws_lambda._adapter.cache_clear()


def request(key: str, body: str = "", *, is_base64: bool = False, **headers: str) -> dict[str, Any]:
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
    answer = aws_lambda.handler(request(key, body, is_base64=True, **{"content-encoding": "gzip"}), None)
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
