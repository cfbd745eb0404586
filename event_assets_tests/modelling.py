"""Files of events for tests of the `model` command, and the rows that come of them. No tests here."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml
from pyspark.sql import SparkSession

from event_assets.stack.modelling import Modelled, model_file

DATA = Path(os.environ.get("EVENT_ASSETS_TEST_DATA", "../shared/data"))
"""Real data, where it is there."""
NOON = "2024-05-01T12:00:00Z"
_numbers = itertools.count()


def event(name: str = "page_view", **fields: Any) -> dict[str, Any]:
    """An event of the contract by device `a1`, at noon unless it says otherwise."""
    return {
        "event_id": f"e{next(_numbers):06}",
        "event": name,
        "anonymous_id": "a1",
        "platform": "web",
        "occurred_at": NOON,
        **fields,
    }


def write_lines(path: Path, lines: Iterable[dict[str, Any] | bytes]) -> Path:
    """The events as NDJSON; bytes as they are."""
    texts = (line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode() for line in lines)
    path.write_bytes(b"".join(text + b"\n" for text in texts))
    return path


class Model:
    """Models lines in a folder of its own, on an engine that is there."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.spark = spark
        self.folder = folder
        self.out = folder / "out"

    def run(self, lines: Iterable[dict[str, Any] | bytes], mapping: str | Path | None = None, **more: Any) -> Modelled:
        """Models the lines; `more` are settings. The reconciliation balance."""
        events = write_lines(self.folder / "events.ndjson", lines)
        settings = self.folder / "settings.yaml"
        settings.write_text(yaml.safe_dump(more))
        modelled = model_file(events, self.out, settings, mapping, spark=self.spark)
        assert modelled.reconciliation.balance, modelled.reconciliation
        return modelled

    def rows(self, table: str, *columns: str) -> list[dict[str, Any]]:
        """The rows of a table in the order of their values, as any reader of Parquet sees them."""
        rows = pq.read_table(self.out / table / f"{table}.parquet", columns=list(columns) or None).to_pylist()
        return sorted(rows, key=lambda row: str(list(row.values())))
