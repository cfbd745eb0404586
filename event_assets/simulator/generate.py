"""The traffic itself: everything that a number of people send within some hours, as a pure function of the seed.

Nothing is sent here and no clock is read; `send` does the one and reads the other.
"""

from __future__ import annotations

import datetime as dt
import heapq
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random
from typing import Any

from event_assets.simulator.anomalies import HIDDEN, Anomaly
from event_assets.simulator.catalogue import NEWSLETTER, Arrival
from event_assets.simulator.faults import FAULTS, Fate, encode
from event_assets.simulator.people import Device, Person, make_crawler, make_hidden_robot, make_person
from event_assets.simulator.places import PLACES
from event_assets.simulator.rates import FaultRates
from event_assets.simulator.seasons import intensity
from event_assets.simulator.seeds import seeded
from event_assets.simulator.stories import tell
from event_assets.simulator.visits import Draft, State, Visit, zone

_HOUR = 3600
_DAY = 86_400
_CRAWLERS = 5
"""Robots that a bot wave is made of."""


@dataclass(frozen=True, slots=True)
class TimedEvent:
    """One submission of one event. Two of the same `event_id` are copies of one event.

    `body` is the JSON line without `sent_at`, which belongs to the request: `line` puts it in. Times are epoch seconds
    by a true clock; the client's clock is ahead of it by `clock_error`. `fate` and `reason` are what must become of it
    after the ingest API (`quarantined`: acknowledged there, set aside when it is cleaned).
    """

    send_at: float
    occurred_at: float
    body: bytes
    event_id: str
    event: str
    anonymous_id: str | None
    user_id: str | None
    session_id: str | None
    page_view_id: str | None
    platform: str
    user_agent: str
    ip: str
    revenue: float | None = None
    refused: bool = False
    clock_error: float = 0.0
    says_sent_at: bool = True
    copy: int = 0
    fault: str | None = None
    fate: Fate = "clean"
    reason: str | None = None

    @property
    def install(self) -> str:
        """Whose queue it waits in: batches are made per install."""
        return self.anonymous_id or self.user_id or ""

    def line(self, sent_at: str) -> bytes:
        """The event as it goes out in a request that leaves at `sent_at` (RFC 3339, by the client's clock)."""
        if not self.says_sent_at:
            return self.body
        return b'%s,"sent_at":"%s"}' % (self.body[:-1], sent_at.encode())


def generate(
    seed: int,
    people: int,
    start: dt.datetime,
    hours: float = 1.0,
    faults: FaultRates | None = None,
    anomalies: tuple[Anomaly, ...] = (),
) -> Iterator[TimedEvent]:
    """Everything that `people` people send from `start` (aware) for so many hours, in the order of `send_at`.

    The same arguments give the same events. Visits that were made offline before `start` (`late_visit`, up to 10 days;
    `months_late_visit`) arrive within the hours; copies and slow deliveries may lie after their end. Memory holds about
    an hour of traffic.
    """
    rates = faults or FaultRates()
    world = _World(seed, rates, anomalies)
    begin = start.timestamp()
    waiting: list[tuple[float, int, TimedEvent]] = []
    count = 0
    for block_start, seconds in _blocks(begin, hours):
        for event in world.block(range(people), block_start, seconds):
            heapq.heappush(waiting, (event.send_at, count, event))
            count += 1
        while waiting and waiting[0][0] < block_start + seconds:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]


def people_for(
    events: int,
    seed: int,
    start: dt.datetime,
    hours: float,
    faults: FaultRates | None = None,
    anomalies: tuple[Anomaly, ...] = (),
) -> int:
    """How many people make about so many events that happen in that time: counted, since it depends on the hour."""
    world = _World(seed, faults or FaultRates(), anomalies)
    begin, end = start.timestamp(), start.timestamp() + hours * _HOUR
    made = people = 0
    while made < events:
        for block_start, seconds in _blocks(begin, hours):
            made += sum(
                event.occurred_at < end for event in world.block(range(people, people + 1), block_start, seconds)
            )
        people += 1
    return people


def _blocks(begin: float, hours: float) -> Iterator[tuple[float, float]]:
    """The time in stretches of at most an hour: where each begins, and its seconds."""
    for number in range(math.ceil(hours)):
        yield begin + number * _HOUR, min(1.0, hours - number) * _HOUR


