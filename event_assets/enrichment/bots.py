"""Whether a user agent is a robot's, and what tells. Robots are flagged, never dropped.

Three sources are asked: uap-core's Spider family, the crawler-user-agents patterns, each as words of its own (Sonic is
not ViewSonic), and an expression for those that neither knows (ours, 2026-11). What a client says of itself is added in
`enrich`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from crawleruseragents import CRAWLER_USER_AGENTS_DATA  # type: ignore[import-untyped]

from event_assets.enrichment.user_agent import LONGEST, UserAgent, parse_user_agent

_ROBOT = re.compile(
    r"(?:(?<!cu)bot(?!swana)s?(?!(?-i:[a-z]))|spider|crawl|slurp|headless|phantomjs"
    r"|\bcypress/|\bprerender\b|\belastic-heartbeat\b|synthetics?(?!(?-i:[a-z]))"
    r"|\bapache jmeter\b|\bk6/|^(?:elb-healthchecker|kube-probe|googlehc)/)",
    re.IGNORECASE,
)
"""What robots call themselves, and what tests and watches pages by a browser without a person."""
_PROGRAM = re.compile(
    r"http[-_ ]?client|python-(?:requests|urllib|httpx)|^python|aiohttp|okhttp|go-http|libwww|libcurl|^curl|^wget"
    r"|^java/|\baxios|node-fetch|\bundici\b|guzzle|libfetch|feedparser|restsharp|^ruby|\bfaraday|\bpostman|\binsomnia"
    r"|^(?:deno|bun|dart|reqwest|ureq|hyper|pycurl)/|^node(?:\.js)?(?:/|$)|^powershell/|\bwindowspowershell/",
    re.IGNORECASE,
)
_PHONE = re.compile(r"[A-Z0-9]{4}\\?\.\d{6}\\?\.\d{3}")
"""The number of an Android build, which every phone with that build names in its user agents."""
_PREVIEWS = "WhatsApp"
"""An app that fetches a preview of each link that is sent, and begins its user agent so. A browser that the app opens
begins like any browser, and is a person's."""
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
    named = parsed.device_brand is not None
    robot = _listed(text, _patterns().robots if word else _patterns().wordless, named) or _expression(word)
    if robot is not None:
        return BotVerdict(robot)
    return BotVerdict(None, _listed(text, _patterns().programs, named) or _expression(program))


def _expression(match: re.Match[str] | None) -> str | None:
    return f"expression: {match.group().lower()}" if match else None


class _Pattern(NamedTuple):
    """An entry of the list. `literal` is in every text that it finds: a search for it is cheap, and hardly ever finds
    anything, so that few entries' expressions are ever made."""

    literal: str
    name: str
    examples: tuple[str, ...]


class _Patterns(NamedTuple):
    """`wordless` are the robots without a robot's word in their name: all that is left to ask of most people."""

    robots: tuple[_Pattern, ...]
    wordless: tuple[_Pattern, ...]
    programs: tuple[_Pattern, ...]


class _Expressions(NamedTuple):
    """`as_shown` finds a robot only where the text goes on as in an example of the list, or with a version: on a device
    of a known brand, because phones are called Butterfly and Sonic too."""

    anywhere: re.Pattern[str]
    as_shown: re.Pattern[str]


def _listed(text: str, patterns: tuple[_Pattern, ...], on_named_device: bool) -> str | None:
    for pattern in patterns:
        if pattern.literal in text:
            found = _expressions(pattern)
            if (found.as_shown if on_named_device else found.anywhere).search(text):
                return f"crawler-user-agents: {pattern.name if _SPECIAL.search(pattern.name) else _plain(pattern.name)}"
    return None


@cache
def _patterns() -> _Patterns:
    robots: list[_Pattern] = []
    programs: list[_Pattern] = []
    for entry in CRAWLER_USER_AGENTS_DATA:
        name, examples = entry["pattern"], tuple(entry.get("instances", ()))
        # A build of phones that the list names for a robot's: only its examples are robots.
        literals = examples if _PHONE.fullmatch(name) else ("" if _SPECIAL.search(name) else _plain(name),)
        target = programs if "http-library" in entry.get("tags", ()) else robots
        target.extend(_Pattern(literal, name, examples) for literal in literals)
    wordless = tuple(robot for robot in robots if not _ROBOT.search(robot.literal))
    return _Patterns(tuple(robots), wordless, tuple(programs))


def _plain(name: str) -> str:
    return re.sub(r"\\(.)", r"\1", name.removeprefix("^").removesuffix("$"))


@cache
def _expressions(pattern: _Pattern) -> _Expressions:
    literal, name, examples = pattern
    if literal in examples and _PHONE.fullmatch(name):
        return _alike(re.escape(literal))
    if name == _PREVIEWS:
        return _alike(f"^{name}")
    if literal and name[0] != "^" and name[-1] != "$":
        return _words(literal, examples)
    bounded = rf"(?<!\w)(?:{name})"
    return _alike(bounded if all(re.search(bounded, example) for example in examples) else name)


def _alike(expression: str) -> _Expressions:
    return _Expressions(re.compile(expression), re.compile(expression))


def _words(text: str, examples: tuple[str, ...]) -> _Expressions:
    """Nearly all patterns are plain text. It counts as words of its own, or within the longer words of the examples."""
    before = r"\w*" if _is_word(text[0]) else ""
    after = r"(?:[A-Za-z_]\w*)?" if _is_word(text[-1]) else ""
    longer = re.compile(f"{before}{re.escape(text)}{after}")
    follows = {text: {"/"}}
    for example in examples:
        for found in longer.finditer(example):
            follows.setdefault(found.group(), set()).add(_follow(example[found.end() :]))
    anywhere = "|".join(map(_bounded, follows))
    shown = "|".join(f"{_bounded(word)}(?:{'|'.join(sorted(rest))})" for word, rest in follows.items())
    return _Expressions(re.compile(anywhere), re.compile(shown if _is_word(text[-1]) else anywhere))


def _bounded(word: str) -> str:
    """A number may follow a word: `Nutch2` is a Nutch."""
    before = r"(?<!\w)" if _is_word(word[0]) else ""
    after = "(?![A-Za-z_])" if _is_word(word[-1]) else ""
    return f"{before}{re.escape(word)}{after}"


def _follow(rest: str) -> str:
    """How an example goes on behind a word: what stands between, and the next word; of numbers any."""
    between, word = re.match(r"(\W*)(\w*)", rest).groups()  # type: ignore[union-attr]
    return re.escape(between) + (r"\d" if word[:1].isdigit() else re.escape(word) or r"\Z")


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
