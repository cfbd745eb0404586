"""Other streams and lakes give the rows of the local profile: Kinesis and S3 over real HTTP, a Kafka topic that grows.

Kinesis and S3 are emulators, Redshift is PostgreSQL behind a proxy that copies by Redshift's rules; the engine is the
embedded one, which finds the bucket by its environment alone.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined]

from event_assets.pipeline.registry import STEPS
from event_assets_tests.emulators.kafka import KafkaBroker
from event_assets_tests.emulators.recorder import Recorder, recorder
from event_assets_tests.emulators.redshift import RedshiftProxy, redshift
from event_assets_tests.end_to_end.profile import Profile
from event_assets_tests.end_to_end.visits import DAYS, Visits
from event_assets_tests.end_to_end.whole_run import BY_PLACE, OF_PLACES, days_ago, lake_rows, ledger, warehouse_rows
from event_assets_tests.postgres import new_database

pytestmark = pytest.mark.slow


@pytest.fixture
def local(tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Profile:
    """The local profile, but for a server that several databases share."""
    variables = {"WAREHOUSE_URL": new_database(postgres_url), "HOME": str(tmp_path / "local")}
    return Profile(monkeypatch, {**variables, "FIRST_DAY": str(days_ago(DAYS))})


@pytest.fixture
def cluster(postgres_url: str, s3_emulator: str) -> Iterator[RedshiftProxy]:
    """A Redshift that copies from the bucket as Redshift does, and is PostgreSQL behind that."""
    with redshift(new_database(postgres_url), s3_emulator) as proxy:
        yield proxy


class OnAws(Profile):
    """The aws profile, of whose runs is known what they ask of stream and bucket."""

    asked: tuple[Recorder, ...] = ()

    def materialise(self, *assets: str) -> None:
        with contextlib.ExitStack() as recording:
            for each in self.asked:
                recording.enter_context(each.recording())
            super().materialise(*assets)


@pytest.fixture
def aws(
    tmp_path: Path, cluster: RedshiftProxy, kinesis_emulator: str, s3_emulator: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OnAws]:
    """The aws profile with its endpoints on this machine."""
    bucket = f"lake-{uuid.uuid4().hex}"
    boto3.client("s3", endpoint_url=s3_emulator, region_name="us-east-1").create_bucket(Bucket=bucket)
    with recorder(kinesis_emulator) as stream, recorder(s3_emulator) as lake:
        variables = {
            "PROFILE": "aws",
            "HOME": str(tmp_path / "aws"),
            "FIRST_DAY": str(days_ago(DAYS)),
            "STREAM_NAME": f"events-{uuid.uuid4().hex}",
            "STREAM_ENDPOINT_URL": stream.url,
            "LAKE_URL": f"s3://{bucket}/lake",
            "S3_ENDPOINT_URL": lake.url,
            "WAREHOUSE_URL": cluster.url,
            "WAREHOUSE_IAM_ROLE": "arn:aws:iam::123456789012:role/copies",
        }
        profile = OnAws(monkeypatch, variables)
        profile.asked = (stream, lake)
        yield profile


def test_kinesis_and_s3_bring_events_to_redshift_through_a_split(aws: OnAws, cluster: RedshiftProxy) -> None:
    visits = Visits()
    way = [name for step in STEPS if step.group in ("ingest", "events") for name in (t.name for t in step.tables)]
    for batch in (visits.first(), visits.second()):
        aws.put(batch)
        aws.materialise(*way, "warehouse/fct_events")
        aws.split_a_shard()
    counted = ledger(lake_rows(aws.settings))
    assert counted["landed"] == counted["clean"] + counted["quarantined"] > 50 and counted["pending"] == 0
    in_lake = {row["event_id"] for row in lake_rows(aws.settings)["enriched_events"]}
    assert len(in_lake) == counted["enriched"] == counted["clean"] - counted["duplicates"]
    assert {row["event_id"] for row in warehouse_rows(aws.settings)["fct_events"]} == in_lake
    assert aws.settings.warehouse == "redshift" and cluster.copied
    assert aws.settings.stream == "kinesis" and not (aws.settings.home / "lake").exists()
    _asked_for_what_runs_may(aws)


@pytest.mark.release
def test_kinesis_s3_and_redshift_give_the_rows_of_the_local_profile(
    aws: OnAws, local: Profile, cluster: RedshiftProxy
) -> None:
    _give_the_same_rows(aws, local)
    assert aws.settings.warehouse == "redshift" and cluster.copied
    assert aws.settings.stream == "kinesis" and not (aws.settings.home / "lake").exists()
    _asked_for_what_runs_may(aws)


def _asked_for_what_runs_may(aws: OnAws) -> None:
    """No more, and but for what only the sensor asks for, or an upload that fails, no less."""
    permissions = pytest.importorskip("infra.permissions")
    of_stream, of_lake = (each.actions for each in aws.asked)
    assert of_stream <= set(permissions.STREAM_READ) <= of_stream | {"kinesis:DescribeStreamSummary"}
    granted = {*permissions.LAKE_WRITE, "s3:ListBucket"}
    assert of_lake <= granted <= of_lake | {"s3:AbortMultipartUpload"}


def _give_the_same_rows(other: Profile, local: Profile) -> None:
    """There in two batches with a split between them, here in one."""
    visits = Visits()
    other.put(visits.first())
    other.materialise_everything()
    other.split_a_shard()
    other.put(visits.second())
    other.materialise_everything()
    local.put([*visits.first(), *visits.second()])
    local.materialise_everything()
    counted = ledger(lake_rows(other.settings))
    assert counted == ledger(lake_rows(local.settings)) and counted["pending"] == 0
    in_lake = lake_rows(other.settings, BY_PLACE)
    for table, rows in lake_rows(local.settings, BY_PLACE).items():
        assert table in OF_PLACES or in_lake[table] == rows, table
    assert warehouse_rows(other.settings, BY_PLACE) == warehouse_rows(local.settings, BY_PLACE)


class OnKafka(Profile):
    """The local profile with its stream on a broker."""

    def split_a_shard(self) -> None:
        assert self.settings.kafka_brokers is not None
        admin = AdminClient({"bootstrap.servers": self.settings.kafka_brokers})
        admin.create_partitions([NewPartitions(self.settings.stream_name, 5)])[self.settings.stream_name].result()


@pytest.fixture
def on_kafka(tmp_path: Path, postgres_url: str, kafka_broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch) -> OnKafka:
    variables = {
        "WAREHOUSE_URL": new_database(postgres_url),
        "HOME": str(tmp_path / "kafka"),
        "FIRST_DAY": str(days_ago(DAYS)),
        "STREAM_KIND": "kafka",
        "KAFKA_BROKERS": kafka_broker.brokers,
    }
    return OnKafka(monkeypatch, variables)


def test_kafka_gives_the_rows_of_the_embedded_log(on_kafka: OnKafka, local: Profile) -> None:
    _give_the_same_rows(on_kafka, local)
    assert on_kafka.settings.stream == "kafka"
