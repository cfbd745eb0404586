"""What is found at every stage, brought into one SQLite database beside the truth. Nothing is judged here.

Only rows about events of the truth are read, so that other people's events on the same platform do not disturb.
"""

from __future__ import annotations

import gzip
import re
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import zstandard
from psycopg import sql

from event_assets.contract.tables import dimensions
from event_assets.contract.tables.company import COMPANIES, PERSON_ATTRIBUTES
from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.groups import GROUP_MEMBERS, GROUPS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.lake import ANALYSIS_TABLES, PRODUCT_TABLES, table
from event_assets.contract.tables.metrics import PERIOD_PEOPLE
from event_assets.contract.tables.people import USERS
from event_assets.contract.tables.segments import SEGMENT_MEMBERSHIPS
from event_assets.contract.tables.sessions import PAGE_VIEWS, SESSIONS
from event_assets.rules.analysis import Analyses
from event_assets.rules.company import CompanyData, CompanySource, CompanyTable
from event_assets.settings import Settings
from event_assets.verification.clocks import Clocks
from event_assets.verification.reading import (
    MadeWhole,
    Refreshed,
    Version,
    columns_of,
    made_whole,
    plain,
    refreshed,
    scan,
    version,
)
from event_assets.verification.refusals import read_submissions

_EVENT_ID = re.compile(rb'"event_id"\s*:\s*"([^"]+)"')

EVENT_FIELDS = (
    *("event_id", "event", "anonymous_id", "user_id", "session_id", "page_view_id", "derived_at", "received_at"),
    *("platform", "is_bot", "revenue_reporting", "group_id", "traits", "traits_once", "properties", "page_path"),
    *("device_type", "site_date"),
    *("lcp_ms", "inp_ms", "fid_ms", "cls", "app_id", "country", "region", "city", "device_locale"),
    *("consent_analytics", "consent_marketing", "consent_personalisation", "consent_sell_or_share"),
    *("consent_gpc", "consent_source", "consent_text_version"),
)
"""Columns of enriched events that are always read; analyses name more."""
_SOURCE = ("source", "medium", "campaign", "channel_group")

_LAKE: dict[str, tuple[tuple[str, ...], str]] = {
    "clean_events": (("event_id", "shard_id", "sequence_number", "line"), "event_id"),
    "duplicate_events": (("event_id", "is_conflict"), "event_id"),
    "page_views": (
        (
            *("page_view_id", "event_id", "session_id", "anonymous_id", "user_id", "event_date", "start_at"),
            *("index_in_session", "views_in_session", "engaged_seconds", "scroll_percent", "is_bot", "path", "kind"),
            *("screen_name", "platform", "app_id", "country", "channel_group", "device_type", "title"),
            *("page_key", "geo_key", "site_date"),
        ),
        "",
    ),
    "sessions": (
        (
            *("session_id", "anonymous_id", "user_id", "event_date", "start_at", "platform", "events", "page_views"),
            *("entry_url", "engaged_seconds", "is_engaged", "is_bounce", "is_bot", "revenue", *_SOURCE),
            *("conversions", "app_id", "country", "device_type", "language", "landing_page", "os", "browser"),
            *("campaign_key", "device_key", "geo_key", "site_date"),
        ),
        "",
    ),
    "identities": (("id_type", "id", "person_id", "first_seen_at"), ""),
    "users": (USERS.column_names, ""),
    "quarantined_events": (("event_id", "reason", "shard_id", "sequence_number", "line"), ""),
    "event_ledger": (("arrival_date", "arrival_hour", "balanced"), ""),
}
"""Lake tables with the columns that are read, and the one by which rows are about the truth."""

MARTS: dict[str, str] = {
    "session_issues": "fct_session_issues",
    "visitors": "dim_visitors",
    "user_traits": "dim_user_traits",
    "user_history": "dim_user_history",
    "consent_receipts": "dim_consent_receipts",
    "group_members": "dim_group_members",
    "groups": "dim_groups",
    "person_attributes": "dim_person_attributes",
    "companies": "dim_companies",
    "touches": "fct_touches",
    "conversions": "fct_conversions",
    "conversion_paths": "fct_conversion_paths",
    "attribution": "agg_attribution",
    "channel_performance": "agg_channel_performance",
    "daily_metrics": "agg_daily",
    "daily_sessions": "agg_daily_sessions",
    "daily_events": "agg_daily_events",
    "daily_pages": "agg_daily_pages",
    PERIOD_PEOPLE.name: "agg_period_people",
    **{made.name: made.warehouse.name for made in dimensions.TABLES if made.warehouse},
    **{made.name: f"agg_{made.name}" for made in ANALYSIS_TABLES},
}
"""Tables whose every row is judged, with their names in the warehouse."""

COPIES: dict[str, str] = {**MARTS, SEGMENT_MEMBERSHIPS.name: "dim_segment_memberships"}
"""Tables whose every row in the warehouse must be the lake's."""

