"""Timestamps as databases and files write them, as RFC 3339. Which form a field has is the mapping's to say."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from event_assets.contract.readings import moment_of

UNITS: dict[str, int | Decimal] = {
    "seconds": 1_000_000,
    "milliseconds": 1_000,
    "microseconds": 1,
    "nanoseconds": Decimal("0.001"),
}
"""Numbers since 1970 in UTC, and how many microseconds one is."""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))?)?\s*(?:(Z|UTC|GMT)|([+-]\d\d):?(\d\d)?)?",
    re.IGNORECASE,
)
Read = Callable[[str], str]


def timestamp_reader(forms: Sequence[str], timezone: str | None) -> Read | None:
    """What reads a text in the first of the forms that fits, and raises `ValueError`, `OverflowError` where none does;
    None for `rfc3339`, which is taken as it is. Raises `ValueError` where a form cannot be used."""
    if list(forms) == ["rfc3339"]:
        _no_zone(timezone, "rfc3339 has its offset in it; write timestamp: iso for times without one")
        return None
    if all(form in UNITS for form in forms):
        _no_zone(timezone, f"{forms[0]} since 1970 are counted in UTC; leave timezone out")
    zone = _zone(timezone or "UTC")
    readers = [_reader(form, zone) for form in forms]

    def read(text: str) -> str:
        for reader in readers[:-1]:
            try:
                return moment_of(text, reader).isoformat()
            except (ValueError, OverflowError):
                continue
        return moment_of(text, readers[-1]).isoformat()

    return read


def _no_zone(timezone: str | None, why: str) -> None:
    if timezone is not None:
        raise ValueError(f"timezone: {why}")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}; write one such as Europe/Berlin") from None


def _reader(form: str, zone: ZoneInfo) -> Callable[[str], dt.datetime]:
    if form in UNITS:
        return lambda text: _since_epoch(text, UNITS[form])
    if form in ("iso", "rfc3339"):
        return lambda text: _iso(text, zone)
    if "%" not in form:
        raise ValueError(f"timestamp must be iso, rfc3339, {', '.join(UNITS)} or a strptime format, not {form!r}")

    def parse(text: str) -> dt.datetime:
        moment = dt.datetime.strptime(text, form)  # noqa: DTZ007 - the mapping names the zone
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)

    return parse


def _since_epoch(text: str, unit: Decimal | int) -> dt.datetime:
    try:
        return _EPOCH + dt.timedelta(microseconds=int(Decimal(text) * unit))
    except InvalidOperation:
        raise ValueError(f"{text!r} is no number") from None


def _iso(text: str, zone: ZoneInfo) -> dt.datetime:
    found = _ISO.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no date and time")
    date, time, fraction, utc, hours, minutes = found.groups()
    moment = dt.datetime.fromisoformat(f"{date}T{time or '00:00'}")
    moment += dt.timedelta(microseconds=int((fraction or "").ljust(6, "0")[:6]))
    if utc:
        return moment.replace(tzinfo=dt.UTC)
    if hours is None:
        return moment.replace(tzinfo=zone)
    return dt.datetime.fromisoformat(f"{moment.isoformat()}{hours}:{minutes or '00'}")
