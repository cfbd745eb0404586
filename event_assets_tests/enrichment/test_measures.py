from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.enrichment.currency import AS_SENT, Reporting, parse_rates
from event_assets.enrichment.measures import NO_MEASURES, Measures, measures_of
from event_assets_tests.examples import texts

DAY = dt.date(2026, 3, 6)
EUR = Reporting("EUR", parse_rates("date,currency,rate\n2026-03-06,USD,0.5\n"))


def read(event: str = "purchase", reporting: Reporting = AS_SENT, **properties: Any) -> Measures:
    return measures_of(event, json.dumps(properties), DAY, reporting)


@pytest.mark.parametrize(
    ("sent", "number"), [(12.5, 12.5), (3, 3.0), ("12.50", 12.5), (" 7 ", 7.0), (-4, -4.0), (0, 0.0), ("1e3", 1000.0)]
)
def test_revenue_is_a_number_or_a_text_that_spells_one(sent: Any, number: float) -> None:
    assert read(revenue=sent) == Measures(revenue=number, revenue_reporting=number)


@pytest.mark.parametrize("sent", ["many", "1_000", "NaN", "inf", True, [1], {"amount": 1}, 10**400, "9" * 400])
def test_a_revenue_that_is_no_number_is_null_and_noted(sent: Any) -> None:
    assert read(revenue=sent) == Measures(failure="revenue: no number")


@pytest.mark.parametrize("sent", [None, ""])
def test_no_revenue_is_no_failure(sent: Any) -> None:
    assert read(revenue=sent) == NO_MEASURES


def test_the_amount_that_was_sent_is_kept_beside_the_converted_one() -> None:
    assert read(reporting=EUR, revenue=10, currency="usd")[:3] == (10.0, "USD", 5.0)


def test_without_a_currency_an_amount_is_in_the_reporting_currency() -> None:
    assert read(reporting=EUR, revenue=10)[:3] == (10.0, None, 10.0)


def test_a_missing_rate_leaves_the_amount_and_is_noted() -> None:
    expected = Measures(revenue=10.0, currency="CHF", failure="currency: no rate of CHF for 2026-03-06")
    assert read(reporting=EUR, revenue=10, currency="CHF") == expected


@pytest.mark.parametrize("currency", ["euros", "€", 978, ["EUR"]])
def test_what_is_no_currency_is_noted_and_nothing_is_converted(currency: Any) -> None:
    note = "currency: not three letters (ISO 4217)"
    assert read(reporting=EUR, revenue=10, currency=currency) == Measures(revenue=10.0, failure=note)
    assert read(revenue=10, currency=currency) == Measures(10.0, None, 10.0, failure=note)


@pytest.mark.parametrize("event", ["web_vitals", "page_view"])
def test_web_vitals_are_read_off_their_own_event_and_page_views(event: str) -> None:
    row = read(event, lcp_ms=2400.5, inp_ms=180, fid_ms="12", cls=0.08)
    assert (row.lcp_ms, row.inp_ms, row.fid_ms, row.cls, row.failure) == (2400.5, 180.0, 12.0, 0.08, None)


def test_other_events_have_no_web_vitals_whatever_their_properties_are_called() -> None:
    assert read("lesson_booked", cls="yoga") == NO_MEASURES


def test_one_bad_number_leaves_the_others() -> None:
    row = read("web_vitals", lcp_ms="slow", cls=0.1, revenue={})
    assert (row.lcp_ms, row.cls, row.failure) == (None, 0.1, "revenue: no number; lcp_ms: no number")


@pytest.mark.parametrize("text", ["not json", "[1]", '"text"', "{", "[" * 5000])
def test_properties_that_are_no_object_are_noted(text: str) -> None:
    assert measures_of("purchase", text, DAY, AS_SENT) == Measures(failure="properties: no JSON object")


_json = st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | texts(), lambda inner: st.lists(inner))


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("revenue", "currency", "lcp_ms", "cls"), _json)))
def test_any_properties_give_finite_numbers_or_a_note(properties: dict[str, Any]) -> None:
    row = measures_of("web_vitals", json.dumps(properties, allow_nan=True), DAY, EUR)
    numbers = (row.revenue, row.revenue_reporting, row.lcp_ms, row.cls)
    assert all(number is None or abs(number) < float("inf") for number in numbers)
