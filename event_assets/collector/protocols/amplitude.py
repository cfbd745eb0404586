"""Amplitude's HTTP API, version 2, as its SDKs speak it.

A session's id is the time at which it began, so that strangers share it: here it is the device's too. The routes are in
`amplitude_routes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from event_assets.collector.protocols.members import HashedIds, Members, encoded, given, group_among, session_id_of
from event_assets.collector.protocols.protocol import Request, Unreadable
from event_assets.contract.event import Platform

NAME = "amplitude"
_EVENTS = {
    "$identify": "identify",
    "$groupidentify": "group",
    "[Amplitude] Page Viewed": "page_view",
    "[Amplitude] Screen Viewed": "screen_view",
}
_PLATFORMS: Mapping[str, Platform] = {"web": "web", "ios": "ios", "ipados": "ios", "android": "android"}
_OPERATIONS = ("$set", "$setOnce", "$add", "$append", "$unset")
_OWN = "[Amplitude] "
_PAGE = (f"{_OWN}Page Domain", f"{_OWN}Page Path", f"{_OWN}Page URL", "referring_domain")
_CAMPAIGN = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "gclid", "fbclid")

_array = msgspec.json.Decoder(list[Raw])


def events(request: Request, platform: Platform) -> list[bytes]:
    """The events of a request. Raises `Unreadable`."""
    body = Members.of(request.body)
    sent_at, ids = body.instant("client_upload_time") or request.received_at or None, HashedIds(NAME, request.place)
    listed = body.raw("events") or body.raw("event") or b""
    try:
        said = [Raw(listed)] if listed.startswith(b"{") else _array.decode(listed)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"events: {error}") from None
    return [_event(bytes(each), platform, sent_at, ids) for each in said]


def _event(text: bytes, platform: Platform, sent_at: str | None, ids: HashedIds) -> bytes:
    try:
        said = Members.of(text)
    except Unreadable:
        return text
    return encoded(_fields(said, text, platform, sent_at, ids))


def _fields(said: Members, text: bytes, platform: Platform, sent_at: str | None, ids: HashedIds) -> dict[str, Any]:
    properties = said.inside("event_properties", nulls=True)
    name, user_id, device_id = said.text("event_type"), said.text("user_id"), said.text("device_id")
    occurred_at = said.instant("time", "client_event_time", "event_time")
    event_id = said.text("insert_id", "$insert_id") or ids.of(text, occurred_at)
    library, _, version = (said.text("library") or "").partition("/")
    session, ip = said.text("session_id"), said.text("ip", "ip_address")
    page = _page(properties)
    event: dict[str, Any] = {
        "event_id": event_id,
        "event": _EVENTS.get(name or "", name),
        "user_id": user_id,
        "anonymous_id": device_id,
        "session_id": session_id_of(NAME, device_id or user_id, session) if session not in (None, "-1", "0") else None,
        "page_view_id": properties.text(f"{_OWN}Page View ID"),
        "group_id": group_among(said, "groups"),
        "occurred_at": occurred_at,
        "sent_at": sent_at,
        "ip": ip if ip != "$remote" else None,
        "platform": _platform(said, platform),
        "app": given(version=said.text("app_version")),
        "page": page,
        "screen": given(name=properties.text(f"{_OWN}Screen Name")),
        "device": given(
            user_agent=said.text("user_agent"),
            model=said.text("device_model"),
            os=said.text("os_name"),
            os_version=said.text("os_version"),
            locale=said.text("language"),
            manufacturer=said.text("device_manufacturer"),
            id=said.id("idfv", "android_id"),
            advertising_id=said.id("idfa", "adid"),
        ),
        "library": given(name=library or None, version=version or None),
    }
    said.drop("event_id", "options")
    _say(event, name, said, properties)
    rest = said.rest()
    event["properties"] = rest.pop("event_properties", None)
    event["context"] = rest
    return event


def _say(event: dict[str, Any], name: str | None, said: Members, properties: Members) -> None:
    """Adds what is said of the person, the group, the money."""
    person = said.inside("user_properties")
    if name == "$groupidentify":
        person = said.inside("group_properties")
        kind, _, key = (event["group_id"] or "").partition(":")
        properties.add("group_type", kind or None)
        properties.add("group_key", key or None)
    if any(operation in person for operation in _OPERATIONS):
        event["traits"], event["traits_once"] = person.object("$set"), person.object("$setOnce")
    elif person.rest():
        event["traits"] = person.rest()
        said.drop_inside("group_properties" if name == "$groupidentify" else "user_properties")
    revenue = properties.number("$revenue") or said.number("revenue")
    price, quantity = properties.seen("$price"), properties.seen("$quantity")
    if revenue is None and isinstance(price, int | float):
        count = quantity if isinstance(quantity, int | float) else 1
        properties.add("revenue", price * count)
    properties.add("revenue", revenue)
    properties.add("currency", properties.text("$currency"))


def _page(properties: Members) -> dict[str, Any]:
    """The page, and nothing beside it that its URL says already."""
    url = properties.text(f"{_OWN}Page Location")
    page = given(url=url, title=properties.text(f"{_OWN}Page Title"))
    if url is not None:
        page |= given(referrer=properties.text("referrer"))
        properties.drop(*_PAGE)
        for name in _CAMPAIGN:
            value = properties.text(name)
            if value is not None and value not in url:
                properties.add(name, value)
    return page


def _platform(said: Members, platform: Platform) -> Platform:
    named = said.text("platform")
    if named is not None and named.lower() not in _PLATFORMS:
        said.add("platform", named)
    return _PLATFORMS.get((named or "").lower(), platform)
