"""The columns of a session row, one sentence each."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession

from event_assets.contract.tables.sessions import SESSIONS
from event_assets.transforms.sessions.sessionise import SessionRules
from event_assets_tests.factories import at, enriched_event
from event_assets_tests.transforms.incremental import sessions_of

Row = dict[str, Any]


def only(rows: list[Row]) -> Row:
    (row,) = rows
    return row


def test_a_row_has_the_columns_of_the_table_in_their_order(spark: SparkSession) -> None:
    assert tuple(only(sessions_of(spark, [enriched_event()]))) == SESSIONS.column_names


@pytest.mark.parametrize("platform", ["web", "ios", "android", "desktop", "server"])
@pytest.mark.parametrize("event", ["page_view", "page_ping", "screen_view", "purchase", "identify", "anything"])
def test_any_event_makes_a_session(spark: SparkSession, event: str, platform: str) -> None:
    session = only(sessions_of(spark, [enriched_event(event, platform=platform)]))
    assert (session["events"], session["platform"]) == (1, platform)


@pytest.mark.parametrize(
    ("event", "platform", "is_session"),
    [
        ("page_view", "web", True),
        ("page_ping", "web", True),
        ("screen_view", "ios", True),
        ("purchase", "web", False),
        ("purchase", "ios", False),
        ("purchase", "server", True),
        ("purchase", "desktop", True),
    ],
)
def test_by_the_rule_of_pages_a_session_has_a_page_or_screen_or_is_of_a_server_or_desktop(
    spark: SparkSession, event: str, platform: str, is_session: bool
) -> None:
    rules = SessionRules(starts_with="page")
    assert len(sessions_of(spark, [enriched_event(event, platform=platform)], rules)) == is_session


def test_the_anonymous_id_is_that_of_the_earliest_received_event(spark: SparkSession) -> None:
    rows = [
        enriched_event(session_id="s", anonymous_id="a1", received_at=at(100)),
        enriched_event(session_id="s", anonymous_id="a2", when=at(50), received_at=at(60)),
    ]
    assert only(sessions_of(spark, rows))["anonymous_id"] == "a2"


def test_of_events_received_together_the_first_to_happen_gives_the_anonymous_id_then_the_least_event_id(
    spark: SparkSession,
) -> None:
    def event(device: str, event_id: str, seconds: float) -> Row:
        when = at(seconds)
        return enriched_event(when=when, session_id="s", anonymous_id=device, event_id=event_id, received_at=at(60))

    tied = [event("a1", "e9", 5), event("a2", "e8", 5), event("a3", "e7", 9)]
    for rows in (tied, tied[::-1]):
        assert only(sessions_of(spark, rows))["anonymous_id"] == "a2"
        assert only(sessions_of(spark, [*rows, event("a4", "z", 1)]))["anonymous_id"] == "a4"


def test_a_session_of_one_server_event_lasts_no_time_and_is_neither_engaged_nor_a_bounce(spark: SparkSession) -> None:
    session = only(sessions_of(spark, [enriched_event("renewed", platform="server", anonymous_id=None, user_id="u1")]))
    assert (session["start_at"], session["end_at"], session["events"]) == (at(0), at(0), 1)
    names = ("page_views", "engaged_seconds", "absolute_seconds", "is_engaged", "is_bounce", "entry_url")
    assert [session[name] for name in names] == [0, 0, 0, False, False, None]
    assert (session["anonymous_id"], session["user_id"]) == (None, "u1")


def test_a_session_of_pings_alone_counts_their_page_view(spark: SparkSession) -> None:
    session = only(sessions_of(spark, [enriched_event("page_ping", at(10), page_view_id="p", page_url="/p")]))
    names = ("start_at", "end_at", "page_views", "engaged_seconds", "absolute_seconds", "is_bounce", "entry_url")
    assert [session[name] for name in names] == [at(5), at(10), 1, 5, 5, True, "/p"]


def test_a_ping_without_a_page_view_id_engages_nobody_but_is_a_page_event(spark: SparkSession) -> None:
    session = only(sessions_of(spark, [enriched_event("page_ping", at(10))]))
    assert (session["start_at"], session["page_views"], session["engaged_seconds"]) == (at(5), 0, 0)


def test_the_user_id_is_the_first_one_seen(spark: SparkSession) -> None:
    rows = [enriched_event(), enriched_event(when=at(5), user_id="u9"), enriched_event(when=at(9), user_id="u1")]
    assert only(sessions_of(spark, rows))["user_id"] == "u9"


def test_start_and_end_are_the_first_and_last_time_of_all_its_events(spark: SparkSession) -> None:
    rows = [enriched_event("signup"), enriched_event(when=at(10)), enriched_event("search", at(12.9))]
    session = only(sessions_of(spark, rows))
    assert (session["start_at"], session["end_at"], session["absolute_seconds"]) == (at(0), at(12.9), 12)


def test_a_session_whose_first_page_event_is_a_ping_starts_five_seconds_earlier(spark: SparkSession) -> None:
    ping, view = enriched_event("page_ping", at(20), page_view_id="p"), enriched_event(when=at(30), page_view_id="p")
    assert only(sessions_of(spark, [enriched_event("signup", at(10)), ping, view]))["start_at"] == at(5)
    assert only(sessions_of(spark, [enriched_event(when=at(10)), ping]))["start_at"] == at(10)


def test_a_ping_just_after_midnight_puts_the_session_on_the_day_before(spark: SparkSession) -> None:
    session = only(sessions_of(spark, [enriched_event("page_ping", at(2, hours=12), page_view_id="p")]))
    assert str(session["event_date"]) == "2026-03-02"


def test_absolute_seconds_count_whole_second_boundaries(spark: SparkSession) -> None:
    assert (
        only(sessions_of(spark, [enriched_event(when=at(0.9)), enriched_event(when=at(1.1))]))["absolute_seconds"] == 1
    )


def test_a_ping_that_follows_a_screen_does_not_begin_the_session(spark: SparkSession) -> None:
    rows = [enriched_event("screen_view", at(10)), enriched_event("page_ping", at(20), page_view_id="p")]
    assert only(sessions_of(spark, rows))["start_at"] == at(10)


def test_page_views_are_the_distinct_ids_of_views_and_pings_and_each_view_without_one(spark: SparkSession) -> None:
    rows = [
        enriched_event(page_view_id="p1"),
        enriched_event(when=at(1), page_view_id="p1"),
        enriched_event("page_ping", at(2), page_view_id="p2"),
        enriched_event("search", at(3), page_view_id="p3"),
        enriched_event(when=at(4)),
        enriched_event(when=at(5)),
    ]
    assert only(sessions_of(spark, rows))["page_views"] == 4


def test_every_screen_view_is_a_view_also_on_a_page_with_an_id(spark: SparkSession) -> None:
    screens = [enriched_event("screen_view", at(minutes=n), platform="ios") for n in range(5)]
    session = only(sessions_of(spark, screens))
    assert (session["page_views"], session["is_engaged"], session["is_bounce"]) == (5, True, False)
    page = enriched_event(page_view_id="p1")
    shown = [enriched_event("screen_view", at(n), page_view_id="p1") for n in (1, 2)]
    ping = enriched_event("page_ping", at(10), page_view_id="p1")
    session = only(sessions_of(spark, [page, *shown, ping]))
    assert (session["page_views"], session["engaged_seconds"]) == (3, 5)


def test_engaged_seconds_are_ten_a_slot_but_five_for_the_first_of_each_view(spark: SparkSession) -> None:
    pings = [("p1", 10), ("p1", 12), ("p1", 20), ("p1", 45), ("p2", 50), ("p2", 60)]
    rows = [enriched_event("page_ping", at(seconds), page_view_id=view) for view, seconds in pings]
    assert only(sessions_of(spark, rows))["engaged_seconds"] == 10 * (5 - 2) + 5 * 2


def test_slots_are_by_the_clients_clock(spark: SparkSession) -> None:
    rows = [
        enriched_event("page_ping", at(1), page_view_id="p", occurred_at=at(100)),
        enriched_event("page_ping", at(2), page_view_id="p", occurred_at=at(200)),
    ]
    assert only(sessions_of(spark, rows))["engaged_seconds"] == 15


def test_a_session_is_engaged_by_two_views_or_twenty_seconds_or_a_conversion(spark: SparkSession) -> None:
    view = enriched_event(page_view_id="p1")
    pings = [enriched_event("page_ping", at(seconds), page_view_id="p1") for seconds in (10, 20, 30)]

    def engaged(*more: Row, rules: SessionRules = SessionRules()) -> tuple[bool, bool]:
        session = only(sessions_of(spark, [view, *more], rules))
        return session["is_engaged"], session["is_bounce"]

    assert engaged() == (False, True)
    assert engaged(enriched_event(when=at(9), page_view_id="p2")) == (True, False)
    assert engaged(*pings[:2]) == (False, True)
    assert engaged(*pings) == (True, False)
    assert engaged(*pings[:2], rules=SessionRules(engaged_seconds=10)) == (True, False)
    assert engaged(enriched_event("purchase", at(9))) == (True, False)
    assert engaged(enriched_event("signup", at(9))) == (False, True)
    assert engaged(enriched_event("signup", at(9)), rules=SessionRules(conversion_events=("signup",))) == (True, False)


def test_a_session_of_one_view_is_a_bounce_and_one_without_a_view_is_not(spark: SparkSession) -> None:
    for event, is_bounce in (("screen_view", True), ("page_view", True), ("signup", False)):
        assert only(sessions_of(spark, [enriched_event(event, platform="ios")]))["is_bounce"] == is_bounce


def test_landing_and_device_come_from_the_first_page_view_and_the_exit_page_from_the_last(spark: SparkSession) -> None:
    rows = [
        enriched_event("signup", page_url="/0", source="s0", page_view_id="p0"),
        enriched_event(when=at(1), page_url="/1", page_referrer="r1", source="s1", browser="b1", channel_group="c1"),
        enriched_event(when=at(2), page_url="/2", source="s2"),
        enriched_event("search", at(3), page_url="/3"),
    ]
    session = only(sessions_of(spark, rows))
    names = ("entry_url", "exit_url", "referrer", "source", "browser", "channel_group")
    assert [session[name] for name in names] == ["/1", "/2", "r1", "s1", "b1", "c1"]


def test_without_a_page_view_they_come_from_screen_views_and_without_these_from_the_first_and_last_event(
    spark: SparkSession,
) -> None:
    names = ("signup", "screen_view", "screen_view", "page_view", "screen_view", "click")
    rows = [enriched_event(name, at(n), page_url=f"/{n}", platform="ios") for n, name in enumerate(names)]

    def edges(*wanted: str) -> tuple[str, str]:
        session = only(sessions_of(spark, [row for row in rows if row["event"] in wanted]))
        return session["entry_url"], session["exit_url"]

    assert edges(*names) == ("/3", "/3")
    assert edges("signup", "screen_view", "click") == ("/1", "/4")
    assert edges("signup", "click") == ("/0", "/5")


def test_events_at_the_same_time_are_in_order_of_their_ids(spark: SparkSession) -> None:
    rows = [enriched_event(event_id=name, page_url=name) for name in ("b", "a", "c")]
    session = only(sessions_of(spark, rows))
    assert (session["entry_url"], session["exit_url"]) == ("a", "c")


def test_one_robots_event_makes_the_session_a_robots(spark: SparkSession) -> None:
    assert only(sessions_of(spark, [enriched_event(), enriched_event(when=at(1), is_bot=True)]))["is_bot"]


def test_revenue_is_the_sum_over_conversion_events_and_skips_what_is_no_number(spark: SparkSession) -> None:
    texts = ['{"revenue": 10.5}', '{"revenue": "2"}', '{"revenue": "many"}', "{}", "not json"]
    rows = [enriched_event("purchase", at(n), properties=text) for n, text in enumerate(texts)]
    session = only(sessions_of(spark, [enriched_event(), enriched_event("signup", properties=texts[0]), *rows]))
    assert (session["conversions"], session["revenue"]) == (5, 12.5)


def test_gaps_in_sequence_are_events_lost_and_unknown_without_a_sequence(spark: SparkSession) -> None:
    rows = [enriched_event(when=at(number), sequence=number) for number in (3, 4, 7, 9)]
    assert only(sessions_of(spark, rows))["sequence_gaps"] == 3
    assert only(sessions_of(spark, [enriched_event()]))["sequence_gaps"] is None


def numbered(*numbers: int, first: int = 0, step: int = 10, **fields: Any) -> list[dict[str, Any]]:
    return [enriched_event(when=at(first + step * n), sequence=number, **fields) for n, number in enumerate(numbers)]


@pytest.mark.parametrize(
    "other",
    [
        numbered(5000, 5001, 5004, first=5),
        numbered(3, 4, first=5),
        numbered(0, 1, first=100),
        numbered(8, 9, first=100, platform="server"),
    ],
    ids=["far ahead and in between", "the same numbers", "from the beginning again", "a server's"],
)
def test_gaps_in_sequence_are_unknown_where_two_installs_count(spark: SparkSession, other: list[Any]) -> None:
    """How far apart two counters are says nothing of what was lost."""
    rows = numbered(3, 4, 6, 7)
    assert only(sessions_of(spark, [*rows, *other]))["sequence_gaps"] is None
    assert only(sessions_of(spark, rows))["sequence_gaps"] == 1


def test_one_install_whose_clock_or_connection_is_uneven_counts_on(spark: SparkSession) -> None:
    """Events that overtake each other on the way, and a clock that was set back: each leaves one of the orders."""
    numbers = ((1, 0, 0), (2, 10, 12), (4, 20, 11))
    overtaken = [enriched_event(when=at(late), occurred_at=at(early), sequence=n) for n, early, late in numbers]
    set_back = [enriched_event(when=at(early), occurred_at=at(late), sequence=n) for n, early, late in numbers]
    for rows in (overtaken, set_back):
        assert only(sessions_of(spark, rows))["sequence_gaps"] == 1


@pytest.mark.parametrize(
    ("other", "gaps"),
    [
        (numbered(5000, 5001, 5004, first=5, install_id="i-2"), 1 + 2),
        (numbered(3, 4, first=5, install_id="i-2"), 1),
        (numbered(8, 9, first=100, platform="server", install_id="i-2"), 1),
        (numbered(0, 2, first=100, anonymous_id="a-2", install_id="i-1"), 1 + 1),
        (numbered(5000, 5001, first=5), None),
        (numbered(3, 4, first=5, install_id="i-1"), None),
    ],
    ids=["far ahead", "the same numbers", "a server's", "another device's", "of no install", "the same install anew"],
)
def test_installs_that_are_named_are_counted_each_by_itself(
    spark: SparkSession, other: list[Any], gaps: int | None
) -> None:
    rows = numbered(3, 4, 6, 7, install_id="i-1")
    together = [{**row, "session_id": "s"} for row in (*rows, *other)]
    assert only(sessions_of(spark, together))["sequence_gaps"] == gaps


def test_events_without_a_number_change_no_gaps(spark: SparkSession) -> None:
    rows = [*numbered(1, 4), enriched_event(when=at(5), platform="server")]
    assert only(sessions_of(spark, rows))["sequence_gaps"] == 2


def test_a_session_that_grows_keeps_its_id(spark: SparkSession) -> None:
    rows = [enriched_event(), enriched_event(when=at(60))]
    assert only(sessions_of(spark, rows[:1]))["session_id"] == only(sessions_of(spark, rows))["session_id"]


def test_a_late_event_joins_two_sessions_into_one(spark: SparkSession) -> None:
    rows = [enriched_event(), enriched_event(when=at(minutes=40))]
    assert len(sessions_of(spark, rows)) == 2
    assert only(sessions_of(spark, [*rows, enriched_event(when=at(minutes=20))]))["events"] == 3


def test_country_app_language_and_landing_page_are_of_the_event_that_gives_the_source(spark: SparkSession) -> None:
    rows = [
        enriched_event("signup", country="FR", app_id="api", device_locale="fr"),
        enriched_event(when=at(5), country="DE", app_id="shop", device_locale="de_AT.UTF-8", page_path="/start"),
        enriched_event(when=at(9), country="AT", app_id="blog", device_locale="en-US", page_path="/end"),
    ]
    session = only(sessions_of(spark, rows))
    names = ("country", "app_id", "language", "landing_page", "exit_page")
    assert [session[name] for name in names] == ["DE", "shop", "de", "/start", "/end"]


@pytest.mark.parametrize(("locale", "language"), [("EN", "en"), ("zh-Hant-TW", "zh"), ("", None), (None, None)])
def test_a_language_is_what_a_locale_begins_with(spark: SparkSession, locale: str | None, language: str | None) -> None:
    assert only(sessions_of(spark, [enriched_event(device_locale=locale)]))["language"] == language
