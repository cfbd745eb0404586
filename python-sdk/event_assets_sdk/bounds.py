"""How much a queue holds, and what gives way when it is full."""

from __future__ import annotations

from typing import Literal, NamedTuple

WhenFull = Literal["drop_oldest", "drop_newest"]


class Bounds(NamedTuple):
    """At most so many bytes of events. `drop_oldest` makes room for a new event, `drop_newest` refuses it."""

    most_bytes: int
    when_full: WhenFull
