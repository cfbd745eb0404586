"""Events that come while the loop stays end in the tables of one batch, and what cannot follow stops nothing else."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.contract.tables.minutes import LANDING_LAG, MINUTE_EVENTS
from event_assets.lake.session import SessionLost
from event_assets.pipeline import following as module
from event_assets.pipeline.arrivals import Arrivals, FollowingFailed
from event_assets.pipeline.domains import Pace
from event_assets.pipeline.following import FCT_EVENTS, Fault, Followed, Following, RepeatedIds
from event_assets.pipeline.load import load_step
from event_assets.pipeline.registry import STEPS, RefreshStep, step_of, steps_of
from event_assets.pipeline.run import Run
from event_assets.pipeline.window import EVERYTHING
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.end_to_end.visits import Visits
from event_assets_tests.modelling import event
from event_assets_tests.pipeline.pipeline import BY_PLACE, Pipeline

pytestmark = pytest.mark.slow

IN_PAUSES = {table.name for step in steps_of("pauses") for table in step.tables}
FOLLOWING = [table.name for table in LAKE_TABLES if table.name not in IN_PAUSES]


def followed(arrivals: Arrivals) -> list[str]:
    return ["/".join(each.asset) for each in arrivals.stay()]


def counted(pipeline: Pipeline) -> dict[tuple[str, str], tuple[int, int]]:
    """What came and what was set aside by dimension and value, in whichever minutes it came."""
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for row in pipeline.rows(MINUTE_EVENTS.name):
        landed, quarantined = sums.get((row["dimension"], row["value"]), (0, 0))
        sums[row["dimension"], row["value"]] = (landed + row["landed"], quarantined + row["quarantined"])
    return sums


def test_events_that_come_while_it_stays_end_in_the_tables_of_one_batch(
    spark: SparkSession, warehouse: Warehouse, tmp_path: Path
) -> None:
    coming, at_once, visits = Pipeline(spark, tmp_path / "coming"), Pipeline(spark, tmp_path / "at_once"), Visits()
    first, second = visits.first(), visits.second()
    coming.put_records(first)
    later = iter(second)
    arrivals = Arrivals(Following(coming.refresh(), warehouse, 90), idle_seconds=0)
    for each in arrivals.stay():
        record = next(later, None) if each.asset[0] == "warehouse" else None
        if record is not None:
            coming.put_records([record])
    assert next(later, None) is None and arrivals.batches > 2

    at_once.put_records([*first, *second])
    at_once.run()
    by_arrival = {"raw_events", "event_ledger", "event_days", MINUTE_EVENTS.name, LANDING_LAG.name}
    for table in FOLLOWING:
        if table not in by_arrival:
            assert coming.rows(table, BY_PLACE) == at_once.rows(table, BY_PLACE), table
    assert coming.ledger() == at_once.ledger() and coming.pending() == {}
    assert counted(coming) == counted(at_once)
    for of in warehouse.tables:
        if of.lake.name not in IN_PAUSES:
            assert load_step(coming.lake, warehouse, of, EVERYTHING).reports == (), f"{of.name} was behind"


def test_a_rebuild_of_the_same_tables_comes_to_its_end_beside_it(
    spark: SparkSession, warehouse: Warehouse, tmp_path: Path
) -> None:
    pipeline = Pipeline(spark, tmp_path)
    now = dt.datetime.now(dt.UTC).isoformat()

    def put(number: int) -> None:
        told = event(event_id=f"e{number}", occurred_at=now, received_at=now, derived_at=now)
        pipeline.put([json.dumps(told).encode()])

    put(0)
    pipeline.run()
    sent = 1
    with ThreadPoolExecutor(1) as beside:
        rebuild = beside.submit(step_of(ENRICHED_EVENTS).run, pipeline.refresh(rebuild=True))
        for each in Arrivals(Following(pipeline.refresh(), warehouse, 90), idle_seconds=0).stay():
            if each.asset == ("warehouse", "fct_events") and (sent < 4 or not rebuild.done()):
                put(sent)
                sent += 1
        [report] = rebuild.result()
    assert report.rebuilt
    assert sorted(row["event_id"] for row in pipeline.rows("enriched_events")) == sorted(f"e{n}" for n in range(sent))
    fct_events = next(table for table in warehouse.tables if table.name == "fct_events")
    load_step(pipeline.lake, warehouse, fct_events, EVERYTHING)
    today = dt.datetime.fromisoformat(now).date()
    assert warehouse.counts_and_sums(fct_events, [today])[today].rows == sent


def test_what_cannot_follow_is_told_at_the_end_and_stops_no_event(
    spark: SparkSession, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(run: Run) -> tuple[()]:
        raise ValueError("no identities today")

    def steps_of(pace: Pace) -> tuple[RefreshStep, ...]:
        steps = (step for step in STEPS if step.pace == pace)
        return tuple(replace(step, refresh=broken) if step.name == "identities" else step for step in steps)

    monkeypatch.setattr(module, "steps_of", steps_of)
    pipeline = Pipeline(spark, tmp_path)
    pipeline.put([json.dumps(event()).encode()])
    stay = Arrivals(Following(pipeline.refresh(), warehouse, 90), idle_seconds=0).stay()
    done: list[str] = []
    with pytest.raises(FollowingFailed, match="identities: no identities today"):
        done.extend("/".join(each.asset) for each in stay)
    assert {"warehouse/fct_events", "event_ledger"} <= set(done)
    assert not {"identities", "sessions", "warehouse/fct_sessions"} & set(done)
    assert pipeline.lake.table("sessions").snapshot().rows == 0


def test_an_engine_that_slower_tables_have_for_themselves_can_be_away_and_no_event_waits_for_it(
    spark: SparkSession, warehouse: Warehouse, tmp_path: Path
) -> None:
    def away() -> SparkSession:
        raise SessionLost("away for a while")

    pipeline = Pipeline(spark, tmp_path)
    pipeline.put([json.dumps(event()).encode()])
    following = Following(pipeline.refresh(), warehouse, 90)
    slower = replace(following, run=replace(following.run, open_spark=away))
    done: list[str] = []
    with pytest.raises(FollowingFailed, match="away for a while"):
        done.extend("/".join(each.asset) for each in Arrivals(following, 0, slower=slower).stay())
    assert "warehouse/fct_events" in done and "sessions" not in done
    assert "sessions" in followed(Arrivals(following, 0))


def test_a_failure_on_the_way_to_the_warehouse_ends_it_at_once() -> None:
    class Broken(Following):
        def follow(self, pace: Pace) -> Iterator[Followed | Fault]:
            yield Fault("clean_events", ValueError("no"))

        def take_in(self) -> list[Followed]:
            raise next(fault.error for fault in self.follow("seconds") if isinstance(fault, Fault))

    with pytest.raises(ValueError, match="no"):
        list(Arrivals(Broken(None, None, 90)).stay())  # type: ignore[arg-type]


def test_ids_that_came_twice_at_once_are_never_loaded_however_often_it_is_tried(
    spark: SparkSession, tmp_path: Path, warehouse: Warehouse
) -> None:
    pipeline = Pipeline(spark, tmp_path)
    pipeline.put([json.dumps(event(event_id=name)).encode() for name in ("a", "b")])
    following = Following(pipeline.refresh(), warehouse, 90)
    following.take_in()
    enriched = pipeline.lake.table("enriched_events")
    before = enriched.snapshot()
    rows = before.arrow()
    twice = enriched.stage_arrow(rows.take([0, 0]), "twice", {"event_date": str(rows["event_date"][0].as_py())})
    enriched.commit(before, before.progress, add=[twice])
    for _ in range(2):
        with pytest.raises(RepeatedIds, match=rows["event_id"][0].as_py()):
            following.take_in()
    assert warehouse.loaded_versions(FCT_EVENTS, before.id)[rows["event_date"][0].as_py()] == before.version
