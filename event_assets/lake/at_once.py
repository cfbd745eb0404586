"""Reads of many small pieces at once: each waits for its storage, and not for the one before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 16


def at_once(read: Callable[[T], R], pieces: Sequence[T]) -> list[R]:
    """What is read of each piece, in their order. Raises what the first that fails does."""
    if len(pieces) < 2:
        return [read(piece) for piece in pieces]
    with ThreadPoolExecutor(min(AT_ONCE, len(pieces)), "lake") as readers:
        return list(readers.map(read, pieces))
