"""Texts are found wherever they stand as a word, and nowhere else."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from event_assets.privacy.needles import SHORTEST, Needles, forms_of

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
    forms = forms_of(["Jane@Example.com"])
    assert {b"Jane@Example.com", b"jane@example.com", b"Jane%40Example.com"} <= forms
    assert b"8c87b489ce35cf2e2f39f80e282cb2e804932a56a213983eeeb428407d43b52d" in forms, "SHA-256 of jane@example.com"
