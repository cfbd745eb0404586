from __future__ import annotations

import datetime as dt

import pytest

from event_assets.contract.decoder import Decoded, EventDecoder
from event_assets.contract.plan import TrackingPlan
from event_assets.contract.records import BadEncoding, unpack
from event_assets.contract.times import derived_at, is_future
from event_assets.settings import Settings
from event_assets.simulator.strays import Stray, strays

NOW = dt.datetime(2026, 11, 20, 15, 3, 11, tzinfo=dt.UTC)
RECORDS = strays(7, NOW)


@pytest.mark.parametrize("stray", RECORDS, ids=[stray.kind for stray in RECORDS])
def test_every_line_of_a_stray_record_has_the_fate_that_the_contract_gives_it(stray: Stray) -> None:
    try:
        lines = unpack(stray.data)
    except BadEncoding:
        assert [(line.fate, line.reason) for line in stray.lines] == [("quarantined", "bad_encoding")]
        return
    decoder = EventDecoder(TrackingPlan.load(Settings().plan))
    found = [_fate(decoder, line) for line in lines]
    assert found == [(line.fate, line.reason) for line in stray.lines]


def _fate(decoder: EventDecoder, line: bytes) -> tuple[str, str | None]:
    decoded = decoder.decode(line)
    if not isinstance(decoded, Decoded):
        return "quarantined", decoded.reason
    event = decoded.event
    received = event.received_at or NOW
    if is_future(derived_at(event.occurred_at, event.sent_at, received, event.derived_at), received):
        return "quarantined", "future"
    return "clean", None


def test_stray_records_are_the_same_for_the_same_seed() -> None:
    assert strays(7, NOW) == RECORDS


def test_plain_lines_and_a_bare_object_are_among_them() -> None:
    plain = {stray.kind for stray in RECORDS if stray.data.startswith(b"{")}
    assert plain == {"plain_ndjson", "bare_object"}
