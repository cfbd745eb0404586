"""Small pieces are read at once and come in their order."""

from __future__ import annotations

import threading

import pytest

from event_assets.lake.at_once import AT_ONCE, at_once


def test_pieces_are_read_at_once_and_come_in_their_order() -> None:
    all_read = threading.Barrier(AT_ONCE)

    def read(piece: int) -> int:
        all_read.wait(300)
        return piece * 2

    assert at_once(read, range(2 * AT_ONCE)) == [*range(0, 4 * AT_ONCE, 2)]


def test_what_one_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        at_once(lambda piece: 1 // piece, [1, 0, 2])
    assert at_once(str, []) == [] and at_once(str, [1]) == ["1"]
