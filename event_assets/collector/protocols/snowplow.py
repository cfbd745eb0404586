"""Snowplow's tracker protocol, version 2: flat payloads of texts, self-describing events, entities.

A self-describing event is an event named by its schema, with the schema's model as its version. Entities that have a
field of the contract go there, the others are kept as `context.entities`. The routes are in `snowplow_routes`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from event_assets.collector.protocols.members import HashedIds, Members, encoded, given
from event_assets.collector.protocols.protocol import Request, Unreadable
from event_assets.contract.event import Platform

NAME = "snowplow"
_SCHEMA = re.compile(r"iglu:([^/]+)/([^/]+)/[^/]+/(\d{1,9})-\d+-\d+")
_SIZE = re.compile(r"(\d{1,9})x(\d{1,9})")
_OWN = ("com.snowplowanalytics", "org.w3", "com.android", "com.apple")
_PLATFORMS: Mapping[str, Platform] = {
    "web": "web",
    "pc": "desktop",
    "srv": "server",
    "app": "server",
    "tv": "tv",
    "cnsl": "console",
    "iot": "iot",
}
_PHONES: Mapping[str, Platform] = {"ios": "ios", "android": "android"}
_EVENTS = {"pv": "page_view", "pp": "page_ping", "tr": "transaction", "ti": "transaction_item"}
_SELF_DESCRIBING = {"screen_view": "screen_view", "application_error": "app_error"}
"""Snowplow's own events that the contract has a name for."""
_PROPERTIES = {
    "se": {"se_ca": "category", "se_la": "label", "se_pr": "property", "se_va": "value"},
    "tr": {
        "tr_id": "order_id",
        "tr_af": "affiliation",
        "tr_tt": "revenue",
        "tr_tx": "tax",
        "tr_sh": "shipping",
        "tr_ci": "city",
        "tr_st": "state",
        "tr_co": "country",
        "tr_cu": "currency",
    },
    "ti": {
        "ti_id": "order_id",
        "ti_sk": "sku",
        "ti_nm": "name",
        "ti_ca": "category",
        "ti_pr": "price",
        "ti_qu": "quantity",
        "ti_cu": "currency",
    },
}
_NUMBERS = {"value", "revenue", "tax", "shipping", "price", "quantity"}

_array = msgspec.json.Decoder(list[Raw])


def events(request: Request, platform: Platform) -> list[bytes]:
    """The events of a request: those of its body, or the one that its parameters say. Raises `Unreadable`."""
    ids = HashedIds(NAME, request.place)
    if request.method == "GET":
        payload = msgspec.json.encode({name: values[-1] for name, values in request.query.items()})
        return [_event(payload, platform, ids)]
    data = Members.of(request.body).raw("data")
    try:
        payloads = _array.decode(data or b"")
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"data: {error}") from None
    return [_event(bytes(payload), platform, ids) for payload in payloads]


def _event(text: bytes, platform: Platform, ids: HashedIds) -> bytes:
    try:
        payload = Members.of(text)
    except Unreadable:
        return text
    return encoded(_fields(payload, text, platform, ids))


def _fields(payload: Members, text: bytes, platform: Platform, ids: HashedIds) -> dict[str, Any]:
    entities = _Entities(_self_describing(payload, "co", "cx"))
    page, session, mobile, app, screen = (entities.of(name) for name in _ENTITIES)
    kind = payload.text("e") or ""
    tracker, _, version = (payload.text("tv") or "").rpartition("-")
    occurred_at = payload.instant("dtm")
    true_time = payload.instant("ttm")
    event: dict[str, Any] = {
        "event_id": payload.text("eid") or ids.of(text, occurred_at or true_time),
        "event": _EVENTS.get(kind),
        "anonymous_id": payload.text("duid") or session.text("userId") or payload.text("tnuid"),
        "user_id": payload.text("uid"),
        "session_id": payload.text("sid") or session.text("sessionId"),
        "page_view_id": page.text("id"),
        "occurred_at": occurred_at,
        "sent_at": payload.instant("stm"),
        "derived_at": true_time,
        "ip": payload.text("ip"),
        "platform": _platform(payload, mobile, platform),
        "app": given(id=_app_id(payload), version=app.text("version"), build=app.text("build")),
        "page": given(url=payload.text("url"), title=payload.text("page"), referrer=payload.text("refr")),
        "screen": given(name=screen.text("name"), **_size(payload, "res")),
        "viewport": _size(payload, "vp"),
        "document": _size(payload, "ds"),
        "scroll": given(x_max=payload.number("pp_max"), y_max=payload.number("pp_may")),
        "device": given(
            user_agent=payload.text("ua"),
            model=mobile.text("deviceModel"),
            os=mobile.text("osType"),
            os_version=mobile.text("osVersion"),
            locale=payload.text("lang"),
            timezone=payload.text("tz"),
            manufacturer=mobile.text("deviceManufacturer"),
            id=mobile.id("appleIdfv"),
            advertising_id=mobile.id("appleIdfa", "androidIdfa"),
        ),
        "library": given(name=f"snowplow-{tracker}" if tracker else None, version=version or None),
    }
    payload.add("ttm", true_time)
    payload.drop_ids("tnuid", said=(event["anonymous_id"],))
    session.drop_ids("userId", said=(event["anonymous_id"],))
    _say(event, kind, payload, entities)
    event["context"] = {**payload.rest(), **given(entities=entities.rest() or None)}
    return event


