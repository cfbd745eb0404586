"""Enrichments of the shop's own: plain functions of columns of an event."""

from __future__ import annotations

import json


def basket(event: str, properties: str | None) -> str | None:
    """How much was bought at once: `single`, `few` or `many` pieces."""
    if event != "purchase" or properties is None:
        return None
    items = json.loads(properties).get("items", 1)
    return "single" if items == 1 else "few" if items < 4 else "many"


basket.version = "1"  # type: ignore[attr-defined]
