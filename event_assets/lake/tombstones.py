"""Who was erased and until when, as hashes that only the installation's key can make: what arrives of them from before
is erased before it is written.

They lie beside the lake's tables, not in one: a table that is deleted and landed anew does not lose them. What a
request asks for, and how it is worked off, is not known here.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from event_assets.contract.erasure import Owner
from event_assets.contract.placeholders import Placeholders
from event_assets.enrichment.pseudonyms import Pseudonyms
from event_assets.lake.storage import Storage
from event_assets.settings import Settings
from event_assets.settings.privacy import privacy_key_file

FOLDER = "privacy/tombstones"
_KEY_CHECK = "event-assets privacy key"


class WrongPrivacyKey(RuntimeError):
    """Somebody was erased here by another key than the one at hand, so that nobody can be told by it."""


@dataclass(frozen=True)
class ErasureRules:
    """By what erased people are told: the installation's key, the words that are no ids, and the pseudonyms that
    cleaning gives ids, if it does."""

    key: bytes = field(default=b"", repr=False)
    placeholders: Placeholders = field(default_factory=Placeholders)
    pseudonyms: Pseudonyms | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The rules of these settings; without a key where there is none yet."""
        named, ids = settings.privacy_key, settings.pii_fields
        pii_key = settings.pii_key.get_secret_value() if settings.pii_key else ""
        pseudonyms = Pseudonyms.of_setting(ids, pii_key) if pii_key and ids else None
        key = named.get_secret_value().encode() if named else key_in(privacy_key_file(settings.home))
        return cls(key, Placeholders(settings.placeholders), pseudonyms)

    def known_as(self, id_: str) -> str:
        """The id as the clean tables have it."""
        return self.pseudonyms.of(id_) if self.pseudonyms and self.pseudonyms.replace_ids else id_

    def ever_known_as(self, id_: str) -> tuple[str, ...]:
        """The id as the clean tables have it or had it, before pseudonyms and keys were changed."""
        return self.pseudonyms.ever(id_) if self.pseudonyms and self.pseudonyms.replace_ids else (id_,)

    def ever_written_as(self, value: str) -> tuple[str, ...]:
        """What may stand before cleaning in the place of an id or another value."""
        return self.pseudonyms.ever_sealed(value) if self.pseudonyms else ()

    def since(self, known_as: str) -> frozenset[str]:
        """How what clean tables had under an id may be named there now, after keys were changed."""
        replaced = self.pseudonyms and self.pseudonyms.replace_ids
        return frozenset(self.pseudonyms.since(known_as)) if self.pseudonyms and replaced else frozenset((known_as,))

    def hashed(self, known_as: str) -> str:
        """The hash by which an id of the clean tables is remembered."""
        return hmac.new(self.key, known_as.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

    @property
    def key_check(self) -> str:
        """Tells one key from another, and nothing of the key."""
        return self.hashed(_KEY_CHECK)[:16]


def key_in(file: Path) -> bytes:
    """The key of a file, as it was made there; empty where there is none."""
    try:
        return file.read_bytes().strip()
    except FileNotFoundError:
        return b""


class Tombstones:
    """The erased people of a lake. Users' events go whatever the device; a device's where no user is named."""

    def __init__(self, rules: ErasureRules, users: dict[str, dt.datetime], devices: dict[str, dt.datetime]) -> None:
        self._rules = rules
        self._until = {"user": users, "device": devices}
        self._known: dict[str, tuple[str, ...]] = {}

    def __bool__(self) -> bool:
        return any(self._until.values())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tombstones) and self._until == other._until

    __hash__ = None  # type: ignore[assignment]

    def is_erased(self, owner: Owner) -> bool:
        """Whether an event of this owner is to be erased, by ids as they arrive."""
        kind, id_ = ("user", owner.user_id) if owner.user_id is not None else ("device", owner.anonymous_id)
        if id_ is None:
            return False
        known = self._until[kind]
        return any((until := known.get(hashed)) is not None and owner.at <= until for hashed in self._hashed(id_))

    def names(self, known_as: str) -> bool:
        """Whether an id of the clean tables is one of somebody who was erased."""
        hashed = self._rules.hashed(known_as)
        return any(hashed in known for known in self._until.values())

    def _hashed(self, id_: str) -> tuple[str, ...]:
        """Of all that the id was ever known as: it may have been erased under another key."""
        found = self._known.get(id_)
        if found is None:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            found = self._known[id_] = tuple(map(self._rules.hashed, self._rules.ever_known_as(id_)))
        return found


_REMEMBERED = 100_000


_Told = dict[str, tuple[tuple[int, int], dict[str, Any]]]
_seen: dict[tuple[str, str | None], _Told] = {}
"""The files of each lake as this process has read them, with their stamps: every landing asks who was erased, and
nobody needs a thousand files read anew each second."""


def read_tombstones(storage: Storage, rules: ErasureRules) -> Tombstones:
    """Everybody who was erased. Raises `WrongPrivacyKey` where somebody was, and the key at hand is not theirs."""
    users: dict[str, dt.datetime] = {}
    devices: dict[str, dt.datetime] = {}
    place, now = (storage.url, storage.endpoint), _Told()
    before = _seen.get(place, now)
    for path, stamp in storage.stamps(FOLDER).items():
        if not path.endswith(".json"):
            continue
        known = before.get(path)
        told = known[1] if known is not None and known[0] == stamp else json.loads(storage.read(path))
        now[path] = stamp, told
        if not rules.key or told["key"] != rules.key_check:
            have = "another key is set" if rules.key else "no key is set"
            raise WrongPrivacyKey(
                f"People were erased from {storage.uri()} with a privacy key, and {have}: nothing is written, for it "
                "could be theirs. Set EVENT_ASSETS_PRIVACY_KEY to that key, or put its file back in the home."
            )
        until = dt.datetime.fromisoformat(told["until"])
        for kind, ids in (("users", users), ("devices", devices)):
            for hashed in told[kind]:
                ids[hashed] = max(until, ids.get(hashed, until))
    _seen[place] = now
    return Tombstones(rules, users, devices)


def write_tombstones(
    storage: Storage,
    rules: ErasureRules,
    name: str,
    until: dt.datetime,
    users: Iterable[str],
    devices: Iterable[str],
) -> None:
    """Remembers people as erased until this time, by ids as the clean tables have them. The same name again takes the
    other's place."""
    text = {
        "key": rules.key_check,
        "until": until.isoformat(),
        "users": sorted(map(rules.hashed, users)),
        "devices": sorted(map(rules.hashed, devices)),
    }
    storage.replace(f"{FOLDER}/{name}.json", json.dumps(text).encode())
