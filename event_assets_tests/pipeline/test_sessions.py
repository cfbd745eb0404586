"""Sessions, their issues and page views step by step: as if all had been made at once, and no day more than need be."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from event_assets.contract.tables.identity import IDENTITIES
from event_assets.pipeline.identities import identities_step
from event_assets.pipeline.window import Window
from event_assets.transforms import affected
from event_assets_tests.examples import examples
from event_assets_tests.factories import NOON, at, enriched_event
from event_assets_tests.pipeline.runs import a_run
from event_assets_tests.pipeline.visits import TABLES, Visits

pytestmark = pytest.mark.slow

Row = dict[str, Any]


@pytest.fixture
def visits(spark: SparkSession, tmp_path: Path) -> Visits:
    return Visits(spark, tmp_path)


def identify(device: str, user: str, when: dt.datetime) -> Row:
    return enriched_event("identify", when, anonymous_id=device, user_id=user)


@pytest.mark.representative
def test_a_user_who_becomes_known_is_stitched_on_past_sessions_and_other_days_are_left_alone(visits: Visits) -> None:
    visits.change(
        [enriched_event(), enriched_event(when=at(days=2)), enriched_event(when=at(days=4), anonymous_id="b")]
    )
    visits.run()
    assert visits.owners() == [("a1", "a1"), ("a1", "a1"), ("b", "b")]
    before = visits.files()
    visits.change([enriched_event(when=at(days=6), user_id="u1")])
    reports = visits.run()
    assert visits.owners() == [("u1", "a1"), ("u1", "a1"), ("b", "b"), ("u1", "a1")]
    rewritten = {day for day, files in visits.files().items() if before.get(day) != files}
    assert rewritten == reports["sessions"].dates.keys() == {"2026-03-02", "2026-03-04", "2026-03-08"}
    assert reports["page_views"].dates.keys() == {"2026-03-08"}


def test_an_identify_joins_the_past_sessions_of_two_devices(visits: Visits) -> None:
    visits.change([identify("a1", "u1", NOON), enriched_event(), enriched_event(when=at(days=2), anonymous_id="a2")])
    visits.run()
    assert visits.owners() == [("u1", "a1"), ("a2", "a2")]
    visits.change([identify("a2", "u1", at(days=9))])
    visits.run(Window(at(days=9).date(), at(days=9).date()))
    assert visits.owners() == [("u1", "a1"), ("u1", "a1")]
    visits.change([], visits.events[-1:])
    visits.run()
    assert visits.owners() == [("u1", "a1"), ("a2", "a2")]


@pytest.mark.representative
def test_sessions_that_were_made_before_their_identities_are_stitched_when_these_come(visits: Visits) -> None:
    visits.change([identify("a1", "u1", NOON), enriched_event(), identify("a2", "u1", at(9)), enriched_event("search")])
    visits.sessionise()
    assert visits.owners() == [("a1", "a1")]
    visits.run()
    assert visits.owners() == [("u1", "a1")]


def test_more_ids_than_a_list_takes_are_stitched_on_their_days_too(
    visits: Visits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(affected.listed, "__defaults__", (1,))
    visits.change(
        [
            *(enriched_event(when=at(days=n), anonymous_id=name) for n, name in enumerate(("a1", "a2", "a3"))),
            enriched_event(when=at(days=1), anonymous_id="b"),
        ]
    )
    visits.run()
    before = visits.files()
    visits.change([identify("a1", "u1", at(days=3)), identify("a2", "u1", at(days=3))])
    visits.run()
    assert sorted(visits.owners()) == [("a3", "a3"), ("b", "b"), ("u1", "a1"), ("u1", "a1")]
    assert {day for day, files in visits.files().items() if before.get(day) != files} == {"2026-03-02", "2026-03-03"}


def test_without_a_change_nothing_is_committed(visits: Visits) -> None:
    visits.change([identify("a1", "u1", NOON), enriched_event()])
    visits.run()
    versions = {table: visits.lake.table(table).snapshot().version for table in TABLES}
    visits.run()
    assert {table: visits.lake.table(table).snapshot().version for table in TABLES} == versions


def test_identities_that_say_the_same_of_sessions_rewrite_no_day(visits: Visits) -> None:
    visits.change([identify("a1", "u1", NOON), enriched_event()])
    visits.run()
    files = visits.files()
    visits.change([enriched_event(when=at(days=3)), enriched_event(when=at(days=3), anonymous_id="new")])
    visits.run()
    assert {day: visits.files()[day] for day in files} == files


@pytest.mark.parametrize("lost", ["identities", "its log"])
def test_identities_that_are_lost_and_made_again_give_the_same_stitching(
    lost: str, visits: Visits, tmp_path: Path
) -> None:
    visits.change([identify("a1", "u1", NOON), enriched_event(), enriched_event(when=at(days=2), anonymous_id="a2")])
    visits.run()
    visits.change([enriched_event(anonymous_id="a3")])
    visits.run()
    visits.change([identify("a2", "u1", at(days=3))])
    identities_step(a_run(visits.lake, visits.spark))
    if lost == "identities":
        shutil.rmtree(tmp_path / IDENTITIES.name)
    else:
        visits.lake.table(IDENTITIES.name).snapshot().delta.create_checkpoint()
        for version in (0, 1, 2):
            (tmp_path / f"identities/_delta_log/{version:020}.json").unlink()
    visits.run()
    assert sorted(visits.owners()) == [("a3", "a3"), ("u1", "a1"), ("u1", "a1")]


def test_a_client_session_is_listed_once_it_runs_on_for_too_long_and_no_more_when_the_event_goes(
    visits: Visits,
) -> None:
    visits.change([enriched_event(session_id="s"), enriched_event(when=at(days=3), session_id="s")])
    visits.run()
    assert visits.rows("session_issues") == []
    late = enriched_event(when=at(1, days=3), session_id="s")
    visits.change([late])
    visits.run()
    [issue] = visits.rows("session_issues")
    assert issue == {
        "event_date": NOON.date(),
        "session_id": "s",
        "reason": "too_long",
        "anonymous_id": "a1",
        "start_at": NOON,
        "end_at": at(days=3),
        "last_event_at": at(1, days=3),
        "events_after_cut": 1,
    }
    visits.change([], [late])
    visits.run()
    assert visits.rows("session_issues") == []


@st.composite
def events(draw: st.DrawFn) -> Row:
    """An event of few ids over five days: sessions of clients that are cut, and people who become known."""
    kind = draw(st.sampled_from(["page_view", "page_view", "page_ping", "identify", "alias"]))
    when = at(minutes=draw(st.sampled_from([0, 20, 700, 730, 1440, 4319, 4321, 6000])))
    return enriched_event(
        kind,
        when,
        received_at=when + dt.timedelta(minutes=draw(st.sampled_from([0, 1, 5000]))),
        anonymous_id=draw(st.sampled_from(["a1", "a2", None] if kind == "page_view" else ["a1", "a2"])),
        user_id=draw(st.sampled_from(["u1", "u2"] if kind in ("identify", "alias") else [None, "u1", "u2"])),
        session_id=draw(st.sampled_from([None, None, "s1", "s2"])),
        page_view_id=draw(st.sampled_from(["p1", "p2"])),
        properties=json.dumps({"previous_id": draw(st.sampled_from(["a1", "u1"]))}) if kind == "alias" else "{}",
    )


@pytest.mark.representative
@examples(2)
@given(data=st.data())
def test_any_split_of_what_comes_and_goes_gives_the_rows_of_one_batch(spark: SparkSession, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        visits = Visits(spark, Path(folder) / "parts")
        for _ in range(data.draw(st.integers(2, 4))):
            standing = st.lists(st.sampled_from(visits.events), max_size=2, unique_by=lambda row: row["event_id"])
            went = data.draw(standing) if visits.events else []
            visits.change(data.draw(st.lists(events(), min_size=1, max_size=8)), went)
            day = at(days=data.draw(st.integers(0, 4))).date()
            visits.run(*data.draw(st.sampled_from([(), (Window(day, day),)])))
        visits.run()
        at_once = Visits(spark, Path(folder) / "one")
        at_once.change(visits.events)
        at_once.run()
        for table in TABLES:
            assert visits.rows(table) == at_once.rows(table), table
        index = Counter((row["id_hash"], row["event_date"]) for row in visits.rows("event_days"))
        assert set(index.values()) <= {1}
        assert index.keys() >= {(row["id_hash"], row["event_date"]) for row in at_once.rows("event_days")}
