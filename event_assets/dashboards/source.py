"""Where figures come from: the dashboard, the database, and the time that it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from event_assets.dashboards import sql
from event_assets.dashboards.database import Database, Row, Text
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

    @property
    def now(self) -> dt.datetime:
        """The end of the minute that it is."""
        return sql.moment_of(self.clock())

    def ask(self, query: sql.Query) -> list[Row]:
        """The rows of a query, decimals as floats."""
        return self.ask_rows(*query)

    def ask_rows(self, text: Text, values: Sequence[Any] = (), *, fresh: bool = False) -> list[Row]:
        """The rows of a statement, decimals as floats."""
        return [tuple(map(_plain, row)) for row in self.database.rows(text, values, fresh=fresh)]


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value
