"""In which segment a model puts somebody now: `POST /v1/segment`, by what they did before today and what their page saw
them do today.

Features and models come from the online table in one look; the features of the instant follow from them by the function
that training sets are made by, so that a model is asked with what it learned from.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from starlette.types import Receive, Scope, Send

from event_assets.collector import bodies
from event_assets.collector.access import Access, Caller
from event_assets.collector.buffer import Reservation
from event_assets.collector.errors import RequestRefused
from event_assets.collector.ingest import Header, Ingest
from event_assets.collector.limits import CollectorLimits
from event_assets.collector.people import LONGEST_ID, is_id
from event_assets.models.features import at_instant, day_of
from event_assets.models.scoring import Document, Scored, by_default, read_model, score
from event_assets.online import MODELS_ID, REFUSED, Fact, Found, OnlineError, OnlineTable, refusal_id
from event_assets.rules.feature import Feature

MOST_EVENTS, MOST_TIMES, LONGEST_EVENT = 200, 1_000_000, 128
_JSON: Header = (b"content-type", b"application/json")
_THREADS, _MODELS = 4, 64
_encode = msgspec.json.Encoder().encode
_Times = Annotated[int, msgspec.Meta(ge=0, le=MOST_TIMES)]


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    model: str = ""
    user_id: str | None = None
    anonymous_id: str | None = None
    today: dict[str, _Times] = {}


class SegmentScores:
    """Answers from the online table of features. Where it is slow or not there, events are taken as ever."""

    def __init__(
        self,
        ingest: Ingest,
        access: Access,
        online: OnlineTable,
        limits: CollectorLimits,
        known_as: Callable[[str], str] = str,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._ingest = ingest
        self._access = access
        self._online = online
        self._limits = limits
        self._known_as = known_as
        self._clock = clock
        self._threads: ThreadPoolExecutor | None = None

    def stop(self) -> None:
        """Ends the threads; the next request starts others."""
        if self._threads is not None:
            self._threads.shutdown(wait=False)
            self._threads = None

    async def segment(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`POST /v1/segment`, and its preflight."""
        await self._ingest.serve(scope, receive, send, self._segment)

    async def _segment(self, caller: Caller, receive: Receive, held: Reservation) -> tuple[int, Header, bytes]:
        source = self._access.reader_of(caller)
        asked = _read(await bodies.read_body(receive, self._limits, held.grow))
        ids = [id_ for id_ in (asked.user_id, asked.anonymous_id) if id_ is not None]
        if not all(map(is_id, ids)):
            raise RequestRefused(400, "bad_ids", f"an id is a text of 1 to {LONGEST_ID} characters")
        self._access.limit_reads(source, 1)
        ids = [*map(self._known_as, ids)]
        try:
            found = await self._find([*ids, *map(refusal_id, ids), MODELS_ID])
        except OnlineError:
            raise RequestRefused(503, "models_unavailable", "no model is known now", 30) from None
        known = {fact.name: fact.value for fact in found.facts[MODELS_ID] if source.may_read(fact.name)}
        name = asked.model or (next(iter(known)) if len(known) == 1 else "")
        if name not in known:
            told = ", ".join(sorted(known)) or "none"
            raise RequestRefused(404, "unknown_model", f"`model` names one that the key may ask; there are: {told}")
        if any(found.facts[refusal_id(id_)] for id_ in ids):
            model, _ = _model(known[name])
            return 200, _JSON, _encode(_told(model, by_default(model, REFUSED), found.made_at, by="default"))
        # The facts of a user id come before those of a device, which others may have used.
        facts = next((facts for id_ in ids if (facts := found.facts[id_])), ())
        model, scored = answer(known[name], facts, asked.today, self._clock().date())
        return 200, _JSON, _encode(_told(model, scored, found.made_at))

    async def _find(self, ids: Sequence[str]) -> Found:
        if not self._online.waits:
            return self._online.find(ids)
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, "scores")
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._online.find, ids)


def answer(document: str, facts: Sequence[Fact], today: Mapping[str, int], date: dt.date) -> tuple[Document, Scored]:
    """What a model says on a day of somebody of whom these facts are known, and who did so much of it today."""
    model, features = _model(document)
    parts = {day_of(dt.date.fromisoformat(fact.name)): msgspec.json.decode(fact.value) for fact in facts}
    return model, score(model, at_instant(features, parts, day_of(date), today))


@lru_cache(_MODELS)
def _model(document: str) -> tuple[Document, Mapping[str, Feature]]:
    model = read_model(document.encode())
    return model, {name: Feature.of_document(said) for name, said in model.features.items()}


def _read(body: bytes) -> _Asked:
    try:
        asked = msgspec.json.decode(body, type=_Asked)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        example = '{"model": "comes_back", "anonymous_id": "a-1", "today": {"page_view": 2}}'
        raise RequestRefused(400, "bad_body", f"the body must be such as {example}") from None
    if len(asked.today) > MOST_EVENTS or any(not 0 < len(event) <= LONGEST_EVENT for event in asked.today):
        words = f"`today` has at most {MOST_EVENTS} names of events, of 1 to {LONGEST_EVENT} characters"
        raise RequestRefused(400, "bad_body", words)
    return asked


def _told(model: Document, scored: Scored, made_at: dt.datetime, by: str | None = None) -> dict[str, Any]:
    return {
        "model": model.name,
        "segment": scored.segment,
        "score": scored.score,
        "by": by or ("model" if model.promoted else "rule"),
        "reasons": [reason._asdict() for reason in scored.reasons],
        "trained_to": model.trained_to or None,
        "as_of": made_at.isoformat(),
    }
