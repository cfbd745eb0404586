"""Numbers, money and dates are written as the CLDR has them for the locale of who looks, and say what they were."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal

import flask
import pytest
from babel import localedata
from babel.numbers import parse_decimal
from hypothesis import given
from hypothesis import strategies as st

from event_assets.dashboards.app import create_app
from event_assets.dashboards.formatter import UNKNOWN, Formatter, known_locale
from event_assets.settings import Settings
from event_assets_tests.dashboards.conftest import Site

LOCALES = st.sampled_from(sorted(localedata.locale_identifiers()))
AT = dt.datetime(2026, 11, 9, 14, 3, 5, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("locale", "number", "percent", "money", "price", "day"),
    [
        ("en", "1,234,567", "12.3%", "€1,235", "€9.50", "Nov 9, 2026"),
        ("en_GB", "1,234,567", "12.3%", "€1,235", "€9.50", "9 Nov 2026"),
        ("de", "1.234.567", "12,3\xa0%", "1.235\xa0€", "9,50\xa0€", "9. Nov. 2026"),
        ("hi", "12,34,567", "12.3%", "€1,235", "€9.50", "9 नव॰ 2026"),
        ("tr", "1.234.567", "%12,3", "€1.235", "€9,50", "9 Kas 2026"),
    ],
)
def test_each_locale_has_its_own_way(locale: str, number: str, percent: str, money: str, price: str, day: str) -> None:
    formatter = Formatter(locale, "EUR")
    assert formatter.text(1_234_567, "number") == number
    assert formatter.text(0.1234, "percent") == percent
    assert (formatter.text(1_234.7, "money"), formatter.text(9.5, "money")) == (money, price)
    assert formatter.text(AT.date(), "date") == day
    assert formatter.text(AT, "moment_of_year").startswith(day) and "14:03:05" in formatter.text(AT, "moment_of_year")


@given(LOCALES, st.integers(-(10**12), 10**12))
def test_what_is_written_of_a_number_is_that_number_in_every_locale(locale: str, value: int) -> None:
    assert parse_decimal(Formatter(locale).number(value), locale) == Decimal(value)


@given(LOCALES, st.floats(-1e9, 1e9), st.sampled_from(["number", "decimal", "percent", "money", "times", "duration"]))
def test_every_value_can_be_written_in_every_locale(locale: str, value: float, format_: str) -> None:
    for currency in (None, "EUR", "JPY", "XXX"):
        assert Formatter(locale, currency).text(value, format_)
    assert Formatter(locale).text(AT, "moment") and Formatter(locale).text(AT.date(), "day")


def test_thousands_of_switzerland_are_parted_however_many_there_are() -> None:
    assert Formatter("de_CH").number(1_234_567) == "1\u2019234\u2019567"


def test_amounts_below_each_other_have_as_many_decimals() -> None:
    written = Formatter("en", "EUR").column
    assert written([25_400, 50, 0, None], "money") == ["€25,400", "€50", "€0", UNKNOWN]
    assert written([6.4, 0], "money") == ["€6.40", "€0.00"]
    assert written([0.5, None], "percent") == ["50.0%", UNKNOWN]


def test_the_first_language_that_is_known_counts_whatever_was_sent() -> None:
    assert known_locale(["zz", "*", "de-AT", "en"]) == "de_AT"
    assert known_locale(["", "x" * 300, "../..", "de;DROP TABLE"]) is None


def test_a_visitor_has_the_locale_of_their_browser_where_none_is_set(site: Site) -> None:
    def seen(asked: str) -> str:
        with create_app(site.contexts()).server.test_client() as client:
            client.get("/csv/nothing/0/0/0", headers={"Accept-Language": asked})
            locale: str = flask.g.context.formatter.locale
            return locale

    assert (seen("de-AT,de;q=0.9,en;q=0.8"), seen("tlh"), seen("fr;q=0.1,ja")) == ("de_AT", "en", "ja")
    chosen = site.context.settings.model_copy(update={"dashboard_locale": "en-GB"})
    site.context = dataclasses.replace(site.context.in_locale("en_GB"), settings=chosen)
    assert seen("de") == "en_GB"


def test_a_locale_that_nobody_has_is_no_setting() -> None:
    assert Settings(dashboard_locale="en-GB").dashboard_locale == "en-GB"
    with pytest.raises(ValueError, match="there is no locale"):
        Settings(dashboard_locale="zz-top")
