"""The ingest API calls what its role allows, no less and no more; what runs call is in end_to_end/test_profiles."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from starlette.testclient import TestClient

from event_assets.collector import WriteKeys, create_app
from event_assets.online.dynamodb import DynamoTable
from event_assets.settings import load_settings
from event_assets_tests.collector.serving import event

permissions = pytest.importorskip("infra.permissions")


def secret() -> dict[str, str]:
    boto3.client("secretsmanager", region_name="us-east-1").create_secret(Name="keys", SecretString='{"keys":[]}')
    return {"keys_secret": "keys"}


def bucket() -> dict[str, str]:
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="lake")
    return {"keys_url": "s3://lake/keys/keys.json"}


def table() -> dict[str, str]:
    boto3.client("dynamodb", region_name="us-east-1").create_table(
        TableName="keys",  # as the stack makes it
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return {"keys_url": "dynamodb://keys"}


@pytest.mark.parametrize(
    ("make", "rights"),
    [(secret, permissions.KEYS_READ), (bucket, permissions.KEY_OBJECT_READ), (table, permissions.KEY_TABLE_READ)],
    ids=["secret", "bucket", "table"],
)
def test_the_ingest_api_calls_exactly_what_its_role_allows(
    make: Callable[[], dict[str, str]],
    rights: tuple[str, ...],
    aws_credentials: None,
    calls: set[str],
    tmp_path: Path,
) -> None:
    with mock_aws():
        boto3.client("kinesis", region_name="us-east-1").create_stream(StreamName="events", ShardCount=2)
        settings = load_settings(
            home=tmp_path, stream_kind="kinesis", stream_name="events", aws_region="us-east-1", **make()
        )
        key = WriteKeys.of(settings).create("shop", "web")
        calls.clear()
        with TestClient(create_app(settings, keys=WriteKeys.of(settings))) as client:
            assert client.get("/v1/ready").status_code == 200
            answer = client.post("/v1/events", json=[event(1), event(2)], headers={"x-write-key": key})
            assert answer.status_code == 200
    assert calls == {*permissions.STREAM_WRITE, *rights}


def test_front_ends_are_answered_by_exactly_what_the_api_may_ask_and_runs_may_publish(
    aws_credentials: None, calls: set[str]
) -> None:
    with mock_aws():
        boto3.client("dynamodb", region_name="us-east-1").create_table(
            TableName="online",  # as the stack makes it
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        calls.clear()
        publishes, asks = DynamoTable("online", "us-east-1"), DynamoTable("online", "us-east-1")
        now = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
        for version, people in (("1", ["ann", "bob"]), ("2", ["ann"])):  # the second takes somebody away
            facts = [(person, "buyers", "2026-11-22") for person in people]
            publishes.replace([facts], [[("user", person, person) for person in people]], version, now)
        published = set(calls)
        calls.clear()
        assert asks.find(["ann"]).facts["ann"]
    assert published <= set(permissions.ONLINE_WRITE)
    assert published | calls == set(permissions.ONLINE_WRITE)
    assert calls == set(permissions.ONLINE_READ)
