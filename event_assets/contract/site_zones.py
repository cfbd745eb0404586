"""By which clock the days of a site are told: a time zone for all apps, and others for some of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

UTC = "UTC"


@dataclass(frozen=True)
class SiteZones:
    """The time zone (IANA name) of all apps, and by app id that of those which have another."""

    default: str = UTC
    by_app: tuple[tuple[str, str], ...] = ()

    @cached_property
    def is_utc(self) -> bool:
        """Whether every site's day is the UTC day."""
        return {self.default, *(zone for _, zone in self.by_app)} == {UTC}

    def apps_of(self) -> dict[str, list[str]]:
        """By zone the apps that have it instead of the default."""
        apps: dict[str, list[str]] = {}
        for app, zone in self.by_app:
            apps.setdefault(zone, []).append(app)
        return apps

    def names(self, apps: Iterable[str] = ()) -> set[str]:
        """The zones of these apps; of all where none is named."""
        zones = dict(self.by_app)
        named = {zones.get(app, self.default) for app in apps}
        return named or {self.default, *zones.values()}

    def clock(self, apps: Iterable[str] = ()) -> ZoneInfo:
        """The clock that goes for these apps together: their own where they share one, else the default."""
        named = self.names(apps)
        return ZoneInfo(named.pop() if len(named) == 1 else self.default)

    def today(self, now: dt.datetime, apps: Iterable[str] = ()) -> dt.date:
        """The date at a moment by that clock."""
        return now.astimezone(self.clock(apps)).date()


IN_UTC = SiteZones()
"""Every site's day is the UTC day."""
