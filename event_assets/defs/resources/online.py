"""The tables that requests are answered by, as a resource."""

from __future__ import annotations

from typing import Self

import dagster as dg

from event_assets.online import Content, OnlineTable, open_online
from event_assets.settings import PREFIX, Settings, load_settings


class OnlineResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """A file under the home, or a PostgreSQL where `url` names one."""

    home: str
    url: str = ""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        named = settings.segments_online_url is not None
        return cls(home=str(settings.home.absolute()), url=dg.EnvVar(f"{PREFIX}SEGMENTS_ONLINE_URL") if named else "")

    def open(self, content: Content = "segments") -> OnlineTable:
        """The table of that content; it is made by the first that is published."""
        return open_online(load_settings(home=self.home, segments_online_url=self.url or None), content)
