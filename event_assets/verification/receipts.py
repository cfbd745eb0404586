"""What consent_receipts has to be, of the events that count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from event_assets.verification.evidence import Evidence
from event_assets.verification.history import Event, History, microseconds
from event_assets.verification.report import Expectation, Key, Values, differing, equal

_PURPOSES = ("analytics", "marketing", "personalisation", "sell_or_share")
_COLUMNS = (
    *("person_id", "purpose", "event_id", "answered_at", "to_at", "is_current", "answer", "text_version", "source"),
    *("event", "received_at"),
)


def receipt_lines(evidence: Evidence, history: History) -> Iterator[Expectation]:
    """Lines about consent_receipts."""
    expected = {key: values for person in _people(history).items() for key, values in _of(*person)}
    rows = evidence.rows(f"SELECT {', '.join(_COLUMNS)} FROM lake_consent_receipts")
    yield equal("consent_receipts", "rows", len(expected), len(rows))
    found = ((row[:3], (*map(_moment, row[3:5]), *row[5:10], microseconds(row[10]))) for row in rows)
    yield differing("consent_receipts", "answers that were given otherwise", expected, found)


def _moment(at: float | None) -> int | None:
    return None if at is None else microseconds(at)


def _people(history: History) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = defaultdict(list)
    for event in sorted(history.events, key=lambda event: (event.at, event.received, event.event_id)):
        if event.person is not None:
            found[event.person].append(event)
    return found


def _of(person: str, events: list[Event]) -> Iterator[tuple[Key, Values]]:
    for purpose in _PURPOSES:
        column = f"consent_{purpose}"
        answered = [(event.fields[column], event) for event in events if event.fields.get(column) is not None]
        told: list[Event] = []
        for _, alike in groupby(answered, itemgetter(0)):
            told += _with_other_texts([event for _, event in alike])
        for place, event in enumerate(told):
            after = told[place + 1].at if place + 1 < len(told) else None
            answer, text = event.fields[column], event.fields.get("consent_text_version")
            said = (answer, text, _source(event, purpose, answer), event.event, event.received)
            yield (person, purpose, event.event_id), (event.at, after, place + 1 == len(told), *said)


def _with_other_texts(alike: list[Event]) -> list[Event]:
    """Of answers in a row that are the same, the first, and each with another text than was last told of."""
    told, last = alike[:1], alike[0].fields.get("consent_text_version")
    for event in alike[1:]:
        text = event.fields.get("consent_text_version")
        if text is not None and text != last:
            told.append(event)
            last = text
    return told


def _source(event: Event, purpose: str, answer: bool) -> str | None:
    if purpose == "sell_or_share" and event.fields.get("consent_gpc") and not answer:
        return "gpc"
    said: str | None = event.fields.get("consent_source")
    return said or ("server" if event.platform == "server" else None)
