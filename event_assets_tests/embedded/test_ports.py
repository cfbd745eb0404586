"""A port that is taken is seen as taken, and another one is given."""

from __future__ import annotations

import socket

from event_assets.embedded.ports import accepts, free_port, is_free


def test_a_free_port_is_kept_and_a_taken_one_is_replaced() -> None:
    wanted = free_port()
    assert free_port(preferred=wanted) == wanted
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", wanted))
        taken.listen()
        assert not is_free("127.0.0.1", wanted)
        assert free_port(preferred=wanted) != wanted
        assert accepts("127.0.0.1", wanted)
    assert not accepts("127.0.0.1", wanted)
