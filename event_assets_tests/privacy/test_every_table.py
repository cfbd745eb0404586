"""From every table whose columns the contract calls personal people are erased, whoever added it: by rows that are made
of the contract alone. No list of tables is here.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from event_assets.contract.records import pack
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.lake import EVERY_TABLE
from event_assets.contract.tables.schema import Table
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.lake.tombstones import ErasureRules
from event_assets.privacy.closure import Named
from event_assets.privacy.requests import request_erasure
from event_assets.privacy.rules import KEPT
from event_assets.privacy.run import Surroundings, run_erasures
from event_assets.settings import Settings
from event_assets.settings.privacy import privacy_key_file
from event_assets_tests.factories import row_of

pytestmark = pytest.mark.slow

FIRST, OTHER, LAST = "!first", "other", "~last"
"""Those who are erased are the first and the last of everybody, so that logs and footers know them as bounds."""
DEVICES = {"anonymous_id", "device_id", "device_advertising_id"}
AT = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
PERSONAL = [table for table in EVERY_TABLE if any(c.pii for c in table.columns) and table not in KEPT]
BY_PLACE = {"stream": "events", "shard_id": "shardId-000000000000", "sequence_number": "7"}


def user(person: str) -> str:
    return f"{person}-user"


def device(person: str) -> str:
    return f"{person}-device"


def line_of(person: str) -> bytes:
    """An event that names a person; what cleaning makes of it does not matter here."""
    said = {"event_id": f"e-{person}", "event": "x", "anonymous_id": device(person), "user_id": user(person)}
    return json.dumps({**said, "platform": "web", "derived_at": AT.isoformat()}).encode()


def named(table: Table, person: str, line: int) -> dict[str, Any]:
    """A row all of whose personal columns name the person, where the event came as line so many of a record."""
    row = row_of(table, arrived_at=AT, **BY_PLACE) | {"line": line, "key": f"{person}"}
    for column in table.columns:
        if column.pii and column.type == "binary":
            row[column.name] = line_of(person)
        elif column.pii:
            row[column.name] = device(person) if column.name in DEVICES else user(person)
        elif column.name in table.key and column.type == "string" and column.name not in BY_PLACE:
            row[column.name] = f"k{line}"
    if table is IDENTITIES:
        row["id_type"] = "user"
    return {name: row[name] for name in table.column_names}


def rows_naming(table: Table) -> list[dict[str, Any]]:
    people = (FIRST, OTHER, LAST)
    if table.name == "raw_events":
        [data] = pack([line_of(person) for person in people], "zstd")
        return [row_of(table, arrived_at=AT, **BY_PLACE, partition_key="k", data=data, events=3, erased=None)]
    rows = [named(table, person, line) for line, person in enumerate(people)]
    if table is IDENTITIES:
        rows += [{**row, "id": device(who), "id_type": "anonymous"} for row, who in zip(rows, people, strict=True)]
    return rows


def put(lake: Lake, table: Table) -> None:
    """Has a table these rows, with a checkpoint of its log."""
    rows, base = rows_naming(table), lake.table(table.name).snapshot()
    partition = {name: str(rows[0][name]) for name in table.partition_by}
    file = base.table.stage_arrow(pa.Table.from_pylist(rows, table.arrow_schema()), "events-shardId-0-7-7", partition)
    base.table.commit(base, base.progress, add=[file])
    base.table.snapshot().delta.create_checkpoint()


def naming(folder: Path, *people: str) -> set[str]:
    """The files whose bytes name one of the people, as they are."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)) for path in found if any(who.encode() in path.read_bytes() for who in people)}


def test_nobody_is_left_in_any_table_with_a_personal_column_nor_in_its_log(tmp_path: Path) -> None:
    home, settings = tmp_path / "home", Settings(home=tmp_path / "home")
    lake = Lake(Storage(str(home / "lake")))
    for table in PERSONAL:
        put(lake, table)
    before = {table: lake.table(table.name).snapshot().arrow().to_pylist() for table in PERSONAL}
    in_logs = {name.split("/")[1] for name in naming(home, FIRST, LAST) if "/_delta_log/" in name}
    bounds = {
        t.name for t in PERSONAL for c in t.columns if c.pii and (c.name in (*t.key, t.clustered_by) or c.bounded)
    }
    assert in_logs == bounds, "logs have bounds of keys, and of nothing else that is personal"

    now = dt.datetime.now(dt.UTC)
    for person in (FIRST, LAST):
        request_erasure(lake, settings, Named(users=(user(person),)), now)
    rules = ErasureRules.of(settings)
    outcome = run_erasures(Surroundings(lake, rules, folders=(home,), unread=(privacy_key_file(home),)))

    assert outcome.state == "done", outcome.note
    assert (outcome.details["scan"]["found"], outcome.details["scan"]["unread"]) == ({}, {})
    assert naming(home, FIRST, LAST) == set()
    for table in PERSONAL:
        rows = lake.table(table.name).snapshot().arrow().to_pylist()
        if table.name != "raw_events":
            assert rows == [row for row in before[table] if OTHER in str(row)], table.name
        assert outcome.details["tables"][table.name]["rows"] == 2 * (1 + (table is IDENTITIES)), table.name


def test_what_stays_though_it_may_hold_what_is_personal_is_of_no_person() -> None:
    assert [
        table.name for table in KEPT if any(column.name in ("person_id", *DEVICES) for column in table.columns)
    ] == []
