"""The settings of a function on AWS Lambda, which gets no secret as environment: it fetches each by its name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from event_assets.settings.model import PREFIX, Settings
from event_assets.settings.reading import SettingsError, load_settings

_KEYS = ("pii_key", "privacy_key")
STAGES = ("AWSCURRENT", "AWSPENDING", "AWSPREVIOUS")
"""Versions of a secret, as Secrets Manager calls them."""


def function_settings() -> Settings:
    """The settings of this function, with the keys that `EVENT_ASSETS_…_SECRET` names. Raises `SettingsError`."""
    named = {key: secret for key in _KEYS if (secret := os.environ.get(f"{PREFIX}{key.upper()}_SECRET"))}
    region = os.environ.get(f"{PREFIX}AWS_REGION")
    return load_settings(**{key: secret_text(secret, region) for key, secret in named.items()})


def secret_text(name: str, region: str | None) -> str:
    """What a secret of AWS Secrets Manager (name or ARN) holds. Raises `SettingsError`.

    AWS_ENDPOINT_URL_SECRETS_MANAGER names an emulator.
    """
    (current,) = secret_texts(name, region, ("AWSCURRENT",))
    return current


def secret_texts(name: str, region: str | None, stages: Sequence[str] = STAGES) -> list[str]:
    """The same of each of these versions that there is: the one that holds, and while it is changed, the next one and
    the one before. Raises `SettingsError`."""
    import boto3  # the extra aws, which functions have

    try:
        client = boto3.client("secretsmanager", region_name=region)
        texts = [_version(client, name, stage) for stage in stages]
    except Exception as error:
        raise SettingsError(
            f"The secret {name} cannot be read ({error}): see that it is there, and that this role may call "
            "secretsmanager:GetSecretValue on it and kms:Decrypt on its key."
        ) from error
    return [text for text in texts if text is not None]


def _version(client: Any, name: str, stage: str) -> str | None:
    try:
        return str(client.get_secret_value(SecretId=name, VersionStage=stage)["SecretString"])
    except client.exceptions.ResourceNotFoundException:
        if stage == "AWSCURRENT":
            raise
        return None
