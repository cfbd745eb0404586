"""A platform by a clock of its own: what a few people did, day by day, and the runs of each week."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from event_assets.lake.tombstones import ErasureRules
from event_assets.privacy.expiring import RetentionRun, apply_retention
from event_assets.rules.anomalies import read_anomalies
from event_assets.rules.feature import Features
from event_assets.rules.model import Models
from event_assets.rules.retention import Retention
from event_assets.rules.segment_files import Segments
from event_assets.settings import Settings
from event_assets.streams import StreamRecord
from event_assets.streams.embedded import EmbeddedStream
from event_assets_tests.pipeline.pipeline import Pipeline

FIRST = dt.date(2024, 11, 25)


class Years(Pipeline):
    """The pipeline on days that are over."""

    def __init__(self, spark: SparkSession, folder: Path, today: dt.date = FIRST) -> None:
        super().__init__(spark, folder)
        self.today = today
        shipped = Settings()
        self.more = {
            "features": Features.of_models(shipped.models),
            "models": Models.load(shipped.models),
            "segments": Segments.load(shipped.segments),
            "anomalies": read_anomalies(shipped.anomalies),
        }
        self.stream.close()
        self.stream = EmbeddedStream(
            self.settings.home / "stream.db",
            "events",
            retention=dt.timedelta(days=36_500),
            clock=lambda: self.at(13).timestamp(),
        )
        self.stream.create(1)

    def at(self, hour: int, minute: int = 0) -> dt.datetime:
        """A moment of today."""
        return dt.datetime.combine(self.today, dt.time(hour, minute), dt.UTC)

    def event(self, number: int, user: str | None, device: str, name: str = "page_view", **fields: Any) -> bytes:
        """An event of today, with a mark that nothing but the events say."""
        at = fields.pop("at", self.at(10, number)).isoformat()
        properties = {"mark": f"mark-of-{self.today}", **fields.pop("properties", {})}
        shown = {"event_id": f"{self.today}-{device}-{number}", "event": name, "anonymous_id": device, "user_id": user}
        return json.dumps(
            {**shown, "platform": "web", "derived_at": at, "received_at": at, "properties": properties, **fields}
        ).encode()

    def arrive(self, lines: Iterable[bytes]) -> None:
        """Events that arrive today."""
        self.put_records([StreamRecord("k", b"\n".join(lines))])

    def retain(self, retention: Retention, **more: Any) -> RetentionRun:
        """The retention of today."""
        return apply_retention(
            self.lake, retention, ErasureRules.of(self.settings), self.at(14), **more
        )  # fmt: skip

    def by_day(self, table: str, column: str) -> dict[str, int]:
        """How many rows a table has of each day."""
        days: dict[str, int] = {}
        for row in self.lake.table(table).snapshot().arrow(columns=(column,)).to_pylist():
            days[str(row[column])] = days.get(str(row[column]), 0) + 1
        return days
