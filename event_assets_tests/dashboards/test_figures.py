"""The numbers of the pages are those that counting the rows one by one gives."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from statistics import mean, quantiles
from typing import Any

import psycopg
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from event_assets.contract.site_zones import SiteZones
from event_assets.dashboards import app, figures, period_people
from event_assets.dashboards import sql as metrics_sql
from event_assets.dashboards.analyses import figures_of
from event_assets.dashboards.charts import CHARTS
from event_assets.dashboards.database import Database
from event_assets.dashboards.figures import figure_of
from event_assets.dashboards.flows import flows_of
from event_assets.dashboards.formats import change_parts, csv_of
from event_assets.dashboards.formatter import Formatter
from event_assets.dashboards.pages import metrics
from event_assets.dashboards.reference import PAGE, reference
from event_assets.dashboards.selection import DIMENSIONS, MODELS, PERIODS, Selection, Span
from event_assets.rules.dashboard import Page, Visual
from event_assets.warehouse.role_grants import role_name
from event_assets_tests.dashboards.conftest import NOW, Row, Site, visits

SELECTIONS = [
    Selection(),
    Selection(period="7d", robots="with"),
    Selection(period="today"),
    Selection(period="month", values={"country": ("DE", "(none)")}),
    Selection(period="90d", values={"platform": ("ios",), "channel_group": ("Email", "Direct")}, segments=("buyers",)),
    Selection(robots="only"),
]


def counted(rows: list[Row], span: Span, selection: Selection) -> list[Row]:
    """The sessions of a span that the filters leave."""
    kept = [row for row in rows if span.first <= row["start_at"] < span.until]
    if selection.robots != "with":
        kept = [row for row in kept if row["is_bot"] == (selection.robots == "only")]
    for name, values in selection.values.items():
        kept = [row for row in kept if (row[name] or "(none)") in values]
    if selection.segments:
        kept = [row for row in kept if row["person_id"] in {f"p{n}" for n in range(8)}]
    return kept


def expected(rows: list[Row]) -> dict[str, Any]:
    share = (lambda test: mean(map(test, rows))) if rows else (lambda test: None)
    return {
        "people": len({row["person_id"] for row in rows}),
        "sessions": len(rows),
        "engaged_share": share(lambda row: float(row["is_engaged"])),
        "conversion": share(lambda row: float(row["conversions"] > 0)),
        "revenue": sum(row["revenue"] for row in rows),
        "session_revenue": sum(row["revenue"] for row in rows) / len(rows) if rows else None,
        "engaged_time": share(lambda row: row["engaged_seconds"]),
        "long_session": quantiles([row["absolute_seconds"] for row in rows], n=10, method="inclusive")[8]
        if len(rows) > 1
        else None,
    }


@pytest.mark.parametrize("selection", SELECTIONS, ids=lambda selection: selection.address or "default")
def test_every_number_is_what_counting_gives_in_the_period_and_in_the_one_before(
    site: Site, selection: Selection
) -> None:
    source = site.context.source
    span, earlier = selection.span(source.now), selection.span_before(source.now)
    assert earlier is not None
    hours = min(span.until - span.first, earlier.until - earlier.first)
    held, before = (Span(each.first, each.first + hours) for each in (span, earlier))
    counts = [expected(counted(site.sessions, each, selection)) for each in (span, before, held)]
    assert counts[0]["sessions"] > 0
    for name in counts[0]:
        figure = figure_of(source, Visual(kind="number", metric=name), selection)
        # Of equal hours: what is held against the period before is the period itself, where both are as long.
        wanted = [values[name] for values in counts[: 2 if held == span else 3]]
        if name != "long_session" or None not in wanted:
            assert figure.rows[0] == pytest.approx(tuple(wanted)), name


def test_days_and_dimensions_add_up_to_the_whole_but_people_do_not(site: Site) -> None:
    source, selection = site.context.source, Selection()
    rows = counted(site.sessions, selection.span(source.now), selection)
    by_day = figure_of(source, Visual(kind="line", metric="sessions"), selection)
    assert len(by_day.rows) == 28 and by_day.rows[-1][0] == NOW.date()
    assert sum(row[1] for row in by_day.rows) == len(rows)
    people = figure_of(source, Visual(kind="line", metric="people"), selection)
    assert sum(row[1] for row in people.rows) > len({row["person_id"] for row in rows})
    shown = figure_of(source, Visual(kind="table", by="country", metrics=("sessions", "people", "revenue")), selection)
    by_country = defaultdict(list)
    for row in rows:
        by_country[row["country"] or "(none)"].append(row)
    assert {row[0]: row[1:] for row in shown.rows} == {
        name: (len(of), len({row["person_id"] for row in of}), pytest.approx(sum(row["revenue"] for row in of)))
        for name, of in by_country.items()
    }


def test_a_filter_without_effect_is_told(site: Site) -> None:
    selection = Selection(values={"country": ("DE",)}, segments=("buyers",))
    figure = figure_of(site.context.source, Visual(kind="number", metric="new_people"), selection)
    assert figure.notes == ("Not filtered by country: what is counted here does not say it.",)
    assert figure_of(site.context.source, Visual(kind="number", metric="people"), selection).notes == ()


def test_an_empty_card_says_what_its_own_table_needs_and_no_change_is_told_of_nothing(
    new_site: Callable[[], Site],
) -> None:
    source = new_site().context.source
    shown = {name: figure_of(source, Visual(kind="line", metric=name), Selection()) for name in ("sessions", "mrr")}
    assert "event-assets simulate" in shown["sessions"].empty and "EVENT_ASSETS_COMPANY_DIR" in shown["mrr"].empty
    assert {table.table for table in source.dashboard.tables.values()} >= figures._NOTHING_OF.keys()
    spend = figure_of(source, Visual(kind="number", metric="spend"), Selection())
    assert spend.rows[0][1] == 0 and spend.notes == ()


def test_days_of_which_nothing_is_known_are_told_in_words_and_not_as_axes_without_a_line(
    new_site: Callable[[], Site],
) -> None:
    site = new_site()
    learned = {"name": "comes_back", "trained_to": (NOW - dt.timedelta(days=3)).date(), "is_promoted": False}
    site.put("dim_trained_models", [learned | {"why": "there are 0 people to learn from", "tried_on": 1}])
    trainings, area = (
        figure_of(site.context.source, Visual(kind="line", metric=name), Selection())
        for name in ("trainings", "model_area")
    )
    assert sum(row[1] for row in trainings.rows) == 1
    assert area.is_empty and "not known" in area.empty


DAY = dt.timedelta(days=1)


def test_spend_is_counted_once_by_every_attribution_model_and_what_has_no_model_says_so(site: Site) -> None:
    rows: list[Row] = [
        {"event_date": (NOW - n * DAY).date(), "model": model, "channel_group": channel}
        | {"conversions": n + share, "revenue": 10.0 * n + share, "spend": spend}
        for n in range(40)
        for model, share in (("first", 0.25), ("last", 0.5), ("data_driven", 0.75))
        for channel, spend in (("Paid Search", 20.0), ("Direct", None))
    ]
    site.put("agg_channel_performance", rows)
    source = site.context.source
    table = Visual(kind="table", by="channel_group", metrics=("spend", "credited_revenue", "roas", "cpa"))
    for model in ("first", "last", "data_driven"):
        selection = Selection(model=model, compare="none", values={"country": ("DE",)})
        of = [row for row in rows if row["model"] == model and row["event_date"] > (NOW - 28 * DAY).date()]
        revenue, conversions = (sum(row[name] for row in of) / 2 for name in ("revenue", "conversions"))
        spend = figure_of(source, Visual(kind="number", metric="spend"), selection)
        assert spend.rows == [(28 * 20.0, None)]
        assert spend.notes == ("Not filtered by country: what is counted here does not say it.",)
        assert figure_of(source, table, selection).rows == [
            ("Paid Search", 560.0, revenue, pytest.approx(revenue / 560), pytest.approx(560 / conversions)),
            ("Direct", 0.0, revenue, None, 0.0),
        ]
        notes = figure_of(source, Visual(kind="number", metric="sessions"), selection).notes
        assert any("attribution model" in note for note in notes) == (model != "last")


def test_what_is_counted_by_whole_days_is_held_against_as_many_whole_days(site: Site) -> None:
    views = {(NOW - n * DAY).date(): 100 + n * n for n in range(20)}
    site.put("agg_daily_pages", [{"event_date": day, "page": "/", "views": count} for day, count in views.items()])
    source, visual = site.context.source, Visual(kind="number", metric="views")
    days = sorted(views, reverse=True)

    def of(first: int, last: int) -> int:
        return sum(views[day] for day in days[first : last + 1])

    figure = figure_of(source, visual, Selection(period="7d"))
    assert figure.rows == [(of(0, 6), of(8, 13), of(1, 6))]
    assert figure.notes == ("The change is of as many whole days on either side, up to Mar 30.",)
    assert change_parts(figure) == figure.rows[0]
    today = figure_of(source, visual, Selection(period="today"))
    assert today.rows == [(of(0, 0), None)] and "whole days" in today.notes[0]
    line = figure_of(source, Visual(kind="line", metric="views"), Selection(period="7d")).rows
    assert line[0][1:] == (views[days[6]], views[days[13]]) and line[-1][1:] == (views[days[0]], None)


def test_people_of_a_whole_preset_period_are_those_of_their_mart_and_are_counted_where_it_does_not_say(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = (NOW - 27 * DAY).date()
    told = {("all", "(all)"): 1000, ("country", "DE"): 600, ("country", "FR"): 500}
    site.put(
        "agg_period_people",
        [
            {"period": "28 days", "from_date": first, "to_date": NOW.date(), "people": people}
            | {"dimension": dimension, "value": value}
            for (dimension, value), people in told.items()
        ],
    )
    source = site.context.source

    def people(selection: Selection, place: int = 0) -> Any:
        return figure_of(source, Visual(kind="number", metric="people"), selection).rows[0][place]

    few = counted(site.sessions, Selection().span(source.now), Selection())
    assert people(Selection()) == expected(few)["people"], "soon counted, and the mart may be behind"
    monkeypatch.setattr(period_people, "COUNTED_ROWS", -2)
    assert people(Selection()) == 1000 and people(Selection(values={"country": ("DE",)})) == 600
    before = Selection().span_before(source.now)
    assert before is not None
    assert people(Selection(), 1) == expected(counted(site.sessions, before, Selection()))["people"]
    others = [Selection(period="7d"), Selection(robots="with"), Selection(segments=("buyers",))]
    others += [
        Selection(values={"country": ("DE", "FR")}),
        Selection(values={"country": ("DE",), "platform": ("web",)}),
    ]
    for selection in others:
        rows = counted(site.sessions, selection.span(source.now), selection)
        assert people(selection) == len({row["person_id"] for row in rows}), selection
    table = Visual(kind="table", by="country", metrics=("sessions", "people"))
    assert {row[0]: row[2] for row in figure_of(source, table, Selection()).rows} == {
        "DE": 600,
        "FR": 500,
        "US": None,
        "(none)": None,
    }


def test_people_of_days_that_are_over_are_those_of_their_mart_and_of_today_and_of_other_filters_as_counted(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, line = site.context.source, Visual(kind="line", metric="people")
    monkeypatch.setattr(period_people, "COUNTED_ROWS", -2)

    def wanted(selection: Selection, told: int | None = None) -> list[tuple[int, ...]]:
        """Row by row; `told` is what the mart says of each day."""
        columns = []
        for span in (selection.span(source.now), selection.span_before(source.now)):
            assert span is not None
            by_day = defaultdict(set)
            for row in counted(site.sessions, span, selection):
                by_day[row["start_at"].date()].add(row["person_id"])
            over = [len(by_day[day]) if told is None else told for day in span.days[:-1]]
            columns.append([*over, len(by_day[span.days[-1]])])
        return list(zip(*columns, strict=True))

    def shown(selection: Selection) -> list[tuple[int, ...]]:
        return [row[1:] for row in figure_of(source, line, selection).rows]

    days = [
        {"period": "day", "from_date": day, "to_date": day, "dimension": dimension, "value": value, "people": people}
        for day in ((NOW - n * DAY).date() for n in range(180))
        for dimension, value, people in (("all", "(all)", 1000), ("country", "DE", 600))
    ]
    site.put("agg_period_people", days)
    source.database._cache.clear()
    assert shown(Selection()) == wanted(Selection()), "what was made before today has but a part of yesterday"
    week = {"period": "7 days", "from_date": (NOW - 6 * DAY).date(), "to_date": NOW.date(), "dimension": "all"}
    site.put("agg_period_people", [{**week, "value": "(all)", "people": 1}])
    source.database._cache.clear()
    in_germany = Selection(period="90d", values={"country": ("DE",)})
    assert shown(Selection()) == wanted(Selection(), 1000)
    assert shown(in_germany) == wanted(in_germany, 600)
    assert "as agg_period_people was last made" in figure_of(source, line, in_germany).description
    others = [Selection(robots="with"), Selection(segments=("buyers",)), Selection(values={"country": ("DE", "FR")})]
    for selection in others:
        assert shown(selection) == wanted(selection), selection
    year = Selection(compare="year")
    assert [row[1] for row in shown(year)] == [0] * 28, "the mart has not the days of a year before"


MART = """
INSERT INTO {mart} (event_date, site_date, app_id, platform, country, channel_group, source, medium, campaign,
  device_type, is_bot, sessions, engaged_sessions, bounces, converting_sessions, events, page_views, engaged_seconds,
  conversions, revenue, loaded_at)
