"""Files that are written once: of two who write the same, one does, and the other is told."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def create_file(path: Path, data: bytes) -> None:
    """Writes a file that is not there, durably and for its owner alone. Raises `FileExistsError`."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)
    finally:
        fresh.unlink()


def create_object(path: str, data: bytes, region: str, endpoint: str | None) -> None:
    """Writes an object `bucket/key` that is not there, by S3's own condition. Raises `FileExistsError`, or another
    `OSError` where it cannot be written."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _, key = path.partition("/")
    client = boto3.client("s3", region_name=region, endpoint_url=endpoint)
    try:
        client.put_object(Bucket=bucket, Key=key, Body=data, IfNoneMatch="*")
    except ClientError as fault:
        if fault.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict"):
            raise FileExistsError(path) from None
        raise OSError(f"{path} cannot be written: {fault}") from fault
    except BotoCoreError as fault:
        raise OSError(f"{path} cannot be written: {fault}") from fault
