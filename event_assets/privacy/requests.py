"""What people asked for, each request a file beside the lake's tables: whom it concerns, until when it is to be done,
and how far it is. What is done is not known here.

While a request is open it names the ids that it is of; once it is done nothing of it names anybody any more.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from event_assets.lake.asked import tell_asked
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.lake.tombstones import ErasureRules, WrongPrivacyKey, read_tombstones, write_tombstones
from event_assets.permissions import keep_private
from event_assets.privacy.closure import Closure, KnownPeople, Named, closure_of
from event_assets.privacy.holds import active_holds, holding_ids
from event_assets.settings import Settings
from event_assets.settings.privacy import privacy_key_file

FOLDER = "privacy/requests"
State = Literal["open", "held", "waiting", "incomplete", "done"]
"""`held`: a legal hold covers it; `waiting`: tables have yet to take the erasure in; `incomplete`: the scan still found
something; see `note`."""


@dataclass(frozen=True)
class Request:
    """One request: the closure as it was when it was made, and what came of it so far."""

    id: str
    requested_at: dt.datetime
    deadline: dt.datetime
    closure: Closure
    state: State = "open"
    note: str = ""
    batch: str = ""
    people: dict[str, int] = field(default_factory=dict)
    """Counts of what was asked for, which stay when the ids are gone."""

    @property
    def is_open(self) -> bool:
        return self.state != "done"


def request_erasure(
    lake: Lake,
    settings: Settings,
    named: Named,
    now: dt.datetime,
    id_: str | None = None,
    known: KnownPeople | None = None,
) -> Request:
    """Makes a request, and the installation's key where there is none, and remembers whom it is of, from now on: what
    arrives of them from before is not written any more. With an id that there is, it takes the other's place. Who makes
    many gives what is `known` for all of them, and has looked at the key. Raises `LinkedUsers`, `WrongPrivacyKey`."""
    rules = ErasureRules.of(_with_key(lake.storage, settings))
    if known is None:
        read_tombstones(lake.storage, rules)
    request = preview_erasure(lake, settings, named, now, rules, known)
    request = replace(request, id=id_) if id_ else request
    hold = holding_ids(lake, active_holds(lake.storage), request.closure.users | request.closure.devices)
    if hold is not None:  # what arrives of the person is held, too: it is landed like everybody's
        request = replace(request, state="held", note=hold.sentence)
        write_request(lake.storage, request)
        return request
    # The request first: a tombstone without one would lose events that nobody asked to.
    write_request(lake.storage, request)
    write_tombstones(lake.storage, rules, request.id, now, request.closure.users, request.closure.devices)
    return request


def preview_erasure(
    lake: Lake,
    settings: Settings,
    named: Named,
    now: dt.datetime,
    rules: ErasureRules | None = None,
    known: KnownPeople | None = None,
) -> Request:
    """What `request_erasure` would make; nothing is written. Raises `LinkedUsers`."""
    closure = closure_of(lake, rules or ErasureRules.of(settings), named, known)
    people = {"users": len(closure.users), "devices": len(closure.devices), "shared_devices": len(closure.shared)}
    deadline = now + dt.timedelta(days=settings.privacy_deadline_days)
    return Request(f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}", now, deadline, closure, people=people)


def _with_key(storage: Storage, settings: Settings) -> Settings:
    """The same settings, once there is a key; for a lake that other machines write, too, no file of this one is it."""
    if settings.privacy_key is None and storage.is_s3:
        raise WrongPrivacyKey(
            f"{storage.uri()} may be written by several machines, each of which has to know who was erased: set "
            "EVENT_ASSETS_PRIVACY_KEY to one secret for all of them, and ask again."
        )
    file = privacy_key_file(settings.home)
    if settings.privacy_key is None and not file.exists():
        make_key(file)
    return settings


def make_key(file: Path) -> None:
    """Makes a key in a file for its owner alone. One that is there meanwhile stays."""
    keep_private(file.parent)
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    fresh.touch(mode=0o600)
    fresh.write_text(secrets.token_hex(32))
    try:
        file.hardlink_to(fresh)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def requests(storage: Storage) -> Iterator[Request]:
    """All requests, the oldest first."""
    paths = sorted(path for path, _ in storage.walk(FOLDER) if path.endswith(".json"))
    for path in paths:
        yield _read(storage.read(path))


def write_request(storage: Storage, request: Request) -> None:
    """Keeps a request, in the place of what was kept of it."""
    text = asdict(request)
    text["closure"] = {name: sorted(ids) for name, ids in text["closure"].items()}
    text |= {name: text[name].isoformat() for name in ("requested_at", "deadline")}
    storage.replace(f"{FOLDER}/{request.id}.json", json.dumps(text, ensure_ascii=False).encode())
    tell_asked(storage, request.id, request.state)


def done(request: Request, note: str) -> Request:
    """The request once it is done: it names nobody any more."""
    nobody = Closure(frozenset(), frozenset())
    return replace(request, state="done", note=note, closure=nobody)


def _read(text: bytes) -> Request:
    told: dict[str, Any] = json.loads(text)
    closure = Closure(**{name: frozenset(ids) for name, ids in told["closure"].items()})
    at = {name: dt.datetime.fromisoformat(told[name]) for name in ("requested_at", "deadline")}
    return Request(**{**told, **at, "closure": closure})
