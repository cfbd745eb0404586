"""Which events count, when they happened, and what is told of each by itself."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from event_assets_tests.oracle.traffic import OWN_HOST, USER_AGENTS

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAY = 86_400_000
_AS_GIVEN = (
    *("event_id", "event", "anonymous_id", "user_id", "session_id", "page_view_id", "platform"),
    *("properties", "traits", "traits_once", "group_id"),
)
_IN_GROUPS = {
    **{f"page_{name}": ("page", name) for name in ("url", "title", "referrer")},
    **{f"{group}_{name}": (group, name) for group in ("viewport", "document") for name in ("width", "height")},
    "scroll_y_max": ("scroll", "y_max"),
    "screen_name": ("screen", "name"),
    **{f"campaign_{name}": ("campaign", name) for name in ("source", "medium", "name")},
    "device_user_agent": ("device", "user_agent"),
}


class Source(NamedTuple):
    """Where an event came from."""

    source: str
    medium: str
    campaign: str | None
    click_id: str | None
    channel_group: str


class Referrer(NamedTuple):
    """What the referrer tells."""

    medium: str | None
    source: str | None
    search_term: str | None


class Agent(NamedTuple):
    """What the user agent tells."""

    browser: str | None
    os: str | None
    device_type: str
    is_bot: bool


@dataclass(frozen=True)
class Event:
    """An event that counts. Times are milliseconds since 1970."""

    fields: dict[str, Any]
    place: int
    received: int
    derived: int
    occurred: int

    def __getattr__(self, name: str) -> Any:
        return self.fields.get(name)

    @property
    def order(self) -> tuple[int, int, str]:
        """By when it happened."""
        return self.derived, self.occurred, self.fields["event_id"]

    @property
    def url(self) -> str | None:
        """URL of its page."""
        return (self.fields.get("page") or {}).get("url")

    @property
    def revenue(self) -> float:
        """What a conversion brought."""
        return float((self.fields.get("properties") or {}).get("revenue") or 0)

    @property
    def source(self) -> Source:
        """Where it came from."""
        return _source(self.url, (self.fields.get("page") or {}).get("referrer"), self.fields.get("campaign"))

    @property
    def referrer(self) -> Referrer:
        """What its referrer tells."""
        return _referrer((self.fields.get("page") or {}).get("referrer"))

    @property
    def agent(self) -> Agent:
        """What its user agent tells."""
        text = (self.fields.get("device") or {}).get("user_agent")
        if text == USER_AGENTS["robot"]:
            return Agent("Googlebot", None, "bot", True)
        if text == USER_AGENTS["windows"]:
            return Agent("Chrome", "Windows", "desktop", False)
        if text == USER_AGENTS["iphone"]:
            return Agent("Mobile Safari", "iOS", "mobile", False)
        implied = {"ios": "mobile", "android": "mobile", "desktop": "desktop"}
        return Agent(None, None, implied.get(self.fields["platform"], "other"), False)

    @property
    def kept_ip(self) -> str | None:
        """Its address without the last octet, or the last 80 bits."""
        kept = {
            "81.2.69.142": "81.2.69.0",
            "8.8.8.8": "8.8.8.0",
            "2001:4860:4860::8888": "2001:4860:4860::",
            "10.0.0.1": "10.0.0.0",
        }
        return kept.get(self.fields.get("ip", ""))

    @property
    def country(self) -> str | None:
        """Where that address is."""
        return {"81.2.69.0": "GB", "8.8.8.0": "US", "2001:4860:4860::": "US"}.get(self.kept_ip or "")


def counted(lines: Iterable[dict[str, Any] | bytes]) -> list[Event]:
    """Each event once: the copy received first (ties: the one that stands first)."""
    read = (event for place, line in enumerate(lines) if (event := _read(place, line)) is not None)
    first: dict[str, Event] = {}
    for event in sorted(read, key=lambda event: (event.received, event.place)):
        first.setdefault(event.event_id, event)
    return sorted(first.values(), key=lambda event: event.order)


def event_row(event: Event) -> dict[str, Any]:
    """The row of `enriched_events`, as far as the words tell."""
    return {
        **{name: getattr(event, name) for name in _AS_GIVEN},
        **{column: (getattr(event, group) or {}).get(name) for column, (group, name) in _IN_GROUPS.items()},
        "occurred_at": _milliseconds(event.fields.get("occurred_at")),
        "sent_at": _milliseconds(event.fields.get("sent_at")),
        "received_at": event.received,
        "derived_at": event.derived,
        "event_date": str((_EPOCH + dt.timedelta(milliseconds=event.derived)).date()),
        "ip": event.kept_ip,
        "country": event.country,
        **event.agent._asdict(),
        "bot_reason": event.agent.is_bot or None,
        "referrer_medium": event.referrer.medium,
        "referrer_source": event.referrer.source,
        "search_term": event.referrer.search_term,
        **event.source._asdict(),
    }


def _read(place: int, line: dict[str, Any] | bytes) -> Event | None:
    fields = line if isinstance(line, dict) else None
    if fields is None or fields["platform"] == "toaster" or not (fields.get("anonymous_id") or fields.get("user_id")):
        return None
    received = _milliseconds(fields["received_at"])
    occurred = _milliseconds(fields.get("occurred_at"))
    sent = _milliseconds(fields.get("sent_at"))
    derived = _milliseconds(fields.get("derived_at"))
    assert received is not None
    if derived is None:
        told = occurred is not None and sent is not None and occurred <= sent
        derived = received - (sent - occurred) if told else received  # type: ignore[operator]
    if derived - received > _DAY:
        return None
    return Event(fields, place, received, derived, derived if occurred is None else occurred)


def _milliseconds(text: str | None) -> int | None:
    if text is None:
        return None
    return (dt.datetime.fromisoformat(text) - _EPOCH) // dt.timedelta(milliseconds=1)


def _referrer(url: str | None) -> Referrer:
    host = None if url in ("-", "no URL") else urlsplit(url or "").hostname
    if host is None:
        return Referrer(None, None, None)
    if host == OWN_HOST:
        return Referrer("internal", None, None)
    if host == "www.google.com":
        return Referrer("search", "Google", parse_qs(urlsplit(url or "").query)["q"][0])
    if host == "chatgpt.com":
        return Referrer("ai-assistant", "ChatGPT", None)
    if host == "www.facebook.com":
        return Referrer("social", "Facebook", None)
    return Referrer("unknown", None, None)


def _source(url: str | None, referrer: str | None, said: dict[str, str] | None) -> Source:
    query = {name: values[0] for name, values in parse_qs(urlsplit(url or "").query).items()}
    click = query.get("gclid") or query.get("fbclid")
    if "utm_source" in query:
        source, medium, campaign = (query.get(f"utm_{name}") for name in ("source", "medium", "campaign"))
    elif said:
        source, medium, campaign = said["source"], said["medium"], said.get("name")
    elif "gclid" in query:
        source, medium, campaign = "google", "cpc", None
    else:
        source, medium, campaign = *_by_referrer(referrer), None
        if medium == "(none)" and "fbclid" in query:
            source, medium = "facebook", "referral"
    assert source is not None and medium is not None
    return Source(source, medium, campaign, click, _channel_group(source, medium, campaign))


def _by_referrer(url: str | None) -> tuple[str, str]:
    found = _referrer(url)
    if found.medium == "internal":
        return "(internal)", "(none)"
    if found.medium is None:
        return "(direct)", "(none)"
    host = urlsplit(url or "").hostname or ""
    name = found.source.lower() if found.source else host
    return name, {"search": "organic", "ai-assistant": "ai-assistant"}.get(found.medium or "", "referral")


def _channel_group(source: str, medium: str, campaign: str | None) -> str:
    """GA4's rules in GA4's order, as far as the traffic needs them."""
    is_paid = re.fullmatch("(.*cp.*|ppc|retargeting|paid.*)", medium) is not None
    is_shopping = re.fullmatch("(.*(([^a-df-z]|^)shop|shopping).*)", campaign or "") is not None
    rules = (
        ("Direct", source == "(direct)" and medium in ("(none)", "(not set)")),
        ("Internal", source == "(internal)"),
        ("AI Assistant", medium == "ai-assistant"),
        ("Paid Shopping", is_paid and is_shopping),
        ("Paid Search", is_paid and source == "google"),
        ("Paid Social", is_paid and source == "facebook"),
        ("Paid Other", is_paid),
        ("Organic Shopping", is_shopping),
        ("Organic Social", source == "facebook"),
        ("Organic Search", source == "google" or medium == "organic"),
        ("Referral", medium == "referral"),
        ("Email", medium == "email" or source == "email"),
        ("Affiliates", medium == "affiliate"),
    )
    return next((name for name, holds in rules if holds), "Unassigned")


def as_json(values: Iterable[str]) -> str:
    """A sorted JSON list."""
    return json.dumps(sorted(values), ensure_ascii=False, separators=(",", ":"))
