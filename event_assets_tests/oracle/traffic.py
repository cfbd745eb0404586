"""Messy events from a seed: devices and users, late ones, copies, clocks that err, robots, lines that are no events."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

OWN_HOST = "shop.example"
_MONDAY = dt.datetime(2024, 4, 1, tzinfo=dt.UTC)
_BEGIN = int(_MONDAY.timestamp() * 1000)
_SECOND, _MINUTE, _HOUR, _DAY = 1000, 60_000, 3_600_000, 86_400_000

LANDINGS: tuple[tuple[str, str | None], ...] = (
    ("", None),
    ("", None),
    ("?utm_source=google&utm_medium=cpc&utm_campaign=brand", None),
    ("?utm_source=google&utm_medium=cpc&utm_campaign=summer-shop", None),
    ("?utm_source=newsletter&utm_medium=email&utm_campaign=%E6%98%A5", "https://mail.example/"),
    ("?utm_source=partner&utm_medium=affiliate", None),
    ("?utm_source=odd&utm_medium=%zz", None),
    ("?gclid=abc123", None),
    ("", "https://www.google.com/search?q=red+shoes"),
    ("", "https://www.facebook.com/some/page"),
    ("", "https://blog.example/a-post"),
    ("", f"https://{OWN_HOST}/before"),
    ("", "https://chatgpt.com/"),
    ("", "-"),
    ("?utm_source=newsletter&utm_medium=email", "no URL"),
    ("?fbclid=IwAR1", "https://www.facebook.com/"),
    ("?fbclid=IwAR1", None),
)
"""Query and referrer of a first page."""

CAMPAIGNS = (
    None,
    None,
    None,
    {"source": "google", "medium": "cpc", "name": "spring"},
    {"source": "x", "medium": "email"},
)
"""What a client says itself."""
ONCE: dict[str, Any] = {"traits_once": {"came": "ad"}}

USER_AGENTS = {
    "windows": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 "
    "Safari/537.36",
    "iphone": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4 Mobile/15E148 Safari/604.1",
    "robot": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
}

ADDRESSES = (None, "81.2.69.142", "8.8.8.8", "2001:4860:4860::8888", "10.0.0.1", "no address")
BAD_LINES: tuple[dict[str, Any] | bytes, ...] = (
    b'{"event_id": "broken", ',
    b"[1, 2]",
    {"event_id": "x1", "event": "click", "platform": "web", "occurred_at": "2024-04-01T00:00:00Z"},
    {"event_id": "x2", "event": "click", "platform": "toaster", "anonymous_id": "a0.0"},
    {
        "event_id": "x3",
        "event": "click",
        "platform": "web",
        "anonymous_id": "a0.0",
        "received_at": "2024-04-01T00:00:00Z",
        "derived_at": "2024-04-02T00:00:00.001Z",
    },
)
"""No JSON, no object, no id, no platform, more than a day ahead of its receipt."""


class Device(NamedTuple):
    """What sends: its id, platform, user agent and whether its client keeps sessions."""

    anonymous_id: str | None
    platform: str
    agent: str | None
    keeps_sessions: bool


def messy_lines(seed: int, people: int = 14) -> list[dict[str, Any] | bytes]:
    """The lines of a file, in no order."""
    traffic = _Traffic(random.Random(seed))
    for number in range(people):
        traffic.person(number)
    traffic.shared_device()
    traffic.edges_of_sessions()
    traffic.server()
    lines: list[dict[str, Any] | bytes] = [*traffic.events, *traffic.copies(), *BAD_LINES]
    traffic.random.shuffle(lines)
    return lines


def _text(at: int, hours: int = 0) -> str:
    """RFC 3339 to the millisecond, by a clock that is so many hours off UTC."""
    zone = dt.timezone(dt.timedelta(hours=hours))
    return (_MONDAY + dt.timedelta(milliseconds=at - _BEGIN)).astimezone(zone).isoformat(timespec="milliseconds")


class _Traffic:
    def __init__(self, numbers: random.Random) -> None:
        self.random = numbers
        self.events: list[dict[str, Any]] = []

    def person(self, number: int) -> None:
        """One person's devices and visits over two months."""
        choose = self.random
        agents = ["robot"] if number % 7 == 6 else ["windows", "iphone", None]
        devices = [
            Device(f"a{number}.{n}", choose.choice(["web", "web", "ios"]), choose.choice(agents), choose.random() < 0.5)
            for n in range(choose.randint(1, 3))
        ]
        user = f"u{number}" if choose.random() < 0.7 else None
        for _ in range(choose.randint(1, 5)):
            at = _BEGIN + choose.randrange(60 * _DAY)
            self.visit(choose.choice(devices), at, user if choose.random() < 0.5 else None)
        if user and choose.random() < 0.3:
            self.add("alias", _BEGIN + choose.randrange(60 * _DAY), devices[-1], user_id=user)

    def visit(self, device: Device, at: int, user: str | None) -> None:
        """Pages with pings between them; perhaps the visitor signs in, perhaps they buy."""
        choose = self.random
        session = f"s{len(self.events)}" if device.keeps_sessions else None
        query, referrer = choose.choice(LANDINGS)
        said = choose.choice(CAMPAIGNS)
        url = f"https://{OWN_HOST}/{choose.choice(['', 'a', 'b'])}{query}"
        for number in range(choose.randint(1, 4)):
            view = f"v{len(self.events)}"
            page = {"session_id": session, "user_id": user if number else None, "page_view_id": view}
            is_lost = number == 0 and choose.random() < 0.15
            if not is_lost:
                for _ in range(choose.choice([1, 1, 1, 1, 2])):
                    shown = {"url": url, "referrer": referrer, "title": "T"}
                    self.add("page_view", at, device, **page, page=shown, campaign=None if number else said)
            at = self.pings(device, at, page, url)
            if choose.random() < 0.3:
                self.add("click", at + 50, device, session_id=session, user_id=user)
            url, referrer = f"https://{OWN_HOST}/p{number}", url
            at += choose.choice([3 * _SECOND, 90 * _SECOND, 20 * _MINUTE, 30 * _MINUTE, 30 * _MINUTE + 1, 45 * _MINUTE])
        if user and choose.random() < 0.8:
            self.add(
                "identify",
                at,
                device,
                session_id=session,
                user_id=user,
                traits={"plan": "free"},
                group_id=f"g-{user[-1]}",
                **ONCE,
            )
        if choose.random() < 0.4:
            sold = choose.choice([{"revenue": 12.5}, {"revenue": 7}, {"revenue": 0.1}, {"items": 2}])
            self.add("purchase", at + _SECOND, device, session_id=session, user_id=user, properties=sold)

    def pings(self, device: Device, at: int, page: dict[str, Any], url: str) -> int:
        """Heartbeats about every ten seconds; when the last of them was."""
        choose = self.random
        for _ in range(choose.choice([0, 0, 1, 3, 6])):
            at += choose.choice([9_990, 10_000, 10_007, 4_000])
            self.add(
                "page_ping",
                at,
                device,
                **page,
                page={"url": url},
                scroll={"y_max": choose.choice([-20, 0, 150, 333, 5_000])},
                viewport={"width": 900, "height": 600},
                document={"width": 900, "height": choose.choice([600, 1_999, 2_000])},
            )
        return at

    def shared_device(self) -> None:
        """Six people sign in on one device: it joins none of them. Of another five do."""
        for name, users in (("kiosk", 6), ("home", 5)):
            device = Device(name, "web", "windows", False)
            for number in range(users):
                at = _BEGIN + (number + 1) * _DAY + self.random.randrange(_HOUR)
                page = {"url": f"https://{OWN_HOST}/"}
                self.add("page_view", at, device, user_id=f"{name}-{number}", page_view_id=f"{name}{number}", page=page)
                self.add("identify", at + _SECOND, device, user_id=f"{name}-{number}")

    def edges_of_sessions(self) -> None:
        """Over midnight; 24 hours and more; 3 days and more; on two devices; of nothing that counts."""
        page = {"url": f"https://{OWN_HOST}/long"}
        tireless = Device("tireless", "web", "windows", False)
        for number in range(112):
            at = _BEGIN + 5 * _DAY + number * 14 * _MINUTE
            view = f"t{number}" if number % 20 == 0 else None
            self.add("page_view" if view else "click", at, tireless, page_view_id=view, page=page)
        first, second = Device("one", "web", "iphone", True), Device("two", "web", "windows", True)
        for number, days in enumerate((0, 1, 2.5, 3, 3.001, 4)):
            at = _BEGIN + 10 * _DAY + int(days * _DAY)
            self.add("page_view", at, first, session_id="endless", page_view_id=f"n{number}", page=page)
        for number, device in enumerate((second, first, second)):
            at = _BEGIN + 20 * _DAY + number * _HOUR
            self.add("page_view", at, device, session_id="moving", page_view_id=f"m{number // 2}", page=page)
        for number, session in enumerate(("earlier", "later")):
            at = _BEGIN + 25 * _DAY + number * _HOUR
            self.add("page_view", at, first, session_id=session, page_view_id="of two sessions", page=page)
        self.add("click", _BEGIN + 21 * _DAY, first, session_id="clicks only")
        self.add("screen_view", _BEGIN + 22 * _DAY, Device("app", "ios", None, False), screen={"name": "Home"})
        self.add("click", _BEGIN + 23 * _DAY, Device("desk", "desktop", None, False))
        self.app()
        self.add("purchase", _BEGIN + 15 * _DAY, first, session_id="endless", properties={"revenue": 1_000})
        self.views_of_a_kind(page)
        self.orders(first, second)

    def orders(self, first: Device, second: Device) -> None:
        """Orders that are told of again: at once, days later, before, by a robot, by a server; words that mean none."""
        robot, server = Device("crawler", "web", "robot", False), Device(None, "server", None, False)
        tellings = (
            ("one", 0, first),
            ("one", _MINUTE, first),
            (" one ", 3 * _DAY, second),
            (2, 5 * _DAY, second),
            ("2", -4 * _DAY, first),
            ("three", -_DAY, robot),
            ("three", _DAY, second),
            ("four", 9 * _DAY, robot),
            ("five", 6 * _DAY, first),
            ("five", 6 * _DAY + 2 * _HOUR, server),
            ("null", _HOUR, second),
            ("null", 2 * _HOUR, second),
            ("", 3 * _HOUR, second),
        )
        for number, (order, after, device) in enumerate(tellings):
            sold = {"order_id": order, "revenue": 10.1 + number}
            user = None if device.anonymous_id else "u1"
            self.add("purchase", _BEGIN + 40 * _DAY + after, device, user_id=user, properties=sold)

    def app(self) -> None:
        """Screens before, after and without pages, some with the page's id that they were shown on; people who only
        ever did something, and one who paid in an app."""
        phone, hybrid = Device("phone", "android", None, False), Device("hybrid", "ios", "iphone", True)
        for number in range(8):
            at = _BEGIN + 27 * _DAY + number * 2 * _MINUTE
            self.add("screen_view", at, phone, screen={"name": f"S{number % 3}"})
        page = {"url": f"https://{OWN_HOST}/in-app?utm_source=newsletter&utm_medium=email"}
        for number, name in enumerate(("screen_view", "page_view", "screen_view", "page_ping", "click")):
            at = _BEGIN + 28 * _DAY + number * 10 * _SECOND
            shown = {"page_view_id": "in-app", "page": page if name == "page_view" else None}
            self.add(name, at, hybrid, session_id="hybrid", screen={"name": "Web"}, **shown)
        for number in range(4):
            doer, at = Device(f"doer{number}", "web", "windows", number % 2 == 0), _BEGIN + (29 + number) * _DAY
            session = f"doing{number}" if doer.keeps_sessions else None
            self.add("click", at, doer, session_id=session)
            if number < 2:
                self.add("purchase", at + _MINUTE, doer, session_id=session, properties={"revenue": 9.99})

    def views_of_a_kind(self, page: dict[str, Any]) -> None:
        """Views and pings without an id, pings of a view of another session, all at one instant, of nobody's device."""
        plain, at = Device("plain", "web", "windows", True), _BEGIN + 26 * _DAY
        self.add("page_view", at, plain, page=page)
        self.add("page_ping", at + 10 * _SECOND, plain, page=page)
        self.add("page_view", at + _HOUR, plain, session_id="of the view", page_view_id="pinged", page=page)
        for number in range(4):
            session = "of the view" if number % 2 else "of the pings"
            when = at + _HOUR + number * 10 * _SECOND
            self.add("page_ping", when, plain, session_id=session, page_view_id="pinged", page=page)
        for number in range(3):
            self.add("page_view", at + 5 * _HOUR, plain, session_id="at once", page_view_id=f"o{number}", page=page)
        nobody = Device(None, "web", "iphone", False)
        for number in range(3):
            self.add(
                "page_view", at + number * _MINUTE, nobody, user_id="no device", page_view_id=f"d{number}", page=page
            )
        self.add("purchase", at, nobody, user_id="no device", properties={"revenue": -3.5})

    def server(self) -> None:
        """A user who is only known to a server, and orders that it reports of people that are known."""
        server = Device(None, "server", None, False)
        for number in range(5):
            at = _BEGIN + (7 + 9 * number) * _DAY + number
            self.add("purchase", at, server, user_id=f"u{number % 3}", properties={"revenue": 100 + number})
        self.add("click", _BEGIN + _DAY, server, user_id="machine")

    def copies(self) -> Iterator[dict[str, Any]]:
        """Some events again: received later or earlier than the first, and some of them say something else."""
        for event in self.random.sample(self.events, len(self.events) // 12):
            received = dt.datetime.fromisoformat(event["received_at"])
            copy = {**event, "derived_at": event.get("derived_at") or event["received_at"]}
            later = dt.timedelta(milliseconds=self.random.choice([-40 * _DAY, -1, 1, _HOUR, 3 * _DAY]))
            copy["received_at"] = (received + later).isoformat(timespec="milliseconds")
            if dt.datetime.fromisoformat(copy["derived_at"]) - (received + later) > dt.timedelta(hours=24):
                copy["derived_at"] = copy["received_at"]
            if self.random.random() < 0.4:
                copy["properties"] = {"revenue": 999}
            yield copy

    def add(self, name: str, at: int, device: Device, **fields: Any) -> None:
        """An event that happened at `at`, by one of the ways in which its time can be told."""
        event: dict[str, Any] = {
            "event_id": f"e{self.random.randrange(10**9):09}.{len(self.events)}",
            "event": name,
            "anonymous_id": device.anonymous_id,
            "platform": device.platform,
            "device": {"user_agent": USER_AGENTS[device.agent]} if device.agent else None,
            "ip": self.random.choice(
                [None, "81.2.69.142", "8.8.8.8", "2001:4860:4860::8888", "10.0.0.1", "no address"]
            ),
            **self._times(at),
            **fields,
        }
        self.events.append({key: value for key, value in event.items() if value is not None})

    def _times(self, at: int) -> dict[str, str]:
        choose = self.random
        error = choose.choice([0, 0, 0, 5 * _SECOND, -3 * _DAY, 400 * _DAY])
        waits = choose.choice([40, 40, 900, 2 * _HOUR, 20 * _DAY]) + choose.randrange(40)
        zone = choose.choice([0, 0, -5, 9])
        received = _text(at + waits)
        way = choose.random()
        if way < 0.3:
            return {"occurred_at": _text(at + error, zone), "received_at": received, "derived_at": _text(at, zone)}
        if way < 0.9:
            sent = _text(at + error + waits, zone)
            return {"occurred_at": _text(at + error, zone), "sent_at": sent, "received_at": received}
        if way < 0.95:
            return {"occurred_at": _text(at), "sent_at": _text(at - 1), "received_at": _text(at)}
        return {"occurred_at": _text(at + error), "received_at": _text(at)}
