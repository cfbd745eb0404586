"""Which store of keys settings mean."""

from __future__ import annotations

from event_assets.collector.key_object import KeyObject
from event_assets.collector.key_secret import KeySecret
from event_assets.collector.key_store import KeyStore
from event_assets.collector.key_table import KeyTable
from event_assets.settings import Settings
from event_assets.settings.values import DYNAMODB


def key_store_of(settings: Settings) -> KeyStore | None:
    """The store that the settings name; None where the keys are in a file of this machine's."""
    if settings.keys_secret is not None:
        return KeySecret(settings.keys_secret, settings.aws_region)
    if settings.keys_url is None:
        return None
    if settings.keys_url.startswith(DYNAMODB):
        return KeyTable(settings.keys_url.removeprefix(DYNAMODB), settings.aws_region)
    return KeyObject(settings.keys_url, settings.aws_region, settings.s3_endpoint_url)
