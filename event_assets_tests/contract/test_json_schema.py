"""The published JSON Schema and the decoder are one contract: what one takes, the other takes too."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema_rs
import msgspec
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.decoder import BARE_LIMITS, Decoded, EventDecoder
from event_assets.contract.event import NESTED, OBJECTS, Event, json_schema
from event_assets.contract.placeholders import PLACEHOLDERS
from event_assets_tests.contract.events import FULL, SMALL
from event_assets_tests.examples import texts

SCHEMA = jsonschema_rs.validator_for(json_schema(), validate_formats=True)
DECODER = EventDecoder(limits=BARE_LIMITS)
PATHS = [(name,) for name in Event.__struct_fields__] + [
    (name, inside) for name, struct in NESTED.items() for inside in struct.__struct_fields__
]
TEXTS = ["", " ", "null", "x" * 128, "x" * 129, "a\nb", "a\x7f", "a\u200cb", "web", "fridge", *sorted(PLACEHOLDERS)[:6]]
TIMES = ["2026-03-01T10:11:12Z", "2016-12-31T23:59:60Z", "2026-03-01T10:11:12", "2026-02-30T10:11:12Z", "yesterday"]
NUMBERS = [0, 1, -1, 1.5, 3.0, 1e3, -0.0, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 1e18, 1e300]
ODD = st.sampled_from([None, True, False, *TEXTS, *TIMES, *NUMBERS, [], {}, [1], {"a": 1}])
VALUES = ODD | texts(max_size=8) | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A sound event with some of its fields, at either depth, left out or another value."""
    sent: dict[str, Any] = copy.deepcopy(draw(st.sampled_from([SMALL, FULL])))
    for path in draw(st.lists(st.sampled_from(PATHS), max_size=3)):
        inside = sent
        for name in path[:-1]:
            inside = inside.setdefault(name, {})
            if not isinstance(inside, dict):
                break
        else:
            if draw(st.integers(0, 3)):
                inside[path[-1]] = draw(VALUES)
            else:
                inside.pop(path[-1], None)
    return sent


@given(mutated())
def test_what_one_takes_of_a_mutated_event_the_other_takes_too(sent: dict[str, Any]) -> None:
    verdict = DECODER.decode(json.dumps(sent).encode())
    says = [str(error) for error in SCHEMA.iter_errors(sent)]
    assert isinstance(verdict, Decoded) == (not says), (verdict, says)


@given(mutated(), st.data())
def test_of_a_name_that_is_there_twice_both_read_the_last_value(sent: dict[str, Any], data: st.DataObject) -> None:
    earlier = {name: data.draw(VALUES) for name in data.draw(st.sets(st.sampled_from(sorted(sent))))}
    text = ", ".join(
        f"{json.dumps(name)}{data.draw(st.sampled_from(['', ' ']))}: {json.dumps(value)}"
        for members in (earlier, sent)
        for name, value in members.items()
    )
    verdict = DECODER.decode(f"{{{text}}}".encode())
    assert isinstance(verdict, Decoded) == SCHEMA.is_valid(json.loads(f"{{{text}}}")), verdict
    if isinstance(verdict, Decoded):
        once = DECODER.decode(json.dumps(sent).encode())
        assert isinstance(once, Decoded) and _said(verdict) == _said(once)


def _said(decoded: Decoded) -> Any:
    texts = {name: msgspec.Raw(bytes(getattr(decoded.event, name)) or b"null") for name in OBJECTS}
    event = msgspec.structs.replace(decoded.event, **texts)
    return json.loads(msgspec.json.encode(event)), json.loads(decoded.extra or b"{}")
