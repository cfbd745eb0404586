"""People are erased everywhere, nobody else is touched, and nothing brings them back."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from event_assets.importing import StreamSink
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.lake.table import LakeTable
from event_assets.lake.tombstones import ErasureRules
from event_assets.privacy import requests as asked
from event_assets.privacy.closure import LinkedUsers
from event_assets.privacy.day_index import hash_of
from event_assets.privacy.receipts import is_genuine
from event_assets.transforms.sessions.event_days import CARRIER, PAGE_VIEW
from event_assets_tests.pipeline.pipeline import Pipeline
from event_assets_tests.privacy.people import ask, event, events_of, files_naming, naming, rows_of, run

pytestmark = pytest.mark.slow

PEOPLE, GONE = range(1, 13), (3, 7)
AGGREGATES = ("daily_metrics", "daily_sessions", "daily_events", "daily_pages", "attribution", "channel_performance")


def hashes_of(people: Iterable[int]) -> set[int]:
    """By which the index of days knows people and their views."""
    ids = {hash_of(CARRIER, f"{kind}-{person:04}") for person in people for kind in ("user", "device")}
    return ids | {hash_of(PAGE_VIEW, f"e{person * 100 + view:06}") for person in people for view in range(6)}


@pytest.fixture(scope="module")
def known(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that knows people, with everything made of what they did."""
    pipeline = Pipeline(spark, tmp_path_factory.mktemp("known"))
    pipeline.put(events_of(PEOPLE))
    pipeline.run()
    pipeline.stream.close()
    return pipeline.settings.home


@pytest.fixture
def pipeline(spark: SparkSession, known: Path, tmp_path: Path) -> Pipeline:
    """The same for one test."""
    shutil.copytree(known, tmp_path / "home")
    return Pipeline(spark, tmp_path / "home")


def test_the_erased_are_gone_from_every_byte_every_other_row_stays_as_it_was_and_nothing_brings_them_back(
    pipeline: Pipeline,
) -> None:
    before, home, index_before = rows_of(pipeline), pipeline.settings.home, pipeline.rows("event_days")
    stream = (home / "stream.db").read_bytes()
    ask(pipeline, *GONE)
    outcome = run(pipeline)
    after = rows_of(pipeline)

    assert outcome.state == "done"
    assert outcome.details["scan"]["found"] == outcome.details["scan"]["unread"] == {}
    assert is_genuine(outcome.details, ErasureRules.of(pipeline.settings)), outcome.details
    assert files_naming(home, GONE) == []
    named = {table for table in naming(before, GONE) if table != "raw_events"}
    index = {row["id_hash"] for row in index_before}
    assert {row["id_hash"] for row in pipeline.rows("event_days")} == index - hashes_of(GONE) < index
    for table in after.keys() - {"raw_events", "event_ids", "event_ledger", "event_days"}:
        others = [row for row in before[table] if not naming({table: [row]}, GONE)] if table in named else before[table]
        assert after[table] == others, table
    assert len(before["event_ids"]) - len(after["event_ids"]) == len(GONE) * 8
    assert all(before[table] == after[table] for table in AGGREGATES)
    ledger = pipeline.rows("event_ledger")
    assert sum(row["erased"] for row in ledger) == outcome.details["events"] == len(GONE) * 9
    assert all(row["balanced"] for row in ledger)
    assert pipeline.pending() == {}, "nothing is to be made again"

    pipeline.run(rebuild=True)
    assert naming(rows_of(pipeline), GONE) == {}
    assert pipeline.ledger()["landed"] == len(PEOPLE) * 9
    imported = StreamSink(pipeline.settings, pipeline.stream).write(events_of(PEOPLE))
    assert imported.dropped == len(GONE) * 9
    pipeline.stream.close()
    for path in home.glob("stream.db*"):
        path.unlink()
    (home / "stream.db").write_bytes(stream)
    shutil.rmtree(home / "lake" / "raw_events")
    again = Pipeline(pipeline.spark, home)
    again.run(rebuild=True)
    assert naming(rows_of(again), GONE) == {}
    assert sum(row["erased"] for row in again.rows("event_ledger")) == len(GONE) * 9


def test_who_comes_back_after_the_request_is_somebody_new(pipeline: Pipeline) -> None:
    ask(pipeline, 3)
    back = json.dumps({"event_id": "back", "event": "hello", "user_id": "user-0003", "platform": "web"}).encode()
    pipeline.put([back])
    pipeline.run()
    outcome = run(pipeline)

    assert (outcome.state, outcome.details["came_back"]) == ("done", 1), "a scan cannot tell whose the id is now"
    [event_] = [row for row in pipeline.rows("enriched_events") if row["user_id"] == "user-0003"]
    assert event_["event_id"] == "back"
    [person] = [row for row in pipeline.rows("users") if row["person_id"] == "user-0003"]
    assert (person["events"], person["traits"]) == (1, None)
    assert pipeline.ledger()["landed"] == len(PEOPLE) * 9 + 1


