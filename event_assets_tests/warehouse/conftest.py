"""Where files to load into a warehouse lie."""

from __future__ import annotations

import itertools

import boto3
import pytest

from event_assets.warehouse.lake_files import LakeFiles

_NUMBERS = itertools.count()


@pytest.fixture
def bucket(s3_emulator: str) -> tuple[LakeFiles, str]:
    """An empty bucket: how to reach it, and its `s3://` URL."""
    name = f"bucket-{next(_NUMBERS)}"
    boto3.client("s3", endpoint_url=s3_emulator, region_name="us-east-1").create_bucket(Bucket=name)
    return LakeFiles(endpoint=s3_emulator), f"s3://{name}"
