"""A platform that knows some people, and runs of what they ask for."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.lake.tombstones import ErasureRules
from event_assets.privacy.closure import Named
from event_assets.privacy.refreshing import refresh_behind
from event_assets.privacy.requests import Request, request_erasure
from event_assets.privacy.run import Outcome, Surroundings, run_erasures
from event_assets.settings.privacy import privacy_key_file
from event_assets_tests.pipeline.pipeline import Pipeline

Row = dict[str, Any]


def event(number: int, user: str | None, device: str | None, name: str = "page_view", **fields: Any) -> bytes:
    """One event of March 2026; `at` is its day, hour and minute."""
    at = "2026-03-{:02}T{:02}:{:02}:00Z".format(*fields.pop("at", (2, 10, number % 60)))
    shown = {"event_id": f"e{number:06}", "event": name, "anonymous_id": device, "user_id": user, "platform": "web"}
    return json.dumps({**shown, "derived_at": at, "received_at": at, **fields}).encode()


def events_of(people: Iterable[int]) -> list[bytes]:
    """What these people did on three days: views before and after they signed in, an order, a mail address; and a line
    of each that is cut off."""
    lines = []
    for person in people:
        user, device, number = f"user-{person:04}", f"device-{person:04}", person * 100
        for view in range(6):
            at = (1 + view % 3, 10, view)
            lines.append(event(number + view, user if view > 1 else None, device, at=at, page={"url": "https://x.y/a"}))
        mail = {"email": f"mail{person:04}@example.com"}
        agreed = {"marketing": True, "source": "banner"}
        lines.append(event(number + 10, user, device, "identify", at=(3, 11, 0), traits=mail, consent=agreed))
        bought = {"order_id": f"o{person}", "revenue": 3.5}
        lines.append(event(number + 11, user, device, "purchase", at=(3, 11, 1), properties=bought))
        lines.append(b'{"event_id":"cut","event":"x","user_id":"%b","pla' % user.encode())
    return lines


def names_of(person: int) -> tuple[bytes, ...]:
    """What names the person anywhere."""
    return b"user-%04d" % person, b"device-%04d" % person, b"mail%04d@example.com" % person


def rows_of(pipeline: Pipeline) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    tables = [spec.name for spec in LAKE_TABLES if pipeline.lake.table(spec.name).exists()]
    return {name: [json.dumps(row, default=str) for row in pipeline.rows(name)] for name in tables}


def naming(rows: dict[str, list[str]], people: Collection[int]) -> dict[str, int]:
    """How many rows of each table name one of the people."""
    names = [name.decode() for person in people for name in names_of(person)]
    counts = {table: sum(any(name in row for name in names) for row in each) for table, each in rows.items()}
    return {table: count for table, count in counts.items() if count}


def ask(pipeline: Pipeline, *people: int, **named: Any) -> list[Request]:
    """A request for each of them, made now."""
    now = dt.datetime.now(dt.UTC)
    return [
        request_erasure(pipeline.lake, pipeline.settings, Named(users=(f"user-{person:04}",), **named), now)
        for person in people
    ]


def run(pipeline: Pipeline, **more: Any) -> Outcome:
    """Works off what is asked for."""
    home = pipeline.settings.home

    def refresh(names: Collection[str]) -> None:
        refresh_behind(pipeline.refresh(), names)

    around: dict[str, Any] = {
        "lake": pipeline.lake,
        "rules": ErasureRules.of(pipeline.settings),
        "log": home / "stream.db",
        "refresh": refresh,
        "folders": (home,),
        "unread": (privacy_key_file(home),),
    }
    return run_erasures(Surroundings(**{**around, **more}))


def files_naming(folder: Path, people: Collection[int]) -> list[str]:
    """The files whose bytes name one of the people, as they are."""
    names = [name for person in people for name in names_of(person)]
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and any(name in path.read_bytes() for name in names):
            found.append(str(path.relative_to(folder)))
    return found
