"""What a new tracking plan breaks: events that kept the old one and would not keep it, and properties that are gone."""

from __future__ import annotations

import math
from collections.abc import Iterator

from event_assets.contract.plan import EventPlan, Mode, TrackingPlan
from event_assets.contract.plan_property import Property

_STRICTNESS: dict[Mode, int] = {"warn": 0, "quarantine": 1, "reject": 2}
_WIDER = {("integer", "number"), ("timestamp", "string")}
"""A type, and another that takes all of its values."""


def breaking_changes(old: TrackingPlan, new: TrackingPlan) -> list[str]:
    """A sentence for each change after which an event that keeps the old plan breaks the new one, or is treated more
    strictly, or a property is no longer of the plan. In the order of the events' names; none: the new one may come
    before the programs that send. Properties that the old plan does not name are taken for not sent."""
    found = [sentence for name in sorted(old.events) for sentence in _of_event(name, old, new)]
    before, after = old.settings.unknown_events, new.settings.unknown_events
    if _STRICTNESS[after] > _STRICTNESS[before]:
        found.append(f"events that are not in the plan: {before} became {after}")
    return found


def _of_event(name: str, old: TrackingPlan, new: TrackingPlan) -> Iterator[str]:
    was, now = old.events[name], new.events.get(name)
    if now is None:
        yield f"{name}: the event is no longer in the plan"
        return
    if _STRICTNESS[now.mode] > _STRICTNESS[was.mode]:
        yield f"{name}: mode {was.mode} became {now.mode}"
    for field in sorted(set(now.fields) - set(was.fields)):
        yield f"{name}: the field {field} is required now"
    for version in sorted(was.versions):
        for sentence in _of_version(was, now, version):
            yield f"{name} v{version}: {sentence}"


def _of_version(was: EventPlan, now: EventPlan, version: int) -> Iterator[str]:
    if version not in now.versions:
        yield "the version is no longer in the plan"
        return
    before, after = was.versions[version].properties, now.versions[version].properties
    for name in sorted(before.keys() - after.keys()):
        yield f"the property {name} is no longer in the plan"
    for name in sorted(after):
        if name in before:
            for sentence in _of_property(before[name], after[name]):
                yield f"the property {name} {sentence}"
        elif after[name].required:
            yield f"the property {name} is new and required; add a version for it"


def _of_property(was: Property, now: Property) -> Iterator[str]:
    if now.required and not was.required:
        yield "is required now"
    if now.type != was.type and ((was.type, now.type) not in _WIDER or now.enum is not None):
        yield f"was of type {was.type}, and is of type {now.type}"
        return
    if now.enum is not None:
        if was.enum is None:
            yield f"takes only {_listed(now.enum)}"
        elif gone := [value for value in was.enum if value not in now.enum]:
            yield f"takes no longer {_listed(gone)}"
        return
    if _least(was) < _bound(now.minimum, -math.inf):
        yield f"must be at least {now.minimum}"
    if _most(was) > _bound(now.maximum, math.inf):
        yield f"must be at most {now.maximum}"
    if _longest(was) > _bound(now.max_length, math.inf):
        yield f"must have at most {now.max_length} characters or members"
    if now.pattern is not None and now.pattern != was.pattern:
        yield f"must match {now.pattern}"


def _least(rule: Property) -> float:
    values = _numbers(rule)
    return min(values) if values else _bound(rule.minimum, -math.inf)


def _most(rule: Property) -> float:
    values = _numbers(rule)
    return max(values) if values else _bound(rule.maximum, math.inf)


def _longest(rule: Property) -> float:
    texts = [value for value in rule.enum or () if isinstance(value, str)]
    return max(map(len, texts)) if texts else _bound(rule.max_length, math.inf)


def _numbers(rule: Property) -> list[int | float]:
    return [value for value in rule.enum or () if not isinstance(value, str)]


def _bound(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _listed(values: list[str | int | float]) -> str:
    return ", ".join(map(str, values))
