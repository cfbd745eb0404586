"""What is planted on purpose: stretches of time in which something is clearly not as usual, for models to find.

Which kinds there are and when they hold. What they do to people and visits is in `generate`, `visits` and `stories`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from event_assets.simulator.seeds import seeded


class Kind(NamedTuple):
    """A kind of anomaly: what happens, the event whose number shows it, how strong it is if nobody says.

    A strength lies above `least` and is at most `most`. What passes within minutes `lasts` so many seconds if nobody
    says; else it is an eighth of the traffic's time.
    """

    what: str
    metric: str
    strength: float
    least: float
    most: float
    lasts: float | None = None


_MINUTES = 20 * 60.0
KINDS: dict[str, Kind] = {
    "traffic_spike": Kind("visits come {strength:g} times as often as usual", "page_view", 4.0, 1.0, 1_000.0),
    "conversion_drop": Kind("{strength:.0%} of the payments fail and leave no purchase", "purchase", 0.9, 0.0, 1.0),
    "bot_wave": Kind("crawlers make {strength:g} visits a day per person of the site", "page_view", 3.0, 0.0, 1_000.0),
    "scrapers": Kind(
        "{strength:g} scrapers for every hundred people page through the templates", "page_view", 2.0, 0.0, 100.0
    ),
    "click_fraud": Kind(
        "{strength:g} devices for every hundred people come by an advertisement and buy at even times",
        "purchase",
        2.0,
        0.0,
        100.0,
    ),
    "credential_stuffing": Kind(
        "{strength:g} devices for every hundred people try the accounts of others", "app_error", 2.0, 0.0, 100.0
    ),
    "broken_release": Kind(
        "a release of the web app fails on {strength:.0%} of the page views", "app_error", 0.4, 0.0, 1.0
    ),
    "web_outage": Kind("{strength:.0%} of the web's events never leave", "page_view", 1.0, 0.0, 1.0, _MINUTES),
    "error_burst": Kind("{strength:.0%} of the pages and screens fail", "app_error", 0.3, 0.0, 1.0, _MINUTES),
    "channel_spike": Kind(
        "a newsletter brings visits {strength:g} times as often as all come usually",
        "page_view",
        4.0,
        0.0,
        1_000.0,
        _MINUTES,
    ),
}
"""By name. `strength` is a share for what fails, else a factor; of robots that
say they are browsers, how many there are for every hundred people."""
HIDDEN = ("scrapers", "click_fraud", "credential_stuffing")
"""The kinds that are robots with the user agent of a browser."""


class AnomalyError(ValueError):
    """An anomaly that cannot be planted. The message names it, the rule, and the form it must have."""


class Anomaly(NamedTuple):
    """One anomaly and when it holds, in epoch seconds: from `begins` until before `ends`."""

    kind: str
    begins: float
    ends: float
    strength: float

    @property
    def what(self) -> str:
        """What happens, in words."""
        return KINDS[self.kind].what.format(strength=self.strength)

    @property
    def metric(self) -> str:
        """The event whose number shows it."""
        return KINDS[self.kind].metric

    def holds(self, moment: float) -> bool:
        """Whether it is on at that moment (epoch seconds)."""
        return self.begins <= moment < self.ends


_FORM = "KIND[,FROM,TO[,STRENGTH]] with RFC 3339 times that have an offset"


def anomalies_of(texts: Sequence[str], seed: int, begin: float, seconds: float) -> tuple[Anomaly, ...]:
    """The anomalies that the texts name, for traffic of so many seconds from `begin` (epoch seconds).

    A text is `KIND,FROM,TO,STRENGTH`; without strength it is the kind's own, and without times the seed gives a stretch
    somewhere in the traffic's time, as long as the kind lasts. Raises `AnomalyError`.
    """
    return tuple(_anomaly(text, number, seed, begin, seconds) for number, text in enumerate(texts))


def _anomaly(text: str, number: int, seed: int, begin: float, seconds: float) -> Anomaly:
    kind, *more = (part.strip() for part in text.split(","))
    if kind not in KINDS:
        raise AnomalyError(f"{text!r} is no anomaly: the kinds are {', '.join(KINDS)}. The form is {_FORM}.")
    if len(more) not in (0, 2, 3):
        raise AnomalyError(f"{text!r} is no anomaly: the form is {_FORM}.")
    begins, ends = (
        _stretch(seed, number, begin, seconds, KINDS[kind].lasts)
        if not more
        else (_moment(text, part) for part in more[:2])
    )
    if begins >= ends:
        raise AnomalyError(f"{text!r} ends before it begins: FROM must lie before TO.")
    return Anomaly(kind, begins, ends, _strength(text, kind, more[2]) if more[2:] else KINDS[kind].strength)


def _stretch(seed: int, number: int, begin: float, seconds: float, lasts: float | None) -> tuple[float, float]:
    begins = begin + seeded(seed, "anomaly", number).uniform(0.2, 0.75) * seconds
    return begins, begins + (seconds / 8 if lasts is None else min(lasts, seconds / 5))


def _moment(text: str, part: str) -> float:
    try:
        moment = dt.datetime.fromisoformat(part)
    except ValueError:
        raise AnomalyError(f"{text!r}: {part!r} is no time. The form is {_FORM}.") from None
    if moment.tzinfo is None:
        raise AnomalyError(f"{text!r}: {part!r} has no offset, such as Z or +01:00.")
    return moment.timestamp()


def _strength(text: str, kind: str, part: str) -> float:
    try:
        strength = float(part)
    except ValueError:
        raise AnomalyError(f"{text!r}: {part!r} is no number. The form is {_FORM}.") from None
    least, most = KINDS[kind].least, KINDS[kind].most
    if not least < strength <= most:
        raise AnomalyError(f"{text!r}: the strength of {kind} lies above {least:g} and is at most {most:g}.")
    return strength
