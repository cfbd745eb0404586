"""Which fields of an event may be replaced by pseudonyms, and how they are named. Doing it is `enrichment/pseudonyms`.

Settings are checked by it in every process.
"""

from __future__ import annotations

from collections.abc import Iterable

from event_assets.contract.event import NESTED
from event_assets.contract.paths import parts_of

PLACES = {
    "anonymous_id": ("anonymous_id",),
    "user_id": ("user_id",),
    "page_title": ("page", "title"),
    "screen_name": ("screen", "name"),
    "device_model": ("device", "model"),
    "device_id": ("device", "id"),
    "device_advertising_id": ("device", "advertising_id"),
}
"""Columns that may be named: what nothing downstream reads but to compare it; and where an event has it."""
PII_COLUMNS = tuple(PLACES)

JSON_COLUMNS = ("properties", "traits", "traits_once", "extra")
r"""Columns of which a field inside may be named, as a path: `traits.address.street`, `traits.utm\.source`."""


def wrong_fields(fields: Iterable[str]) -> list[str]:
    """What is wrong with the names of fields to be replaced: a sentence each; none where all is well.

    >>> wrong_fields(["user_id", "traits.email", "email"])
    ["'email' is no field that can be replaced"]
    """
    found = []
    for field in fields:
        head, *path = parts_of(field)
        if field == "ip":
            found.append("'ip' has a setting of its own, ip_privacy")
        elif not (field in PII_COLUMNS or (head in JSON_COLUMNS and path and all(path))):
            found.append(f"{field!r} is no field that can be replaced")
    return found


def wrong_at_collector(fields: Iterable[str]) -> list[str]:
    """The same of fields that cleaning can replace and the ingest API cannot: as a whole what the contract knows as an
    object.

    >>> wrong_at_collector(["extra.page", "extra.page.theme", "extra.who"])
    ["'extra.page' can be replaced in cleaning alone: name the fields inside, such as extra.page.name"]
    """
    wholes = {f"extra.{name}" for name in (*NESTED, "context")}
    return [
        f"{field!r} can be replaced in cleaning alone: name the fields inside, such as {field}.name"
        for field in fields
        if field in wholes
    ]
