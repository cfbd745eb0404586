"""Where the made-up people live: time zone, languages, currency, address block. Data only."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """One country's people. `weight` is their share; `network` the first two bytes of their IP addresses."""

    country: str
    weight: float
    timezone: str
    locale: str
    currency: str
    network: str


PLACES: tuple[Place, ...] = (
    Place("US", 18, "America/New_York", "en-US", "USD", "73.162"),
    Place("US", 11, "America/Los_Angeles", "en-US", "USD", "76.103"),
    Place("US", 6, "America/Chicago", "es-US", "USD", "99.44"),
    Place("DE", 13, "Europe/Berlin", "de-DE", "EUR", "91.12"),
    Place("GB", 11, "Europe/London", "en-GB", "GBP", "86.142"),
    Place("FR", 8, "Europe/Paris", "fr-FR", "EUR", "90.35"),
    Place("ES", 5, "Europe/Madrid", "es-ES", "EUR", "88.6"),
    Place("NL", 4, "Europe/Amsterdam", "nl-NL", "EUR", "84.83"),
    Place("PL", 4, "Europe/Warsaw", "pl-PL", "EUR", "83.9"),
    Place("BR", 5, "America/Sao_Paulo", "pt-BR", "USD", "189.46"),
    Place("IN", 5, "Asia/Kolkata", "en-IN", "USD", "117.196"),
    Place("JP", 4, "Asia/Tokyo", "ja-JP", "USD", "126.74"),
    Place("AU", 4, "Australia/Sydney", "en-AU", "USD", "1.132"),
    Place("NP", 1, "Asia/Kathmandu", "ne-NP", "USD", "27.34"),
    Place("CA", 1, "America/St_Johns", "en-CA", "USD", "142.162"),
)
