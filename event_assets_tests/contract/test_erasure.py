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
from event_assets.contract.erasure import (
    ERASED,
    IsErased,
    Owner,
    erased_in_record,
    erased_lines,
    owner_of,
    without_lines,
)
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


def without_erased(data: bytes, key: str, is_erased: IsErased) -> tuple[bytes, list[int]] | None:
    """What is left of a record, and the places of the lines that went."""
    gone = [line for line, _ in erased_in_record(data, key, NOW, is_erased, NONE)]
    return (without_lines(data, gone).data, gone) if gone else None


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
    left = without_erased(record, "k", lambda owner: owner.user_id in gone)
    if not gone.intersection(users):
        assert left is None
        return
    assert left is not None
    data, places = left
    assert unpack(data) == [ERASED if user in gone else kept for user, kept in zip(users, lines, strict=True)]
    assert places == [place for place, user in enumerate(users) if user in gone]
    assert count_events(data) == len(lines)
    assert without_lines(data, places) == (data, 0), "what has gone does not go again"
    assert data[:2] == record[:2]
    assert without_erased(data, "k", lambda owner: owner.user_id in gone) is None


@given(st.lists(st.tuples(IDS, IDS, TIMES, st.sampled_from([b"", b"{", b'{"user_id":3,']))), st.sets(IDS))
def test_lines_are_erased_as_by_whose_each_of_them_is(
    said: list[tuple[str | None, str | None, str | None, bytes]], gone: set[str | None]
) -> None:
    whole = [(cut, line(user_id=user, anonymous_id=device, occurred_at=at)) for user, device, at, cut in said]
    lines = [cut + text[len(cut) :] for cut, text in whole]

    def is_erased(owner: Owner) -> bool:
        return (owner.user_id or owner.anonymous_id) in gone - {None} and owner.at < NOW - dt.timedelta(hours=3)

    owners = [(place, owner_of(text, NOW, NONE)) for place, text in enumerate(lines)]
    assert erased_lines(lines, NOW, is_erased, NONE) == [each for each in owners if is_erased(each[1])]


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
    assert without_erased(broken, "u1", lambda owner: owner.user_id == "u1") == (ERASED, [0])
    assert without_erased(broken, "u2", lambda owner: owner.user_id == "u1") is None


def test_a_placeholder_is_json_that_names_nobody() -> None:
    assert msgspec.json.decode(ERASED) == {"erased": "person"}
