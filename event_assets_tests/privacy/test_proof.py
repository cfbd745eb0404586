"""One in twenty of many people are erased from lake, warehouse, online tables and logs: no byte names them any more,
every other row is as it was, and nothing that makes tables again brings them back.

Everything is done as a user does it, by commands in processes of their own, on a lake that Dagster has made with all
that is shipped: sessions, segments, features, analyses, anomalies.
"""

from __future__ import annotations

import datetime as dt
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
from psycopg import sql

from event_assets.contract.records import pack
from event_assets.contract.tables.lake import EVERY_TABLE
from event_assets.contract.tables.schema import Table
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.lake.asked import Asked, keep_asked
from event_assets.lake.lake import Lake
from event_assets.lake.tombstones import ErasureRules
from event_assets.pipeline.registry import STEPS
from event_assets.privacy.receipts import is_genuine
from event_assets.privacy.rules import KEPT
from event_assets.streams import StreamRecord
from event_assets_tests.end_to_end.platform import ROOT
from event_assets_tests.end_to_end.profile import Profile
from event_assets_tests.end_to_end.whole_run import days_ago, lake_of
from event_assets_tests.postgres import new_database

pytestmark = [pytest.mark.slow, pytest.mark.release]  # minutes; test_run has the short way

EVENTS_EACH, DAYS = 50, 5
GONE = "gone-"
"""What every id and address of those who are erased begins with, and nothing of anybody else's."""
TOLD_OTHERWISE = {"raw_events", "event_ids", "event_ledger"}
"""Records that hold events of many people, hashes of ids of events, and the count of what was erased."""
UNSEEN = {"person_attributes", "segment_webhooks"}
"""Personal tables that nothing here fills: they are of other systems. test_every_table has rows of them."""


class Size(NamedTuple):
    """How many people there are, and how many of them are erased."""

    people: int
    gone: int


class Judged(NamedTuple):
    """Of a table: rows that name somebody of those who are erased, the other rows, and what these sum up to."""

    theirs: int
    others: int
    checksum: int


class Proof:
    """An installation by its environment alone, with an instance of Dagster's beside it."""

    def __init__(self, profile: Profile, size: Size) -> None:
        self.profile, self.size, self.settings = profile, size, profile.settings
        self.home = profile.settings.home
        self.dagster = self.home / "dagster"
        self.dagster.mkdir(parents=True)
        (self.dagster / "dagster.yaml").write_text("telemetry: {enabled: false}\nnux: {enabled: false}\n")
        self.naming_columns: set[tuple[str, str]] = set()

    @property
    def lake(self) -> Lake:
        return lake_of(self.settings)

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
        more = ["--config-json", json.dumps(rebuilding())] if rebuild else []
        self.command("dagster", "asset", "materialize", "-m", "event_assets.definitions", "--select", select,
                     "--partition-range", days, *more)  # fmt: skip

    def judge(self) -> dict[str, Judged]:
        """Every table of the lake and of the warehouse."""
        tables = {spec.name: self._judge(spec) for spec in EVERY_TABLE if self.lake.table(spec.name).exists()}
        assert self.settings.warehouse_url is not None
        with psycopg.connect(self.settings.warehouse_url.get_secret_value()) as session:
            for table in WAREHOUSE_TABLES:
                tables[f"warehouse/{table.name}"] = self._judge_in(session, table.name)
        return tables

    def _judge(self, spec: Table) -> Judged:
        snapshot, found = self.lake.table(spec.name).snapshot(), Judged(0, 0, 0)
        for file in snapshot.files:
            rows = snapshot.arrow([file])
            theirs = pa.array([False] * rows.num_rows, pa.bool_())
            for field in rows.schema:
                if pa.types.is_string(field.type) or pa.types.is_binary(field.type):
                    texts = rows[field.name].cast(pa.binary()).combine_chunks()
                    names = pc.fill_null(pc.match_substring(texts, GONE), False)
                    theirs = pc.or_(theirs, names)
                    if pc.any(names).as_py():
                        self.naming_columns.add((spec.name, field.name))
            others = rows.filter(pc.invert(theirs))
            frame = others.to_pandas(strings_to_categorical=True)
            total = int(pd.util.hash_pandas_object(frame, index=False).sum()) if len(frame) else 0
            found = Judged(
                found.theirs + rows.num_rows - others.num_rows, found.others + others.num_rows,
                (found.checksum + total) % 2**64,
            )  # fmt: skip
        return found

    def _judge_in(self, session: psycopg.Connection, table: str) -> Judged:
        query = """
            SELECT count(*) FILTER (WHERE is_theirs), count(*) FILTER (WHERE NOT is_theirs),
                   coalesce(sum(hashtextextended(said, 0)) FILTER (WHERE NOT is_theirs), 0)
            FROM (SELECT (to_jsonb(t) - 'loaded_at')::text AS said, t::text LIKE {} AS is_theirs FROM {} t) AS every
        """
        name = sql.Identifier(self.settings.warehouse_schema, table)
        row = session.execute(sql.SQL(query).format(sql.Literal(f"%{GONE}%"), name)).fetchone()
        assert row is not None
        return Judged(*map(int, row))


