"""The audit log: a file an entry beside the lake's tables, numbered without a gap, each with the hash of the last one.

Whoever changes, takes out or puts in an entry breaks the chain from there on. With a key the hashes are keyed, so that
nobody without it can make another chain that holds. That the last entries were cut off is told by the head beside it,
by receipts of erasures and, where there is one, by an anchor (`heads`).
"""

from __future__ import annotations

import datetime as dt
import getpass
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from event_assets.audit.heads import Head, anchor, anchored, read_head, write_head
from event_assets.lake.storage import Storage
from event_assets.settings import Settings
from event_assets.settings.privacy import privacy_key_file

FOLDER = "audit"
Action = Literal[
    "key_created",
    "key_revoked",
    "roles_applied",
    "sql_run",
    "analysis_explored",
    "person_looked_for",
    "segment_exported",
    "erasure_requested",
    "access_requested",
    "people_erased",
    "hold_added",
    "hold_released",
    "retention_applied",
    "person_exported",
    "traits_corrected",
]
_FIRST = "0" * 64
_ATTEMPTS = 50
_FIRST_HEADS = 2
"""A log of so many entries may have no head yet: whoever wrote the first was killed before that. Another's was taken
away."""


class AuditFault(RuntimeError):
    """The log is not what was written. The message names the entry."""


@dataclass(frozen=True)
class Entry:
    """What was done: when (UTC), by whom, to what. `hash` is of all else, `previous` the hash of the entry before."""

    number: int
    at: str
    by: str
    action: Action
    of: str
    said: Mapping[str, Any] = field(default_factory=dict)
    previous: str = _FIRST
    hash: str = ""
    key: str = ""
    """Tells by which key it is hashed; empty: by none."""


