"""Stacks on an emulator: made by CloudFormation of the templates that would go to AWS; events go through them."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from event_assets.collector import WriteKeys, aws_lambda
from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline.land import land_step
from event_assets.settings import load_settings
from event_assets.streams import open_stream
from event_assets_tests.collector.serving import event
from event_assets_tests.collector.test_aws_lambda import request
from event_assets_tests.infra.templates import Synthesised
from event_assets_tests.pipeline.runs import a_run

pytestmark = pytest.mark.slow

REGION = "us-east-1"


class Account:
    """An account of the emulator, with what stacks of one variant made in it."""

    def __init__(self, url: str, made: Synthesised) -> None:
        self._url, self._made = url, made

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self._url, region_name=REGION)

    def deploy(self, name: str) -> dict[str, str]:
        """Makes a stack of its template. Gives its outputs."""
        template = copy.deepcopy(self._made.stacks[name])
        template.pop("Rules", None)  # they ask whether the account was prepared for CDK
        template.get("Parameters", {}).pop("BootstrapVersion", None)
        cloud = self.client("cloudformation")
        cloud.create_stack(StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
        cloud.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
        (stack,) = cloud.describe_stacks(StackName=name)["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}

    def environment_of_the_function(self) -> dict[str, str]:
        """What the stack has the ingest API's function find in its environment."""
        (function,) = self.client("lambda").list_functions()["Functions"]
        variables: dict[str, str] = function["Environment"]["Variables"]
        return variables


@pytest.fixture
def account(
    variants: dict[str, Synthesised], aws_emulator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Account]:
    """Where the libraries of AWS find everything, in this process."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_emulator)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    aws_lambda._adapter.cache_clear()
    yield Account(aws_emulator, variants["dev-lambda"])
    aws_lambda._adapter.cache_clear()


def test_events_go_through_the_deployed_ingest_api_and_stream_into_the_deployed_bucket(
    account: Account, aws_emulator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function's code runs here, in the environment that its stack gave it: the emulator runs no images."""
    data = account.deploy("EventAssetsData")
    assert account.deploy("EventAssetsEdge")["Address"]
    given = account.environment_of_the_function()
    assert given["EVENT_ASSETS_STREAM_NAME"] == data["StreamName"]
    for name, value in {**given, "EVENT_ASSETS_HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    key = WriteKeys.of(settings).create("shop", "web")
    answer = aws_lambda.handler(request(key, json.dumps([event(number) for number in range(50)])), None)
    assert answer["statusCode"] == 200 and json.loads(answer["body"])["accepted"] == 50, answer
    stream = open_stream(settings)
    lake = Lake(Storage(data["LakeUrl"], REGION, aws_emulator))
    assert land_step(a_run(lake, None, stream=stream)).more["events"] == 50
    assert land_step(a_run(lake, None, stream=stream)).more["events"] == 0
    stream.close()
    assert sum(lake.table(RAW_EVENTS.name).snapshot().arrow()["events"].to_pylist()) == 50