def rebuilding() -> dict[str, Any]:
    """The run config that makes all tables of the events and their people again from the raw records."""
    names = [step.name for step in STEPS if step.rebuilds != "nothing" and step.pace != "pauses"]
    return {"ops": {name: {"config": {"rebuild": True}} for name in names}}


def lines_of(size: Size, first: int, last: int) -> Iterator[bytes]:
    """The events of some of the people: views before and after they signed in, an order, a mail address."""
    for person in range(first, last):
        who = f"{GONE if person < size.gone else ''}{person:05}"
        user, device = f"{who}-user", f"{who}-device"
        for number in range(EVENTS_EACH):
            at = dt.datetime.combine(days_ago(1 + number % DAYS), dt.time(8 + number % 9, number), dt.UTC)
            said: dict[str, Any] = {"page": {"url": f"https://shop.example/{number % 7}", "title": "A page"}}
            if number == EVENTS_EACH - 3:
                agreed = {"marketing": True, "source": "banner"}
                said = {"event": "identify", "traits": {"email": f"{who}@mail.example"}, "consent": agreed}
            elif number == EVENTS_EACH - 2:
                said = {"event": "purchase", "properties": {"order_id": f"{who}-order", "revenue": 3.5}}
            elif number == EVENTS_EACH - 1:
                said = {"event": "group", "group_id": f"company-{person % 50}", "traits": {"plan": "basic"}}
            shown = {"event_id": f"e{person * 100 + number}", "event": "page_view", "anonymous_id": device,
                     "user_id": user if number > 9 else None, "platform": "web"}  # fmt: skip
            yield json.dumps({**shown, "derived_at": at.isoformat(), "received_at": at.isoformat(), **said}).encode()
        yield b'{"event_id":"cut","event":"x","user_id":"%b","pla' % user.encode()


def files_naming(folder: Path) -> list[str]:
    """The files whose bytes name one of those who are erased, as they are."""
    return [path.name for path in folder.rglob("*") if path.is_file() and GONE.encode() in path.read_bytes()]


