"""Gives people what the lake has about them: a zip with a page that says what is in it, and each table as NDJSON and
CSV.

Whose rows they are is decided as an erasure decides it, so that what is exported is what would be erased. A row that is
not of this person alone is not given to them. Nothing is changed here, and no warehouse is asked: it has nothing that
the lake has not.
"""

from __future__ import annotations

import datetime as dt
import html
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from event_assets.contract.erasure import owner_of
from event_assets.contract.personal_data import JSON_COLUMNS
from event_assets.contract.tables.events import (
    CLEAN_EVENTS,
    DUPLICATE_EVENTS,
    ENRICHED_EVENTS,
    EVENT_IDS,
    RAW_EVENTS,
)
from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.contract.tables.schema import Table
from event_assets.lake.lake import Lake
from event_assets.lake.tombstones import ErasureRules
from event_assets.permissions import keep_private
from event_assets.privacy.closure import Closure
from event_assets.privacy.rows import rows_by_id
from event_assets.privacy.rules import BY_ID, KEPT, ById

SAME_EVENTS: Mapping[Table, str] = {
    RAW_EVENTS: "the same events as they came; those that could be read are in enriched_events, the others in "
    "quarantined_events",
    CLEAN_EVENTS: "the same events as enriched_events has, with less about each, and copies of them",
    DUPLICATE_EVENTS: "where copies of the same events came, without what they say",
    EVENT_IDS: "hashes of the ids of the same events",
}
"""Tables of events that another table has, and which."""
_EVER = dt.datetime.max.replace(tzinfo=dt.UTC)
_STYLE = "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}td,th{text-align:left;"
_STYLE += "vertical-align:top;padding:.2rem 1rem .2rem 0}"


@dataclass(frozen=True)
class Exported:
    """What was written: the rows of each table that has any."""

    rows: dict[str, int]


def export_people(lake: Lake, closure: Closure, rules: ErasureRules, to: Path, now: dt.datetime) -> Exported:
    """Writes what there is about the person of a closure. The file is for its owner alone; it takes the place of one
    that is there once it is whole."""
    if not to.parent.exists():
        keep_private(to.parent)
    fresh = to.with_name(f".{to.name}.part")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    rows: dict[str, int] = {}
    try:
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED) as packed:
            for table in personal_tables():
                found = rows_of(lake, table, closure, rules)
                if found.num_rows:
                    rows[table.name] = found.num_rows
                    packed.writestr(f"{table.name}.ndjson", _ndjson(found))
                    packed.writestr(f"{table.name}.csv", _csv(found))
            packed.writestr("index.html", index_of(closure, rows, now))
        fresh.replace(to)
    finally:
        fresh.unlink(missing_ok=True)
    return Exported(rows)


def personal_tables() -> Iterator[Table]:
    """The tables that have columns of personal data by the contract, in the order of the data, but those whose rows
    another has or that are of no person."""
    for table in dict.fromkeys((*LAKE_TABLES, *BY_ID)):
        if any(column.pii for column in table.columns) and table not in SAME_EVENTS and table not in KEPT:
            yield table


def rows_of(lake: Lake, spec: Table, closure: Closure, rules: ErasureRules) -> pa.Table:
    """The rows of a table that are of the person."""
    table, empty = lake.table(spec.name), spec.arrow_schema().empty_table()
    if not table.exists():
        return empty
    snapshot, found = table.snapshot(), [empty]
    if spec in BY_ID:
        until = dict.fromkeys({*closure.users, *closure.devices}, _EVER)
        for file, mask in rows_by_id(lake, BY_ID[spec], until, snapshot):
            if pc.any(mask).as_py():
                found.append(_of_nobody_else(snapshot.arrow([file]).filter(mask), BY_ID[spec], closure))
        return pa.concat_tables(found)
    for file in snapshot.files:
        mask = _of_events(snapshot.arrow([file], ("anonymous_id", "user_id")), closure) if spec is ENRICHED_EVENTS \
            else _of_broken(snapshot.arrow([file], ("data", "arrived_at")), closure, rules)  # fmt: skip
        if pc.any(mask).as_py():
            found.append(snapshot.arrow([file]).filter(mask))
    return pa.concat_tables(found)


