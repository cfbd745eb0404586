"""What the rows of every table were by which code, of one file of events.

`python -m event_assets_tests.pipeline.golden` records it anew.

A step whose rows change must have another `CODE`, or history keeps the old rows beside the new ones.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from event_assets.contract.tables import minutes
from event_assets.contract.tables.lake import LAKE_TABLES, table
from event_assets.pipeline.registry import step_of
from event_assets.settings import Settings
from event_assets.stack.modelling import model_file
from event_assets_tests import engines

DATA = Path(__file__).parents[1] / "data"
FILE = DATA / "golden_rows.json"
EVENTS = DATA / "sample.ndjson.gz"
_MOMENTS = {"arrival_date", "arrival_hour", "arrived_at", "sequence_number", "data", "partition_key", "enrichments"}
"""Columns that tell of the moment of the run, of how its records were packed, or of the data of other packages."""

_TABLES = [each.name for each in LAKE_TABLES if each not in minutes.TABLES]
"""All but those that tell of the moment of the run and of nothing else."""


def codes() -> dict[str, str]:
    """The version of the code that makes each table."""
    return {name: step_of(table(name)).code for name in _TABLES}


def digests(spark: SparkSession, folder: Path) -> dict[str, str]:
    """A digest of the rows of each table."""
    events, settings = folder / "events.ndjson", folder / "settings.yaml"
    events.write_bytes(gzip.decompress(EVENTS.read_bytes()))
    shipped = Settings()
    settings.write_text(
        json.dumps(
            {
                "analytics_dir": str(shipped.analytics),
                "segments_dir": str(shipped.segments),
                "models_dir": str(shipped.models),
            }
        )
    )
    model_file(events, folder / "out", settings, spark=spark)
    return {name: _digest(folder / "out" / name) for name in _TABLES}


def _digest(table: Path) -> str:
    rows = pq.read_table(table).to_pylist()
    lines = sorted(json.dumps([_said(row[name]) for name in row if name not in _MOMENTS]) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _said(value: Any) -> str:
    """The value as text; a sum of fractions only as far as its order cannot matter."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def main() -> None:
    """Records the rows as they are now."""
    with tempfile.TemporaryDirectory() as folder, engines.sail() as spark:
        rows, code = digests(spark, Path(folder)), codes()
    FILE.write_text(json.dumps({name: {"code": code[name], "rows": rows[name]} for name in rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
