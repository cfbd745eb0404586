"""Source and medium of a visit, and the default channel group that they amount to: GA4's rules in GA4's order, and two
groups as we read them (November 2026): AI assistants, and visits that an own host led to."""

from __future__ import annotations

import re
from functools import lru_cache

from event_assets.enrichment.marketing import Campaign
from event_assets.enrichment.referrer import Referrer, source_category

DIRECT = ("(direct)", "(none)")
"""Source and medium of a visit that nothing led to."""

INTERNAL = ("(internal)", "(none)")
"""Source and medium of a page that an own host led to."""

AI_ASSISTANT = "ai-assistant"
"""The medium of a visit that an AI assistant led to, as GA4 writes it."""

CHANNEL_GROUPS = (
    "Direct",
    "Internal",
    "Cross-network",
    "Paid Shopping",
    "Paid Search",
    "Paid Social",
    "Paid Video",
    "Display",
    "Paid Other",
    "AI Assistant",
    "Organic Shopping",
    "Organic Social",
    "Organic Video",
    "Organic Search",
    "Referral",
    "Email",
    "Affiliates",
    "Audio",
    "SMS",
    "Mobile Push Notifications",
    "Unassigned",
)
"""Every channel group, in the order in which the rules are tried."""

_PAID = re.compile(r"(.*cp.*|ppc|retargeting|paid.*)", re.DOTALL)
_SHOPPING = re.compile(r".*(([^a-df-z]|^)shop|shopping).*", re.DOTALL)
_PAID_BY_CATEGORY = {
    "shopping": "Paid Shopping",
    "search": "Paid Search",
    "social": "Paid Social",
    "video": "Paid Video",
}
_MEDIUM_OF_REFERRER = {"search": "organic", "email": "email", "paid": "paid", "ai-assistant": AI_ASSISTANT}
_NO_MEDIUM = ("(not set)", "(none)")
_DISPLAY = {"display", "banner", "expandable", "interstitial", "cpm"}
_SOCIAL = {"social", "social-network", "social-media", "sm", "social network", "social media"}
_REFERRAL = {"referral", "app", "link"}
_AI = {AI_ASSISTANT, "ai_assistant", "ai assistant", "ai", "ai-chat", "chatbot", "llm"}
_UNTOLD = {"", "(none)", "(not set)", "referral", "organic", "app", "link"}
"""Media that do not contradict that a source is an AI assistant, as `email` does: a newsletter may be called Claude."""
_EMAIL = {"email", "e-mail", "e_mail", "e mail"}


def source_and_medium(campaign: Campaign, referrer: Referrer) -> tuple[str | None, str | None]:
    """Where a visit came from: its tags, else its click id, else its referrer, else it is direct.

    Tags by hand are the last word: what they leave out only a paid click id fills in, never the referrer; an
    AI assistant that tags its links with its name alone has its medium. A click id that organic links have too counts
    where nothing else tells, not even the referrer. Search is `organic`, web mail `email`, an AI assistant
    `ai-assistant`, an advertisement's host `paid`, all else `referral`.

    >>> source_and_medium(Campaign(), Referrer("www.google.com", "search", "Google", None, "google"))
    ('google', 'organic')
    """
    click = campaign.click
    paid = click if click is not None and not click.is_organic else None
    if campaign.is_tagged or paid is not None:
        source = campaign.source or (paid.source if paid else None)
        return source, campaign.medium or (paid.medium if paid else _medium_of(source))
    if referrer.medium is not None and referrer.medium != "internal":
        return referrer.short, _MEDIUM_OF_REFERRER.get(referrer.medium, "referral")
    if click is not None:
        return click.source, click.medium
    return DIRECT if referrer.medium is None else INTERNAL


def _medium_of(source: str | None) -> str | None:
    return AI_ASSISTANT if source and source_category(source) == AI_ASSISTANT else None


@lru_cache(maxsize=4_096)
def channel_group(source: str | None, medium: str | None = None, campaign: str | None = None) -> str:
    """The default channel group. Case and outer blanks do not count.

    >>> channel_group("google", "cpc"), channel_group("t.co", "referral"), channel_group("(direct)", "(none)")
    ('Paid Search', 'Organic Social', 'Direct')
    """
    name, kind, title = _plain(source), _plain(medium), _plain(campaign)
    if _is_direct(name, kind, title):
        return "Direct"
    if name == INTERNAL[0] and kind in ("", *_NO_MEDIUM):
        return "Internal"
    if "cross-network" in title:
        return "Cross-network"
    category = source_category(name) if name else None
    if category != "shopping" and _SHOPPING.fullmatch(title):
        category = "shopping"
    if _PAID.fullmatch(kind):
        by_source = _PAID_BY_CATEGORY.get(category or "")
        return by_source or ("Display" if kind in _DISPLAY else "Paid Other")
    return _organic(category, name, kind)


def _plain(value: str | None) -> str:
    return value.strip().lower() if value else ""


def _is_direct(source: str, medium: str, campaign: str) -> bool:
    if source == "(direct)":
        return medium in ("", *_NO_MEDIUM)
    return not (source or medium or campaign)


def _organic(category: str | None, source: str, medium: str) -> str:
    rules = (
        ("Display", medium in _DISPLAY),
        ("AI Assistant", medium in _AI or (category == AI_ASSISTANT and medium in _UNTOLD)),
        ("Organic Shopping", category == "shopping"),
        ("Organic Social", category == "social" or medium in _SOCIAL),
        ("Organic Video", category == "video" or "video" in medium),
        ("Organic Search", category == "search" or medium == "organic"),
        ("Referral", medium in _REFERRAL),
        ("Email", source in _EMAIL or medium in _EMAIL),
        ("Affiliates", medium == "affiliate"),
        ("Audio", medium == "audio"),
        ("SMS", source == "sms" or medium == "sms"),
        ("Mobile Push Notifications", _is_push(source, medium)),
    )
    return next((group for group, holds in rules if holds), "Unassigned")


def _is_push(source: str, medium: str) -> bool:
    return medium.endswith("push") or "mobile" in medium or "notification" in medium or source == "firebase"
