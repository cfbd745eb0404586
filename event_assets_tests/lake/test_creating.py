"""A file that is written once: in a folder and in a bucket alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from event_assets.lake.storage import Storage


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    boto3.client("s3", region_name="us-east-1", endpoint_url=url).create_bucket(Bucket="lake")
    yield Storage("s3://lake/prefix", "us-east-1", url)
    server.stop()


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
