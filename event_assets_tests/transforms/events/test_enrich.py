"""Clean events become enriched ones: every row once, whatever is in it."""

from __future__ import annotations

import datetime as dt
import gzip
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from event_assets.contract.placeholders import PLACEHOLDERS
from event_assets.contract.site_zones import SiteZones
from event_assets.contract.tables.events import CLEAN_EVENTS, ENRICHED_EVENTS
from event_assets.enrichment.channel import DIRECT
from event_assets.enrichment.currency import Reporting, parse_rates
from event_assets.enrichment.custom import custom_enrichments
from event_assets.enrichment.marketing import MarketingParameters
from event_assets.transforms.events.enrich import VERSIONS, Enricher, EnrichRules, enrich
from event_assets_tests.examples import texts
from event_assets_tests.transforms.geo import ASN, CITY, database

ACCESS_LOG = Path(__file__).parents[3] / "shared/data/access_logs/semicomplete_apache_logs.log.gz"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
NOW = dt.datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=dt.UTC)
_REQUIRED = {
    "string": "x",
    "int": 1,
    "long": 1,
    "timestamp": NOW,
    "date": NOW.date(),
}


def clean_event(**fields: Any) -> dict[str, Any]:
    """A clean event on the web; fields that are not named are null where they may be."""
    row = {column.name: None if column.nullable else _REQUIRED[column.type] for column in CLEAN_EVENTS.columns}
    return {**row, "platform": "web", **fields}


