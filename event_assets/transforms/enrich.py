"""From clean events to enriched ones: country, page, device, robots, referrer, campaign, channel beside what was sent.

Each enrichment is one function of a module beside this one; here they are run over columns, once for each different
value of a batch. An event that fails one is kept without its fields, and says so in `enrichment_failures`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.tables import CLEAN_EVENTS, ENRICHED_EVENTS
from event_assets.transforms.bots import NO_BOT, BotVerdict, bot_verdict
from event_assets.transforms.channel import channel_group, source_and_medium
from event_assets.transforms.country import country_of
from event_assets.transforms.marketing import NO_CAMPAIGN, UTM, Campaign, MarketingParameters, campaign_of
from event_assets.transforms.referrer import NO_REFERRER, Referrer, classify_referrer
from event_assets.transforms.url import parse_url, without_www
from event_assets.transforms.user_agent import LONGEST, NO_USER_AGENT, UserAgent, parse_user_agent

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

ENRICH_VERSION = "1"
"""Changes when the same event would be enriched otherwise."""

_REMEMBERED = 16_384
_LONGEST_REMEMBERED = 1_024
_DEVICE_OF_PLATFORM = {"ios": "mobile", "android": "mobile", "desktop": "desktop"}
_Text = TypeVar("_Text", str, "str | None")
_Result = TypeVar("_Result")
_FROM_CLEAN = tuple(name for name in ENRICHED_EVENTS.column_names if name in CLEAN_EVENTS.column_names)


@dataclass(frozen=True)
class EnrichRules:
    """By what events are enriched: hosts that are the owner's own (subdomains too), and the marketing parameters."""

    own_hosts: tuple[str, ...] = ()
    marketing: MarketingParameters = UTM

    @property
    def version(self) -> str:
        """Changes with the rules; a day that other rules made is made again."""
        said = repr((sorted(self.own_hosts), self.marketing))
        return f"{ENRICH_VERSION}-{sha256(said.encode()).hexdigest()[:12]}"


