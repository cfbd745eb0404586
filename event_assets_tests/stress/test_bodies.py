from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from event_assets.contract.decoder import Decoded, EventDecoder
from event_assets.contract.plan import TrackingPlan
from event_assets.settings import Settings
from event_assets.stress.bodies import BATCH, fill, make_bodies

NOW = dt.datetime(2026, 11, 20, 14, tzinfo=dt.UTC)
SENT_AT = b"2026-11-20T14:00:01.000Z"


@pytest.fixture(scope="module")
def bodies() -> list[bytes]:
    return make_bodies(6, NOW)


def events(body: bytes) -> list[dict[str, Any]]:
    filled: list[dict[str, Any]] = json.loads(body)
    return filled


def test_a_body_holds_sound_events_of_a_realistic_size(bodies: list[bytes]) -> None:
    decoder = EventDecoder(TrackingPlan.load(Settings().plan))
    assert len(bodies) == 6
    for body in bodies:
        filled = events(fill(body, 1, SENT_AT))
        assert len(filled) == BATCH
        assert 450 < len(body) / BATCH < 900
        for event in filled:
            decoded = decoder.decode(json.dumps(event).encode(), at_edge=True)
            assert isinstance(decoded, Decoded) and not decoded.violations
            assert event["sent_at"] == SENT_AT.decode()


def test_another_number_gives_other_events_of_other_visitors(bodies: list[bytes]) -> None:
    filled = [event for number in range(40) for event in events(fill(bodies[number % 6], number, SENT_AT))]
    assert len({event["event_id"] for event in filled}) == 40 * BATCH
    for name in ("anonymous_id", "session_id"):
        by_number = [
            {event.get(name) for event in filled[first : first + BATCH]} - {None}
            for first in range(0, len(filled), BATCH)
        ]
        assert sum(map(len, by_number)) == len(set.union(*by_number))


def test_the_events_of_a_visit_stay_together(bodies: list[bytes]) -> None:
    plain, other = events(fill(bodies[0], 1, SENT_AT)), events(fill(bodies[0], 2, SENT_AT))
    for name in ("anonymous_id", "session_id", "page_view_id"):
        groups = [[[e.get(name) for e in body].index(event.get(name)) for event in body] for body in (plain, other)]
        assert groups[0] == groups[1]
