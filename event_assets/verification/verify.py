"""The expected outcome of each component and what was found, side by side: the report of `event-assets verify`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from event_assets.rules.analysis import Analyses
from event_assets.rules.company import CompanyData
from event_assets.settings import Settings
from event_assets.verification.company import company_lines
from event_assets.verification.devices import device_lines
from event_assets.verification.erased import leave_out_erased, without_counts
from event_assets.verification.evidence import Evidence
from event_assets.verification.expected import (
    CONFLICTS,
    OUR_SESSIONS,
    OUR_VIEWS,
    PAGE_VIEWS,
    REVENUE,
    SESSION_REVENUE,
    SESSIONS,
    work_out,
)
from event_assets.verification.expired import leave_out_expired, of_days_that_are_left
from event_assets.verification.groups import group_lines
from event_assets.verification.history import CLOCK_SECONDS, read_history
from event_assets.verification.marts import mart_lines
from event_assets.verification.metrics import metrics_lines
from event_assets.verification.product import product_lines
from event_assets.verification.receipts import receipt_lines
from event_assets.verification.refusals import LONGEST_SECONDS
from event_assets.verification.report import Expectation, between, equal, moment, none, same
from event_assets.verification.sources import source_lines
from event_assets.verification.star import star_lines
from event_assets.verification.traits import trait_lines
from event_assets.verification.warehouse import warehouse_lines

_OUR_PEOPLE = """
    person_id IN (SELECT person_id FROM lake_identities WHERE id IN (SELECT id FROM expected_people))