_WAREHOUSE: dict[str, tuple[str, ...]] = {
    "fct_events": ("event_id",),
    "fct_page_views": ("page_view_id",),
    "fct_sessions": ("session_id", "anonymous_id", "user_id", "revenue"),
    "dim_users": ("person_id",),
    "dim_user_segments": ("person_id",),
}

LOADS = "_loads"
"""The warehouse's own record of what is loaded."""
_LOAD = ("table_name", "lake_version", "loaded_at")

OF_WHOM = (USERS, PERSON_ATTRIBUTES, GROUP_MEMBERS, GROUPS, COMPANIES)
"""What analyses may ask for beside events, identities and segments."""

LATER = frozenset((*PRODUCT_TABLES, PERSON_ATTRIBUTES, COMPANIES))
"""Tables that runs of another occasion than new events bring along: in pauses, or when company data was loaded."""

READINGS = 5
"""How often all is read at most, where runs change it meanwhile."""


class CompanyRows(NamedTuple):
    """A table of company data: its version, and its rows."""

    version: Version
    rows: list[dict[str, Any]]


def path_of(source: CompanySource, table: CompanyTable) -> str:
    """Where a table of company data is in the lake."""
    return f"company/{source.name}/{table.name}"


class Evidence:
    """Truth and findings in one database: `submissions`, `lake_<table>`, `warehouse_<table>`, `raw`."""

    def __init__(self, truth: Path) -> None:
        if not truth.exists():
            raise FileNotFoundError(f"{truth}: there is no truth; it is written when the simulator sends")
        self.connection = sqlite3.connect(":memory:", uri=True)
        self.connection.create_function("without_nul", 1, _without_nul, deterministic=True)
        self.connection.execute("ATTACH ? AS truth", (f"{truth.absolute().as_uri()}?mode=ro",))
        read_submissions(self.connection)
        self.look_for_all()
        self.clocks = Clocks()
        self.moved: list[str] = []
        self.versions: dict[str, Version] = {}
        self.refreshed: dict[str, Refreshed] = {}
        self.sources_of_people = MadeWhole(None, {})
        self.company: dict[str, CompanyRows] = {}
        self.through_company: dict[str, Mapping[str, Version]] = {}
        self.event_fields: tuple[str, ...] = EVENT_FIELDS
        self._create(f"lake_{ENRICHED_EVENTS.name}", EVENT_FIELDS)

    def look_for_all(self) -> None:
        """From now on rows are read of the submissions that there are now, be they left out later or not."""
        self._ids = {key: self._column(key) for key in ("event_id", "page_view_id")}

    def rows(self, query: str, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self.connection.execute(query, tuple(parameters)).fetchall()

    def number(self, query: str) -> float:
        """The first column of the first row of a query; 0 where it is null."""
        return self.rows(query)[0][0] or 0

    def anomalies(self) -> list[tuple[str, float, float, str]]:
        """Kind, beginning and end (epoch seconds) and metric of every planted anomaly."""
        if not self.rows("SELECT 1 FROM truth.sqlite_master WHERE name = 'anomalies'"):
            return []
        return self.rows("SELECT kind, begins_at, ends_at, metric FROM truth.anomalies ORDER BY begins_at")

    def read(self, settings: Settings, analyses: Analyses, company: CompanyData, warehouse_url: str | None) -> None:
        """Reads lake and warehouse at one state: anew while a run changes the lake or loads from it meanwhile.

        `moved` names the tables that still changed during the last reading.
        """
        self.clocks = Clocks(settings.time_zone, settings.time_zones)
        self.connection.create_function("site_date", 2, self.clocks.date, deterministic=True)
        for _ in range(READINGS):
            before = self._state(settings, company, warehouse_url)
            self._read_lake(settings, analyses)
            self._read_company(settings, company)
            if warehouse_url is not None:
                self._read_warehouse(warehouse_url, settings.warehouse_schema)
            after = self._state(settings, company, warehouse_url)
            self.moved = sorted(name for name in after if before.get(name) != after[name])
            if not self.moved:
                return

    def _state(self, settings: Settings, company: CompanyData, warehouse_url: str | None) -> dict[str, Any]:
        """By table of the lake its version, by table of the warehouse what it was loaded from."""
        told = (path_of(source, table) for source, table in company.described)
        state: dict[str, Any] = {
            name: version(settings, name) for name in ("raw_events", ENRICHED_EVENTS.name, *_LAKE, *COPIES, *told)
        }
        if warehouse_url is not None:
            with psycopg.connect(warehouse_url) as connection:
                for name, *loaded in _rows_there(connection, settings.warehouse_schema, LOADS, _LOAD):
                    state[f"warehouse.{name}"] = loaded
        return state

    def _read_lake(self, settings: Settings, analyses: Analyses) -> None:
        """Reads what the lake's tables say, of events also what analyses name. One that is not there yet is empty."""
        for made in (ENRICHED_EVENTS, IDENTITIES, SESSIONS, PAGE_VIEWS, *OF_WHOM, *PRODUCT_TABLES):
            self.versions[made.name] = version(settings, made.name)
        self.sources_of_people = made_whole(settings, PERIOD_PEOPLE.name)
        for name in {analysis.table.name for analysis in analyses.usable}:
            self.refreshed[name] = refreshed(settings, name)
        self.event_fields = tuple(dict.fromkeys((*EVENT_FIELDS, *_named_by(analyses))))
        for name, (columns, key) in _LAKE.items():
            wanted = pc.field(key).isin(pa.array(sorted(self._ids[key]))) if key else None
            self._read_table(settings, name, columns, wanted)
        self._read_table(settings, ENRICHED_EVENTS.name, self.event_fields)
        for name in COPIES:
            self._read_table(settings, name, table(name).column_names)
        self._create("raw", ("event_id", "shard_id", "sequence_number", "line"))
        for batch in scan(settings, "raw_events", ("shard_id", "sequence_number", "data"), None):
            self._insert_raw(batch)

    def _read_company(self, settings: Settings, company: CompanyData) -> None:
        """Reads company data, and which versions of it the tables that tell of it were made of."""
        for source, described in company.described:
            path = path_of(source, described)
            rows = [row for batch in scan(settings, path, described.wanted, None) for row in batch.to_pylist()]
            self.company[path] = CompanyRows(version(settings, path), rows)
        for made in (PERSON_ATTRIBUTES, COMPANIES):
            self.through_company[made.name] = made_whole(settings, made.name).through

    def _read_warehouse(self, url: str, schema: str) -> None:
        """Reads what the warehouse's tables say. A table that is not there yet is empty."""
        with psycopg.connect(url) as connection:
            copies = {there: table(name).column_names for name, there in COPIES.items()}
            for name, columns in {**_WAREHOUSE, **copies, LOADS: _LOAD}.items():
                self._create(f"warehouse_{name}", columns)
                marks = ", ".join("?" * len(columns))
                rows = _rows_there(connection, schema, name, columns)
                self.connection.executemany(f"INSERT INTO warehouse_{name} VALUES ({marks})", rows)

    def _column(self, name: str) -> set[str]:
        return {value for (value,) in self.rows(f"SELECT DISTINCT {name} FROM submissions") if value is not None}

    def _create(self, table: str, columns: tuple[str, ...]) -> None:
        self.connection.execute(f"DROP TABLE IF EXISTS {table}")
        self.connection.execute(f"CREATE TABLE {table} ({', '.join(columns)})")

    def _read_table(
        self, settings: Settings, name: str, columns: tuple[str, ...], wanted: pc.Expression | None = None
    ) -> None:
        self._create(f"lake_{name}", columns)
        for batch in scan(settings, name, columns, wanted):
            self._insert(f"lake_{name}", batch)

    def _insert(self, table: str, batch: pa.RecordBatch) -> None:
        marks = ", ".join("?" * batch.num_columns)
        rows = zip(*columns_of(batch), strict=True)
        self.connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)

    def _insert_raw(self, batch: pa.RecordBatch) -> None:
        known = self._ids["event_id"]
        for shard, sequence, data in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            for line, event_id in enumerate(_event_ids(data)):
                if event_id in known:
                    self.connection.execute("INSERT INTO raw VALUES (?, ?, ?, ?)", (event_id, shard, sequence, line))