def _say(event: dict[str, Any], kind: str, payload: Members, entities: _Entities) -> None:
    """Adds what an event of this kind says: its name, its properties."""
    properties: dict[str, Any] = {}
    for member, name in _PROPERTIES.get(kind, {}).items():
        value = (payload.number(member) if name in _NUMBERS else None) or payload.text(member)
        if value is not None:
            properties[name] = value
    if kind == "se":
        event["event"] = payload.text("se_ac")
    elif kind == "ue":
        said = _self_describing(payload, "ue_pr", "ue_px")
        schema = said.text("schema") or ""
        data = said.inside("data", nulls=True)
        found = _SCHEMA.fullmatch(schema)
        if found is not None:
            vendor, name, model = found.groups()
            is_own = vendor.startswith(_OWN) and name in _SELF_DESCRIBING
            event["event"] = _SELF_DESCRIBING[name] if is_own else name
            event["schema_version"] = None if is_own else int(model) or 1
            if is_own and name == "screen_view" and (title := data.text("name")) is not None:
                event["screen"]["name"] = title
        properties = data.rest() or given(data=said.rest().get("data"))
        payload.add("schema", schema or None)
    elif kind not in _EVENTS:
        payload.add("e", kind)
    if (transaction := entities.find("transaction")) is not None:
        for name in ("revenue", "currency"):
            if (value := transaction.get(name)) is not None:
                properties.setdefault(name, value)
    event["properties"] = properties


def _self_describing(payload: Members, plain: str, packed: str) -> Members:
    """The data of a self-describing object, given as JSON or as that in base64, with padding or without; what cannot be
    read is left where it is."""
    text = payload.text(plain)
    try:
        if text is None and (packed_text := payload.text(packed)) is not None:
            try:
                text = base64.urlsafe_b64decode(packed_text.replace("+", "-").replace("/", "_") + "==").decode()
            except ValueError:
                payload.add(packed, packed_text)
        if text is None:
            return Members()
        said = Members.of(text.encode())
    except (Unreadable, UnicodeEncodeError):
        payload.add(plain, text)
        return Members()
    data = said.seen_raw("data")
    if data.startswith(b"["):
        return said
    return said.inside("data", nulls=True)


_ENTITIES = ("web_page", "client_session", "mobile_context", "application", "screen")


class _Entities:
    """The entities of an event. What is taken of one is gone from it."""

    def __init__(self, contexts: Members) -> None:
        self._all: list[tuple[str, Members]] = []
        try:
            listed = _array.decode(contexts.raw("data") or b"[]")
        except (ValueError, RecursionError):
            listed = []
        for text in listed:
            try:
                entity = Members.of(bytes(text))
            except Unreadable:
                continue
            self._all.append((entity.text("schema") or "", entity))

    def of(self, name: str) -> Members:
        """The data of the first of Snowplow's own entities with this name; nothing where there is none."""
        for schema, entity in self._all:
            found = _SCHEMA.fullmatch(schema)
            if found is not None and found[2] == name and found[1].startswith(_OWN):
                return entity.inside("data")
        return Members()

    def find(self, name: str) -> dict[str, Any] | None:
        """The data of that entity, left where it is."""
        return self.of(name).rest() or None

    def rest(self) -> list[dict[str, Any]]:
        """The entities with what was not taken of them."""
        left = ((schema, entity.rest()) for schema, entity in self._all)
        return [{"schema": schema, **entity} for schema, entity in left if entity]


def _platform(payload: Members, mobile: Members, key: Platform) -> Platform:
    said = payload.text("p")
    if said == "mob":
        return _PHONES.get(str(mobile.seen("osType")).lower(), key if key in _PHONES.values() else "android")
    if said is not None and said not in _PLATFORMS:
        payload.add("p", said)
    return _PLATFORMS.get(said or "", key)


def _app_id(payload: Members) -> str | None:
    """The application, unless it is a write key, for which the protocol has no other place."""
    said = payload.text("aid")
    return None if said is not None and said.startswith("ea_") else said


def _size(payload: Members, name: str) -> dict[str, Any]:
    said = payload.text(name)
    found = _SIZE.fullmatch(said or "")
    if found is None:
        payload.add(name, said)
        return {}
    return {"width": int(found[1]), "height": int(found[2])}
