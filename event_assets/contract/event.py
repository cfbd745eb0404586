"""The event as a typed model: one JSON object, fields and bounds as the contract says.

No rules that need the tracking plan, a clock or a stream: those are in `decoder`, `times` and `records`.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from event_assets.contract.placeholders import Placeholders

Id = Annotated[str, Meta(min_length=1, max_length=128)]
OptionalId = Annotated[str, Meta(max_length=128)] | None
Instant = Annotated[dt.datetime, Meta(tz=True)]
Pixels = Annotated[float, Meta(ge=-2147483648, le=2147483647)]
Platform = Literal["web", "ios", "android", "desktop", "server", "tv", "console", "iot"]

RESERVED_EVENTS = frozenset(
    {
        *("page_view", "page_ping", "screen_view", "identify", "alias", "group", "consent_changed", "session_start"),
        "app_error",
    }
)
"""Names that the platform gives a meaning to."""
NO_CONTROL_CHARACTERS = r"^[^\u0000-\u001f\u007f-\u009f]*$"
"""What the name of an event is: letters of any writing, with what joins and spaces them."""


class App(Struct, gc=False, forbid_unknown_fields=True):
    """The application that sent it."""

    id: str | None = None
    version: str | None = None
    build: str | None = None


class Page(Struct, gc=False, forbid_unknown_fields=True):
    """The page it happened on."""

    url: str | None = None
    title: str | None = None
    referrer: str | None = None


class Screen(Struct, gc=False, forbid_unknown_fields=True):
    """The screen of a mobile or desktop app; sizes in pixels."""

    name: str | None = None
    width: Pixels | None = None
    height: Pixels | None = None


class Size(Struct, gc=False, forbid_unknown_fields=True):
    """Width and height in pixels."""

    width: Pixels | None = None
    height: Pixels | None = None


class Scroll(Struct, gc=False, forbid_unknown_fields=True):
    """Furthest scroll since the ping before, in pixels."""

    x_max: Pixels | None = None
    y_max: Pixels | None = None


class Device(Struct, gc=False, forbid_unknown_fields=True):
    """The device, as the client knows it. `ad_tracking`: whether its owner lets advertisers recognise it."""

    user_agent: str | None = None
    model: str | None = None
    os: str | None = None
    os_version: str | None = None
    locale: str | None = None
    timezone: str | None = None
    manufacturer: str | None = None
    id: OptionalId = None
    advertising_id: OptionalId = None
    ad_tracking: bool | None = None


class Campaign(Struct, gc=False, forbid_unknown_fields=True):
    """The campaign that led here, where no page's URL says it."""

    source: str | None = None
    medium: str | None = None
    name: str | None = None
    term: str | None = None
    content: str | None = None


class Consent(Struct, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """What the person agreed to; absent means not asked. `sell_or_share`: that they are sold or shared, in the words of
    the CCPA; `gpc`: a browser's Global Privacy Control answered that for them. `source`: where they answered, `banner`,
    `settings`, `support`, …; `text_version`: which version of the text they were shown."""

    analytics: bool | None = None
    marketing: bool | None = None
    personalisation: bool | None = None
    sell_or_share: bool | None = None
    gpc: bool | None = None
    source: Annotated[str, Meta(max_length=64)] | None = None
    text_version: Annotated[str, Meta(max_length=64)] | None = None


class Library(Struct, gc=False, forbid_unknown_fields=True):
    """The SDK that sent it."""

    name: str | None = None
    version: str | None = None


class Event(Struct, gc=False, forbid_unknown_fields=True):
    """One event. `properties`, `traits`, `traits_once` and `context` stay JSON text; what the contract does not know is
    in `extra`."""

    event_id: Id
    event: Id
    platform: Platform
    schema_version: Annotated[int, Meta(ge=1, le=2147483647)] = 1
    anonymous_id: OptionalId = None
    user_id: OptionalId = None
    session_id: OptionalId = None
    page_view_id: OptionalId = None
    group_id: OptionalId = None
    install_id: OptionalId = None
    sequence: Annotated[int, Meta(ge=0, le=9223372036854775807)] | None = None
    occurred_at: Instant | None = None
    sent_at: Instant | None = None
    received_at: Instant | None = None
    derived_at: Instant | None = None
    app: App | None = None
    page: Page | None = None
    screen: Screen | None = None
    viewport: Size | None = None
    document: Size | None = None
    scroll: Scroll | None = None
    campaign: Campaign | None = None
    device: Device | None = None
    ip: Annotated[str, Meta(max_length=128)] | None = None
    consent: Consent | None = None
    properties: Raw = Raw()
    traits: Raw = Raw()
    traits_once: Raw = Raw()
    context: Raw = Raw()
    library: Library | None = None


OBJECTS = tuple(field.name for field in msgspec.structs.fields(Event) if field.type is Raw)
"""The fields that stay JSON texts."""
NESTED: dict[str, type[Struct]] = {
    "app": App,
    "page": Page,
    "screen": Screen,
    "viewport": Size,
    "document": Size,
    "scroll": Scroll,
    "campaign": Campaign,
    "device": Device,
    "consent": Consent,
    "library": Library,
}
"""The fields that are objects of their own."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of one event, made from the models. Unknown fields are allowed and kept."""
    schema = msgspec.json.schema(_documented())
    definitions = schema["$defs"]
    for definition in definitions.values():
        definition.pop("additionalProperties", None)
        definition["description"] = " ".join(str(definition.get("description", "")).split())
    event = definitions["Event"]
    event["properties"]["event"]["pattern"] = NO_CONTROL_CHARACTERS
    event["properties"]["context"]["description"] = "What the contract has no field for, such as other SDKs' entities."
    event["properties"]["traits_once"]["description"] = "Traits that hold where the person has none of that name yet."
    event["anyOf"] = [
        {"required": [name], "properties": {name: {"type": "string", "pattern": Placeholders().pattern}}}
        for name in ("anonymous_id", "user_id")
    ]
    event["description"] += " Of a name that an object gives twice, the last value counts."
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Event", **schema}


def _documented() -> type[Struct]:
    """The event with JSON objects where the model keeps their text."""
    fields: list[Any] = []
    for field in msgspec.structs.fields(Event):
        if field.required:
            fields.append((field.name, field.type))
        elif field.type is Raw:
            fields.append((field.name, dict[str, Any] | None, None))
        else:
            fields.append((field.name, field.type, field.default))
    return msgspec.defstruct("Event", fields, namespace={"__doc__": "One behavioural event."})
