"""The lake as a resource."""

from __future__ import annotations

from typing import Self

import dagster as dg

from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.settings import Settings


class LakeResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """A folder or bucket with the lake's tables."""

    url: str
    region: str = "us-east-1"
    endpoint: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(url=settings.lake, region=settings.aws_region, endpoint=settings.s3_endpoint_url)

    def open(self) -> Lake:
        return Lake(Storage(self.url, self.region, self.endpoint))
