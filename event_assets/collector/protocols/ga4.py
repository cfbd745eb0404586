"""Google Analytics 4's Measurement Protocol, as servers and apps speak it.

A session's id is the time at which it began, so that strangers share it: here it is the client's too. Hashed addresses
(`user_data`), which serve to find people in Google's own accounts, are left out. The routes are in `ga4_routes`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from event_assets.collector.protocols.consent_categories import consent_of
from event_assets.collector.protocols.members import HashedIds, Members, encoded, given, instant_of, session_id_of
from event_assets.collector.protocols.protocol import Request, Unreadable
from event_assets.contract.event import Campaign, Platform

NAME = "ga4"
_EVENTS = {"exception": "app_error", "app_exception": "app_error"}
_PURCHASES = ("purchase", "in_app_purchase")
_CAMPAIGNS = ("campaign_details", "firebase_campaign")
"""Events that say which campaign led here, of which no page's URL tells."""
_CAMPAIGN = {name: "campaign" if name == "name" else name for name in Campaign.__struct_fields__}
_PHONES: Mapping[str, Platform] = {"ios": "ios", "ipados": "ios", "android": "android"}
_CONSENT = ("ad_user_data", "ad_personalization", "analytics_storage", "ad_storage")
_AGREED = {"GRANTED": True, "DENIED": False}

_array = msgspec.json.Decoder(list[Raw])


def events(request: Request, platform: Platform) -> Iterator[bytes]:
    """The events of a request. Raises `Unreadable`."""
    body = Members.of(request.body)
    try:
        listed = _array.decode(body.raw("events") or b"")
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"events: {error}") from None
    shared = _shared(body, request, platform)
    context = body.rest()
    ids, of_body = HashedIds(NAME, request.place), hashlib.sha256(request.body).digest()
    return (_event(bytes(each), shared, context, ids, of_body) for each in listed)


def _shared(body: Members, request: Request, platform: Platform) -> dict[str, Any]:
    """What a request says of all its events."""
    device = body.inside("device")
    os = device.text("operating_system")
    size = (device.text("screen_resolution") or "").partition("x")
    has_size = size[0].isdigit() and size[2].isdigit() and max(map(len, size)) < 10
    if not has_size:
        device.add("screen_resolution", "".join(size) or None)
    instance = body.text("app_instance_id")
    is_phone = (os or "").lower() in _PHONES
    agent, language = body.text("user_agent"), device.text("language")
    traits = _traits(body)
    occurred_at = _instant(body)
    body.drop("user_data", "validation_behavior")
    return {
        "user_id": body.text("user_id"),
        "anonymous_id": body.text("client_id") or instance,
        "occurred_at": occurred_at,
        "sent_at": request.received_at or None,
        "ip": body.text("ip_override"),
        "platform": _PHONES[(os or "").lower()] if is_phone else platform,
        "consent": consent_of(_consent(body)),
        "traits": traits,
        "app": given(id=request.parameter("firebase_app_id") or request.parameter("measurement_id") or None),
        "screen": {"width": int(size[0]), "height": int(size[2])} if has_size else {},
        "device": given(
            user_agent=agent,
            model=device.text("model"),
            os=os,
            os_version=device.text("operating_system_version"),
            locale=language,
            manufacturer=device.text("brand"),
        ),
    }


def _event(text: bytes, shared: Mapping[str, Any], context: Mapping[str, Any], ids: HashedIds, of_body: bytes) -> bytes:
    try:
        said = Members.of(text)
    except Unreadable:
        return text
    params = said.inside("params", nulls=True)
    name, session = said.text("name"), params.text("session_id")
    occurred_at = _instant(said) or shared["occurred_at"]
    event: dict[str, Any] = {
        "event_id": ids.of(of_body + text, occurred_at),
        "event": _EVENTS.get(name or "", name),
        **shared,
        "session_id": _session(session, shared),
        "occurred_at": occurred_at,
        "page": given(
            url=params.text("page_location"), title=params.text("page_title"), referrer=params.text("page_referrer")
        ),
        "screen": given(name=params.text("screen_name", "firebase_screen"), **shared["screen"]),
    }
    if name in _CAMPAIGNS:
        event["campaign"] = given(**{field: params.text(member) for field, member in _CAMPAIGN.items()})
    if name == "join_group":
        event["group_id"] = params.id("group_id")
    if name in _PURCHASES:
        params.add("value" if "revenue" in params else "revenue", params.number("value"))
    rest = said.rest()
    event["properties"] = rest.pop("params", None)
    event["context"] = {**context, **rest}
    return encoded(event)


def _session(session: str | None, shared: Mapping[str, Any]) -> str | None:
    return session_id_of(NAME, shared["anonymous_id"] or shared["user_id"], session) if session else None


def _instant(said: Members) -> str | None:
    """`timestamp_micros` as RFC 3339; what is no number stays as it is."""
    number = said.number("timestamp_micros")
    if number is None:
        return said.text("timestamp_micros")
    text = bytes(number).decode()
    return instant_of(text[:-3] if text[:-3].isdigit() else text)


def _consent(body: Members) -> Iterator[tuple[str, bool]]:
    consent = body.inside("consent")
    for name in _CONSENT:
        said = consent.text(name)
        if said is not None and said.upper() in _AGREED:
            yield name, _AGREED[said.upper()]
        else:
            consent.add(name, said)
    if body.flag("non_personalized_ads"):
        yield "ad_personalization", False


def _traits(body: Members) -> dict[str, Any] | None:
    """The values of user properties, without the times at which they were set."""
    said = body.object("user_properties")
    if said is None:
        return None
    properties = Members.of(bytes(said)).rest()
    return {n: Members({n: each}).inside(n, nulls=True).rest().get("value", each) for n, each in properties.items()}