class AuditLog:
    """The log of one lake. Safe for several writers: a number is taken once."""

    def __init__(self, storage: Storage, key: bytes = b"", anchor: Storage | None = None) -> None:
        self._storage = storage
        self._key = key
        self._anchor = anchor

    def append(self, action: Action, of: str, by: str | None = None, **said: Any) -> Entry:
        """Adds an entry, durably. `by` is by default who runs this process, on which machine."""
        for _ in range(_ATTEMPTS):
            last = self._last()
            number, previous = (last.number + 1, last.hash) if last else (1, _FIRST)
            if last is not None and last.key and last.key != self._key_check:
                raise AuditFault(
                    "The audit log is kept by the installation's key, and this process has none, or another: set "
                    "EVENT_ASSETS_PRIVACY_KEY to it, or put <home>/privacy.key there."
                )
            at = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
            entry = self._bound(Entry(number, at, by or this_user(), action, of, said, previous, key=self._key_check))
            try:
                self._storage.create(_place(number), json.dumps(asdict(entry), ensure_ascii=False).encode())
            except FileExistsError:  # somebody else's entry came first
                continue
            self._keep_head(entry)
            return entry
        raise AuditFault(f"The audit log took no entry in {_ATTEMPTS} attempts: others are written all the time.")

    def entries(self) -> Iterator[Entry]:
        """All entries, the oldest first. Raises `AuditFault` at one that cannot be read."""
        return map(self._entry, self._numbers())

    def newest(self) -> Head | None:
        """Where the log ends now, for who keeps that elsewhere; None where there is no entry."""
        last = self._last()
        return Head(last.number, last.hash) if last else None

    def verify(self, seen: Mapping[str, str] = MappingProxyType({})) -> Entry | None:
        """The newest entry, once all are as they were written and those are there that the head, the anchor or others
        have `seen` (hashes, each with who names it); None where there is none. Raises `AuditFault`.

        Entries from before the installation had a key are hashed by none; after the first that is by a key, none is.
        """
        told = {**self._told(), **seen}  # first: who adds an entry meanwhile tells of it afterwards
        last: Entry | None = None
        for number, entry in enumerate(self.entries(), 1):
            if entry.number != number:
                raise AuditFault(f"Entry {number} of the audit log is missing.")
            if entry.key and entry.key != self._key_check:
                raise AuditFault(f"Entry {number} of the audit log is of another key than EVENT_ASSETS_PRIVACY_KEY.")
            if last is not None and last.key and not entry.key:
                raise AuditFault(f"Entry {number} of the audit log was written without the key of those before it.")
            if not hmac.compare_digest(entry.hash, self._hash(entry)):
                raise AuditFault(f"Entry {number} of the audit log was changed.")
            if entry.previous != (last.hash if last else _FIRST):
                raise AuditFault(f"Entry {number} of the audit log does not follow the one before it.")
            last = entry
            told.pop(entry.hash, None)
        for hash_, by in told.items():
            raise AuditFault(
                f"The audit log has {last.number if last else 0} entries, and not the one that {by} names "
                f"({hash_[:16]}…): its newest entries were cut off, or are others than they were."
            )
        self._require_head(last)
        return last

    def _told(self) -> dict[str, str]:
        """The entries that the head and the anchor name."""
        named = dict.fromkeys(anchored(self._anchor), "the anchor") if self._anchor else {}
        head = self._head()
        return {**named, head.hash: "its head"} if head else named

    def _require_head(self, last: Entry | None) -> None:
        head = self._head()
        if last is not None and head is None:
            raise AuditFault("The audit log has no head (audit/head): who took it away may have cut off entries, too.")
        if last is not None and head is not None and last.key and not head.is_signed_by(self._key):
            raise AuditFault("The head of the audit log (audit/head) was not signed by the key of its entries.")

    def _head(self) -> Head | None:
        try:
            return read_head(self._storage)
        except ValueError as fault:
            raise AuditFault(f"The head of the audit log (audit/head) cannot be read: {fault}") from None

    def _keep_head(self, entry: Entry) -> None:
        """Tells that this is the newest, unless what is told of entries before is not so: that stays, to be seen."""
        if self._anchor:
            anchor(self._anchor, entry.number, entry.hash)
        with suppress(AuditFault):
            head = self._head()
            if entry.number <= _FIRST_HEADS if head is None else self._has(head, before=entry):
                write_head(self._storage, Head(entry.number, entry.hash).signed(self._key))

    def _has(self, head: Head, before: Entry) -> bool:
        if head.number == before.number - 1:
            return head.hash == before.previous
        return head.number < before.number and head.hash == self._entry(head.number).hash

    def _last(self) -> Entry | None:
        number = max(self._numbers(), default=None)
        return None if number is None else self._entry(number)

    def _numbers(self) -> list[int]:
        names = (path.rpartition("/")[2] for path, _ in self._storage.walk(FOLDER))
        return sorted(int(name.removesuffix(".json")) for name in names if name.endswith(".json"))

    def _entry(self, number: int) -> Entry:
        try:
            return Entry(**json.loads(self._storage.read(_place(number))))
        except (ValueError, TypeError, FileNotFoundError) as fault:
            raise AuditFault(f"Entry {number} of the audit log cannot be read: {fault}") from None

    def _bound(self, entry: Entry) -> Entry:
        return Entry(**{**asdict(entry), "hash": self._hash(entry)})

    def _hash(self, entry: Entry) -> str:
        told = {name: value for name, value in asdict(entry).items() if name != "hash" and (name != "key" or value)}
        text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        return (hmac.new(self._key, text, hashlib.sha256) if entry.key else hashlib.sha256(text)).hexdigest()

    @property
    def _key_check(self) -> str:
        """Tells one key from another, and nothing of the key."""
        return hmac.new(self._key, b"event-assets audit log", hashlib.sha256).hexdigest()[:16] if self._key else ""


def audit_log(settings: Settings) -> AuditLog:
    """The log of these settings' lake, by the installation's key if it has one."""
    named, file = settings.privacy_key, privacy_key_file(settings.home)
    key = named.get_secret_value().encode() if named else file.read_bytes().strip() if file.exists() else b""
    return AuditLog(Storage(settings.lake, settings.aws_region, settings.s3_endpoint_url), key, anchor_of(settings))


def anchor_of(settings: Settings) -> Storage | None:
    """Where else entries are named, by these settings."""
    url = settings.audit_anchor_url
    return Storage(url, settings.aws_region, settings.s3_endpoint_url) if url else None


def this_user() -> str:
    """Who runs this process, on which machine."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def _place(number: int) -> str:
    return f"{FOLDER}/{number:010d}.json"
