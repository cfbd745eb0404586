"""Features as users write them: what a file must say, and what it is told where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from event_assets.rules.feature import FEATURE_FILE, Features
from event_assets.rules.rule_files import RuleError
from event_assets.settings import Settings

WRONG = {
    "{count: anything, days: anything}": r"features\.f: it has count and days; a feature is one of count, days",
    "{description: nothing}": "it has none; a feature is one of",
    "{trait: plan, last: 7 days}": "last is for count, days, sum, sessions; leave it out",
    "{count: anything, of: {event: buy}}": "of is for sum; say the events in count",
    "{count: anything, as: number}": "as is for trait; leave it out",
    "{first: colour}": "'colour'",
    "{count: anything, last: 5 hours}": "number of days or weeks",
    "{count: {event: buy, where: {person.plan: paid}}}": "events have no person.plan in a feature",
    "{counts: anything}": "there is no such field, did you mean count?",
}


@pytest.mark.parametrize("feature", WRONG)
def test_a_feature_that_is_none_is_told_with_its_line(tmp_path: Path, feature: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(f"name: mine\nfeatures:\n  f: {feature}\n")
    with pytest.raises(RuleError, match=WRONG[feature]) as fault:
        FEATURE_FILE.read(file)
    assert f"{file}:3: features mine: " in str(fault.value)


def test_a_fault_in_one_file_stops_all_for_else_every_row_would_be_made_again(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("name: good\nfeatures: {f: {count: anything}}\n")
    (tmp_path / "taken.yaml").write_text("name: taken\nfeatures: {f: {days: anything}}\n")
    with pytest.raises(RuleError, match=r"taken\.yaml: features taken: f is in another file, too"):
        Features.load(tmp_path)
    with pytest.raises(RuleError, match="EVENT_ASSETS_MODELS_DIR"):
        Features.of_models(tmp_path / "nowhere")
    assert not Features.of_models(tmp_path).usable


def test_words_for_people_do_not_make_other_rows() -> None:
    features = Features.of_models(Settings().models)
    [behaviour] = features.sets
    worded = {name: each.model_copy(update={"description": "x"}) for name, each in behaviour.features.items()}
    assert Features(worded).digest == features.digest
    other = worded | {"events_7d": worded["events_30d"]}
    assert Features(other).digest != features.digest


def test_only_features_that_names_of_events_tell_count_in_an_open_page() -> None:
    usable = Features.of_models(Settings().models).usable
    by_name = {name for name, feature in usable.items() if feature.is_by_name}
    assert by_name == {
        *("active_days_30d", "days_since_first_seen", "days_since_seen", "events_30d", "events_7d", "events_ever"),
        *("lifecycle", "purchases_90d", "views_7d"),
    }
    assert usable["views_7d"].adds("screen_view") and not usable["views_7d"].adds("purchase")
