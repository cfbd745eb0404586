"""The warehouse against the truth, and the copies of the lake's tables against these."""

from __future__ import annotations

from collections.abc import Iterator

from event_assets.contract.tables.lake import table
from event_assets.settings import Settings
from event_assets.verification.evidence import COPIES, LATER, LOADS, Evidence
from event_assets.verification.expected import OUR_SESSIONS, OUR_VIEWS, PAGE_VIEWS, SESSION_REVENUE, SESSIONS
from event_assets.verification.report import Expectation, equal, moment, none, same


def warehouse_lines(evidence: Evidence, settings: Settings) -> Iterator[Expectation]:
    """Lines about every table of the warehouse."""
    yield from _events(evidence, settings.warehouse_events)
    sessions = f"SELECT count(*) FROM warehouse_fct_sessions WHERE {OUR_SESSIONS}"
    yield same("warehouse.fct_sessions", "sessions", evidence, SESSIONS, sessions)
    revenue = f"SELECT round(sum(revenue), 2) FROM warehouse_fct_sessions WHERE {OUR_SESSIONS}"
    yield same("warehouse.fct_sessions", "revenue", evidence, SESSION_REVENUE, revenue)
    for name, wanted in (("dim_users", "true"), ("dim_user_segments", "NOT is_bot")):
        people = f"SELECT person_id FROM lake_users WHERE {wanted}"
        missing = f"{people} EXCEPT SELECT person_id FROM warehouse_{name}"
        yield none(f"warehouse.{name}", "people that are missing", evidence, missing)
    for name, there in COPIES.items():
        yield _copy(evidence, name, there)


def _events(evidence: Evidence, loaded: str) -> Iterator[Expectation]:
    """Single events and page views: all, those of the last days that have any, or none."""
    about_events, about_views = "warehouse.fct_events", "warehouse.fct_page_views"
    ours = "SELECT count(DISTINCT event_id) FROM warehouse_fct_events WHERE event_id IN (SELECT event_id FROM counted)"
    views = f"SELECT count(DISTINCT page_view_id) FROM warehouse_fct_page_views WHERE {OUR_VIEWS}"
    events_wanted, views_wanted = "SELECT count(*) FROM counted", PAGE_VIEWS
    if loaded == "none":
        events_wanted = views_wanted = "SELECT 0"
        ours, views = (f"SELECT count(*) FROM warehouse_{name}" for name in ("fct_events", "fct_page_views"))
    elif loaded != "all":
        back = f"'-{int(loaded.removeprefix('days:')) - 1} days'"
        event_day, view_day = "date(derived_at, 'unixepoch')", "event_date"
        older_event = f"{event_day} < (SELECT date(max({event_day}), {back}) FROM lake_enriched_events)"
        older_view = f"{view_day} < (SELECT date(max({view_day}), {back}) FROM lake_page_views)"
        old_events = f"SELECT event_id FROM lake_enriched_events WHERE {older_event}"
        old_views = f"SELECT page_view_id FROM lake_page_views WHERE {older_view}"
        kept = "SELECT event_id FROM warehouse_fct_events INTERSECT "
        yield none(about_events, f"events from before ({loaded})", evidence, kept + old_events)
        kept = "SELECT page_view_id FROM warehouse_fct_page_views INTERSECT "
        yield none(about_views, f"page views from before ({loaded})", evidence, kept + old_views)
        events_wanted += f" WHERE event_id NOT IN ({old_events})"
        views_wanted = f"""
            SELECT count(DISTINCT page_view_id) FROM lake_page_views
            WHERE ({OUR_VIEWS}) AND page_view_id NOT IN ({old_views})
        """
    yield same(about_events, "distinct events", evidence, events_wanted, ours)
    twice = "SELECT event_id FROM warehouse_fct_events GROUP BY 1 HAVING count(*) > 1"
    yield none(about_events, "events that are there twice", evidence, twice)
    yield same(about_views, "page views", evidence, views_wanted, views)


def _copy(evidence: Evidence, name: str, there: str) -> Expectation:
    """What is in the warehouse must be the lake's rows. Those of `LATER` are loaded by runs of their own.

    A warehouse cannot hold NUL: its loads put U+FFFD in its place.
    """
    layout = table(name).warehouse
    copied = [each for each in table(name).columns if layout is None or each.name not in layout.leaves_out]
    columns = ", ".join(
        f"without_nul({column.name}) AS {column.name}" if column.type == "string" else column.name for column in copied
    )
    names = ", ".join(column.name for column in copied)
    lake, warehouse = (
        f"SELECT {names}, count(*) FROM (SELECT {columns} FROM {source}) GROUP BY {names}"
        for source in (f"lake_{name}", f"warehouse_{there}")
    )
    missing, foreign = (
        evidence.number(f"SELECT count(*) FROM ({one} EXCEPT {other})")
        for one, other in ((lake, warehouse), (warehouse, lake))
    )
    component, differing = f"warehouse.{there}", max(missing, foreign)
    late = _late(evidence, name, there) if differing and table(name) in LATER else None
    return late or equal(component, "rows that are not the lake's", 0, differing)


def _late(evidence: Evidence, name: str, there: str) -> Expectation | None:
    loads = evidence.rows(
        f"SELECT max(lake_version), max(loaded_at) FROM warehouse_{LOADS} WHERE table_name = ?", [there]
    )
    version, loaded_at = loads[0]
    if version is not None and version >= evidence.versions[name].number:
        return None
    at = "yet" if loaded_at is None else f"since {moment(loaded_at)}"
    found = None if version is None else f"{name} {version}"
    expected = f"{name} {evidence.versions[name].number}"
    return Expectation(f"warehouse.{there}", f"not refreshed {at}", expected, found, True, late=True)
