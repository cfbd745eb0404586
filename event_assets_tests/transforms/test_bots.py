"""Robots are told by what they say of themselves, and people are not taken for robots."""

import pytest
from crawleruseragents import CRAWLER_USER_AGENTS_DATA  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from event_assets.transforms.bots import bot_reason

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)
CUBOT = "Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20) AppleWebKit/537.36 Chrome/96.0.4664.45 Mobile Safari/537.36"


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


@pytest.mark.parametrize("user_agent", [CHROME, CUBOT, "", "  ", None])
def test_a_person_is_no_robot(user_agent: str | None) -> None:
    assert bot_reason(user_agent) is None


@pytest.mark.parametrize("user_agent", ["okhttp/4.12.0", "python-httpx/0.28.1", "Go-http-client/2.0", "curl/8.5.0"])
def test_an_http_library_is_a_robot_on_the_web_only(user_agent: str) -> None:
    assert bot_reason(user_agent, "web") is not None
    assert bot_reason(user_agent, "server") is None
    assert bot_reason(user_agent, "android") is None


def test_a_robot_is_one_on_every_platform() -> None:
    assert bot_reason("Mozilla/5.0 (compatible; bingbot/2.0)", "server") is not None


@pytest.mark.parametrize(
    "user_agent", [e["instances"][0] for e in CRAWLER_USER_AGENTS_DATA if e.get("instances")][::20]
)
def test_listed_robots_are_known_by_their_own_examples(user_agent: str) -> None:
    assert bot_reason(user_agent) is not None


@given(st.text())
def test_any_text_gets_a_verdict(text: str) -> None:
    bot_reason(text)
