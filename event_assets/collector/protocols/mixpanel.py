"""Mixpanel's ingestion API, as its SDKs for pages, servers and phones speak it: events, profiles of users and groups.

A `distinct_id` that begins with `$device:` is a device's, any other is a user's unless it is the device's own. The
routes are in `mixpanel_routes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from event_assets.collector.protocols.forms import data_of
from event_assets.collector.protocols.members import HashedIds, Members, encoded, given, group_id_of
from event_assets.collector.protocols.protocol import Request, Unreadable
from event_assets.contract.event import Platform

NAME = "mixpanel"
_EVENTS = {
    "$mp_web_page_view": "page_view",
    "$mp_page_leave": "page_leave",
    "$identify": "identify",
    "$create_alias": "alias",
    "$merge": "alias",
}
_DEVICE = "$device:"
_PHONES: Mapping[str, Platform] = {"ios": "ios", "ipados": "ios", "android": "android", "tvos": "tv"}
_WEB = "web"
_OF_PERSON = (
    *("$email", "$phone", "$name", "$first_name", "$last_name", "$avatar", "$created", "$city", "$region"),
    *("$country_code", "$timezone"),
)
"""Traits that Mixpanel has names of its own for; other names that begin so are what an SDK says by itself."""
_SAYS_NOTHING = (
    *("token", "mp_sent_by_lib_version", "$mp_api_endpoint", "$mp_api_timestamp_ms"),
    "$had_persisted_distinct_id",
)
_IN_URL = ("current_domain", "current_url_path", "current_url_protocol", "current_url_search", "$referring_domain")
_CAMPAIGN = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "name",
    "utm_content": "content",
    "utm_term": "term",
    "gclid": None,
    "fbclid": None,
}
_AROUND = (
    *("$initial_", "$browser", "$device", "$brand", "$manufacturer", "$carrier", "$radio", "$wifi", "$bluetooth_"),
    *("$has_", "$google_play", "$screen_dpi", "$ui_", "$city", "$region", "mp_", "$lib", "$mp_replay"),
    "$mp_autocapture",
)
"""How names begin that tell of what is around the event."""

_array = msgspec.json.Decoder(list[Raw])


def texts(request: Request) -> list[bytes]:
    """What a request lists: an array, one object, or one object a line. Raises `Unreadable`."""
    data = data_of(request).strip()
    if not data.startswith(b"["):
        lines = data.splitlines()
        return lines if len(lines) > 1 and all(line[:1] == b"{" and line[-1:] == b"}" for line in lines) else [data]
    try:
        return list(map(bytes, _array.decode(data)))
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from None


def events(request: Request, platform: Platform) -> list[bytes]:
    """The events of a request. Raises `Unreadable`."""
    ids = HashedIds(NAME, request.place)
    return [_event(text, platform, request.received_at, ids) for text in texts(request)]


def profiles(request: Request, platform: Platform) -> list[bytes]:
    """What a request says of users and groups, each as an event. Raises `Unreadable`."""
    ids = HashedIds(NAME, request.place)
    return [_profile(text, platform, request.received_at, ids) for text in texts(request)]


def _event(text: bytes, platform: Platform, received_at: str, ids: HashedIds) -> bytes:
    try:
        said = Members.of(text)
    except Unreadable:
        return text
    properties = said.inside("properties", nulls=True)
    metadata = said.inside("$mp_metadata")
    name, occurred_at = said.text("event"), properties.instant("time")
    is_of_page = properties.seen("mp_lib") == _WEB
    event: dict[str, Any] = {
        "event_id": properties.text("$insert_id") or ids.of(text, occurred_at),
        "event": _EVENTS.get(name or "", name),
        "session_id": metadata.text("$mp_session_id"),
        "occurred_at": occurred_at,
        "sent_at": received_at or None,
        "ip": properties.text("ip", "$ip"),
        **_client(properties, platform),
    }
    own = _alias(event, properties) if event["event"] == "alias" else {}
    event |= {} if own else _who(properties)
    properties.drop(*_SAYS_NOTHING, *_IN_URL)
    url = event["page"].get("url", "")
    around: dict[str, Any] = {}
    for tag, field in _CAMPAIGN.items():  # an SDK for pages says the last one with each event, wherever it happens
        value = properties.text(tag)
        if value is not None and value not in url:
            if field is None or is_of_page:
                (around if is_of_page else own)[tag] = value
            else:
                event["campaign"] = {**event.get("campaign", {}), field: value}
    for left, value in properties.rest().items():
        (around if left.startswith(_AROUND) else own)[left] = value
    said.drop("$mp_metadata")
    said.drop_inside("$mp_metadata")
    rest = said.rest()
    other = rest.pop("properties", None)
    event["properties"] = own or (other if isinstance(other, Raw) else None)
    event["context"] = {**around, **rest}
    return encoded(event)


def _profile(text: bytes, platform: Platform, received_at: str, ids: HashedIds) -> bytes:
    try:
        said = Members.of(text)
    except Unreadable:
        return text
    occurred_at, group = said.instant("$time"), said.text("$group_id")
    ip = said.text("$ip")
    event: dict[str, Any] = {
        "event_id": ids.of(text, occurred_at),
        "event": "identify" if group is None else "group",
        "occurred_at": occurred_at,
        "sent_at": received_at or None,
        "ip": ip if ip != "0" else None,
        "platform": platform,
    }
    said.drop("$token", "$ignore_time", "$ignore_alias", "$mp_metadata")
    event |= {
        "traits": _named(said.inside("$set", nulls=True)),
        "traits_once": _named(said.inside("$set_once", nulls=True)),
    }
    if group is None:
        event |= _who(said)
    else:
        kind = said.text("$group_key")
        event["group_id"], event["properties"] = group_id_of(kind, group), given(group_type=kind, group_key=group)
    event["context"] = said.rest()
    return encoded(event)


def _named(traits: Members) -> dict[str, Any]:
    """What is said of somebody, under usual names; what an SDK says by itself is left."""
    named = {
        name.removeprefix("$") if name in _OF_PERSON else name: value
        for name, value in traits.rest().items()
        if name in _OF_PERSON or not name.startswith("$")
    }
    traits.drop(*named, *_OF_PERSON)
    return named


def _who(said: Members) -> dict[str, Any]:
    """Whose the event is."""
    distinct = said.text("$identified_id", "distinct_id", "$distinct_id") or ""
    device, user = said.text("$device_id"), said.text("$user_id")
    before = (said.text("$anon_distinct_id", "$anon_id") or "").removeprefix(_DEVICE)
    if distinct.startswith(_DEVICE):
        distinct, device = "", device or distinct.removeprefix(_DEVICE)
    user = user or (distinct if distinct != device else None)
    ids = (user, device, before, f"{_DEVICE}{device}", f"{_DEVICE}{before}")
    said.drop_ids("distinct_id", "$distinct_id", "$anon_distinct_id", "$anon_id", said=ids)
    return given(user_id=user or None, anonymous_id=device or before or None)


def _alias(event: dict[str, Any], properties: Members) -> dict[str, Any]:
    """Two ids of one person: the new one is the user's. Empty where two are not there."""
    merged = properties.seen("$distinct_ids")
    if isinstance(merged, list) and len(merged) == 2 and all(isinstance(each, str) for each in merged):
        user, previous = merged
        properties.drop("$distinct_ids")
    else:
        previous, user = properties.text("distinct_id", "$distinct_id"), properties.text("alias")
    if not user or not previous:
        properties.add("distinct_id", previous or user)
        return {}
    event["user_id"], event["anonymous_id"] = user, properties.text("$device_id")
    return {"previous_id": previous.removeprefix(_DEVICE)}


