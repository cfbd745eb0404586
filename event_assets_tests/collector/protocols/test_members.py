"""JSON that no parser takes: read where only its numbers are none, refused where it is broken besides."""

from __future__ import annotations

import pytest

from event_assets.collector.protocols.members import Members
from event_assets.collector.protocols.protocol import Unreadable


def test_numbers_that_json_has_not_are_read_as_none() -> None:
    members = Members.of(b'{"a":NaN,"b":{"c":[-Infinity]},"text":"NaN"}')
    assert (members.raw("a"), members.raw("b"), members.text("text")) == (None, b'{"c":[null]}', "NaN")


@pytest.mark.parametrize("text", [b'{"a":"NaN"', b'{"a":NaN', b"NaN", b'{"a":xNaN}', b'["Infinity"]'])
def test_what_is_broken_besides_is_refused(text: bytes) -> None:
    with pytest.raises(Unreadable):
        Members.of(text)
