"""The derived timestamp: which clock counts, and what is too far ahead."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.times import FUTURE_LIMIT, derived_at, is_future

RECEIVED = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
EARLIEST = dt.datetime(1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=14)))
LATEST = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.timezone(-dt.timedelta(hours=14)))
instants = st.datetimes(timezones=st.integers(-840, 840).map(lambda m: dt.timezone(dt.timedelta(minutes=m))))


def test_a_trusted_source_says_when_it_happened() -> None:
    given_by_source = RECEIVED - dt.timedelta(days=3_000)
    assert derived_at(RECEIVED, RECEIVED, RECEIVED, given_by_source) == given_by_source


def test_a_wrong_client_clock_does_not_count_but_the_time_between_happening_and_sending_does() -> None:
    occurred = RECEIVED + dt.timedelta(days=900)
    assert derived_at(occurred, occurred + 5 * MINUTE, RECEIVED) == RECEIVED - 5 * MINUTE


def test_an_event_sent_at_once_happened_when_it_was_received() -> None:
    assert derived_at(RECEIVED - MINUTE, RECEIVED - MINUTE, RECEIVED) == RECEIVED


def test_an_event_that_happened_after_it_was_sent_counts_from_its_receipt() -> None:
    assert derived_at(RECEIVED, RECEIVED - dt.timedelta(microseconds=1), RECEIVED) == RECEIVED


@pytest.mark.parametrize(("occurred", "sent"), [(None, RECEIVED), (RECEIVED, None), (None, None)])
def test_an_event_without_both_client_times_counts_from_its_receipt(
    occurred: dt.datetime | None, sent: dt.datetime | None
) -> None:
    assert derived_at(occurred, sent, RECEIVED) == RECEIVED


def test_offsets_do_not_matter() -> None:
    occurred = dt.datetime(2026, 3, 1, 23, 0, tzinfo=dt.timezone(dt.timedelta(hours=14)))
    sent = dt.datetime(2026, 2, 28, 23, 30, tzinfo=dt.timezone(-dt.timedelta(hours=10)))
    assert derived_at(occurred, sent, RECEIVED) == RECEIVED - dt.timedelta(minutes=30)


def test_client_times_too_far_apart_for_any_calendar_count_from_the_receipt() -> None:
    assert derived_at(EARLIEST, LATEST, RECEIVED) == RECEIVED


@given(st.none() | instants, st.none() | instants, instants)
def test_no_client_clock_puts_an_event_after_its_receipt(
    occurred: dt.datetime | None, sent: dt.datetime | None, received: dt.datetime
) -> None:
    derived = derived_at(occurred, sent, received)
    assert derived <= received
    assert not is_future(derived, received)


def test_a_computed_instant_always_has_a_utc_date() -> None:
    received = dt.datetime(1, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=14)))
    computed = derived_at(RECEIVED, RECEIVED + dt.timedelta(hours=13), received)
    assert computed.astimezone(dt.UTC) == received


def test_twenty_four_hours_ahead_is_believed_and_more_is_future() -> None:
    assert dt.timedelta(hours=24) == FUTURE_LIMIT
    assert not is_future(RECEIVED + FUTURE_LIMIT, RECEIVED)
    assert is_future(RECEIVED + FUTURE_LIMIT + dt.timedelta(microseconds=1), RECEIVED)


def test_the_past_is_never_too_far() -> None:
    assert not is_future(EARLIEST, LATEST)
    assert is_future(LATEST, EARLIEST)
