"""The Segment specification, as the SDKs of Segment, RudderStack and Jitsu speak it.

`page`, `screen`, `identify`, `alias` and `group` become the contract's events of that meaning. What the contract has no
field for is kept in `context`. The routes are in `segment_routes`.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from event_assets.collector.protocols.consent_categories import consent_of
from event_assets.collector.protocols.members import HashedIds, Members, encoded, given, instant_of
from event_assets.collector.protocols.protocol import Request, Unreadable
from event_assets.collector.protocols.segment_usual import usual_event, usual_events
from event_assets.contract.consent import keeps_from_others, opts_out
from event_assets.contract.event import Campaign, Platform

NAME = "segment"
_EVENTS = {"page": "page_view", "screen": "screen_view", "identify": "identify", "alias": "alias", "group": "group"}
KINDS = ("track", "page", "identify", "group", "alias", "screen")
_KINDS = {kind: kind for kind in KINDS} | {kind[0]: kind for kind in KINDS}
_MOBILE: Mapping[str, Platform] = {"ios": "ios", "ipados": "ios", "android": "android", "tvos": "tv"}
"""What a device's type or system says of the platform."""
_EVERYWHERE = ({"All": True}, {"Segment.io": True})
"""`integrations` of a client that was told nothing about them."""
_ADVERTISING = ("id", "advertisingId", "token")
_CAMPAIGN = Campaign.__struct_fields__
_IN_URL = ("path", "search", "hash", "host", "referring_domain")
_PIXEL_FIELDS = ("event", "userId", "anonymousId", "messageId", "name", "timestamp", "sentAt")
_KEY_PARAMETERS = ("writeKey", "write_key")
_BATCH = b'"batch"'
_URL_SAFE = str.maketrans("-_", "+/")

_array = msgspec.json.Decoder(list[Raw])


def events(request: Request, platform: Platform) -> Iterable[bytes]:
    """The events of a request: a batch, or the one that the path names. Raises `Unreadable`."""
    sent_at = instant_of(request.headers.get("sentat", "")) or None
    refuses = platform != "server" and opts_out(request.headers)
    if request.method == "GET":
        return [Messages(platform, sent_at, opts_out=refuses).event(_of_pixel(request))]
    if _BATCH in request.body:
        if usual := usual_events(request.body, platform, sent_at):
            return usual
    elif single := usual_event(request.body, platform, sent_at):
        return [single]
    body = Members.of(request.body)
    batch = body.raw("batch")
    if batch is None:
        kind = _KINDS.get(request.path.rpartition("/")[2])
        return [Messages(platform, sent_at, kind, place=request.place, opts_out=refuses).event(request.body)]
    try:
        messages = _array.decode(batch)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"batch: {error}") from None
    sent_at = body.instant("sentAt") or sent_at
    read = Messages(platform, sent_at, shared=body, place=request.place, opts_out=refuses)
    return (read.event(bytes(message)) for message in messages)


def _of_pixel(request: Request) -> bytes:
    """The message that the parameters say: `data` is one in base64, else each is a field or a property of it."""
    message: dict[str, Any] = {"type": _KINDS.get(request.path.rpartition("/")[2]), "messageId": uuid.uuid4().hex}
    if data := request.parameter("data"):
        try:
            said = Members.of(base64.b64decode(data.translate(_URL_SAFE) + "=="))
        except (binascii.Error, ValueError):
            raise Unreadable("data is no message in base64") from None
        return msgspec.json.encode({**message, **said.rest()})
    values = {name: values[-1] for name, values in request.query.items() if name not in _KEY_PARAMETERS}
    message |= {name: values.pop(name) for name in _PIXEL_FIELDS if name in values}
    properties = {name.removeprefix("properties."): value for name, value in values.items()}
    return msgspec.json.encode({**message, "properties": properties})


class Messages:
    """Reads the messages of one request."""

    def __init__(
        self,
        platform: Platform,
        sent_at: str | None,
        kind: str | None = None,
        shared: Members | None = None,
        place: str = "",
        opts_out: bool = False,
    ) -> None:
        self._platform = platform
        self._sent_at = sent_at
        self._kind = kind
        self._context = shared.inside("context").rest() if shared else {}
        self._integrations = shared.object("integrations") if shared else None
        self._shares = bool(self._context) or self._integrations is not None
        self._ids = HashedIds(NAME, place)
        self._opts_out = opts_out

    def event(self, text: bytes) -> bytes:
        """The event that a message says; a message that is no object stays as it is."""
        usual = None if self._shares else usual_event(text, self._platform, self._sent_at)
        return self.read(text) if usual is None else usual

    def read(self, text: bytes) -> bytes:
        """`event`, of whatever it is."""
        try:
            message = Members.of(text)
        except Unreadable:
            return text
        return encoded(self._fields(message, text))

    def _fields(self, message: Members, text: bytes) -> dict[str, Any]:
        kind = message.text("type") or self._kind or ""
        context = message.inside("context")
        for name, value in self._context.items():
            context.add(name, value)
        occurred_at = message.instant("originalTimestamp", "timestamp")
        event: dict[str, Any] = {
            "event_id": message.text("messageId") or self._ids.of(text, occurred_at),
            "event": message.text("event") if kind == "track" else _EVENTS.get(kind),
            "consent": consent_of(_categories(context)),
            "user_id": message.text("userId"),
            "anonymous_id": message.text("anonymousId"),
            "session_id": context.text("sessionId"),
            "group_id": context.id("groupId"),
            "occurred_at": occurred_at,
            "sent_at": message.instant("sentAt") or self._sent_at,
            "ip": context.text("ip"),
            **_client(context, self._platform),
        }
        if keeps_from_others({"sell_or_share": not self._opts_out, **event["consent"]}):
            context.inside("device").drop(*_ADVERTISING)
        if kind not in ("track", *_EVENTS):
            message.add("type", kind)
        message.add("integrations", self._integrations)
        if message.seen("integrations") in _EVERYWHERE:
            message.drop("integrations")
        message.drop("_metadata", "writeKey", "sentAt", "timestamp", "receivedAt")
        _say(event, kind, message, context)
        rest = message.rest()
        event["properties"] = rest.pop("properties", None)
        inner = rest.pop("context", {})
        inner = inner if isinstance(inner, dict) else {"context": inner}
        event["context"] = {**inner, **rest} if inner.keys().isdisjoint(rest) else {**inner, "message": rest}
        return event