def _of_nobody_else(rows: pa.Table, rule: ById, closure: Closure) -> pa.Table:
    """The rows without those that tell of somebody else too, as a session on a device that two people use."""
    mine = pa.array(sorted(closure.users | closure.devices | closure.shared), pa.string())
    for name in rule.columns:
        rows = rows.filter(pc.or_(pc.is_null(rows[name]), pc.is_in(rows[name], value_set=mine)))
    return rows


def _of_events(rows: pa.Table, closure: Closure) -> pa.Array:
    users, devices = (pa.array(sorted(ids), pa.string()) for ids in (closure.users, closure.devices))
    of_device = pc.and_(pc.is_null(rows["user_id"]), pc.is_in(rows["anonymous_id"], value_set=devices))
    return pc.or_(pc.is_in(rows["user_id"], value_set=users), of_device)


def _of_broken(rows: pa.Table, closure: Closure, rules: ErasureRules) -> pa.Array:
    """Events that could not be cleaned, by whom their bytes name."""

    def is_mine(data: bytes, arrived_at: dt.datetime) -> bool:
        owner = owner_of(data or b"", arrived_at, rules.placeholders)
        if owner.user_id is not None:
            return rules.known_as(owner.user_id) in closure.users
        return owner.anonymous_id is not None and rules.known_as(owner.anonymous_id) in closure.devices

    said = zip(rows["data"].to_pylist(), rows["arrived_at"].to_pylist(), strict=True)
    return pa.array([is_mine(data, at) for data, at in said], pa.bool_())


def _ndjson(rows: pa.Table) -> bytes:
    """A JSON object a line, without what is null; texts that are JSON are what they say."""
    nested = {name for name in JSON_COLUMNS if name in rows.column_names}
    lines = []
    for row in _readable(rows).to_pylist():
        told = {name: value for name, value in row.items() if value is not None}
        for name in nested & told.keys():
            told[name] = msgspec.Raw(told[name].encode())
        lines.append(msgspec.json.encode(told))
    return b"\n".join(lines) + b"\n"


def _csv(rows: pa.Table) -> bytes:
    sink = io.BytesIO()
    csv.write_csv(_readable(rows), sink)
    return sink.getvalue()


def _readable(rows: pa.Table) -> pa.Table:
    """The rows with bytes as text."""
    for place, field in enumerate(rows.schema):
        if pa.types.is_binary(field.type):
            texts = [None if value is None else value.decode("utf-8", "replace") for value in rows[place].to_pylist()]
            rows = rows.set_column(place, field.name, pa.array(texts, pa.string()))
    return rows


def index_of(closure: Closure, rows: Mapping[str, int], now: dt.datetime) -> str:
    """The page that says what is in the zip: of whom, which tables, and what their columns mean."""
    ids = [("User ids", closure.users), ("Devices", closure.devices), ("Shared with others", closure.shared)]
    told = "".join(f"<tr><th>{name}<td>{_texts(some)}" for name, some in ids if some)
    parts = [_section(table, rows[table.name]) for table in personal_tables() if table.name in rows]
    left_out = [*SAME_EVENTS.items(), *((table, kept.why) for table, kept in KEPT.items())]
    others = "".join(f"<li><b>{table.name}</b>: {html.escape(why)}" for table, why in left_out)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Data about a person</title><style>{_STYLE}</style>"
        f"<h1>Data about a person</h1><p>As of {now:%Y-%m-%d %H:%M} UTC.<table>{told}</table>"
        "<p>Each table is there twice, with the same rows: as <code>.csv</code> for spreadsheets and as "
        "<code>.ndjson</code>, one JSON object a line, for programs. Times are in UTC."
        f"{''.join(parts)}<h2>Not in here</h2><ul>{others}"
        "<li>Of devices that others use too: events that name no user, and what tells of the others as well."
        "<li>What came in after the tables were last brought up to date.</ul>"
    )


def _section(table: Table, rows: int) -> str:
    columns = "".join(f"<tr><td>{c.name}<td>{c.type}<td>{html.escape(c.meaning)}" for c in table.columns)
    return (
        f"<h2>{table.name}: {rows}</h2><p>{html.escape(table.description)}<p>"
        f'<a href="{table.name}.csv">CSV</a> <a href="{table.name}.ndjson">NDJSON</a>'
        f"<details><summary>Columns</summary><table>{columns}</table></details>"
    )


def _texts(ids: frozenset[str]) -> str:
    return html.escape(", ".join(sorted(ids)))