@pytest.fixture(
    scope="module", params=[Size(2_000, 100), Size(20_000, 1_000)], ids=lambda size: f"{size.gone} of {size.people}"
)
def known(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Proof:
    """An installation that knows so many people, with everything made of what they did."""
    size: Size = request.param
    home = tmp_path_factory.mktemp("proof") / "home"
    variables = {
        "HOME": str(home),
        "WAREHOUSE_URL": new_database(postgres_url),
        "FIRST_DAY": str(days_ago(DAYS)),
        "WAREHOUSE_EVENTS": "all",
    }
    with pytest.MonkeyPatch.context() as patch:
        proof = Proof(Profile(patch, variables), size)
    for first in range(0, size.people, 500):
        lines = [*lines_of(size, first, min(first + 500, size.people))]
        proof.profile.put([StreamRecord(f"k{first % 7}", data) for data in pack(lines, "zstd")])
    shutil.copytree(home, home.parent / "stream")
    proof.materialise()
    return proof


@pytest.fixture(scope="module")
def erased(known: Proof) -> Proof:
    """The same once one in twenty was erased, of which everything is asserted that is to be."""
    before, size = known.judge(), known.size
    for table in EVERY_TABLE:
        if any(column.pii for column in table.columns) and table not in KEPT and table.name not in UNSEEN:
            assert table.name == "raw_events" or before[table.name].theirs, f"{table.name} is to be erased from"
    personal = {(table.name, column.name) for table in EVERY_TABLE for column in table.columns if column.pii}
    assert known.naming_columns <= personal, "only columns that the contract calls personal name people"

    now, lake = dt.datetime.now(dt.UTC), known.lake
    for person in range(size.gone):  # as the ingest API keeps requests
        asked = Asked(f"request-{person}", "erasure", now, now, "support", users=(f"{GONE}{person:05}-user",))
        keep_asked(lake.storage, asked)
    said = json.loads(known.command("event_assets.cli", "privacy", "run", "--json"))
    assert (said["state"], said["requests"]) == ("done", size.gone), said
    receipt = json.loads(lake.storage.read(said["receipt"]))
    assert is_genuine(receipt, ErasureRules.of(known.settings))
    assert receipt["events"] == size.gone * (EVENTS_EACH + 1)
    assert receipt["scan"]["found"] == receipt["scan"]["unread"] == {}
    assert receipt["shared_with_others"] == receipt["came_back"] == receipt["scan"]["too_short"] == 0

    after = known.judge()
    assert {name: judged for name, judged in after.items() if judged.theirs} == {}
    for name in before.keys() - TOLD_OTHERWISE - {"warehouse/agg_event_ledger"}:
        assert after[name][1:] == before[name][1:], f"{name}: the rows of others, and what counted people, stay"
    assert before["event_ids"].others - after["event_ids"].others == size.gone * EVENTS_EACH
    return known


def test_no_byte_names_them_and_every_other_row_is_as_it_was(erased: Proof) -> None:
    assert files_naming(erased.home) == []


def test_a_backfill_of_a_day_and_a_rebuild_of_all_resurrect_none(erased: Proof) -> None:
    erased.materialise("enriched_events*", first=2, last=2)
    erased.materialise(rebuild=True)
    _nobody_is_back(erased)


def test_a_repeated_import_resurrects_none(erased: Proof, tmp_path: Path) -> None:
    file, lines = tmp_path / "again.ndjson", [*lines_of(erased.size, 0, erased.size.gone)]
    file.write_bytes(b"\n".join(lines))
    said = json.loads(erased.command("event_assets.cli", "import", str(file), "--json"))
    assert said["dropped"] == len(lines)
    erased.materialise()
    _nobody_is_back(erased)


def test_landing_the_stream_anew_as_it_was_before_resurrects_none(erased: Proof) -> None:
    for name in ("stream.db", "stream.db-wal", "stream.db-shm"):
        (erased.home / name).unlink(missing_ok=True)
    shutil.copytree(erased.home.parent / "stream", erased.home, dirs_exist_ok=True)
    shutil.rmtree(erased.home / "lake" / "raw_events")
    erased.materialise(rebuild=True)
    _nobody_is_back(erased)


def _nobody_is_back(erased: Proof) -> None:
    judged, size = erased.judge(), erased.size
    assert {name: each for name, each in judged.items() if each.theirs} == {}
    assert judged["enriched_events"].others == (size.people - size.gone) * EVENTS_EACH
    assert judged["users"].others == size.people - size.gone
