"""Where figures come from: the dashboard, the database, and the time that it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from event_assets.contract.site_zones import IN_UTC, SiteZones
from event_assets.dashboards import sql
from event_assets.dashboards.database import Database, Row, Text
from event_assets.dashboards.selection import Selection, Span
from event_assets.rules.dashboard import Dashboard


@dataclass(frozen=True)
class Source:
    """Where figures come from: a dashboard, the database, and the time that it is."""

    dashboard: Dashboard
    database: Database
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
    event_days: int | None = None
    """Days of single events that the warehouse has; None: all."""
    locale: str = "en"
    """Of who asks: how days are written in a figure's own words."""

    of_companies: frozenset[str] = frozenset()
    """The analyses whose rows count companies, not people."""

    zones: SiteZones = IN_UTC
    """By which clocks the days of sites are told."""

    @property
    def now(self) -> dt.datetime:
        """The end of the minute that it is, by the clock of the sites."""
        return self._now(Selection())

    def span(self, selection: Selection) -> Span:
        """The period of a selection, by the clock of its apps: the default one where theirs differ."""
        return selection.span(self._now(selection), self._spread)

    def span_before(self, selection: Selection) -> Span | None:
        """What it is held against."""
        return selection.span_before(self._now(selection), self._spread)

    def _now(self, selection: Selection) -> dt.datetime:
        zone = self.zones.clock(selection.values.get("app_id", ()))
        return sql.moment_of(self.clock()).astimezone(dt.UTC if self.zones.is_utc else zone)

    @property
    def _spread(self) -> int:
        return 0 if self.zones.is_utc else 1

    def ask(self, query: sql.Query) -> list[Row]:
        """The rows of a query, decimals as floats."""
        return self.ask_rows(*query)

    def ask_rows(self, text: Text, values: Sequence[Any] = (), *, fresh: bool = False) -> list[Row]:
        """The rows of a statement, decimals as floats."""
        return [tuple(map(_plain, row)) for row in self.database.rows(text, values, fresh=fresh)]


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value
