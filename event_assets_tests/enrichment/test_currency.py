from __future__ import annotations

import datetime as dt

import pytest

from event_assets.enrichment.currency import BadRates, NoRate, Reporting, parse_rates

TABLE = """date,currency,rate
2026-03-06,USD,0.90
2026-03-09,USD,0.95
2026-03-06,JPY,0.0061
"""
RATES = parse_rates(TABLE)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("date", "rate"),
    [("2026-03-06", 0.90), ("2026-03-08", 0.90), ("2026-03-09", 0.95), ("2026-03-16", 0.95)],
)
def test_the_rate_is_the_last_one_at_or_before_the_day(date: str, rate: float) -> None:
    assert RATES.rate("USD", day(date)) == rate


@pytest.mark.parametrize(
    ("currency", "date"),
    [("USD", "2026-03-05"), ("USD", "2026-03-17"), ("CHF", "2026-03-06")],
)
def test_there_is_no_rate_before_the_first_nor_more_than_seven_days_after_one(currency: str, date: str) -> None:
    with pytest.raises(NoRate, match=f"no rate of {currency} for {date}"):
        RATES.rate(currency, day(date))


def test_amounts_are_converted_and_those_in_the_reporting_currency_or_in_none_are_not() -> None:
    reporting = Reporting("EUR", RATES)
    amounts = [reporting.convert(10.0, currency, day("2026-03-06")) for currency in ("USD", "EUR", None)]
    assert amounts == [9.0, 10.0, 10.0]


def test_without_a_reporting_currency_amounts_stay_as_they_were_sent() -> None:
    assert Reporting().convert(10.0, "USD", day("2026-03-06")) == 10.0


def test_columns_may_come_in_any_order_with_others_among_them() -> None:
    mixed = parse_rates("rate,source,currency,date\n0.90,ecb,USD,2026-03-06\n0.95,ecb,USD,2026-03-09\n")
    assert mixed.by_currency["USD"] == RATES.by_currency["USD"]


def test_the_digest_changes_with_the_rates_and_not_with_their_order() -> None:
    first, *rows = TABLE.splitlines()
    assert parse_rates("\n".join([first, *reversed(rows)])).digest == RATES.digest
    assert parse_rates(TABLE.replace("0.95", "0.96")).digest != RATES.digest


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the first line must name the columns date, currency, rate"),
        ("day,currency,rate\n", "the first line must name the columns"),
        ("date,currency,rate\n06.03.2026,USD,1\n", "line 2: date is '06.03.2026'; it must be like 2026-03-06"),
        ("date,currency,rate\n2026-03-06,usd,1\n", "line 2: currency is 'usd'; it must be three capital letters"),
        ("date,currency,rate\n2026-03-06,USD,0\n", "line 2: rate is '0'; it must be a number above 0"),
        ("date,currency,rate\n2026-03-06,USD,nan\n", "line 2: rate is 'nan'"),
        ("date,currency,rate\n2026-03-06,USD,\n", "line 2: rate is ''"),
        ("date,currency,rate\n2026-03-06,USD\n", "line 2: rate is ''"),
        ("date,currency,rate\n2026-03-06,USD,1\n2026-03-06,USD,2\n", "line 3: a second rate of USD for 2026-03-06"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_line_and_rule(text: str, message: str) -> None:
    with pytest.raises(BadRates, match=message):
        parse_rates(text)
