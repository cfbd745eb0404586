"""Users' own functions: named in settings, run once a value, and never the loss of a row."""

from __future__ import annotations

import json
from typing import Any

import pytest

from event_assets.enrichment.custom import BadEnrichment, CustomEnrichment, custom_enrichments
from event_assets.transforms.events.enrich import Enricher, EnrichRules
from event_assets_tests.transforms import own_enrichments
from event_assets_tests.transforms.events.test_enrich import batch_of, clean_event

OWN = "event_assets_tests.transforms.own_enrichments:"


def rules(*names: str) -> EnrichRules:
    return EnrichRules(custom=custom_enrichments([OWN + name for name in names]))


def enriched(names: list[str], *rows: dict[str, Any]) -> list[dict[str, Any]]:
    return list(Enricher(rules(*names)).enriched(batch_of(*rows)).to_pylist())


def test_what_a_function_gives_is_found_under_its_name() -> None:
    (row,) = enriched(["tier"], clean_event(user_id="g1"))
    assert (row["custom"], row["enrichment_failures"]) == ('{"tier":"gold"}', None)


def test_several_functions_may_take_what_was_sent_and_what_was_enriched() -> None:
    (row,) = enriched(["tier", "basket"], clean_event(user_id="u1", properties='{"items":[1,2]}', ip="8.8.8.8"))
    assert json.loads(row["custom"]) == {"tier": "basic", "basket": {"items": 2, "abroad": True}}


def test_none_says_nothing() -> None:
    rows = enriched(["tier", "basket"], clean_event(), clean_event(user_id="g"))
    assert [row["custom"] for row in rows] == [None, '{"tier":"gold"}']
    assert enriched([], clean_event())[0]["custom"] is None


def test_a_function_runs_once_for_each_different_value() -> None:
    own_enrichments.calls.clear()
    rows = enriched(["tier"], *(clean_event(user_id=f"u{n % 3}") for n in range(30)))
    assert sorted(map(str, own_enrichments.calls)) == ["u0", "u1", "u2"]
    assert all(row["custom"] == '{"tier":"basic"}' for row in rows)


def test_a_failure_is_noted_on_its_row_and_leaves_its_neighbours_and_the_other_functions() -> None:
    events = [clean_event(event=name, user_id="g") for name in ("page_view", "bad", "new")]
    rows = enriched(["broken", "tier"], *events)
    assert [row["custom"] for row in rows] == [
        '{"broken":"view","tier":"gold"}',
        '{"tier":"gold"}',
        '{"tier":"gold"}',
    ]
    assert [row["enrichment_failures"] for row in rows] == [
        None,
        "broken: bad is no event of ours",
        "broken: KeyError",
    ]


def test_a_result_that_no_column_could_hold_is_a_failure() -> None:
    rows = enriched(["endless", "unwritable"], clean_event(event_id="long"), clean_event(event_id="e"))
    assert [row["custom"] for row in rows] == [None, '{"endless":"e"}']
    assert "endless: the result has 20012 bytes; 16384 are allowed" in rows[0]["enrichment_failures"]
    assert all("unwritable: TypeError" in row["enrichment_failures"] for row in rows)


def test_the_version_is_the_functions_own_and_changes_that_of_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "tier:1 basket:3" in rules("tier", "basket").versions
    before = rules("basket").version
    monkeypatch.setattr(own_enrichments.basket, "version", "4")
    assert rules("basket").version != before


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("", "must be package.module:function"),
        ("own_enrichments", "no colon with a function's name"),
        ("no_such_package.module:tier", "ModuleNotFoundError"),
        (OWN + "nothing", "AttributeError"),
        (OWN + "calls", "its parameters must be columns"),
        (OWN + "no_columns", "its parameters must be columns"),
        (OWN + "any_columns", "its parameters must be columns"),
        (OWN + "unknown_column", "shoe_size"),
        (OWN + "later_column", "but for custom, enrichments, enrichment_failures"),
    ],
)
def test_what_is_no_enrichment_is_refused_with_name_and_rule(reference: str, message: str) -> None:
    with pytest.raises(BadEnrichment, match=message) as refused:
        CustomEnrichment.named(reference)
    assert repr(reference) in str(refused.value)


def test_two_functions_of_one_name_are_refused() -> None:
    with pytest.raises(BadEnrichment, match="tier: two enrichments have the same function name"):
        custom_enrichments([OWN + "tier", OWN + "tier"])
