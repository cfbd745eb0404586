"""The messages that SDKs of the Segment specification for pages and servers usually send, read at one look.

`segment` reads every message; this reads most of them twenty times as fast, says the same, and leaves the others to it.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from event_assets.collector.protocols.protocol import Lines
from event_assets.contract.doubts import is_utf8
from event_assets.contract.event import Platform

_EVERYWHERE = frozenset(
    (b"", b"null", b"{}", b'{"All":true}', b'{"All": true}', b'{"Segment.io":true}', b'{"Segment.io": true}')
)
"""`integrations` of a client that was told nothing about them."""
_ABSENT = (b"", b"null")
_NOTHING = (*_ABSENT, b"{}")
_LEAST = len(b'{"a":""}')
_OF_PAGE = ("url", "title", "referrer")
_IN_URL = ("path", "search", "hash", "host", "referring_domain")
_SAYS_PAGE = re.compile(rb'"(?:%b)"|\\' % b"|".join(name.encode() for name in (*_OF_PAGE, *_IN_URL))).search
"""A member that the page may have too, or one that may be written otherwise."""


class _Library(Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    name: str | None = None
    version: str | None = None


class _Page(Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    url: str | None = None
    title: str | None = None
    referrer: str | None = None
    path: str | None = None
    search: str | None = None


class _Campaign(Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    source: str | None = None
    medium: str | None = None
    name: str | None = None
    term: str | None = None
    content: str | None = None


class _Context(Struct, forbid_unknown_fields=True, rename="camel", gc=False):
    library: _Library | None = None
    page: Raw = Raw()
    user_agent: str | None = None
    locale: str | None = None
    timezone: str | None = None
    user_agent_data: Raw = Raw()
    campaign: _Campaign | None = None


class Message(Struct, forbid_unknown_fields=True, rename="camel", gc=False):
    """A message, if it has nothing unusual."""

    type: str
    message_id: str
    timestamp: str
    context: _Context
    event: str | None = None
    anonymous_id: str | None = None
    user_id: str | None = None
    name: str | None = None
    category: str | None = None
    properties: Raw = Raw()
    traits: Raw = Raw()
    integrations: Raw = Raw()
    sent_at: str | None = None
    original_timestamp: str | None = None
    received_at: Raw = Raw()
    write_key: Raw = Raw()
    metadata: Raw = msgspec.field(name="_metadata", default=Raw())


class _Device(Struct, omit_defaults=True, gc=False):
    user_agent: str | None = None
    locale: str | None = None
    timezone: str | None = None


class _Left(Struct, omit_defaults=True, rename="camel", gc=False):
    user_agent_data: Raw | UnsetType = UNSET


class _Event(Struct, omit_defaults=True, gc=False):
    event_id: str
    event: str
    platform: Platform
    occurred_at: str
    sent_at: str | None = None
    anonymous_id: str | None = None
    user_id: str | None = None
    library: _Library | None = None
    device: _Device | None = None
    page: _Page | None = None
    properties: Any = UNSET
    traits: Raw | UnsetType = UNSET
    campaign: _Campaign | None = None
    context: _Left | UnsetType = UNSET


class _Batch(Struct, forbid_unknown_fields=True, rename="camel", gc=False):
    batch: list[Message]
    sent_at: str | None = None
    write_key: Raw = Raw()


_encoder = msgspec.json.Encoder()
_batch = msgspec.json.Decoder(_Batch)
_message = msgspec.json.Decoder(Message)
_page_of = msgspec.json.Decoder(_Page)
_members = msgspec.json.Decoder(dict[str, Raw])
_text = msgspec.json.Decoder(str)


def usual_events(body: bytes, platform: Platform, sent_at: str | None) -> Lines | None:
    """The events of a body; None where anything about it, or one of its messages, is unusual."""
    try:
        # What stands in a message as it came may not have a line break, since each event is on one line.
        if b"\n" in body or not is_utf8(body):
            return None
        read = _batch.decode(body)
        sent_at = read.sent_at or sent_at
        if sent_at is not None and not _is_plain(sent_at):
            return None
        events = [_read(message, platform, sent_at) for message in read.batch]
    except (ValueError, RecursionError, _Unusual):
        return None
    return Lines(_encoder.encode_lines(events), len(events)) if events else None


def usual_event(text: bytes, platform: Platform, sent_at: str | None) -> bytes | None:
    """The event of a message; None where anything about it is unusual."""
    try:
        if not is_utf8(text) or (sent_at is not None and not _is_plain(sent_at)):
            return None
        return _encoder.encode(_read(_message.decode(text), platform, sent_at))
    except (ValueError, RecursionError, _Unusual):
        return None


class _Unusual(Exception):
    """Something about a message that `segment` has to look at."""


def _read(message: Message, platform: Platform, sent_at: str | None) -> _Event:
    context, kind, own_sent_at = message.context, message.type, message.sent_at
    said_page = bytes(context.page)
    page = None if said_page in _ABSENT else _page_of.decode(said_page)
    occurred_at = message.original_timestamp or message.timestamp
    if (
        not message.message_id
        or not _is_plain(occurred_at)
        or (own_sent_at is not None and not _is_plain(own_sent_at))
        or bytes(message.integrations) not in _EVERYWHERE
    ):
        raise _Unusual
    name = message.event
    traits: Raw | UnsetType = UNSET
    properties: dict[str, Any] | Raw | UnsetType
    if kind == "page":
        if name is not None or bytes(message.traits):
            raise _Unusual
        page = page or _Page()
        name, properties = "page_view", _besides(message, said_page) or _of_page(message, page)
    else:
        properties = _object(message.properties)
        if message.name is not None or message.category is not None:
            raise _Unusual
        if kind == "identify" and name is None:
            name, traits = "identify", _object(message.traits)
        elif kind != "track" or not name or bytes(message.traits):
            raise _Unusual
    library = context.library
    if library is not None and not (library.name and library.version):
        raise _Unusual
    agent, locale, timezone = context.user_agent, context.locale, context.timezone
    return _Event(
        message.message_id,
        name,
        platform,
        occurred_at,
        own_sent_at or sent_at,
        message.anonymous_id or None,
        message.user_id or None,
        library,
        _Device(agent or None, locale or None, timezone or None) if agent or locale or timezone else None,
        _page(page) if page is not None else None,
        properties,
        traits,
        _campaign(context.campaign) if context.campaign is not None else None,
        _left(context),
    )


def _is_plain(instant: str) -> bool:
    """Whether a text is no number and no time without a zone."""
    return instant[10:11] == "T" and (instant[-1] == "Z" or instant[-6] in "+-")


def _object(value: Raw) -> Raw | UnsetType:
    """An object with something in it."""
    text = bytes(value)
    if text in _NOTHING:
        return UNSET
    if text[:2] != b'{"':
        raise _Unusual
    return value


def _page(page: _Page) -> _Page | None:
    """The page without what its URL says already."""
    if page.path is not None or page.search is not None:
        said = f"{page.url or ''} {page.referrer or ''}"
        if (page.path or "") not in said or (page.search or "") not in said:
            raise _Unusual
        page.path = page.search = None
    if page.url and page.title and page.referrer:
        return page
    page.url, page.title, page.referrer = page.url or None, page.title or None, page.referrer or None
    return page if page.url or page.title or page.referrer else None


def _campaign(campaign: _Campaign) -> _Campaign | None:
    """The campaign without what is empty in it."""
    said = {name: value for name in _Campaign.__struct_fields__ if (value := getattr(campaign, name))}
    return _Campaign(**said) if said else None


def _besides(message: Message, said_page: bytes) -> Raw | None:
    """The properties of a page call that begin with its context's page, as Segment's browser SDK has them, without it;
    None where it takes a closer look."""
    text = bytes(message.properties)
    head = said_page[:-1]
    if not head or message.name or message.category or not text.startswith(head + b","):
        return None
    rest = text[len(head) + 1 :]
    return None if _SAYS_PAGE(rest) else Raw(b"{" + rest)


def _of_page(message: Message, page: _Page) -> dict[str, Any] | UnsetType:
    """The properties of a page call without its page, which goes to the context's."""
    text = bytes(message.properties)
    if text and text[:1] != b"{":
        raise _Unusual
    properties: dict[str, Any] = dict(_members.decode(text)) if text else {}
    for name in _OF_PAGE:
        value = properties.pop(name, None)
        if value is None:
            continue
        mine, shared = _text.decode(value) if bytes(value)[:1] == b'"' else None, getattr(page, name)
        if mine is None or (mine and shared and mine != shared):
            raise _Unusual
        if mine:
            setattr(page, name, mine)
    said = f"{page.url or ''} {page.referrer or ''}"
    for name in _IN_URL:
        value = properties.get(name)
        if value is not None:
            if bytes(value)[:1] != b'"':
                raise _Unusual
            if _text.decode(value) in said:
                del properties[name]
    for name, given in (("name", message.name), ("category", message.category)):
        if given:
            properties.setdefault(name, given)
    return properties or UNSET


def _left(context: _Context) -> _Left | UnsetType:
    """What the contract has no field for."""
    agent = bytes(context.user_agent_data)
    if not agent:
        return UNSET
    if len(agent) < _LEAST:
        raise _Unusual
    return _Left(context.user_agent_data)
