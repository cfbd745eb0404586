"""Wide views of the warehouse, for BI tools: each fact beside its dimensions, one row a row of the fact.

A dimension takes no row of a fact away and adds none, whatever it knows. A query that asks nothing of a dimension does
not pay for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from event_assets.contract.tables.attribution import CONVERSION_PATHS, CONVERSIONS, TOUCHES
from event_assets.contract.tables.dimensions import DATES, PAGES
from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.people import USERS, VISITORS
from event_assets.contract.tables.schema import Column, Table
from event_assets.contract.tables.sessions import PAGE_VIEWS, SESSION_ISSUES, SESSIONS
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES, WarehouseTable

NONE = "(none)"
"""What a column of a dimension's key says where there is none, as the dimension does."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A dimension beside a fact, found by the fact's column `by`, which has the dimension's key, where that is null by
    `else_by`; `shows` are the dimension's columns with their names in the view."""

    dimension: Table
    by: str
    shows: Mapping[str, str]
    else_by: str | None = None

    @property
    def table(self) -> WarehouseTable:
        """The dimension in the warehouse."""
        return _in_warehouse(self.dimension)


@dataclass(frozen=True, slots=True)
class View:
    """A fact beside its dimensions; of its own columns those that are `known` say `(none)` where there is none."""

    fact: Table
    joined: tuple[Joined, ...]
    known: tuple[str, ...] = ()

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
    def columns(self) -> tuple[Column, ...]:
        """The fact's columns in their order, then what the dimensions add."""
        own = (
            replace(column, description=f"{column.description} {NONE} where there is none.")
            if column.name in self.known
            else column
            for column in self.table.specs()
        )
        added = (
            replace(column, name=shown, description=f"{column.description} From {joined.table.name}.")
            for joined in self.joined
            for column, shown in ((joined.dimension.column(name), shown) for name, shown in joined.shows.items())
        )
        return (*own, *added)


def _in_warehouse(table: Table) -> WarehouseTable:
    return next(each for each in WAREHOUSE_TABLES if each.lake == table)


def _date(by: str = "event_date", else_by: str | None = None) -> Joined:
    return Joined(DATES, by, {name: f"date_{name}" for name in DATES.column_names if name != "date"}, else_by)


_SITE_DATE = _date("site_date", "event_date")
"""The site's day; of rows that were made before there was one, the UTC day."""


_CAMPAIGN = ("source", "medium", "campaign", "channel_group")
_SEEN = ("first_seen_at", "last_seen_at")
_PERSON = Joined(
    USERS,
    "person_id",
    {name: f"person_{name}" for name in (*_SEEN, *_CAMPAIGN, "sessions", "conversions", "revenue")},
)
_DEVICE = Joined(VISITORS, "anonymous_id", {name: f"visitor_{name}" for name in (*_SEEN, "sessions")})

VIEWS: tuple[View, ...] = (
    View(ENRICHED_EVENTS, (_SITE_DATE, _DEVICE)),
    View(
        PAGE_VIEWS,
        (
            _SITE_DATE,
            Joined(PAGES, "page_key", {"page": "page", "section": "section", "title": "page_title"}),
            _DEVICE,
        ),
        known=("country", "channel_group", "device_type", "platform", "app_id"),
    ),
    View(
        SESSIONS,
        (_SITE_DATE, _PERSON),
        known=(*_CAMPAIGN, "device_type", "os", "browser", "platform", "country", "app_id"),
    ),
    View(SESSION_ISSUES, (_date(), _DEVICE)),
    View(TOUCHES, (_PERSON,), known=_CAMPAIGN),
    View(CONVERSIONS, (_SITE_DATE, _PERSON)),
    View(CONVERSION_PATHS, (_date(), _PERSON)),
)
"""One of each fact. What a dimension only says again (its campaign, its device) the fact says itself."""