SELECT event_date, coalesce(site_date, event_date), coalesce(app_id, '(none)'), platform, coalesce(country, '(none)'),
  channel_group, '(none)', '(none)', '(none)', '(none)', is_bot, count(*), sum(is_engaged::int), sum(is_bounce::int),
  sum((conversions > 0)::int), sum(events), sum(page_views), sum(engaged_seconds), sum(conversions), sum(revenue), now()
FROM {facts} GROUP BY 1, 2, 3, 4, 5, 6, 11"""
LOADS = """
INSERT INTO {loads} (table_name, partition_date, lake_version, rows, loaded_at)
SELECT DISTINCT name, event_date, 1, 1, now()
FROM {facts}, unnest(ARRAY['fct_sessions', 'agg_daily_sessions']) AS name"""


def run(site: Site, statement: str) -> None:
    tables = {"mart": "agg_daily_sessions", "facts": "fct_sessions", "loads": "_loads"}
    schema = site.context.source.database.schema
    named = {name: sql.Identifier(schema, table) for name, table in tables.items()}
    with psycopg.connect(site.owner_url, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(**named))


def test_days_are_those_of_the_sites_clocks_from_the_sessions_and_from_their_mart(new_site: Callable[[], Site]) -> None:
    site, zones = new_site(), SiteZones("America/New_York", (("shop", "Asia/Kolkata"),))
    for row in visits(70):
        clock = zones.clock([row["app_id"] or ""])
        site.sessions.append(row | {"site_date": row["start_at"].astimezone(clock).date()})
    site.put("fct_sessions", site.sessions)
    given = site.context.source
    for statement in ("", MART, LOADS):
        if statement:
            run(site, statement)
        source = replace(given, database=Database(given.database._url, given.database.schema), zones=zones)
        for selection in (Selection(), Selection("today"), Selection("month"), Selection(values={"app_id": ("shop",)})):
            span = source.span(selection)
            chosen = [row for row in site.sessions if not row["is_bot"] and row["site_date"] in span.days]
            if selection.values:
                assert span.until.utcoffset() == dt.timedelta(hours=5, minutes=30)
                chosen = [row for row in chosen if row["app_id"] == "shop"]
            number = figure_of(source, Visual(kind="number", metric="sessions"), selection)
            assert number.rows[0][0] == len(chosen)
            line = figure_of(source, Visual(kind="line", metric="sessions"), selection)
            days = Counter(row["site_date"] for row in chosen)
            assert {day: count for day, count, *_ in line.rows} == {day: days[day] for day in span.days}


def test_the_mart_of_days_says_what_the_sessions_say_and_is_read_where_it_is_loaded(site: Site) -> None:
    schema = site.context.source.database.schema
    visuals = [Visual(kind="number", metric=name) for name in ("sessions", "revenue", "session_revenue", "conversion")]
    visuals += [Visual(kind="line", metric=name) for name in ("engaged_share", "engaged_time", "conversions")]
    visuals += [Visual(kind="table", by="country", metrics=("sessions", "bounce_share", "views_a_session"))]
    visuals += [Visual(kind="bars", by="browser", metric="sessions"), Visual(kind="number", metric="people")]

    def shown() -> list[list[tuple[Any, ...]]]:
        source = replace(site.context.source, database=Database(site.context.source.database._url, schema))
        return [
            [tuple(float(v) if isinstance(v, int) else v for v in row) for row in figure_of(source, each, chosen).rows]
            for each in visuals
            for chosen in SELECTIONS
        ]

    counted_anew = shown()
    for statement in (MART, LOADS):
        run(site, statement)
    for one, other in zip(shown(), counted_anew, strict=True):
        assert [row[0] for row in one] == [row[0] for row in other]
        assert [row[1:] for row in one] == [pytest.approx(row[1:]) for row in other]
    run(site, "UPDATE {mart} SET sessions = sessions + 1000")
    changed = [new != old for new, old in zip(shown(), counted_anew, strict=True)]
    assert [any(changed[place : place + len(SELECTIONS)]) for place in range(0, len(changed), len(SELECTIONS))] == [
        *([True, False, True, True]),
        *([True, True, False]),
        *([True, False, False]),
    ]
    run(site, "DELETE FROM {loads} WHERE table_name = 'agg_daily_sessions'")
    assert shown() == counted_anew


def places(page: Page) -> list[tuple[int, int]]:
    return [(row, column) for row, visuals in enumerate(page.rows) for column in range(len(visuals))]


def test_every_page_is_made_of_an_empty_warehouse_of_one_day_and_of_many(
    site: Site, new_site: Callable[[], Site]
) -> None:
    one_day = new_site()
    one_day.put("fct_sessions", [row for row in site.sessions if row["event_date"] == NOW.date()])
    for each in (new_site(), one_day, site):
        for page in each.context.source.dashboard.pages:
            for selection in SELECTIONS[:3]:
                cards = [metrics.cards_of(each.context, page, at, selection) for at in places(page)]
                assert all(cards) and "failed" not in str(cards)


class Counting(Database):
    """Notes what is asked of the warehouse."""

    def __init__(self, url: str, schema: str) -> None:
        super().__init__(url, schema)
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    def _fetch(self, text: Any, values: Any) -> list[Any]:
        self.asked.append((text.as_string(), tuple(values)))
        return super()._fetch(text, values)


def test_bars_of_one_metric_are_one_question_over_the_rows_and_say_what_each_would_alone(site: Site) -> None:
    database = Counting(site.context.source.database._url, site.context.source.database.schema)
    source = replace(site.context.source, database=database)
    by = ("os", "country", "channel_group", "platform")
    visuals = tuple(Visual(kind="bars", metric="sessions", by=name, most=1 + place) for place, name in enumerate(by))
    others = (Visual(kind="bars", metric="people", by="country"), Visual(kind="bars", metric="people", by="platform"))
    page = Page(id="bars", title="Bars", rows=(visuals, others))
    for selection in SELECTIONS:
        together = [figure_of(source, visual, selection, page) for visual in (*visuals, *others)]
        assert together == [figure_of(source, visual, selection) for visual in (*visuals, *others)]
        assert all(1 <= len(figure.rows) <= visual.most for figure, visual in zip(together, visuals, strict=False))
        database._cache.clear()
    sets = [text for text, _ in database.asked if "GROUPING SETS" in text]
    assert len(sets) == len(SELECTIONS), "the values of all bars are found in one pass, people by each dimension"
    run(site, MART)
    run(site, LOADS)
    assert [figure_of(source, visual, Selection(), page) for visual in visuals[1:]] == [
        figure_of(source, visual, Selection()) for visual in visuals[1:]
    ]
    assert len([text for text, _ in database.asked if "GROUPING SETS" in text]) == len(SELECTIONS), "summed already"


def test_a_question_of_a_page_takes_one_process_and_what_is_typed_what_the_warehouse_gives(site: Site) -> None:
    database, name = site.context.source.database, "max_parallel_workers_per_gather"
    assert database.rows(sql.SQL("SELECT current_setting({})").format(sql.Literal(name))) == [("0",)]
    with psycopg.connect(site.owner_url) as owner:
        usual = owner.execute("SELECT current_setting(%s)", (name,)).fetchone()
    assert database.run(f"SELECT current_setting('{name}')", 1).rows == [usual] != [("0",)]


def test_a_page_that_cannot_be_made_says_so_whatever_was_wrong() -> None:
    def made() -> None:
        raise RuntimeError("the lake is gone")

    alert = app._told(made)
    assert alert.title == "It cannot be shown" and "RuntimeError" in alert.children and "lake" not in alert.children


def test_places_of_a_page_that_are_filled_at_once_ask_nothing_twice_and_few_things_at_once(site: Site) -> None:
    database = Counting(site.context.source.database._url, site.context.source.database.schema)
    context = replace(site.context, source=replace(site.context.source, database=database))
    for page in context.source.dashboard.pages[:3]:
        with ThreadPoolExecutor(16) as visitors:
            list(visitors.map(lambda at, page=page: metrics.cards_of(context, page, at, Selection()), places(page)))
    assert len(database.asked) > 20 and [each for each, times in Counter(database.asked).items() if times > 1] == []
    with psycopg.connect(site.owner_url) as owner:
        connections = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s"
        )
        assert owner.execute(connections, ("event-assets dashboards",)).fetchone() == (4,)


def test_a_visual_that_cannot_be_made_says_why_and_the_others_are_shown(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = sql.Identifier(role_name(site.context.source.database.schema, "data_engineer"))
    table = sql.Identifier(site.context.source.database.schema, "dim_users")
    with psycopg.connect(site.owner_url) as owner:
        owner.execute(sql.SQL("REVOKE SELECT ON {} FROM {}").format(table, reader))
    page = site.context.source.dashboard.pages[0]

    def failed() -> list[str]:
        cards = [card for at in places(page) for card in metrics.cards_of(site.context, page, at, Selection())]
        return [str(card) for card in cards if "failed" in str(card)]

    [words] = failed()
    assert "New people" in words and "The warehouse does not answer: permission denied for table dim_users" in words
    monkeypatch.setitem(CHARTS, "bars", lambda figure, formatter: figure.rows[99])
    _, *broken = failed()
    assert len(broken) == 2 and all("It could not be made (IndexError)." in each for each in broken)


def test_a_csv_has_titles_and_no_formula(site: Site) -> None:
    site.put(
        "fct_sessions",
        [{"session_id": "x", "event_date": NOW.date(), "start_at": NOW, "end_at": NOW, "source": "=1+1"}],
    )
    figure = figure_of(site.context.source, Visual(kind="table", by="source", metrics=("sessions",)), Selection())
    first, *lines = csv_of(figure).splitlines()
    assert first == "Source,Sessions"
    assert "'=1+1,1" in lines


@given(st.text(alphabet="abc=&%;?+#/ \0ä", max_size=40))
def test_any_address_is_a_selection_and_a_selection_is_its_address(query: str) -> None:
    names = [*DIMENSIONS, "segment", "period", "compare", "robots", "model"]
    for text in (query, *(f"?{name}={query}" for name in names)):
        selection = Selection.of(text)
        assert Selection.of(selection.address) == selection
        assert selection.period in PERIODS and selection.model in MODELS


@given(
    minutes=st.integers(0, 10 * 366 * 24 * 60),
    period=st.sampled_from(sorted(PERIODS)),
    compare=st.sampled_from(["before", "year"]),
)
def test_a_period_is_held_against_one_before_it_up_to_the_same_hour(minutes: int, period: str, compare: str) -> None:
    selection = Selection(period=period, compare=compare)
    now = NOW + dt.timedelta(minutes=minutes)
    span, before = selection.span(now), selection.span_before(now)
    assert (before is not None and before.until <= span.first) or compare == "year"
    assert before is not None and before.first < before.until <= span.until
    if period != "month":
        assert before.until.time() == span.until.time() and before.first.time() == dt.time()
        assert before.until - before.first == span.until - span.first


def test_the_statements_are_of_the_sql_that_both_warehouses_take_and_bind_what_was_chosen(site: Site) -> None:
    dashboard = site.context.source.dashboard
    chosen = Selection(values={"country": ("O'Brien; DROP TABLE x",)}, segments=("a'b",))
    for name in dashboard.metrics:
        query = metrics_sql.by_day(dashboard, "analytics", [name], chosen, chosen.span(NOW))
        text = query.text.as_string()
        assert "Brien" not in text and "a'b" not in text
        for only_of_postgres in ("FILTER", "ANY(", "LATERAL", "::", "ARRAY", "ILIKE"):
            assert only_of_postgres not in text
        assert text.count("%s") == len(query.values)
    together = metrics_sql.by_dimensions(
        dashboard, "analytics", "sessions", ("os", "country"), chosen, chosen.span(NOW), 9
    )
    parsed = sqlglot.parse_one(together.text.as_string().replace("%s", "NULL"), dialect="redshift")
    assert isinstance(parsed, sqlglot.exp.Select) and "Brien" not in together.text.as_string()


def test_a_sankey_keeps_every_session(site: Site) -> None:
    rows = [(0, "(start)", f"/{n}", 10 - n, None) for n in range(9)] + [
        (1, f"/{n}", "(end)", 10 - n, None) for n in range(9)
    ]
    flows = flows_of(rows)
    assert sum(count for (one, _), count in flows.items() if one[0] == 0) == sum(row[3] for row in rows[:9])
    assert {node for pair in flows for node in pair if node[0] == 1 and node[1] == "other"}


def test_the_readers_role_reads_and_can_do_nothing_else(site: Site) -> None:
    database = site.context.source.database
    answer = database.run("SELECT count(*) AS sessions FROM fct_sessions;", 10)
    assert (answer.columns, answer.rows) == (("sessions",), [(len(site.sessions),)])
    assert database.run("SELECT generate_series(1, 50)", 10).is_cut
    forbidden = [
        "DELETE FROM fct_sessions",
        "SELECT 1; DELETE FROM fct_sessions",
        "SELECT 1; COMMIT; SET default_transaction_read_only = off; DROP TABLE fct_sessions",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY fct_sessions TO PROGRAM 'true'",
    ]
    for statement in forbidden:
        with pytest.raises(psycopg.Error):
            database.run(statement, 10)
    delete = sql.SQL("DELETE FROM {}").format(sql.Identifier(database.schema, "fct_sessions"))
    with psycopg.connect(database._url, autocommit=True) as reader:
        reader.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(delete)
    assert database.run("SELECT count(*) FROM fct_sessions", 1).rows == [(len(site.sessions),)]


def test_the_page_of_metrics_is_made_from_the_shipped_dashboard() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run: python -m event_assets.dashboards.reference"


def test_a_funnel_is_held_against_the_one_of_the_period_before_and_that_one_has_no_card(site: Site) -> None:
    def steps(analysis: str, *people: int) -> list[Row]:
        return [
            {"analysis": analysis, "breakdown": of, "step": step, "step_name": f"step {step}", "people": count}
            | {"conversion": count / people[0], "step_conversion": 0.5, "median_seconds": 30.0}
            for of in ("(all)", "web")
            for step, count in enumerate(people, start=1)
        ]

    site.put(
        "agg_funnels", [*steps("buying", 100, 40), *steps("buying_before", 80, 20), *steps("the_night_before", 9, 3)]
    )
    buying, night = figures_of(site.context.source, Visual(kind="funnel"))
    assert [(row[0], row[1], row[3], *row[7:]) for row in buying.rows] == [
        (of, step, people, earlier, share)
        for of in ("(all)", "web")
        for step, people, earlier, share in ((1, 100, 80, 1.0), (2, 40, 20, 0.25))
    ]
    assert len(buying.fields) == 9 and (night.title, len(night.fields)) == ("The night before", 7)
    assert "period before: 20 people, 25.0%" in str(CHARTS["funnel"](buying, Formatter()))
