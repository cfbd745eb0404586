"""Lines of erased people go from a record, and every other keeps its bytes and its place."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.decoder import EventDecoder, Rejection
from event_assets.contract.erasure import ERASED, Owner, owner_of, without_erased
from event_assets.contract.placeholders import Placeholders
from event_assets.contract.records import Encoding, count_events, pack, unpack

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
NONE = Placeholders()
IDS = st.sampled_from(["u1", "u2", "null", "", "a b", 'quo"te', "ü", None])
TIMES = st.sampled_from(
    ["2026-03-02T10:00:00Z", "2026-03-02T10:00:00+02:00", "2016-12-31T23:59:60Z", "2026-03-02", None]
)


def line(**fields: Any) -> bytes:
    return json.dumps({"event_id": "e", "event": "x", "platform": "web", **fields}).encode()


@given(st.dictionaries(st.sampled_from(["user_id", "anonymous_id"]), IDS), TIMES, TIMES, TIMES)
def test_an_event_that_is_clean_is_of_whom_cleaning_says(
    ids: dict[str, Any], occurred: str | None, sent: str | None, received: str | None
) -> None:
    text = line(**ids, occurred_at=occurred, sent_at=sent, received_at=received)
    decoded = EventDecoder().decode(text)
    owner = owner_of(text, NOW, NONE)
    if not isinstance(decoded, Rejection):
        assert (owner.user_id, owner.anonymous_id) == (decoded.event.user_id, decoded.event.anonymous_id)
        assert owner.at <= NOW


@given(
    st.lists(st.sampled_from(["u1", "u2", "u3"]), min_size=1, max_size=8),
    st.sets(st.sampled_from(["u1", "u2", "u3"])),
    st.sampled_from(["zstd", "gzip", "plain"]),
)
def test_every_other_line_keeps_its_bytes_and_its_place(users: list[str], gone: set[str], encoding: Encoding) -> None:
    lines = [line(user_id=user, n=number) for number, user in enumerate(users)]
    [record] = pack(lines, encoding)
    left = without_erased(record, "k", NOW, lambda owner: owner.user_id in gone, NONE)
    if not gone.intersection(users):
        assert left is None
        return
    assert left is not None
    assert unpack(left.data) == [ERASED if user in gone else kept for user, kept in zip(users, lines, strict=True)]
    assert left.lines == [place for place, user in enumerate(users) if user in gone]
    assert count_events(left.data) == len(lines)
    assert left.data[:2] == record[:2]
    assert without_erased(left.data, "k", NOW, lambda owner: owner.user_id in gone, NONE) is None


@pytest.mark.parametrize(
    ("text", "user"),
    [
        (b'{"event":"cut","user_id":"u1","pla', "u1"),
        (b'{"user_id" : "qu\\"ote", nonsense', 'qu"ote'),
        (b'{"properties":{"friend":"u1"},"cut', None),
        (b"\xff\xfe nothing", None),
        (b'["user_id","u1"]', None),
    ],
)
def test_a_line_that_is_no_json_is_of_whom_stands_beside_the_name_of_the_id(text: bytes, user: str | None) -> None:
    assert owner_of(text, NOW, NONE) == Owner(user, None, NOW)


def test_a_record_that_cannot_be_unpacked_is_of_whom_its_key_names() -> None:
    broken = pack([line(user_id="u1")], "gzip")[0][:-4]
    mine = without_erased(broken, "u1", NOW, lambda owner: owner.user_id == "u1", NONE)
    assert mine is not None
    assert (mine.data, mine.lines) == (ERASED, [0])
    assert without_erased(broken, "u2", NOW, lambda owner: owner.user_id == "u1", NONE) is None


def test_a_placeholder_is_json_that_names_nobody() -> None:
    assert msgspec.json.decode(ERASED) == {"erased": "person"}
