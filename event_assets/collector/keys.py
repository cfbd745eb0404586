"""Write keys and read keys: who may send events, or ask for segments, from where, and how many. No HTTP here.

Keys are public by nature (they ship inside web pages and apps), so one that writes never reads, and one that reads says
which segments it may be told of.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import hmac
import logging
import os
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

import msgspec

from event_assets.collector.key_store import NO_KEYS, KeyCopy, KeyStore, KeyStoreError
from event_assets.collector.key_stores import key_store_of
from event_assets.contract.event import Platform
from event_assets.permissions import keep_private
from event_assets.settings import Settings

log = logging.getLogger(__name__)

Trust = Literal["ip", "user_agent", "time"]
"""What of an event a source may be believed: whose address it has, with what it was sent, when it was received and
happened."""
TRUSTS: tuple[Trust, ...] = get_args(Trust)
KEY_PREFIX = "ea"
_RELOAD_SECONDS = 1.0
_NO_HASH = "0" * 64
_ID = re.compile("[0-9a-f]{12}")
_HASH = re.compile("[0-9a-f]{64}")


class KeyFileError(ValueError):
    """The file of write keys cannot be read. The message names the file."""


class Source(msgspec.Struct, frozen=True, omit_defaults=True):
    """One source of events, as it is kept: the hash of its key, and what the key allows.

    `allowed_origins` are the web origins whose pages may send with it (`*`: every one); requests without an `Origin`
    are not bound by it. `events_per_second` bounds its events, None leaves them unbounded. A `trusted` source relays
    events of others: it may set `ip`, user agent, `received_at` and `derived_at`; one that `trusts` names some of these
    may set those alone. A source with a `signing_secret` must sign every request. One that `reads`
    segments (`*`: every one) sends no events; `events_per_second` then bounds the people that it asks for. One that is
    `for_privacy` does nothing but to say what people ask for, and signs.
    """

    id: str
    name: str
    platform: Platform
    key_hash: str
    created_at: dt.datetime
    allowed_origins: tuple[str, ...] = ()
    events_per_second: float | None = None
    trusted: bool = False
    trusts: tuple[Trust, ...] = ()
    signing_secret: str | None = None
    reads: tuple[str, ...] = ()
    for_privacy: bool = False
    revoked_at: dt.datetime | None = None

    def allows_origin(self, origin: str) -> bool:
        """Whether a page of this web origin may send with the key."""
        return "*" in self.allowed_origins or origin in self.allowed_origins

    @property
    def believed(self) -> frozenset[Trust]:
        """What of its events is believed."""
        return frozenset(TRUSTS if self.trusted else self.trusts)

    def may_read(self, segment: str) -> bool:
        """Whether it may be told who is in this segment."""
        return "*" in self.reads or segment in self.reads


class _KeyFile(msgspec.Struct):
    keys: list[Source] = []


class WriteKeys:
    """The write keys in one JSON file, shared by every process that serves or manages them. With a `store` the file
    is this machine's copy of what that holds.

    A change by another process is seen within a second. A file that cannot be read any more changes nothing: the keys
    read before hold, and `fault` says what is wrong. Without such (`were_read`) whoever asks gets a `KeyFileError`.
    Safe to use from several threads and processes.
    """

    def __init__(self, path: Path, store: KeyStore | None = None) -> None:
        self._path = path
        self._copy = None if store is None else KeyCopy(store, path, _put)
        self._sources: dict[str, Source] = {}
        self._origins: frozenset[str] = frozenset()
        self._stamp: tuple[int, int, int] | None = None
        self._next_look = 0.0
        self.fault: str | None = None
        self.were_read = False

    @classmethod
    def of(cls, settings: Settings) -> WriteKeys:
        """The keys that the settings name: of a store of AWS, or under the home folder."""
        return cls(settings.home / "keys.json", key_store_of(settings))

    def create(
        self,
        name: str,
        platform: Platform,
        trusted: bool = False,
        *,
        trusts: tuple[Trust, ...] = (),
        signed: bool = False,
        allowed_origins: tuple[str, ...] = (),
        events_per_second: float | None = None,
        reads: tuple[str, ...] = (),
        for_privacy: bool = False,
    ) -> str:
        """Makes a key and gives its plain text, which is shown this once: `ea_<id>_<secret>`.

        The file keeps its SHA-256 hash. With `signed`, the client must sign each request (see `signatures`); since
        checking a signature takes the secret, the file keeps that key itself, and is readable by its owner only.
        """
        key_id, secret = secrets.token_hex(6), secrets.token_hex(20)
        key = f"{KEY_PREFIX}_{key_id}_{secret}"
        source = Source(
            id=key_id,
            name=name,
            platform=platform,
            key_hash=_hash(key),
            created_at=dt.datetime.now(dt.UTC),
            allowed_origins=tuple(allowed_origins),
            events_per_second=events_per_second,
            trusted=trusted,
            trusts=tuple(trusts),
            signing_secret=key if signed or for_privacy else None,
            reads=tuple(reads),
            for_privacy=for_privacy,
        )
        self._change(lambda sources: sources | {key_id: source})
        return key

    def revoke(self, key_or_id: str) -> bool:
        """Ends a key, named by its plain text or its id. False if there is no such key in force."""
        key_id = _id_of(key_or_id) or key_or_id
        was_in_force = False

        def ended(sources: dict[str, Source]) -> dict[str, Source]:
            nonlocal was_in_force
            source = sources.get(key_id)
            was_in_force = source is not None and source.revoked_at is None
            if source is None or source.revoked_at is not None:
                return sources
            return sources | {key_id: msgspec.structs.replace(source, revoked_at=dt.datetime.now(dt.UTC))}

        self._change(ended)
        return was_in_force

    def sources(self) -> list[Source]:
        """All sources, revoked ones too, in the order in which they were made."""
        self._look()
        return list(self._sources.values())

    def find(self, key: str) -> Source | None:
        """The source of a write key's plain text; None if there is none, it is revoked, or it has to sign."""
        source = self._in_force(key)
        return source if source is not None and not source.reads else None

    def find_reading(self, key: str) -> Source | None:
        """The source of a read key's plain text; None if there is none, or it is revoked."""
        source = self._in_force(key)
        return source if source is not None and source.reads else None

    def _in_force(self, key: str) -> Source | None:
        self._look()
        source = self._sources.get(_id_of(key) or "")
        matches = hmac.compare_digest(source.key_hash if source else _NO_HASH, _hash(key))
        if source is None or not matches or source.revoked_at is not None or source.signing_secret is not None:
            return None
        return source

    def find_signing(self, key_id: str) -> Source | None:
        """The source that signs events under this id (`ea_<id>`), if the key is in force."""
        source = self._signing(key_id)
        return source if source is not None and not source.for_privacy else None

    def find_for_privacy(self, key_id: str) -> Source | None:
        """The source that signs what people ask for under this id (`ea_<id>`), if the key is in force."""
        source = self._signing(key_id)
        return source if source is not None and source.for_privacy else None

    def _signing(self, key_id: str) -> Source | None:
        self._look()
        source = self._sources.get(key_id.removeprefix(f"{KEY_PREFIX}_"))
        if source is None or source.signing_secret is None or source.revoked_at is not None:
            return None
        return source

    def allows_origin(self, origin: str) -> bool:
        """Whether any key in force allows this web origin. A CORS preflight names no key."""
        self._look()
        return "*" in self._origins or origin in self._origins

    def names_origin(self, origin: str) -> bool:
        """Whether any key in force allows this web origin by its name, not by `*`."""
        self._look()
        return origin in self._origins

    def look(self) -> None:
        """Reads the file if it has changed and was not looked at within a second. Never raises."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _RELOAD_SECONDS
        try:
            self._load()
        except (KeyFileError, KeyStoreError) as error:
            if self.fault is None:
                log.error("the write keys cannot be read", extra={"reason": str(error)})
            self.fault = str(error)

    def _look(self) -> None:
        self.look()
        if self.fault is not None and not self.were_read:
            raise KeyFileError(self.fault)

    def _load(self) -> None:
        if self._copy is not None:
            keep_private(self._path.parent)
            self._copy.follow()
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._take({}, None)
            return
        except OSError as error:
            raise _unreadable(self._path, error) from None
        stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if stamp != self._stamp or self.fault is not None:
            self._take(_read(self._path), stamp)

    def _take(self, sources: dict[str, Source], stamp: tuple[int, int, int] | None) -> None:
        live = [source for source in sources.values() if source.revoked_at is None]
        self._sources, self._stamp, self.fault, self.were_read = sources, stamp, None, True
        self._origins = frozenset(origin for source in live for origin in source.allowed_origins)

    def _change(self, change: Callable[[dict[str, Source]], dict[str, Source]]) -> None:
        """Puts what this makes of the sources, as they are in the file or in the store, in their place, whole or not at
        all."""

        def changed(data: bytes) -> bytes:
            sources = change(_parsed(data, self._path))
            return msgspec.json.format(msgspec.json.encode(_KeyFile(list(sources.values()))), indent=2)

        keep_private(self._path.parent)
        with open(os.open(self._path.with_suffix(".lock"), os.O_WRONLY | os.O_CREAT, 0o600), "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                if self._copy is not None:
                    self._copy.change(changed)
                else:
                    _put(self._path, changed(_bytes_of(self._path) if self._path.exists() else NO_KEYS))
            except KeyStoreError as error:
                raise KeyFileError(str(error)) from None
        self._next_look = 0.0


def _read(path: Path) -> dict[str, Source]:
    return _parsed(_bytes_of(path), path)


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None


def _parsed(data: bytes, path: Path) -> dict[str, Source]:
    try:
        sources = msgspec.json.decode(data, type=_KeyFile).keys
        wrong = next((source.name for source in sources if not _is_well_formed(source)), None)
        if wrong is not None:
            raise msgspec.ValidationError(f"the key {wrong!r} has an id or a hash that no key has")
        return {source.id: source for source in sources}
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise KeyFileError(
            f"{path} is not a file of write keys ({error}): put it back from a backup, or delete it and make new keys "
            "with `event-assets keys create`."
        ) from None


def _put(path: Path, data: bytes) -> None:
    """Puts a new file in the place of the old one, whole or not at all."""
    fresh = path.with_suffix(f".{os.getpid()}.new")
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise KeyFileError(
            f"{path} cannot be written ({error.strerror}): make room on its disk, or give this user the right to "
            f"write to {path.parent}. The keys are as they were."
        ) from None


def _is_well_formed(source: Source) -> bool:
    return bool(_ID.fullmatch(source.id) and _HASH.fullmatch(source.key_hash))


def _unreadable(path: Path, error: OSError) -> KeyFileError:
    return KeyFileError(f"{path} cannot be read ({error.strerror}): give this user the right to read it.")


def _hash(key: str) -> str:
    """Keys are 160 random bits: a plain hash of one cannot be guessed back."""
    return hashlib.sha256(key.encode()).hexdigest()


def _id_of(key: str) -> str | None:
    parts = key.split("_")
    return parts[1] if len(parts) == 3 and parts[0] == KEY_PREFIX else None
