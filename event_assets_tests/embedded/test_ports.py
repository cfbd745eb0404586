"""A port that is taken is seen as taken, and another one is given."""

from __future__ import annotations

import socket

from event_assets.embedded.ports import ClaimedPorts, accepts, free_port, is_free


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


def test_stacks_that_start_at_once_choose_different_ports_though_none_listens_yet() -> None:
    wanted = free_port()
    with ClaimedPorts() as first, ClaimedPorts() as second:
        assert first.claim("127.0.0.1", wanted) == wanted
        assert second.claim("127.0.0.1", wanted) != wanted
        first.close()
        assert second.claim("127.0.0.1", wanted) == wanted
