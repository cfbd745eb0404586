"""Each fault of an installation on AWS is planted in turn: the doctor names it, and what it advises ends it.

AWS is an emulator over HTTP, the warehouse PostgreSQL: a COPY that succeeds needs a Redshift, and is not tried here.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from event_assets.cli import app
from event_assets.doctor.aws import Checked, examine_aws
from event_assets.settings import load_settings
from event_assets.streams import open_stream
from event_assets_tests.emulators.kafka import KafkaBroker
from event_assets_tests.postgres import new_database

REGION = "eu-central-1"


class Installation:
    """Stream, bucket and secret on an emulator, as the stack of infra makes them."""

    def __init__(self, url: str, postgres_url: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.url, self.monkeypatch = url, monkeypatch
        self.name = f"events-{uuid.uuid4().hex}"
        self.s3, self.kinesis = self.client("s3"), self.client("kinesis")
        self.secrets = self.client("secretsmanager")
        self.kinesis.create_stream(StreamName=self.name, ShardCount=1)
        self.kinesis.increase_stream_retention_period(StreamName=self.name, RetentionPeriodHours=168)
        self.make_bucket(self.name, REGION)
        self.secrets.create_secret(Name=self.name, SecretString='{"keys":[]}')
        for service in ("STS", "SECRETS_MANAGER", "IAM"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        self.set(
            PROFILE="aws",
            HOME=str(home),
            AWS_REGION=REGION,
            STREAM_NAME=self.name,
            STREAM_ENDPOINT_URL=url,
            S3_ENDPOINT_URL=url,
            LAKE_URL=f"s3://{self.name}/lake",
            KEYS_SECRET=self.name,
            WAREHOUSE_KIND="postgres",
            WAREHOUSE_URL=new_database(postgres_url),
        )

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self.url, region_name=REGION)

    def set(self, **settings: str) -> None:
        for name, value in settings.items():
            self.monkeypatch.setenv(f"EVENT_ASSETS_{name}", value)

    def make_bucket(self, name: str, region: str) -> None:
        s3 = boto3.client("s3", endpoint_url=self.url, region_name=region)
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        deny = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": f"arn:aws:s3:::{name}/elsewhere/*",  # the emulator denies without looking at conditions
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))

    def left_behind(self) -> list[str]:
        """Objects with something in them: Arrow leaves markers of folders, as every load does."""
        objects = self.s3.list_objects_v2(Bucket=self.name).get("Contents", [])
        return [each["Key"] for each in objects if each["Size"]]

    def faults(self, **options: Any) -> list[Checked]:
        return [part for part in examine_aws(load_settings(), **options) if part.fault is not None]


@pytest.fixture
def installation(s3_emulator: str, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    return Installation(s3_emulator, postgres_url, tmp_path / "home", monkeypatch)


def test_a_sound_installation_is_said_to_be_so_and_nothing_is_left_behind(installation: Installation) -> None:
    result = CliRunner().invoke(app, ["aws", "doctor"])
    assert result.exit_code == 0 and "FAULT" not in result.output, result.output
    for part in ("credentials", "clock", "stream", "stream, read", "bucket", "bucket, TLS", "lake", "write keys"):
        assert f"{part}: fine" in result.output
    assert installation.left_behind() == []


def no_stream(to: Installation) -> Callable[[], None]:
    def mend() -> None:
        to.kinesis.create_stream(StreamName=to.name, ShardCount=1)
        _keep(to)

    to.kinesis.delete_stream(StreamName=to.name)
    return mend


def _keep(to: Installation) -> None:
    to.kinesis.increase_stream_retention_period(StreamName=to.name, RetentionPeriodHours=168)


def short_retention(to: Installation) -> Callable[[], None]:
    to.kinesis.decrease_stream_retention_period(StreamName=to.name, RetentionPeriodHours=24)
    return lambda: _keep(to)


def no_bucket(to: Installation) -> Callable[[], None]:
    to.set(LAKE_URL=f"s3://no-{to.name}/lake")
    return lambda: to.set(LAKE_URL=f"s3://{to.name}/lake")


def bucket_elsewhere(to: Installation) -> Callable[[], None]:
    to.make_bucket(f"far-{to.name}", "us-west-2")
    to.set(LAKE_URL=f"s3://far-{to.name}/lake")
    return lambda: to.set(LAKE_URL=f"s3://{to.name}/lake")


def no_versions(to: Installation) -> Callable[[], None]:
    def put(status: str) -> None:
        to.s3.put_bucket_versioning(Bucket=to.name, VersioningConfiguration={"Status": status})

    put("Suspended")
    return lambda: put("Enabled")


def no_tls(to: Installation) -> Callable[[], None]:
    policy = to.s3.get_bucket_policy(Bucket=to.name)["Policy"]
    to.s3.delete_bucket_policy(Bucket=to.name)
    return lambda: to.s3.put_bucket_policy(Bucket=to.name, Policy=policy)


def no_secret(to: Installation) -> Callable[[], None]:
    to.set(KEYS_SECRET="another")
    return lambda: to.set(KEYS_SECRET=to.name)


def wrong_secret(to: Installation) -> Callable[[], None]:
    to.secrets.put_secret_value(SecretId=to.name, SecretString="[]")
    return lambda: to.secrets.put_secret_value(SecretId=to.name, SecretString='{"keys":[]}')


def no_warehouse(to: Installation) -> Callable[[], None]:
    right = load_settings().warehouse_url
    assert right is not None
    to.set(WAREHOUSE_URL="postgresql://nobody@127.0.0.1:9/none")
    return lambda: to.set(WAREHOUSE_URL=right.get_secret_value())


def no_copy(to: Installation) -> Callable[[], None]:
    right = load_settings().warehouse_url
    assert right is not None
    to.set(WAREHOUSE_KIND="redshift", WAREHOUSE_URL=right.get_secret_value() + "?sslmode=disable")
    return lambda: to.set(WAREHOUSE_KIND="postgres", WAREHOUSE_URL=right.get_secret_value())


def no_spark(to: Installation) -> Callable[[], None]:
    to.set(SPARK_REMOTE="sc://127.0.0.1:9")
    return lambda: to.monkeypatch.delenv("EVENT_ASSETS_SPARK_REMOTE")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plant", "part", "fault", "remedy"),
    [
        (no_stream, "stream", "there is no stream", "event-assets stream create"),
        (short_retention, "stream", "for 24 hours", "increase-stream-retention-period"),
        (no_bucket, "bucket", "there is no bucket", "EVENT_ASSETS_LAKE_URL"),
        (bucket_elsewhere, "bucket", "it is in us-west-2", "EVENT_ASSETS_AWS_REGION=us-west-2"),
        (no_versions, "bucket, versions", "keeps no versions", "put-bucket-versioning"),
        (no_tls, "bucket, TLS", "without TLS", "aws:SecureTransport"),
        (no_secret, "write keys", "cannot be read", "do what it says"),
        (wrong_secret, "write keys", "no file of write keys", "earlier version"),
        (no_warehouse, "warehouse", "127.0.0.1", "EVENT_ASSETS_WAREHOUSE_URL"),
        (no_copy, "warehouse", "COPY from s3://", "EVENT_ASSETS_WAREHOUSE_IAM_ROLE"),
        (no_spark, "Spark", "nothing answers", "systemctl status spark-connect"),
    ],
)
def test_each_fault_is_named_alone_and_what_is_advised_ends_it(
    installation: Installation,
    plant: Callable[[Installation], Callable[[], None]],
    part: str,
    fault: str,
    remedy: str,
) -> None:
    mend = plant(installation)
    (found,) = installation.faults()
    assert found.part == part and fault in str(found.fault) and remedy in str(found.remedy)
    assert CliRunner().invoke(app, ["aws", "doctor"]).exit_code == 1
    mend()
    assert installation.faults() == []
    assert installation.left_behind() == []


@pytest.mark.parametrize(("minutes", "word"), [(10, "ahead of"), (-10, "behind")])
def test_a_clock_that_is_wrong_is_named(installation: Installation, minutes: int, word: str) -> None:
    wrong = dt.timedelta(minutes=minutes)
    (found,) = installation.faults(clock=lambda: dt.datetime.now(dt.UTC) + wrong)
    assert found.part == "clock" and word in str(found.fault) and "chrony" in str(found.remedy)


@pytest.mark.slow
@pytest.mark.release
def test_a_topic_of_kafka_is_looked_at_where_it_is_the_stream(
    installation: Installation, kafka_broker: KafkaBroker
) -> None:
    installation.set(STREAM_KIND="kafka", KAFKA_BROKERS=kafka_broker.brokers, STREAM_NAME="doctored")
    (missing, _) = installation.faults()
    assert (missing.part, str(missing.fault)) == ("stream", "Kafka has no topic doctored: create it first")
    assert "event-assets stream create" in str(missing.remedy)
    stream = open_stream(load_settings())
    stream.create(3)
    stream.close()
    assert installation.faults() == []
    installation.set(STREAM_RETENTION_HOURS="24", STREAM_NAME="short")
    stream = open_stream(load_settings())
    stream.create(1)
    stream.close()
    (short,) = installation.faults()
    assert short.fault is not None and "24 hours" in short.fault