def _client(context: Members, platform: Platform) -> dict[str, Any]:
    """Where the message comes from: library, application, device, screen."""
    library, app, screen, campaign = (context.inside(name) for name in ("library", "app", "screen", "campaign"))
    device, os = context.inside("device"), context.inside("os")
    kind, os_name = device.text("type") or "", os.text("name")
    if kind.lower() not in _MOBILE:
        device.add("type", kind or None)
    is_mobile = kind.lower() in _MOBILE or (bool(device.rest()) and (os_name or "").lower() in _MOBILE)
    return {
        "platform": _MOBILE.get(kind.lower()) or _MOBILE[(os_name or "").lower()] if is_mobile else platform,
        "app": given(id=app.text("namespace", "name"), version=app.text("version"), build=app.text("build")),
        "library": given(name=library.text("name"), version=library.text("version")),
        "device": given(
            user_agent=context.text("userAgent"),
            model=device.text("model"),
            os=os_name,
            os_version=os.text("version"),
            locale=context.text("locale"),
            timezone=context.text("timezone"),
            manufacturer=device.text("manufacturer"),
            id=device.id("id"),
            advertising_id=device.id("advertisingId"),
            ad_tracking=device.flag("adTrackingEnabled"),
        ),
        "campaign": given(**{name: campaign.text(name) for name in _CAMPAIGN}),
        "screen": given(width=screen.number("width"), height=screen.number("height")),
        "viewport": given(width=screen.number("innerWidth"), height=screen.number("innerHeight")),
    }


def _say(event: dict[str, Any], kind: str, message: Members, context: Members) -> None:
    """Adds what a message of this kind says: its page or screen, its properties, its traits."""
    properties, page = message.inside("properties", nulls=True), context.inside("page")
    event["page"] = _page(page, properties if kind == "page" else Members())
    if kind in ("page", "screen"):
        name, category = message.text("name"), message.text("category")
        properties.add("name", name)
        properties.add("category", category)
        if kind == "screen":
            event["screen"] = given(name=name or properties.seen("name"), **event["screen"])
    elif kind == "identify":
        shared = context.object("traits")
        event["traits"] = message.object("traits") or shared
        if shared is not None and shared != event["traits"]:
            context.add("traits", shared)
    elif kind == "alias":
        properties.add("previous_id", message.text("previousId"))
    elif kind == "group":
        shared = event["group_id"]
        event["group_id"], event["traits"] = message.id("groupId") or shared, message.object("traits")
        context.add("groupId", shared if shared != event["group_id"] else None)
    if (traits := context.object("traits")) is not None:
        context.add("traits", traits)


def _page(page: Members, own: Members) -> dict[str, Any]:
    """The page: what a page event says itself comes before its context."""
    found: dict[str, Any] = {}
    for name in ("url", "title", "referrer"):
        mine, shared = own.text(name), page.text(name)
        if mine or shared:
            found[name] = mine or shared
        if mine and shared and mine != shared:
            page.add(name, shared)
    for members in (page, own):
        for name in _IN_URL:
            value = members.text(name)
            if value and value not in f"{found.get('url', '')} {found.get('referrer', '')}":
                members.add(name, value)
    return found


def _categories(context: Members) -> Iterator[tuple[str, bool]]:
    """What Segment's and RudderStack's consent managers say. It stays in the context, which names the categories."""
    consent, management = context.seen("consent"), context.seen("consentManagement")
    preferences = consent.get("categoryPreferences") if isinstance(consent, dict) else None
    if isinstance(preferences, dict):
        yield from ((name, agreed) for name, agreed in preferences.items() if isinstance(agreed, bool))
    if isinstance(management, dict):
        for member, agreed in (("allowedConsentIds", True), ("deniedConsentIds", False)):
            names = management.get(member)
            yield from ((name, agreed) for name in names or () if isinstance(name, str))
