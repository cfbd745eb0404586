"""The secret between CloudFront and the ingest API is changed step by step, and at no moment is a request refused that
came through CloudFront."""

from __future__ import annotations

import datetime as dt
import os
import time
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from event_assets.collector.origin import HEADER, REFRESH_SECONDS, Origin
from event_assets.settings import secret_texts
from event_assets_tests.collector.test_origin import called
from event_assets_tests.infra.templates import VARIANTS, Synthesised, statements
from event_assets_tests.infra.test_firewall import only
from infra.functions import rotate_origin

REGION = "us-east-1"
NAME = "origin"


@pytest.fixture
def account(aws_credentials: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A secret, and a distribution that says it; gives the client of CloudFront."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        text = "the first of them"
        boto3.client("secretsmanager", region_name=REGION).create_secret(Name=NAME, SecretString=text)
        cloudfront = boto3.client("cloudfront", region_name=REGION)
        headers = [{"HeaderName": "X-Other", "HeaderValue": "stays"}, {"HeaderName": HEADER, "HeaderValue": text}]
        origin = {
            "Id": "api",
            "DomainName": "api.example.com",
            "CustomHeaders": {"Quantity": len(headers), "Items": headers},
            "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"},
        }
        made = cloudfront.create_distribution(
            DistributionConfig={
                "CallerReference": "test",
                "Comment": "",
                "Enabled": True,
                "Origins": {"Quantity": 1, "Items": [origin]},
                "DefaultCacheBehavior": {"TargetOriginId": "api", "ViewerProtocolPolicy": "https-only"},
            }
        )
        monkeypatch.setenv("DISTRIBUTION", made["Distribution"]["Id"])
        monkeypatch.setenv("HEADER", HEADER)
        yield cloudfront


def said(cloudfront: Any, made: str) -> dict[str, str]:
    """What the distribution adds to requests."""
    config = cloudfront.get_distribution_config(Id=made)["DistributionConfig"]
    (origin,) = config["Origins"]["Items"]
    return {header["HeaderName"]: header["HeaderValue"] for header in origin["CustomHeaders"]["Items"]}


class Clock:
    """Seconds, which pass where somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_at_every_step_of_a_change_what_cloudfront_says_is_taken_and_in_the_end_the_old_one_no_more(
    account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(time, "sleep", clock.sleep)
    made = os.environ["DISTRIBUTION"]
    origin = Origin(lambda: secret_texts(NAME, REGION), clock)

    def takes(secret: str) -> bool:
        return origin.admitted(called(None, said=secret)) is not None

    first = said(account, made)[HEADER]
    for round_ in range(2):
        token, before = str(uuid.uuid4()), said(account, made)[HEADER]
        for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
            assert not takes("a stranger's")  # who may have had the secrets asked for just before
            for _ in range(2):  # a step that is done again changes nothing
                rotate_origin.handler({"SecretId": NAME, "ClientRequestToken": token, "Step": step}, None)
            assert takes(said(account, made)[HEADER]) and takes(before), (round_, step)
        assert said(account, made)["X-Other"] == "stays" and said(account, made)[HEADER] != before
        assert clock.now >= (round_ + 1) * REFRESH_SECONDS
    clock.now += REFRESH_SECONDS
    assert not takes("a stranger's") and not takes(first)
    assert secret_texts(NAME, REGION)[0] == said(account, made)[HEADER]


def test_a_distribution_that_says_another_secret_is_not_taken_for_changed(account: Any) -> None:
    event = {"SecretId": NAME, "ClientRequestToken": str(uuid.uuid4())}
    rotate_origin.handler({**event, "Step": "createSecret"}, None)
    with pytest.raises(AssertionError):
        rotate_origin.handler({**event, "Step": "testSecret"}, None)


def test_the_next_secret_is_said_only_once_everybody_can_know_it(account: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    event = {"SecretId": NAME, "ClientRequestToken": str(uuid.uuid4())}
    rotate_origin.handler({**event, "Step": "createSecret"}, None)
    vault = boto3.client("secretsmanager", region_name=REGION)
    made = vault.get_secret_value(SecretId=NAME, VersionStage="AWSPENDING")["CreatedDate"]
    rotate_origin.handler({**event, "Step": "setSecret"}, None)
    passed = (dt.datetime.now(dt.UTC) - made).total_seconds()
    assert waited[0] + passed >= rotate_origin.KNOWN_SECONDS > REFRESH_SECONDS


@pytest.mark.slow
@pytest.mark.release
@pytest.mark.parametrize("variant", [name for name in VARIANTS if name.endswith("lambda")])
def test_secrets_manager_calls_the_function_every_quarter_and_it_may_change_nothing_else(
    variant: str, variants: dict[str, Synthesised]
) -> None:
    made = variants[variant]
    schedule = only(made, "AWS::SecretsManager::RotationSchedule").properties
    secret = only(made, "AWS::SecretsManager::Secret", "OriginSecret").name
    function = only(made, "AWS::Lambda::Function", "Rotation").name
    assert schedule["SecretId"] == {"Ref": secret} and function in str(schedule["RotationLambdaARN"])
    assert schedule["RotationRules"] == {"AutomaticallyAfterDays": 90}
    (lines,) = (found for role, found in statements(made).items() if "RotationRole" in role)
    actions = {action for line in lines for action in line.partition(" on ")[0].split()[1:]}
    assert {action.partition(":")[0] for action in actions} == {"cloudfront", "kms", "logs", "secretsmanager", "wafv2"}
    assert not any("*" in line.partition(" on ")[2].split() for line in lines)
