"""Personal data that settings name is replaced: everywhere, and by the same pseudonym for the same value."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from event_assets.contract.decoder import Rejection
from event_assets.contract.plan import TrackingPlan
from event_assets.enrichment.pseudonyms import Pseudonyms, pseudonymised
from event_assets.settings import Settings
from event_assets.transforms.events.clean import CleanRules, clean, quarantine
from event_assets.transforms.events.reading import decoders_of
from event_assets_tests.examples import texts
from event_assets_tests.factories import rows_of
from event_assets_tests.transforms.events.test_clean import packed, records, sent
from event_assets_tests.transforms.events.test_enrich import batch_of, clean_event

KEY = b"kept outside the lake"
MAIL = "jane@example.com"


def of(value: str) -> str:
    return Pseudonyms(("user_id",), (KEY,)).of(value)


def replaced(field: str, **fields: Any) -> dict[str, Any]:
    """One event with the pseudonyms of one field."""
    texts = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in fields.items()}
    (row,) = pseudonymised(batch_of(clean_event(**texts)), Pseudonyms((field,), (KEY,))).to_pylist()
    return dict(row)


def properties(field: str, sent: dict[str, Any]) -> Any:
    return json.loads(replaced(field, properties=sent)["properties"])


def test_a_pseudonym_is_an_hmac_that_only_the_key_repeats() -> None:
    assert len(of(MAIL)) == 64
    assert of(MAIL) == of(MAIL) != Pseudonyms(("user_id",), (b"another key",)).of(MAIL)
    assert of(MAIL) != of(MAIL.upper())


def test_the_same_value_has_the_same_pseudonym_in_every_field_so_that_rows_join() -> None:
    named = Pseudonyms(("user_id", "traits.id", "properties.customer.id", "extra.who"), (KEY,))
    event = clean_event(
        user_id="42", traits='{"id":"42"}', properties='{"customer":{"id":42}}', extra='{"who":"42","a":1}'
    )
    (row,) = pseudonymised(batch_of(event), named).to_pylist()
    assert row["user_id"] == of("42")
    assert json.loads(row["traits"]) == {"id": of("42")}
    assert json.loads(row["properties"]) == {"customer": {"id": of("42")}}
    assert json.loads(row["extra"]) == {"who": of("42"), "a": 1}


def test_a_trait_is_replaced_however_it_is_set() -> None:
    assert json.loads(replaced("traits.email", traits_once={"email": "a"})["traits_once"]) == {"email": of("a")}


def test_a_field_is_replaced_inside_lists_too() -> None:
    assert properties("properties.guests.mail", {"guests": [{"mail": "a"}, {"mail": "b", "n": 1}, "x"]}) == {
        "guests": [{"mail": of("a")}, {"mail": of("b"), "n": 1}, "x"]
    }
    assert properties("properties.mails", {"mails": ["a", ["b"]]}) == {"mails": [of("a"), [of("b")]]}


def test_whatever_stands_at_the_field_is_replaced() -> None:
    values = {"text": "a", "number": 1.50, "flag": True, "object": {"a": [1]}}
    found = {name: properties("properties.x", {"x": value})["x"] for name, value in values.items()}
    assert found == {"text": of("a"), "number": of("1.5"), "flag": of("true"), "object": of('{"a": [1]}')}


@pytest.mark.parametrize("nothing", [None, "", []])
def test_nothing_stays_nothing(nothing: Any) -> None:
    assert properties("properties.x", {"x": nothing}) == {"x": nothing}
    assert replaced("user_id", user_id=None)["user_id"] is None


@pytest.mark.parametrize("text", ['{"e\\u006dail":"a"}', '{"email":"a"}', '{"email":"b","email":"a"}'])
def test_no_way_of_writing_a_name_gets_past(text: str) -> None:
    row = replaced("properties.email", properties=text)
    assert json.loads(row["properties"]) == {"email": of("a")}
    assert '"b"' not in row["properties"]


def test_a_name_with_a_slash_gets_replaced_however_it_is_escaped() -> None:
    assert json.loads(replaced("properties.a/b", properties='{"a\\/b":"a"}')["properties"]) == {"a/b": of("a")}


def test_a_dot_that_is_part_of_a_name_is_escaped_and_no_other_name_is_replaced() -> None:
    sent = {"utm.source": "a", "utm": {"source": "b"}, r"utm\.source": "c"}
    assert properties(r"properties.utm\.source", sent) == sent | {"utm.source": of("a")}
    assert properties("properties.utm.source", sent) == sent | {"utm": {"source": of("b")}}
    assert properties(r"properties.utm\\\.source", sent) == sent | {r"utm\.source": of("c")}
    assert Settings(pii_fields=r"traits.utm\.source,user_id", pii_key="k").pii_fields == (
        r"traits.utm\.source",
        "user_id",
    )


def test_everything_else_keeps_its_text() -> None:
    text = '{"price":1.00,"big":123456789012345678,"deep":{"email":"x"},"näme":"\\u00e4"}'
    assert replaced("properties.email", properties=text)["properties"] == text
    sent = '{"email":"a","price":1.00,"inner":{"a" : 1e5}}'
    kept = replaced("properties.email", properties=sent)["properties"]
    assert kept == sent.replace('"a","price"', f'"{of("a")}","price"')


def test_ids_are_replaced_together_so_that_identity_still_joins_them() -> None:
    row = replaced("user_id", user_id="u", anonymous_id="a", properties={"previous_id": "a", "other": "a"})
    assert (row["user_id"], row["anonymous_id"]) == (of("u"), of("a"))
    assert json.loads(row["properties"]) == {"previous_id": of("a"), "other": "a"}


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("email", "'email' is no field that can be replaced"),
        ("properties", "'properties' is no field"),
        ("traits..email", r"'traits\.\.email' is no field"),
        ("event_id", "'event_id' is no field"),
        ("ip", "'ip' has a setting of its own, ip_privacy"),
    ],
)
def test_a_field_that_cannot_be_replaced_is_refused(field: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Pseudonyms((field,), (KEY,))
    with pytest.raises(ValueError, match=r"What can be: anonymous_id, .*traits\.email"):
        Settings(pii_fields=(field,), pii_key="k")


def test_fields_need_a_key_and_the_key_is_never_shown() -> None:
    with pytest.raises(ValueError, match="EVENT_ASSETS_PII_KEY is missing"):
        Settings(pii_fields=("user_id",))
    with pytest.raises(ValueError, match="needs a key"):
        Pseudonyms(("user_id",), (b"",))
    named = Pseudonyms(("user_id",), (KEY,))
    assert KEY.decode() not in repr(named) + named.version + repr(Settings(pii_key=KEY.decode()))


def test_the_version_changes_with_fields_and_key() -> None:
    of_each = ((("user_id",), (KEY,)), (("traits.a",), (KEY,)), (("user_id",), (b"k",)), (("user_id",), (KEY, b"k")))
    made = [Pseudonyms(fields, keys) for fields, keys in of_each]
    assert len({pseudonyms.version for pseudonyms in made}) == 4
    rules = CleanRules(TrackingPlan(), Settings().first_day)
    assert rules.version != CleanRules(TrackingPlan(), Settings().first_day, pseudonyms=made[0]).version


@given(st.lists(st.binary(min_size=1), min_size=1, max_size=4), texts(), st.data())
def test_what_is_known_by_an_old_key_is_told_by_the_new_one_without_the_value(
    keys: list[bytes], value: str, data: st.DataObject
) -> None:
    then = data.draw(st.integers(1, len(keys)))
    before, now = Pseudonyms(("user_id",), (*keys[:then],)), Pseudonyms(("user_id",), (*keys,))
    assert now.of(value) in now.since(before.of(value)) and before.of(value) in now.ever(value)
    assert now.ever(value)[0] == value and now.ever(value)[-1] == now.of(value)


def test_keys_are_one_or_a_list_and_a_list_that_is_none_is_a_fault() -> None:
    fields = ("user_id",)
    assert Pseudonyms.of_setting(fields, '["a", "b"]') == Pseudonyms(fields, (b"a", b"b"))
    assert Pseudonyms.of_setting(fields, "a") == Pseudonyms(fields, (b"a",))
    for wrong in ("[1]", "[a]", "[]", '["a", ""]'):
        with pytest.raises(ValueError, match="key"):
            Pseudonyms.of_setting(fields, wrong)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | texts(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["email", "a", 'q"', "ü\\"]), inner),
)


@given(st.dictionaries(st.sampled_from(["email", "a", "b"]), _JSON), st.booleans())
def test_no_value_at_a_named_place_is_left_and_no_other_is_changed(sent: dict[str, Any], escaped: bool) -> None:
    def expected(value: Any, here: bool) -> Any:
        if isinstance(value, list):
            return [expected(item, here) for item in value]
        if not here or value in (None, ""):
            return value
        return of(value if isinstance(value, str) else json.dumps(value, ensure_ascii=escaped))

    row = pseudonymised(
        batch_of(clean_event(properties=json.dumps(sent, ensure_ascii=escaped))),
        Pseudonyms(("properties.email",), (KEY,)),
    )
    found = json.loads(row.to_pylist()[0]["properties"])
    assert found == {name: expected(value, name == "email") for name, value in sent.items()}


_OF_EACH_TYPE = """
event: search
mode: {mode}
versions:
  1:
    properties:
      mail: {{{rule}}}
