"""An installation that knows many people, made by commands in processes of their own as a user has it made, and what is
in it: rows of those who are erased, and of everybody else. No tests here.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml
from psycopg import sql

from event_assets.contract.erasure import ERASED
from event_assets.contract.records import pack, unpack
from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.contract.tables.lake import EVERY_TABLE
from event_assets.contract.tables.schema import Table
from event_assets.contract.tables.sessions import EVENT_DAYS
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.lake.lake import Lake
from event_assets.pipeline.registry import STEPS
from event_assets.privacy.day_index import hash_of
from event_assets.privacy.needles import Bytes, Edges, Needles, digests_of, forms_of
from event_assets.privacy.scanning import Scan, scan_database, scan_folder
from event_assets.settings import Settings
from event_assets.streams import StreamRecord
from event_assets.transforms.sessions.event_days import CARRIER, PAGE_VIEW, SESSION
from event_assets_tests.end_to_end.platform import ROOT
from event_assets_tests.end_to_end.profile import Profile
from event_assets_tests.end_to_end.whole_run import days_ago, lake_of

EVENTS_EACH, DAYS = 50, 5
SESSION_EVERY = 7
"""Each of so many events is of a session of the client's, which so runs on over all days: it is cut."""
GONE = b"gone-"
"""What every id and address of those who are erased begins with, and nothing of anybody else's."""
_COMPANIES = 50
_SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


class Size(NamedTuple):
    """How many people there are, and how many of them are erased."""

    people: int
    gone: int


class Judged(NamedTuple):
    """Of a table: rows that name somebody of those who are erased, the other rows, and what these sum up to. Of raw
    records the same of events."""

    theirs: int
    others: int
    checksum: int


