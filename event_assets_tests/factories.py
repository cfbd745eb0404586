"""Rows for tests: enriched events with defaults, of which a test names only what it is about."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.schema import Table
from event_assets.enrichment.currency import AS_SENT
from event_assets.enrichment.measures import measures_of

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
"""The time that tests start from: a Monday."""

_numbers = itertools.count()


def at(seconds: float = 0, *, minutes: float = 0, hours: float = 0, days: float = 0) -> dt.datetime:
    """So long after `NOON`."""
    return NOON + dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def enriched_event(event: str = "page_view", when: dt.datetime = NOON, **fields: Any) -> dict[str, Any]:
    """One row of `enriched_events`: a web event of device `a1` at `when`, received a second later.

    `fields` are columns of the table; whatever follows from the time follows from `derived_at`, which is `when` unless
    it is given, and revenue and web vitals from `properties`.
    """
    number = next(_numbers)
    derived_at = fields.get("derived_at", when)
    received_at = fields.get("received_at", derived_at + dt.timedelta(seconds=1))
    row: dict[str, Any] = dict.fromkeys(ENRICHED_EVENTS.column_names)
    row |= {
        "event_id": f"e{number:08}",
        "event": event,
        "schema_version": 1,
        "anonymous_id": "a1",
        "occurred_at": derived_at,
        "sent_at": derived_at,
        "platform": "web",
        "properties": "{}",
        "is_bot": False,
        "stream": "events",
        "shard_id": "shardId-000000000000",
        "sequence_number": f"{number:056}",
        "line": 0,
    }
    read = measures_of(event, fields.get("properties") or "{}", derived_at.date(), AS_SENT)._asdict()
    row |= {name: value for name, value in read.items() if name in row} | fields
    row |= {"derived_at": derived_at, "received_at": received_at, "event_date": derived_at.date()}
    arrived_at = fields.get("arrived_at", received_at)
    row |= {"arrived_at": arrived_at, "arrival_date": arrived_at.date(), "arrival_hour": arrived_at.hour}
    return row


def frame(spark: SparkSession, rows: Iterable[dict[str, Any]], table: Table = ENRICHED_EVENTS) -> DataFrame:
    """The rows as a DataFrame with exactly the columns of `table`; what a row does not name is null."""
    filled = [{name: row.get(name) for name in table.column_names} for row in rows]
    if not filled:
        return spark.createDataFrame([], table.spark_schema())
    nullable = pa.schema([field.with_nullable(True) for field in table.arrow_schema()])
    return spark.createDataFrame(pa.Table.from_pylist(filled, nullable))


def rows_of(data: DataFrame) -> list[dict[str, Any]]:
    """All rows as dictionaries, in the order of their values; times in UTC."""
    rows = data.toArrow().to_pylist()
    return sorted(rows, key=lambda row: [(value is not None, str(value)) for value in row.values()])


def row_of(table: Table, **fields: Any) -> dict[str, Any]:
    """A row of these fields; of the others what their types allow, so that any table can have one."""
    return {field.name: fields.get(field.name, _something(field.type)) for field in table.arrow_schema()}


def _something(type_: pa.DataType) -> Any:
    if pa.types.is_date(type_):
        return dt.date(2026, 3, 2)
    if pa.types.is_timestamp(type_):
        return dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
    if pa.types.is_boolean(type_):
        return False
    if pa.types.is_list(type_):
        return []
    return 1 if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_) else "x"
