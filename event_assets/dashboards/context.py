"""What all pages share: the dashboard, the database, the settings, and how an address becomes a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from event_assets.dashboards.figures import Source
from event_assets.dashboards.selection import Selection
from event_assets.rules.dashboard import Filter
from event_assets.settings import Settings


@dataclass(frozen=True)
class Context:
    """Where pages get what they show. `warehouse_url` is the owner's, for what only the platform itself can tell;
    `lets_type` whether SQL can be typed: only where the database is read by a role that can do nothing else."""

    source: Source
    settings: Settings
    warehouse_url: str
    lets_type: bool

    @property
    def currency(self) -> str | None:
        """The currency that revenue is in, where it is known."""
        return self.settings.reporting_currency


class View(NamedTuple):
    """A page: where it is, what it is called, which filters it has, and how it is made."""

    id: str
    title: str
    description: str
    filters: tuple[Filter, ...]
    make: Callable[[Selection], Any]
