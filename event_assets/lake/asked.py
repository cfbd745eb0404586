"""What people ask for through the ingest API, which knows no tables: a file a request beside them, until a run takes it
up. What becomes of it then is in the requests of `privacy/`; of those only the state is known here.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from event_assets.lake.storage import Storage

FOLDER = "privacy/asked"
REQUESTS = "privacy/requests"
"""Where requests are that were taken up, under the same ids."""
Kind = Literal["erasure", "access"]
State = Literal["queued", "taken", "refused", "done"]
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


@dataclass(frozen=True)
class Asked:
    """One request: what is asked for, when, by which key, and of whom, by ids as apps send them and addresses."""

    id: str
    kind: Kind
    asked_at: dt.datetime
    due: dt.datetime
    by: str
    users: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    device_events: Literal["keep", "erase"] = "keep"
    linked_users: Literal["keep", "erase"] | None = None
    state: State = "queued"
    note: str = ""

    def closed(self, state: State, note: str = "") -> Asked:
        """The same once it is out of the queue: it names nobody any more."""
        return replace(self, state=state, note=note, users=(), devices=(), emails=())


def keep_asked(storage: Storage, asked: Asked) -> Asked:
    """Puts it into the queue, durably, unless it is there. Gives it as it is there."""
    try:
        storage.create(_place(asked.id), _text(asked))
    except FileExistsError:
        return read_asked(storage, asked.id) or asked
    return asked


def write_asked(storage: Storage, asked: Asked) -> None:
    """Keeps it, in the place of what was kept of it."""
    storage.replace(_place(asked.id), _text(asked))


def read_asked(storage: Storage, id_: str) -> Asked | None:
    """The request of this id, if there is one."""
    if not _ID.fullmatch(id_):
        return None
    try:
        told: dict[str, Any] = json.loads(storage.read(_place(id_)))
    except FileNotFoundError:
        return None
    times = {name: dt.datetime.fromisoformat(told[name]) for name in ("asked_at", "due")}
    names = {name: tuple(told[name]) for name in ("users", "devices", "emails")}
    return Asked(**{**told, **times, **names})


def all_asked(storage: Storage) -> Iterator[Asked]:
    """All of them, the oldest first."""
    for path in sorted(path for path, _ in storage.walk(FOLDER) if path.endswith(".json")):
        asked = read_asked(storage, path.rpartition("/")[2].removesuffix(".json"))
        if asked is not None:
            yield asked


def state_of(storage: Storage, asked: Asked) -> str:
    """How far it is: `queued`, `refused`, or of one that was taken up what the request says."""
    if asked.state != "taken":
        return asked.state
    try:
        return str(json.loads(storage.read(f"{REQUESTS}/{asked.id}.json"))["state"])
    except FileNotFoundError:
        return "open"


def _place(id_: str) -> str:
    return f"{FOLDER}/{id_}.json"


def _text(asked: Asked) -> bytes:
    text = {**asdict(asked), "asked_at": asked.asked_at.isoformat(), "due": asked.due.isoformat()}
    return json.dumps(text, ensure_ascii=False).encode()
