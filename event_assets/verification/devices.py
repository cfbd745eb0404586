"""Devices: what is known of each, and the lines that say whether it is so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from event_assets.verification.evidence import Evidence
from event_assets.verification.history import Event, History, microseconds
from event_assets.verification.report import Expectation, Key, Values, differing, equal


def device_lines(evidence: Evidence, history: History) -> Iterator[Expectation]:
    """Lines about visitors. Events and users follow from the truth, the others from sessions."""
    expected = _expected(evidence, history)
    found = evidence.rows(
        """
        SELECT anonymous_id, first_seen_at, last_seen_at, user_id, stitched_user_id, events, sessions, page_views,
               engaged_seconds FROM lake_visitors
        """
    )
    yield equal("visitors", "devices", len(expected), len(found))
    rows = (((row[0],), (microseconds(row[1]), microseconds(row[2]), *row[3:])) for row in found)
    yield differing("visitors", "devices that did something else", expected, rows)


def _expected(evidence: Evidence, history: History) -> dict[Key, Values]:
    events: dict[str, list[Event]] = defaultdict(list)
    for event in history.events:
        if event.anonymous_id:
            events[event.anonymous_id].append(event)
    sessions = {
        device: sums
        for device, *sums in evidence.rows(
            """
            SELECT anonymous_id, count(*), sum(page_views), sum(engaged_seconds) FROM lake_sessions
            WHERE anonymous_id IS NOT NULL GROUP BY 1
            """
        )
    }
    rows: dict[Key, Values] = {}
    for device, own in events.items():
        user = max(((event.received, event.user_id) for event in own if event.user_id), default=(0, None))[1]
        seen = (own[0].at, own[-1].at)
        rows[(device,)] = (*seen, user, user or device, len(own), *sessions.get(device, (0, 0, 0)))
    return rows
