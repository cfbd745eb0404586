"""The event stream as a resource."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import dagster as dg

from event_assets.settings import Settings, StreamKind, load_settings
from event_assets.streams import EventStream, open_stream


class StreamResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The embedded log, Amazon Kinesis or Apache Kafka, whose credentials are the environment's."""

    kind: StreamKind
    name: str
    home: str
    retention_hours: int
    region: str
    endpoint: str | None = None
    brokers: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            kind=settings.stream,
            name=settings.stream_name,
            home=str(settings.home.absolute()),
            retention_hours=settings.stream_retention_hours,
            region=settings.aws_region,
            endpoint=settings.stream_endpoint_url,
            brokers=settings.kafka_brokers,
        )

    @contextmanager
    def open(self) -> Iterator[EventStream]:
        """The stream, let go of after the block."""
        settings = load_settings(
            stream_kind=self.kind,
            stream_name=self.name,
            home=self.home,
            stream_retention_hours=self.retention_hours,
            aws_region=self.region,
            stream_endpoint_url=self.endpoint,
            kafka_brokers=self.brokers,
        )
        stream = open_stream(settings)
        try:
            yield stream
        finally:
            stream.close()
