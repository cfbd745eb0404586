"""From clean events to enriched ones: country, page, device, robots, referrer, campaign, channel beside what was sent.

Each enrichment is one function of a module beside this one; here they are run over columns, once for each different
value of a batch. An event that fails one is kept without its fields, and says so in `enrichment_failures`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.event import Campaign as CampaignSaid
from event_assets.contract.placeholders import Placeholders
from event_assets.contract.site_zones import IN_UTC, SiteZones
from event_assets.contract.tables.events import CLEAN_EVENTS, ENRICHED_EVENTS, SITE_DATE
from event_assets.enrichment.bots import NO_BOT, BotVerdict, bot_verdict
from event_assets.enrichment.channel import channel_group, source_and_medium
from event_assets.enrichment.currency import AS_SENT, Reporting
from event_assets.enrichment.custom import CustomEnrichment, custom_columns
from event_assets.enrichment.distinct import REMEMBERED, Encoded, combined, encoded, joined, remembering, spread, tried
from event_assets.enrichment.location import NOWHERE, GeoDatabase, Location, bundled_edition, locate
from event_assets.enrichment.marketing import NO_CAMPAIGN, UTM, Campaign, MarketingParameters, campaign_of
from event_assets.enrichment.measures import LIKELY, NO_MEASURES, Measures, measures_of
from event_assets.enrichment.referrer import NO_REFERRER, Referrer, classify_referrer
from event_assets.enrichment.url import parse_url, without_www
from event_assets.enrichment.user_agent import LONGEST, NO_USER_AGENT, UserAgent, parse_user_agent

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

VERSIONS: Mapping[str, str] = {
    "location": "2",
    "page": "1",
    "referrer": "3",
    "campaign": "3",
    "channel_group": "4",
    "user_agent": "2",
    "bots": "3",
    "measures": "1",
    "currency": "1",
}
"""Each enrichment's version: raise it when the same event would be enriched otherwise."""

_SAID_OF_CAMPAIGN = tuple(f"campaign_{name}" for name in CampaignSaid.__struct_fields__)
_OF_AGENT = UserAgent._fields[:5]
"""What the columns say of a user agent: browser, system and kind of device."""
_DEVICE_OF_PLATFORM = {"ios": "mobile", "android": "mobile", "desktop": "desktop"}
_FROM_CLEAN = tuple(name for name in ENRICHED_EVENTS.column_names if name in CLEAN_EVENTS.column_names)
_MADE = tuple(column for column in ENRICHED_EVENTS.columns if column != SITE_DATE)
_SCHEMA = pa.schema([ENRICHED_EVENTS.arrow_schema().field(column.name) for column in _MADE])
_TYPES = {column.name: column.type for column in _SCHEMA}


@dataclass(frozen=True)
class EnrichRules:
    """By what events are enriched: hosts that are the owner's own (subdomains too), the marketing parameters, MaxMind
    databases beside the bundled one, the reporting currency, functions of the project's own users, words that say that
    there is no referrer (None: those of the contract), and by which clocks dates are told."""

    own_hosts: tuple[str, ...] = ()
    marketing: MarketingParameters = UTM
    databases: tuple[GeoDatabase, ...] = ()
    reporting: Reporting = AS_SENT
    custom: tuple[CustomEnrichment, ...] = ()
    placeholders: tuple[str, ...] | None = None
    zones: SiteZones = IN_UTC

    @property
    def versions(self) -> str:
        """Every enrichment with its version and, behind a plus sign, the edition of the data that it goes by."""
        editions = {
            "location": "+".join([*(database.edition for database in self.databases), bundled_edition()]),
            "user_agent": f"ua-parser-builtins/{version_of('ua-parser-builtins')}",
            "bots": f"crawler-user-agents/{version_of('crawler-user-agents')}",
        }
        ours = (f"{name}:{version}+{editions.get(name, '')}".rstrip("+") for name, version in VERSIONS.items())
        return " ".join([*ours, *(f"{custom.name}:{custom.version}" for custom in self.custom)])

    @property
    def version(self) -> str:
        """Changes with the rules; a day that other rules made is made again."""
        custom = [enrichment.reference for enrichment in self.custom]
        reporting = (self.reporting.currency, self.reporting.rates.digest)
        words = sorted(Placeholders(self.placeholders).words)
        said = repr((self.versions, sorted(self.own_hosts), self.marketing, reporting, custom, words, self.zones))
        return sha256(said.encode()).hexdigest()[:12]


