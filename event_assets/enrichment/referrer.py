"""Who referred: an own page, a search engine, a social network, web mail, an AI assistant, an advertisement, or others.

The known sites are data, in `referrers.yaml` beside this file. Campaign tags are read in `marketing`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

import yaml

from event_assets.enrichment.url import host_and_parents, parameters, parse_url, without_www

Medium = Literal["internal", "search", "social", "email", "ai-assistant", "paid", "unknown"]
Category = Literal["search", "social", "video", "shopping", "ai-assistant"]

_MEDIA: tuple[Medium, ...] = ("search", "social", "email", "paid", "unknown", "ai-assistant")
_CATEGORIES: Mapping[str, Category] = {
    "more_search": "search",
    "more_social": "social",
    "video": "video",
    "shopping": "shopping",
    "more_ai_assistants": "ai-assistant",
}
_SEARCH_HOST = re.compile(
    r"(?:(?:www?\d*|m|mobile|html|lite|safe|start|int|search|suche|web|images?|news|video|cse|encrypted|ipv[46]"
    r"|s\d+(?:-[a-z]+\d*)?|(?!ad|ai|hi|id|my|tv)[a-z]{2}(?:-[a-z]{2})?)\.)*"
)
"""What may stand before a search engine's domain: languages, countries and forms of the search itself. What else stands
there is another service of the house."""


class Referrer(NamedTuple):
    """A referrer by name. `source` is None where the site is not a known one, `term` where it does not tell.

    `short` is the name as campaign tags write it: `google`, `facebook`; for an unknown site its host.
    """

    host: str | None = None
    medium: Medium | None = None
    source: str | None = None
    term: str | None = None
    short: str | None = None


NO_REFERRER = Referrer()


class Site(NamedTuple):
    """A known site: its medium, its name, the name as campaign tags write it, its parameters that hold a search."""

    medium: Medium
    name: str
    short: str
    terms: tuple[str, ...]


def classify_referrer(referrer: str | None, page_host: str | None = None, own_hosts: Collection[str] = ()) -> Referrer:
    """Who a referrer is. An own host, the page's own one among them, is internal, and so are its subdomains.

    Known sites are found by the longest match: host and path, host and first segment of the path, each over the host
    and its parent domains; then the host and its parents alone. Raises `BadUrl`.

    >>> classify_referrer("https://www.google.co.uk/search?q=oracle+cards")[:4]
    ('www.google.co.uk', 'search', 'Google', 'oracle cards')
    >>> classify_referrer("https://shop.example/cart", own_hosts=("shop.example",)).medium
    'internal'
    """
    if not referrer:
        return NO_REFERRER
    url = parse_url(referrer)
    if url.host is None:
        return NO_REFERRER
    if is_own(url.host, page_host, own_hosts):
        return Referrer(url.host, "internal")
    site = _lookup(url.host, url.path)
    if site is None:
        return Referrer(url.host, "unknown", short=without_www(url.host))
    searched = parameters(url.query, site.terms, trimmed=False)
    term = next((searched[name] for name in site.terms if name in searched), None)
    return Referrer(url.host, site.medium, site.name, term, site.short)


def is_own(host: str, page_host: str | None, own_hosts: Collection[str]) -> bool:
    """Whether a host is the page's own one, or one of the own hosts or below it.

    >>> is_own("www.shop.example", "shop.example", ())
    True
    """
    if page_host is not None and without_www(host) == without_www(page_host):
        return True
    return bool(own_hosts) and any(part in own_hosts for part in host_and_parents(host))


def source_category(source: str) -> Category | None:
    """The kind of site that a source is, by its name or its host.

    >>> source_category("youtube"), source_category("l.facebook.com"), source_category("newsletter")
    ('video', 'social', None)
    """
    found = _known().categories
    name = source.strip().lower()
    if name in found:
        return found[name]
    parts = (part for part in host_and_parents(name) if "." in part and part in found)
    return next((found[part] for part in parts if found[part] != "search" or _is_search_host(name, part)), None)


def _is_search_host(host: str, domain: str) -> bool:
    """Whether a host at or below a search engine's domain is the search engine, and no other service of the house."""
    return _SEARCH_HOST.fullmatch(host.removesuffix(domain)) is not None


def _lookup(host: str, path: str) -> Site | None:
    sites = _known().sites
    segments = path.split("/", 2)
    if len(segments) > 1 and segments[1]:
        paths = _known().paths
        for part in host_and_parents(host):
            if part in paths:
                site = sites.get(part + path.rstrip("/")) or sites.get(f"{part}/{segments[1]}")
                if site is not None and _is_of(site, host, part):
                    return site
    return next(
        (sites[part] for part in host_and_parents(host) if part in sites and _is_of(sites[part], host, part)), None
    )


def _is_of(site: Site, host: str, domain: str) -> bool:
    return site.medium != "search" or _is_search_host(host, domain)


class _Known(NamedTuple):
    sites: dict[str, Site]
    paths: frozenset[str]
    categories: dict[str, Category]


@cache
def _known() -> _Known:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data = yaml.load(files(__package__).joinpath("referrers.yaml").read_text(encoding="utf-8"), Loader=loader)
    sites: dict[str, Site] = {}
    categories: dict[str, Category] = {}
    for medium in _MEDIA:
        for name, entry in data[medium].items():
            site = Site(medium, name, entry.get("short", name.lower()), tuple(entry.get("terms", ())))
            for address in _addresses(entry["hosts"], data["suffixes"]):
                sites[address] = site
                if medium in ("search", "social", "ai-assistant"):
                    categories[address] = categories[site.short] = medium
    for section, category in _CATEGORIES.items():
        for address in _addresses(data[section], data["suffixes"]):
            categories[address] = category
    return _Known(sites, frozenset(a.partition("/")[0] for a in sites if "/" in a), categories)


def _addresses(hosts: list[str], suffixes: list[str]) -> Iterator[str]:
    """A `*` stands for every suffix under which the site has a country's domain, `(.com)` for with and without it."""
    for host in hosts:
        if "*" in host:
            yield from (host.replace("*", suffix) for suffix in suffixes)
        elif host.endswith("(.com)"):
            name = host.removesuffix("(.com)")
            yield from (name, f"{name}.com")
        else:
            yield host
