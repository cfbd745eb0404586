"""What is to be done, and doing it: made, changed, left, deleted. Safe to be stopped anywhere and done again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from event_assets.quicksight.kinds import DATA_SET, KINDS, Key, Resource
from event_assets.quicksight.requests import hash_of
from event_assets.quicksight.resources import RULES
from event_assets.quicksight.service import Service, State
from event_assets.quicksight.target import QuickSightError

Action = Literal["create", "replace", "update", "same", "delete", "foreign"]
Told = Callable[[str], None]


@dataclass(frozen=True)
class Change:
    """What is to be done with one resource. `drift` says what somebody changed in it since it was applied.

    `replace`: AWS could not make it, and it is made anew. `foreign`: there is one of that id, which is not ours.
    """

    action: Action
    key: Key
    wanted: Resource | None = None
    drift: tuple[str, ...] = ()


def plan(service: Service, resources: Iterable[Resource]) -> list[Change]:
    """What is to be done, in the order in which it is done."""
    wanted = list(resources)
    changes = [_change(each, service.state(each.key, each)) for each in wanted]
    keys = {each.key for each in wanted}
    stale = [key for key in service.ours() if key not in keys]
    return [*changes, *(Change("delete", key) for key in _reversed(service, stale))]


def _change(wanted: Resource, state: State | None) -> Change:
    if state is None:
        return Change("create", wanted.key, wanted)
    if not state.is_ours:
        return Change("foreign", wanted.key, wanted)
    if state.has_failed:
        return Change("replace", wanted.key, wanted)
    return Change("same" if state.hash == hash_of(wanted) else "update", wanted.key, wanted, state.drift)


def apply(service: Service, changes: Iterable[Change], tell: Told, *, restore: bool = False) -> int:
    """Does it, and returns how many were changed. `restore` puts back what has drifted.

    Raises `QuickSightError` at the first that AWS does not take: those before it are done, and stay.
    """
    listed = list(changes)
    if foreign := [str(change.key) for change in listed if change.action == "foreign"]:
        raise QuickSightError(
            f"There already, and not made by event-assets: {', '.join(foreign)}. Nothing was changed."
        )
    done = 0
    for change in listed:
        action = "update" if change.action == "same" and change.drift and restore else change.action
        if action == "same":
            continue
        if action in ("delete", "replace"):
            service.delete(change.key)
        if change.wanted is not None and action == "update":
            service.update(change.wanted)
        elif change.wanted is not None:
            service.create(change.wanted)
        tell(f"{action}d {change.key}")
        done += 1
    return done


def destroy(service: Service, tell: Told) -> int:
    """Deletes all that carries our tag, what needs another one first; returns how many."""
    keys = _reversed(service, service.ours())
    for key in keys:
        service.delete(key)
        tell(f"deleted {key}")
    return len(keys)


def _reversed(service: Service, keys: Iterable[Key]) -> list[Key]:
    """What needs another one before it: data sets before the rules of their rows."""
    rules = service.target.id(RULES, "")
    order = {kind: number for number, kind in enumerate(KINDS)}
    return sorted(keys, key=lambda key: (-order[key.kind], key.kind is DATA_SET and key.id.startswith(rules), key.id))
