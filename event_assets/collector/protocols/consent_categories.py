"""What consent managers call the contract's kinds of consent, by the names that they ship with.

A kind is refused as soon as one of its categories is, and given where all that are named are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_KINDS = {
    "analytics": ("analytics", "analytical", "statistics", "performance", "measurement", "analyticsstorage", "c0002"),
    "marketing": (
        *("marketing", "advertising", "advertisement", "ads", "targeting", "socialmedia", "adstorage", "aduserdata"),
        *("c0004", "c0005"),
    ),
    "personalisation": (
        *("personalisation", "personalization", "functional", "functionality", "preferences", "adpersonalization"),
        *("personalizationstorage", "functionalitystorage", "c0003"),
    ),
    "sell_or_share": ("sellorshare", "saleorsharing", "sale", "saleofdata", "saleofpersonaldata", "spdbg"),
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names}
_NO_LETTER = re.compile(r"[^a-z0-9]")


def consent_of(categories: Iterable[tuple[str, bool]]) -> dict[str, bool]:
    """The contract's consent of categories and whether each was agreed to; a category of the user's own says nothing.

    >>> consent_of([("Advertising", False), ("Analytics", True), ("C0004", True), ("house", False)])
    {'marketing': False, 'analytics': True}
    """
    consent: dict[str, bool] = {}
    for name, agreed in categories:
        kind = _KIND_OF.get(_NO_LETTER.sub("", name.lower()))
        if kind is not None:
            consent[kind] = agreed and consent.get(kind, True)
    return consent
