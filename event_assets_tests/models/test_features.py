"""What features are on a day: counted over again, from the list of all that happened."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from event_assets.models.features import (
    PersonDays,
    at_instant,
    day_of,
    part_of_counts,
    together,
    trait_parts,
)
from event_assets.rules.condition import Step
from event_assets.rules.feature import Feature

FEATURES = {
    "buys_3d": Feature(count=Step(event="buy"), last="3 days"),
    "events": Feature(count="anything"),
    "active_days_5d": Feature(days="anything", last="5 days"),
    "since_buy": Feature(days_since=Step(event="buy")),
    "since_first": Feature(days_since_first="anything"),
    "stage": Feature(lifecycle="2 days"),
}
HAPPENED = st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["buy", "view"])), max_size=25)
History = list[tuple[int, str]]


def parts_of(happened: History) -> dict[int, Any]:
    by_day: dict[int, Counter[str]] = {}
    for day, event in happened:
        by_day.setdefault(day, Counter())[event] += 1
    return {day: part_of_counts(FEATURES, counts) for day, counts in by_day.items()}


def told(happened: History, day: int) -> dict[str, Any]:
    """The same, in the plainest way."""
    past = [(each, event) for each, event in happened if each <= day]
    if not past:
        return dict.fromkeys(FEATURES)
    days, buys = {each for each, _ in past}, [each for each, event in past if event == "buy"]
    now, before = any(day - 2 < each for each in days), any(day - 4 < each <= day - 2 for each in days)
    stage = ("new" if min(days) > day - 2 else "returning" if before else "resurrecting") if now else None
    return {
        "buys_3d": sum(each > day - 3 for each in buys),
        "events": len(past),
        "active_days_5d": sum(each > day - 5 for each in days),
        "since_buy": day - max(buys) if buys else None,
        "since_first": day - min(days),
        "stage": stage or ("dormant" if before else "inactive"),
    }


@given(HAPPENED, st.integers(-1, 30))
def test_the_features_of_a_day_are_those_of_a_recount(happened: History, day: int) -> None:
    assert PersonDays(FEATURES, parts_of(happened)).at(day) == told(happened, day)


@given(HAPPENED)
def test_history_says_of_every_day_what_the_day_says_by_itself(happened: History) -> None:
    person = PersonDays(FEATURES, parts_of(happened))
    spans = list(person.spans())
    assert [span.to_day for span in spans] == [*(span.from_day for span in spans[1:]), None][: len(spans)]
    for span in spans:
        for day in range(span.from_day, span.to_day or span.from_day + 3):
            held = {**dict.fromkeys(FEATURES), **span.held}
            for name in ("since_buy", "since_first"):
                held[name] = None if held[name] is None else day - day_of(dt.date.fromisoformat(str(held[name])))
            assert held == person.at(day)
    assert {span.from_day: span.of_day for span in spans if span.of_day} == parts_of(happened)


@given(HAPPENED, st.integers(0, 20), st.integers(0, 25))
def test_an_instant_knows_of_its_day_what_was_so_far_and_of_no_later_one(happened: History, day: int, cut: int) -> None:
    of_day = [event for each, event in happened if each == day]
    so_far = Counter(of_day[:cut])
    until = [each for each in happened if each[0] < day] + [(day, event) for event in of_day[:cut]]
    assert at_instant(FEATURES, parts_of(happened), day, so_far) == told(until, day)


@given(st.lists(st.sampled_from(["0.1", "0.2", "1000000000.3", "-0.1"]), max_size=8), st.randoms())
def test_sums_are_the_same_in_any_order_and_any_split(amounts: list[str], random: Any) -> None:
    features = {"paid": Feature(sum="revenue")}
    parts = [{"paid": amount} for amount in amounts]
    random.shuffle(parts)
    cut = random.randint(0, len(parts))
    split = [together(features, parts[:cut]), together(features, parts[cut:])]
    assert together(features, split) == together(features, [{"paid": amount} for amount in amounts])


def test_of_two_parts_of_a_day_the_earlier_is_first_and_the_later_is_latest() -> None:
    features = {"first": Feature(first="platform"), "latest": Feature(latest="platform")}
    morning, evening = ({name: {"t": at, "v": text} for name in features} for at, text in ((1, "ios"), (2, "web")))
    day = together(features, [evening, morning])
    assert PersonDays(features, {3: day}).at(3) == {"first": "ios", "latest": "web"}


def test_a_trait_is_what_it_was_at_the_end_of_the_day() -> None:
    features = {"plan": Feature(trait="plan"), "seats": Feature(trait="team.seats", as_="number")}
    day = 86_400_000_000
    said = [(0, 5, "plan", '"free"'), (5, day, "plan", '"paid"'), (3, None, "team", json.dumps({"seats": 7}))]
    parts = trait_parts(features, said)
    assert [PersonDays(features, parts).at(each) for each in (0, 1)] == [
        {"plan": "paid", "seats": 7.0},
        {"plan": None, "seats": 7.0},
    ]
