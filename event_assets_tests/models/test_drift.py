"""How much people differ from those that a model learned from."""

from __future__ import annotations

import math
import random

import pytest

from event_assets.models.drift import MUCH, Reference, index, indices, reference, shares
from event_assets.models.features import Values


def people(mean: float, seed: int, share: float = 0.5) -> list[Values]:
    chance = random.Random(seed)
    return [
        {
            "events": None if chance.random() < 0.1 else chance.gauss(mean, 2.0),
            "channel": "Email" if chance.random() < share else chance.choice(["Direct", "Paid", None]),
        }
        for _ in range(3_000)
    ]


LEARNED = people(10, 1)
BINS = {name: reference(LEARNED, name, is_number) for name, is_number in (("events", True), ("channel", False))}


def test_people_like_those_before_hardly_differ_and_others_do() -> None:
    assert max(indices(BINS, people(10, 2)).values()) < 0.02
    moved = indices(BINS, people(12, 2))
    assert moved["events"] > MUCH > 10 * moved["channel"]
    assert list(indices(BINS, people(10, 2, share=0.9)))[0] == "channel"  # noqa: RUF015
    assert index(BINS["channel"], people(10, 2, share=0.9), "channel") > MUCH


def test_an_index_is_the_sum_of_its_definition_by_bins_that_stay() -> None:
    bins = Reference([0.5, 0.3, 0.2], 10_000, edges=[5.0])
    five: list[Values] = [{"n": value} for value in (1, 5, 9, 7, None)]
    now = five * 1_000
    assert shares(bins, now, "n") == [0.2, 0.6, 0.2]
    wanted = (0.2 - 0.5) * math.log(0.2 / 0.5) + (0.6 - 0.3) * math.log(0.6 / 0.3)
    assert index(bins, now, "n") == pytest.approx(wanted - 2 * (1 / 10_000 + 1 / 5_000), abs=1e-3)


def test_few_people_who_differ_by_chance_alone_do_not_warn() -> None:
    few = [indices(BINS, people(10, seed)[:40]) for seed in range(20)]
    assert sum(max(each.values()) > MUCH for each in few) <= 2
    assert min(indices(BINS, people(14, seed)[:40])["events"] for seed in range(5)) > MUCH


def test_numbers_that_are_all_the_same_and_texts_that_nobody_has_are_bins_too() -> None:
    same: list[Values] = [{"n": 3.0, "t": None}] * 20
    number, text = reference(same, "n", True), reference(same, "t", False)
    assert (number.shares, text.shares) == ([1.0, 0.0], [0.0, 1.0])
    assert index(number, same, "n") == index(text, same, "t") == 0.0
    other: list[Values] = [{"n": None, "t": "new"}] * 20
    assert index(number, other, "n") > MUCH and index(text, other, "t") > MUCH