"""


@pytest.mark.parametrize("mode", ["warn", "quarantine"])
@pytest.mark.parametrize(
    "rule",
    [
        "type: string, enum: [none]",
        "type: integer, enum: [1]",
        "type: string, max_length: 3",
        "type: string, pattern: '^x$'",
        "type: integer, maximum: 1",
        "type: timestamp",
        "type: object",
        "type: array",
        "type: boolean",
    ],
)
@pytest.mark.parametrize("value", ["jane@example.com", 7717171])
def test_what_is_said_of_a_broken_rule_holds_no_value_of_a_replaced_field(
    tmp_path: Path, mode: str, rule: str, value: Any
) -> None:
    (tmp_path / "search.yaml").write_text(_OF_EACH_TYPE.format(mode=mode, rule=rule))
    rules = CleanRules(
        TrackingPlan.load(tmp_path), Settings().first_day, pseudonyms=Pseudonyms(("properties.mail",), (KEY,))
    )
    decoded = decoders_of(rules).exact.decode(sent(properties={"mail": value}))
    words = decoded.detail if isinstance(decoded, Rejection) else decoded.violations
    assert str(value) not in str(words)


def test_neither_clean_nor_quarantined_rows_show_it_nor_the_bytes_of_these(spark: SparkSession, tmp_path: Path) -> None:
    for name, mode in (("search", "warn"), ("find", "quarantine")):
        text = _OF_EACH_TYPE.format(mode=mode, rule="type: string, enum: [none]").replace("search", name)
        (tmp_path / f"{name}.yaml").write_text(text)
    rules = CleanRules(
        TrackingPlan.load(tmp_path), Settings().first_day, pseudonyms=Pseudonyms(("properties.mail",), (KEY,))
    )
    lines = packed([sent(f"e{n}", event=name, properties={"mail": MAIL}) for n, name in enumerate(("search", "find"))])
    [kept] = rows_of(clean(records(spark, lines), rules))
    assert kept["plan_violations"] == "search v1: Invalid enum value - at `$.properties.mail`"
    assert MAIL not in str(kept)
    [set_aside] = rows_of(quarantine(records(spark, lines), rules))
    assert rules.pseudonyms is not None
    assert MAIL not in str(set_aside) and f'"mail":"{rules.pseudonyms.sealed(MAIL)}"'.encode() in set_aside["data"]


def test_clean_events_hold_pseudonyms_alone_on_both_engines(spark_engine: SparkSession) -> None:
    pseudonyms = Pseudonyms(("user_id", "properties.email"), (KEY,))
    rules = CleanRules(TrackingPlan(), Settings().first_day, pseudonyms=pickle.loads(pickle.dumps(pseudonyms)))
    lines = [sent(f"e{n}", user_id="jane", properties={"email": MAIL, "n": n}) for n in range(3)]
    rows = rows_of(clean(records(spark_engine, packed(lines)), rules))
    assert [json.loads(row["properties"]) for row in rows] == [{"email": of(MAIL), "n": n} for n in range(3)]
    assert {(row["user_id"], row["anonymous_id"]) for row in rows} == {(of("jane"), of("a1"))}
    assert not any(MAIL in str(row) or "jane" in str(row) for row in rows)