def enrich(clean: DataFrame, rules: EnrichRules) -> DataFrame:
    """The same events with what they imply. Takes CLEAN_EVENTS, gives ENRICHED_EVENTS."""
    from event_assets.transforms.site_dates import site_date  # an engine's process enriches without Spark

    def enriched(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        enricher = Enricher(rules)
        return map(enricher.enriched, batches)

    made = clean.select(*_FROM_CLEAN).mapInArrow(enriched, ", ".join(f"{c.name} {c.spark_type}" for c in _MADE))
    return made.withColumn(SITE_DATE.name, site_date(made["derived_at"], made["app_id"], rules.zones))


class _Visit(NamedTuple):
    """What page URL and referrer imply. The names are columns."""

    page_host: str | None = None
    page_path: str | None = None
    referrer_host: str | None = None
    referrer_medium: str | None = None
    referrer_source: str | None = None
    search_term: str | None = None
    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    term: str | None = None
    content: str | None = None
    click_id: str | None = None
    channel_group: str | None = None
    failure: str | None = None


class _Device(NamedTuple):
    """What the user agent implies."""

    agent: UserAgent = NO_USER_AGENT
    verdict: BotVerdict = NO_BOT
    failure: str | None = None


class _Place(NamedTuple):
    """What the address implies."""

    location: Location = NOWHERE
    failure: str | None = None


class Enricher:
    """Enriches record batches by one set of rules, and remembers what it parsed across them."""

    def __init__(self, rules: EnrichRules) -> None:
        self._rules = rules
        self._versions = pa.scalar(rules.versions)
        self._own_hosts = frozenset(without_www(host.strip().lower()) for host in rules.own_hosts)
        self._no_referrer = Placeholders(rules.placeholders)
        self._visit = remembering(self._visit_of)
        self._page = remembering(self._page_of)
        self._referrer = remembering(self._classified)
        self._place = lru_cache(maxsize=REMEMBERED)(self._place_of)

    def enriched(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """One batch of CLEAN_EVENTS columns, in any order, as ENRICHED_EVENTS but for the site's date. What was sent is
        not copied."""
        rows = batch.num_rows
        columns = {name: _typed(batch.column(name), _TYPES[name]) for name in _FROM_CLEAN}
        parts = [self._visits(columns), _devices(columns), self._places(columns), self._measures(columns)]
        failures = [part.pop("failure") for part in parts]
        for part in parts:
            columns |= part
        custom = custom_columns(self._rules.custom, columns, rows)
        columns["enrichment_failures"] = joined([*failures, custom.pop("failure")], "; ")
        columns |= custom | {"enrichments": pa.repeat(self._versions, rows)}
        return pa.RecordBatch.from_arrays([columns[name] for name in _SCHEMA.names], names=_SCHEMA.names)

    def _visits(self, columns: dict[str, Any]) -> dict[str, Any]:
        """Page URL and referrer are parsed once for each different pair; the few campaigns that clients say go with
        them."""
        said = [columns[name] for name in _SAID_OF_CAMPAIGN]
        is_said = any(column.null_count < len(column) for column in said)
        together = [columns["page_url"], columns["page_referrer"], *(said if is_said else ())]
        pairs = combined([encoded(column) for column in together])
        return spread([self._visit(*pair) for pair in pairs.values], _Visit._fields, pairs.codes, _TYPES)

    def _places(self, columns: dict[str, Any]) -> dict[str, Any]:
        addresses = encoded(columns["ip"])
        places = [self._place(ip) for ip in addresses.values]
        found = spread([place.location for place in places], Location._fields, addresses.codes, _TYPES)
        return found | spread([(place.failure,) for place in places], ("failure",), addresses.codes, _TYPES)

    def _place_of(self, ip: str | None) -> _Place:
        failures: list[str] = []
        location = tried(lambda text: locate(text, self._rules.databases), ip, NOWHERE, "ip", failures)
        return _Place(location, failures[0] if failures else None)

    def _measures(self, columns: dict[str, Any]) -> dict[str, Any]:
        """Properties are hardly ever the same twice; those that say nothing of interest are not decoded."""
        likely = pc.fill_null(pc.match_substring_regex(columns["properties"], LIKELY), False)
        events, texts, days = (
            columns[name].filter(likely).to_pylist() for name in ("event", "properties", "event_date")
        )
        reporting = self._rules.reporting
        read = [measures_of(*sent, reporting) for sent in zip(events, texts, days, strict=True)]
        places = pc.if_else(likely, pc.cumulative_sum(likely.cast(pa.int64())), 0)
        return spread([NO_MEASURES, *read], Measures._fields, places, _TYPES)

    def _visit_of(self, url: str | None, referrer: str | None, *said: str | None) -> _Visit:
        """`said`: the campaign's source, medium, name, term and content, as the client says."""
        failures: list[str] = []
        host, path, campaign = tried(self._page, url, (None, None, NO_CAMPAIGN), "page_url", failures)
        is_untold = bool(failures)
        came = tried(lambda text: self._referrer(text, host), referrer, NO_REFERRER, "page_referrer", failures)
        known = (host, path, came.host, came.medium, came.source, came.term)
        failure = "; ".join(failures) or None
        if is_untold:
            # Without its tags the rest would make a wrong channel, not an unknown one. A bad referrer is none.
            return _Visit(*known, failure=failure)
        if any(said) and not campaign.is_tagged:
            source, medium, name, term, content = (text or None for text in said)
            campaign = campaign._replace(source=source, medium=medium, campaign=name, term=term, content=content)
        source, medium = source_and_medium(campaign, came)
        return _Visit(
            *known,
            source,
            medium,
            campaign.campaign,
            campaign.term,
            campaign.content,
            campaign.click_id,
            channel_group(source, medium, campaign.campaign),
            failure,
        )

    def _classified(self, referrer: str, host: str | None) -> Referrer:
        return NO_REFERRER if referrer in self._no_referrer else classify_referrer(referrer, host, self._own_hosts)

    def _page_of(self, url: str) -> tuple[str | None, str | None, Campaign]:
        parts = parse_url(url)
        return parts.host, parts.path or None, campaign_of(parts.query, self._rules.marketing)


@lru_cache(maxsize=REMEMBERED)
def _device(user_agent: str) -> _Device:
    failures: list[str] = []
    agent = tried(parse_user_agent, user_agent, NO_USER_AGENT, "device_user_agent", failures)
    verdict = tried(lambda text: bot_verdict(text, agent), user_agent, NO_BOT, "device_user_agent", failures)
    return _Device(agent, verdict, failures[0] if failures else None)


def _devices(columns: dict[str, Any]) -> dict[str, Any]:
    sent = encoded(columns["device_user_agent"])
    devices = [_device(agent[:LONGEST]) if agent else _Device() for agent in sent.values]
    agents = spread([device.agent for device in devices], _OF_AGENT, sent.codes, _TYPES)
    verdicts = spread([device.verdict for device in devices], BotVerdict._fields, sent.codes, _TYPES)
    failure = spread([(device.failure,) for device in devices], ("failure",), sent.codes, _TYPES)
    platforms = encoded(columns["platform"])

    on_web = pa.array([platform == "web" for platform in platforms.values]).take(platforms.codes)
    program = pc.if_else(on_web, verdicts["program"], pa.scalar(None, pa.string()))
    reason = pc.coalesce(verdicts["robot"], program, _said_by_client(columns["extra"]))
    is_bot = pc.is_valid(reason)
    return {
        "browser": agents["browser"],
        "browser_version": agents["browser_version"],
        "os": pc.coalesce(agents["os"], columns["device_os"]),
        "os_version": pc.if_else(pc.is_valid(agents["os"]), agents["os_version"], _major(columns["device_os_version"])),
        "device_type": pc.if_else(
            is_bot, "bot", _device_type(agents["device_type"], platforms, columns["device_model"])
        ),
        "is_bot": is_bot,
        "bot_reason": reason,
        **failure,
    }


def _device_type(told: Any, platforms: Encoded, model: Any) -> Any:
    """What the user agent tells, where it tells; else what the platform implies; else `other`."""
    implied = pa.array([_DEVICE_OF_PLATFORM.get(platform or "") for platform in platforms.values], pa.string())
    implied = implied.take(platforms.codes)
    ipad = pc.fill_null(pc.starts_with(model, "ipad", ignore_case=True), False)
    implied = pc.if_else(pc.and_(ipad, pc.is_valid(implied)), "tablet", implied)
    known = pc.is_in(told, pa.array(["desktop", "mobile", "tablet"]))
    return pc.coalesce(pc.if_else(known, told, implied), pa.scalar("other"))


def _said_by_client(extra: Any) -> Any:
    """`client` where the event's own `is_bot` is true. Hardly any event has unknown fields at all."""
    likely = pc.fill_null(pc.match_substring(extra, '"is_bot"'), False)
    if not pc.any(likely).as_py():
        return pa.nulls(len(extra), pa.string())
    said = [
        "client" if probable and _flag(text) else None
        for probable, text in zip(likely.to_pylist(), extra.to_pylist(), strict=True)
    ]
    return pa.array(said, pa.string())


def _flag(extra: str) -> bool:
    try:
        return bool(msgspec.json.decode(extra)["is_bot"] is True)
    except (msgspec.DecodeError, KeyError, TypeError):
        return False


def _major(version: Any) -> Any:
    return pc.list_element(pc.split_pattern(version, ".", max_splits=1), 0)


def _typed(array: Any, type_: pa.DataType) -> Any:
    """The column as the contract has it: an engine may hand out views or large strings."""
    return array if array.type == type_ else array.cast(type_)
