"""What people ask for through the ingest API, which knows no tables: a file a request beside them, until a run takes it
up. What becomes of it then is in the requests of `privacy/`; of those only the state is known here, as they tell it.

This folder is all that the ingest API needs of the lake: where it may write nothing else, it still takes requests.
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
    told: str = ""
    """Of one that was taken up, the state of the request."""
    is_logged: bool = False
    """Whether the audit log has it."""

    @property
    def shown(self) -> str:
        """How far it is: `queued`, `refused`, `done`, or of one that was taken up what the request says."""
        return self.told or "open" if self.state == "taken" else self.state

    def closed(self, state: State, note: str = "", told: str = "") -> Asked:
        """The same once it is out of the queue: it names nobody any more."""
        return replace(self, state=state, note=note, told=told, users=(), devices=(), emails=())


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


def tell_asked(storage: Storage, id_: str, state: str) -> None:
    """Tells whoever asked how far the request is, if one was asked for under this id and taken up."""
    asked = read_asked(storage, id_)
    if asked is not None and asked.state == "taken" and asked.told != state:
        write_asked(storage, replace(asked, told=state))


def _place(id_: str) -> str:
    return f"{FOLDER}/{id_}.json"


def _text(asked: Asked) -> bytes:
    text = {**asdict(asked), "asked_at": asked.asked_at.isoformat(), "due": asked.due.isoformat()}
    return json.dumps(text, ensure_ascii=False).encode()
