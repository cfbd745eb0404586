"""Rows of people go from a table of the warehouse in one transaction with its record; days are not loaded again."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path

import pyarrow as pa
import pytest

from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline.load import behind, load_step
from event_assets.pipeline.window import EVERYTHING
from event_assets.privacy.needles import Needles
from event_assets.privacy.scanning import Scan, scan_database
from event_assets.warehouse.erasing import erase_rows, taken_in, vacuum
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.factories import row_of

TABLE = next(table for table in WAREHOUSE_TABLES if table.name == "fct_sessions")
DAYS = (dt.date(2026, 3, 1), dt.date(2026, 3, 2))
COLUMNS = ("anonymous_id", "user_id", "stitched_user_id", "person_id")


def at(day: dt.date, hour: int) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour), dt.UTC)


@pytest.fixture
def warehouse(postgres_url: str) -> Warehouse:
    made = Warehouse(PostgresDialect(LakeFiles()), postgres_url, f"w{uuid.uuid4().hex[:8]}", [TABLE])
    made.ensure()
    return made


def sessions(lake: Lake, people: dict[str, str | None]) -> None:
    """A session of each device a day, in place of all that are there, unseen by what follows."""
    table = lake.table("sessions")
    base = table.snapshot()
    files = []
    for day in DAYS:
        rows = [
            {
                **row_of(TABLE.lake, event_date=day, session_id=f"{device}-{day}", anonymous_id=device, user_id=user),
                "stitched_user_id": user or device,
                "person_id": user or device,
                "start_at": at(day, 9),
                "end_at": at(day, 10),
            }
            for device, user in people.items()
        ]
        made = pa.Table.from_pylist(rows, TABLE.lake.arrow_schema())
        files.append(table.stage_arrow(made, uuid.uuid4().hex, {"event_date": str(day)}))
    if base.files:
        table.erase(base, base.progress, files, base.files, {"batch": "one"})
    else:
        table.commit(base, base.progress, add=files)


def there(warehouse: Warehouse) -> set[str]:
    with warehouse.connect() as session:
        query = f"SELECT session_id FROM {warehouse.schema}.fct_sessions"
        return {session_id for (session_id,) in session.execute(query.encode()).fetchall()}


def test_their_rows_go_and_no_day_is_loaded_again(tmp_path: Path, warehouse: Warehouse) -> None:
    lake = Lake(Storage(str(tmp_path)))
    sessions(lake, {"d1": "u1", "d2": "u2", "d3": None})
    load_step(lake, warehouse, TABLE, EVERYTHING)
    sessions(lake, {"d2": "u2"})
    until = {"u1": at(DAYS[1], 23), "d1": at(DAYS[1], 23), "d3": at(DAYS[0], 23)}

    assert erase_rows(warehouse, TABLE, COLUMNS, "end_at", until) == 3
    assert there(warehouse) == {"d2-2026-03-01", "d2-2026-03-02", "d3-2026-03-02"}, "what came later stays"
    assert erase_rows(warehouse, TABLE, COLUMNS, "end_at", {**until, "d3": at(DAYS[1], 23)}) == 1
    snapshot = lake.table("sessions").snapshot()
    assert behind(snapshot, warehouse, TABLE).dates == {}
    taken_in(warehouse, TABLE, snapshot.version, snapshot.id)
    assert warehouse.loaded_versions(TABLE, snapshot.id)[None] == snapshot.version
    assert load_step(lake, warehouse, TABLE, EVERYTHING).reports == ()
    assert load_step(lake, warehouse, TABLE, EVERYTHING, rebuild=True).rows == len(there(warehouse)) == 2


def test_statistics_keep_no_value_of_who_is_gone(tmp_path: Path, warehouse: Warehouse) -> None:
    lake = Lake(Storage(str(tmp_path)))
    sessions(lake, {"device-1": "user-1", "device-2": "user-2"})
    load_step(lake, warehouse, TABLE, EVERYTHING)

    def found(*texts: str) -> set[str]:
        scan = Scan()
        assert warehouse.url is not None
        scan_database(warehouse.url, Needles([text.encode() for text in texts]), scan)
        return {place for place in scan.found if warehouse.schema in place}

    vacuum(warehouse)
    rows = f"warehouse/{warehouse.schema}.{TABLE.name}"
    samples = f"warehouse/statistics of {warehouse.schema}.{TABLE.name}"
    assert found("device-1") == found("user-2") == {rows, samples}
    for names in (("device-1", "user-1"), ("device-2", "user-2")):
        erase_rows(warehouse, TABLE, COLUMNS, "end_at", dict.fromkeys(names, at(DAYS[1], 23)))
        assert found(*names) == {samples}, "deleting rows leaves them"
        vacuum(warehouse)
        assert found(*names) == set()
    assert there(warehouse) == set(), "of a table without rows, too"