def batch_of(*rows: dict[str, Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(rows), schema=CLEAN_EVENTS.arrow_schema())


def enriched(rules: EnrichRules = EnrichRules(), **fields: Any) -> dict[str, Any]:
    """One event, enriched."""
    (row,) = Enricher(rules).enriched(batch_of(clean_event(**fields))).to_pylist()
    return dict(row)


def test_an_event_is_enriched_from_url_referrer_user_agent_and_address() -> None:
    row = enriched(
        page_url="https://shop.example/spring?utm_source=News&utm_medium=email&utm_campaign=s1&utm_term=t&utm_content=c",
        page_referrer="https://www.google.com/search?q=tarot",
        device_user_agent=CHROME,
        ip="8.8.8.0",
    )
    expected = {
        "country": "US",
        "page_host": "shop.example",
        "page_path": "/spring",
        "browser": "Chrome",
        "browser_version": "120",
        "os": "Windows",
        "os_version": "10",
        "device_type": "desktop",
        "is_bot": False,
        "bot_reason": None,
        "referrer_host": "www.google.com",
        "referrer_medium": "search",
        "referrer_source": "Google",
        "search_term": "tarot",
        "source": "News",
        "medium": "email",
        "campaign": "s1",
        "term": "t",
        "content": "c",
        "click_id": None,
        "channel_group": "Email",
        "enrichment_failures": None,
    }
    assert {name: row[name] for name in expected} == expected


def test_a_campaign_that_the_client_says_feeds_source_and_medium_unless_the_url_has_tags() -> None:
    said = {"campaign_source": "news", "campaign_medium": "email", "campaign_name": "spring"}
    names = ("source", "medium", "campaign", "channel_group")
    tagged: tuple[tuple[dict[str, str], tuple[str | None, ...]], ...] = (
        ({}, ("news", "email", "spring", "Email")),
        ({"page_url": "https://shop.example/?gclid=x"}, ("news", "email", "spring", "Email")),
        ({"page_url": "https://shop.example/?utm_source=own"}, ("own", None, None, "Unassigned")),
        ({"campaign_source": "", "campaign_medium": "", "campaign_name": ""}, ("(direct)", "(none)", None, "Direct")),
    )
    for fields, expected in tagged:
        row = enriched(EnrichRules(), **{**said, **fields})
        assert tuple(row[name] for name in names) == expected
    out = Enricher(EnrichRules()).enriched(batch_of(clean_event(**said), clean_event())).to_pylist()
    assert [row["source"] for row in out] == ["news", "(direct)"]


def test_what_was_sent_stays_as_it_was_and_columns_are_in_the_tables_order() -> None:
    sent = clean_event(page_title="春", properties='{"a":1}', sequence=7, ip="10.0.0.1", consent_analytics=True)
    out = Enricher(EnrichRules()).enriched(batch_of(sent))
    assert (*out.schema.names, "site_date") == ENRICHED_EVENTS.column_names
    assert out.schema.types == ENRICHED_EVENTS.arrow_schema().types[:-1]
    (row,) = out.to_pylist()
    assert {name: row[name] for name in sent} == sent


def test_an_event_with_nothing_to_go_by_is_direct_and_no_robot() -> None:
    row = enriched()
    assert (row["source"], row["medium"], row["channel_group"]) == ("(direct)", "(none)", "Direct")
    assert (row["is_bot"], row["device_type"], row["enrichment_failures"]) == (False, "other", None)


def test_a_click_id_gives_network_and_paid_medium() -> None:
    row = enriched(page_url="https://shop.example/?gclid=Cj0K")
    assert (row["click_id"], row["source"], row["medium"], row["channel_group"]) == (
        "Cj0K",
        "google",
        "cpc",
        "Paid Search",
    )


def test_own_hosts_are_internal_with_and_without_www() -> None:
    rules = EnrichRules(own_hosts=("www.Shop.example",))
    row = enriched(rules, page_url="https://pay.example/", page_referrer="https://shop.example/cart")
    assert (row["referrer_medium"], row["channel_group"]) == ("internal", "Internal")


def test_marketing_parameters_are_configurable() -> None:
    rules = EnrichRules(marketing=MarketingParameters(source=("src",), medium=("med",)))
    row = enriched(rules, page_url="https://shop.example/?src=a&med=affiliate&utm_source=b")
    assert (row["source"], row["channel_group"]) == ("a", "Affiliates")


def test_a_robot_is_flagged_and_kept() -> None:
    row = enriched(device_user_agent=GOOGLEBOT)
    assert (row["is_bot"], row["bot_reason"], row["device_type"]) == (True, "uap-core: Googlebot", "bot")


@pytest.mark.parametrize(
    ("extra", "is_bot"),
    [
        ('{"is_bot":true}', True),
        ('{"is_bot":false}', False),
        ('{"is_bot":"yes"}', False),
        ('{"other":{"is_bot":true}}', False),
        ('["is_bot"]', False),
        ('{"is_bot"', False),
        (None, False),
    ],
)
def test_a_client_may_say_that_it_is_a_robot(extra: str | None, is_bot: bool) -> None:
    row = enriched(extra=extra, device_user_agent=CHROME)
    assert (row["is_bot"], row["bot_reason"]) == (is_bot, "client" if is_bot else None)


@pytest.mark.parametrize(
    ("platform", "model", "device_type"),
    [
        ("ios", "iPhone15,2", "mobile"),
        ("ios", "iPad14,1", "tablet"),
        ("android", None, "mobile"),
        ("desktop", None, "desktop"),
        ("server", None, "other"),
    ],
)
def test_without_a_telling_user_agent_the_platform_implies_the_device(
    platform: str, model: str | None, device_type: str
) -> None:
    row = enriched(platform=platform, device_model=model, device_user_agent="okhttp/4.12.0")
    assert (row["device_type"], row["is_bot"]) == (device_type, False)


def test_the_system_is_the_clients_word_where_the_user_agent_has_none() -> None:
    row = enriched(platform="ios", device_os="iOS", device_os_version="17.4.1")
    assert (row["os"], row["os_version"]) == ("iOS", "17")
    row = enriched(device_user_agent=CHROME, device_os="Linux", device_os_version="6")
    assert (row["os"], row["os_version"]) == ("Windows", "10")


def test_an_event_that_fails_enrichments_is_kept_with_each_failure_noted() -> None:
    row = enriched(page_url="http://[::1", page_referrer="not a url", ip="300.1.1.1", device_user_agent=CHROME)
    assert (row["browser"], row["page_host"], row["channel_group"], row["country"]) == ("Chrome", None, None, None)
    assert [failure.split(":")[0] for failure in row["enrichment_failures"].split("; ")] == [
        "page_url",
        "page_referrer",
        "ip",
    ]


TAGGED = "https://shop.example/?utm_source=mail&utm_medium=email"


@pytest.mark.parametrize("referrer", ["http://a b/", "com.reddit.frontpage", "not a url", "http://["])
def test_a_referrer_that_is_no_url_is_none_and_is_noted(referrer: str) -> None:
    row = enriched(page_url="https://shop.example/a", page_referrer=referrer)
    assert (row["page_path"], row["source"], row["medium"], row["channel_group"]) == ("/a", *DIRECT, "Direct")
    assert row["enrichment_failures"].startswith("page_referrer: no URL")
    row = enriched(page_url=TAGGED, page_referrer=referrer)
    assert (row["source"], row["medium"], row["channel_group"]) == ("mail", "email", "Email")


@pytest.mark.parametrize("word", [*PLACEHOLDERS, " NULL ", "  ", ""])
def test_a_word_that_means_none_is_no_referrer_and_no_failure(word: str) -> None:
    for url, source, group in (("https://shop.example/", "(direct)", "Direct"), (TAGGED, "mail", "Email")):
        row = enriched(page_url=url, page_referrer=word)
        assert (row["source"], row["channel_group"], row["enrichment_failures"]) == (source, group, None)
        assert (row["referrer_host"], row["referrer_medium"]) == (None, None)


def test_words_that_mean_none_can_be_named() -> None:
    rules = EnrichRules(placeholders=("nobody",))
    assert enriched(rules, page_referrer="Nobody")["enrichment_failures"] is None
    assert enriched(rules, page_referrer="-")["enrichment_failures"] is not None
    assert rules.version != EnrichRules().version == EnrichRules(placeholders=PLACEHOLDERS).version


@given(texts())
def test_no_referrer_takes_the_tags_of_a_url_with_it(referrer: str) -> None:
    row = enriched(page_url=TAGGED, page_referrer=referrer)
    assert (row["source"], row["medium"], row["channel_group"]) == ("mail", "email", "Email")


def test_a_failure_of_one_row_is_not_one_of_its_neighbours() -> None:
    rows = [clean_event(page_url="http://["), clean_event(page_url="https://a.example/"), clean_event()]
    out = Enricher(EnrichRules()).enriched(batch_of(*rows)).to_pylist()
    assert [row["enrichment_failures"] is None for row in out] == [False, True, True]


def test_whatever_goes_wrong_in_an_enrichment_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(ip: str) -> str:
        raise OSError("disk on fire")

    monkeypatch.setattr("event_assets.enrichment.location.country_of", broken)
    assert enriched(ip="8.8.8.8")["enrichment_failures"] == "ip: OSError"


def test_place_and_network_are_columns_where_a_database_is_named(tmp_path: Path) -> None:
    city = database(tmp_path / "city.mmdb", "Test-City", CITY)
    asn = database(tmp_path / "asn.mmdb", "Test-ASN", ASN)
    row = enriched(EnrichRules(databases=(city, asn)), ip="81.2.69.0")
    found = tuple(row[name] for name in ("country", "region", "city", "asn", "as_organization"))
    assert found == ("GB", "England", "London", 20712, "Andrews & Arnold")


def test_a_database_that_is_gone_loses_no_event(tmp_path: Path) -> None:
    gone = database(tmp_path / "gone.mmdb", "Test-City", CITY)
    (tmp_path / "gone.mmdb").unlink()
    row = enriched(EnrichRules(databases=(gone,)), ip="81.2.69.0", device_user_agent=CHROME)
    assert (row["country"], row["browser"], row["enrichment_failures"]) == (None, "Chrome", "ip: FileNotFoundError")


def test_revenue_is_converted_by_the_date_on_which_the_event_happened() -> None:
    rates = parse_rates("date,currency,rate\n2026-03-01,USD,0.5\n2026-03-02,USD,0.25\n")
    rules = EnrichRules(reporting=Reporting("EUR", rates))
    sent: dict[str, Any] = {"event": "purchase", "properties": '{"revenue": 8, "currency": "USD"}'}
    converted = [enriched(rules, event_date=dt.date(2026, 3, day), **sent)["revenue_reporting"] for day in (1, 2)]
    assert converted == [4.0, 2.0]
    assert enriched(**sent)["revenue_reporting"] == 8.0


def test_each_row_has_its_own_measures() -> None:
    texts = ['{"revenue": 1}', None, '{"a": 1}', '{"lcp_ms": 2}', "{}", '{"re\\u0076enue": 3}', '{"revenue": "x"}']
    rows = [clean_event(event="page_view", properties=text) for text in texts]
    out = Enricher(EnrichRules()).enriched(batch_of(*rows)).to_pylist()
    assert [row["revenue"] for row in out] == [1, None, None, None, None, 3, None]
    assert [row["lcp_ms"] for row in out] == [None, None, None, 2, None, None, None]
    assert [row["enrichment_failures"] for row in out] == [None] * 6 + ["revenue: no number"]


def test_every_row_says_which_version_of_each_enrichment_and_of_its_data_made_it(tmp_path: Path) -> None:
    city = database(tmp_path / "city.mmdb", "Test-City", CITY)
    rules = EnrichRules(databases=(city,))
    said = dict(part.split(":", 1) for part in enriched(rules)["enrichments"].split(" "))
    assert said.keys() == VERSIONS.keys()
    assert said["location"].startswith(f"{VERSIONS['location']}+Test-City/")
    assert said["channel_group"] == VERSIONS["channel_group"]
    assert all("/" in said[name] for name in ("location", "user_agent", "bots"))


def test_no_rows_give_no_rows() -> None:
    assert Enricher(EnrichRules()).enriched(batch_of()).num_rows == 0


def test_rows_of_a_slice_are_not_mixed_up() -> None:
    rows = [clean_event(event_id=str(i), page_url=f"https://a.example/{i % 3}", device_os=str(i)) for i in range(20)]
    out = Enricher(EnrichRules()).enriched(batch_of(*rows).slice(7, 6)).to_pylist()
    assert [(row["event_id"], row["page_path"], row["os"]) for row in out] == [
        (str(i), f"/{i % 3}", str(i)) for i in range(7, 13)
    ]


_ANY = st.one_of(st.none(), texts(), texts().map("http://".__add__), texts(max_size=5).map(lambda t: t * 2_000))


@given(st.lists(st.tuples(_ANY, _ANY, _ANY, _ANY, _ANY), max_size=5))
def test_any_texts_give_a_row_each(values: list[tuple[str | None, ...]]) -> None:
    names = ("page_url", "page_referrer", "device_user_agent", "ip", "extra")
    rows = [clean_event(**dict(zip(names, texts, strict=True))) for texts in values]
    assert Enricher(EnrichRules(own_hosts=("a.example",))).enriched(batch_of(*rows)).num_rows == len(rows)


def test_the_version_changes_with_the_rules() -> None:
    first, same, other = EnrichRules(("a", "b")), EnrichRules(("b", "a")), EnrichRules(("c",))
    assert first.version == same.version != other.version
    assert EnrichRules(marketing=MarketingParameters(term=("keyword",))).version != EnrichRules().version


def test_the_version_changes_with_an_enrichments_version_its_data_and_the_currency(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = parse_rates("date,currency,rate\n2026-03-01,USD,0.5\n")
    made = [
        EnrichRules(),
        EnrichRules(databases=(database(tmp_path / "city.mmdb", "Test-City", CITY),)),
        EnrichRules(reporting=Reporting("EUR")),
        EnrichRules(reporting=Reporting("EUR", rates)),
        EnrichRules(zones=SiteZones("Europe/Berlin")),
        EnrichRules(zones=SiteZones("Europe/Berlin", (("shop", "Asia/Tokyo"),))),
    ]
    versions = [rules.version for rules in made]
    monkeypatch.setattr("event_assets.transforms.events.enrich.VERSIONS", {**VERSIONS, "bots": "9"})
    assert len({*versions, EnrichRules().version}) == 7


def test_both_engines_enrich_alike(spark_engine: SparkSession, tmp_path: Path) -> None:
    rows = [
        clean_event(
            event_id=str(i),
            page_url=url,
            page_referrer=referrer,
            device_user_agent=agent,
            ip="81.2.69.0",
            user_id=f"g{i % 2}" if i % 5 else None,
            properties='{"revenue": 2, "currency": "USD", "lcp_ms": 900}' if i % 2 else "{}",
        )
        for i, (url, referrer, agent) in enumerate(
            [
                ("https://shop.example/?utm_source=a&utm_medium=cpc", None, CHROME),
                ("http://[::1", "https://www.google.com/search?q=a", GOOGLEBOT),
                (None, None, None),
            ]
            * 20
        )
    ]
    rules = EnrichRules(
        databases=(database(tmp_path / "city.mmdb", "Test-City", CITY),),
        reporting=Reporting("EUR", parse_rates("date,currency,rate\n2026-03-01,USD,0.5\n")),
        custom=custom_enrichments([f"event_assets_tests.transforms.own_enrichments:{n}" for n in ("tier", "broken")]),
        zones=SiteZones("Pacific/Kiritimati"),
    )
    batch = batch_of(*rows)
    given_rows = spark_engine.createDataFrame(pa.Table.from_batches([batch]))
    out = enrich(given_rows, rules).toArrow()
    expected = Enricher(rules).enriched(batch)
    assert tuple(out.column_names) == ENRICHED_EVENTS.column_names
    by_the_site = [row | {"site_date": dt.date(2026, 3, 2)} for row in expected.to_pylist()]
    assert sorted(out.to_pylist(), key=lambda row: int(row["event_id"])) == by_the_site


@pytest.fixture(scope="module")
def visits() -> list[dict[str, Any]]:
    """Ten thousand real requests to a web server in May 2015, as enriched page views."""
    if not ACCESS_LOG.exists():
        pytest.skip("the real access log is not here: shared/data/access_logs")
    line = re.compile(r'(\S+) \S+ \S+ \[.*?\] "(?:\S+ (\S+).*?|.*?)" \d+ \S+ "(.*?)" "(.*?)"?$')
    rows = []
    for text in gzip.decompress(ACCESS_LOG.read_bytes()).decode(errors="replace").splitlines():
        found = line.match(text)
        if found is not None:
            ip, path, referrer, agent = found.groups()
            sent = {"page_referrer": None if referrer == "-" else referrer, "device_user_agent": agent, "ip": ip}
            rows.append(clean_event(page_url=f"http://www.semicomplete.com{path}", **sent))
    return list(Enricher(EnrichRules()).enriched(batch_of(*rows)).to_pylist())


def test_real_requests_all_come_out(visits: list[dict[str, Any]]) -> None:
    assert len(visits) >= 9_999


def test_only_broken_referrers_of_real_requests_fail(visits: list[dict[str, Any]]) -> None:
    failed = [row for row in visits if row["enrichment_failures"]]
    assert len(failed) <= 10
    assert all("\\x" in row["page_referrer"] for row in failed)


def test_real_robots_people_and_sources_are_told_apart(visits: list[dict[str, Any]]) -> None:
    share_of_robots = sum(row["is_bot"] for row in visits) / len(visits)
    assert 0.15 < share_of_robots < 0.35
    reasons = Counter(row["bot_reason"].split(":")[0] for row in visits if row["is_bot"])
    assert reasons.keys() == {"uap-core", "crawler-user-agents", "expression"}
    assert sum(row["country"] is not None for row in visits) / len(visits) > 0.98
    media = Counter(row["referrer_medium"] for row in visits)
    assert media["internal"] > media["search"] > media["social"] > 0
    searched = [row["search_term"] for row in visits if row["search_term"]]
    assert "xdotool" in " ".join(searched)
    assert all(row["channel_group"] for row in visits if not row["enrichment_failures"])
