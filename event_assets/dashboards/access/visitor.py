"""Who looks at the dashboards."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Visitor:
    """Who looks, and by which role of the roles' file. `name` is empty where nobody signs in."""

    name: str
    role: str
