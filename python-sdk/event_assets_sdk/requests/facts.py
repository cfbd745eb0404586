"""What a request tells of its visitor: address, user agent, page, and the web SDK's cookie. Pure."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, NamedTuple
from urllib.parse import unquote

_SESSION_SECONDS = 1_800.0
_LONGEST = 8_000


class Reading(NamedTuple):
    """How a request is read. `proxies`: how many proxies of yours are in front; the address is what the outermost of
    them saw (`X-Forwarded-For`). `cookie`: the name of the web SDK's."""

    proxies: int = 0
    cookie: str = "ea"


class Facts(NamedTuple):
    """A request, as every framework can tell it. `header` gives the value of a header by its name in lower case."""

    url: str
    peer: str | None
    header: Callable[[str], str | None]


def fields_of(facts: Facts, reading: Reading, now: float | None = None) -> dict[str, Any]:
    """The fields of an event of this request; what is not known is left out."""
    agent, referrer = facts.header("user-agent"), facts.header("referer")
    page = {"url": facts.url[:_LONGEST], "referrer": referrer and referrer[:_LONGEST]}
    context: dict[str, Any] = {"page": {name: value for name, value in page.items() if value}}
    if address := _address(facts, reading.proxies):
        context["ip"] = address
    if agent:
        context["device"] = {"user_agent": agent[:_LONGEST]}
    visitor = _visitor(facts.header("cookie"), reading.cookie, time.time() if now is None else now)
    consent = visitor.get("consent", {})
    if (facts.header("sec-gpc") or "").strip() == "1" and "sell_or_share" not in consent:
        visitor["consent"] = {**consent, "sell_or_share": False, "gpc": True}
    return {**visitor, "context": context}


def _address(facts: Facts, proxies: int) -> str | None:
    """Only so many addresses as there are proxies of ours are true: whoever asks may have written the others."""
    if proxies == 0:
        return facts.peer
    told = [part.strip() for part in (facts.header("x-forwarded-for") or "").split(",") if part.strip()]
    return told[-proxies] if len(told) >= proxies else facts.peer


def _visitor(cookies: str | None, name: str, now: float) -> dict[str, Any]:
    """Who the web SDK says the visitor is, and what they agreed to."""
    known = _known(cookies, name)
    found: dict[str, Any] = {}
    for field, key in (("anonymous_id", "id"), ("user_id", "user"), ("group_id", "group")):
        value = known.get(f"{name}.{key}")
        if isinstance(value, str) and 0 < len(value) <= 128:
            found[field] = value
    session = str(known.get(f"{name}.session", "")).split(" ")
    if len(session) == 3 and len(session[0]) <= 128 and _is_fresh(session[2], now):
        found["session_id"] = session[0]
    consent = _consent(known.get(f"{name}.consent"))
    if known.get(f"{name}.out") == "1":
        consent = {**consent, "analytics": False}
    if consent:
        found["consent"] = consent
    return found


def _known(cookies: str | None, name: str) -> Mapping[str, Any]:
    try:
        morsel = SimpleCookie(cookies or "").get(name)
        known = json.loads(unquote(morsel.value)) if morsel else {}
    except (CookieError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}


def _is_fresh(last: str, now: float) -> bool:
    try:
        return abs(now - float(last) / 1000) <= _SESSION_SECONDS
    except ValueError:
        return False


def _consent(text: Any) -> dict[str, bool]:
    try:
        said = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}
    names = ("analytics", "marketing", "personalisation", "sell_or_share")
    return {name: said[name] for name in names if isinstance(said, dict) and isinstance(said.get(name), bool)}
