"""The tracking plan: its rules, its modes, and errors that name the file, the place and the rule."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.decoder import Decoded, EventDecoder, Rejection
from event_assets.contract.plan import PlanError, TrackingPlan
from event_assets_tests.contract.events import json_values, line

SHIPPED = Path(__file__).parents[2] / "event_assets" / "contract" / "plans"
PLAN = TrackingPlan.load(SHIPPED)

PURCHASE = """
event: purchase
mode: {mode}
fields: [user_id, page.url]
versions:
  1:
    properties:
      order_id: {{type: string, required: true, max_length: 8, pattern: '^o_'}}
      revenue: {{type: number, required: true, minimum: 0, maximum: 100}}
      currency: {{type: string, enum: [EUR, USD]}}
      quantity: {{type: integer, minimum: 1, maximum: 5}}
      step: {{type: integer, enum: [1, 2]}}
      gift: {{type: boolean}}
      items: {{type: array}}
      address: {{type: object}}
      paid_at: {{type: timestamp}}
  2:
    properties:
      total: {{type: number, required: true}}
"""
GOOD = {"order_id": "o_1", "revenue": 9.5}


def decoder(folder: Path, mode: str = "quarantine", unknown: str = "") -> EventDecoder:
    (folder / "purchase.yaml").write_text(PURCHASE.format(mode=mode))
    if unknown:
        (folder / "_settings.yaml").write_text(f"unknown_events: {unknown}")
    return EventDecoder(TrackingPlan.load(folder))


def purchase(**changes: Any) -> bytes:
    return line(**{"event": "purchase", "user_id": "u", "page": {"url": "x"}, "properties": GOOD, **changes})


def load_one(folder: Path, text: str, name: str = "thing.yaml") -> TrackingPlan:
    (folder / name).write_text(text)
    return TrackingPlan.load(folder)


# What a plan says of an event ----------------------------------------------------------------------------------------


def test_an_event_that_keeps_its_plan_is_clean(tmp_path: Path) -> None:
    everything = {
        **GOOD,
        "currency": "EUR",
        "quantity": 5,
        "step": 2,
        "gift": False,
        "items": [{"id": 1}],
        "address": {"city": "Graz"},
        "paid_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC).isoformat(),
        "not_in_the_plan": "is allowed",
    }
    decoded = decoder(tmp_path).decode(purchase(properties=everything))
    assert isinstance(decoded, Decoded) and decoded.violations is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("order_id", None),
        ("order_id", 7),
        ("order_id", "o_2345678"),
        ("order_id", "x_1"),
        ("revenue", "9.5"),
        ("revenue", -0.01),
        ("revenue", 100.01),
        ("currency", "CHF"),
        ("quantity", 0),
        ("quantity", 6),
        ("quantity", 1.5),
        ("step", 3),
        ("gift", "true"),
        ("items", {}),
        ("address", []),
        ("paid_at", "2026-01-01"),
        ("paid_at", "2026-01-01T00:00:00"),
    ],
)
def test_a_property_that_breaks_its_rule_is_named(tmp_path: Path, name: str, value: Any) -> None:
    decoded = decoder(tmp_path).decode(purchase(properties={**GOOD, name: value}))
    assert isinstance(decoded, Rejection) and decoded.reason == "plan_violation"
    assert f"$.properties.{name}" in decoded.detail
    assert "purchase v1" in decoded.detail


@pytest.mark.parametrize("properties", [{}, None, ..., {"order_id": "o_1"}])
def test_a_required_property_that_is_missing_is_named(tmp_path: Path, properties: Any) -> None:
    decoded = decoder(tmp_path).decode(purchase(properties=properties))
    assert isinstance(decoded, Rejection) and decoded.reason == "plan_violation"
    assert ("revenue" if properties == {"order_id": "o_1"} else "order_id") in decoded.detail


@pytest.mark.parametrize("name", ["currency", "quantity", "gift", "items", "address", "paid_at"])
def test_an_optional_property_may_be_null(tmp_path: Path, name: str) -> None:
    assert isinstance(decoder(tmp_path).decode(purchase(properties={**GOOD, name: None})), Decoded)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"user_id": ...}, "user_id"),
        ({"user_id": ""}, "user_id"),
        ({"page": ...}, "page.url"),
        ({"page": {}}, "page.url"),
    ],
)
def test_a_contract_field_that_the_plan_requires_is_named(tmp_path: Path, changes: dict[str, Any], field: str) -> None:
    decoded = decoder(tmp_path).decode(purchase(**changes))
    assert isinstance(decoded, Rejection) and decoded.reason == "plan_violation"
    assert f"the field {field} is required" in decoded.detail


@pytest.mark.parametrize("traits", [..., None])
def test_traits_can_be_required_too(tmp_path: Path, traits: Any) -> None:
    plan = load_one(tmp_path, "event: identify\nmode: reject\nfields: [traits]\nversions: {1: {}}")
    assert isinstance(EventDecoder(plan).decode(line(event="identify", traits=traits)), Rejection)
    assert isinstance(EventDecoder(plan).decode(line(event="identify", traits={"a": 1})), Decoded)


def test_each_version_has_its_own_rules(tmp_path: Path) -> None:
    decoded = decoder(tmp_path).decode(purchase(schema_version=2, properties={"total": 3}))
    assert isinstance(decoded, Decoded)


def test_a_version_that_the_plan_does_not_have_breaks_it(tmp_path: Path) -> None:
    decoded = decoder(tmp_path).decode(purchase(schema_version=3))
    assert isinstance(decoded, Rejection) and decoded.reason == "plan_violation"
    assert "schema_version 3" in decoded.detail and "(1, 2)" in decoded.detail


def test_a_long_value_is_not_repeated_in_the_detail(tmp_path: Path) -> None:
    decoded = decoder(tmp_path).decode(purchase(properties={**GOOD, "currency": "\x1b\n" * 10_000}))
    assert isinstance(decoded, Rejection)
    assert len(decoded.detail) <= 501 and decoded.detail.isprintable()


SECRET = "jane@example.com - at `$.currency`"


@pytest.mark.parametrize("mode", ["warn", "quarantine"])
@pytest.mark.parametrize(("name", "value"), [("currency", SECRET), ("step", 41)])
def test_a_value_is_quoted_unless_its_field_is_hidden(tmp_path: Path, mode: str, name: str, value: Any) -> None:
    (tmp_path / "purchase.yaml").write_text(PURCHASE.format(mode=mode))
    plan = TrackingPlan.load(tmp_path)
    sent = purchase(properties={**GOOD, name: value})
    for hidden, is_quoted in ((("properties.gift", f"traits.{name}"), True), ((f"properties.{name}",), False)):
        decoded = EventDecoder(plan, hidden=hidden).decode(sent)
        words = decoded.detail if isinstance(decoded, Rejection) else decoded.violations
        assert words is not None and words.endswith(f"at `$.properties.{name}`")
        assert (str(value).partition(" ")[0] in words) == is_quoted


def test_a_value_of_a_property_that_the_plan_marks_as_personal_is_not_quoted(tmp_path: Path) -> None:
    rules = PURCHASE.format(mode="quarantine").replace("enum: [EUR, USD]", "enum: [EUR, USD], pii: true")
    decoded = EventDecoder(load_one(tmp_path, rules)).decode(purchase(properties={**GOOD, "currency": SECRET}))
    assert isinstance(decoded, Rejection)
    assert decoded.detail == "purchase v1: Invalid enum value - at `$.properties.currency`"


# Modes ---------------------------------------------------------------------------------------------------------------

BROKEN = {"order_id": "o_1", "revenue": -1}


@pytest.mark.parametrize("at_edge", [True, False])
def test_mode_warn_keeps_the_event_and_says_what_is_wrong(tmp_path: Path, at_edge: bool) -> None:
    decoded = decoder(tmp_path, "warn").decode(purchase(properties=BROKEN), at_edge=at_edge)
    assert isinstance(decoded, Decoded)
    assert "$.properties.revenue" in (decoded.violations or "")


def test_mode_quarantine_lets_the_event_in_at_the_edge_and_sets_it_aside_when_cleaned(tmp_path: Path) -> None:
    strict = decoder(tmp_path, "quarantine")
    at_edge = strict.decode(purchase(properties=BROKEN), at_edge=True)
    assert isinstance(at_edge, Decoded) and at_edge.violations
    cleaned = strict.decode(purchase(properties=BROKEN))
    assert isinstance(cleaned, Rejection) and cleaned.reason == "plan_violation"
    assert (cleaned.event_id, cleaned.event) == ("e-1", "purchase")


@pytest.mark.parametrize("at_edge", [True, False])
def test_mode_reject_turns_the_event_away_at_the_edge_and_when_cleaned(tmp_path: Path, at_edge: bool) -> None:
    decoded = decoder(tmp_path, "reject").decode(purchase(properties=BROKEN), at_edge=at_edge)
    assert isinstance(decoded, Rejection) and decoded.reason == "plan_violation"


def test_a_plan_without_a_mode_warns(tmp_path: Path) -> None:
    plan = load_one(tmp_path, "event: thing\nversions: {1: {properties: {a: {type: string, required: true}}}}")
    decoded = EventDecoder(plan).decode(line(event="thing"))
    assert isinstance(decoded, Decoded) and decoded.violations


def test_an_unknown_event_is_kept_with_a_warning_by_default(tmp_path: Path) -> None:
    decoded = decoder(tmp_path).decode(line(event="new thing"))
    assert isinstance(decoded, Decoded)
    assert "'new thing'" in (decoded.violations or "")


@pytest.mark.parametrize(
    ("unknown", "at_edge", "kept"),
    [("quarantine", True, True), ("quarantine", False, False), ("reject", True, False), ("reject", False, False)],
)
def test_an_unknown_event_is_treated_as_the_plan_settings_say(
    tmp_path: Path, unknown: str, at_edge: bool, kept: bool
) -> None:
    decoded = decoder(tmp_path, unknown=unknown).decode(line(event="new thing"), at_edge=at_edge)
    assert isinstance(decoded, Decoded) is kept
    if isinstance(decoded, Rejection):
        assert decoded.reason == "unknown_event"


def test_an_empty_plan_allows_every_event() -> None:
    decoded = EventDecoder(TrackingPlan()).decode(line(event="anything"))
    assert isinstance(decoded, Decoded) and decoded.violations is None


def test_a_plan_of_settings_alone_is_obeyed(tmp_path: Path) -> None:
    plan = load_one(tmp_path, "unknown_events: reject", "_settings.yaml")
    assert isinstance(EventDecoder(plan).decode(line()), Rejection)


# Errors in plan files ------------------------------------------------------------------------------------------------


def plan_of(rule: str) -> str:
    return f"event: thing\nversions:\n  1:\n    properties:\n      size: {{{rule}}}\n"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("type: strin", "Invalid enum value 'strin'"),
        ("required: true", "missing required field `type`"),
        ("type: string, requried: true", "unknown field `requried`"),
        ("type: string, required: often", "Expected `bool`"),
        ("type: string, pattern: '('", "unterminated subpattern"),
        ("type: string, minimum: 1", "numeric"),
        ("type: string, max_length: -1", "max_length"),
        ("type: integer, minimum: 0.5", "must be integers"),
        ("type: integer, maximum: 0.5", "must be integers"),
        ("type: number, minimum: 5, maximum: 1", "minimum 5 is above maximum 1"),
        ("type: number, minimum: .nan", "finite"),
        ("type: number, enum: [1.5]", "enum is for strings and integers"),
        ("type: string, enum: []", "at least one string"),
        ("type: string, enum: [a, 1]", "and nothing else"),
        ("type: integer, enum: [a]", "and nothing else"),
        ("type: string, enum: [yes, no]", "enum[0]"),
        ("type: string, enum: [a], max_length: 1", "enum says all"),
        ("type: boolean, pattern: x", "pattern"),
    ],
)
def test_a_rule_that_cannot_be_used_names_the_file_the_version_the_property_and_the_rule(
    tmp_path: Path, rule: str, words: str
) -> None:
    with pytest.raises(PlanError) as error:
        load_one(tmp_path, plan_of(rule))
    for part in (str(tmp_path / "thing.yaml"), "version 1", "'size'", words):
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Expected `object`"),
        ("- a", "Expected `object`"),
        ("event: [", "while parsing"),
        ("event: thing", "`versions`"),
        ("versions: {1: {}}", "`event`"),
        ("event: ''\nversions: {1: {}}", "$.event"),
        ("event: 404\nversions: {1: {}}", "$.event"),
        ("event: thing\nversions: {}", "$.versions"),
        ("event: thing\nversions: {0: {}}", "$.versions"),
        ("event: thing\nversions: {one: {}}", "$.versions"),
        ("event: thing\nversions: {1: }", "$.versions"),
        ("event: thing\nversions: {1: {properties: [a]}}", "properties"),
        ("event: thing\nversions: {1: {}}\nmode: strict", "$.mode"),
        ("event: thing\nversions: {1: {}}\nmodes: warn", "`modes`"),
        ("event: thing\nversions: {1: {}}\nfields: [page.urls]", "'page.urls'"),
        ("event: thing\nversions: {1: {}}\nfields: [page.]", "'page.'"),
        ("event: thing\nversions: {1: {}}\nfields: [user_id.x]", "'user_id.x'"),
        ("event: thing\nversions: {1: {}}\nfields: [usr]", "'usr'"),
        ("event: thing\nevent: other\nversions: {1: {}}", "'event' is given twice"),
        (
            "event: thing\nversions: {1: {properties: {a: {type: string}, a: {type: integer}}}}",
            "'a' is given twice",
        ),
    ],
)
def test_a_plan_that_cannot_be_used_names_the_file_and_the_rule(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(PlanError) as error:
        load_one(tmp_path, text)
    assert str(tmp_path / "thing.yaml") in str(error.value)
    assert words in str(error.value)


def test_a_plan_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    (tmp_path / "thing.yaml").write_bytes(b"event: caf\xe9")
    with pytest.raises(PlanError, match=r"thing\.yaml"):
        TrackingPlan.load(tmp_path)


def test_wrong_plan_settings_name_their_file(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"_settings\.yaml.*unknown_events"):
        load_one(tmp_path, "unknown_events: ignore", "_settings.yaml")


def test_one_event_has_one_file(tmp_path: Path) -> None:
    for name in ("one.yaml", "two.yml"):
        (tmp_path / name).write_text("event: thing\nversions: {1: {}}")
    with pytest.raises(PlanError, match=r"two\.yml.*'thing' has a file already"):
        TrackingPlan.load(tmp_path)


def test_a_folder_that_is_not_there_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="EVENT_ASSETS_PLAN_DIR"):
        TrackingPlan.load(tmp_path / "nowhere")


# The digest ----------------------------------------------------------------------------------------------------------


def digest(folder: Path, text: str) -> str:
    return load_one(folder, text).digest


def test_the_digest_changes_with_every_rule(tmp_path: Path) -> None:
    changed = [
        plan_of("type: integer"),
        plan_of("type: number"),
        plan_of("type: integer, required: true"),
        plan_of("type: integer, minimum: 1"),
        plan_of("type: integer, pii: true"),
        plan_of("type: integer") + "mode: reject\n",
        plan_of("type: integer") + "fields: [user_id]\n",
        plan_of("type: integer").replace("1:", "2:"),
        plan_of("type: integer").replace("event: thing", "event: other"),
    ]
    assert len({digest(tmp_path, text) for text in changed}) == len(changed)
    before = digest(tmp_path, changed[0])
    assert load_one(tmp_path, "unknown_events: reject", "_settings.yaml").digest != before


def test_the_digest_stays_when_words_and_order_change(tmp_path: Path) -> None:
    one = (
        "event: thing\nfields: [user_id, page.url]\nversions: {1: {properties: {a: {type: string}, b: {type: number}}}}"
    )
    same = (
        "description: Words.\nversions: {1: {properties: {b: {unit: s, type: number, description: Words.},"
        " a: {type: string}}}}\nfields: [page.url, user_id]\nevent: thing"
    )
    assert digest(tmp_path, one) == digest(tmp_path, same)


# The plan that is shipped --------------------------------------------------------------------------------------------


def test_the_shipped_plan_loads_and_each_file_bears_the_name_of_its_event() -> None:
    assert len(PLAN.events) >= 15
    assert {path.stem for path in SHIPPED.glob("*.yaml")} == {*PLAN.events, "_settings"}


def test_every_event_and_property_of_the_shipped_plan_is_described() -> None:
    for event in PLAN.events.values():
        assert event.description, event.event
        for version in event.versions.values():
            assert [name for name, rule in version.properties.items() if not rule.description] == []


PROPERTY_NAMES = sorted({name for e in PLAN.events.values() for v in e.versions.values() for name in v.properties})


@given(st.sampled_from(sorted(PLAN.events)), st.dictionaries(st.sampled_from(PROPERTY_NAMES), json_values, max_size=5))
def test_a_plan_judges_any_properties_without_raising(event: str, properties: dict[str, Any]) -> None:
    decoded = EventDecoder(PLAN).decode(line(event=event, properties=properties))
    assert isinstance(decoded, Decoded | Rejection)


def test_a_number_without_a_fraction_is_an_integer_for_the_plan_too(tmp_path: Path) -> None:
    rules = "{event: thing, mode: reject, versions: {1: {properties: {n: {type: integer, maximum: 7}}}}}"
    decoder = EventDecoder(load_one(tmp_path, rules))
    for text, is_taken in ((b"3.0", True), (b"3e0", True), (b"3.5", False), (b"8.0", False), (b'"3.0"', False)):
        sent = line(event="thing")[:-1] + b',"properties":{"n":' + text + b"}}"
        assert isinstance(decoder.decode(sent), Decoded) is is_taken, text
