"""A history of clean events, of people of whom there are the more, the more there is, and micro-batches of the same
people. How it is brought along is the platform's own steps'."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.replicated import copy_of, replicate
from event_assets.contract.tables.events import CLEAN_EVENTS
from event_assets.lake.files import LakeFile
from event_assets.pipeline.domains import Pace
from event_assets.pipeline.registry import STEPS, refresh_all
from event_assets_tests.pipeline.pipeline import Pipeline

PACES: tuple[Pace, ...] = ("seconds", "minute", "minutes")
_PER_SESSION = 8
_EVENTS_PER_PERSON = 40
_VISITORS_PER_USER = 4
_SESSIONS_PER_PURCHASE = 10
_SESSIONS_PER_SEARCH = 3
"""One in so many visitors signs in, and one in so many sessions buys, or comes from a search engine."""


class History:
    """Days of clean events: sessions of people of whom there are the more, the more history there is."""

    def __init__(self, random_ids: bool) -> None:
        self.random_ids = random_ids
        self.events = 0
        self.times = 1
        self._rng = np.random.default_rng(7)
        self._began = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)

    @property
    def people(self) -> int:
        """How many visitors there were before all were copied."""
        return max(1, self.events // self.times // _EVENTS_PER_PERSON)

    def add(self, pipeline: Pipeline, events: int, days: int) -> None:
        """Writes as many events more, spread over the days before today, and brings every table along."""
        table, files = pipeline.lake.table(CLEAN_EVENTS.name), list[LakeFile]()
        name = uuid.uuid4().hex
        per_hour = events // (days * 24)
        self.events += per_hour * days * 24
        for number in range(days * 24):
            hour = self._began - dt.timedelta(hours=number + 1)
            partition = {"arrival_date": str(hour.date()), "arrival_hour": str(hour.hour)}
            files.append(table.stage_arrow(self._hour(hour, per_hour), name, partition))
        base = table.snapshot()
        table.commit(base, base.progress, add=files)
        refresh_all(pipeline.refresh(), [step for step in STEPS if step.pace in PACES and step.name != "raw_events"])

    def multiply(self, pipeline: Pipeline, times: int) -> None:
        """Copies all that there is."""
        replicate(pipeline.lake, pipeline.spark, times)
        self.events, self.times = self.events * times, times

    def _hour(self, hour: dt.datetime, events: int) -> pa.Table:
        number = np.arange(events)
        session, place = number // _PER_SESSION, number % _PER_SESSION
        people = self._rng.integers(0, self.people, session[-1] + 1)
        micros = (hour.timestamp() + session * (3_500 / (session[-1] + 1)) + place * 10) * 1_000_000
        times = pa.array(micros.astype(np.int64)).cast(pa.timestamp("us", tz="UTC"))
        texts = [uuid.uuid4().hex[:12] for _ in range(session[-1] + 1)]
        users, buys = people[session] % _VISITORS_PER_USER == 0, session % _SESSIONS_PER_PURCHASE == 0
        signs_in, buys = users & (place == 1), buys & (place == _PER_SESSION - 1)
        names = np.where(signs_in, "identify", np.where(buys, "purchase", _name_at(place)))
        comes = (place == 0) & (session % _SESSIONS_PER_SEARCH == 0)
        known: dict[str, pa.Array] = {
            "event_date": pa.array([hour.date()] * events),
            "arrival_date": pa.array([hour.date()] * events),
            "arrival_hour": pa.array(np.full(events, hour.hour, np.int32)),
            "line": pa.array(number.astype(np.int32)),
            "stream": pa.array(["history"] * events),
            "shard_id": pa.array([texts[0]] * events),
            "sequence_number": pa.array(["0"] * events),
            "event_id": pa.array([_event_id(self.random_ids, micro, self._rng) for micro in micros.tolist()]),
            "event": pa.array(names),
            "schema_version": pa.array(np.ones(events, np.int32)),
            "anonymous_id": pa.array([f"person-{people[s]}" for s in session]),
            "user_id": pa.array(
                [f"user-{people[s]}" if u else None for s, u in zip(session, users & (place > 0), strict=True)]
            ),
            "session_id": pa.array([f"s-{texts[s]}" for s in session]),
            "page_view_id": pa.array([f"p-{texts[s]}-{p // 4}" for s, p in zip(session, place, strict=True)]),
            **dict.fromkeys(("occurred_at", "sent_at", "received_at", "derived_at", "arrived_at"), times),
            "platform": pa.array(["web"] * events),
            "properties": pa.array(
                [json.dumps(_bought(texts[s])) if b else "{}" for s, b in zip(session, buys, strict=True)]
            ),
            "traits": pa.array(
                [json.dumps(_traits(int(people[s]))) if i else None for s, i in zip(session, signs_in, strict=True)]
            ),
            "consent_marketing": pa.array([True if i else None for i in signs_in], pa.bool_()),
            "page_url": pa.array([f"https://shop.example/{n % 50}" for n in number]),
            "page_referrer": pa.array([_SEARCH if c else None for c in comes], pa.string()),
        }
        schema = CLEAN_EVENTS.arrow_schema()
        return pa.table([known.get(f.name, pa.nulls(events, f.type)).cast(f.type) for f in schema], schema=schema)

    def lines(self, events: int) -> Iterator[bytes]:
        """A micro-batch of now: sessions that begin, of people who were there before, whenever that was."""
        now = dt.datetime.now(dt.UTC)
        for number in range(events):
            place = number % _PER_SESSION
            if place == 0:
                person, copy = (int(self._rng.integers(0, most)) for most in (self.people, self.times))
                session = uuid.uuid4().hex[:12]
            at = now - dt.timedelta(seconds=60 - place)
            yield json.dumps(self._line(number // _PER_SESSION, place, person, copy, session, at)).encode()

    def _line(self, number: int, place: int, person: int, copy: int, session: str, at: dt.datetime) -> dict[str, Any]:
        text = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told: dict[str, Any] = {
            "event_id": _event_id(self.random_ids, at.timestamp() * 1_000_000, self._rng),
            "event": str(_name_at(place)),
            "anonymous_id": copy_of(f"person-{person}", copy),
            "session_id": f"s-{session}",
            "page_view_id": f"p-{session}-{place // 4}",
            **dict.fromkeys(("occurred_at", "sent_at", "received_at"), text),
            "platform": "web",
            "page": {"url": f"https://shop.example/{(number + place) % 50}"},
            "properties": {},
        }
        if person % _VISITORS_PER_USER == 0 and place:
            told["user_id"] = copy_of(f"user-{person}", copy)
            if place == 1:
                told |= {"event": "identify", "traits": _traits(person), "consent": {"marketing": True}}
        if number % _SESSIONS_PER_PURCHASE == 0 and place == _PER_SESSION - 1:
            told |= {"event": "purchase", "properties": _bought(session)}
        if number % _SESSIONS_PER_SEARCH == 0 and place == 0:
            told["page"]["referrer"] = _SEARCH
        return told


_SEARCH = "https://www.google.com/"


def _name_at(place: Any) -> Any:
    return np.where(place % 4 == 0, "page_view", "page_ping")


def _traits(person: int) -> dict[str, Any]:
    return {"plan": ("free", "team", "company")[person % 3], "name": f"Person {person}"}


def _bought(session: str) -> dict[str, Any]:
    return {"order_id": f"o-{session}", "revenue": 20.0, "currency": "EUR"}


def _event_id(random: bool, micros: float, rng: np.random.Generator) -> str:
    """A UUID: of version 4, or of version 7, which is in the order of time."""
    if random:
        return str(uuid.uuid4())
    high, low = (int(number) for number in rng.integers(0, 2**62, 2))
    return str(uuid.UUID(int=int(micros // 1000) << 80 | 7 << 76 | (high & 0xFFF) << 64 | 2 << 62 | low))
