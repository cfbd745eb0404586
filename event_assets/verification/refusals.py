"""What may be left of the truth: of an event whose person refused analytics, nothing that says who it was.

Such an event goes by a hash, has no ids and no properties, and happened in a minute; a `consent_changed` keeps who
refused.
"""

from __future__ import annotations

import hashlib
import sqlite3

LONGEST_SECONDS = 60
"""How much earlier the minute of a stripped event begins than it happened."""

_SUBMISSIONS = """
CREATE TEMP TABLE submissions AS
SELECT
    run_id, path, event, platform, occurred_at, clock_error, says_sent_at, fault, verdict, verdict_reason,
    sent_at, acknowledged_at, maybe_taken, shard_id, sequence_number, line, refused,
    refused AND event <> 'consent_changed' AS stripped,
    CASE WHEN refused AND event <> 'consent_changed' THEN hashed(event_id, anonymous_id, user_id) ELSE event_id END
        AS event_id,
    CASE WHEN refused AND event <> 'consent_changed' THEN NULL ELSE anonymous_id END AS anonymous_id,
    CASE WHEN refused AND event <> 'consent_changed' THEN NULL ELSE user_id END AS user_id,
    CASE WHEN refused THEN NULL ELSE session_id END AS session_id,
    CASE WHEN refused THEN NULL ELSE page_view_id END AS page_view_id,
    CASE WHEN refused THEN NULL ELSE revenue END AS revenue,
    CASE WHEN refused AND fate_reason = 'plan_violation' AND fate = 'quarantined' THEN 'clean' ELSE fate END AS fate,
    fate_reason
FROM truth.submissions
"""
"""A plan judges properties; where none are left it has nothing to judge."""


def read_submissions(connection: sqlite3.Connection) -> None:
    """Makes the table `submissions`: the truth of every event, as far as it may be known, in the order of the truth."""
    connection.create_function("hashed", 3, _hashed, deterministic=True)
    connection.execute(_SUBMISSIONS)


def _hashed(event_id: str | None, anonymous_id: str | None, user_id: str | None) -> str | None:
    if event_id is None:
        return None
    who = "\0".join((event_id, anonymous_id or "", user_id or ""))
    return f"stripped-{hashlib.sha256(who.encode()).hexdigest()[:32]}"
