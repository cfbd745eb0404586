"""The numbers in an event's properties that have columns of their own: revenue, its currency, and web vitals."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any, NamedTuple

import msgspec

from event_assets.enrichment.currency import CURRENCY, NoRate, Reporting

WEB_VITALS_EVENTS = ("web_vitals", "page_view")
"""Events whose properties are asked for web vitals."""

LIKELY = r'"(revenue|lcp_ms|inp_ms|fid_ms|cls|currency)"|\\u'
"""Properties that do not match have nothing to read."""


class Measures(NamedTuple):
    """What was read. The names are columns, but for `failure`."""

    revenue: float | None = None
    currency: str | None = None
    revenue_reporting: float | None = None
    lcp_ms: float | None = None
    inp_ms: float | None = None
    fid_ms: float | None = None
    cls: float | None = None
    failure: str | None = None


NO_MEASURES = Measures()


class _Sent(msgspec.Struct, gc=False):
    """The properties that are read; whatever their type is."""

    revenue: Any = None
    currency: Any = None
    lcp_ms: Any = None
    inp_ms: Any = None
    fid_ms: Any = None
    cls: Any = None


_decode = msgspec.json.Decoder(_Sent).decode


def measures_of(event: str, properties: str, day: dt.date, reporting: Reporting) -> Measures:
    """What an event's properties say. Numbers may be sent as texts. What cannot be used is null, and noted.

    >>> measures_of("purchase", '{"revenue": "12.50", "currency": "eur"}', dt.date(2026, 3, 6), Reporting())[:3]
    (12.5, 'EUR', 12.5)
    """
    try:
        sent = _decode(properties)
    except (msgspec.DecodeError, RecursionError):
        return Measures(failure="properties: no JSON object")
    failures: list[str] = []
    revenue = currency = converted = lcp_ms = inp_ms = fid_ms = cls = None
    if sent.revenue is not None or sent.currency is not None:
        revenue, currency, converted = _money(sent, day, reporting, failures)
    if event in WEB_VITALS_EVENTS:
        lcp_ms = _number("lcp_ms", sent.lcp_ms, failures)
        inp_ms = _number("inp_ms", sent.inp_ms, failures)
        fid_ms = _number("fid_ms", sent.fid_ms, failures)
        cls = _number("cls", sent.cls, failures)
    return Measures(revenue, currency, converted, lcp_ms, inp_ms, fid_ms, cls, "; ".join(failures) or None)


def _money(
    sent: _Sent, day: dt.date, reporting: Reporting, failures: list[str]
) -> tuple[float | None, str | None, float | None]:
    currency, is_known = None, True
    if sent.currency is not None and sent.currency != "":
        code = sent.currency.strip().upper() if isinstance(sent.currency, str) else ""
        is_known = CURRENCY.fullmatch(code) is not None
        currency = code if is_known else None
        if not is_known:
            failures.append("currency: not three letters (ISO 4217)")
    revenue = _number("revenue", sent.revenue, failures)
    if revenue is None or (not is_known and reporting.currency is not None):
        return revenue, currency, None
    try:
        return revenue, currency, reporting.convert(revenue, currency, day)
    except NoRate as error:
        failures.append(f"currency: {error}")
        return revenue, currency, None


def _number(name: str, value: Any, failures: list[str]) -> float | None:
    """The number that a value is or spells."""
    if value is None or value == "":
        return None
    if type(value) is float and math.isfinite(value):
        return value
    try:
        number = math.nan if isinstance(value, bool) or "_" in str(value)[:400] else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        failures.append(f"{name}: no number")
        return None
    return number
