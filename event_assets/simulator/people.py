"""The made-up people: who they are, where, with which devices, what they allow. What they do is in `visits`.

A person is a pure function of (seed, number): the same one on every day that is simulated.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from event_assets.simulator.devices import APPS, DESKTOPS, ROBOTS, SERVER, WEB, Model
from event_assets.simulator.places import PLACES, Place
from event_assets.simulator.seeds import pick, seeded, uuid4


class Persona(NamedTuple):
    """A kind of person. `member` is the share that has an account from the start."""

    name: str
    weight: float
    visits_per_day: float
    member: float


PERSONAS: tuple[Persona, ...] = (
    Persona("browser", 50, 0.35, 0.05),
    Persona("builder", 20, 1.1, 0.55),
    Persona("shopper", 14, 0.6, 0.45),
    Persona("owner", 9, 2.2, 1.0),
    Persona("desktop", 3, 1.6, 1.0),
    Persona("robot", 2, 5.0, 0.0),
    Persona("billing", 2, 2.5, 1.0),
)
"""`billing` is the company's own server that speaks for a customer: no device, only a user id."""
HIDDEN_ROBOTS: tuple[Persona, ...] = (
    Persona("scrapers", 0, 10.0, 0.0),
    Persona("click_fraud", 0, 6.0, 0.0),
    Persona("credential_stuffing", 0, 4.0, 0.0),
)
"""Robots that say they are browsers: nobody is one unless an anomaly of that name plants them."""


class Consent(NamedTuple):
    """What a person allows. `weight` is the share of people who answer so."""

    weight: float
    analytics: bool
    marketing: bool
    personalisation: bool


CONSENTS: tuple[Consent, ...] = (
    Consent(66, True, True, True),
    Consent(18, True, False, True),
    Consent(9, True, False, False),
    Consent(4, False, False, False),
)


class Device(NamedTuple):
    """One install of the product, the home of one `anonymous_id`."""

    anonymous_id: str | None
    model: Model
    keeps_sessions: bool


@dataclass(frozen=True, slots=True)
class Person:
    """One made-up person. `anonymous_id`s live on the devices; `user_id` is used from the time they sign in."""

    number: int
    persona: Persona
    place: Place
    user_id: str
    member: bool
    devices: tuple[Device, ...]
    consent: Consent | None
    ip: str


def make_person(seed: int, number: int) -> Person:
    """The person of that number. Every 40th shares the device of the person before (a family's tablet)."""
    rng = seeded(seed, "person", number)
    persona = pick(rng, PERSONAS)
    place = pick(rng, PLACES)
    devices = _devices(rng, persona.name)
    if number % 40 == 39 and persona.name not in ("robot", "billing"):
        neighbour = make_person(seed, number - 1)
        if neighbour.persona.name not in ("robot", "billing"):
            devices = (neighbour.devices[0], *devices[1:])
    return Person(
        number=number,
        persona=persona,
        place=place,
        user_id=f"u_{rng.getrandbits(48):012x}",
        member=rng.random() < persona.member,
        devices=devices,
        consent=_consent(rng, persona.name),
        ip=f"{place.network}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
    )


def make_crawler(seed: int, number: int) -> Person:
    """A robot of a bot wave, of which there are a few; they are nobody's and allow or refuse nothing."""
    rng = seeded(seed, "crawler", number)
    place = pick(rng, PLACES)
    persona = next(persona for persona in PERSONAS if persona.name == "robot")
    address = f"{place.network}.{rng.randrange(256)}.{rng.randrange(1, 255)}"
    return Person(-1 - number, persona, place, f"crawler_{number}", False, _devices(rng, "robot"), None, address)


def make_hidden_robot(seed: int, kind: str, number: int) -> Person:
    """The robot of a kind beside the person of that number, which says it is a browser. Its accounts are others'."""
    rng = seeded(seed, "hidden", kind, number)
    place = next(place for place, persona in enumerate(HIDDEN_ROBOTS) if persona.name == kind)
    lives = pick(rng, PLACES)
    return Person(
        number=-1_000_000 * (place + 1) - number,
        persona=HIDDEN_ROBOTS[place],
        place=lives,
        user_id=f"u_{rng.getrandbits(48):012x}",
        member=False,
        devices=(Device(uuid4(rng), pick(rng, WEB), False),),
        consent=None,
        ip=f"{lives.network}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
    )


def _devices(rng: Random, persona: str) -> tuple[Device, ...]:
    if persona == "billing":
        return (Device(None, SERVER, False),)
    if persona == "robot":
        return (Device(uuid4(rng), pick(rng, ROBOTS), False),)
    first = pick(rng, DESKTOPS if persona == "desktop" else WEB)
    devices = [Device(uuid4(rng), first, first.platform == "web")]
    if persona in ("owner", "builder") and rng.random() < 0.5:
        devices.append(Device(uuid4(rng), pick(rng, APPS), rng.random() < 0.3))
    if rng.random() < 0.15:
        devices.append(Device(uuid4(rng), pick(rng, WEB), True))
    return tuple(devices)


def _consent(rng: Random, persona: str) -> Consent | None:
    if persona in ("robot", "billing") or rng.random() < 0.03:
        return None
    return pick(rng, CONSENTS)
