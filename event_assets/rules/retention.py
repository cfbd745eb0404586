"""Retention as its users write it: how many days each kind of table keeps, single tables and apps otherwise.

When a day may go, and how, is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, model_validator

from event_assets.rules.rule_files import Fault, RuleFile, RuleModel, nearest

Kind = Literal["raw", "quarantine", "events", "sessions", "aggregates"]
LEAST_DAYS = 7
"""Fewer would take days away that late events still change every day."""
Days = Annotated[int, Field(ge=LEAST_DAYS, le=36_500)] | Literal["keep"]

TABLES: Mapping[str, Kind] = {
    "raw_events": "raw",
    "quarantined_events": "quarantine",
    **dict.fromkeys(("clean_events", "enriched_events"), "events"),
    **dict.fromkeys(("page_views", "sessions", "session_issues"), "sessions"),
    **dict.fromkeys(("daily_metrics", "daily_sessions", "daily_events", "hourly_events", "daily_pages"), "aggregates"),
}
"""The tables of which days go, each after all that it is made of, with their kind."""
OF_APPS = ("clean_events", "enriched_events", "page_views", "sessions")
"""Those whose rows say of which app they are."""


class _Model(RuleModel):
    model_config = ConfigDict(strict=False)


class AppRetention(_Model):
    """How many days the events, or the sessions, of one app are kept, where that is not as with the others. Raw records
    hold events of several apps: they have one time for all."""

    events: Days | None = None
    sessions: Days | None = None


class Retention(_Model):
    """What the file says."""

    raw: Days = 90
    quarantine: Days = 180
    events: Days = 400
    sessions: Days = 800
    aggregates: Days = "keep"
    tables: dict[str, Days] = Field(default_factory=dict)
    apps: dict[Annotated[str, Field(min_length=1, max_length=128)], AppRetention] = Field(default_factory=dict)

    @property
    def name(self) -> str:
        return "retention"

    @model_validator(mode="after")
    def _known_tables(self) -> Retention:
        for table in self.tables:
            if table not in TABLES:
                near = nearest(table, TABLES)
                raise Fault(f"no days of such a table go{near}; there are {', '.join(TABLES)}", "tables", table)
        return self

    def days_of(self, table: str, app: str | None = None) -> int | None:
        """How many days the table keeps, of one app where it is named; None: all of them."""
        kind = TABLES[table]
        days: Days = self.tables.get(table, getattr(self, kind))
        if app is not None and table in OF_APPS:
            special = getattr(self.apps.get(app, AppRetention()), kind, None)
            days = days if special is None else special
        return None if days == "keep" else days

    def apps_of(self, table: str) -> dict[str, int | None]:
        """The apps whose rows of the table are kept for another time than those of the others, with their days."""
        every = {app: self.days_of(table, app) for app in self.apps} if table in OF_APPS else {}
        return {app: days for app, days in every.items() if days != self.days_of(table)}


RETENTION_FILE = RuleFile("retention", TypeAdapter(Retention), "how many days each kind of table keeps, as in raw: 90")


def read_retention(path: Path) -> Retention:
    """What a file says. Raises `RuleError`, with a line for each fault."""
    return RETENTION_FILE.read(path)