"""
_OURS = "event_id IN (SELECT event_id FROM submissions)"


def verify(settings: Settings, warehouse_url: str | None = None, truth: Path | None = None) -> list[Expectation]:
    """Compares every stage with the truth of all simulations (default: `<home>/truth.db`).

    Without `warehouse_url` (`postgresql://…`) the warehouse is left out. Raises `FileNotFoundError` where there is no
    truth. Erased people are not missed, and what counts many people is not judged by them; the
    same holds of days that went by retention, and of what knows of them. What is still on its way
    counts as missing: call it when the sensor has nothing left to do. Where a run
    changes tables while they are read they are read again, and a line says so where that does not end.
    """
    evidence = Evidence(truth or settings.home / "truth.db")
    analyses, company = Analyses.load(settings.analytics), CompanyData.load(settings.company)
    expired = leave_out_expired(evidence.connection, settings)
    evidence.look_for_all()  # an event of a day that went may be left in a table that keeps it for longer
    erased = leave_out_erased(evidence.connection, settings)
    evidence.read(settings, analyses, company, warehouse_url)
    work_out(evidence, settings.session_starts_with)
    report = [*_edge(evidence), *_landing(evidence), *_cleaning(evidence), *_events(evidence), *_behaviour(evidence)]
    history = read_history(evidence)
    report += device_lines(evidence, history)
    report += trait_lines(evidence, history)
    report += group_lines(evidence, history)
    report += company_lines(evidence, history, company)
    report += source_lines(evidence, history, settings)
    report += metrics_lines(evidence, history, settings)
    report += mart_lines(evidence, history, settings)
    report += star_lines(evidence, history)
    report += receipt_lines(evidence, history)
    report += product_lines(evidence, history, analyses, settings)
    report += _anomalies(evidence)
    if warehouse_url is not None:
        report += warehouse_lines(evidence, settings)
    if erased:
        report = [*without_counts(report)]
    return [*(of_days_that_are_left(report) if expired else report), *_reading(evidence)]


def _reading(evidence: Evidence) -> Iterator[Expectation]:
    """A line where nothing else may be believed."""
    if evidence.moved:
        what = f"tables that a run changed while they were read ({', '.join(evidence.moved[:3])} …): verify again later"
        yield equal("verify", what, 0, len(evidence.moved))


def _edge(evidence: Evidence) -> Iterator[Expectation]:
    broken = """
        SELECT 1 FROM submissions WHERE path = 'api' AND verdict IN ('accepted', 'rejected')
        AND ((fate = 'rejected') <> (verdict = 'rejected') OR (fate = 'rejected' AND fate_reason <> verdict_reason))
    """
    yield none("collector", "verdicts that are not the expected ones", evidence, broken)
    unsent = "SELECT 1 FROM submissions WHERE verdict = 'unsent'"
    yield none("collector", "events it never took", evidence, unsent)


def _landing(evidence: Evidence) -> Iterator[Expectation]:
    lost = """
        SELECT DISTINCT event_id FROM taken WHERE fate = 'clean' OR path = 'api' EXCEPT SELECT event_id FROM raw
    """
    yield none("raw_events", "acknowledged events that are not there", evidence, lost)
    yield none(
        "raw_events",
        "records put on the stream by hand that are not there",
        evidence,
        """
        SELECT DISTINCT shard_id, sequence_number FROM taken WHERE path = 'stream' AND fate = 'clean'
        EXCEPT SELECT shard_id, sequence_number FROM raw
        """,
    )


def _cleaning(evidence: Evidence) -> Iterator[Expectation]:
    yield between(
        "clean_events",
        "events, copies included",
        evidence,
        "SELECT count(*) FROM taken WHERE fate = 'clean'",
        "SELECT sum(maybe_taken) FROM submissions WHERE fate = 'clean'",
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
        yield between(
            "quarantined_events",
            f"events with the reason {reason}",
            evidence,
            f"SELECT count(*) FROM taken WHERE fate = 'quarantined' AND fate_reason = '{reason}'",
            f"SELECT sum(maybe_taken) FROM taken WHERE fate = 'quarantined' AND fate_reason = '{reason}'",
            f"SELECT count(*) FROM ({found}) WHERE reason = '{reason}'",
        )
    wrong = "SELECT event_id FROM taken WHERE fate = 'clean' INTERSECT SELECT event_id FROM lake_quarantined_events"
    yield none("quarantined_events", "sound events among them", evidence, wrong)


def _events(evidence: Evidence) -> Iterator[Expectation]:
    yield same(
        "enriched_events",
        "distinct events",
        evidence,
        "SELECT count(*) FROM counted",
        f"SELECT count(DISTINCT event_id) FROM lake_enriched_events WHERE {_OURS}",
    )
    twice = "SELECT event_id FROM lake_enriched_events GROUP BY 1 HAVING count(*) > 1"
    yield none("enriched_events", "events that are there twice", evidence, twice)
    lost = "SELECT event_id FROM counted EXCEPT SELECT event_id FROM lake_enriched_events"
    yield none("enriched_events", "events that are missing", evidence, lost)
    shifted = f"""
        SELECT c.event_id FROM counted c JOIN lake_enriched_events e USING (event_id)
        WHERE NOT c.maybe_taken AND (
            e.derived_at > c.happened_at + {CLOCK_SECONDS}
            OR e.derived_at < c.happened_at - {CLOCK_SECONDS} - c.stripped * {LONGEST_SECONDS}
            OR (c.stripped AND e.derived_at % 60 <> 0)
        )
    """
    yield none("enriched_events", "events at another time than they happened", evidence, shifted)
    refused = """
        SELECT event_id FROM lake_enriched_events JOIN counted USING (event_id)
        WHERE stripped AND coalesce(
            lake_enriched_events.user_id, lake_enriched_events.anonymous_id, lake_enriched_events.session_id,
            lake_enriched_events.page_view_id, traits, properties
        ) IS NOT NULL
    """
    yield none("enriched_events", "people named who refused consent", evidence, refused)
    yield between(
        "duplicate_events",
        "copies that do not count",
        evidence,
        "SELECT (SELECT count(*) FROM taken WHERE fate = 'clean') - (SELECT count(*) FROM counted)",
        "SELECT sum(maybe_taken) FROM submissions WHERE fate = 'clean'",
        "SELECT count(*) FROM lake_duplicate_events",
    )
    yield same(
        "duplicate_events",
        "copies that say something else",
        evidence,
        CONFLICTS,
        "SELECT count(*) FROM lake_duplicate_events WHERE is_conflict",
    )
    yield none(
        "event_ledger", "hours that do not balance", evidence, "SELECT 1 FROM lake_event_ledger WHERE NOT balanced"
    )


def _behaviour(evidence: Evidence) -> Iterator[Expectation]:
    found = f"SELECT count(DISTINCT page_view_id) FROM lake_page_views WHERE {OUR_VIEWS}"
    yield same("page_views", "page views", evidence, PAGE_VIEWS, found)
    yield same("sessions", "sessions", evidence, SESSIONS, f"SELECT count(*) FROM lake_sessions WHERE {OUR_SESSIONS}")
    revenue = f"SELECT round(sum(revenue), 2) FROM lake_sessions WHERE {OUR_SESSIONS}"
    yield same("sessions", "revenue", evidence, SESSION_REVENUE, revenue)
    issues = "FROM lake_session_issues WHERE session_id IN (SELECT session_id FROM counted)"
    cut = "SELECT count(DISTINCT session_id) FROM counted JOIN after_cut USING (event_id)"
    yield same("session_issues", "client sessions that were cut", evidence, cut, f"SELECT count(*) {issues}")
    left_out = f"SELECT sum(events_after_cut) {issues}"
    yield same("session_issues", "events after the cut", evidence, "SELECT count(*) FROM after_cut", left_out)
    strangers = "SELECT id FROM expected_people EXCEPT SELECT id FROM lake_identities"
    yield none("identities", "ids that belong to nobody", evidence, strangers)
    people = "SELECT count(DISTINCT person) FROM expected_people"
    found = "SELECT count(DISTINCT person_id) FROM lake_identities WHERE id IN (SELECT id FROM expected_people)"
    yield same("identities", "people", evidence, people, found)
    torn = """
        SELECT person FROM expected_people JOIN lake_identities USING (id)
        GROUP BY person HAVING count(DISTINCT person_id) > 1
    """
    yield none("identities", "people who are torn apart", evidence, torn)
    homeless = "SELECT person_id FROM lake_identities EXCEPT SELECT person_id FROM lake_users"
    yield none("users", "people without a row", evidence, homeless)
    known = "SELECT count(*) FROM counted WHERE coalesce(anonymous_id, user_id) IS NOT NULL"
    yield same("users", "events", evidence, known, f"SELECT sum(events) FROM lake_users WHERE {_OUR_PEOPLE}")
    revenue = f"SELECT round(sum(revenue), 2) FROM lake_users WHERE {_OUR_PEOPLE}"
    yield same("users", "revenue", evidence, REVENUE, revenue)


def _anomalies(evidence: Evidence) -> Iterator[Expectation]:
    """What a planted anomaly did must be seen in the lake when it was; events at its very edges may fall either way."""
    for kind, begins, ends, metric in evidence.anomalies():
        shown = f"happened_at - stripped * {LONGEST_SECONDS}"  # at the earliest: stripped times are cut
        inner, outer = (
            f"""
            SELECT count(*) FROM counted WHERE event = '{metric}'
            AND {first} >= {begins + edge!r} AND {last} < {ends - edge!r}
            """
            for edge, first, last in ((CLOCK_SECONDS, shown, "happened_at"), (-CLOCK_SECONDS, "happened_at", shown))
        )
        found = f"""
            SELECT count(*) FROM lake_enriched_events
            WHERE event = '{metric}' AND derived_at >= {begins!r} AND derived_at < {ends!r} AND {_OURS}
        """
        edges = f"SELECT ({outer}) - ({inner})"
        yield between("anomalies", f"{metric} during {kind} of {moment(begins)}", evidence, inner, edges, found)
