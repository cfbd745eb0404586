"""Enrichments as a user of the project writes them."""

from __future__ import annotations

from typing import Any

import msgspec

calls: list[str | None] = []
"""What `tier` was called with."""


def tier(user_id: str | None) -> str | None:
    calls.append(user_id)
    return None if user_id is None else "gold" if user_id.startswith("g") else "basic"


def basket(properties: str | None, country: str | None) -> dict[str, Any] | None:
    items = msgspec.json.decode(properties or "{}").get("items")
    return None if items is None else {"items": len(items), "abroad": country != "DE"}


basket.version = "3"  # type: ignore[attr-defined]


def broken(event: str) -> str:
    if event == "bad":
        raise ValueError("bad is no event of ours")
    return {"page_view": "view"}[event]


def endless(event_id: str) -> str:
    return "x" * 20_000 if event_id == "long" else event_id


def unwritable(event: str) -> object:
    return object()


def no_columns() -> str:
    return ""


def unknown_column(user_id: str, shoe_size: int) -> str:
    return ""


def any_columns(**columns: Any) -> str:
    return ""


def later_column(enrichment_failures: str) -> str:
    return ""
