"""A lake in a bucket as dlt writes to it: by Arrow's way to S3, the same that all other tables go.

dlt's own way needs s3fs, which needs another botocore than boto3 does.
"""

from __future__ import annotations

from typing import Any

from dlt.common.configuration.specs.aws_credentials import AwsCredentials
from fsspec import register_implementation
from fsspec.implementations.arrow import ArrowFSWrapper

from event_assets.lake.storage import Storage


class Bucket(ArrowFSWrapper):  # type: ignore[misc]
    """The filesystem of a bucket's region and endpoint, with the credentials that Arrow finds. What else dlt says is
    for s3fs."""

    cachable = False

    def __init__(self, region: str, arrow_endpoint: str | None, **_: Any) -> None:
        super().__init__(Storage("s3://", region, arrow_endpoint).filesystem)

    def _make_entry(self, info: Any) -> dict[str, Any]:
        entry: dict[str, Any] = super()._make_entry(info)
        return entry | {"LastModified": info.mtime}


def where_it_is(storage: Storage) -> dict[str, Any]:
    """What dlt's destination has to know of the storage beside its address: nothing of a folder."""
    if not storage.is_s3:
        return {}
    register_implementation("s3", Bucket, clobber=True)
    return {
        "credentials": AwsCredentials(region_name=storage.region, endpoint_url=storage.endpoint),
        "kwargs": {"region": storage.region, "arrow_endpoint": storage.endpoint},
    }
