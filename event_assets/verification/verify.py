"""The expected outcome of each component and what was found, side by side: the report of `event-assets verify`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from event_assets.settings import Settings
from event_assets.verification.evidence import Evidence
from event_assets.verification.expected import work_out

_CLOCK_SECONDS = 5.0
"""How far `derived_at` may be from the true moment: what a request takes on a busy machine."""


class Expectation(NamedTuple):
    """One line of the report. `component` is the stage, `what` the question, `ok` whether expected and actual agree."""

    component: str
    what: str
    expected: Any
    actual: Any
    ok: bool


def verify(settings: Settings, warehouse_url: str | None = None, truth: Path | None = None) -> list[Expectation]:
    """Compares every stage with the truth of all simulations (default: `<home>/truth.db`).

    Without `warehouse_url` (`postgresql://…`) the warehouse is left out. Raises `FileNotFoundError` where there is no
    truth. What is still on its way counts as missing: call it when the sensor has nothing left to do.
    """
    evidence = Evidence(truth or settings.home / "truth.db")
    work_out(evidence)
    evidence.read_lake(settings)
    report = [*_edge(evidence), *_landing(evidence), *_cleaning(evidence), *_events(evidence), *_behaviour(evidence)]
    report += _anomalies(evidence)
    if warehouse_url is not None:
        evidence.read_warehouse(warehouse_url, settings.warehouse_schema)
        report += _warehouse(evidence)
    return report


def _same(component: str, what: str, evidence: Evidence, expected: str, actual: str) -> Expectation:
    wanted, found = evidence.number(expected), evidence.number(actual)
    return Expectation(component, what, wanted, found, wanted == found)


def _none(component: str, what: str, evidence: Evidence, query: str) -> Expectation:
    return _same(component, what, evidence, "SELECT 0", f"SELECT count(*) FROM ({query})")


def _between(component: str, what: str, evidence: Evidence, least: str, more: str, actual: str) -> Expectation:
    """For counts that are not sure: a request without an answer may have left one more copy."""
    low, spare, found = evidence.number(least), evidence.number(more), evidence.number(actual)
    shown = low if not spare else f"{low} to {low + spare}"
    return Expectation(component, what, shown, found, low <= found <= low + spare)


def _edge(evidence: Evidence) -> Iterator[Expectation]:
    broken = """
        SELECT 1 FROM truth.submissions WHERE path = 'api' AND verdict IN ('accepted', 'rejected')
        AND ((fate = 'rejected') <> (verdict = 'rejected') OR (fate = 'rejected' AND fate_reason <> verdict_reason))
    """
    yield _none("collector", "verdicts that are not the expected ones", evidence, broken)
    unsent = "SELECT 1 FROM truth.submissions WHERE verdict = 'unsent'"
    yield _none("collector", "events it never took", evidence, unsent)


def _landing(evidence: Evidence) -> Iterator[Expectation]:
    lost = """
        SELECT DISTINCT event_id FROM taken WHERE fate = 'clean' OR path = 'api' EXCEPT SELECT event_id FROM raw
    """
    yield _none("raw_events", "acknowledged events that are not there", evidence, lost)
    yield _none(
        "raw_events",
        "records put on the stream by hand that are not there",
        evidence,
        """
        SELECT DISTINCT shard_id, sequence_number FROM taken WHERE path = 'stream' AND fate = 'clean'
        EXCEPT SELECT shard_id, sequence_number FROM raw
        """,
    )


def _cleaning(evidence: Evidence) -> Iterator[Expectation]:
    yield _between(
        "clean_events",
        "events, copies included",
        evidence,
        "SELECT count(*) FROM taken WHERE fate = 'clean'",
        "SELECT sum(maybe_taken) FROM truth.submissions WHERE fate = 'clean'",
        "SELECT count(*) FROM lake_clean_events",
    )
    found = """
        SELECT q.reason FROM lake_quarantined_events q
        JOIN taken USING (shard_id, sequence_number, line) WHERE path = 'stream' AND fate = 'quarantined'
        UNION ALL
        SELECT reason FROM lake_quarantined_events WHERE event_id IN (SELECT event_id FROM taken WHERE path = 'api')
    """
    reasons = evidence.rows("SELECT DISTINCT fate_reason FROM taken WHERE fate = 'quarantined' ORDER BY 1")
    for (reason,) in reasons:
        yield _between(
            "quarantined_events",
            f"events with the reason {reason}",
            evidence,
            f"SELECT count(*) FROM taken WHERE fate = 'quarantined' AND fate_reason = '{reason}'",
            f"SELECT sum(maybe_taken) FROM taken WHERE fate = 'quarantined' AND fate_reason = '{reason}'",
            f"SELECT count(*) FROM ({found}) WHERE reason = '{reason}'",
        )
    wrong = "SELECT event_id FROM taken WHERE fate = 'clean' INTERSECT SELECT event_id FROM lake_quarantined_events"
    yield _none("quarantined_events", "sound events among them", evidence, wrong)


def _events(evidence: Evidence) -> Iterator[Expectation]:
    yield _same(
        "enriched_events",
        "distinct events",
        evidence,
        "SELECT count(*) FROM counted",
        "SELECT count(DISTINCT event_id) FROM lake_enriched_events",
    )
    twice = "SELECT event_id FROM lake_enriched_events GROUP BY 1 HAVING count(*) > 1"
    yield _none("enriched_events", "events that are there twice", evidence, twice)
    lost = "SELECT event_id FROM counted EXCEPT SELECT event_id FROM lake_enriched_events"
    yield _none("enriched_events", "events that are missing", evidence, lost)
    shifted = f"""
        SELECT c.event_id FROM counted c JOIN lake_enriched_events e USING (event_id)
        WHERE abs(e.derived_at - c.happened_at) > {_CLOCK_SECONDS} AND NOT c.maybe_taken
    """
    yield _none("enriched_events", "events at another time than they happened", evidence, shifted)
    refused = """
        SELECT event_id FROM lake_enriched_events JOIN counted USING (event_id)
        WHERE refused AND lake_enriched_events.user_id IS NOT NULL
    """
    yield _none("enriched_events", "people named who refused consent", evidence, refused)
    yield _between(
        "duplicate_events",
        "copies that do not count",
        evidence,
        "SELECT (SELECT count(*) FROM taken WHERE fate = 'clean') - (SELECT count(*) FROM counted)",
        "SELECT sum(maybe_taken) FROM truth.submissions WHERE fate = 'clean'",
        "SELECT count(*) FROM lake_duplicate_events",
    )
    yield _same(
        "duplicate_events",
        "copies that say something else",
        evidence,
        "SELECT count(*) FROM taken WHERE fault = 'conflict'",
        "SELECT count(*) FROM lake_duplicate_events WHERE is_conflict",
    )
    yield _none(
        "event_ledger", "hours that do not balance", evidence, "SELECT 1 FROM lake_event_ledger WHERE NOT balanced"
    )


_VIEWS = "SELECT count(DISTINCT page_view_id) FROM counted WHERE event = 'page_view'"
_SESSIONS = "SELECT count(*) FROM expected_sessions"
_REVENUE = "SELECT round(sum(revenue), 2) FROM counted WHERE event = 'purchase'"
_OURS = """
    session_id IN (SELECT session_id FROM expected_sessions) OR anonymous_id IN (SELECT key FROM expected_sessions)
    OR (anonymous_id IS NULL AND user_id IN (SELECT key FROM expected_sessions))
