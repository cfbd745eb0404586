"""Where the audit log ends, told beside it and elsewhere: what shows that its newest entries were cut off, which the
chain of the others cannot.

Beside the log is one head, signed by the installation's key, that follows each entry. An anchor is a folder or bucket
elsewhere in which each entry's hash becomes the name of a file; what may write there need not be able to delete.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import NamedTuple

from event_assets.lake.storage import Storage

_PLACE = "audit/head"
_PURPOSE = b"event-assets audit head\0"


class Head(NamedTuple):
    """The number and the hash of the newest entry. The signature is empty where there was no key."""

    number: int
    hash: str
    signature: str = ""

    def signed(self, key: bytes) -> Head:
        """The same with its signature: HMAC-SHA-256 of both."""
        return self._replace(signature=_signature(self, key)) if key else self

    def is_signed_by(self, key: bytes) -> bool:
        """Whether it says what it said when this key signed it."""
        return bool(key) and hmac.compare_digest(self.signature, _signature(self, key))


def read_head(storage: Storage) -> Head | None:
    """The head as it is kept; None without one. Raises `ValueError` where it is none."""
    try:
        return Head(**json.loads(storage.read(_PLACE)))
    except FileNotFoundError:
        return None
    except TypeError as fault:
        raise ValueError(str(fault)) from None


def write_head(storage: Storage, head: Head) -> None:
    """Keeps a head in the place of the last one."""
    storage.replace(_PLACE, json.dumps(head._asdict()).encode())


def anchor(storage: Storage, number: int, hash_: str) -> None:
    """Names an entry in an anchor."""
    try:
        storage.create(f"{number:010d}-{hash_}", b"")
    except FileExistsError:
        return


def anchored(storage: Storage) -> list[str]:
    """The hashes of all entries that an anchor names."""
    return [path.rpartition("-")[2] for path, _ in storage.walk("") if path[:10].isdigit()]


def _signature(head: Head, key: bytes) -> str:
    return hmac.new(key, _PURPOSE + f"{head.number} {head.hash}".encode(), hashlib.sha256).hexdigest()
