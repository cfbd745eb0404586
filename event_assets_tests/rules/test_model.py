"""Models as users write them: what a file must say, and what it is told where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from event_assets.rules.feature import Features
from event_assets.rules.model import Among, Clusters, Model, Models, model_digest

FEATURES = "name: mine\nfeatures: {events: {count: anything}, plan: {trait: plan}}\n"
GOOD = {
    "kind": "classifier",
    "name": "m",
    "target": "anything",
    "within": "7 days",
    "features": "[events, plan]",
    "rule": "{feature: events, at_least: 3}",
    "segments": "[{segment: a, at_least: 0.5}, {segment: b}]",
}
WRONG = {
    "kind: tree": "kind is classifier or clusters",
    "within: 7 hours": "number of days or weeks",
    "features: [event]": "there is no feature 'event', did you mean events?",
    "features: [events, events]": "events is there twice",
    "rule: {feature: plan, at_least: 3}": "rule.feature plan is a text; say one that is a number",
    "segments: [{segment: a}, {segment: b, at_least: 0.5}]": "they go from the highest score down",
    "segments: [{segment: a, at_least: 0.5}, {segment: a}]": "a segment is there twice",
    "population: [{feature: events}]": "it holds of everybody; say at_least, at_most or is",
    "target: {event: buy, where: {person.plan: pro}}": "events have no person.plan in a target",
}
CLUSTERS = "kind: clusters\nname: {}\nfeatures: [{}]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "mine.yaml").write_text(FEATURES)
    return tmp_path


def written(**fields: str) -> str:
    return "".join(f"{name}: {value}\n" for name, value in {**GOOD, **fields}.items())


@pytest.mark.parametrize("slip", WRONG)
def test_a_slip_is_told_and_does_not_touch_the_other_models(folder: Path, slip: str) -> None:
    name, _, value = slip.partition(": ")
    (folder / "good.yaml").write_text(written(name="good"))
    (folder / "wrong.yaml").write_text(written(**{name: value}))
    models = Models.load(folder)
    assert [each.name for each in models.usable] == ["good"]
    assert WRONG[slip] in models.faults["wrong"] and "wrong.yaml" in models.faults["wrong"]


def test_groups_are_found_by_numbers_and_have_no_target(folder: Path) -> None:
    (folder / "alike.yaml").write_text(CLUSTERS.format("alike", "events"))
    (folder / "by_text.yaml").write_text(CLUSTERS.format("by_text", "plan"))
    (folder / "aimed.yaml").write_text(CLUSTERS.format("aimed", "events") + "target: anything\n")
    models = Models.load(folder)
    [alike] = models.usable
    assert isinstance(alike, Clusters) and alike.days == 0
    assert "features: plan is a text; groups are found by numbers" in models.faults["by_text"]
    assert "there is no such field" in models.faults["aimed"]


def test_a_score_is_in_the_first_segment_that_it_is_enough_for(folder: Path) -> None:
    (folder / "good.yaml").write_text(written())
    [model] = Models.load(folder).usable
    assert isinstance(model, Model)
    assert [model.segment_of(score) for score in (0.5, 0.49, 0.0)] == ["a", "b", "b"]


def test_whom_a_model_is_about_is_told_by_bounds_and_by_texts() -> None:
    some, pro = Among(feature="events", at_least=2, at_most=4), Among(feature="plan", is_=["pro"])
    assert [some.holds(value) for value in (1, 2, 4, 5, None, "2")] == [False, True, True, False, False, False]
    assert [pro.holds(value) for value in ("pro", "free", None, 1)] == [True, False, False, False]


def test_other_words_are_the_same_model_and_another_rule_is_not(folder: Path) -> None:
    features = Features.of_models(folder)
    (folder / "good.yaml").write_text(written())
    [model] = Models.load(folder).usable
    assert model_digest(model.model_copy(update={"description": "x"}), features) == model_digest(model, features)
    assert model_digest(model.model_copy(update={"least_people": 50}), features) != model_digest(model, features)
    assert model_digest(model, Features()) != model_digest(model, features)
