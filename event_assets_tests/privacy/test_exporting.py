"""People are given what the lake has about them: all that would be erased, and nothing of others."""

from __future__ import annotations

import datetime as dt
import io
import json
import stat
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.importing import StreamSink
from event_assets.lake.tombstones import ErasureRules
from event_assets.privacy.closure import Closure, Named, closure_of
from event_assets.privacy.exporting import SAME_EVENTS, export_people, index_of, personal_tables
from event_assets.privacy.rectifying import correction
from event_assets.privacy.rules import BY_ID, EVENT_TABLES, KEPT
from event_assets_tests.pipeline.pipeline import Pipeline
from event_assets_tests.privacy.people import ask, event, events_of, names_of, rows_of, run

NOW = dt.datetime(2026, 3, 9, tzinfo=dt.UTC)
SAME = {table.name for table in SAME_EVENTS}


def test_every_table_that_an_erasure_takes_rows_from_is_given_or_has_what_another_gives() -> None:
    assert {*personal_tables()} | {*SAME_EVENTS} >= {*BY_ID, *EVENT_TABLES}
    assert not {*personal_tables()} & {*KEPT}


def test_the_index_says_what_each_table_and_column_means_and_shows_ids_as_they_are() -> None:
    told = index_of(Closure(frozenset({"<b>u"}), frozenset({"d"})), {"users": 3}, NOW)
    assert "&lt;b&gt;u" in told and "<b>u" not in told
    users = next(table for table in LAKE_TABLES if table.name == "users")
    assert all(f"<td>{column.name}<td>" in told for column in users.columns)
    assert "users: 3" in told and 'href="users.csv"' in told and 'href="visitors.csv"' not in told


@pytest.mark.slow
def test_what_is_given_is_what_would_be_erased_as_ndjson_and_as_csv_and_a_correction_becomes_the_present(
    spark: SparkSession, tmp_path: Path
) -> None:
    pipeline = Pipeline(spark, tmp_path / "home")
    shared = [event(9000 + n, f"user-{3 + n % 2:04}", "shared", at=(2, 15, n)) for n in range(6)]
    pipeline.put([*events_of(range(1, 6)), *shared])
    pipeline.run()
    rules, to = ErasureRules.of(pipeline.settings), tmp_path / "person.zip"
    closure = closure_of(pipeline.lake, rules, Named(emails=("mail0003@example.com",)))
    told = export_people(pipeline.lake, closure, rules, to, NOW)

    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    with zipfile.ZipFile(to) as packed:
        texts = {name: packed.read(name) for name in packed.namelist()}
    others = [name for person in (1, 2, 4, 5) for name in names_of(person)]
    assert [name for name, text in texts.items() if any(other in text for other in others)] == []
    given = {name: texts[f"{name}.ndjson"].splitlines() for name in told.rows}
    assert {name: len(lines) for name, lines in given.items()} == told.rows
    assert len(pd.read_csv(io.BytesIO(texts["enriched_events.csv"]))) == told.rows["enriched_events"] == 8 + 3
    [cut] = map(json.loads, given["quarantined_events"])
    assert (cut["reason"], "user-0003" in cut["data"]) == ("malformed_json", True)
    assert "mail0003@example.com" in str([json.loads(line) for line in given["user_traits"]])

    before = {name: len(rows) for name, rows in rows_of(pipeline).items()}
    ask(pipeline, 3)
    line = correction("user-0004", {"email": "right@example.com"}, dt.datetime.now(dt.UTC))
    assert run(pipeline).state == "done"
    after = {name: len(rows) for name, rows in rows_of(pipeline).items()}
    went = {table.name: before[table.name] - after[table.name] for table in personal_tables() if table.name in after}
    made_again = {"visitors", "sessions", "identities", "page_views"}  # of the device that others use too
    assert {name: count for name, count in went.items() if count and name not in made_again} == {
        name: count for name, count in told.rows.items() if name not in made_again
    }

    assert StreamSink(pipeline.settings, pipeline.stream).write([line]).accepted == 1
    pipeline.run()
    for rebuild in (False, True):
        pipeline.run(rebuild=rebuild)
        [user] = [row for row in pipeline.rows("users") if row["person_id"] == "device-0004"]
        assert json.loads(user["traits"])["email"] == "right@example.com"
    history = [row["value"] for row in pipeline.rows("user_traits") if row["person_id"] == "device-0004"]
    assert sorted(history) == ['"mail0004@example.com"', '"right@example.com"'], "what was said before stays in history"