"""

_OUR_PEOPLE = """
    person_id IN (SELECT person_id FROM lake_identities WHERE id IN (SELECT id FROM expected_people))
"""


def _behaviour(evidence: Evidence) -> Iterator[Expectation]:
    found = "SELECT count(DISTINCT page_view_id) FROM lake_page_views"
    yield _same("page_views", "page views", evidence, _VIEWS, found)
    yield _same("sessions", "sessions", evidence, _SESSIONS, f"SELECT count(*) FROM lake_sessions WHERE {_OURS}")
    revenue = f"SELECT round(sum(revenue), 2) FROM lake_sessions WHERE {_OURS}"
    yield _same("sessions", "revenue", evidence, _REVENUE, revenue)
    unseen = """
        SELECT DISTINCT anonymous_id FROM counted WHERE anonymous_id IS NOT NULL
        EXCEPT SELECT anonymous_id FROM lake_visitors
    """
    yield _none("visitors", "devices without a row", evidence, unseen)
    strangers = "SELECT id FROM expected_people EXCEPT SELECT id FROM lake_identities"
    yield _none("identities", "ids that belong to nobody", evidence, strangers)
    people = "SELECT count(DISTINCT person) FROM expected_people"
    found = "SELECT count(DISTINCT person_id) FROM lake_identities WHERE id IN (SELECT id FROM expected_people)"
    yield _same("identities", "people", evidence, people, found)
    torn = """
        SELECT person FROM expected_people JOIN lake_identities USING (id)
        GROUP BY person HAVING count(DISTINCT person_id) > 1
    """
    yield _none("identities", "people who are torn apart", evidence, torn)
    homeless = "SELECT person_id FROM lake_identities EXCEPT SELECT person_id FROM lake_users"
    yield _none("users", "people without a row", evidence, homeless)
    known = "SELECT count(*) FROM counted WHERE coalesce(anonymous_id, kept_user_id) IS NOT NULL"
    yield _same("users", "events", evidence, known, f"SELECT sum(events) FROM lake_users WHERE {_OUR_PEOPLE}")
    revenue = f"SELECT round(sum(revenue), 2) FROM lake_users WHERE {_OUR_PEOPLE}"
    yield _same("users", "revenue", evidence, _REVENUE, revenue)


def _anomalies(evidence: Evidence) -> Iterator[Expectation]:
    """What a planted anomaly did must be seen in the lake when it was; events at its very edges may fall either way."""
    for kind, begins, ends, metric in evidence.anomalies():
        inner, outer = (
            f"""
            SELECT count(*) FROM counted WHERE event = '{metric}'
            AND happened_at >= {begins + edge!r} AND happened_at < {ends - edge!r}
            """
            for edge in (_CLOCK_SECONDS, -_CLOCK_SECONDS)
        )
        found = f"""
            SELECT count(*) FROM lake_enriched_events
            WHERE event = '{metric}' AND derived_at >= {begins!r} AND derived_at < {ends!r}
        """
        between = f"SELECT ({outer}) - ({inner})"
        yield _between("anomalies", f"{metric} during {kind} of {_moment(begins)}", evidence, inner, between, found)


def _moment(at: float) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="seconds")


def _warehouse(evidence: Evidence) -> Iterator[Expectation]:
    ours = "SELECT count(DISTINCT event_id) FROM warehouse_fct_events WHERE event_id IN (SELECT event_id FROM counted)"
    yield _same("warehouse.fct_events", "distinct events", evidence, "SELECT count(*) FROM counted", ours)
    twice = "SELECT event_id FROM warehouse_fct_events GROUP BY 1 HAVING count(*) > 1"
    yield _none("warehouse.fct_events", "events that are there twice", evidence, twice)
    views = """
        SELECT count(DISTINCT page_view_id) FROM warehouse_fct_page_views
        WHERE page_view_id IN (SELECT page_view_id FROM counted WHERE event = 'page_view')
    """
    yield _same("warehouse.fct_page_views", "page views", evidence, _VIEWS, views)
    sessions = f"SELECT count(*) FROM warehouse_fct_sessions WHERE {_OURS}"
    yield _same("warehouse.fct_sessions", "sessions", evidence, _SESSIONS, sessions)
    revenue = f"SELECT round(sum(revenue), 2) FROM warehouse_fct_sessions WHERE {_OURS}"
    yield _same("warehouse.fct_sessions", "revenue", evidence, _REVENUE, revenue)
    for name in ("dim_users", "user_segments"):
        missing = f"SELECT person_id FROM lake_users EXCEPT SELECT person_id FROM warehouse_{name}"
        yield _none(f"warehouse.{name}", "people that are missing", evidence, missing)
    twice = "SELECT event_date, platform FROM warehouse_agg_daily GROUP BY 1, 2 HAVING count(*) > 1"
    yield _none("warehouse.agg_daily", "days that are there twice", evidence, twice)
