"""Analyses are of the lake as it is, whatever split it came in, and each is one partition and one commit."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.groups import GROUP_MEMBERS
from event_assets.contract.tables.lake import ANALYSIS_TABLES
from event_assets.contract.tables.segments import SEGMENT_MEMBERSHIPS
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Progress
from event_assets.lake.storage import Storage
from event_assets.pipeline.identities import identities_step
from event_assets.pipeline.product import analyses_step, analysis_step, outdated
from event_assets.pipeline.report import StepReport
from event_assets.rules.analysis import ActiveUsers, Analyses, Lifecycle, Paths, Retention, Stickiness, WebVitals
from event_assets.rules.condition import Comparison, Step
from event_assets.rules.funnel import Funnel
from event_assets.rules.trends import Series, Trends
from event_assets.transforms.sessions.sessionise import SessionRules
from event_assets_tests.examples import examples
from event_assets_tests.factories import at, enriched_event, frame, row_of
from event_assets_tests.pipeline.runs import a_run

Row = dict[str, Any]
RULES = SessionRules()
SHIPPED = Analyses.load(Path(__file__).parents[2] / "event_assets/rules/analyses")
STEPS = [Step(event="page_view"), Step(event="purchase")]
MEMBERS = (("a1", "g1"), ("a2", "g1"), ("a3", "g2"))
BUYING = Funnel(name="buying", steps=STEPS)


class Product:
    """A lake whose events are given, and the analyses that are made of them."""

    def __init__(self, spark: SparkSession, folder: Path, *analyses: Any) -> None:
        self.spark = spark
        self.lake = Lake(Storage(str(folder)))
        self.analyses = Analyses(analyses)

    def add(self, *rows: Row) -> None:
        base = self.lake.table(ENRICHED_EVENTS.name).snapshot()
        staged = base.table.stage(frame(self.spark, rows), 1, len(rows))
        base.table.commit(base, Progress(), add=staged)
        identities_step(a_run(self.lake, self.spark))

    def run(self, *, rebuild: bool = False) -> list[StepReport]:
        now = a_run(self.lake, self.spark, rebuild=rebuild, analyses=self.analyses, sessions=RULES)
        made = [analysis_step(now, analysis) for analysis in self.analyses.usable]
        for table in ANALYSIS_TABLES:
            analyses_step(table, replace(now, rebuild=False))
        return made

    def rows(self, table: str) -> list[Row]:
        rows = self.lake.table(table).snapshot().arrow().to_pylist()
        return sorted(rows, key=lambda row: str(list(row.values())))

    def people(self, table: str = "funnels") -> list[int]:
        return [row["people"] for row in self.rows(table)]


@pytest.fixture
def buying(spark: SparkSession, tmp_path: Path) -> Product:
    return Product(spark, tmp_path, BUYING)


def test_days_are_those_of_the_site_and_hours_those_in_utc(spark: SparkSession, tmp_path: Path) -> None:
    """Two events of one UTC day, of which the first is of the evening before where the site is."""
    product = Product(
        spark,
        tmp_path,
        ActiveUsers(name="active"),
        Lifecycle(name="days", period="day"),
        Stickiness(name="sticking", days=30),
        Retention(name="daily", period="day", periods=2),
        Retention(name="hourly", period="hour", periods=2),
    )
    day = at(0).date()
    evening, next_day = (
        enriched_event(when=at(minutes=minutes), event_id=str(minutes)) | {"site_date": date}
        for minutes, date in ((0, day - dt.timedelta(days=1)), (60, day))
    )
    product.add(evening, next_day)
    product.run()
    assert [(row["event_date"], row["dau"]) for row in product.rows("active_users")] == [
        (day - dt.timedelta(days=1), 1),
        (day, 1),
    ]
    returning = {
        row["period_start"].date(): row["people"] for row in product.rows("lifecycle") if row["status"] == "returning"
    }
    assert returning == {day - dt.timedelta(days=1): 0, day: 1}
    assert [row["people"] for row in product.rows("stickiness")] == [0, 1]
    cells = {(row["analysis"], row["cohort_start"], row["period"]): row["people"] for row in product.rows("retention")}
    first = dt.datetime.combine(day - dt.timedelta(days=1), dt.time(), dt.UTC)
    assert cells["daily", first, 1] == 1
    assert cells["hourly", at(0).replace(minute=0, second=0, microsecond=0), 1] == 1


def test_ids_of_one_person_are_one_person(buying: Product) -> None:
    buying.add(
        enriched_event("page_view"),
        enriched_event("identify", at(5), user_id="u1"),
        enriched_event("purchase", at(9), anonymous_id=None, user_id="u1"),
    )
    buying.run()
    assert buying.people() == [1, 1]


def test_robots_are_left_out_unless_they_are_asked_for(spark: SparkSession, tmp_path: Path) -> None:
    product = Product(spark, tmp_path, BUYING, Funnel(name="with_bots", steps=STEPS, include_bots=True))
    product.add(enriched_event(), enriched_event(anonymous_id="a2", is_bot=True))
    product.run()
    assert [(row["analysis"], row["people"]) for row in product.rows("funnels") if row["step"] == 1] == [
        ("buying", 1),
        ("with_bots", 2),
    ]


def test_events_count_by_what_is_known_of_their_persons_now(spark: SparkSession, tmp_path: Path) -> None:
    where: dict[str, Any] = {"person.segment": "good", "country": Comparison(is_not="FR")}
    product = Product(spark, tmp_path, Funnel(name="of_the_good", steps=STEPS, where=where))
    product.add(*(enriched_event(anonymous_id=a, country=c) for a, c in (("a1", "DE"), ("a2", "DE"), ("a1", "FR"))))
    product.run()
    assert product.people() == []
    base = product.lake.table(SEGMENT_MEMBERSHIPS.name).snapshot()
    member = row_of(SEGMENT_MEMBERSHIPS, segment="good", person_id="a1", is_current=True)
    staged = base.table.stage(frame(spark, [member], SEGMENT_MEMBERSHIPS), 1, 1)
    base.table.commit(base, Progress(), add=staged)
    assert outdated(product.lake, product.analyses, RULES) == ["of_the_good"]
    [made] = product.run()
    assert product.people() == [1, 0]
    assert made.warnings == ("of_the_good: there is no segment 'good'",)


def test_companies_are_the_unit_where_an_analysis_says_so(spark: SparkSession, tmp_path: Path) -> None:
    """a1 and a2 are of g1, which the one views and the other buys; a3 is of g2, a4 of no company; an event that names
    none is of the company that an event of the person named last."""
    series = [Series(event=None, measure="people")]
    asked: dict[str, Any] = {"unit": "group"}
    product = Product(
        spark,
        tmp_path,
        Funnel(name="buying", steps=STEPS, **asked),
        Trends(name="trend", series=series, interval="month", **asked),
        Retention(name="back", period="day", periods=2, first_time=True, **asked),
        Lifecycle(name="life", period="month", **asked),
        ActiveUsers(name="active", where={"event": Comparison(is_not="group")}, **asked),
        Stickiness(name="sticking", event=Step(event="purchase"), **asked),
    )
    product.add(
        *(enriched_event("group", at(k), anonymous_id=a, group_id=g) for k, (a, g) in enumerate(MEMBERS)),
        *(enriched_event("page_view", at(60 + k), anonymous_id=a) for k, (a, _) in enumerate(MEMBERS)),
        enriched_event("page_view", at(70), anonymous_id="a4"),
        enriched_event("purchase", at(days=1), anonymous_id="a2"),
    )
    base = product.lake.table(GROUP_MEMBERS.name).snapshot()
    members = [row_of(GROUP_MEMBERS, group_id=g, person_id=a, last_seen_at=at(0)) for a, g in MEMBERS]
    base.table.commit(base, Progress(), add=base.table.stage(frame(spark, members, GROUP_MEMBERS), 1, 3))
    product.run()
    assert product.people() == [2, 1]
    assert [row["value"] for row in product.rows("trends")] == [2.0]
    assert [(row["period"], row["people"], row["cohort_people"]) for row in product.rows("retention")] == [
        (0, 2, 2),
        (1, 1, 2),
    ]
    assert {row["people"] for row in product.rows("lifecycle") if row["status"] == "new"} == {2}
    assert [row["dau"] for row in product.rows("active_users")] == [2, 1]
    assert product.people("stickiness") == [1]


@pytest.mark.slow
def test_a_range_shows_rows_of_the_whole_and_what_they_are_held_against(spark: SparkSession, tmp_path: Path) -> None:
    ranged: dict[str, Any] = {"days": 2, "compare": True}
    product = Product(
        spark,
        tmp_path,
        ActiveUsers(name="active", **ranged),
        Lifecycle(name="life", period="day", **ranged),
        Retention(name="back", period="day", periods=2, breakdown="country", **ranged),
    )
    for day, country in enumerate(("DE", "DE", "DE", "FR")):
        product.add(enriched_event(when=at(days=day), country=country))
    product.run()
    for name, start in (("active_users", "event_date"), ("lifecycle", "period_start"), ("retention", "cohort_start")):
        assert {(row["span"], row[start].day) for row in product.rows(name)} == {
            (span, day) for span in ("now", "before") for day in (4, 5)
        }, name
    assert {(row["span"], row["mau"]) for row in product.rows("active_users")} == {("now", 1), ("before", 1)}
    new = {
        (row["span"], row["period_start"].day): row["people"]
        for row in product.rows("lifecycle")
        if row["status"] == "new"
    }
    assert new == {("before", 4): 1, ("before", 5): 0, ("now", 4): 0, ("now", 5): 0}
    cells = {
        (row["breakdown"], row["cohort_start"].day, row["period"]): row["people"]
        for row in product.rows("retention")
        if row["span"] == "now"
    }
    assert cells == {(value, 4, cell): 1 for value in ("(all)", "DE") for cell in (0, 1)} | {
        (value, 5, 0): 1 for value in ("(all)", "FR")
    }


def test_nothing_is_done_while_nothing_changed(buying: Product) -> None:
    buying.add(enriched_event())
    [made] = buying.run()
    assert (made.new_rows, outdated(buying.lake, buying.analyses, RULES)) == (2, [])
    [again] = buying.run()
    assert (again.version, again.new_rows, again.rows) == (made.version, 0, 2)
    buying.add(enriched_event("purchase", at(5)))
    assert outdated(buying.lake, buying.analyses, RULES) == ["buying"]
    buying.run()
    assert buying.people() == [1, 1]


def test_an_empty_lake_has_nothing_to_analyse(spark: SparkSession, tmp_path: Path) -> None:
    product = Product(spark, tmp_path, *SHIPPED.usable)
    assert outdated(product.lake, product.analyses, RULES) == []
    assert [report.rows for report in product.run()] == [0] * len(SHIPPED.usable)


def test_another_definition_is_made_and_the_others_stay(spark: SparkSession, tmp_path: Path) -> None:
    product = Product(spark, tmp_path, BUYING, Funnel(name="other", steps=STEPS))
    product.add(enriched_event(), enriched_event("purchase", at(days=2)))
    product.run()
    product.analyses = Analyses((Funnel(name="buying", steps=STEPS, window="1 day"), product.analyses.usable[1]))
    assert outdated(product.lake, product.analyses, RULES) == ["buying"]
    assert [report.new_rows for report in product.run()] == [2, 0]
    assert product.people() == [1, 0, 1, 1]


def test_rows_of_an_analysis_that_is_no_more_go(spark: SparkSession, tmp_path: Path) -> None:
    product = Product(spark, tmp_path, BUYING, Funnel(name="other", steps=STEPS))
    product.add(enriched_event())
    product.run()
    product.analyses = Analyses((BUYING,))
    assert outdated(product.lake, product.analyses, RULES) == ["other"]
    product.run()
    assert {row["analysis"] for row in product.rows("funnels")} == {"buying"}
    assert outdated(product.lake, product.analyses, RULES) == []


def test_rows_of_the_last_analysis_of_a_kind_go_too(spark: SparkSession, tmp_path: Path) -> None:
    product = Product(spark, tmp_path, BUYING, Lifecycle(name="life", period="day"))
    product.add(enriched_event())
    product.run()
    assert product.rows("lifecycle") and product.people()
    for left in ((BUYING,), ()):
        product.analyses = Analyses(left)
        assert len(outdated(product.lake, product.analyses, RULES)) == 1
        product.run()
        assert outdated(product.lake, product.analyses, RULES) == []
    assert product.rows("lifecycle") == product.rows("funnels") == []
    product.analyses = Analyses((BUYING,))
    product.run()
    assert product.people() == [1, 0]


def test_an_analysis_that_became_another_kind_is_in_the_table_of_its_kind_alone(
    spark: SparkSession, tmp_path: Path
) -> None:
    product = Product(spark, tmp_path, BUYING)
    product.add(enriched_event())
    product.run()
    product.analyses = Analyses((Lifecycle(name="buying", period="day"),))
    product.run()
    assert product.rows("funnels") == [] and product.rows("lifecycle")


def test_what_a_file_said_before_it_became_faulty_stays(spark: SparkSession, tmp_path: Path) -> None:
    product = Product(spark, tmp_path, BUYING)
    product.add(enriched_event())
    product.run()
    product.analyses = Analyses((), {"buying": "buying.yaml: a slip of the pen"})
    assert outdated(product.lake, product.analyses, RULES) == []
    assert product.run() == []
    assert product.people() == [1, 0]


def test_days_are_counted_back_from_the_last_event(spark: SparkSession, tmp_path: Path) -> None:
    product = Product(spark, tmp_path, Funnel(name="last_days", steps=STEPS, days=2))
    product.add(enriched_event(), enriched_event("purchase", at(days=1), anonymous_id="a2"))
    product.run()
    assert product.people() == [1, 0]
    product.add(enriched_event("purchase", at(days=2), anonymous_id="a2"))
    product.run()
    assert product.people() == []


@pytest.mark.slow
def test_days_may_end_before_the_last_ones_as_a_period_that_others_are_held_against(
    spark: SparkSession, tmp_path: Path
) -> None:
    product = Product(spark, tmp_path, Funnel(name="days_before", steps=STEPS, days=2, days_ago=2))
    for day, person in enumerate(("a1", "a2", "a3", "a4", "a5")):
        product.add(enriched_event(when=at(days=day), anonymous_id=person))
    product.run()
    assert product.people() == [2, 0]


def test_paths_follow_the_sessions_of_the_platform(spark: SparkSession, tmp_path: Path) -> None:
    product = Product(spark, tmp_path, Paths(name="ways", events=["page_view"]))
    pages = [(0, "/"), (60, "/a"), (60 + 31 * 60, "/b")]
    product.add(
        *(enriched_event(when=at(second), page_path=path, page_view_id=path) for second, path in pages),
        enriched_event("page_ping", at(30), page_path="/elsewhere"),
    )
    product.run()
    assert {(row["from_node"], row["to_node"]) for row in product.rows("paths")} == {
        ("(start)", "/"),
        ("/", "/a"),
        ("/a", "(end)"),
        ("(start)", "/b"),
        ("/b", "(end)"),
    }


@pytest.mark.slow
def test_every_analysis_that_is_shipped_finds_something(spark: SparkSession, tmp_path: Path) -> None:
    product = Product(spark, tmp_path, *SHIPPED.usable)
    names = ("page_view", "signup", "site_created", "site_published", "add_to_cart", "checkout_started", "purchase")
    properties = json.dumps({"first_time": True, "lcp_ms": 900})
    product.add(*(enriched_event(name, at(k), properties=properties, page_path="/") for k, name in enumerate(names)))
    assert all(report.new_rows for report in product.run())
    assert {row["people"] for row in product.rows("funnels")} == {1}


@st.composite
def happenings(draw: st.DrawFn) -> Row:
    device = draw(st.sampled_from(["a1", "a2", "a3"]))
    kind = draw(st.sampled_from(["page_view", "purchase", "identify"]))
    return enriched_event(
        kind,
        at(minutes=draw(st.integers(0, 4000))),
        anonymous_id=device,
        user_id=draw(st.sampled_from(["u1", "u2"])) if kind == "identify" else None,
        page_path=draw(st.sampled_from(["/", "/a"])),
        properties='{"lcp_ms": 5}',
    )


@pytest.mark.slow
@examples(1)
@given(data=st.data())
def test_any_split_gives_the_rows_of_one_batch(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    analyses = (
        BUYING,
        Retention(name="back", target=Step(event="page_view"), period="day"),
        Lifecycle(name="life", period="day"),
        Paths(name="ways"),
        Stickiness(name="sticking"),
        WebVitals(name="speed"),
    )
    product = Product(spark, tmp_path_factory.mktemp("lake"), *analyses)
    for batch in data.draw(st.lists(st.lists(happenings(), min_size=1, max_size=6), min_size=2, max_size=3)):
        product.add(*batch)
        product.run()
    tables = sorted({analysis.table.name for analysis in analyses})
    found = {table: product.rows(table) for table in tables}
    product.run(rebuild=True)
    assert {table: product.rows(table) for table in tables} == found
