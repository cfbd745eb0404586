"""Texts are found wherever they stand as a word, and nowhere else."""

from __future__ import annotations

import re

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from event_assets.privacy.needles import SHORTEST, Needles, digests_of, forms_of
from event_assets.transforms.sessions.session_bounds import Limits, SessionEvents

LETTERS = st.text("ab1-@. \0ü", min_size=1, max_size=9)
WORD = rb"[0-9A-Za-z_-]"


def naive(texts: set[bytes], data: bytes) -> int:
    found = 0
    for text in texts:
        before = rb"(?<!" + WORD + rb")" if re.match(WORD, text) else rb""
        after = rb"(?!" + WORD + rb")" if re.match(WORD, text[-1:]) else rb""
        found += len(re.findall(rb"(?=" + before + re.escape(text) + after + rb")", data))
    return found


@given(st.sets(LETTERS, max_size=4), st.lists(LETTERS, max_size=12))
def test_they_are_found_as_one_by_one(texts: set[str], parts: list[str]) -> None:
    wanted = {text.encode() for text in texts}
    data = "".join(parts).encode()
    long_enough = {text for text in wanted if len(text) >= SHORTEST}
    needles = Needles(wanted)
    assert needles.count(data) == naive(long_enough, data)
    assert needles.too_short == len(wanted - long_enough)


def test_an_id_within_a_longer_one_is_another() -> None:
    needles = Needles([b"user-12"])
    assert needles.count(b'{"user_id":"user-12"}') == 1
    assert needles.count(b'{"user_id":"user-123"}') == needles.count(b"the-user-12") == 0


def test_hashes_that_others_know_people_by_are_looked_for() -> None:
    names = ["Jane@Example.com"]
    assert {b"Jane@Example.com", b"jane@example.com", b"Jane%40Example.com"} <= forms_of(names)
    needles = Needles(forms_of(names), digests_of(names))
    digest = b"8c87b489ce35cf2e2f39f80e282cb2e804932a56a213983eeeb428407d43b52d"  # SHA-256 of jane@example.com
    assert needles.count(b'{"em":"%b"}' % digest) == needles.count(b"x%bx" % digest) == 1
    assert needles.count(digest[:16] + digest[:16]) == 0


def test_sessions_that_were_computed_of_an_id_are_looked_for() -> None:
    rows = pa.table(
        {
            "event_id": ["e"],
            **{name: pa.array([None], pa.string()) for name in ("session_id", "user_id")},
            "anonymous_id": ["device-1"],
            **{name: pa.array([1], pa.timestamp("us", "UTC")) for name in ("derived_at", "received_at", "occurred_at")},
            "sequence": pa.array([None], pa.int64()),
        }
    )
    [session] = SessionEvents(rows, Limits(1, 1, 1, 1)).session_ids.to_pylist()
    assert Needles((), digests_of(["device-1"])).count(f"to {session}, and on".encode()) == 1
    assert Needles((), digests_of(["device-2"])).count(session.encode()) == 0
