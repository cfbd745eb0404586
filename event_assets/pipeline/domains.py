"""The domains of the graph, in the order in which data goes through them, and how soon tables follow new events."""

from __future__ import annotations

from typing import Literal, get_args

Group = Literal[
    "ingest",
    "events",
    "identity",
    "sessions",
    "people",
    "company",
    "attribution",
    "segments",
    "product",
    "metrics",
    "models",
    "warehouse",
]
GROUPS: tuple[Group, ...] = get_args(Group)
"""The domains, in the order in which data goes through them: none reads a later one."""

Pace = Literal["seconds", "minute", "minutes", "pauses"]
"""How soon tables follow new events: within seconds, about a minute, some minutes, or when no events are on their
way."""