class _World:
    """The people and what lasts from one hour to the next."""

    def __init__(self, seed: int, rates: FaultRates, anomalies: tuple[Anomaly, ...]) -> None:
        self._seed = seed
        self._rates = rates
        self._anomalies = anomalies
        self._crawlers = tuple(make_crawler(seed, number) for number in range(_CRAWLERS))
        self._people: dict[int, Person] = {}
        self._states: dict[int, State] = {}
        self._sequences: dict[str | None, int] = {}

    def block(self, people: Iterable[int], start: float, seconds: float) -> Iterator[TimedEvent]:
        """What these people do in one stretch of at most an hour, with a burst at one moment of it."""
        burst_at = start + seeded(self._seed, "burst", round(start * 1000)).uniform(0.2, 0.8) * seconds
        busy = _busy(start + seconds / 2)
        for number in people:
            person = self._person(number)
            rng = seeded(self._seed, "hour", number, round(start * 1000))
            human = person.persona.name not in ("robot", "billing")
            rate = person.persona.visits_per_day / _DAY * (busy[person.place.timezone] if human else 1.0)
            for begins in _beginnings(rng, rate, start, seconds):
                yield from self._visit(person, begins, rng)
            if human and rng.random() < rate * self._rates.burst * 60:
                yield from self._visit(person, burst_at + rng.uniform(0, min(60.0, 0.1 * seconds)), rng)
            for planted in self._anomalies:
                yield from self._more(planted, person, rate if human else 0.0, start, seconds)

    def _more(
        self, planted: Anomaly, person: Person, rate: float, start: float, seconds: float
    ) -> Iterator[TimedEvent]:
        """The visits of one stretch that are there only because of an anomaly, drawn apart from all others."""
        begins, ends = max(start, planted.begins), min(start + seconds, planted.ends)
        rng = seeded(self._seed, planted.kind, person.number, round(start * 1000))
        arrival = None
        if planted.kind == "channel_spike":
            extra, arrival = rate * planted.strength, NEWSLETTER
        elif planted.kind == "traffic_spike":
            extra = rate * (planted.strength - 1)
        elif planted.kind == "bot_wave":
            person, extra = rng.choice(self._crawlers), planted.strength / _DAY
        elif planted.kind in HIDDEN and has_hidden_robot(self._seed, planted, person.number):
            person = make_hidden_robot(self._seed, planted.kind, person.number)
            extra = person.persona.visits_per_day / _DAY
        else:
            return
        if begins < ends and extra > 0:
            for at in _beginnings(rng, extra, begins, ends - begins):
                yield from self._visit(person, at, rng, arrival)

    def _visit(
        self, person: Person, begins: float, rng: Random, arrival: Arrival | None = None
    ) -> Iterator[TimedEvent]:
        device = rng.choice(person.devices)
        state = self._state(person)
        late = _lateness(rng, self._rates) if device.model.platform != "server" else 0.0
        clock_error = _clock_error(self._seed, device, self._rates.clock_skew)
        visit = Visit(person, device, state, begins - late, rng, clock_error, self._anomalies, arrival)
        tell(visit)
        for draft in visit.drafts:
            if any(self._is_lost(draft, planted) for planted in self._anomalies):
                continue
            send_at = begins if late else draft.at + rng.uniform(0.05, 2)
            yield from self._deliver(draft, send_at, rng)

    def _is_lost(self, draft: Draft, planted: Anomaly) -> bool:
        """Whether an outage keeps it from being sent, drawn apart from all others."""
        if planted.kind != "web_outage" or not planted.holds(draft.at) or draft.event["platform"] != "web":
            return False
        return seeded(self._seed, planted.kind, draft.event["event_id"]).random() < planted.strength

    def _deliver(self, draft: Draft, send_at: float, rng: Random) -> Iterator[TimedEvent]:
        rates = self._rates
        if rng.random() < rates.out_of_order:
            send_at += rng.uniform(2, 90)
        event = self._timed(draft, send_at, rng)
        if event.fate != "rejected":
            if rng.random() < rates.missing_sent_at:
                event = replace(event, says_sent_at=False, fault=event.fault or "missing_sent_at")
            if rng.random() < rates.silent_loss:
                event = replace(event, fault="silent_loss")
        yield event
        if event.fate == "clean" and event.fault != "silent_loss":
            yield from self._copies(event, draft, rng)

    def _copies(self, event: TimedEvent, draft: Draft, rng: Random) -> Iterator[TimedEvent]:
        draw = rng.random()
        again = event.send_at + 10 ** rng.uniform(0, 5.4)
        if draw < self._rates.duplicate:
            says = event.says_sent_at and rng.random() > 0.03
            yield replace(event, send_at=again, copy=1, says_sent_at=says, fault="duplicate")
        elif draw < self._rates.duplicate + self._rates.conflict and event.fault is None:
            other = draft.event | {"properties": draft.event.get("properties", {}) | {"conflict": True}}
            yield replace(event, send_at=again, copy=1, body=encode(other), fault="conflict")

    def _timed(self, draft: Draft, send_at: float, rng: Random) -> TimedEvent:
        body: dict[str, Any] | bytes = draft.event
        name, fate, reason = None, "clean", None
        for fault in FAULTS:
            if rng.random() < getattr(self._rates, fault.name) and fault.befalls(draft.event):
                body, name, fate, reason = fault.change(draft.event, rng), fault.name, fault.fate, fault.reason
                break
        line = encode(body)
        known = body if isinstance(body, dict) else {}
        consent = draft.person.consent
        return TimedEvent(
            send_at=send_at,
            occurred_at=draft.at,
            body=line,
            event_id=draft.event["event_id"],
            event=known.get("event", draft.event["event"]),
            anonymous_id=draft.device.anonymous_id,
            user_id=draft.event.get("user_id"),
            session_id=draft.event.get("session_id"),
            page_view_id=draft.event.get("page_view_id"),
            platform=draft.event["platform"],
            user_agent=draft.device.model.user_agent,
            ip=draft.person.ip,
            revenue=draft.event["properties"]["revenue"] if draft.event["event"] == "purchase" else None,
            refused=consent is not None and not consent.analytics,
            clock_error=draft.clock_error,
            says_sent_at=line.endswith(b"}"),
            fault=name,
            fate=fate,  # type: ignore[arg-type]
            reason=reason,
        )

    def _person(self, number: int) -> Person:
        if number not in self._people:
            self._people[number] = make_person(self._seed, number)
        return self._people[number]

    def _state(self, person: Person) -> State:
        if person.number not in self._states:
            self._states[person.number] = State(person.member, self._sequences)
        return self._states[person.number]


