"""Pytest plugin: `kinesis_emulator`, `s3_emulator`, `kafka_broker`, `aws_emulator`: services that live as long as the
session."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest

from event_assets_tests.emulators import servers
from event_assets_tests.emulators.kafka import KafkaBroker, kafka
from event_assets_tests.emulators.ministack import ministack


@pytest.fixture(scope="session")
def aws_credentials() -> Iterator[None]:
    """Credentials that no real AWS account takes, in the environment of this process and its children."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in servers.CREDENTIALS.items():
            patch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def kinesis_emulator(aws_credentials: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a durable Kinesis with split and merge."""
    with _or_skip(), servers.kinesis(tmp_path_factory.mktemp("kinesis")) as emulator:
        yield emulator.url


@pytest.fixture(scope="session")
def s3_emulator(aws_credentials: None) -> Iterator[str]:
    """URL of an S3 that honours conditional writes."""
    with _or_skip(), servers.s3() as emulator:
        yield emulator.url


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A Kafka broker, whose topics live as long as the session."""
    with _or_skip(), kafka(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture(scope="session")
def aws_emulator(aws_credentials: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of an AWS with CloudFormation, CloudWatch, SNS and much else."""
    with _or_skip(), ministack(tmp_path_factory.mktemp("ministack")) as url:
        yield url


@contextlib.contextmanager
def _or_skip() -> Iterator[None]:
    """Skips the tests whose emulator is absent; in CI that is a failure."""
    try:
        yield
    except servers.EmulatorAbsent as absent:
        if os.environ.get("CI") == "true":
            pytest.fail(str(absent))
        pytest.skip(str(absent))
