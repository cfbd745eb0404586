from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from event_assets_tests.factories import at, enriched_event
from event_assets_tests.transforms.incremental import SmallLake, page_views_of, sessions_of

Row = dict[str, Any]


def lakes_agree(lake: SmallLake, events: list[Row]) -> None:
    assert lake.sessions == sessions_of(lake.spark, events)
    assert lake.page_views == page_views_of(lake.spark, events)


@st.composite
def events(draw: st.DrawFn) -> Row:
    minutes = draw(st.sampled_from([0, 5, 20, 29, 30, 31, 45, 60, 700, 720, 730, 1400, 1440, 1441, 4320, 4325, 10000]))
    when = at(draw(st.integers(0, 40)), minutes=minutes)
    return enriched_event(
        draw(st.sampled_from(["page_view", "page_view", "page_ping", "signup", "purchase"])),
        when,
        received_at=at(draw(st.integers(0, 3)), minutes=draw(st.sampled_from([minutes, minutes, 10, 12000]))),
        anonymous_id=draw(st.sampled_from(["a1", "a1", "a2", None])),
        user_id=draw(st.sampled_from(["u1", "u2"])),
        session_id=draw(st.sampled_from([None, None, None, "s1", "s2"])),
        page_view_id=draw(st.sampled_from([None, "p1", "p2", "p3"])),
        sequence=draw(st.sampled_from([None, 1, 5])),
    )


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_split_of_events_into_batches_gives_the_rows_of_one_batch(spark: SparkSession, data: st.DataObject) -> None:
    rows = data.draw(st.lists(events(), min_size=1, max_size=24))
    lake = SmallLake(spark)
    rest = data.draw(st.permutations(rows))
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        present = list(lake.events.values())
        went = (
            data.draw(st.lists(st.sampled_from(present), unique_by=lambda row: row["event_id"], max_size=2))
            if present
            else []
        )
        lake.change(rest[:size], went)
        rest = rest[size:]
        lakes_agree(lake, list(lake.events.values()))
