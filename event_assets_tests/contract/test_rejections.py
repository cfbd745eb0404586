"""Why a text is no event, as a code: told by what is wrong first, whatever words the sentence has."""

from __future__ import annotations

import pytest
from msgspec import ValidationError

from event_assets.contract.decoder import EventDecoder, Rejection
from event_assets.contract.rejections import Reason, reason_of


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ('"event":"x"', "missing_field"),
        ('"event":"x","page":{"url":5}', "wrong_type"),
        ('"event":5,"platform":"tvv"', "wrong_type"),
        ('"platform":"tvv","event":5', "invalid_value"),
        ('"event":""', "invalid_value"),
        ('"event":null', "wrong_type"),
        ('"sequence":1.5', "wrong_type"),
        ('"sequence":-1', "invalid_value"),
        ('"sequence":1e999', "invalid_value"),
        ('"page":{"url":1e999}', "invalid_value"),
        ('"screen":{"width":1e20}', "invalid_value"),
        ('"occurred_at":"yesterday"', "invalid_value"),
        ('"occurred_at":7', "wrong_type"),
        ('"consent":{"analytics":"no"}', "wrong_type"),
        ('"ev\\u0065nt":5', "wrong_type"),
        ('"event":"x","event":5', "wrong_type"),
        ('"page":{"url":null,"title":7},"event":""', "wrong_type"),
    ],
)
def test_the_code_is_of_the_first_fault_and_of_no_word_of_the_sentence(fields: str, reason: Reason) -> None:
    line = f'{{"event_id":"e-1","anonymous_id":"a",{fields}}}'.encode()
    decoded = EventDecoder().decode(line)
    assert isinstance(decoded, Rejection) and decoded.reason == reason, decoded
    assert reason_of(line, ValidationError("some words")) == (reason, "some words")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"event_id":5,"event":', "wrong_type"),
        ('{"event_id":"e","user_id":{"url":', "wrong_type"),
        ('{"event_id":"e","unknown":tru}', "malformed_json"),
        ('{"event_id":"e","event', "malformed_json"),
        ("[1", "not_an_object"),
        ("7", "not_an_object"),
    ],
)
def test_of_a_text_that_breaks_off_what_came_first_counts(line: str, reason: Reason) -> None:
    decoded = EventDecoder().decode(line.encode())
    assert isinstance(decoded, Rejection) and decoded.reason == reason, decoded