@pytest.mark.representative
def test_a_shared_device_loses_the_events_of_the_person_alone(pipeline: Pipeline) -> None:
    shared = [event(9000 + n, f"user-{3 + n % 2:04}", "shared", at=(2, 15, n)) for n in range(6)]
    pipeline.put([*shared, event(9100, None, "shared", at=(2, 15, 30))])
    pipeline.run()
    before = rows_of(pipeline)
    [request] = ask(pipeline, 3)
    outcome = run(pipeline)

    assert (*request.closure.devices, *request.closure.shared) == ("device-0003", "shared")
    assert outcome.state == "done", outcome.note
    assert files_naming(pipeline.settings.home, [3]) == []
    index = {row["id_hash"] for row in pipeline.rows("event_days")}
    assert index.isdisjoint(hashes_of([3])) and hash_of(CARRIER, "shared") in index
    on_device = [row for row in pipeline.rows("enriched_events") if row["anonymous_id"] == "shared"]
    assert [row["user_id"] for row in on_device].count("user-0004") == 3
    assert [row["user_id"] for row in on_device].count(None) == 1
    [visitor] = [row for row in pipeline.rows("visitors") if row["anonymous_id"] == "shared"]
    assert (visitor["user_id"], visitor["events"]) == ("user-0004", 4)
    after = rows_of(pipeline)
    for table in ("clean_events", "enriched_events"):
        assert [row for row in before[table] if not naming({table: [row]}, [3])] == after[table]
    as_incremental = rows_of(pipeline)
    pipeline.run(rebuild=True)
    stay = {"event_days", "landing_lag", "minute_events"}  # an index of days, and counts that name nobody
    assert {name: rows for name, rows in rows_of(pipeline).items() if name not in stay} == {
        name: rows for name, rows in as_incremental.items() if name not in stay
    }


def test_another_account_of_the_same_person_is_not_taken_without_being_asked_for(pipeline: Pipeline) -> None:
    pipeline.put([event(9200, "user-0099", "device-0003", "identify", at=(3, 12, 0))])
    pipeline.run()
    with pytest.raises(LinkedUsers, match="user-0099"):
        ask(pipeline, 3)
    assert not list(asked.requests(pipeline.lake.storage))
    ask(pipeline, 3, linked_users="keep")
    assert run(pipeline).state == "done"
    rows = pipeline.rows("enriched_events")
    assert [row["event_id"] for row in rows if row["user_id"] == "user-0099"] == ["e009200"]
    assert naming({"users": [json.dumps(row, default=str) for row in pipeline.rows("users")]}, [3]) != {}, "the device"
    assert not [row for row in rows if row["user_id"] == "user-0003"]


class Killed(BaseException):
    """The process is gone."""


def test_a_run_that_is_killed_again_and_again_ends_as_one_that_was_not(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows_of(pipeline)
    ask(pipeline, *GONE)
    left = itertools.count()
    allowed = [0]

    def dying(owner: type, name: str) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        def maybe(*args: Any, **options: Any) -> Any:
            if next(left) >= allowed[0]:
                raise Killed
            done = original(*args, **options)
            if next(left) >= allowed[0]:
                raise Killed
            return done

        monkeypatch.setattr(owner, name, maybe)

    for owner, name in (
        (Storage, "write"),
        (Storage, "replace"),
        (Storage, "delete"),
        (LakeTable, "_commit"),
        (LakeTable, "stage_file"),
    ):
        dying(owner, name)
    kills = 0
    for lives in itertools.count(1):
        left, allowed[0] = itertools.count(), 9 + 2 * lives
        pipeline.lake = Lake(pipeline.lake.storage)
        try:
            outcome = run(pipeline)
            break
        except Killed:
            kills += 1
    monkeypatch.undo()

    assert kills > 5
    assert outcome.state == "done", outcome.note
    told = pipeline.settings.home / "lake" / "privacy"
    [receipt] = [json.loads(path.read_text()) for path in (told / "receipts").iterdir()]
    assert receipt["tables"]["users"]["rows"] == len(GONE)
    assert receipt["tables"]["enriched_events"]["rows"] == len(GONE) * 8
    assert [*(told / "batches").iterdir()] == [], "nothing of the batch is left, in whichever write it was killed"
    assert files_naming(pipeline.settings.home, GONE) == []
    after = rows_of(pipeline)
    for table in ("clean_events", "enriched_events", "sessions", "users", "identities", *AGGREGATES):
        assert after[table] == [row for row in before[table] if not naming({table: [row]}, GONE)]
    assert all(row["balanced"] for row in pipeline.rows("event_ledger"))
