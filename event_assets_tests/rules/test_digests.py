"""The digests of rules decide whether history is made again, so they stay as they are: byte for byte, whatever reads
the files. A change here that is not meant makes every table of users' rules anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from event_assets.rules.analysis import Analyses
from event_assets.rules.segment_files import Segments
from event_assets.settings import Settings

SHOP = Path(__file__).parents[2] / "examples" / "shop"
STEPS = "steps: [{event: a}, {event: b, name: Ö, where: {z: [1, 2.0, x], y: true, a.b: -3, 'c\\.d': 1.0e+16}}]"
EVERY_FIELD = {
    f"{{kind: funnel, name: x, include_bots: true, window: 2 weeks, order: strict, breakdown: p, breakdown_values: 3, "
    f"days: 9, {STEPS}}}": "401987793233",
    "{kind: retention, name: x, target: {event: a}, returning: {event: b}, period: day, periods: 3, first_time: true, "
    "week_starts: monday}": "b508544a8e1a",
    "{kind: lifecycle, name: x, event: {event: a}, period: hour, week_starts: monday}": "0178674d11b0",
    "{kind: paths, name: x, by: event, events: [a, b], length: 3, start: /, end: /b, collapse_repeats: false, most: 7, "
    "days: 3}": "3faf75134642",
    "{kind: active_users, name: x, event: {event: a}}": "e04d093b9f73",
    "{kind: stickiness, name: x, event: {event: a}, period: week, week_starts: monday, days: null}": "37f73e981ad3",
    "{kind: web_vitals, name: x, days: 28, least_views: 3}": "0f123c34c6d4",
}
EVERY_CONDITION = """
name: x
include_bots: true
who:
  all:
    - {did: {event: p, where: {z: 1, a: [2.5, y, false]}}, at_least: 2, at_most: 5, last: 2 weeks}
    - any:
        - {did: anything, exactly: 3}
        - {did_not: {event: login}, last: 30 days}
        - not: {sequence: [{event: a}, {event: b, within: 12 hours, name: B}], last: 1 day}
    - {trait: company.size, at_least: 2.5, at_most: 7}
    - {trait: plan, is: [pro, 3, 2.0, true]}
    - {trait: plan}
    - {user: source, is: google}
    - {user: medium, is: [cpc, ppc]}
    - {user: revenue, at_most: 7.0}
    - {segment: good}
"""


def analyses(folder: Path) -> dict[str, str]:
    return {analysis.name: analysis.digest for analysis in Analyses.load(folder).usable}


def test_the_digests_of_the_shipped_analyses_are_those_of_the_first_day() -> None:
    assert analyses(Settings().analytics) == {
        "activation_funnel": "d0bb66629c74",
        "checkout_28_days": "d0d31bf0b181",
        "checkout_28_days_before": "ac4a0268e163",
        "checkout_funnel": "e226c58a812b",
        "daily_events": "67bf79ca2c89",
        "daily_lifecycle": "53791a3f36d6",
        "page_paths": "fd828b27c730",
        "page_speed": "c24ccb08bcbd",
        "people_active": "cda5172b5d9a",
        "people_sticking": "396b6f9f5f32",
        "weekly_lifecycle": "97ad26cd0a3d",
        "weekly_retention": "5bcc371c89a4",
    }


def test_the_digests_of_the_examples_are_those_of_the_first_day() -> None:
    assert analyses(SHOP / "analyses") == {"buying": "776d217e7ffb", "coming_back": "62acabba8397"}
    assert Segments.load(SHOP / "segments").digest == "f5c45521a406"


def test_the_digest_of_the_shipped_segments_is_that_of_the_first_day() -> None:
    assert Segments.load(Settings().segments).digest == "97d0bb775b32"


@pytest.mark.parametrize("text", EVERY_FIELD)
def test_every_field_of_an_analysis_counts_as_it_did_on_the_first_day(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.yaml").write_text(text, encoding="utf-8")
    assert analyses(tmp_path) == {"x": EVERY_FIELD[text]}


def test_every_condition_of_a_segment_counts_as_it_did_on_the_first_day(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("{name: good, who: {did: {event: purchase}}}")
    (tmp_path / "x.yaml").write_text(EVERY_CONDITION)
    (tmp_path / "faulty.yaml").write_text("{name: faulty, who: {}}")
    found = Segments.load(tmp_path)
    assert len(found.usable) == 2 and found.unusable == {"faulty"}
    assert found.digest == "0682ab3b9d08"
