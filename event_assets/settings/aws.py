"""The settings that AWS alone has a use for."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings


class AwsSettings(BaseSettings):
    """What `Settings` has for AWS beside stream, bucket and warehouse."""

    warehouse_secret: str | None = Field(
        None,
        min_length=1,
        description="Secret of AWS Secrets Manager (name or ARN) whose `password` is the warehouse's, for the function "
        "that retention runs in. Others get it by PGPASSWORD.",
    )
    keys_secret: str | None = Field(
        None,
        min_length=1,
        description="Secret of AWS Secrets Manager (name or ARN) that holds the keys of the ingest API. Default: the "
        "file `keys.json` under the home.",
    )
    collector_origin_secret: str | None = Field(
        None,
        min_length=1,
        description="Secret of AWS Secrets Manager (name or ARN) that CloudFront says to the ingest API on Lambda, in "
        "the header X-Origin-Verify: who does not say it is refused. Default: everybody is let in.",
    )
    redshift_files: Literal["lake", "copies"] = Field(
        "lake",
        description="What Redshift's COPY reads: `lake`, the lake's own files (zstd, times as 64-bit integers), or "
        "`copies` of them in the older form of Parquet (snappy, times as INT96), which are deleted after the load.",
    )
