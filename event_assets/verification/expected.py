"""What must be found, worked out from the truth alone: which events count, their sessions, the people behind them.

The tables `taken`, `counted`, `after_cut`, `expected_sessions` and `expected_people` are made in the evidence's
database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from event_assets.verification.evidence import Evidence

_GAP_SECONDS = 30 * 60
_LONGEST_SECONDS = 24 * 3600
_CLIENT_LONGEST_SECONDS = 3 * 24 * 3600
SHARED_ABOVE = 5
"""A device with more user ids than this is shared."""

_TAKEN = """
CREATE TABLE taken AS
SELECT
    *,
    CASE WHEN says_sent_at THEN occurred_at ELSE acknowledged_at END AS happened_at
FROM submissions
WHERE verdict IN ('accepted', 'put')
"""
_COUNTED = """
CREATE TABLE counted AS
SELECT * FROM (
    SELECT *, row_number() OVER (PARTITION BY event_id ORDER BY acknowledged_at, taken.rowid) AS place
    FROM taken WHERE fate = 'clean'
) WHERE place = 1
"""

_IN_TIME = "event_id NOT IN (SELECT event_id FROM after_cut)"
_AFTER_CUT = f"""
CREATE TABLE after_cut AS
SELECT event_id FROM (
    SELECT
        event_id,
        happened_at,
        first_value(happened_at) OVER (
            PARTITION BY c.session_id ORDER BY coalesce(e.received_at, acknowledged_at), happened_at
        ) AS begins_at
    FROM counted c LEFT JOIN lake_enriched_events e USING (event_id) WHERE c.session_id IS NOT NULL
) WHERE happened_at > begins_at + {_CLIENT_LONGEST_SECONDS}
"""
_VIEW_ID = "CASE event WHEN 'screen_view' THEN event_id ELSE coalesce(page_view_id, event_id) END"
_VIEWS = f"SELECT {_VIEW_ID} AS view_id FROM counted WHERE event IN ('page_view', 'screen_view') AND NOT stripped"
"""Whoever refused analytics has no session, and so no view in one."""
PAGE_VIEWS = f"SELECT count(DISTINCT view_id) FROM ({_VIEWS} AND {_IN_TIME})"
SESSIONS = "SELECT count(*) FROM expected_sessions"
CONFLICTS = "SELECT count(*) FROM taken WHERE fault = 'conflict' AND NOT refused"
"""Copies that say something else: of an event whose person refused analytics nothing is left that they could."""
REVENUE = "SELECT round(sum(revenue), 2) FROM counted WHERE event = 'purchase'"
SESSION_REVENUE = f"{REVENUE} AND {_IN_TIME}"
OUR_SESSIONS = """
    session_id IN (SELECT session_id FROM expected_sessions) OR anonymous_id IN (SELECT key FROM expected_sessions)
    OR (anonymous_id IS NULL AND user_id IN (SELECT key FROM expected_sessions))
"""
OUR_VIEWS = f"page_view_id IN ({_VIEWS})"
"""What must be found, as queries; and which of the sessions and views that are found are about the truth."""


class _Event(NamedTuple):
    key: str
    happened_at: float
    event: str
    platform: str


def work_out(evidence: Evidence, starts_with: str) -> None:
    """Makes `taken` (what the API or the stream took), `counted` (each event once) and what follows from them.

    `starts_with` is what makes a session: `any` event or a `page`.
    The order in which one client's concurrent requests were received is the lake's, where it was read before.
    """
    evidence.connection.execute(_TAKEN)
    evidence.connection.execute(_COUNTED)
    evidence.connection.execute(_AFTER_CUT)
    _work_out_sessions(evidence, is_any=starts_with == "any")
    _work_out_people(evidence)


def _work_out_sessions(evidence: Evidence, *, is_any: bool) -> None:
    database = evidence.connection
    database.execute("CREATE TABLE expected_sessions (session_id, key)")
    database.execute(
        f"""
        INSERT INTO expected_sessions
        SELECT session_id, min(coalesce(anonymous_id, user_id)) FROM counted
        WHERE session_id IS NOT NULL AND {_IN_TIME} GROUP BY session_id
        HAVING ? OR max(event IN ('page_view', 'page_ping', 'screen_view') OR platform IN ('server', 'desktop'))
        """,
        (is_any,),
    )
    rows = evidence.rows(
        """
        SELECT coalesce(anonymous_id, user_id), happened_at, event, platform FROM counted
        WHERE session_id IS NULL AND coalesce(anonymous_id, user_id) IS NOT NULL ORDER BY 1, 2, event_id
        """
    )
    sessions = _sessions(map(_Event._make, rows))
    keys = ((session[0].key,) for session in sessions if is_any or _has_page(session))
    database.executemany("INSERT INTO expected_sessions VALUES (NULL, ?)", keys)


def _sessions(events: Iterable[_Event]) -> Iterator[list[_Event]]:
    for _, of_key in groupby(events, lambda event: event.key):
        session: list[_Event] = []
        for event in of_key:
            ends = session and (
                event.happened_at - session[-1].happened_at > _GAP_SECONDS
                or event.happened_at - session[0].happened_at > _LONGEST_SECONDS
            )
            if ends:
                yield session
                session = []
            session.append(event)
        yield session


def _has_page(events: list[_Event]) -> bool:
    seen = {event.event for event in events}
    return bool(seen & {"page_view", "page_ping", "screen_view"}) or events[0].platform in ("server", "desktop")


def _work_out_people(evidence: Evidence) -> None:
    """People are what `identify` and `alias` join; a device with more than five users joins nobody."""
    ids = evidence.rows(
        """
        SELECT anonymous_id FROM counted WHERE anonymous_id IS NOT NULL
        UNION SELECT user_id FROM counted WHERE user_id IS NOT NULL
        """
    )
    edges = evidence.rows(
        f"""
        SELECT DISTINCT anonymous_id, user_id FROM counted
        WHERE event IN ('identify', 'alias') AND anonymous_id IS NOT NULL AND user_id IS NOT NULL
        AND anonymous_id NOT IN (
            SELECT anonymous_id FROM counted WHERE anonymous_id IS NOT NULL
            GROUP BY 1 HAVING count(DISTINCT user_id) > {SHARED_ABOVE}
        )
        """
    )
    person = {id_: id_ for (id_,) in ids}
    for one, other in edges:
        person[_person_of(person, one)] = _person_of(person, other)
    evidence.connection.execute("CREATE TABLE expected_people (id, person)")
    rows = ((id_, _person_of(person, id_)) for id_ in person)
    evidence.connection.executemany("INSERT INTO expected_people VALUES (?, ?)", rows)


def _person_of(person: dict[str, str], id_: str) -> str:
    while person[id_] != id_:
        id_ = person[id_]
    return id_