def _without_nul(text: str | None) -> str | None:
    """SQLite's own `replace` cannot find it."""
    return text and text.replace("\0", "\ufffd")


def _rows_there(
    connection: psycopg.Connection, schema: str, name: str, columns: tuple[str, ...]
) -> Iterator[list[Any]]:
    """The rows of a warehouse table, as SQLite takes them; none where it is not there, null for a missing column."""
    there = _columns_there(connection, schema, name)
    if not there:
        return
    names = sql.SQL(", ").join(sql.Identifier(column) if column in there else sql.NULL for column in columns)
    query = sql.SQL("SELECT {} FROM {}").format(names, sql.Identifier(schema, name))
    with connection.cursor(name=f"verify_{name}") as cursor:
        for row in cursor.execute(query):
            yield [plain(value) for value in row]


def _columns_there(connection: psycopg.Connection, schema: str, name: str) -> set[str]:
    query = "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
    return {column for (column,) in connection.execute(query, (schema, name))}


def _named_by(analyses: Analyses) -> Iterator[str]:
    """Columns of enriched events that analyses ask for."""
    for analysis in analyses.usable:
        yield from (name for name in analysis.fields() if name in ENRICHED_EVENTS.column_names)


def _event_ids(record: bytes) -> Iterator[str | None]:
    """The id of each line of a stream record, None where there is none to be seen."""
    for line in _text(record).splitlines():
        found = _EVENT_ID.search(line)
        yield found.group(1).decode(errors="replace") if found else None


def _text(record: bytes) -> bytes:
    try:
        if record[:4] == b"\x28\xb5\x2f\xfd":
            return zstandard.ZstdDecompressor().decompressobj().decompress(record)
        return gzip.decompress(record) if record[:2] == b"\x1f\x8b" else record
    except (zstandard.ZstdError, gzip.BadGzipFile, EOFError, zlib.error):
        return b""
