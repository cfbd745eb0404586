"""The index of days forgets who is erased, and nothing that somebody else is found by."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.schema import Table
from event_assets.contract.tables.sessions import EVENT_DAYS
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.lake.tombstones import ErasureRules
from event_assets.privacy.batches import PLACES, Batch, write_hashes
from event_assets.privacy.closure import Closure
from event_assets.privacy.day_index import erase_days, hash_of, hashes_of
from event_assets.privacy.finding import People
from event_assets.privacy.requests import Request
from event_assets.transforms.sessions.event_days import (
    CARRIER,
    PAGE_VIEW,
    SESSION,
    carrier_hash,
    page_view_hash,
    session_hash,
)
from event_assets_tests.factories import row_of

AT = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
MONDAY, TUESDAY = AT.date(), AT.date() + dt.timedelta(days=1)
RECORD = {"stream": "events", "shard_id": "shardId-0", "sequence_number": "7"}


@pytest.mark.parametrize("id_", ["s-1", "", "eleven chars", "\u00fc\U00020000", "x" * 100])
def test_an_id_has_the_hash_that_the_engine_gives_it(spark: SparkSession, id_: str) -> None:
    of = {SESSION: session_hash, PAGE_VIEW: page_view_hash, CARRIER: carrier_hash}
    [row] = spark.range(1).select(F.lit(id_).alias("id")).select(*(hash_("id") for hash_ in of.values())).collect()
    assert [*row] == [hash_of(kind, id_) for kind in of]


def put(lake: Lake, table: Table, rows: list[dict[str, Any]]) -> None:
    base = lake.table(table.name).snapshot()
    partition = {name: str(rows[0][name]) for name in table.partition_by}
    made = pa.Table.from_pylist(
        [{name: row[name] for name in table.column_names} for row in rows], table.arrow_schema()
    )
    base.table.commit(base, base.progress, add=[base.table.stage_arrow(made, "file", partition)], remove=base.files)


def event(line: int, device: str, **fields: Any) -> dict[str, Any]:
    named = {"event_id": f"e-{device}", "anonymous_id": device, "session_id": "together", "line": line, **RECORD}
    return row_of(ENRICHED_EVENTS, arrived_at=AT, derived_at=AT, **named, **fields)


def test_what_an_erased_person_is_found_by_goes_but_for_what_leads_to_others(tmp_path: Path) -> None:
    lake = Lake(Storage(str(tmp_path)))
    mine, others = event(0, "mine", page_view_id="view"), event(1, "others")
    put(lake, ENRICHED_EVENTS, [mine, others])
    entries = {
        (SESSION, "together"): [MONDAY],
        (CARRIER, "mine"): [MONDAY, TUESDAY],
        (CARRIER, "others"): [MONDAY],
        (PAGE_VIEW, "view"): [MONDAY],
        (PAGE_VIEW, "e-mine"): [MONDAY],
        (PAGE_VIEW, "e-others"): [MONDAY],
    }
    put(
        lake, EVENT_DAYS, [{"id_hash": hash_of(*of), "event_date": day} for of, days in entries.items() for day in days]
    )
    place = {**RECORD, "line": 0, "arrival_date": str(MONDAY), "request": 0, "at": AT}
    request = Request("r", AT, AT, Closure(frozenset(), frozenset({"mine"})))
    batch = Batch("b", ["r"], AT.isoformat())
    hashes = hashes_of(lake, People([request], ErasureRules()), pa.Table.from_pylist([place], PLACES))
    write_hashes(lake.storage, batch, hashes)
    put(lake, ENRICHED_EVENTS, [others])
    for _ in range(2):
        erase_days(lake, batch)
        left = {row["id_hash"] for row in lake.table(EVENT_DAYS.name).snapshot().arrow().to_pylist()}
        assert left == {hash_of(SESSION, "together"), hash_of(CARRIER, "others"), hash_of(PAGE_VIEW, "e-others")}
        assert batch.tables[EVENT_DAYS.name].before + 1 == batch.tables[EVENT_DAYS.name].after
