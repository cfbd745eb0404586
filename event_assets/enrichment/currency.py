"""Amounts in one reporting currency, by a table of daily rates. Reading the amount off an event is in `measures`."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

CURRENCY = re.compile(r"[A-Z]{3}")
"""An ISO 4217 code."""

MAX_AGE_DAYS = 7
"""Days that a rate holds where no newer one is: over weekends and holidays, not over a table that nobody feeds."""

_COLUMNS = ("date", "currency", "rate")


class BadRates(ValueError):
    """The table of rates cannot be used. The message names the line and the rule."""


class NoRate(ValueError):
    """An amount cannot be converted: the table has no rate for its currency and day."""


@dataclass(frozen=True)
class Rates:
    """Daily rates: what one unit of a currency is worth in the reporting currency, by currency, days in order."""

    by_currency: Mapping[str, tuple[tuple[dt.date, ...], tuple[float, ...]]] = field(default_factory=dict)
    digest: str = ""

    def rate(self, currency: str, day: dt.date) -> float:
        """The last rate at or before the day, at most seven days old. Raises `NoRate`.

        >>> parse_rates("date,currency,rate\\n2026-03-06,USD,0.92").rate("USD", dt.date(2026, 3, 8))
        0.92
        """
        days, rates = self.by_currency.get(currency, ((), ()))
        place = bisect_right(days, day) - 1
        if place < 0 or (day - days[place]).days > MAX_AGE_DAYS:
            raise NoRate(f"no rate of {currency} for {day}")
        return rates[place]


NO_RATES = Rates()


def parse_rates(text: str) -> Rates:
    """The rates of a CSV text with the columns `date` (ISO), `currency` (ISO 4217) and `rate`. Raises `BadRates`."""
    rows = csv.DictReader(io.StringIO(text))
    if rows.fieldnames is None or not set(_COLUMNS) <= set(rows.fieldnames):
        raise BadRates(f"the first line must name the columns {', '.join(_COLUMNS)}; it is {rows.fieldnames}")
    found: dict[str, dict[dt.date, float]] = defaultdict(dict)
    for row in rows:
        day, currency, rate = _row(row, rows.line_num)
        if found[currency].setdefault(day, rate) != rate:
            raise BadRates(f"line {rows.line_num}: a second rate of {currency} for {day}")
    ordered = {currency: sorted(days.items()) for currency, days in found.items()}
    series = {name: (tuple(day for day, _ in days), tuple(rate for _, rate in days)) for name, days in ordered.items()}
    return Rates(series, sha256(repr(sorted(ordered.items())).encode()).hexdigest()[:12])


def _row(row: Mapping[str, str | None], line: int) -> tuple[dt.date, str, float]:
    date, currency, rate = ((row[name] or "").strip() for name in _COLUMNS)
    try:
        day = dt.date.fromisoformat(date)
    except ValueError:
        raise BadRates(f"line {line}: date is {date!r}; it must be like 2026-03-06") from None
    if not CURRENCY.fullmatch(currency):
        raise BadRates(f"line {line}: currency is {currency!r}; it must be three capital letters (ISO 4217)")
    try:
        value = float(rate)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise BadRates(f"line {line}: rate is {rate!r}; it must be a number above 0")
    return day, currency, value


@dataclass(frozen=True)
class Reporting:
    """The reporting currency and the rates into it. Without a currency, amounts stay as they were sent."""

    currency: str | None = None
    rates: Rates = NO_RATES

    def convert(self, amount: float, currency: str | None, day: dt.date) -> float:
        """The amount in the reporting currency. One that was sent without a currency is in it already.

        Raises `NoRate`.

        >>> reporting = Reporting("EUR", parse_rates("date,currency,rate\\n2026-03-06,USD,0.5"))
        >>> reporting.convert(10.0, "USD", dt.date(2026, 3, 6)), reporting.convert(10.0, None, dt.date(2026, 3, 6))
        (5.0, 10.0)
        """
        if self.currency is None or currency is None or currency == self.currency:
            return amount
        return amount * self.rates.rate(currency, day)


AS_SENT = Reporting()
"""Nothing is converted."""