def has_hidden_robot(seed: int, planted: Anomaly, number: int) -> bool:
    """Whether a robot of the kind is beside the person of that number (`make_hidden_robot`)."""
    return seeded(seed, "has", planted.kind, number).random() < planted.strength / 100


@lru_cache(maxsize=2)
def _busy(moment: float) -> dict[str, float]:
    """How much more than usual happens at that moment, by time zone."""
    zones = {place.timezone for place in PLACES}
    return {name: intensity(dt.datetime.fromtimestamp(moment, zone(name))) for name in zones}


def _clock_error(seed: int, device: Device, rate: float) -> float:
    """Seconds by which this install's clock is ahead: mostly none, else seconds to years either way."""
    rng = seeded(seed, "clock", str(device.anonymous_id))
    if device.anonymous_id is None or rng.random() >= rate:
        return 0.0
    return rng.choice((-1, 1)) * 10 ** rng.uniform(0.5, 7.8)


def _beginnings(rng: Random, rate: float, start: float, seconds: float) -> Iterator[float]:
    """The moments at which visits begin that come at `rate` per second."""
    at = start + rng.expovariate(rate)
    while at < start + seconds:
        yield at
        at += rng.expovariate(rate)


def _lateness(rng: Random, rates: FaultRates) -> float:
    """Seconds by which a visit is handed in late: mostly none, else minutes to 10 days, seldom months."""
    draw = rng.random()
    if draw < rates.late_visit:
        return 10 ** rng.uniform(2.5, 5.94)
    return rng.uniform(10, 180) * _DAY if draw < rates.late_visit + rates.months_late_visit else 0.0
