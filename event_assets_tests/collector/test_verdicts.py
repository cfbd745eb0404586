"""The answer to a request says of every event what became of it, however its id is spelled."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from event_assets.collector.verdicts import Verdict, Verdicts
from event_assets_tests.examples import texts

IDS = texts(min_size=1) | st.sampled_from([",", '","', '"', "\\", "],[", "ü", "\u2028"])


@given(st.lists(IDS, min_size=1, max_size=6))
@example([",", ",", ","])
@example([',"', '",'])
def test_an_answer_names_every_accepted_event_by_its_id(ids: list[str]) -> None:
    answer = json.loads(Verdicts(list(ids)).answer())
    assert answer == {
        "accepted": len(ids),
        "rejected": 0,
        "dropped": 0,
        "retry": 0,
        "results": [{"event_id": one, "status": "accepted"} for one in ids],
    }


def test_other_verdicts_stand_in_their_places_and_are_counted() -> None:
    verdicts = Verdicts(["a", "b", "c", "d"])
    verdicts.put(1, Verdict(None, "rejected", "malformed_json", "cut"))
    verdicts.put(2, Verdict("c", "dropped", "consent_refused"))
    verdicts.put(3, Verdict("D", "accepted"))
    verdicts.retry(0, "stream_unavailable")
    assert [(each.event_id, each.status) for each in verdicts] == [
        *(("a", "retry"), (None, "rejected"), ("c", "dropped"), ("D", "accepted"))
    ]
    assert dict(verdicts.counts()) == {"rejected": 1, "dropped": 1, "accepted": 1, "retry": 1}
    answer = json.loads(verdicts.answer())
    assert (answer["accepted"], answer["rejected"], answer["dropped"], answer["retry"]) == (1, 1, 1, 1)
    assert answer["results"][0] == {"event_id": "a", "status": "retry", "reason": "stream_unavailable"}


def test_no_events_get_no_verdicts() -> None:
    assert json.loads(Verdicts([]).answer())["results"] == []
    with pytest.raises(IndexError):
        Verdicts([])[0]
