"""A plan with everything that is awkward in code, and what the plan says of an event that a function made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from event_assets.contract.decoder import Decoded, EventDecoder
from event_assets.contract.plan import TrackingPlan

AWKWARD = {
    "order": r"""
event: Order Completed
description: 'An order was paid. It says "thanks" \ and */ goes on.'
mode: reject
fields: [user_id, page.url, received_at]
versions:
  1: {properties: {old: {type: string, required: true}}}
  2:
    properties:
      order-id: {type: string, required: true, max_length: 8, pattern: '^o_\d+[^/]?$', description: 'type: text'}
      from: {type: integer, minimum: 0, maximum: 100}
      __class__: {type: number, minimum: 0}
      currency: {type: string, required: true, enum: [EUR, "U'S\"D"]}
      step: {type: integer, enum: [1, 2]}
      gift: {type: boolean}
      items: {type: array, max_length: 2}
      address: {type: object, max_length: 1}
      paid_at: {type: timestamp}
""",
    "import": "{event: import, versions: {1: {properties: {note: {type: string, max_length: 3}}}}}",
    "dollar": "{event: $2 off, versions: {3: {}}}",
    "identify": "{event: identify, versions: {1: {}}}",
}
GOOD: dict[str, Any] = {"order-id": "o_1", "currency": "EUR", "from": 3, "items": [1], "address": {"city": "Graz"}}


def awkward(folder: Path) -> TrackingPlan:
    for name, text in AWKWARD.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return TrackingPlan.load(folder)


def keeps(plan: TrackingPlan, text: bytes) -> bool:
    """Whether the plan takes the event."""
    stamped = text[:-1] + b',"received_at":"2026-11-22T10:00:00Z","sent_at":"2026-11-22T10:00:00Z"}'
    decoded = EventDecoder(plan).decode(stamped)
    return isinstance(decoded, Decoded) and decoded.violations is None


def values(*, times: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Properties of Order Completed as its types allow them, within its bounds and beyond."""
    texts = st.one_of(st.from_regex(r"\Ao_\d{1,3}.?\n?\Z"), st.text(max_size=10))
    numbers = st.floats() | st.integers() | st.sampled_from([2**53 + 1, 2**64 + 1, 10**400, -0.0])
    required = {"order-id": texts, "currency": st.sampled_from(["EUR", "U'S\"D"])}
    optional: dict[str, st.SearchStrategy[Any]] = {
        "from": st.integers(-5, 105) | st.booleans() | st.integers(),
        "__class__": numbers,
        "step": st.sampled_from([1, 2]),
        "gift": st.booleans(),
        "items": st.lists(st.none() | st.text(max_size=3), max_size=3),
        "address": st.dictionaries(st.text(max_size=3), st.integers(-9, 9), max_size=2),
        "paid_at": times,
    }
    return st.fixed_dictionaries(required, optional={name: st.none() | each for name, each in optional.items()})
