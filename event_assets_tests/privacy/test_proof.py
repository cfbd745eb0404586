"""One in twenty of many people are erased from lake, warehouse, Dagster's storage and logs: no byte names them any
more, every other row is as it was, the books balance, and nothing that makes tables again brings them back.

Everything is done as a user does it, by commands in processes of their own, on a lake that Dagster has made with all
that is shipped: sessions, segments, features, analyses, anomalies.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from event_assets.contract.tables.lake import EVERY_TABLE
from event_assets.lake.asked import Asked, keep_asked
from event_assets.lake.tombstones import ErasureRules
from event_assets.privacy.receipts import is_genuine
from event_assets.privacy.rules import KEPT
from event_assets_tests.postgres import new_database
from event_assets_tests.privacy.many import (
    EVENTS_EACH,
    GONE,
    Installation,
    Judged,
    Size,
    hashes_of,
    lines_of,
    names_of,
)
from event_assets_tests.webhooks.receiving import receiving

pytestmark = [pytest.mark.slow, pytest.mark.release]  # minutes; test_run has the short way

PERSONAL = [table for table in EVERY_TABLE if any(column.pii for column in table.columns) and table not in KEPT]
TOLD_OTHERWISE = {"event_days", "event_ids", "event_ledger", "warehouse/agg_event_ledger"}
"""Hashes of ids, and the count of what was erased."""


@pytest.fixture(
    scope="module", params=[Size(2_000, 100), Size(20_000, 1_000)], ids=lambda size: f"{size.gone}-of-{size.people}"
)
def known(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres_url: str
) -> Iterator[Installation]:
    """An installation that knows so many people, with everything made of what they did."""
    folder = tmp_path_factory.mktemp("proof")
    with receiving() as webhook:
        made = Installation(folder / "all", request.param, new_database(postgres_url), webhook.url)
        made.put()
        shutil.copytree(made.home, folder / "stream")
        made.materialise()
        yield made


@pytest.fixture(scope="module")
def erased(known: Installation) -> Installation:
    """The same once one in twenty was erased, of which everything is asserted that is to be."""
    before, size, found, index = known.judge(), known.size, known.scan().found, known.index()
    assert {table.name for table in PERSONAL if not before[table.name].theirs} == set(), "all are to be erased from"
    personal = {(table.name, column.name) for table in EVERY_TABLE for column in table.columns if column.pii}
    assert known.naming_columns <= personal, "only columns that the contract calls personal name people"
    assert {place.split("/")[0] for place in found} == {"home", "warehouse"}, "the scan finds what is there"

    _ask_for_all(known)
    said = json.loads(known.command("event_assets.cli", "privacy", "run", "--json"))
    assert (said["state"], said["requests"]) == ("done", size.gone), said
    receipt = json.loads(known.lake.storage.read(said["receipt"]))
    assert is_genuine(receipt, ErasureRules.of(known.settings))
    assert receipt["events"] == size.gone * (EVENTS_EACH + 1)
    assert receipt["scan"]["found"] == receipt["scan"]["unread"] == {}
    assert receipt["shared_with_others"] == receipt["came_back"] == receipt["scan"]["too_short"] == 0

    after = known.judge()
    assert {name: judged for name, judged in after.items() if judged.theirs} == {}
    for name in before.keys() - TOLD_OTHERWISE:
        assert after[name][1:] == before[name][1:], f"{name}: the rows of others, and what counted people, stay"
    assert before["event_ids"].others - after["event_ids"].others == size.gone * EVENTS_EACH
    assert known.index() == index - hashes_of(size) < index
    _books_balance(known)
    return known


def test_no_byte_names_them_and_every_other_row_is_as_it_was(erased: Installation) -> None:
    scan = erased.scan()
    assert (scan.found, scan.unread) == ({}, {})
    assert [path for path in erased.folder.rglob("*") if path.is_file() and GONE in path.read_bytes()] == []


def test_a_backfill_of_a_day_and_a_rebuild_of_all_resurrect_none(erased: Installation) -> None:
    erased.materialise("enriched_events*", first=2, last=2)
    _nobody_is_back(erased)
    erased.materialise(rebuild=True)
    _nobody_is_back(erased)


def test_a_repeated_import_resurrects_none(erased: Installation, tmp_path: Path) -> None:
    file, lines = tmp_path / "again.ndjson", [*lines_of(erased.size, 0, erased.size.gone)]
    file.write_bytes(b"\n".join(lines))
    said = json.loads(erased.command("event_assets.cli", "import", str(file), "--json"))
    assert said["dropped"] == len(lines)
    erased.materialise()
    _nobody_is_back(erased)


def test_landing_the_stream_anew_as_it_was_before_resurrects_none(erased: Installation) -> None:
    for name in ("stream.db", "stream.db-wal", "stream.db-shm"):
        (erased.home / name).unlink(missing_ok=True)
    shutil.copytree(erased.folder.parent / "stream", erased.home, dirs_exist_ok=True)
    shutil.rmtree(erased.home / "lake" / "raw_events")
    erased.materialise(rebuild=True)
    _nobody_is_back(erased)


def _ask_for_all(known: Installation) -> None:
    """As the ingest API keeps requests."""
    now = dt.datetime.now(dt.UTC)
    for person in range(known.size.gone):
        user = names_of(known.size, person)[0]
        keep_asked(known.lake.storage, Asked(f"request-{person}", "erasure", now, now, "support", users=(user,)))


def _books_balance(erased: Installation) -> None:
    """Landed = clean + quarantined + erased, in each hour and in all."""
    rows = erased.lake.table("event_ledger").snapshot().arrow().to_pylist()
    for row in rows:
        assert row["balanced"] and row["landed"] == row["clean"] + row["quarantined"] + (row["erased"] or 0), row
    size, sums = erased.size, {name: sum(row[name] or 0 for row in rows) for name in ("landed", "clean", "erased")}
    left = (size.people - size.gone) * EVENTS_EACH
    assert sums == {"landed": size.people * (EVENTS_EACH + 1), "clean": left, "erased": size.gone * (EVENTS_EACH + 1)}


def _nobody_is_back(erased: Installation) -> None:
    judged: dict[str, Judged] = erased.judge()
    assert {name: each for name, each in judged.items() if each.theirs} == {}
    assert judged["enriched_events"].others == (erased.size.people - erased.size.gone) * EVENTS_EACH
    assert judged["users"].others == erased.size.people - erased.size.gone
    _books_balance(erased)
