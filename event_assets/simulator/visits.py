"""What one visit is made of: a clock that moves on while pages, pings, screens and actions leave events behind.

Which pages somebody walks through is in `stories`; what goes wrong on the way to the collector is in `faults`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from event_assets.simulator.anomalies import Anomaly
from event_assets.simulator.catalogue import ARRIVALS, BROKEN_VERSION, BURST_ERROR, RELEASE_ERROR, WWW, Arrival
from event_assets.simulator.people import Device, Person
from event_assets.simulator.places import Place
from event_assets.simulator.seeds import pick, rfc3339, uuid4, uuid7

PING_SECONDS = 10
_SDKS = {
    "web": ("event-assets-web", "0.4.2"),
    "ios": ("event-assets-swift", "0.3.1"),
    "android": ("event-assets-kotlin", "0.3.0"),
    "desktop": ("event-assets-web", "0.4.0"),
    "server": ("event-assets-python", "0.1.0"),
}
COMPANIES = 25
"""Groups that every fourth person belongs to one of."""
_VERSIONS = {"web": "2026.11.3", "ios": "7.4.1", "android": "7.4.1", "desktop": "3.2.0", "server": "2.18.0"}


class Draft(NamedTuple):
    """One event as the client makes it.

    `at` is the true moment (epoch seconds) behind its `occurred_at`; the client's clock is ahead by `clock_error`.
    """

    at: float
    event: dict[str, Any]
    device: Device
    person: Person
    clock_error: float


@dataclass(slots=True)
class State:
    """What lasts between the visits of a person while one simulation runs; `sequences` is shared by all people."""

    member: bool
    sequences: dict[str | None, int]
    sites: list[str] = field(default_factory=list)
    subscription: tuple[str, str] | None = None
    identified: set[str | None] = field(default_factory=set)
    consent_asked: bool = False


class Visit:
    """One visit of one person on one device. Methods write events and move the clock on."""

    def __init__(
        self,
        person: Person,
        device: Device,
        state: State,
        start: float,
        rng: Random,
        clock_error: float = 0,
        anomalies: tuple[Anomaly, ...] = (),
        arrival: Arrival | None = None,
    ) -> None:
        self.person = person
        self.device = device
        self.state = state
        self.clock = start
        self.rng = rng
        self.drafts: list[Draft] = []
        self._clock_error = clock_error
        self._anomalies = anomalies
        self.session_id = f"s_{rng.getrandbits(64):016x}" if device.keeps_sessions else None
        self.arrival = arrival or pick(rng, ARRIVALS)
        self._page: dict[str, Any] | None = None
        self._page_view_id: str | None = None
        self._referrer = self.arrival.referrer
        self._offset = _utc_offset(person.place, start) if device.model.platform in ("ios", "android") else 0
        self._base = self._what_every_event_says()

    @property
    def place(self) -> Place:
        return self.person.place

    def befalls(self, kind: str) -> bool:
        """Whether an anomaly of that kind strikes at this moment; nothing is drawn while there is none."""
        return any(a.kind == kind and a.holds(self.clock) and self.rng.random() < a.strength for a in self._anomalies)

    def wait(self, low: float, high: float) -> None:
        """Let some seconds pass in which nothing is sent."""
        self.clock += self.rng.uniform(low, high)

    def land(self, path: str = "/", page_type: str = "home", seconds: float = 20) -> None:
        """The first page of the visit, with the campaign in its URL."""
        query = self.arrival.query.format(click=f"{self.rng.getrandbits(80):020x}")
        self.view(f"{WWW}{path}{'?' if query else ''}{query}", page_type, seconds)

    def view(self, url: str, page_type: str, seconds: float, **properties: Any) -> None:
        """A page view of about `seconds`, with a ping every ten seconds in which the page is in use."""
        model = self.device.model
        self._page = {"url": url}
        self._page_view_id = uuid4(self.rng)
        page = {"url": url, "title": f"{page_type.title()} · Plotto"}
        if self._referrer:
            page["referrer"] = self._referrer
        load = int(self.rng.lognormvariate(6.9, 0.5))
        vitals = {"page_type": page_type, "load_ms": load}
        if self.rng.random() < 0.4:
            vitals |= {"lcp_ms": round(load * self.rng.uniform(0.7, 1.6), 1), "cls": round(self.rng.expovariate(18), 4)}
        self._write(
            "page_view", vitals | properties, page=page, screen=_size(model.screen), viewport=_size(model.viewport)
        )
        if model.platform == "web" and self.person.persona.name != "robot" and self.befalls("broken_release"):
            self.act("app_error", RELEASE_ERROR, app={"id": "plotto-web", "version": BROKEN_VERSION})
        self._may_fail()
        self._dwell(seconds * self.rng.lognormvariate(-0.15, 0.6), int(model.viewport[1] * self.rng.uniform(1.5, 7)))
        self._referrer = url

    def screen(self, name: str, seconds: float, **properties: Any) -> None:
        """A screen of an app, looked at for about `seconds`."""
        self._page = self._page_view_id = None
        self._write("screen_view", properties, screen={"name": name, **_size(self.device.model.screen)})
        self._may_fail()
        self.clock += seconds * self.rng.lognormvariate(-0.15, 0.6)

    def _may_fail(self) -> None:
        if self.person.persona.name != "robot" and self.befalls("error_burst"):
            self.act("app_error", BURST_ERROR)

    def act(self, event: str, properties: dict[str, Any], version: int = 1, **fields: Any) -> None:
        """Something the person did on the page or screen they are on."""
        if version != 1:
            fields["schema_version"] = version
        self._write(event, properties, **fields)
        self.clock += self.rng.uniform(0.2, 3)

    def sign_in(self, method: str, **traits: Any) -> None:
        """From here on the events carry the user id; the first time on a device, `identify` says so."""
        self._base["user_id"] = self.person.user_id
        if self.device.anonymous_id in self.state.identified:
            return
        self.state.identified.add(self.device.anonymous_id)
        shown = {"locale": self.place.locale, "country": self.place.country, **traits}
        group = {"group_id": f"company-{self.person.number % COMPANIES}"} if self.person.number % 4 == 0 else {}
        self._write("identify", {"method": method}, traits=shown, traits_once={"first_method": method}, **group)
        self.clock += self.rng.uniform(0.1, 1)

    def sign_in_as(self, user_id: str) -> None:
        """From here on the events carry the id of somebody else, and `identify` says so."""
        self._base["user_id"] = user_id
        self._write("identify", {"method": "password"})

    def sign_out(self) -> None:
        """From here on the events carry no user id."""
        self._base.pop("user_id", None)

    def _dwell(self, seconds: float, height: int) -> None:
        viewport = self.device.model.viewport
        pings, rest = divmod(min(seconds, 1800), PING_SECONDS)
        started, depth = self.clock, 0.0
        for number in range(1, int(pings) + 1):
            depth = min(1.0, depth + self.rng.expovariate(6))
            if self.rng.random() < 0.12:
                continue
            self.clock = started + number * PING_SECONDS + self.rng.uniform(0, 0.05)
            self._write(
                "page_ping",
                {},
                page=self._page,
                scroll={"x_max": 0, "y_max": int(depth * max(0, height - viewport[1]))},
                viewport=_size(viewport),
                document={"width": viewport[0], "height": height},
            )
        self.clock = started + int(pings) * PING_SECONDS + rest

    def _write(self, event: str, properties: dict[str, Any], **fields: Any) -> None:
        install = self.device.anonymous_id
        sequence = self.state.sequences.get(install, 0)
        self.state.sequences[install] = sequence + 1
        device_clock = self.clock + self._clock_error
        body: dict[str, Any] = {"event_id": uuid7(self.rng, device_clock), "event": event, **self._base}
        if install is not None:
            body["sequence"] = sequence
        body["occurred_at"] = rfc3339(device_clock, self._offset)
        if self._page_view_id:
            body["page_view_id"] = self._page_view_id
        if self._page and "page" not in fields:
            body["page"] = self._page
        body.update(fields)
        if properties:
            body["properties"] = properties
        self.drafts.append(Draft(self.clock, body, self.device, self.person, self._clock_error))

    def _what_every_event_says(self) -> dict[str, Any]:
        model, name = self.device.model, self.device.model.platform
        base: dict[str, Any] = {"platform": name}
        if self.device.anonymous_id is None:
            base["user_id"] = self.person.user_id
        else:
            base["anonymous_id"] = self.device.anonymous_id
            if self.device.anonymous_id in self.state.identified:
                base["user_id"] = self.person.user_id
        if self.session_id:
            base["session_id"] = self.session_id
        base["app"] = {"id": f"plotto-{name}", "version": _VERSIONS[name]}
        if name != "server":
            base["device"] = {"locale": self.place.locale, "timezone": self.place.timezone}
        if name in ("ios", "android"):
            base["device"] |= {"model": model.name, "os": model.os, "os_version": model.os_version}
        if self.person.consent is not None:
            analytics, marketing, personalisation = self.person.consent[1:]
            base["consent"] = {"analytics": analytics, "marketing": marketing, "personalisation": personalisation}
        base["library"] = dict(zip(("name", "version"), _SDKS[name], strict=True))
        return base


def _size(size: tuple[int, int]) -> dict[str, int]:
    return {"width": size[0], "height": size[1]}


@cache
def zone(name: str) -> ZoneInfo:
    """The time zone of that name, kept."""
    return ZoneInfo(name)


def _utc_offset(place: Place, at: float) -> int:
    offset = dt.datetime.fromtimestamp(at, zone(place.timezone)).utcoffset()
    return int(offset.total_seconds() // 60) if offset else 0
