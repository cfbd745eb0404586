"""What the clock of a site shows, worked out from the time zone database alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from zoneinfo import ZoneInfo

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


class Clocks:
    """The clocks of all apps."""

    def __init__(self, zone: str = "UTC", of_apps: Mapping[str, str] = MappingProxyType({})) -> None:
        self._default = ZoneInfo(zone)
        self._of_app = {app: ZoneInfo(name) for app, name in of_apps.items()}

    def shown(self, at: int, app: str | None) -> int:
        """What an app's clock shows at a moment, both in microseconds since 1970: as if it were UTC."""
        moment = _EPOCH + at * _MICROSECOND
        offset = moment.astimezone(self._of_app.get(app or "", self._default)).utcoffset()
        return at + (offset or dt.timedelta()) // _MICROSECOND

    def date(self, seconds: float | None, app: str | None) -> str | None:
        """The date that an app's clock shows at a moment in seconds since 1970."""
        if seconds is None:
            return None
        return str((_EPOCH + self.shown(round(seconds * 1_000_000), app) * _MICROSECOND).date())
