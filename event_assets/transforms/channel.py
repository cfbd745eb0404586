"""Source and medium of a visit, and the default channel group that they amount to: GA4's rules in GA4's order."""

from __future__ import annotations

import re
from functools import lru_cache

from event_assets.transforms.marketing import Campaign
from event_assets.transforms.referrer import Referrer, source_category

DIRECT = ("(direct)", "(none)")
"""Source and medium of a visit that nothing led to."""

CHANNEL_GROUPS = (
    "Direct",
    "Cross-network",
    "Paid Shopping",
    "Paid Search",
    "Paid Social",
    "Paid Video",
    "Display",
    "Paid Other",
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
_DISPLAY = {"display", "banner", "expandable", "interstitial", "cpm"}
_SOCIAL = {"social", "social-network", "social-media", "sm", "social network", "social media"}
_REFERRAL = {"referral", "app", "link"}
_EMAIL = {"email", "e-mail", "e_mail", "e mail"}


def source_and_medium(campaign: Campaign, referrer: Referrer) -> tuple[str | None, str | None]:
    """Where a visit came from: its tags, else its click id, else its referrer, else it is direct.

    Tags by hand are the last word: what they leave out only a click id fills in, never the referrer. An internal
    referrer leads to no visit. Search is `organic`, web mail `email`, an advertisement's host `paid`, all else
    `referral`.

    >>> source_and_medium(Campaign(), Referrer("www.google.com", "search", "Google", None, "google"))
    ('google', 'organic')
    """
    click = campaign.click
    if campaign.is_tagged or click is not None:
        source = campaign.source or (click.source if click else None)
        return source, campaign.medium or (click.medium if click else None)
    if referrer.medium is None or referrer.medium == "internal":
        return DIRECT
    medium = {"search": "organic", "email": "email", "paid": "paid"}.get(referrer.medium, "referral")
    return referrer.short, medium


@lru_cache(maxsize=4_096)
def channel_group(source: str | None, medium: str | None = None, campaign: str | None = None) -> str:
    """The default channel group. Case and outer blanks do not count.

    >>> channel_group("google", "cpc"), channel_group("t.co", "referral"), channel_group("(direct)", "(none)")
    ('Paid Search', 'Organic Social', 'Direct')
    """
    name, kind, title = _plain(source), _plain(medium), _plain(campaign)
    if _is_direct(name, kind, title):
        return "Direct"
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
        return medium in ("", "(not set)", "(none)")
    return not (source or medium or campaign)


def _organic(category: str | None, source: str, medium: str) -> str:
    rules = (
        ("Display", medium in _DISPLAY),
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
