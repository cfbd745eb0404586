"""What of the truth is erased: it must be nowhere, and is not missed. What counted it before counts it still."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import sqlite3
from collections.abc import Iterable, Iterator

from pyarrow import fs

from event_assets.contract.tables import dimensions, metrics, product
from event_assets.settings import Settings
from event_assets.settings.privacy import privacy_key_file
from event_assets.verification.reading import access
from event_assets.verification.report import Expectation

COUNTING = frozenset(
    {
        *(table.name for room in (product, metrics, dimensions) for table in room.TABLES),
        *("attribution", "channel_performance", "groups", "companies"),
        *("user_segments", "segment_memberships", "anomalies"),
    }
)
"""Components that count many people: they stay as they were when somebody is erased, until they are made again."""


def leave_out_erased(connection: sqlite3.Connection, settings: Settings) -> int:
    """Takes the events of erased people out of `submissions`. Gives how many."""
    users, devices = _tombstones(settings)
    if not users and not devices:
        return 0
    key = _key(settings)

    def is_erased(user_id: str | None, anonymous_id: str | None, occurred_at: float | None) -> bool:
        id_, known = (user_id, users) if user_id is not None else (anonymous_id, devices)
        if id_ is None:
            return False
        until = known.get(hmac.new(key, id_.encode(), hashlib.sha256).hexdigest())
        return until is not None and (occurred_at is None or occurred_at <= until)

    connection.create_function("is_erased", 3, is_erased, deterministic=True)
    return connection.execute("DELETE FROM submissions WHERE is_erased(user_id, anonymous_id, occurred_at)").rowcount


def without_counts(report: Iterable[Expectation]) -> Iterator[Expectation]:
    """The lines, of which those about what counts many people are not judged."""
    for line in report:
        is_count = line.component in COUNTING or line.component.startswith("warehouse.agg_")
        if is_count and not line.ok:
            yield line._replace(what=f"{line.what} (erased people still count)", ok=True, late=True)
        else:
            yield line


def _tombstones(settings: Settings) -> tuple[dict[str, float], dict[str, float]]:
    root, filesystem = settings.lake.removeprefix("s3://"), access(settings)[1]
    users: dict[str, float] = {}
    devices: dict[str, float] = {}
    folder = fs.FileSelector(f"{root}/privacy/tombstones", allow_not_found=True)
    for info in filesystem.get_file_info(folder):
        with filesystem.open_input_stream(info.path) as file:
            told = json.loads(file.read())
        until = dt.datetime.fromisoformat(told["until"]).timestamp()
        for kind, known in (("users", users), ("devices", devices)):
            known |= {hashed: max(until, known.get(hashed, until)) for hashed in told[kind]}
    return users, devices


def _key(settings: Settings) -> bytes:
    if settings.privacy_key is not None:
        return settings.privacy_key.get_secret_value().encode()
    return privacy_key_file(settings.home).read_bytes().strip()
