"""A small site's events in two batches, so that the second changes every table that the first has made: late events,
copies that were received earlier, ids that turn out to be one person, lines that nobody can read."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from typing import Any

from event_assets.contract.records import pack
from event_assets.streams import StreamRecord

DAYS = 4
"""No event happened more than so many days before today."""


def midnight() -> dt.datetime:
    """The start of today (UTC)."""
    return dt.datetime.combine(dt.datetime.now(dt.UTC).date(), dt.time(), dt.UTC)


class Visits:
    """Events counted back from a midnight, which is today's by default."""

    def __init__(self, until: dt.datetime | None = None) -> None:
        self._until = until or midnight()
        self._first = self._first_batch()
        self._second = self._second_batch()

    def first(self) -> list[StreamRecord]:
        return [*_records(self._first), StreamRecord("anna", b'{"event_id": "cut off')]

    def second(self) -> list[StreamRecord]:
        neighbour = self._page("carl-beside", "carl", 1, 120)
        return [
            *_records(self._second),
            StreamRecord("bert", gzip.compress(self._page("bert-in-half", "bert", 1, 110))[:-9]),
            StreamRecord("carl", b'{"event": "\xff"}\n' + neighbour),
        ]

    def _first_batch(self) -> list[bytes]:
        lines = []
        for number, who in enumerate(("anna", "bert", "carl", "dora")):
            for page in range(4):
                minutes = number * 300 + page * 12 - 20
                lines.append(self._page(f"{who}-{page}", who, 3, minutes))
                lines.append(self._page(f"{who}-{page}-ping", who, 3, minutes + 1, event="page_ping", page=page))
            lines.append(self._purchase(f"{who}-paid", who, 3, number * 300 + 40, 20 + number))
        lines.append(self._identify("anna-known", "anna", "u-anna", 3, 5))
        lines.append(self._identify("bert-known", "bert", "u-bert", 3, 310))
        lines.append(lines[0])
        lines.append(self._page("twice", "carl", 2, 30, received=90))
        return lines

    def _second_batch(self) -> list[bytes]:
        return [
            self._page("twice", "carl", 3, 640, received=-600),
            self._page("anna-bridge", "anna", 3, 45),
            self._page("anna-far", "anna", 3, 70),
            self._page("dora-0-moved", "dora", 2, 2, page=0),
            self._page("bert-new", "bert", 1, 100),
            self._page("emil-new", "emil", 1, 200),
            self._event("emil-cart", "add_to_cart", "emil", 1, 204),
            self._purchase("emil-paid", "emil", 1, 205, 99),
            self._identify("emil-known", "emil", "u-emil", 1, 206),
            self._event("one-person", "alias", "emil", 1, 207, user_id="u-emil", properties={"previous_id": "u-anna"}),
            self._event("unpaid", "purchase", "emil", 1, 208, properties={"order_id": "o", "revenue": -1}),
            *self._first_batch()[3:5],
        ]

    def _page(self, event_id: str, who: str, ago: int, minutes: int, *, page: int = -1, **more: Any) -> bytes:
        view = event_id if page < 0 else f"{who}-{page}"
        more.setdefault("event", "page_view")
        name = more.pop("event")
        url = f"https://shop.example/{view}"
        return self._event(event_id, name, who, ago, minutes, page_view_id=f"pv-{view}", page={"url": url}, **more)

    def _purchase(self, event_id: str, who: str, ago: int, minutes: int, revenue: float) -> bytes:
        paid = {"order_id": event_id, "revenue": revenue, "currency": "EUR"}
        return self._event(event_id, "purchase", who, ago, minutes, properties=paid)

    def _identify(self, event_id: str, who: str, user: str, ago: int, minutes: int) -> bytes:
        return self._event(event_id, "identify", who, ago, minutes, user_id=user, traits={"name": user})

    def _event(
        self, event_id: str, name: str, who: str, ago: int, minutes: int, *, received: int = 1, **more: Any
    ) -> bytes:
        """An event so many minutes into the day `ago` days back, received so many minutes later."""
        happened = self._until - dt.timedelta(days=ago) + dt.timedelta(minutes=minutes)
        fields = {
            "event_id": event_id,
            "event": name,
            "anonymous_id": who,
            "platform": "web",
            "occurred_at": happened.isoformat(),
            "received_at": (happened + dt.timedelta(minutes=received)).isoformat(),
            "derived_at": happened.isoformat(),
            **more,
        }
        return json.dumps(fields).encode()


def _records(lines: list[bytes]) -> list[StreamRecord]:
    """Records of five events each, under keys of different shards."""
    groups = [lines[start : start + 5] for start in range(0, len(lines), 5)]
    return [StreamRecord(f"key-{n}", data) for n, group in enumerate(groups) for data in pack(group)]
