"""Groups that nobody named: found where there are some, named alike from one week to the next."""

from __future__ import annotations

import random

import msgspec
import pytest

from event_assets.models.features import Values
from event_assets.models.scoring import EVERYBODY, ClusterModel, RobustScale, read_model, score
from event_assets.rules.feature import Feature
from event_assets.rules.model import Clusters

clusters = pytest.importorskip("event_assets.models.clusters")
training = pytest.importorskip("event_assets.models.training")

NAMES = ("events", "buys", "days_away")
EMPTY = ClusterModel("alike", "1", {}, [RobustScale(name, 0.0, 1.0) for name in NAMES], [], False, "", "2026-03-29")


def people(seed: int, *kinds: tuple[float, float, float], each: int = 150) -> list[Values]:
    chance = random.Random(seed)
    return [
        dict(zip(NAMES, (round(mean * chance.uniform(0.8, 1.25), 3) for mean in kind), strict=True))
        for kind in kinds
        for _ in range(each)
    ]


HEAVY, BUYERS, AWAY = (300.0, 1.0, 1.0), (20.0, 30.0, 2.0), (2.0, 0.0, 90.0)


def test_people_of_three_kinds_are_three_groups_with_names_that_say_what_they_are() -> None:
    learned, chosen = clusters.fit(EMPTY, people(1, HEAVY, BUYERS, AWAY), 6)
    assert learned.promoted and max(chosen.silhouettes, key=lambda each: chosen.silhouettes[each]) == "3"
    assert sorted(chosen.sizes.values()) == [150, 150, 150]
    placed = [score(learned, dict(zip(NAMES, kind, strict=True))).segment for kind in (HEAVY, BUYERS, AWAY)]
    assert len(set(placed)) == 3 and placed[1] == "high buys" and set(placed) == set(chosen.sizes)
    assert read_model(msgspec.json.encode(learned)) == learned


def test_groups_keep_their_names_while_they_move_a_little_and_their_order_changes() -> None:
    first, _ = clusters.fit(EMPTY, people(1, HEAVY, BUYERS, AWAY), 6)
    moved = people(2, (2.5, 0.0, 80.0), (24.0, 26.0, 2.0), (330.0, 1.0, 1.0), each=120)
    second, _ = clusters.fit(EMPTY, moved, 6, first)
    for kind in (HEAVY, BUYERS, AWAY):
        values = dict(zip(NAMES, kind, strict=True))
        assert score(second, values).segment == score(first, values).segment


def test_people_of_one_kind_are_one_segment_and_it_says_why() -> None:
    chance = random.Random(4)
    cloud: list[Values] = [{name: 2.718 ** chance.gauss(3, 0.4) for name in NAMES} for _ in range(400)]
    learned, _ = clusters.fit(EMPTY, cloud, 4)
    assert not learned.promoted and "people are not in groups: the best silhouette is" in learned.why
    assert score(learned, cloud[0]).segment == EVERYBODY
    same, _ = clusters.fit(EMPTY, [dict.fromkeys(NAMES, 1.0)] * 50, 4)
    assert not same.promoted


def test_what_is_not_known_is_in_the_middle_and_one_who_does_very_much_is_no_group_of_their_own() -> None:
    values = people(1, HEAVY, BUYERS, AWAY)
    alone: Values = {"events": 1e9, "buys": None, "days_away": None}
    learned, chosen = clusters.fit(EMPTY, [*values, alone], 6)
    assert min(chosen.sizes.values()) >= 150
    told = score(learned, alone)
    assert [reason.feature for reason in told.reasons] == ["events"] and told.reasons[0].effect == 3.0


def test_with_too_few_people_no_groups_are_looked_for() -> None:
    features = {name: Feature(count="anything") for name in NAMES}
    model = Clusters(kind="clusters", name="alike", features=[*NAMES])
    examples = training.Examples([0] * 9, people(1, HEAVY, each=9), [False] * 9)
    trained = training.train_clusters(model, features, examples, "1", "2026-03-29")
    assert not trained.model.promoted and "there are 9 people to learn from; it takes 200" in trained.model.why
    enough = training.Examples([0] * 450, people(1, HEAVY, BUYERS, AWAY), [False] * 450)
    found = training.train_clusters(model, features, enough, "1", "2026-03-29")
    assert found.model.promoted and [size for _, size, _ in found.card.segments] == [150, 150, 150]
    again = training.train_clusters(model, features, enough, "1", "2026-04-05", found.model)
    assert [name for name, _, _ in again.card.segments] == [name for name, _, _ in found.card.segments]
