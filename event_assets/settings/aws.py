"""The settings that AWS alone has a use for."""

from __future__ import annotations

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
