"""The settings that AWS alone has a use for."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import BaseSettings

from event_assets.settings.values import keys_address


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
    keys_url: Annotated[str | None, AfterValidator(keys_address)] = Field(
        None,
        description="Instead of a secret, an object of a bucket (`s3://bucket/keys.json`) or a table of DynamoDB "
        "(`dynamodb://table`) that holds them: for more than a secret takes.",
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

    @model_validator(mode="after")
    def _one_place_of_keys(self) -> Self:
        if self.keys_secret is not None and self.keys_url is not None:
            raise ValueError(
                "EVENT_ASSETS_KEYS_SECRET and EVENT_ASSETS_KEYS_URL exclude each other: keys are in one place"
            )
        return self
