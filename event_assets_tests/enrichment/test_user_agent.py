"""Browser, system and kind of device."""

import pytest
from hypothesis import given

from event_assets.enrichment.user_agent import NO_USER_AGENT, parse_user_agent
from event_assets_tests.examples import texts

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{WINDOWS} Chrome/120.0.0.0 Safari/537.36", ("Chrome", "120", "Windows", "10", "desktop")),
        (f"{WINDOWS} Chrome/120.0.0.0 Safari/537.36 Edg/120.0.1", ("Edge", "120", "Windows", "10", "desktop")),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0",
            ("Firefox", "121", "Linux", None, "desktop"),
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 "
            "Safari/605.1.15",
            ("Safari", "17", "Mac OS X", "10", "desktop"),
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile "
            "Safari/537.36",
            ("Chrome Mobile", "120", "Android", "14", "mobile"),
        ),
        (
            "Mozilla/5.0 (Linux; Android 13; SM-X900) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 "
            "Safari/537.36",
            ("Chrome", "120", "Android", "13", "tablet"),
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 "
            "Mobile/15E148 Safari/604.1",
            ("Mobile Safari", "16", "iOS", "16", "tablet"),
        ),
        (
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            ("Googlebot", "2", None, None, "bot"),
        ),
        ("Mozilla/5.0 (compatible;AspiegelBot)", ("AspiegelBot", None, None, None, "bot")),
    ],
)
def test_a_user_agent_says_browser_system_and_device(text: str, expected: tuple[str, ...]) -> None:
    assert parse_user_agent(text)[:5] == expected


@pytest.mark.parametrize(
    ("text", "device_type"),
    [
        ("Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) AppleWebKit/538.1 (KHTML, like Gecko) TV Safari/538.1", "other"),
        ("Mozilla/5.0 (PlayStation 4 11.00) AppleWebKit/605.1.15 (KHTML, like Gecko)", "other"),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120 Safari/537.36",
            "desktop",
        ),
        ("Dalvik/2.1.0 (Linux; U; Android 13; SM-S911B Build/TP1A)", "mobile"),
        ("Shop/1.2 CFNetwork/1490.0.4 Darwin/23.2.0", "mobile"),
        ("Mozilla/5.0 (Android; Tablet; rv:27.0) Gecko/27.0 Firefox/27.0", "tablet"),
        (
            "Mozilla/5.0 (Linux; U; Android 4.2.2; en-us; Lemon Tab 7 Build/JDQ39) AppleWebKit/534 Mobile Safari/534",
            "tablet",
        ),
        ("Dalvik/2.1.0 (Linux; U; Android 13; Xiaomi Pad 6 Build/TKQ1)", "tablet"),
        ("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; .NET4.0C; Tablet PC 2.0)", "desktop"),
        ("something never seen", "other"),
    ],
)
def test_the_kind_of_device_is_told(text: str, device_type: str) -> None:
    assert parse_user_agent(text).device_type == device_type


@pytest.mark.parametrize(
    ("text", "device"),
    [
        ("Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15", ("iPad", "Apple", "iPad")),
        (
            "Mozilla/5.0 (Linux; Android 13; SM-X900 Build/TP1A) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36",
            ("Samsung SM-X900", "Samsung", "SM-X900"),
        ),
        ("Mozilla/5.0 (compatible; Googlebot/2.1)", ("Spider", "Spider", "Desktop")),
        ("something never seen", (None, None, None)),
    ],
)
def test_the_device_is_told_by_brand_and_model(text: str, device: tuple[str | None, ...]) -> None:
    found = parse_user_agent(text)
    assert (found.device, found.device_brand, found.device_model) == device


@pytest.mark.parametrize("text", [None, "", "   "])
def test_no_user_agent_says_nothing(text: str | None) -> None:
    assert parse_user_agent(text) is NO_USER_AGENT


def test_ten_kilobytes_are_read_as_far_as_real_ones_go() -> None:
    assert parse_user_agent(f"{WINDOWS} Chrome/120.0.0.0 Safari/537.36 " + "x" * 10_240).browser == "Chrome"
    assert parse_user_agent("(" * 10_240).browser is None


@given(texts())
def test_any_text_is_parsed(text: str) -> None:
    parse_user_agent(text)
