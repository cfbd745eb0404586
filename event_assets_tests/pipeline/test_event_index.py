"""The index of days: late events find theirs by it, and no other day is read."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.sessions import SESSIONS
from event_assets_tests.factories import at, enriched_event
from event_assets_tests.pipeline.visits import TABLES, Visits

pytestmark = pytest.mark.slow

Row = dict[str, Any]
FAR = 40


@pytest.fixture
def visits(spark: SparkSession, tmp_path: Path) -> Visits:
    """A session of a client on the first day, and others on the days after."""
    visits = Visits(spark, tmp_path / "lake")
    others = [enriched_event(when=at(days=3 * n), anonymous_id=f"b{n}", page_view_id=f"b{n}") for n in range(1, 5)]
    visits.change([enriched_event(session_id="s", page_view_id="p"), *others])
    visits.run()
    return visits


def unreadable(visits: Visits, table: str, but: set[str]) -> None:
    """Deletes the files of all days but these."""
    for file in visits.lake.table(table).snapshot().files:
        if file.partition["event_date"] not in but:
            Path(file.url.removeprefix("file://")).unlink()


def assert_as_at_once(visits: Visits, folder: Path) -> None:
    at_once = Visits(visits.spark, folder)
    at_once.change(visits.events)
    at_once.run()
    for table in TABLES:
        assert visits.rows(table) == at_once.rows(table), table


def test_a_late_event_reads_the_days_of_its_session_and_of_its_page_view_and_no_other(visits: Visits) -> None:
    concerned = {"2026-03-02", "2026-04-11", "2026-03-05"}
    for table in (ENRICHED_EVENTS, SESSIONS):
        unreadable(visits, table.name, concerned)
    visits.change(
        [
            enriched_event(when=at(days=FAR), session_id="s", received_at=at(-5)),
            enriched_event(when=at(days=FAR), anonymous_id="c", page_view_id="b1"),
        ]
    )
    reports = {report.table: report for report in visits.sessionise()}
    assert reports["sessions"].dates.keys() <= concerned
    standing = visits.lake.table("sessions").snapshot()
    [session] = standing.arrow(standing.of_dates(["2026-03-02"])).to_pylist()
    assert (session["session_id"], session["events"], session["end_at"]) == ("s", 2, at(days=FAR))


def test_who_becomes_known_is_stitched_without_a_look_at_days_of_others(visits: Visits) -> None:
    unreadable(visits, SESSIONS.name, {"2026-03-08", "2026-04-11"})
    visits.change([enriched_event(when=at(days=FAR), anonymous_id="b2", user_id="u")])
    reports = visits.run()
    assert reports["sessions"].dates.keys() == {"2026-03-08", "2026-04-11"}


def test_an_index_that_was_lost_is_made_again(visits: Visits, tmp_path: Path) -> None:
    before = visits.rows("event_days")
    shutil.rmtree(tmp_path / "lake" / "event_days")
    visits.change([enriched_event(when=at(days=FAR), session_id="s", received_at=at(-5))])
    visits.run()
    assert_as_at_once(visits, tmp_path / "one")
    entries = [tuple(row.values()) for row in visits.rows("event_days")]
    assert set(entries) > {tuple(row.values()) for row in before}
    assert len(entries) == len(set(entries))


def test_an_index_that_is_lost_while_an_event_goes_still_finds_whose_page_view_it_was(
    visits: Visits, tmp_path: Path
) -> None:
    first = visits.events[0]
    visits.change([enriched_event(when=at(days=FAR), anonymous_id="c", page_view_id="p")])
    visits.run()
    shutil.rmtree(tmp_path / "lake" / "event_days")
    visits.change([], [first])
    visits.run()
    assert_as_at_once(visits, tmp_path / "one")
    assert {row["page_view_id"]: row["anonymous_id"] for row in visits.rows("page_views")}["p"] == "c"


def test_events_that_were_made_anew_are_indexed_anew(visits: Visits, tmp_path: Path) -> None:
    for second in range(3):
        visits.change([enriched_event(when=at(second, days=1))])
        visits.run()
    shutil.rmtree(tmp_path / "lake" / "enriched_events")
    standing, visits.events = visits.events, []
    visits.change(standing)
    visits.run()
    assert_as_at_once(visits, tmp_path / "one")


def test_a_second_run_without_a_change_leaves_the_index_alone(visits: Visits) -> None:
    version = visits.lake.table("event_days").snapshot().version
    visits.run()
    assert visits.lake.table("event_days").snapshot().version == version
