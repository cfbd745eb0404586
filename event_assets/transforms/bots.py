"""Whether a user agent is a robot's, and what tells. Robots are flagged, never dropped.

Three sources are asked: uap-core's Spider family, the crawler-user-agents patterns, and an expression for those that
neither knows. What a client says of itself is added in `enrich`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from crawleruseragents import CRAWLER_USER_AGENTS_DATA  # type: ignore[import-untyped]

from event_assets.transforms.user_agent import LONGEST, UserAgent, parse_user_agent

_ROBOT = re.compile(r"(?<!cu)bot(?!swana)|spider|crawl|slurp|headless|phantomjs", re.IGNORECASE)
_PROGRAM = re.compile(
    r"http[-_ ]?client|python-(?:requests|urllib|httpx)|^python|aiohttp|okhttp|go-http|libwww|libcurl|^curl|^wget"
    r"|^java/|axios|node-fetch|undici|guzzle|libfetch|feedparser|restsharp|^ruby|faraday|postman|insomnia",
    re.IGNORECASE,
)
_PHONE = re.compile(r"[A-Z0-9]{4}\\?\.\d{6}\\?\.\d{3}")
"""The number of an Android build, which every phone with that build names in its user agents."""
_SPECIAL = re.compile(r"(?<!\\)[\[\](){}|?*+.]")


class BotVerdict(NamedTuple):
    """What tells that a user agent is a robot's; None where nothing does.

    `program` is the reason where all that is known is that a program's HTTP library sent it: on the web that is a
    robot, from a mobile app or a server it is how events travel.
    """

    robot: str | None = None
    program: str | None = None


NO_BOT = BotVerdict()


def bot_reason(user_agent: str | None, platform: str = "web") -> str | None:
    """What tells that a user agent is a robot's, as `source: what matched`; None for a person's.

    >>> bot_reason("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")
    'uap-core: Googlebot'
    >>> bot_reason("okhttp/4.12.0"), bot_reason("okhttp/4.12.0", platform="android")
    ('crawler-user-agents: okhttp', None)
    """
    verdict = bot_verdict(user_agent, parse_user_agent(user_agent))
    return verdict.robot or (verdict.program if platform == "web" else None)


def bot_verdict(user_agent: str | None, parsed: UserAgent) -> BotVerdict:
    """The same for a user agent that is parsed already, whatever the platform."""
    if not user_agent or user_agent.isspace():
        return NO_BOT
    text = user_agent[:LONGEST]
    program = _PROGRAM.search(text)
    if parsed.is_spider and not program:
        return BotVerdict(f"uap-core: {parsed.browser or 'Spider'}")
    word = _ROBOT.search(text)
    robot = _listed(text, _patterns().robots if word else _patterns().wordless) or _expression(word)
    if robot is not None:
        return BotVerdict(robot)
    return BotVerdict(None, _listed(text, _patterns().programs) or _expression(program))


def _expression(match: re.Match[str] | None) -> str | None:
    return f"expression: {match.group().lower()}" if match else None


class _Pattern(NamedTuple):
    literal: str
    regex: re.Pattern[str] | None
    name: str


class _Patterns(NamedTuple):
    """`wordless` are the robots without a robot's word in their name: all that is left to ask of most people."""

    robots: tuple[_Pattern, ...]
    wordless: tuple[_Pattern, ...]
    programs: tuple[_Pattern, ...]


def _listed(text: str, patterns: tuple[_Pattern, ...]) -> str | None:
    for literal, regex, name in patterns:
        if literal in text and (regex is None or regex.search(text)):
            return f"crawler-user-agents: {name}"
    return None


@cache
def _patterns() -> _Patterns:
    robots: list[_Pattern] = []
    programs: list[_Pattern] = []
    for entry in CRAWLER_USER_AGENTS_DATA:
        target = programs if "http-library" in entry.get("tags", ()) else robots
        target.extend(_of_entry(entry["pattern"], entry.get("instances", ())))
    wordless = tuple(robot for robot in robots if not _ROBOT.search(robot.literal))
    return _Patterns(tuple(robots), wordless, tuple(programs))


def _of_entry(pattern: str, examples: Iterable[str]) -> Iterator[_Pattern]:
    """What an entry of the list tells; of a build of phones that the list names for a robot's only its examples."""
    if _PHONE.fullmatch(pattern):
        yield from (_Pattern(example, None, pattern) for example in examples)
    else:
        yield _pattern(pattern)


def _pattern(pattern: str) -> _Pattern:
    """Nearly all patterns are plain text, and a search for text costs a fiftieth of one for an expression."""
    if _SPECIAL.search(pattern):
        return _Pattern("", re.compile(pattern), pattern)
    plain = re.sub(r"\\(.)", r"\1", pattern.removeprefix("^").removesuffix("$"))
    anchored = pattern.startswith("^") or pattern.endswith("$")
    return _Pattern(plain, re.compile(pattern) if anchored else None, plain)
