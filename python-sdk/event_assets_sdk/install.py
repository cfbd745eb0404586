"""Who uses this install: its anonymous id, who has signed in, their group, what they agreed to, if they opted out.

On a server an install serves many people, and each call says whom it is about. Everywhere else it is one person's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from event_assets_sdk.queue import EventQueue

_LOOK_SECONDS = 5.0
_OF_THE_PERSON = ("anonymous_id", "user_id", "group_id", "consent")


class Install:
    """What is known about the install, kept with the queue's file and shared by the processes that use it."""

    def __init__(self, queue: EventQueue, is_one_person: bool, new_id: Callable[[], str]) -> None:
        self.is_one_person = is_one_person
        self._queue = queue
        self._new_id = new_id
        self._known: dict[str, Any] = {}
        self._not_kept: dict[str, Any] = {}
        self._look_again_at = 0.0

    @property
    def opted_out(self) -> bool:
        """Whether nothing is to be recorded."""
        return bool(self._load().get("opted_out"))

    def person(self) -> dict[str, Any]:
        """The fields that an event gets unless the call says otherwise. Empty on a server."""
        if not self.is_one_person:
            return {}
        known = self._load()
        if "anonymous_id" not in known:
            self._know("anonymous_id", self._new_id(), if_absent=True)
            known = self.refresh()
        return {name: known[name] for name in _OF_THE_PERSON if name in known}

    @property
    def install_id(self) -> str | None:
        """The id of the installation that numbers events, shared by the processes that share its file; None while that
        file cannot be written."""
        known = self._load()
        if "install_id" not in known:
            self._know("install_id", self._new_id(), if_absent=True)
            known = self.refresh()
        if "install_id" in self._not_kept and not self._queue.is_in_memory:
            self.forget_id()
            return None
        return str(known["install_id"])

    def forget_id(self) -> None:
        """Has another id from now on where it is kept in memory alone, such as after a fork."""
        if self._not_kept.pop("install_id", None) is not None:
            self._known = {name: value for name, value in self._known.items() if name != "install_id"}

    def sign_in(self, user_id: str) -> None:
        """Whoever uses the install is this user from now on."""
        if self.is_one_person:
            self._know("user_id", user_id)

    def join(self, group_id: str) -> None:
        """Whoever uses the install belongs to this group from now on."""
        if self.is_one_person:
            self._know("group_id", group_id)

    def agree(self, consent: Mapping[str, bool | str]) -> dict[str, bool | str]:
        """Remembers what was agreed to, and where and by which text that was asked; gives all that is known to be."""
        if not self.is_one_person:
            return dict(consent)
        known = {name: said for name, said in self._load().get("consent", {}).items() if isinstance(said, bool)}
        agreed = {**known, **consent}
        self._know("consent", agreed)
        return agreed

    def opt(self, out: bool) -> None:
        """Opts out, or in again."""
        self._know("opted_out", True if out else None)

    def reset(self) -> None:
        """Somebody else uses the install from now on: new ids, nobody signed in, no group, nothing agreed to."""
        for name in ("user_id", "group_id", "consent"):
            self._know(name, None)
        if self.is_one_person:
            self._know("anonymous_id", self._new_id())
            self._know("install_id", self._new_id())

    def refresh(self) -> dict[str, Any]:
        """Reads what other processes of the install may have changed. What could not be written stays as it is."""
        self._look_again_at = time.monotonic() + _LOOK_SECONDS
        kept = self._queue.state()
        if kept is not None:
            known = {**kept, **self._not_kept}
            self._known = {name: value for name, value in known.items() if value is not None}
        return self._known

    def _load(self) -> dict[str, Any]:
        return self._known if time.monotonic() < self._look_again_at else self.refresh()

    def _know(self, name: str, value: Any, *, if_absent: bool = False) -> None:
        self._load()
        self._known = {**self._known, name: value}
        if value is None:
            del self._known[name]
        if self._queue.keep_state(name, value, if_absent=if_absent):
            self._not_kept.pop(name, None)
        else:
            self._not_kept[name] = value