def _client(properties: Members, platform: Platform) -> dict[str, Any]:
    """Where the event comes from."""
    library, os = properties.text("mp_lib"), properties.text("$os")
    is_phone = library != _WEB and (os or "").lower() in _PHONES
    named = "browser" if library == _WEB else library
    return {
        "platform": _PHONES[(os or "").lower()] if is_phone else platform,
        "app": given(
            id=properties.text("$app_namespace"),
            version=properties.text("$app_version_string", "$app_version"),
            build=properties.text("$app_build_number"),
        ),
        "page": given(
            url=properties.text("$current_url"),
            title=properties.text("current_page_title", "$title"),
            referrer=properties.text("$referrer"),
        ),
        "screen": given(width=properties.number("$screen_width"), height=properties.number("$screen_height")),
        "device": given(
            user_agent=properties.text("$user_agent"),
            model=properties.text("$model"),
            os=os,
            os_version=properties.text("$os_version"),
            locale=properties.text("$locale"),
            timezone=properties.text("$timezone"),
            manufacturer=properties.text("$manufacturer", "$brand"),
            advertising_id=properties.id("$ios_ifa", "$android_advertising_id"),
        ),
        "library": given(name=f"{NAME}-{named}" if named else None, version=properties.text("$lib_version")),
    }