class Installation:
    """A home, an instance of Dagster's beside it, and a warehouse; a webhook is told who is in a segment."""

    def __init__(self, folder: Path, size: Size, warehouse_url: str, webhook_url: str) -> None:
        self.folder, self.size = folder, size
        self.home, self.dagster = folder / "home", folder / "dagster"
        self.dagster.mkdir(parents=True)
        (self.dagster / "dagster.yaml").write_text("telemetry: {enabled: false}\nnux: {enabled: false}\n")
        variables = {
            "HOME": str(self.home),
            "WAREHOUSE_URL": warehouse_url,
            "FIRST_DAY": str(days_ago(DAYS)),
            "WAREHOUSE_EVENTS": "all",
            "COMPANY_DIR": str(_company(folder.parent / "company")),
            "SEGMENTS_DIR": str(_segments(folder.parent / "segments")),
            "SEGMENT_WEBHOOKS": json.dumps({"crm": webhook_url}),
            "SEGMENT_WEBHOOK_SECRETS": json.dumps({"crm": _SECRET}),
            "SEGMENT_WEBHOOK_NETWORKS": "127.0.0.0/8",
        }
        with pytest.MonkeyPatch.context() as patch:
            self.profile = Profile(patch, variables)
        self.naming_columns: set[tuple[str, str]] = set()
        """Table and column of all texts of those who are erased that were judged."""

    @property
    def settings(self) -> Settings:
        return self.profile.settings

    @property
    def lake(self) -> Lake:
        return lake_of(self.settings)

    @property
    def warehouse_url(self) -> str:
        assert self.settings.warehouse_url is not None
        return self.settings.warehouse_url.get_secret_value()

    def put(self) -> None:
        """Everybody's events, so many people's at once, on the stream."""
        for first in range(0, self.size.people, 500):
            lines = [*lines_of(self.size, first, min(first + 500, self.size.people))]
            self.profile.put([StreamRecord(f"k{first % 7}", data) for data in pack(lines, "zstd")])

    def command(self, *arguments: str) -> str:
        """What a command prints. Fails with its last words."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("EVENT_ASSETS_", "DAGSTER_"))}
        environment = {**kept, **self.profile.variables, "DAGSTER_HOME": str(self.dagster)}
        done = subprocess.run(
            [sys.executable, "-m", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def materialise(self, select: str = "*", *, first: int = DAYS, last: int = 0, rebuild: bool = False) -> None:
        """As in the docs: some assets of the days from so many days ago on."""
        days = f"{days_ago(first)}...{days_ago(last)}"
        more = ["--config-json", json.dumps(_rebuilding())] if rebuild else []
        self.command("dagster", "asset", "materialize", "-m", "event_assets.definitions", "--select", select,
                     "--partition-range", days, *more)  # fmt: skip

    def judge(self) -> dict[str, Judged]:
        """Every table of the lake and of the warehouse."""
        tables = {spec.name: self._judge(spec) for spec in EVERY_TABLE if self.lake.table(spec.name).exists()}
        with psycopg.connect(self.warehouse_url) as session:
            for table in WAREHOUSE_TABLES:
                tables[f"warehouse/{table.name}"] = _judge_in(session, self.settings.warehouse_schema, table.name)
        return tables

    def _judge(self, spec: Table) -> Judged:
        snapshot, found = self.lake.table(spec.name).snapshot(), Judged(0, 0, 0)
        for file in snapshot.files:
            rows = snapshot.arrow([file])
            theirs = pa.array([False] * rows.num_rows, pa.bool_())
            for field in rows.schema:
                if pa.types.is_string(field.type) or pa.types.is_binary(field.type):
                    names = pc.fill_null(pc.match_substring(rows[field.name].cast(pa.binary()), GONE), False)
                    theirs = pc.or_(theirs, names.combine_chunks())
                    if pc.any(names).as_py():
                        self.naming_columns.add((spec.name, field.name))
            here = _of_records(rows) if spec is RAW_EVENTS else _of_rows(rows, theirs)
            found = Judged(*map(sum, zip(found, here, strict=True)))
        return found._replace(checksum=found.checksum % 2**64)

    def index(self) -> set[int]:
        """The hashes of `event_days`, by which days are found."""
        rows = self.lake.table(EVENT_DAYS.name).snapshot().arrow(columns=("id_hash",))
        return set(rows["id_hash"].to_pylist())

    def scan(self) -> Scan:
        """What every byte of all of it says of those who are erased."""
        marks, scan = _Marks(self.size), Scan()
        scan_folder(self.folder, marks, scan)
        scan_database(self.warehouse_url, marks, scan)
        return scan


def hashes_of(size: Size) -> set[int]:
    """By which `event_days` knows those who are erased, their sessions and their views."""
    return {
        hash_
        for person in range(size.gone)
        for hash_ in (
            *(hash_of(CARRIER, name) for name in names_of(size, person)[:2]),
            hash_of(SESSION, f"session-{person}"),
            *(hash_of(PAGE_VIEW, f"e{person * 100 + number}") for number in range(EVENTS_EACH)),
        )
    }


class _Marks(Needles):
    """The mark, be it a part of whatever word, and the forms and digests of all names that it begins."""

    def __init__(self, size: Size) -> None:
        names = [name for person in range(size.gone) for name in names_of(size, person)]
        super().__init__(forms_of(names), digests_of(names))

    def count(self, data: Bytes, edges: Edges = ()) -> int:
        return super().count(data, edges) + bytes(data).count(GONE)


def names_of(size: Size, person: int) -> tuple[str, str, str, str]:
    """What names a person: user, device, address, and the phone by itself."""
    who = f"{GONE.decode() if person < size.gone else ''}{person:05}"
    return f"{who}-user", f"{who}-device", f"{who}@mail.example", f"{who}-phone"


def lines_of(size: Size, first: int, last: int) -> Iterator[bytes]:
    """The events of some of the people: views before and after they signed in, an order, a mail address; and a line of
    each that is cut off. What is no id of a person's, such as an order's, says nothing of who it is."""
    for person in range(first, last):
        user, device, mail, phone = names_of(size, person)
        for number in range(EVENTS_EACH):
            at = dt.datetime.combine(days_ago(1 + number % DAYS), dt.time(8 + number % 9, number), dt.UTC)
            said: dict[str, Any] = {"page": {"url": f"https://shop.example/{number % 7}", "title": "A page"}}
            if number == EVENTS_EACH - 3:
                agreed = {"marketing": True, "source": "banner"}
                said = {"event": "identify", "traits": {"email": mail}, "consent": agreed}
            elif number == EVENTS_EACH - 2:
                bought = {"order_id": f"order-{person}", "revenue": 3.5, "currency": "EUR"}
                said = {"event": "purchase", "properties": bought, "device": {"id": phone}}
            elif number == EVENTS_EACH - 1:
                said = {"event": "group", "group_id": f"company-{person % _COMPANIES}", "traits": {"plan": "basic"}}
            elif number % SESSION_EVERY == 0:
                said["session_id"] = f"session-{person}"
            shown = {"event_id": f"e{person * 100 + number}", "event": "page_view", "anonymous_id": device,
                     "user_id": user if number > 9 else None, "platform": "web"}  # fmt: skip
            yield json.dumps({**shown, "derived_at": at.isoformat(), "received_at": at.isoformat(), **said}).encode()
        yield b'{"event_id":"cut","event":"x","user_id":"%b","pla' % user.encode()


def _rebuilding() -> dict[str, Any]:
    """The run config that makes all tables of the events and their people again from the raw records."""
    names = [step.name for step in STEPS if step.rebuilds != "nothing" and step.pace != "pauses"]
    return {"ops": {name: {"config": {"rebuild": True}} for name in names}}


def _company(folder: Path) -> Path:
    """A source that says of companies what they pay for, and so of their people."""
    folder.mkdir()
    rows = "".join(f"company-{number},pro\n" for number in range(_COMPANIES))
    (folder / "accounts.csv").write_text(f"id,plan\n{rows}")
    table = {"name": "accounts", "files": "accounts.csv", "key": ["id"], "describes": {"group_id": "id"},
             "attributes": {"plan": "plan"}}  # fmt: skip
    source = {"kind": "files", "name": "crm", "folder": str(folder), "tables": [table]}
    (folder / "crm.yaml").write_text(yaml.safe_dump(source))
    return folder


def _segments(folder: Path) -> Path:
    """The segments that are shipped; of one of them the webhook is told."""
    shutil.copytree(ROOT / "event_assets" / "rules" / "segments", folder)
    with (folder / "buyers.yaml").open("a") as file:
        file.write("webhooks: [crm]\n")
    return folder


def _of_rows(rows: pa.Table, theirs: pa.Array) -> Judged:
    others = rows.filter(pc.invert(theirs))
    frame = others.to_pandas(strings_to_categorical=True)
    total = int(pd.util.hash_pandas_object(frame, index=False).sum()) if len(frame) else 0
    return Judged(rows.num_rows - others.num_rows, others.num_rows, total)


def _of_records(rows: pa.Table) -> Judged:
    """Of the events in records; a placeholder is nobody's."""
    theirs = others = total = 0
    for data in rows["data"].to_pylist():
        for line in unpack(data):
            if GONE in line:
                theirs += 1
            elif line != ERASED:
                others += 1
                total += int.from_bytes(hashlib.blake2b(line, digest_size=8).digest())
    return Judged(theirs, others, total)


def _judge_in(session: psycopg.Connection, schema: str, table: str) -> Judged:
    query = """
        SELECT count(*) FILTER (WHERE is_theirs), count(*) FILTER (WHERE NOT is_theirs),
               coalesce(sum(hashtextextended(said, 0)) FILTER (WHERE NOT is_theirs), 0)
        FROM (SELECT (to_jsonb(t) - 'loaded_at')::text AS said, t::text LIKE {} AS is_theirs FROM {} t) AS every
    """
    pattern = sql.Literal(f"%{GONE.decode()}%")
    row = session.execute(sql.SQL(query).format(pattern, sql.Identifier(schema, table))).fetchone()
    assert row is not None
    return Judged(*map(int, row))