def enrich(clean: DataFrame, rules: EnrichRules) -> DataFrame:
    """The same events with what they imply. Takes CLEAN_EVENTS, gives ENRICHED_EVENTS."""

    def enriched(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        enricher = Enricher(rules)
        return map(enricher.enriched, batches)

    return clean.select(*_FROM_CLEAN).mapInArrow(enriched, ENRICHED_EVENTS.spark_schema())


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


class _Country(NamedTuple):
    country: str | None = None
    failure: str | None = None


class Enricher:
    """Enriches record batches by one set of rules, and remembers what it parsed across them."""

    def __init__(self, rules: EnrichRules) -> None:
        self._marketing = rules.marketing
        self._own_hosts = frozenset(without_www(host.strip().lower()) for host in rules.own_hosts)
        self._visit = _remembering(self._visit_of)
        self._referrer = _remembering(self._classified)
        self._country = lru_cache(maxsize=_REMEMBERED)(_country)

    def enriched(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """One batch of CLEAN_EVENTS columns, in any order, as ENRICHED_EVENTS. What was sent is not copied."""
        schema = ENRICHED_EVENTS.arrow_schema()
        columns = {name: _typed(batch.column(name), schema.field(name).type) for name in _FROM_CLEAN}
        visits = self._visits(columns)
        devices = _devices(columns)
        countries = _by_value(columns["ip"], self._country)
        failures = [part.pop("failure") for part in (visits, devices, countries)]
        columns |= visits | devices | countries
        columns["enrichment_failures"] = _joined(failures)
        return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], names=schema.names)

    def _visits(self, columns: dict[str, Any]) -> dict[str, Any]:
        """Page URL and referrer are parsed once for each different pair."""
        urls, referrers = _encoded(columns["page_url"]), _encoded(columns["page_referrer"])
        stride = len(referrers.values)
        pairs = pc.add(pc.multiply(urls.codes, stride), referrers.codes).dictionary_encode()
        rows = [
            self._visit(urls.values[pair // stride], referrers.values[pair % stride])
            for pair in pairs.dictionary.to_pylist()
        ]
        return _spread(rows, _Visit._fields, pairs.indices)

    def _visit_of(self, url: str | None, referrer: str | None) -> _Visit:
        failures: list[str] = []
        host, path, campaign = _tried(self._page, url, (None, None, NO_CAMPAIGN), "page_url", failures)
        came = _tried(lambda text: self._referrer(text, host), referrer, NO_REFERRER, "page_referrer", failures)
        known = (host, path, came.host, came.medium, came.source, came.term)
        if failures:
            # Half of what a channel is made from would make a wrong one, not an unknown one.
            return _Visit(*known, failure="; ".join(failures))
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
        )

    def _classified(self, referrer: str, host: str | None) -> Referrer:
        return classify_referrer(referrer, host, self._own_hosts)

    def _page(self, url: str) -> tuple[str | None, str | None, Campaign]:
        parts = parse_url(url)
        return parts.host, parts.path or None, campaign_of(parts.query, self._marketing)


def _tried(function: Callable[[str], Any], value: str | None, empty: Any, name: str, failures: list[str]) -> Any:
    """What the function makes of a value. Whatever goes wrong is noted: one value must not lose a batch."""
    if not value:
        return empty
    try:
        return function(value)
    except ValueError as error:
        failures.append(f"{name}: {error}")
    except Exception as error:
        failures.append(f"{name}: {type(error).__name__}")
    return empty


def _country(ip: str | None) -> _Country:
    failures: list[str] = []
    country = _tried(country_of, ip, None, "ip", failures)
    return _Country(country, failures[0] if failures else None)


@lru_cache(maxsize=_REMEMBERED)
def _device(user_agent: str) -> _Device:
    failures: list[str] = []
    agent = _tried(parse_user_agent, user_agent, NO_USER_AGENT, "device_user_agent", failures)
    verdict = _tried(lambda text: bot_verdict(text, agent), user_agent, NO_BOT, "device_user_agent", failures)
    return _Device(agent, verdict, failures[0] if failures else None)


def _devices(columns: dict[str, Any]) -> dict[str, Any]:
    encoded = _encoded(columns["device_user_agent"])
    devices = [_device(agent[:LONGEST]) if agent else _Device() for agent in encoded.values]
    agents = _spread([device.agent for device in devices], UserAgent._fields, encoded.codes)
    verdicts = _spread([device.verdict for device in devices], BotVerdict._fields, encoded.codes)
    failure = _spread([(device.failure,) for device in devices], ("failure",), encoded.codes)
    platforms = _encoded(columns["platform"])

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


def _device_type(told: Any, platforms: _Encoded, model: Any) -> Any:
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


class _Encoded(NamedTuple):
    """A column as its different values and, for each row, the place of its value. Null is one of the values."""

    values: list[str | None]
    codes: Any


def _encoded(column: Any) -> _Encoded:
    encoded = column.dictionary_encode(null_encoding="encode")
    return _Encoded(encoded.dictionary.to_pylist(), encoded.indices.cast(pa.int64()))


def _by_value(column: Any, function: Callable[[str | None], Any]) -> dict[str, Any]:
    encoded = _encoded(column)
    rows = [function(value) for value in encoded.values]
    return _spread(rows, _Country._fields, encoded.codes)


def _spread(rows: Sequence[tuple[Any, ...]], names: Sequence[str], codes: Any) -> dict[str, Any]:
    """Columns by name, from one tuple for each different value and the rows' places among them."""
    values = zip(*rows, strict=True) if rows else ((),) * len(names)
    return {
        name: pa.array(column, pa.bool_() if name == "is_spider" else pa.string()).take(codes)
        for name, column in zip(names, values, strict=True)
    }


def _joined(failures: Sequence[Any]) -> Any:
    failed = [column.to_pylist() for column in failures if column.null_count < len(column)]
    if not failed:
        return pa.nulls(len(failures[0]), pa.string())
    texts = ["; ".join(filter(None, row)) or None for row in zip(*failed, strict=True)]
    return pa.array(texts, pa.string())


def _typed(array: Any, type_: pa.DataType) -> Any:
    """The column as the contract has it: an engine may hand out views or large strings."""
    return array if array.type == type_ else array.cast(type_)


def _remembering(function: Callable[[_Text, str | None], _Result]) -> Callable[[_Text, str | None], _Result]:
    """The function with a memory for short arguments; long ones are rare, and would fill it."""
    remembered = lru_cache(maxsize=_REMEMBERED)(function)

    def call(first: _Text, second: str | None) -> _Result:
        short = len(first or "") + len(second or "") <= _LONGEST_REMEMBERED
        return remembered(first, second) if short else function(first, second)

    return call
