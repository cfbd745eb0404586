"""PostHog's capture protocol, as its SDKs for pages, servers and phones speak it.

A `distinct_id` is a user only where the event says so: before somebody is identified it is the device's. What an SDK
says of itself and of the browser is kept in `context`, what is said of the event in `properties`. The routes are in
`posthog_routes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from event_assets.collector.protocols.forms import data_of
from event_assets.collector.protocols.members import HashedIds, Members, encoded, given, group_among, group_id_of
from event_assets.collector.protocols.protocol import Request, Unreadable
from event_assets.contract.event import Campaign, Platform

NAME = "posthog"
_EVENTS = {
    "$pageview": "page_view",
    "$screen": "screen_view",
    "$identify": "identify",
    "$set": "identify",
    "$set_once": "identify",
    "$create_alias": "alias",
    "$groupidentify": "group",
    "$exception": "app_error",
    "$web_vitals": "web_vitals",
    "$pageleave": "page_leave",
}
_PHONES: Mapping[str, Platform] = {"ios": "ios", "ipados": "ios", "android": "android", "tvos": "tv"}
_TRAITS = {"traits": "$set", "traits_once": "$set_once"}
_CAMPAIGN = {name: f"utm_{'campaign' if name == 'name' else name}" for name in Campaign.__struct_fields__}
_LIBRARIES = {"web": "posthog-js"}
_NAMES_THE_USER_FIRST = ("posthog-node", "posthog-edge")
"""SDKs whose alias is of the `distinct_id`; of the others it is the other way about."""
_SAYS_NOTHING = ("token", "distinct_id", "$time", "$insert_id", "$user_id", "$is_identified", "$is_server")
_ABOUT_ITSELF = ("$sdk_", "$lib_", "$config", "$initialization_time", "$recording_status")
"""How names begin that tell of the SDK's own state, which nobody asks for."""
_AROUND = (
    *("$session_entry_", "$initial_", "$browser", "$device", "$os", "$python", "$node", "$geoip", "$timezone"),
    *("$groups", "$window_id", "$process_person", "$active_feature", "$feature/", "$feature_flag_payloads", "$host"),
    *("$pathname", "$prev_pageview", "$referring_domain", "$set_once", "$app_", "$network", "$locale"),
)
"""How names begin that tell of what is around the event."""
_IN_URL = (
    *("$host", "$pathname", "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "gclid", "fbclid"),
)

_array = msgspec.json.Decoder(list[Raw])


def events(request: Request, platform: Platform) -> list[bytes]:
    """The events of a request: a batch, a list or one alone. Raises `Unreadable`."""
    text = data_of(request)
    ids, sent_at = HashedIds(NAME, request.place), None
    listed: bytes | None = text
    if not text.lstrip().startswith(b"["):
        body = Members.of(text)
        sent_at, listed = body.instant("sent_at"), body.raw("batch")
    try:
        said = [Raw(text)] if listed is None else _array.decode(listed)
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from None
    return [_event(bytes(each), platform, sent_at, ids) for each in said]


def _event(text: bytes, platform: Platform, sent_at: str | None, ids: HashedIds) -> bytes:
    try:
        said = Members.of(text)
    except Unreadable:
        return text
    return encoded(_fields(said, text, platform, sent_at, ids))


def _fields(said: Members, text: bytes, platform: Platform, sent_at: str | None, ids: HashedIds) -> dict[str, Any]:
    properties = said.inside("properties")
    name = said.text("event")
    occurred_at = said.instant("timestamp") or properties.instant("timestamp")
    event: dict[str, Any] = {
        "event_id": said.text("uuid") or properties.text("$insert_id") or ids.of(text, occurred_at),
        "event": _EVENTS.get(name or "", name),
        **_who(said, properties, name),
        "session_id": properties.text("$session_id"),
        "page_view_id": properties.text("$pageview_id"),
        "group_id": group_among(properties, "$groups"),
        "occurred_at": occurred_at,
        "sent_at": said.instant("sent_at") or sent_at,
        "ip": said.text("ip") or properties.text("$ip"),
    }
    is_server = properties.seen("$is_server") is True
    properties.drop(*_SAYS_NOTHING)
    said.drop("api_key", "token", "distinct_id", "type", "library", "library_version")
    event |= _client(properties, platform, is_server)
    own: dict[str, Any] = {}
    if name == "$groupidentify":
        own = _group(event, properties)
    else:
        event |= _traits(said, properties)
    if name == "$create_alias":
        own = given(previous_id=event.pop("previous_id", None))
    event["properties"], around = _sorted(properties, str(event["page"].get("url", "")), own)
    rest = said.rest()
    rest.pop("properties", None)
    event["context"] = {**around, **rest}
    return event


def _group(event: dict[str, Any], properties: Members) -> dict[str, Any]:
    """Adds which group the event is about and what is said of it; gives the properties that it has instead."""
    kind, key = properties.text("$group_type"), properties.text("$group_key")
    event["group_id"], event["traits"] = group_id_of(kind, key), properties.object("$group_set")
    return given(group_type=kind, group_key=key)


def _traits(said: Members, properties: Members) -> dict[str, Any]:
    """What is said of the person, beside the event or in its properties."""
    traits: dict[str, Any] = {}
    for field, member in _TRAITS.items():
        for members in (said, properties):
            if field not in traits and (value := members.object(member)) is not None:
                traits[field] = value
    return traits


def _who(said: Members, properties: Members, name: str | None) -> dict[str, Any]:
    """Whose the event is."""
    distinct = said.text("distinct_id") or properties.text("distinct_id")
    device = properties.text("$device_id")
    if name == "$create_alias":
        alias = properties.text("alias")
        user, previous = (distinct, alias) if properties.seen("$lib") in _NAMES_THE_USER_FIRST else (alias, distinct)
        return given(user_id=user, anonymous_id=device, previous_id=previous)
    is_user = (
        name == "$identify"
        or properties.seen("$is_identified") is True
        or properties.seen("$user_id") is not None
        or properties.seen("$is_server") is True
    )
    if name == "$groupidentify" and not device:
        of_group = f"${properties.seen('$group_type')}_{properties.seen('$group_key')}"
        return given(anonymous_id=distinct if distinct != of_group else None)
    if not is_user or properties.seen("$process_person_profile") is False:
        return given(anonymous_id=distinct or device)
    return given(user_id=distinct, anonymous_id=properties.text("$anon_distinct_id") or device)


def _client(properties: Members, platform: Platform, is_server: bool) -> dict[str, Any]:
    """Where the event comes from. A server's operating system is not that of whom it speaks for."""
    library = properties.text("$lib")
    os = None if is_server else properties.text("$os")
    is_phone = library != "web" and (os or "").lower() in _PHONES
    return {
        "platform": _PHONES[(os or "").lower()] if is_phone else platform,
        "app": given(
            id=properties.text("$app_namespace", "$app_name"),
            version=properties.text("$app_version"),
            build=properties.text("$app_build"),
        ),
        "page": given(
            url=properties.text("$current_url"),
            title=properties.text("title", "$title"),
            referrer=properties.text("$referrer"),
        ),
        "screen": given(
            name=properties.text("$screen_name"),
            width=properties.number("$screen_width"),
            height=properties.number("$screen_height"),
        ),
        "viewport": given(width=properties.number("$viewport_width"), height=properties.number("$viewport_height")),
        "device": given(
            user_agent=properties.text("$raw_user_agent", "$user_agent", "$useragent"),
            model=properties.text("$device_model"),
            os=os,
            os_version=None if is_server else properties.text("$os_version"),
            locale=properties.text("$browser_language", "$locale"),
            timezone=properties.text("$timezone"),
            manufacturer=properties.text("$device_manufacturer"),
        ),
        "campaign": {}
        if library == "web"
        else given(**{name: properties.text(member) for name, member in _CAMPAIGN.items()}),
        "library": given(name=_LIBRARIES.get(library or "", library), version=properties.text("$lib_version")),
    }


def _sorted(properties: Members, url: str, own: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is said of the event, and what of things around it."""
    around: dict[str, Any] = {}
    for name, value in _left(properties, url):
        (around if name.startswith(_AROUND) else own)[name] = value
    return own, around


def _left(properties: Members, url: str) -> Iterator[tuple[str, Any]]:
    for name in _IN_URL:
        value = properties.text(name)
        if value is not None and value not in url:
            yield name, value
    yield from ((name, value) for name, value in properties.rest().items() if not name.startswith(_ABOUT_ITSELF))
