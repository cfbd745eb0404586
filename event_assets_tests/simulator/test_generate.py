from __future__ import annotations

import datetime as dt
import itertools
import json
from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from event_assets.contract.decoder import Decoded, EventDecoder, Rejection
from event_assets.contract.plan import TrackingPlan
from event_assets.settings import Settings
from event_assets.simulator.faults import FAULTS
from event_assets.simulator.generate import TimedEvent, generate, people_for
from event_assets.simulator.rates import FaultRates
from event_assets_tests.simulator.conftest import START

SENT_AT = "2026-11-20T15:03:11.000Z"


@pytest.fixture(scope="module")
def decoder() -> EventDecoder:
    return EventDecoder(TrackingPlan.load(Settings().plan))


def test_the_same_seed_gives_the_same_events_and_another_seed_others() -> None:
    first, again, other = (list(generate(seed, 300, START, 0.5)) for seed in (3, 3, 4))
    assert first == again
    assert first
    assert {event.event_id for event in first}.isdisjoint(event.event_id for event in other)


def test_events_come_in_the_order_in_which_they_are_sent(hour: list[TimedEvent]) -> None:
    assert all(before.send_at <= after.send_at for before, after in itertools.pairwise(hour))
    assert all(event.send_at >= event.occurred_at for event in hour)


def test_two_hours_begin_with_the_first_hour() -> None:
    one = {event.event_id for event in generate(3, 300, START, 1.0, FaultRates.none())}
    two = list(generate(3, 300, START, 2.0, FaultRates.none()))
    assert one < {event.event_id for event in two}
    assert max(event.occurred_at for event in two) > START.timestamp() + 3600


def test_without_faults_every_event_keeps_contract_and_plan(decoder: EventDecoder) -> None:
    events = list(generate(11, 4_000, START, 1.0, FaultRates.none()))
    assert {event.fate for event in events} == {"clean"}
    decoded = [decoder.decode(event.line(SENT_AT)) for event in events]
    assert [each for each in decoded if not isinstance(each, Decoded) or each.violations or each.extra] == []
    assert len({event.event_id for event in events}) == len(events)


@pytest.mark.parametrize("name", [fault.name for fault in FAULTS])
def test_every_fault_has_the_fate_that_the_contract_gives_it(name: str, decoder: EventDecoder) -> None:
    rates = FaultRates(**dict.fromkeys(FaultRates.__slots__, 0.0) | {name: 1.0})
    people = 4_000 if name.startswith("plan_") else 500  # the plan says something of few events
    events = [event for event in generate(5, people, START, 0.5, rates) if event.fault == name]
    assert events
    for event in events:
        line = event.line(SENT_AT)
        at_edge, in_clean = decoder.decode(line, at_edge=True), decoder.decode(line)
        if event.fate == "rejected":
            assert isinstance(at_edge, Rejection), line
            assert at_edge.reason == event.reason, line
        elif event.fate == "quarantined":
            assert isinstance(at_edge, Decoded), line
            assert isinstance(in_clean, Rejection), line
            assert in_clean.reason == event.reason
        else:
            assert isinstance(in_clean, Decoded), line


def test_copies_have_the_id_of_an_event_that_was_sent_before(hour: list[TimedEvent]) -> None:
    seen: dict[str, TimedEvent] = {}
    copies = 0
    for event in hour:
        if event.copy:
            copies += 1
            assert event.occurred_at == seen[event.event_id].occurred_at
            assert (event.body == seen[event.event_id].body) == (event.fault != "conflict")
        else:
            assert event.event_id not in seen
            seen[event.event_id] = event
    assert copies


def test_a_conflicting_copy_keeps_contract_and_plan_like_its_event(decoder: EventDecoder) -> None:
    rates = replace(FaultRates.none(), conflict=1.0)
    conflicts = [event for event in generate(5, 4_000, START, 0.5, rates) if event.fault == "conflict"]
    assert {"alias", "add_to_cart", "page_ping"} <= {event.event for event in conflicts}
    decoded = [decoder.decode(event.line(SENT_AT)) for event in conflicts]
    assert all(isinstance(each, Decoded) and not each.violations for each in decoded)


def test_late_visits_happened_minutes_to_days_before_they_are_sent(hour: list[TimedEvent]) -> None:
    lateness = [event.send_at - event.occurred_at for event in hour if event.copy == 0]
    assert any(late > 86_400 for late in lateness)
    assert any(300 < late < 86_400 for late in lateness)
    assert sum(late > 11 * 86_400 for late in lateness) < 0.01 * len(lateness)


def test_some_visits_are_handed_in_after_months() -> None:
    rates = replace(FaultRates.none(), months_late_visit=1.0)
    events = [event for event in generate(5, 300, START, 0.5, rates) if event.platform != "server"]
    days = [(event.send_at - event.occurred_at) / 86_400 for event in events]
    assert 9 < min(days) < 60 < 120 < max(days) < 181


