"""The S3 emulator does what the lake needs of S3: conditional writes, and Delta commits that see each other."""

from __future__ import annotations

import boto3
import pyarrow as pa
import pytest
from botocore.exceptions import ClientError
from deltalake import DeltaTable, write_deltalake


def test_only_the_first_conditional_write_of_a_key_wins(s3_emulator: str) -> None:
    s3 = boto3.client("s3", endpoint_url=s3_emulator)
    s3.create_bucket(Bucket="conditional")
    s3.put_object(Bucket="conditional", Key="commit", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket="conditional", Key="commit", Body=b"2", IfNoneMatch="*")
    assert s3.get_object(Bucket="conditional", Key="commit")["Body"].read() == b"1"


def test_a_delta_table_lives_in_a_bucket(s3_emulator: str) -> None:
    boto3.client("s3", endpoint_url=s3_emulator).create_bucket(Bucket="lake")
    options = {"AWS_ENDPOINT_URL": s3_emulator, "AWS_ALLOW_HTTP": "true"}
    for number in range(3):
        write_deltalake("s3://lake/t", pa.table({"n": [number]}), mode="append", storage_options=options)
    table = DeltaTable("s3://lake/t", storage_options=options)
    assert (table.version(), sorted(table.to_pyarrow_table()["n"].to_pylist())) == (2, [0, 1, 2])
