"""Attribution step by step: any split of the events gives the rows of one batch, and a late session changes what it
must."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from event_assets.contract.tables.sessions import PAGE_VIEWS
from event_assets.pipeline.attribution import (
    attribution_step,
    channel_performance_step,
    conversion_paths_step,
)
from event_assets.pipeline.conversions import conversions_step
from event_assets.pipeline.counting import conversion_ids_step
from event_assets.pipeline.identities import identities_step
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.sessions import sessions_step
from event_assets.pipeline.spend import SpendFile
from event_assets.pipeline.touches import touches_step
from event_assets.transforms.attribution.attribution import MODELS, AttributionRules
from event_assets_tests.examples import examples
from event_assets_tests.factories import at, enriched_event, frame
from event_assets_tests.pipeline.runs import a_run, away
from event_assets_tests.pipeline.visits import EventsInALake
from event_assets_tests.transforms.incremental import RULES

pytestmark = pytest.mark.slow

Row = dict[str, Any]
UPSTREAM = {"conversion_ids": conversion_ids_step, "identities": identities_step, "sessions": sessions_step}
STEPS = {
    "touches": touches_step,
    "conversions": conversions_step,
    "conversion_paths": conversion_paths_step,
    "attribution": attribution_step,
    "channel_performance": channel_performance_step,
}
TABLES = tuple(STEPS)
OTHER_RULES = AttributionRules(lookback_days=3, source_days=3)


class Marketing(EventsInALake):
    """Enriched events, and all that attribution is made of."""

    def run(
        self,
        *,
        rebuild: bool = False,
        rules: AttributionRules | None = None,
        spend: Path | None = None,
        without: Collection[str] = (),
    ) -> dict[str, StepReport]:
        """Brings everything up to date, but for the steps that are left out."""
        by, spend_file = rules or AttributionRules(), SpendFile(spend) if spend else None
        now = a_run(self.lake, self.spark, sessions=RULES, attribution=by, spend=spend_file)
        for name, refresh in UPSTREAM.items():
            if name not in without:
                refresh(now)
        now = replace(now, rebuild=rebuild)
        reports = [refresh(now) for name, refresh in STEPS.items() if name not in without]
        return {report.table: report for report in reports}

    def rows(self, table: str) -> list[Row]:
        rows = self.lake.table(table).snapshot().arrow().to_pylist()
        return sorted(rows, key=lambda row: [str(value) for value in row.values()])

    def paths(self) -> dict[str, str | None]:
        """The paths to conversions, by event."""
        return {row["event_id"]: row["path"] for row in self.rows("conversion_paths") if row["conversions"]}

    def assert_equal_to_a_rebuild(self, **how: Any) -> None:
        found = {name: self.rows(name) for name in TABLES}
        self.run(rebuild=True, **how)
        for name in TABLES:
            assert self.rows(name) == found[name], name


@pytest.fixture
def marketing(spark: SparkSession, tmp_path: Path) -> Marketing:
    return Marketing(spark, tmp_path / "lake")


def visit(channel: str | None, days: float = 0, device: str = "a1", **fields: Any) -> Row:
    """The first page view of a session."""
    number = fields.pop("number", None) or f"{device}-{days}"
    source = {"Direct": "(direct)", None: None}.get(channel, (channel or "").lower())
    return enriched_event(
        when=at(days=days),
        anonymous_id=device,
        page_view_id=f"p-{number}",
        page_url="https://shop.example/",
        channel_group=channel,
        source=source,
        **fields,
    )


def purchase(days: float, device: str | None = "a1", revenue: Any = 10, order: str | None = None, **fields: Any) -> Row:
    said = json.dumps({"revenue": revenue, "order_id": order})
    return enriched_event("purchase", at(days=days), anonymous_id=device, properties=said, **fields)


def test_a_conversion_is_credited_to_the_sessions_before_it(marketing: Marketing) -> None:
    sale = purchase(4.01)
    marketing.change([visit("Email", 1), visit("Paid Search", 2), visit("Direct", 4), sale])
    marketing.run()
    assert marketing.paths() == {sale["event_id"]: "Email > Paid Search > Direct"}
    credits = {(row["model"], row["channel_group"]): row["conversions"] for row in marketing.rows("attribution")}
    assert credits["first", "Email"] == credits["last", "Direct"] == 1
    assert credits["position", "Paid Search"] == pytest.approx(0.2)
    assert {model for model, _ in credits} == set(MODELS)


def test_only_persons_who_are_touched_are_made_again(marketing: Marketing) -> None:
    marketing.change([visit("Email", 1, "a1"), visit("Email", 1, "a2"), visit("Email", 1, "a3"), purchase(2, "a3")])
    marketing.run()
    marketing.change([visit("Referral", 2, "a2"), purchase(2.1, "a2")])
    reports = marketing.run()
    assert [reports[name].more["affected"] for name in TABLES[:3]] == [1, 1, 1]
    marketing.assert_equal_to_a_rebuild()


def test_a_purchase_by_whom_identities_do_not_know_yet_is_there_before_they_do_and_after(marketing: Marketing) -> None:
    joins = [enriched_event("identify", at(seconds=n), anonymous_id="a1", user_id=f"u{n}") for n in (1, 2)]
    marketing.change([visit("Email", 1, "a1"), *joins])
    marketing.run()
    sales = [purchase(2, "a1", user_id="u3"), purchase(2, "a9", user_id="u9"), purchase(2, None, user_id="u8")]
    marketing.change(sales)
    for without in ({"identities"}, set[str]()):
        marketing.run(without=without)
        assert {row["event_id"] for row in marketing.rows("conversions")} == {sale["event_id"] for sale in sales}
    marketing.assert_equal_to_a_rebuild()


def test_nothing_new_makes_nothing_again(marketing: Marketing) -> None:
    marketing.change([visit("Email", 1), purchase(2)])
    marketing.run()
    assert [report.new_rows for report in marketing.run().values()] == [0] * len(TABLES)


@pytest.mark.representative
def test_a_late_session_changes_the_last_source_of_those_after_it(marketing: Marketing) -> None:
    marketing.change([visit("Direct", 5), visit("Direct", 40), purchase(5.01)])
    marketing.run()
    assert [row["last_source"] for row in marketing.rows("touches")] == ["(direct)"] * 2
    marketing.change([visit("Email", 1)])
    marketing.run()
    by_day = sorted(marketing.rows("touches"), key=lambda row: row["at"])
    assert [row["last_source"] for row in by_day] == ["email", "email", "(direct)"]
    assert set(marketing.paths().values()) == {"Email > Direct"}
    marketing.assert_equal_to_a_rebuild()


def test_a_session_whose_first_view_alone_is_another_has_its_touch_then(marketing: Marketing) -> None:
    """Its page views were read before it was written."""
    marketing.change([visit("Email", 1), visit("Direct", 2), visit("Direct", 3, "a2")])
    marketing.run()
    views = marketing.lake.table("page_views").snapshot()
    later = [
        row | {"start_at": row["start_at"] + dt.timedelta(seconds=7)} if row["anonymous_id"] == "a1" else row
        for row in marketing.rows("page_views")
    ]
    staged = views.table.stage(frame(marketing.spark, later, PAGE_VIEWS), 1, len(later))
    views.table.commit(views, views.progress, add=staged, remove=views.files)
    before = {row["session_id"]: row["at"] for row in marketing.rows("touches")}
    assert marketing.run()["touches"].more["affected"] == 1
    after = {row["session_id"]: (row["at"] - before[row["session_id"]]).seconds for row in marketing.rows("touches")}
    assert sorted(after.values()) == [0, 7, 7]
    marketing.assert_equal_to_a_rebuild()


@pytest.mark.parametrize(
    "engine",
    [
        pytest.param("spark", marks=pytest.mark.representative),
        pytest.param("apache_spark", marks=[pytest.mark.spark_jvm, pytest.mark.release]),
    ],
)
def test_what_comes_is_added_without_a_look_at_the_days_of_before(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    marketing = Marketing(request.getfixturevalue(engine), tmp_path)
    marketing.change([visit("Email", 1), purchase(1.01), visit("Email", 2, "a2", user_id="u2")])
    marketing.run(without=TABLES[2:])
    tables = (marketing.lake.table(name) for name in ("enriched_events", "sessions", "page_views"))
    before = [file for table in tables for file in table.snapshot().files]
    sales = [purchase(9, "a1", order="o1"), purchase(9.01, "a2", order="o1"), purchase(9, "a3", user_id="u3")]
    joins = enriched_event("identify", at(days=9), anonymous_id="a3", user_id="u3")
    marketing.change([visit("Direct", 9), visit("Direct", 9, "a3"), joins, *sales])
    marketing.run(without=STEPS)
    with away(before):
        reports = marketing.run(without=[*UPSTREAM, *TABLES[2:]])
    assert (reports["touches"].more["affected"], reports["conversions"].more["affected"]) == (3, 4)
    assert reports["conversions"].more["read_again"] == 0
    found = {name: marketing.rows(name) for name in TABLES[:2]}
    marketing.run(rebuild=True, without=TABLES[2:])
    assert found == {name: marketing.rows(name) for name in TABLES[:2]}


@pytest.mark.representative
def test_paths_that_gain_by_a_touch_stand_beside_those_that_do_not(marketing: Marketing) -> None:
    marketing.change([visit("Email", 1), purchase(1.01), visit("Email", 2, "a2", user_id="u2")])
    marketing.run()
    sales = [purchase(9, "a1", order="o1"), purchase(9.01, "a2", order="o1"), purchase(9, "a3", user_id="u3")]
    joins = enriched_event("identify", at(days=9), anonymous_id="a3", user_id="u3")
    marketing.change([visit("Direct", 9), visit("Direct", 9, "a3"), joins, *sales])
    marketing.run()
    rows = [row for row in marketing.rows("attribution") if row["model"] == "data_driven"]
    assert {row["channel_group"]: row["conversions"] for row in rows} == {"Email": 1.0, "Direct": 2.0}
    marketing.assert_equal_to_a_rebuild()


def test_devices_that_become_one_person_share_their_touches(marketing: Marketing) -> None:
    sale = purchase(3.01, "a2")
    marketing.change([visit("Email", 1, "a1"), visit("Direct", 3, "a2"), sale])
    marketing.run()
    assert marketing.paths() == {sale["event_id"]: "Direct"}
    joins = [
        enriched_event("identify", at(days=4, seconds=number), anonymous_id=device, user_id="u1")
        for number, device in enumerate(("a1", "a2"))
    ]
    marketing.change(joins)
    marketing.run()
    assert marketing.paths() == {sale["event_id"]: "Email > Direct"}
    marketing.assert_equal_to_a_rebuild()
    marketing.change([], joins[:1])
    marketing.run()
    assert marketing.paths() == {sale["event_id"]: "Direct"}
    marketing.assert_equal_to_a_rebuild()


def test_a_conversion_that_goes_leaves_a_path_that_led_to_none(marketing: Marketing) -> None:
    sale = purchase(2)
    marketing.change([visit("Email", 1), sale])
    marketing.run()
    marketing.change([], [sale])
    marketing.run()
    (row,) = marketing.rows("conversion_paths")
    assert (row["event_id"], row["path"], row["conversions"]) == ("", "Email", 0)
    assert marketing.rows("attribution") == []
    marketing.assert_equal_to_a_rebuild()


def test_conversions_without_a_touch_are_reported_and_credited_to_nobody(marketing: Marketing) -> None:
    by_server = purchase(1, None, user_id="u1", platform="server")
    marketing.change([by_server, visit("Email", 1, "a2"), purchase(1.01, "a2")])
    report = marketing.run()["attribution"]
    assert report.more["conversions_without_touch"] == 1
    assert report.groups == {"Email": dict.fromkeys(MODELS, 1.0)}


def test_other_rules_make_everything_again(marketing: Marketing) -> None:
    marketing.change([visit("Email", 1), visit("Direct", 9), purchase(9.01)])
    marketing.run()
    marketing.run(rules=OTHER_RULES)
    assert set(marketing.paths().values()) == {"Direct"}
    marketing.assert_equal_to_a_rebuild(rules=OTHER_RULES)


def test_another_spend_file_makes_the_performance_again(marketing: Marketing, tmp_path: Path) -> None:
    marketing.change([visit("Email", 1), purchase(1.01, revenue=30)])
    marketing.run()
    assert {row["roas"] for row in marketing.rows("channel_performance")} == {None}
    spend = tmp_path / "spend.csv"
    spend.write_text("date,channel_group,spend,currency\n2026-03-03,Email,10,EUR\n2026-03-03,Display,5,EUR\n")
    marketing.run(spend=spend)
    rows = {(row["model"], row["channel_group"]): row for row in marketing.rows("channel_performance")}
    email, display = rows["last", "Email"], rows["last", "Display"]
    assert (email["spend"], email["currency"], email["roas"], email["cpa"]) == (10, "EUR", 3, 10)
    assert (display["conversions"], display["spend"], display["roas"], display["cpa"]) == (0, 5, 0, None)
    marketing.assert_equal_to_a_rebuild(spend=spend)


def test_a_bad_spend_file_stops_its_own_table_alone(marketing: Marketing, tmp_path: Path) -> None:
    marketing.change([visit("Email", 1), purchase(1.01)])
    spend = tmp_path / "spend.csv"
    spend.write_text("date,channel_group,spend,currency\n2026-03-03,Mail,10,EUR\n")
    told = marketing.run(spend=spend)["channel_performance"].more["spend_file"]
    assert "spend.csv: line 2: channel_group 'Mail' is none of" in told
    assert marketing.rows("channel_performance") == []
    assert len(marketing.rows("attribution")) == len(MODELS)


@st.composite
def happenings(draw: st.DrawFn, newcomer: str) -> Row:
    """A visit, a conversion or an identify of few devices and users, one of whom nobody saw before, over two months;
    times meet, sessions are shared."""
    days = draw(st.sampled_from([0, 1, 1.001, 15, 30, 31, 45, 61]))
    device = draw(st.sampled_from(["a1", "a1", "a2", "a3"]))
    kind = draw(st.sampled_from(["visit", "visit", "purchase", "purchase", "identify"]))
    session = draw(st.sampled_from([None, None, "s1", "s2"]))
    if kind == "purchase":
        revenue, order = draw(st.sampled_from([1, 3.3, "x", 1e300])), draw(st.sampled_from([None, "o1", "o2"]))
        device = draw(st.sampled_from([device, "d1", "d2", "d3"]))
        user, bot = draw(st.sampled_from([None, "u", newcomer])), draw(st.integers(0, 5)) == 0
        return purchase(days, device, revenue, order, session_id=session, user_id=user, is_bot=bot)
    if kind == "identify":
        return enriched_event(
            "identify", at(days=days), anonymous_id=device, user_id=draw(st.sampled_from(["u", "v", newcomer]))
        )
    channel = draw(st.sampled_from(["Email", "Direct", "Paid Search", None]))
    return visit(
        channel, days, device, session_id=session, number=draw(st.integers(1, 6)), is_bot=draw(st.integers(0, 9)) == 0
    )


def shared_device() -> list[Row]:
    """What makes the first device that of two users, so that the events there are of whom they name."""
    return [enriched_event("identify", at(seconds=n), anonymous_id="a1", user_id=user) for n, user in enumerate("uv")]


@pytest.mark.representative
@examples(4)
@given(data=st.data())
def test_any_split_of_what_comes_and_goes_gives_the_rows_of_one_batch(spark: SparkSession, data: st.DataObject) -> None:
    lagging = st.sampled_from([set[str](), {"identities"}]) | st.sets(st.sampled_from([*UPSTREAM, *STEPS]), max_size=3)
    with tempfile.TemporaryDirectory() as folder:
        in_parts = Marketing(spark, Path(folder) / "parts")
        in_parts.change(data.draw(st.sampled_from([[visit("Email", 1)], shared_device()])))
        in_parts.run()
        for place in range(data.draw(st.integers(2, 3))):
            standing = st.lists(st.sampled_from(in_parts.events), max_size=3, unique_by=lambda row: row["event_id"])
            went = data.draw(standing) if in_parts.events else []
            in_parts.change(data.draw(st.lists(happenings(f"n{place}"), min_size=1, max_size=9)), went)
            in_parts.run(without=data.draw(lagging))
        in_parts.run()
        at_once = Marketing(spark, Path(folder) / "once")
        at_once.change(data.draw(st.permutations(in_parts.events)))
        at_once.run()
        for name in TABLES:
            assert in_parts.rows(name) == at_once.rows(name), name
