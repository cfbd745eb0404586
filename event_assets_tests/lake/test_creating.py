"""A file that is written once: in a folder and in a bucket alike."""

from __future__ import annotations

import uuid
from pathlib import Path

import boto3
import pytest

from event_assets.lake.storage import Storage


@pytest.fixture
def bucket(s3_emulator: str) -> Storage:
    name = f"lake-{uuid.uuid4().hex}"
    boto3.client("s3", region_name="us-east-1", endpoint_url=s3_emulator).create_bucket(Bucket=name)
    return Storage(f"s3://{name}/prefix", "us-east-1", s3_emulator)


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_the_first_to_write_a_file_does_and_the_next_is_told(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    storage = Storage(str(tmp_path)) if kind == "folder" else request.getfixturevalue("bucket")
    storage.create("a/1.json", b"one")
    with pytest.raises(FileExistsError):
        storage.create("a/1.json", b"two")
    assert storage.read("a/1.json") == b"one"
    assert [path for path, _ in storage.walk("a")] == ["a/1.json"]
