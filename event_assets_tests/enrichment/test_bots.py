"""Robots are told by what they say of themselves, and people are not taken for robots."""

import pytest
from crawleruseragents import CRAWLER_USER_AGENTS_DATA  # type: ignore[import-untyped]
from hypothesis import given

from event_assets.enrichment.bots import _patterns, bot_reason
from event_assets_tests.examples import texts

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)
CUBOT = "Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20) AppleWebKit/537.36 Chrome/96.0.4664.45 Mobile Safari/537.36"
IN_APP = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21E219 "
    "[FBAN/FBIOS;FBAV/450.0.0.38.108;FBDV/iPhone14,5;FBCR/Mascom Botswana;FBLC/en_GB]"
)
WEB_VIEW = (
    "Mozilla/5.0 (Linux; Android 15; RMX3999 Build/AP3A.240617.008; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/131.0.6778.39 Mobile Safari/537.36"
)
PEOPLE = (
    CHROME,
    CUBOT,
    IN_APP,
    WEB_VIEW,
    f"{CHROME} Edg/120.0.2210.91",
    f"{CHROME} OPR/106.0.0.0",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari",
    "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/23.0 "
    "Chrome/115.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; U; Android 13; en-gb; M2101K6G) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/112.0.5615.136 Mobile Safari/537.36 XiaoMi/MiuiBrowser/14.4.0",
    "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
    "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.0; Trident/4.0; .NET CLR 3.5.30729)",
    "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8.119 Version/11.10",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (PlayStation; PlayStation 5/6.50) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/14.0 Safari/605.1",
    "Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) AppleWebKit/537.36 (KHTML, like Gecko) Version/7.0 TV Safari/537.36",
    f"{CHROME} GSA/300.0 DuckDuckGo/7",
    f"{CHROME} Vivaldi/6.5",
    "Dalvik/2.1.0 (Linux; U; Android 13; SM-S911B Build/TP1A.220624.014)",
    "Mozilla/5.0 (Linux; Android 4.1.1; HTC Butterfly Build/JRO03C) AppleWebKit/535.19 Chrome/18.0.1025.166 Mobile",
    "Mozilla/5.0 (Linux; U; Android 4.1.1; ru-kz; HTC_Butterfly Build/JRO03C) AppleWebKit/534.30 Mobile Safari/534.30",
    "HTC Butterfly; 4.1.1; JRO03C; de-de",
    "Mozilla/5.0 (Linux; U; Android 2.3.5; mk-mk; Lucky Ultra Sonic U8650 Build/HuaweiU8650B836) AppleWebKit/533.1",
    "Mozilla/5.0 (Linux; U; Android 2.2.2; Zh-CN; ViewSonic-V350 Build/FRG83G) AppleWebKit/534.31 Mobile Safari/534.31",
    "sprd-L008/1.0 Linux/2.6.35.7 Android/2.3.5 Release/09.10.2012 Browser/AppleWebKit533.1 Mozilla/5.0 Mobile",
    "YahooMobileMail/1.0 (Android Mail; 1.3.6) (speedy;HTC;PG06100;2.2/FRF91)",
    "Mozilla/5.0 (iPad; U; CPU iPhone OS 7_0 like Mac OS X; de-DE) WIRED/3.2.3.11.87970",
    "Opera/9.80 (MAUI Runtime; Opera Mini/4.4.39008/37.9178; U; en) Presto/2.12.423 Version/12.16",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 WhatsApp/24.1.78",
)
TOOLS = (
    CHROME.replace("Chrome", "Cypress/13.6.0 Chrome"),
    f"{CHROME} Prerender (+https://github.com/prerender/prerender)",
    "Elastic-Heartbeat/8.15.0 (linux; amd64; 5a2b; 2026-03-01 00:00:00 +0000 UTC)",
    f"{CHROME} Elastic/Synthetics",
    "Datadog/Synthetics",
    f"{CHROME} DatadogSynthetics",
    f"{CHROME} CloudWatchSynthetics/arn:aws:synthetics:eu-west-1:1:canary:shop",
    f"{CHROME} (SplunkSynthetics)",
    "k6/0.49.0 (https://k6.io/)",
    "kube-probe/1.31",
)
PROGRAMS = (
    "Deno/2.1.4",
    "Bun/1.1.38",
    "node",
    "node.js",
    "Node.js/20",
    "undici",
    "reqwest/0.12.9",
    "Dart/3.5 (dart:io)",
)


@pytest.mark.parametrize(
    ("user_agent", "reason"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "uap-core: Googlebot"),
        ("FeedBurner/1.0 (http://www.FeedBurner.com)", "crawler-user-agents: FeedBurner"),
        ("HEADLESSthing/1.0", "expression: headless"),
        ("python-requests/2.32", "crawler-user-agents: python-requests"),
        ("Jakarta Commons-HTTP Client/3.1", "expression: http client"),
    ],
)
def test_each_source_tells_its_robots(user_agent: str, reason: str) -> None:
    assert bot_reason(user_agent) == reason


@pytest.mark.parametrize("word", ["MyBot", "crawler", "SpIdEr", "HeadlessChrome/120"])
def test_the_words_of_robots_count_in_any_case(word: str) -> None:
    assert bot_reason(f"{CHROME} {word}") is not None


@pytest.mark.parametrize("user_agent", [*PEOPLE, "", "  ", None])
def test_a_person_is_no_robot(user_agent: str | None) -> None:
    assert bot_reason(user_agent) is None


@pytest.mark.parametrize("user_agent", TOOLS)
def test_what_tests_or_watches_pages_without_a_person_is_a_robot(user_agent: str) -> None:
    assert bot_reason(user_agent) is not None
    assert bot_reason(user_agent, "server") is not None


@pytest.mark.parametrize("user_agent", ["WhatsApp", "WhatsApp/2.23.20.0 A", "WhatsApp/2.11.62 Android/4.0.4 Device/B"])
def test_an_app_that_fetches_the_preview_of_a_link_is_a_robot(user_agent: str) -> None:
    assert bot_reason(user_agent) is not None


def test_a_phone_that_is_called_like_a_robot_is_a_phone() -> None:
    names = [robot.name for robot in _patterns().wordless if robot.name.isalpha()]
    phones = [phone for name in names for phone in (f"HTC {name} Pro", f"HTC View{name}-V3")]
    agents = [f"Mozilla/5.0 (Linux; Android 14; {phone} Build/UP1A) Mobile" for phone in phones]
    assert len(agents) > 500
    assert [agent for agent in agents if bot_reason(agent) is not None] == []


@pytest.mark.parametrize(
    "user_agent",
    ["okhttp/4.12.0", "python-httpx/0.28.1", "Go-http-client/2.0", "curl/8.5.0", *PROGRAMS],
)
def test_an_http_library_is_a_robot_on_the_web_only(user_agent: str) -> None:
    assert bot_reason(user_agent, "web") is not None
    assert bot_reason(user_agent, "server") is None
    assert bot_reason(user_agent, "android") is None


def test_a_robot_is_one_on_every_platform() -> None:
    assert bot_reason("Mozilla/5.0 (compatible; bingbot/2.0)", "server") is not None


def test_listed_robots_are_known_by_each_of_their_own_examples() -> None:
    examples = [example for entry in CRAWLER_USER_AGENTS_DATA for example in entry.get("instances", ())]
    assert len(examples) > 2_000
    assert [example for example in examples if bot_reason(example) is None] == []


@given(texts())
def test_any_text_gets_a_verdict(text: str) -> None:
    bot_reason(text)
