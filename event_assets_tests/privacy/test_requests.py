"""Requests for erasure: by which key they are remembered."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.lake.tombstones import WrongPrivacyKey
from event_assets.privacy.closure import Named
from event_assets.privacy.requests import request_erasure
from event_assets.settings import Settings


def test_a_lake_that_other_machines_write_takes_no_key_of_this_one(tmp_path: Path) -> None:
    lake, now = Lake(Storage("s3://lake/prod")), dt.datetime.now(dt.UTC)
    with pytest.raises(WrongPrivacyKey, match="set EVENT_ASSETS_PRIVACY_KEY to one secret for all of them"):
        request_erasure(lake, Settings(home=tmp_path), Named(users=("u",)), now)
    assert not [*tmp_path.iterdir()]
