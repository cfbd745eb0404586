"""The receipt of an erasure: what was done to which table, and what a scan of everything found, signed with the
installation's key. It names nobody, so that it can be kept and shown.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from event_assets.lake.storage import Storage
from event_assets.lake.tombstones import ErasureRules

FOLDER = "privacy/receipts"
_SIGNATURE = "signature"
_PURPOSE = b"event-assets receipt\0"


def signed(receipt: Mapping[str, Any], rules: ErasureRules) -> dict[str, Any]:
    """The receipt with its signature: HMAC-SHA-256 of its JSON text with sorted names."""
    return {**receipt, _SIGNATURE: _signature(receipt, rules)}


def is_genuine(receipt: Mapping[str, Any], rules: ErasureRules) -> bool:
    """Whether the receipt says what it said when it was signed by this installation's key."""
    told = receipt.get(_SIGNATURE)
    return bool(rules.key) and isinstance(told, str) and hmac.compare_digest(told, _signature(receipt, rules))


def write_receipt(storage: Storage, receipt: Mapping[str, Any]) -> str:
    """Keeps a receipt beside the lake's tables. Gives its place."""
    place = f"{FOLDER}/{receipt['batch']}.json"
    storage.replace(place, json.dumps(receipt, indent=1).encode())
    return place


def receipts(storage: Storage) -> Iterator[dict[str, Any]]:
    """All receipts, the oldest first."""
    for path in sorted(path for path, _ in storage.walk(FOLDER) if path.endswith(".json")):
        yield json.loads(storage.read(path))


def read_receipt(file: Path) -> dict[str, Any]:
    """The receipt of a file; what is none has no signature, and is not genuine."""
    try:
        told = json.loads(file.read_bytes())
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def named_entries(found: Iterable[tuple[str, Mapping[str, Any]]], rules: ErasureRules) -> dict[str, str]:
    """The hashes of the audit log's entries that genuine ones of these receipts name, each with which does."""
    return {
        receipt["audit_log"]["newest"]: name
        for name, receipt in found
        if is_genuine(receipt, rules) and receipt.get("audit_log")
    }


def _signature(receipt: Mapping[str, Any], rules: ErasureRules) -> str:
    said = {name: value for name, value in receipt.items() if name != _SIGNATURE}
    text = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    return hmac.new(rules.key, _PURPOSE + text, hashlib.sha256).hexdigest()
