"""Values as people of a locale read them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from babel import Locale, UnknownLocaleError, dates, numbers

UNKNOWN = "–"  # noqa: RUF001  what is not known, in a cell
_TIED = "\N{NO-BREAK SPACE}"
_WHOLE_AMOUNTS = 100
_TENFOLD = 10
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_FRACTION = re.compile(r"0(\.[0#]+)?(?![0#,.])")
_DATES = {"date": "yMMMd", "moment": "MMMd", "moment_of_year": "yMMMd", "day": "MMMd"}
"""Formats of days and of moments, with what is said of the day: skeletons of the CLDR."""


@dataclass(frozen=True)
class Formatter:
    """Values as people of a locale read them: `de`, `en_GB`, … as the CLDR has it. `currency` is that of money, by its
    code of ISO 4217, where it is known."""

    locale: str = "en"
    currency: str | None = None

    def text(self, value: Any, format_: str) -> str:
        """A value in the words of its format; a dash where it is not known."""
        if value is None:
            return UNKNOWN
        if format_ in _DATES:
            return self._date(value, format_)
        make = _FORMATS.get(format_)
        return make(self, value) if make else str(value)

    def column(self, values: Sequence[Any], format_: str) -> list[str]:
        """Values that stand below each other, of money all with a fraction or all without."""
        if format_ == "money":
            is_whole = any(abs(value) >= _WHOLE_AMOUNTS for value in values if value is not None)
            return [UNKNOWN if value is None else self.money(value, is_whole) for value in values]
        return [self.text(value, format_) for value in values]

    def number(self, value: float, decimals: int = 0) -> str:
        """A number with so many decimals."""
        pattern: str = _locale(self.locale).decimal_formats[None].pattern
        return numbers.format_decimal(value, _with_decimals(pattern, decimals), _locale(self.locale))

    def percent(self, share: float, decimals: int = 1) -> str:
        """A share in per cent."""
        pattern: str = _locale(self.locale).percent_formats[None].pattern
        return numbers.format_percent(share, _with_decimals(pattern, decimals), _locale(self.locale))

    def change(self, share: float) -> str:
        """By how much something grew or shrank, with its sign."""
        return ("+" if share >= 0 else "-") + self.growth(abs(share))

    def growth(self, share: float) -> str:
        """How large a change is: tenths of a per cent, of one by tenfold or more none."""
        return self.percent(share, 0 if share >= _TENFOLD else 1)

    def money(self, amount: float, is_whole: bool | None = None) -> str:
        """An amount; of a large one no fraction is said, unless it is told whether one `is_whole`."""
        if is_whole is None:
            is_whole = abs(amount) >= _WHOLE_AMOUNTS
        if self.currency is None:
            return self.number(amount, 0 if is_whole else 2)
        pattern: str = _locale(self.locale).currency_formats["standard"].pattern
        return numbers.format_currency(
            amount,
            self.currency,
            _with_decimals(pattern, 0) if is_whole else pattern,
            _locale(self.locale),
            currency_digits=not is_whole,
        )

    def duration(self, seconds: float) -> str:
        """So much time, in the unit that fits; no number is parted from its unit at the end of a line."""
        if seconds < _MINUTE:
            return f"{seconds:.0f}{_TIED}s"
        if seconds < _HOUR:
            return f"{seconds // _MINUTE:.0f}{_TIED}min {seconds % _MINUTE:02.0f}{_TIED}s"
        amount, unit = (seconds / _HOUR, "h") if seconds < 2 * _DAY else (seconds / _DAY, "days")
        return f"{self.number(amount, 1)}{_TIED}{unit}"

    def _date(self, value: dt.date | dt.datetime, format_: str) -> str:
        day = dates.format_skeleton(_DATES[format_], value, locale=_locale(self.locale))
        if not format_.startswith("moment"):
            return day
        time = dates.format_skeleton("Hms", value, locale=_locale(self.locale))
        joined: str = _locale(self.locale).datetime_formats["medium"]
        return joined.replace("'", "").replace("{1}", day).replace("{0}", time)

    def in_charts(self, format_: str) -> dict[str, Any]:
        """The same for a chart, whose numbers the browser writes: a function of `assets/charts.js`."""
        options: dict[str, Any] = _IN_CHARTS.get(format_, {"maximumFractionDigits": 2})
        if format_ == "money" and self.currency:
            options = {"style": "currency", "currency": self.currency, "maximumFractionDigits": 2}
        return {"function": "numberText", "options": {"locale": self.locale.replace("_", "-"), **options}}


@cache
def _locale(name: str) -> Locale:
    """The CLDR's. Between thousands it has a typewriter's apostrophe for Switzerland, which Babel takes for a quote and
    leaves out where there are two: the typographic one says the same."""
    locale = Locale.parse(name)
    symbols = locale.number_symbols.get("latn", {})
    if symbols.get("group") == "'":
        symbols["group"] = "\N{RIGHT SINGLE QUOTATION MARK}"
    return locale


def _with_decimals(pattern: str, decimals: int) -> str:
    """A pattern of the CLDR with so many digits after the point."""
    return _FRACTION.sub(f"0.{'0' * decimals}" if decimals else "0", pattern)


def known_locale(tags: Iterable[str]) -> str | None:
    """The first of these language tags (`de-AT`, `de`) that the CLDR has; None where it has none."""
    for tag in tags:
        try:
            return str(Locale.parse(tag.strip(), sep="-" if "-" in tag else "_"))
        except (ValueError, UnknownLocaleError):
            continue
    return None


_FORMATS: dict[str, Callable[[Formatter, Any], str]] = {
    "number": Formatter.number,
    "decimal": lambda formatter, value: formatter.number(value, 1),
    "percent": Formatter.percent,
    "money": Formatter.money,
    "duration": Formatter.duration,
    "milliseconds": lambda formatter, value: f"{formatter.number(value)} ms",
    "times": lambda formatter, value: f"{formatter.number(value, 2)} ×",  # noqa: RUF001  the sign of a multiple
    "shift": lambda formatter, value: formatter.number(value, 3),
}
_IN_CHARTS: dict[str, dict[str, Any]] = {
    "number": {"maximumFractionDigits": 1},
    "percent": {"style": "percent", "maximumFractionDigits": 1},
    "duration": {"style": "unit", "unit": "second", "unitDisplay": "narrow", "maximumFractionDigits": 1},
    "milliseconds": {"style": "unit", "unit": "millisecond", "unitDisplay": "narrow", "maximumFractionDigits": 0},
}
"""Options of the browser's Intl.NumberFormat."""
