"""The Lambda handler against a real ingest API on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from event_assets.collector.keys import WriteKeys
from event_assets.settings import Settings, SettingsError, load_settings
from event_assets.simulator.aws_lambda import handler
from event_assets.simulator.send import SendError
from event_assets.simulator.traffic import TrafficError
from event_assets.simulator.truth import TruthLedger
from event_assets.streams import EventStream, open_stream
from event_assets_tests.collector.serving import serving, written


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The environment of a function: only /tmp can be written to, and it is not where the collector is."""
    monkeypatch.setenv("EVENT_ASSETS_HOME", str(tmp_path / "function"))
    return load_settings(home=tmp_path / "collector", collector_ip_rate=0)


@pytest.fixture
def stream(settings: Settings) -> Iterator[EventStream]:
    opened = open_stream(settings)
    yield opened
    opened.close()


def invoke(settings: Settings, stream: EventStream, **asked: Any) -> dict[str, Any]:
    """What Lambda gives to who invoked it: JSON."""
    key = WriteKeys.of(settings).create("lambda", "web")
    with serving(settings, stream) as client:
        event = {"endpoint": str(client.base_url), "write_key": key, "events": 200, "seconds": 0.2, **asked}
        answer: dict[str, Any] = json.loads(json.dumps(handler(json.loads(json.dumps(event)), None)))
    return answer


def test_an_event_becomes_traffic_and_the_truth_about_it(settings: Settings, stream: EventStream) -> None:
    answer = invoke(settings, stream, seed=5, rates={"malformed": 0.2})
    assert answer["acknowledged"] == len(written(stream)) > 100
    assert answer["rejected"]["malformed_json"] > 10
    assert answer["stray_records"] == 0
    with TruthLedger(Path(answer["truth"])) as truth:
        assert truth.query("SELECT count(*) FROM submissions WHERE verdict = 'accepted'") == [(answer["acknowledged"],)]


def test_the_truth_outlives_the_function_where_the_event_says(
    settings: Settings, stream: EventStream, s3_emulator: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EVENT_ASSETS_S3_ENDPOINT_URL", s3_emulator)
    client = boto3.client("s3", region_name="us-east-1", endpoint_url=s3_emulator)
    client.create_bucket(Bucket="simulations")
    answer = invoke(settings, stream, truth_url="s3://simulations/run/truth.db")
    client.download_file("simulations", "run/truth.db", str(tmp_path / "kept.db"))
    with TruthLedger(tmp_path / "kept.db") as truth:
        assert truth.query("SELECT run_id, count(*) FROM submissions") == [(answer["run_id"], answer["sent"])]


def test_the_write_key_may_be_in_a_secret(
    settings: Settings, stream: EventStream, aws_credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENT_ASSETS_AWS_REGION", "us-east-1")
    key = WriteKeys.of(settings).create("simulator", "web")
    with serving(settings, stream) as client, mock_aws(config={"core": {"passthrough": {"urls": ["http://127.*"]}}}):
        secrets = boto3.client("secretsmanager", region_name="us-east-1")
        secrets.create_secret(Name="simulator", SecretString=f"{key}\n")
        asked = {"endpoint": str(client.base_url), "write_key_secret": "simulator", "events": 50, "seconds": 0.1}
        assert handler(asked, None)["acknowledged"] == len(written(stream)) > 20
        with pytest.raises(SettingsError, match="The secret nowhere cannot be read"):
            handler({**asked, "write_key_secret": "nowhere"}, None)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"write_key": None}, "write_key is None"),
        ({"endpoint": ""}, "endpoint is ''"),
        ({"minutes": 5}, "minutes: there is no such setting"),
    ],
)
def test_an_event_that_asks_for_what_there_is_not_is_refused(
    settings: Settings, stream: EventStream, asked: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(TrafficError, match=sentence):
        invoke(settings, stream, **asked)


def test_a_key_that_the_api_refuses_ends_the_invocation(settings: Settings, stream: EventStream) -> None:
    with pytest.raises(SendError, match="401"):
        invoke(settings, stream, write_key="wk_of_nobody")
