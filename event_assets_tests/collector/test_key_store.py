"""Keys in a secret: every machine that names it sees the same, and none serves less while it is out of reach."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from event_assets.collector.key_secret import SECRET_BYTES, KeySecret, KeySecretError
from event_assets.collector.keys import KeyFileError, WriteKeys
from event_assets.settings import Settings


@pytest.fixture
def secrets(aws_credentials: None) -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="us-east-1")
        client.create_secret(Name="keys", SecretString='{"keys":[]}')
        yield client


def machine(folder: Path, secrets: Any, name: str = "keys") -> WriteKeys:
    return WriteKeys(folder / "keys.json", KeySecret(name, "us-east-1", secrets))


def test_a_key_that_one_machine_makes_is_taken_by_another(tmp_path: Path, secrets: Any) -> None:
    key = machine(tmp_path / "here", secrets).create("site", "web")
    found = machine(tmp_path / "there", secrets).find(key)
    assert found is not None and found.name == "site"
    assert (tmp_path / "there" / "keys.json").stat().st_mode & 0o077 == 0


def test_a_key_is_made_beside_those_that_others_made(tmp_path: Path, secrets: Any) -> None:
    here, there = machine(tmp_path / "here", secrets), machine(tmp_path / "there", secrets)
    first, second = here.create("one", "web"), there.create("two", "ios")
    assert here.revoke(first) and not here.revoke(first)
    third = machine(tmp_path / "third", secrets)
    assert third.find(first) is None and third.find(second) is not None


def test_a_machine_that_never_read_the_secret_says_why_it_takes_nothing(tmp_path: Path, secrets: Any) -> None:
    keys = machine(tmp_path, secrets, "another")
    keys.look()
    assert keys.fault is not None and "secretsmanager:GetSecretValue" in keys.fault and not keys.were_read


def test_a_secret_that_is_gone_leaves_the_keys_that_were_read(tmp_path: Path, secrets: Any) -> None:
    key = machine(tmp_path / "here", secrets).create("site", "web")
    secret = KeySecret("keys", "us-east-1", secrets)
    keys = WriteKeys(tmp_path / "there" / "keys.json", secret)
    assert keys.find(key) is not None
    secrets.delete_secret(SecretId="keys", ForceDeleteWithoutRecovery=True)
    secret._next = keys._next_look = 0.0  # half a minute later
    assert keys.find(key) is not None and keys.fault is None


def test_a_key_that_the_secret_does_not_take_is_made_nowhere(tmp_path: Path, secrets: Any) -> None:
    keys = machine(tmp_path, secrets, "another")
    with pytest.raises(KeyFileError, match="GetSecretValue"):
        keys.create("site", "web")
    assert not (tmp_path / "keys.json").exists()


def test_more_than_a_secret_holds_is_refused_with_the_way_out(secrets: Any) -> None:
    with pytest.raises(KeySecretError, match="take keys out"):
        KeySecret("keys", "us-east-1", secrets).write(b"x" * (SECRET_BYTES + 1))


def test_the_setting_names_the_secret(tmp_path: Path, secrets: Any) -> None:
    keys = WriteKeys.of(Settings(home=tmp_path, keys_secret="keys"))
    assert keys.find(keys.create("site", "web")) is not None
    assert b"site" in secrets.get_secret_value(SecretId="keys")["SecretString"].encode()
