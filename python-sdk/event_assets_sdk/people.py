"""Which segments a person is in, as the collector tells whoever has a read key."""

from __future__ import annotations

import datetime as dt
import json
import urllib.error
import urllib.request
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import quote

from event_assets_sdk.transport import user_agent

_AT_ONCE = 100


class PeopleError(RuntimeError):
    """Nobody knows now who is in which segment. The message says why; `status` is the collector's, if it answered."""

    def __init__(self, detail: str, status: int | None = None) -> None:
        super().__init__(detail)
        self.status = status


class Stay(NamedTuple):
    """A segment that somebody is in, and since which day."""

    segment: str
    since: dt.date


class People:
    """Asks the collector at `endpoint` with a read key; waits at most `timeout` seconds. Safe to use from threads."""

    def __init__(self, endpoint: str, read_key: str, *, timeout: float = 2.0) -> None:
        if not endpoint.startswith(("http://", "https://")):
            raise ValueError(f"endpoint is {endpoint!r}: it must be an address, as https://events.example.com")
        self._url = f"{endpoint.rstrip('/')}/v1/people"
        self._headers = {"X-Read-Key": read_key, "User-Agent": user_agent(), "Content-Type": "application/json"}
        self._timeout = timeout

    def segments(self, person_id: str) -> list[Stay]:
        """The segments of a person, by a user id or an anonymous id; none of somebody unknown. Raises `PeopleError`."""
        return _stays(self._ask(f"/{quote(person_id, safe='')}/segments"))

    def segments_of(self, person_ids: Iterable[str]) -> dict[str, list[Stay]]:
        """The same of many people, by id, a hundred a request. Raises `PeopleError`."""
        ids = list(dict.fromkeys(person_ids))
        found: dict[str, list[Stay]] = {}
        for begin in range(0, len(ids), _AT_ONCE):
            answer = self._ask("/segments", json.dumps({"ids": ids[begin : begin + _AT_ONCE]}).encode())
            found |= {person["id"]: _stays(person) for person in answer["people"]}
        return found

    def _ask(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        request = urllib.request.Request(self._url + path, body, self._headers)
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as answer:
                found: dict[str, Any] = json.loads(answer.read())
                return found
        except urllib.error.HTTPError as refused:
            said = refused.read(300).decode("utf-8", "replace")
            raise PeopleError(f"HTTP {refused.code} {said}", refused.code) from None
        except (OSError, ValueError) as error:
            raise PeopleError(f"there was no answer: {error}") from None


def _stays(person: dict[str, Any]) -> list[Stay]:
    return [Stay(stay["segment"], dt.date.fromisoformat(stay["since"])) for stay in person["segments"]]
