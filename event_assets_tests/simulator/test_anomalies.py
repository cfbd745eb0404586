"""Anomalies are where and when the truth says, clearly to be seen there, and nowhere else."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from event_assets.enrichment.bots import bot_reason
from event_assets.simulator.anomalies import HIDDEN, KINDS, Anomaly, AnomalyError, anomalies_of
from event_assets.simulator.generate import TimedEvent, generate, has_hidden_robot, people_for
from event_assets.simulator.people import make_hidden_robot
from event_assets.simulator.rates import FaultRates
from event_assets_tests.simulator.conftest import START

BEGIN = START.timestamp()
HOURS = 6.0
PEOPLE = 900
FROM, TO = BEGIN + 2 * 3600, BEGIN + 4 * 3600


FALLING = ("conversion_drop", "web_outage")


def traffic(*anomalies: Anomaly) -> list[TimedEvent]:
    return list(generate(7, PEOPLE, START, HOURS, FaultRates.none(), anomalies))


@pytest.fixture(scope="module")
def usual() -> list[TimedEvent]:
    return traffic()


def count(events: list[TimedEvent], metric: str, from_: float = FROM, to: float = TO) -> int:
    return sum(event.event == metric and from_ <= event.occurred_at < to for event in events)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_its_metric_shows_it_while_it_holds_and_hardly_before(kind: str, usual: list[TimedEvent]) -> None:
    planted = Anomaly(kind, FROM, TO, KINDS[kind].strength)
    events = traffic(planted)
    there, normal = count(events, planted.metric), count(usual, planted.metric)
    assert normal > 0
    assert there > 2 * normal if kind not in FALLING else there < 0.5 * normal
    assert count(events, planted.metric, BEGIN, FROM) == count(usual, planted.metric, BEGIN, FROM)


def test_a_bot_wave_comes_from_a_few_robots(usual: list[TimedEvent]) -> None:
    wave = traffic(Anomaly("bot_wave", FROM, TO, 3.0))
    before = {event.anonymous_id for event in usual}
    new = Counter(event.user_agent for event in wave if event.anonymous_id not in before)
    assert len({event.anonymous_id for event in wave if event.anonymous_id not in before}) <= 5
    assert all("bot" in agent.lower() or "python" in agent or "Headless" in agent for agent in new)


def test_an_outage_of_the_web_takes_its_events_and_nobody_elses(usual: list[TimedEvent]) -> None:
    planted = Anomaly("web_outage", FROM, FROM + 1_200, 1.0)
    gone = {(event.event_id, event.copy) for event in usual} - {(each.event_id, each.copy) for each in traffic(planted)}
    lost = [event for event in usual if event.platform == "web" and planted.holds(event.occurred_at)]
    assert lost and gone == {(event.event_id, event.copy) for event in lost}


def test_a_newsletter_brings_visits_that_say_so(usual: list[TimedEvent]) -> None:
    before = {event.event_id for event in usual}
    new = [event for event in traffic(Anomaly("channel_spike", FROM, TO, 1.0)) if event.event_id not in before]
    landings = [event for event in new if b"utm_" in event.body]
    assert landings and all(b"utm_source=newsletter" in event.body for event in landings)


def test_what_passes_within_minutes_lasts_minutes_where_nobody_says() -> None:
    (burst,) = anomalies_of(["error_burst"], 3, BEGIN, 86_400)
    assert burst.ends - burst.begins == 20 * 60
    (short,) = anomalies_of(["error_burst"], 3, BEGIN, 600)
    assert short.ends - short.begins == 120


def test_hidden_robots_say_they_are_browsers_and_are_those_that_the_seed_tells() -> None:
    planted = tuple(Anomaly(kind, BEGIN, BEGIN + 12 * 3600, 20.0) for kind in HIDDEN)
    usual, more = (list(generate(7, 10, START, 12.0, FaultRates.none(), each)) for each in ((), planted))
    people = {each.anonymous_id for each in usual}
    of_robots = [event for event in more if event.anonymous_id not in people]
    robots = {
        make_hidden_robot(7, each.kind, number).devices[0].anonymous_id
        for each in planted
        for number in range(10)
        if has_hidden_robot(7, each, number)
    }
    assert {event.anonymous_id for event in of_robots} == robots and 2 <= len(robots) <= 12
    assert len(more) - len(usual) == len(of_robots)
    assert {event.event for event in of_robots} >= {"page_view", "purchase", "app_error"}
    assert all(bot_reason(event.user_agent) is None for event in of_robots)


def test_the_same_seed_plants_the_same_and_within_the_time() -> None:
    texts = list(KINDS)
    first, again = (anomalies_of(texts, 7, BEGIN, HOURS * 3600) for _ in range(2))
    assert first == again
    assert [each.kind for each in first] == texts
    assert all(BEGIN < each.begins < each.ends < BEGIN + HOURS * 3600 for each in first)
    assert anomalies_of(texts, 8, BEGIN, HOURS * 3600) != first


def test_dates_and_strength_are_taken_as_they_are_given() -> None:
    (planted,) = anomalies_of(["traffic_spike,2026-11-20T10:00:00Z,2026-11-20T12:30:00+01:00,7"], 1, BEGIN, 3600)
    assert dt.datetime.fromtimestamp(planted.begins, dt.UTC) == dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC)
    assert planted.ends - planted.begins == 90 * 60
    assert planted.what == "visits come 7 times as often as usual"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("meteor", "the kinds are traffic_spike"),
        ("bot_wave,2026-11-20T10:00:00Z", "the form is KIND"),
        ("bot_wave,2026-11-20T10:00:00,2026-11-20T11:00:00Z", "has no offset"),
        ("bot_wave,noon,2026-11-20T11:00:00Z", "'noon' is no time"),
        ("bot_wave,2026-11-20T12:00:00Z,2026-11-20T11:00:00Z", "ends before it begins"),
        ("bot_wave,2026-11-20T10:00:00Z,2026-11-20T11:00:00Z,much", "'much' is no number"),
        ("conversion_drop,2026-11-20T10:00:00Z,2026-11-20T11:00:00Z,2", "at most 1"),
        ("traffic_spike,2026-11-20T10:00:00Z,2026-11-20T11:00:00Z,0.5", "above 1"),
        ("traffic_spike,2026-11-20T10:00:00Z,2026-11-20T11:00:00Z,nan", "above 1"),
    ],
)
def test_what_cannot_be_planted_is_refused_with_the_rule(text: str, rule: str) -> None:
    with pytest.raises(AnomalyError, match=rule):
        anomalies_of([text], 1, BEGIN, 3600)


def test_the_number_of_people_is_found_with_the_anomalies_in_it() -> None:
    wave = (Anomaly("bot_wave", BEGIN, BEGIN + 3600, 3.0),)
    people = people_for(1_000, 7, START, 1.0, None, wave)
    assert people < people_for(1_000, 7, START, 1.0)
    end = START.timestamp() + 3600
    assert 900 < sum(event.occurred_at < end for event in generate(7, people, START, 1.0, None, wave)) < 1_200
