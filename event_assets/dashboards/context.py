"""What all pages share: the dashboard, the database, the settings, and how an address becomes a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import flask

from event_assets.dashboards.formatter import Formatter
from event_assets.dashboards.selection import Selection
from event_assets.dashboards.source import Source
from event_assets.rules.dashboard import Filter
from event_assets.rules.roles import Role
from event_assets.settings import Settings


@dataclass(frozen=True)
class Context:
    """Where pages get what they show: one for each role, with a connection of its own to the warehouse.

    `warehouse_url` is the owner's, for what only the platform itself can tell; `reads_only` whether the database is
    read as this role, so that nothing but what it may see can be read.
    """

    source: Source
    settings: Settings
    warehouse_url: str
    role: Role
    reads_only: bool

    def in_locale(self, locale: str | None) -> Context:
        """The same for who reads that locale; as it is where none is known."""
        return replace(self, source=replace(self.source, locale=locale)) if locale else self

    @property
    def lets_type(self) -> bool:
        """Whether SQL can be typed."""
        return self.role.types_sql and self.reads_only

    @property
    def formatter(self) -> Formatter:
        """What writes values: in the locale of who looks, revenue in the currency that it is known to be in."""
        return Formatter(self.source.locale, self.settings.reporting_currency)


def current_context() -> Context:
    """The context of the visitor whose request this is: the entrance has set it."""
    context: Context = flask.g.context
    return context


class View(NamedTuple):
    """A page: where it is, what it is called, which filters it has, how it is made, and for whom."""

    id: str
    title: str
    description: str
    filters: tuple[Filter, ...]
    make: Callable[[Context, Selection], Any]
    is_for: Callable[[Context], bool] = lambda context: True
