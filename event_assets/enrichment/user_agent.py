"""Browser, operating system and kind of device from a user agent. Whether it is a robot's is asked in `bots` too.

Names and versions are uap-core's, through the ua-parser package; the kind of device is told here.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Literal, NamedTuple

from ua_parser import Parser
from ua_parser.core import Result
from ua_parser.loaders import load_builtins
from ua_parser.regex import Resolver

DeviceType = Literal["desktop", "mobile", "tablet", "bot", "other"]

LONGEST = 2_048
"""Characters of a user agent that are read. Real ones are far shorter; what is longer is an attack on the parser."""

_UNNAMED = "Other"
"""What uap-core calls a system that it knows to have no name, such as a crawler's."""

_SCREEN = re.compile(
    r"smart-?tv|smarttv|apple ?tv|google ?tv|hbbtv|\btv\b|roku|aft[a-z]{1,4}\b|bravia|web0s|crkey|tizen.*\btv\b"
    r"|playstation|xbox|nintendo|steamdeck|watch ?os|apple ?watch|tesla|oculus|quest \d"
)
_TABLET = re.compile(
    r"ipad|tablet(?! pc)|\btab\b|\bpad\b|(?:media|view|match)pad|playbook|kindle|\bkf[a-z]{2,5}\b|nexus (7|9|10)\b"
    r"|\bsm-[tpx]\d|\bgt-p\d|xoom|\bsilk/(?!.*mobile)"
)
_MOBILE = re.compile(
    r"mobi|iphone|ipod|android|windows phone|iemobile|blackberry|\bbb10|opera mini|symbian|symbos|series ?60|midp|kaios"
    r"|hpwos|webos|maemo|meego|j2me|brew|palm|dalvik"
)
_DESKTOP = (
    "Windows",
    "Mac OS X",
    "macOS",
    "Linux",
    "Ubuntu",
    "Debian",
    "Fedora",
    "Red Hat",
    "CentOS",
    "Gentoo",
    "Arch Linux",
    "SUSE",
    "openSUSE",
    "Mandriva",
    "Slackware",
    "Chrome OS",
    "FreeBSD",
    "OpenBSD",
    "NetBSD",
    "Solaris",
)


class UserAgent(NamedTuple):
    """What a user agent says. Versions are major ones. `is_spider`: uap-core knows it as a robot.

    `device` is what uap-core calls the device (`iPhone`, `Samsung SM-X900`), with its brand and model.
    """

    browser: str | None = None
    browser_version: str | None = None
    os: str | None = None
    os_version: str | None = None
    device_type: DeviceType | None = None
    is_spider: bool = False
    device: str | None = None
    device_brand: str | None = None
    device_model: str | None = None


NO_USER_AGENT = UserAgent()


def parse_user_agent(text: str | None) -> UserAgent:
    """Browser, system and kind of device; None where uap-core knows no name.

    >>> found = parse_user_agent(
    ...     "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    ...     "Version/17.4 Mobile/15E148 Safari/604.1"
    ... )
    >>> found[:5], found.device
    (('Mobile Safari', '17', 'iOS', '17', 'mobile'), 'iPhone')
    """
    if not text or text.isspace():
        return NO_USER_AGENT
    text = text[:LONGEST]
    found = _parser().parse(text)
    device = found.device
    spider = device is not None and device.family == "Spider"
    system = found.os if found.os and found.os.family != _UNNAMED else None
    return UserAgent(
        found.user_agent.family if found.user_agent else None,
        found.user_agent.major if found.user_agent else None,
        system.family if system else None,
        system.major if system else None,
        "bot" if spider else _device_type(text.lower(), found),
        spider,
        device.family if device else None,
        device.brand if device else None,
        device.model if device else None,
    )


def _device_type(text: str, found: Result) -> DeviceType:
    system = found.os.family if found.os else ""
    if _SCREEN.search(text):
        return "other"
    if _TABLET.search(text):
        return "tablet"
    if system == "Android" and "mobile" not in text and "dalvik" not in text and "mozilla" in text:
        return "tablet"
    if _MOBILE.search(text) or system in ("iOS", "Android"):
        return "mobile"
    return "desktop" if system.startswith(_DESKTOP) else "other"


@cache
def _parser() -> Parser:
    """One parser a process: making it costs a third of a second."""
    return Parser(Resolver(load_builtins()))
