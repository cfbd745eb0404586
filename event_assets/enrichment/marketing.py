"""What a landing URL says about the campaign that led to it: UTM parameters and advertising click ids.

Referrers are read in `referrer`; which channel it all amounts to is told in `channel`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from event_assets.enrichment.url import parameters


class ClickId(NamedTuple):
    """A click id's parameter, the network that adds it, and the source and medium that it stands for."""

    parameter: str
    network: str
    source: str
    medium: str

    @property
    def is_organic(self) -> bool:
        """Whether the network adds it to links that nobody paid for too: then it is no sign of an advertisement."""
        return self.medium in ("referral", "organic")


CLICK_IDS = (
    ClickId("gclid", "Google", "google", "cpc"),
    ClickId("gbraid", "Google", "google", "cpc"),
    ClickId("wbraid", "Google", "google", "cpc"),
    ClickId("dclid", "DoubleClick", "doubleclick", "cpm"),
    ClickId("msclkid", "Microsoft", "bing", "cpc"),
    ClickId("ttclid", "TikTok", "tiktok", "paid_social"),
    ClickId("li_fat_id", "LinkedIn", "linkedin", "paid_social"),
    ClickId("twclid", "Twitter", "twitter", "paid_social"),
    ClickId("fbclid", "Meta", "facebook", "referral"),
    ClickId("srsltid", "Google", "google", "organic"),
)
"""Click ids, the first that a URL has wins. As of November 2026, by what the networks and those who measure them
say: the paid ones are added to advertisements alone; Meta (Facebook, Instagram) adds fbclid to every link that leads
away, Google srsltid to listings and search results of shops with a product feed."""


@dataclass(frozen=True)
class MarketingParameters:
    """Names of the query parameters of each field; of several that a URL has, the first named here wins."""

    source: tuple[str, ...] = ("utm_source",)
    medium: tuple[str, ...] = ("utm_medium",)
    campaign: tuple[str, ...] = ("utm_campaign",)
    term: tuple[str, ...] = ("utm_term",)
    content: tuple[str, ...] = ("utm_content",)
    click_ids: tuple[ClickId, ...] = CLICK_IDS

    @cached_property
    def names(self) -> frozenset[str]:
        """Every parameter that means something."""
        tags = (*self.source, *self.medium, *self.campaign, *self.term, *self.content)
        return frozenset((*tags, *(click.parameter for click in self.click_ids)))


UTM = MarketingParameters()
"""The five UTM parameters and the well-known click ids."""


def marketing_parameters(told: Mapping[str, Any]) -> MarketingParameters:
    """The parameters as a setting tells them: a field's names take the place of the UTM ones, click ids come on top.

    >>> marketing_parameters({"source": ["mtm_source", "utm_source"]}).source
    ('mtm_source', 'utm_source')
    """
    names = {field: tuple(given) for field, given in told.items() if field != "click_ids"}
    more = tuple(ClickId(parameter, *click) for parameter, click in told.get("click_ids", {}).items())
    return MarketingParameters(**names, click_ids=(*CLICK_IDS, *more))


class Campaign(NamedTuple):
    """What the tags of a URL say, as they say it; None where they are silent."""

    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    term: str | None = None
    content: str | None = None
    click_id: str | None = None
    click: ClickId | None = None

    @property
    def is_tagged(self) -> bool:
        """Whether the URL was tagged by hand: source, medium or campaign is given."""
        return self.source is not None or self.medium is not None or self.campaign is not None


NO_CAMPAIGN = Campaign()


def campaign_of(query: str, names: MarketingParameters = UTM) -> Campaign:
    """What a query string says about the campaign.

    >>> campaign_of("utm_source=newsletter&utm_medium=email&utm_campaign=spring")[:3]
    ('newsletter', 'email', 'spring')
    >>> campaign_of("gclid=Cj0K").click.network
    'Google'
    """
    found = parameters(query, names.names)
    if not found:
        return NO_CAMPAIGN
    click = next((click for click in names.click_ids if click.parameter in found), None)
    return Campaign(
        _first(found, names.source),
        _first(found, names.medium),
        _first(found, names.campaign),
        _first(found, names.term),
        _first(found, names.content),
        found[click.parameter] if click else None,
        click,
    )


def _first(found: dict[str, str], names: tuple[str, ...]) -> str | None:
    for name in names:
        if name in found:
            return found[name]
    return None
