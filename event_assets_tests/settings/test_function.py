"""The settings of a function on Lambda: keys come from the secrets that the environment names, or not at all."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from event_assets.settings import SettingsError, function_settings, load_settings


@pytest.fixture
def secrets(aws_credentials: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("EVENT_ASSETS_AWS_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="us-east-1")
        client.create_secret(Name="pii", SecretString='["the old key", "the new key"]')
        client.create_secret(Name="privacy", SecretString="a key of sixteen letters")
        yield


def test_keys_are_fetched_by_the_names_of_their_secrets(secrets: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PII_FIELDS": "user_id", "PII_KEY_SECRET": "pii", "PRIVACY_KEY_SECRET": "privacy"}.items():
        monkeypatch.setenv(f"EVENT_ASSETS_{name}", value)
    settings = function_settings()
    assert settings.pii_key is not None and settings.privacy_key is not None
    assert settings.pii_key.get_secret_value() == '["the old key", "the new key"]'
    assert settings.privacy_key.get_secret_value() == "a key of sixteen letters"


def test_a_function_without_secrets_asks_nobody() -> None:
    settings = function_settings()
    assert settings == load_settings() and settings.pii_key is None


def test_a_secret_that_is_not_there_is_a_sentence_and_no_default(
    secrets: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENT_ASSETS_PRIVACY_KEY_SECRET", "nowhere")
    with pytest.raises(SettingsError, match="The secret nowhere cannot be read"):
        function_settings()


@pytest.mark.parametrize("key", ["PII_KEY", "PRIVACY_KEY"])
def test_a_process_that_fetches_nothing_does_not_start_without_the_key(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv(f"EVENT_ASSETS_{key}_SECRET", "somewhere")
    with pytest.raises(SettingsError, match=f"EVENT_ASSETS_{key}_SECRET is read by functions on AWS Lambda alone"):
        load_settings()
