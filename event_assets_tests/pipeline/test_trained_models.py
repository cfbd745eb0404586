"""Models learn once a week from the lake's tables, and when what they learn from changes."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import random
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from event_assets.models.scoring import read_model, score
from event_assets.pipeline import trained_models
from event_assets.pipeline.identities import identities_step
from event_assets.pipeline.person_features import person_features_step
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.trained_models import models_in_force, trained_models_step
from event_assets.rules.condition import Step
from event_assets.rules.feature import Feature, Features
from event_assets.rules.model import Model, Models, Rule, ScoredSegment
from event_assets_tests.factories import at, enriched_event
from event_assets_tests.pipeline.runs import a_run
from event_assets_tests.pipeline.test_people import People

pytestmark = pytest.mark.slow
training = pytest.importorskip("event_assets.models.training")

Row = dict[str, Any]
FEATURES = Features(
    {"events": Feature(count="anything"), "signups": Feature(count=Step(event="signup")), "os": Feature(first="os")}
)
MODEL = Model(
    name="comes_back",
    target="anything",
    within="7 days",
    features=["events", "signups"],
    rule=Rule(feature="events", at_least=2.0),
    segments=[ScoredSegment(segment="likely", at_least=0.5), ScoredSegment(segment="unlikely")],
    least_people=60,
)


def visits(count: int = 300) -> list[Row]:
    """Who signs up comes back within a week; how much somebody does on the first day says nothing."""
    chance, rows = random.Random(3), list[Row]()
    for number in range(count):
        day, person = number % 40, {"anonymous_id": f"p{number}"}
        rows += [enriched_event(when=at(minutes, days=day), **person) for minutes in range(chance.randint(1, 4))]
        if chance.random() < 0.4:
            rows.append(enriched_event("signup", at(300, days=day), **person))
            if chance.random() < 0.9:
                rows.append(enriched_event(when=at(days=day + chance.randint(1, 6)), **person))
        elif chance.random() < 0.1:
            rows.append(enriched_event(when=at(days=day + chance.randint(1, 12)), **person))
    return rows


class Learning(People):
    """A lake of people, and a model that learns of them."""

    def learn(self, model: Model = MODEL, features: Features = FEATURES, **more: Any) -> StepReport:
        now = a_run(self.lake, self.spark, features=features, models=Models((model,)), **more)
        identities_step(now)
        person_features_step(now)
        return trained_models_step(now)

    def learned(self) -> list[Row]:
        rows = self.lake.table("trained_models").snapshot().arrow().to_pylist()
        return sorted(rows, key=lambda row: row["number"])


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path) -> Learning:
    return Learning(spark, tmp_path)


@pytest.mark.representative
def test_a_model_learns_once_a_week_and_when_its_file_changes(lake: Learning, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.change([enriched_event()])
    assert lake.learn().new_rows == 0  # nobody's days have passed
    lake.change(visits())
    report = lake.learn()
    [row] = lake.learned()
    assert (row["name"], row["number"], row["is_promoted"], row["trained_to"].isoweekday()) == (
        "comes_back",
        1,
        True,
        7,
    )
    card = report.cards["comes_back"]
    assert card["areas"]["model"]["low"] > 0.8 and {each["group"] for each in card["groups"]} == {"web", "(none)"}
    model = read_model(row["document"].encode())
    assert card["newest"] > 0 and set(card["drift"]) == {"events", "signups"}
    assert [score(model, {"events": 2, "signups": n}).segment for n in (1, 0)] == ["likely", "unlikely"]
    assert (lake.learn().new_rows, len(lake.learned())) == (0, 1)
    lake.change([enriched_event(when=at(days=60))])
    assert lake.learn().new_rows == 1
    assert lake.learn(MODEL.model_copy(update={"description": "other words"})).new_rows == 0
    assert lake.learn(MODEL.model_copy(update={"within": "3 days"})).new_rows == 1
    assert models_in_force(lake.lake.table("trained_models").snapshot())["comes_back"]["number"] == 3
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert trained_models.NOT_INSTALLED in lake.learn().warnings


def test_what_came_after_a_moment_is_not_in_what_is_learned_and_whose_days_have_not_passed_is_left_out(
    lake: Learning, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody comes back on the last day but one; a model that saw more than the first day would see it."""
    seen: list[Any] = []
    newest: list[Any] = []
    real = training.train

    def told(*given: Any) -> Any:
        seen.append(given[2])
        newest.extend(given[5])
        return real(*given)

    monkeypatch.setattr(training, "train", told)
    people = [f"p{number}" for number in range(4)]
    firsts = [enriched_event(when=at(days=day), anonymous_id=person) for day, person in enumerate(people)]
    lake.change([*firsts, *(enriched_event(when=at(days=9), anonymous_id=person) for person in people)])
    lake.change(
        [enriched_event(when=at(days=14), anonymous_id="late"), enriched_event(is_bot=True, anonymous_id="bot")]
    )
    lake.learn()
    [examples] = seen
    first = (at().date() - dt.date(1970, 1, 1)).days
    assert [day - first for day in examples.days] == [0, 1, 2, 3]  # until the Sunday of day 13
    assert examples.did == [False, False, True, True]
    assert newest == []  # the one who is late is of a day after that Sunday
    assert {json.dumps(values, sort_keys=True) for values in examples.values} == {'{"events": 1, "signups": 0}'}
