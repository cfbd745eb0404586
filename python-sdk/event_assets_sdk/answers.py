"""What an answer of the collector means for the events of its request. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from event_assets_sdk.backoff import retry_after

_SENT_AGAIN = frozenset({408, 429})
_BAD_BODY = frozenset({400, 413, 422, 431})
_FINAL = ("accepted", "rejected", "dropped")

Next = Literal["go_on", "try_again", "split", "hold"]


class Answer(NamedTuple):
    """An HTTP answer; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAnswer(NamedTuple):
    """Nobody knows whether the request was taken. `detail`: what happened instead of an answer."""

    detail: str


class FinalVerdict(NamedTuple):
    """What became of one event, for good."""

    event_id: str
    status: Literal["accepted", "rejected", "dropped"]
    reason: str = ""


class Meaning(NamedTuple):
    """The final verdicts, at the events' places in the request, and what to do next.

    `go_on`; `try_again` after a wait with what got no final verdict; `split`: something in the body cannot be taken,
    send fewer; `hold`: no request will be taken, repeating it is of no use. `detail` says why.
    """

    verdicts: Mapping[int, FinalVerdict]
    next: Next
    detail: str = ""
    wait: float | None = None


def meaning_of(answer: Answer | NoAnswer, event_ids: Sequence[str]) -> Meaning:
    """The meaning of an answer to a request of these events.

    A success without a verdict on each event is none: a captive portal or a proxy answers 200 too.
    """
    if isinstance(answer, NoAnswer):
        return Meaning({}, "try_again", f"there was no answer: {answer.detail}")
    results = _results(answer.body, event_ids)
    if results is not None:
        verdicts = {place: verdict for place, verdict in enumerate(results) if verdict is not None}
        if len(verdicts) == len(event_ids):
            return Meaning(verdicts, "go_on")
        return Meaning(verdicts, "try_again", _said(answer), retry_after(answer.headers))
    if answer.status in _BAD_BODY:
        return Meaning({}, "split", _said(answer))
    if answer.status < 300 or answer.status in _SENT_AGAIN or answer.status >= 500:
        return Meaning({}, "try_again", _said(answer), retry_after(answer.headers))
    return Meaning({}, "hold", _said(answer))


def _results(body: bytes, event_ids: Sequence[str]) -> list[FinalVerdict | None] | None:
    """A verdict on each event, None where it is to be sent again; None at all where the body has not one for each."""
    try:
        results = json.loads(body)["results"]
        if len(results) != len(event_ids):
            return None
        return [_verdict(result, event_id) for result, event_id in zip(results, event_ids, strict=True)]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _verdict(result: Mapping[str, Any], event_id: str) -> FinalVerdict | None:
    if result["event_id"] not in (event_id, None):
        raise ValueError("the verdicts are on other events")
    status = result["status"]
    if status == "retry":
        return None
    if status not in _FINAL:
        raise ValueError(f"{status} is no verdict")
    said = (str(result[name]) for name in ("reason", "detail") if result.get(name))
    return FinalVerdict(event_id, status, ": ".join(said))


def _said(answer: Answer) -> str:
    """The status and how the body begins."""
    where = answer.headers.get("location")
    text = f"a redirect to {where}" if where else " ".join(answer.body[:300].decode("utf-8", "replace").split())
    return f"HTTP {answer.status} {text}".strip()