def test_a_wrong_clock_is_wrong_by_the_same_in_both_of_the_clients_times() -> None:
    rates = FaultRates(**dict.fromkeys(FaultRates.__slots__, 0.0) | {"clock_skew": 1.0})
    events = [event for event in generate(5, 500, START, 0.5, rates) if event.anonymous_id]
    assert events
    for event in events:
        said = dt.datetime.fromisoformat(json.loads(event.body)["occurred_at"]).timestamp()
        assert said == pytest.approx(event.occurred_at + event.clock_error, abs=0.002)
        assert event.clock_error != 0


def test_pings_come_every_ten_seconds_of_their_page_view_and_scroll_only_down(hour: list[TimedEvent]) -> None:
    pings = defaultdict(list)
    for event in hour:
        if event.event == "page_ping" and event.fault is None:
            pings[event.page_view_id].append((event.occurred_at, json.loads(event.body)["scroll"]["y_max"]))
    gaps, scrolls = [], []
    for of_view in pings.values():
        of_view.sort()
        gaps += [later - earlier for (earlier, _), (later, _) in itertools.pairwise(of_view)]
        scrolls += [later - earlier for (_, earlier), (_, later) in itertools.pairwise(of_view)]
    assert all(abs(gap - 10 * round(gap / 10)) < 0.1 for gap in gaps)
    assert min(scrolls) >= 0


def test_sequences_count_up_without_gaps_per_install() -> None:
    numbers = defaultdict(list)
    for event in generate(9, 2_000, START, 1.0, FaultRates.none()):
        if event.anonymous_id:
            numbers[event.anonymous_id].append(json.loads(event.body)["sequence"])
    assert numbers
    assert all(sorted(of_install) == list(range(len(of_install))) for of_install in numbers.values())


def test_web_sessions_have_an_id_robots_phones_and_servers_often_have_none(hour: list[TimedEvent]) -> None:
    without = Counter(event.platform for event in hour if event.session_id is None)
    assert set(without) == {"web", "ios", "android", "desktop", "server"}
    assert sum(event.session_id is not None for event in hour) > len(hour) / 2


def test_events_are_of_a_realistic_size(hour: list[TimedEvent]) -> None:
    sizes = [len(event.line(SENT_AT)) for event in hour if event.fault is None]
    assert 500 < sum(sizes) / len(sizes) < 900


def test_a_line_carries_when_its_request_left(hour: list[TimedEvent]) -> None:
    event = next(event for event in hour if event.says_sent_at and event.fault is None)
    assert json.loads(event.line(SENT_AT)) == json.loads(event.body) | {"sent_at": SENT_AT}


def test_the_number_of_people_is_found_for_a_number_of_events() -> None:
    people = people_for(1_000, 7, START, 1.0)
    end = START.timestamp() + 3600
    assert 900 < sum(event.occurred_at < end for event in generate(7, people, START, 1.0)) < 1_200


def test_the_hour_of_the_day_changes_how_much_happens() -> None:
    night, day = (
        sum(1 for _ in generate(7, 3_000, dt.datetime(2026, 11, 20, hour, tzinfo=dt.UTC), 1.0, FaultRates.none()))
        for hour in (4, 19)
    )
    assert day > 1.5 * night


def test_copies_come_seconds_to_days_after_their_event(hour: list[TimedEvent]) -> None:
    first = {event.event_id: event.send_at for event in hour if not event.copy}
    delays = [event.send_at - first[event.event_id] for event in hour if event.copy]
    assert min(delays) < 10
    assert max(delays) > 86_400


def test_a_burst_fills_one_minute_of_an_hour() -> None:
    def busiest_minute(burst: float) -> int:
        rates = replace(FaultRates.none(), burst=burst)
        begins = {event.page_view_id: event.occurred_at for event in generate(7, 3_000, START, 1.0, rates)}
        return max(Counter(int(at // 60) for at in begins.values()).values())

    assert busiest_minute(60.0) > 2 * busiest_minute(0.0)


def test_unknown_visitors_become_known_on_their_device(hour: list[TimedEvent]) -> None:
    known, became = set(), set()
    unknown = {event.anonymous_id for event in hour if event.user_id is None}
    for event in hour:
        if event.user_id and event.anonymous_id in unknown:
            became.add(event.anonymous_id)
        if event.event == "identify":
            known.add(event.anonymous_id)
    assert became & known


def test_visits_come_from_campaigns_and_many_time_zones_and_some_from_robots(hour: list[TimedEvent]) -> None:
    bodies = [json.loads(event.body) for event in hour if event.fault is None]
    urls = " ".join(body.get("page", {}).get("url", "") for body in bodies)
    assert all(mark in urls for mark in ("utm_campaign=", "gclid=", "fbclid="))
    assert len({body["device"]["timezone"] for body in bodies if "device" in body}) >= 10
    assert any("Googlebot" in event.user_agent for event in hour)
    assert {"true", "false"} == {str(body["consent"]["marketing"]).lower() for body in bodies if "consent" in body}
