"""Wide views of the warehouse, for BI tools: each fact beside its dimensions, one row a row of the fact.

A dimension that has no row (yet) for a fact takes none away: what it would say is null, or as the fact says it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from event_assets.contract.tables.attribution import CONVERSION_PATHS, CONVERSIONS, TOUCHES
from event_assets.contract.tables.dimensions import CAMPAIGNS, DATES, DEVICES, PAGES, PLACES
from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.people import USER_HISTORY, USERS, VISITORS
from event_assets.contract.tables.schema import Column, Table
from event_assets.contract.tables.sessions import PAGE_VIEWS, SESSION_ISSUES, SESSIONS
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES, WarehouseTable


@dataclass(frozen=True, slots=True)
class Joined:
    """A dimension beside a fact, found by the fact's column `by`, which names a row of it.

    `shows` are the dimension's columns with their names in the view; one that the fact has too is shown as the
    dimension has it. Of a history, the row is the one that held when the fact's column `at` says.
    """

    dimension: Table
    by: str
    shows: Mapping[str, str]
    at: str = ""

    @property
    def table(self) -> WarehouseTable:
        """The dimension in the warehouse."""
        return _in_warehouse(self.dimension)


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column of a view: of the fact, of a dimension, or of both, the dimension's first."""

    column: Column
    of_fact: str = ""
    dimension: Joined | None = None
    of_dimension: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """A fact beside its dimensions."""

    fact: Table
    joined: tuple[Joined, ...]

    @property
    def table(self) -> WarehouseTable:
        """The fact in the warehouse."""
        return _in_warehouse(self.fact)

    @property
    def name(self) -> str:
        """`bi_sessions` of `fct_sessions`."""
        return f"bi_{self.table.name.removeprefix('fct_')}"

    @property
    def description(self) -> str:
        """What a row is, and what is beside it."""
        beside = ", ".join(joined.table.name for joined in self.joined)
        return f"{self.table.name}, and beside each row what it is of: {beside}. {self.fact.description}"

    @property
    def columns(self) -> tuple[ViewColumn, ...]:
        """The fact's columns in their order, then what the dimensions add."""
        found = {name: ViewColumn(self.fact.column(name), of_fact=name) for name in self.table.columns}
        for joined in self.joined:
            for name, shown in joined.shows.items():
                told = joined.dimension.column(name)
                column = replace(told, name=shown, description=f"{told.description} From {joined.table.name}.")
                of_fact = found[shown].of_fact if shown in found else ""
                found[shown] = ViewColumn(column, of_fact, joined, name)
        return tuple(found.values())


def _in_warehouse(table: Table) -> WarehouseTable:
    return next(each for each in WAREHOUSE_TABLES if each.lake == table)


def _date() -> Joined:
    return Joined(DATES, "event_date", {name: f"date_{name}" for name in DATES.column_names if name != "date"})


def _same(names: tuple[str, ...]) -> dict[str, str]:
    return {name: name for name in names}


_SEEN = ("first_seen_at", "last_seen_at")
_FIRST_TOUCH = ("source", "medium", "campaign", "channel_group")
_CONSENT = ("consent_analytics", "consent_marketing", "consent_personalisation")
_PERSON = Joined(
    USERS,
    "person_id",
    {name: f"person_{name}" for name in (*_SEEN, *_FIRST_TOUCH, "sessions", "conversions", "revenue")},
)
_DEVICE = Joined(VISITORS, "anonymous_id", {name: f"visitor_{name}" for name in (*_SEEN, "sessions")})
_PLACE = Joined(PLACES, "geo_key", _same(("country",)))


def _consent(at: str) -> Joined:
    return Joined(USER_HISTORY, "person_id", _same(_CONSENT), at)


VIEWS: tuple[View, ...] = (
    View(ENRICHED_EVENTS, (_date(), _DEVICE)),
    View(
        PAGE_VIEWS,
        (
            _date(),
            Joined(PAGES, "page_key", {"kind": "kind", "page": "page", "section": "section", "title": "page_title"}),
            _PLACE,
            _DEVICE,
        ),
    ),
    View(
        SESSIONS,
        (
            _date(),
            Joined(CAMPAIGNS, "campaign_key", _same(("source", "medium", "campaign", "channel_group"))),
            Joined(DEVICES, "device_key", _same(("device_type", "os", "browser", "platform"))),
            _PLACE,
            _PERSON,
            _consent("start_at"),
        ),
    ),
    View(SESSION_ISSUES, (_date(), _DEVICE)),
    View(TOUCHES, (_PERSON, _consent("at"))),
    View(CONVERSIONS, (_date(), _PERSON, _consent("at"))),
    View(CONVERSION_PATHS, (_date(), _PERSON, _consent("at"))),
)
"""One of each fact."""
