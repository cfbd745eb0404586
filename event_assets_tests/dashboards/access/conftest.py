from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from event_assets.dashboards.context import Context
from event_assets.dashboards.database import Database
from event_assets.dashboards.source import Source
from event_assets.rules.dashboard import dashboard_of
from event_assets.rules.roles import roles_of
from event_assets.settings import Settings

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


def roles_file(folder: Path, groups: Mapping[str, str]) -> Path:
    """The shipped roles, with these groups of a sign-in."""
    document = roles_of(Settings().roles).model_dump(mode="json")
    for name, role in document["roles"].items():
        role["groups"] = [group for group, of in groups.items() if of == name]
    path = folder / "roles.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def contexts(settings: Settings) -> dict[str, Context]:
    """Pages over a warehouse that nobody gets so far as to ask."""
    source = Source(dashboard_of(settings.dashboards), Database(NOWHERE, settings.warehouse_schema))
    roles = roles_of(settings.roles).of_dashboards
    return {name: Context(source, settings, NOWHERE, role, reads_only=True) for name, role in roles.items()}
