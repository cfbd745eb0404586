"""How often a message is tried, and which answers mean that trying again may help."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

ATTEMPTS = 5
_LONGEST_PAUSE = 60.0
_SUCCESS, _REDIRECT, _FAULT, _OWN_FAULT = 200, 300, 400, 500
_PASSING = (408, 425, 429)
Pause = Callable[[float], object]
Given = TypeVar("Given")


class NotTaken(RuntimeError):
    """The other side does not take it. The message says why, and names no address, which may be a secret."""


class Passing(Exception):
    """What may go by itself. `after`: the seconds that the other side asks to wait."""

    def __init__(self, why: str, after: float = 0.0) -> None:
        super().__init__(why)
        self.after = after


def require_taken(status: int, said: str = "", retry_after: str = "") -> None:
    """Raises `Passing` where an answer over HTTP says that it may be taken later, `NotTaken` where it says no."""
    if _SUCCESS <= status < _REDIRECT:
        return
    why = f"it answers {status} {said[:200].strip()}".rstrip()
    if status in _PASSING or status >= _OWN_FAULT:
        raise Passing(why, float(retry_after) if retry_after.isdecimal() else 0.0)
    if status < _FAULT:
        why += ", and is not followed elsewhere"
    raise NotTaken(why)


def tried(do: Callable[[], Given], pause: Pause) -> Given:
    """What `do` gives; tried again after ever longer pauses. Raises `NotTaken` when
    that did not help."""
    for attempt in range(ATTEMPTS):
        try:
            return do()
        except Passing as fault:
            if attempt == ATTEMPTS - 1:
                raise NotTaken(f"in {ATTEMPTS} attempts: {fault}") from None
            pause(min(max(2.0**attempt, fault.after), _LONGEST_PAUSE))
    raise AssertionError("unreachable")
