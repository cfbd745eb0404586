from __future__ import annotations

from event_assets.dashboards.access.roles import ROLES
from event_assets.dashboards.context import Context
from event_assets.dashboards.database import Database
from event_assets.dashboards.source import Source
from event_assets.rules.dashboard import dashboard_of
from event_assets.settings import Settings
from event_assets.settings.dashboards import RoleName

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


def contexts(settings: Settings) -> dict[RoleName, Context]:
    """Pages over a warehouse that nobody gets so far as to ask."""
    source = Source(dashboard_of(settings.dashboards), Database(NOWHERE, settings.warehouse_schema))
    return {name: Context(source, settings, NOWHERE, role, reads_only=True) for name, role in ROLES.items()}
