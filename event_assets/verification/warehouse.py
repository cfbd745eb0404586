"""The warehouse against the truth, and the copies of the lake's tables against these."""

from __future__ import annotations

from collections.abc import Iterator

from event_assets.contract.tables.lake import PRODUCT_TABLES, table
from event_assets.verification.evidence import COPIES, LOADS, Evidence
from event_assets.verification.expected import OUR_SESSIONS, OUR_VIEWS, PAGE_VIEWS, SESSION_REVENUE, SESSIONS
from event_assets.verification.report import Expectation, equal, moment, none, same


def warehouse_lines(evidence: Evidence) -> Iterator[Expectation]:
    """Lines about every table of the warehouse."""
    ours = "SELECT count(DISTINCT event_id) FROM warehouse_fct_events WHERE event_id IN (SELECT event_id FROM counted)"
    yield same("warehouse.fct_events", "distinct events", evidence, "SELECT count(*) FROM counted", ours)
    twice = "SELECT event_id FROM warehouse_fct_events GROUP BY 1 HAVING count(*) > 1"
    yield none("warehouse.fct_events", "events that are there twice", evidence, twice)
    views = f"SELECT count(DISTINCT page_view_id) FROM warehouse_fct_page_views WHERE {OUR_VIEWS}"
    yield same("warehouse.fct_page_views", "page views", evidence, PAGE_VIEWS, views)
    sessions = f"SELECT count(*) FROM warehouse_fct_sessions WHERE {OUR_SESSIONS}"
    yield same("warehouse.fct_sessions", "sessions", evidence, SESSIONS, sessions)
    revenue = f"SELECT round(sum(revenue), 2) FROM warehouse_fct_sessions WHERE {OUR_SESSIONS}"
    yield same("warehouse.fct_sessions", "revenue", evidence, SESSION_REVENUE, revenue)
    for name, wanted in (("dim_users", "true"), ("user_segments", "NOT is_bot")):
        people = f"SELECT person_id FROM lake_users WHERE {wanted}"
        missing = f"{people} EXCEPT SELECT person_id FROM warehouse_{name}"
        yield none(f"warehouse.{name}", "people that are missing", evidence, missing)
    for name, there in COPIES.items():
        yield _copy(evidence, name, there)


def _copy(evidence: Evidence, name: str, there: str) -> Expectation:
    """What is in the warehouse must be the lake's rows. Those of analyses are loaded by a run of their own.

    A warehouse cannot hold NUL: its loads put U+FFFD in its place.
    """
    columns = ", ".join(
        f"without_nul({column.name}) AS {column.name}" if column.type == "string" else column.name
        for column in table(name).columns
    )
    names = ", ".join(table(name).column_names)
    lake, warehouse = (
        f"SELECT {names}, count(*) FROM (SELECT {columns} FROM {source}) GROUP BY {names}"
        for source in (f"lake_{name}", f"warehouse_{there}")
    )
    missing, foreign = (
        evidence.number(f"SELECT count(*) FROM ({one} EXCEPT {other})")
        for one, other in ((lake, warehouse), (warehouse, lake))
    )
    component, differing = f"warehouse.{there}", max(missing, foreign)
    late = _late(evidence, name, there) if differing and table(name) in PRODUCT_TABLES else None
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
