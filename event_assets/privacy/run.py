"""Works off the requests for erasure: all that are open as one batch, step by step, each of which does nothing where it
was done before. A run that was killed goes on where it was.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from event_assets.audit.log import AuditLog
from event_assets.contract.tables.lake import EVERY_TABLE
from event_assets.contract.tables.sessions import EVENT_DAYS
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.lake.tombstones import ErasureRules, read_tombstones
from event_assets.online import OnlineTable, refusal_id
from event_assets.privacy.alone import alone
from event_assets.privacy.batches import (
    Batch,
    delete_batch,
    left_batch,
    read_batch,
    read_places,
    write_batch,
    write_hashes,
    write_places,
)
from event_assets.privacy.day_index import erase_days, hashes_of
from event_assets.privacy.elsewhere import erase_from_log, erase_from_online, erase_from_warehouse
from event_assets.privacy.erasing import erase_tables, gone_until
from event_assets.privacy.finding import People, places_of
from event_assets.privacy.forgetting import forget_history, waiting
from event_assets.privacy.held_requests import hold_requests
from event_assets.privacy.needles import Needles, digests_of, forms_of
from event_assets.privacy.receipts import signed, write_receipt
from event_assets.privacy.requests import FOLDER, Request, done, requests, write_request
from event_assets.privacy.rules import KEPT
from event_assets.privacy.scanning import Scan, scan_database, scan_folder, scan_storage
from event_assets.privacy.sharing import came_back, mixed
from event_assets.warehouse.warehouse import Warehouse

_OTHERS = "company/"
"""Where the lake keeps the tables of other systems, which are theirs to erase from."""
_SHOWN = 5
OUTSIDE = (
    "backups and snapshots of disks, buckets and databases",
    "events that wait in the SDKs of devices: what arrives of them is erased when it is landed",
    "a stream on Kinesis or Kafka until its retention is over",
    "company data, which other systems load again",
    "copies that others made: QuickSight SPICE, exports, files that were imported",
)
"""What an erasure does not reach, in every receipt."""


@dataclass(frozen=True)
class Surroundings:
    """Everything that an erasure reaches: the lake and, where there is one, each of the others.

    `publish_features` makes the online table of features anew, where there is one, and gives how many ids it has.
    `refresh` brings tables up to date the ordinary way: these, or all without any names. `folders` are scanned, but for
    `unread`: what is read in another way, or names nobody by what it is; so are `databases` of others, URLs by what
    they are called. `lock` is a file that keeps others out, `anchor` where entries of the audit log are named, too.
    """

    lake: Lake
    rules: ErasureRules
    warehouse: Warehouse | None = None
    warehouse_url: str | None = None
    online: OnlineTable | None = None
    publish_features: Callable[[], int] | None = None
    log: Path | None = None
    refresh: Callable[[Collection[str]], None] | None = None
    folders: tuple[Path, ...] = ()
    unread: tuple[Path, ...] = ()
    databases: Mapping[str, str] = field(default_factory=dict)
    lock: Path | None = None
    anchor: Storage | None = None
    clock: Callable[[], dt.datetime] = field(default=lambda: dt.datetime.now(dt.UTC))

    @property
    def audit_log(self) -> AuditLog:
        """Where it is noted that people were erased."""
        return AuditLog(self.lake.storage, self.rules.key, self.anchor)


@dataclass(frozen=True)
class Outcome:
    """What came of a run: of how many requests, in what state they are now, why, and where the receipt is."""

    requests: int
    state: str
    note: str
    receipt: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def run_erasures(around: Surroundings) -> Outcome:
    """Works off all open requests as far as it goes, but for those that a legal hold covers. Raises `WrongPrivacyKey`,
    and `ErasureRunning` where another does so just now."""
    with alone(around.lock):
        return _run(around)


def _run(around: Surroundings) -> Outcome:
    read_tombstones(around.lake.storage, around.rules)
    held = hold_requests(around.lake, around.rules)
    begun = _begin(around.lake, around.clock())
    if begun is None:
        wait = f"; {held} wait for a legal hold to be released" if held else ""
        return Outcome(0, "done", f"There is no open request{wait}.")
    batch, of = begun
    if "closing" in batch.more:  # killed in the middle of it
        return _close(around, batch, of)
    people = People(of, around.rules)
    _erase(around, batch, people)
    behind = _followed(around, batch)
    if behind:
        note = "; ".join(behind[:_SHOWN]) + (f"; and {len(behind) - _SHOWN} more" if len(behind) > _SHOWN else "")
        for request in of:
            write_request(around.lake.storage, replace(request, state="waiting", note=note))
        return Outcome(len(of), "waiting", f"The rest waits until tables have taken it in: {note}.")
    _erase_days(around.lake, batch)
    _erase_elsewhere(around, batch, people)
    around.lake.clear_scratch()
    history = forget_history(around.lake, batch)
    batch.more["history_files"] = {
        name: count + batch.more.get("history_files", {}).get(name, 0) for name, count in history.items()
    }
    write_batch(around.lake.storage, batch)
    return _prove(around, batch, of)


def _begin(lake: Lake, now: dt.datetime) -> tuple[Batch, list[Request]] | None:
    """The batch to be worked off: the one that was begun, else a new one of all open requests; None without any."""
    open_ones = [request for request in requests(lake.storage) if request.is_open and request.state != "held"]
    begun = next((each.batch for each in open_ones if each.batch), "") or left_batch(lake.storage)
    if begun:
        try:
            batch = read_batch(lake.storage, begun)
        except FileNotFoundError:
            pass  # killed before anything was done of it
        else:
            by_id = {request.id: request for request in open_ones}
            mine = [by_id[name] for name in batch.requests if name in by_id]
            if "closing" in batch.more or any(request.batch for request in mine):
                return batch, mine
            delete_batch(lake.storage, batch)  # of requests that are held now, or of which nothing was begun
    if not open_ones:
        return None
    batch = Batch(f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}", [each.id for each in open_ones], now.isoformat())
    batch.began = {
        spec.name: lake.table(spec.name).snapshot().version for spec in EVERY_TABLE if lake.table(spec.name).exists()
    }
    write_batch(lake.storage, batch)
    named = [replace(request, batch=batch.id) for request in open_ones]
    for request in named:
        write_request(lake.storage, request)
    return batch, named


def _erase(around: Surroundings, batch: Batch, people: People) -> None:
    """From the log of the stream and from the lake, and counts what went while the log of the tables tells it."""
    lake = around.lake
    if batch.mixed is None:
        places = places_of(lake, people)
        write_places(lake.storage, batch, places)
        write_hashes(lake.storage, batch, hashes_of(lake, people, places))
        batch.mixed = mixed(lake, people, places)
        batch.more["events"] = places.num_rows
        batch.more["events_by_arrival"] = _by_day(places["arrival_date"].to_pylist())
        write_batch(lake.storage, batch)
    if around.log is not None and "log_records" not in batch.more:
        batch.more["log_records"] = erase_from_log(around.log, people)
        write_batch(lake.storage, batch)
    erase_tables(lake, batch, people, read_places(lake.storage, batch))
    if "tables" not in batch.more:
        batch.more["tables"] = {name: _told(lake, batch, name) for name in batch.tables}
        write_batch(lake.storage, batch)


def _followed(around: Surroundings, batch: Batch) -> list[str]:
    """What is behind, once those that can be are brought up to date. Of people who share something all tables are, in
    the order of the data, as each is made again of the other."""
    if batch.mixed and not batch.more.get("followed"):
        if around.refresh is None:
            return ["days that others share with the erased are made again by the next `event-assets privacy run`"]
        around.refresh(())
        batch.more["followed"] = True
        write_batch(around.lake.storage, batch)
    behind = waiting(around.lake, batch)
    if behind and around.refresh is not None:
        around.refresh({sentence.partition(" ")[0] for sentence in behind})
        behind = waiting(around.lake, batch)
    return behind


def _erase_days(lake: Lake, batch: Batch) -> None:
    erase_days(lake, batch)
    if EVENT_DAYS.name in batch.tables and EVENT_DAYS.name not in batch.more["tables"]:
        batch.more["tables"][EVENT_DAYS.name] = _told(lake, batch, EVENT_DAYS.name)
        write_batch(lake.storage, batch)


def _erase_elsewhere(around: Surroundings, batch: Batch, people: People) -> None:
    lake = around.lake
    if around.warehouse is not None and "warehouse" not in batch.more:
        until = gone_until(people, set(batch.mixed or ()), read_places(lake.storage, batch))
        batch.more["warehouse"] = erase_from_warehouse(lake, around.warehouse, until)
        write_batch(lake.storage, batch)
    if around.online is not None and "online" not in batch.more:
        features = around.publish_features() if around.publish_features is not None else 0
        batch.more["online"] = erase_from_online(lake, around.online, around.clock()) + features
        write_batch(lake.storage, batch)


def _prove(around: Surroundings, batch: Batch, of: list[Request]) -> Outcome:
    """Scans everything, signs what came of it, and closes the requests where nothing was found."""
    storage = around.lake.storage
    back = came_back(around.lake, People(of, around.rules))
    gone = [request for place, request in enumerate(of) if place not in back]
    names = _names(gone, around.rules)
    needles = Needles(forms_of(names), digests_of(names))
    scan = _scan(around, needles, batch)
    scan.add("the online table", _known_online(around, names))
    others = {place: count for place, count in scan.found.items() if f"/{_OTHERS}" in f"/{place}"}
    found = {place: count for place, count in scan.found.items() if place not in others}
    newest = around.audit_log.newest()
    receipt = {
        "batch": batch.id,
        "requests": {each.id: {"requested_at": each.requested_at.isoformat(), **each.people} for each in of},
        "began_at": batch.began_at,
        "ended_at": around.clock().isoformat(),
        "events": batch.more["events"],
        "events_by_arrival": batch.more["events_by_arrival"],
        "shared_with_others": len(batch.mixed or ()),
        "came_back": len(back),
        "tables": batch.more["tables"],
        "kept_tables": {table.name: kept.why for table, kept in KEPT.items()},
        "warehouse_rows": batch.more.get("warehouse"),
        "online_ids": batch.more.get("online"),
        "log_records": batch.more.get("log_records"),
        "history_files": batch.more["history_files"],
        "scan": {**asdict(scan), "found": found, "company_data": others, "too_short": needles.too_short},
        "audit_log": {"entries": newest.number, "newest": newest.hash} if newest else None,
        "outside": list(OUTSIDE),
    }
    receipt = signed(receipt, around.rules)
    place, count = write_receipt(storage, receipt), sum(found.values())
    where = ", ".join(f"{name} ({n})" for name, n in list(found.items())[:_SHOWN])
    read = scan.bytes + scan.unpacked_bytes
    batch.more["closing"] = {
        "state": "incomplete" if count else "done",
        "note": f"{count} mentions are left: {where}" if count else f"erased; 0 found in {read} bytes that were read",
        "receipt": place,
    }
    write_batch(storage, batch)
    return _close(around, batch, of)


def _close(around: Surroundings, batch: Batch, of: list[Request]) -> Outcome:
    """Says of each request what came of it. Those that are done name nobody any more."""
    lake, closing = around.lake, batch.more["closing"]
    for request in of:
        note = f"{closing['note']} (receipt: {closing['receipt']})"
        is_done = closing["state"] == "done"
        left = done(request, note) if is_done else replace(request, state="incomplete", note=note, batch="")
        write_request(lake.storage, left)
    count = len(batch.requests)
    around.audit_log.append("people_erased", batch.id, state=closing["state"], requests=count)
    delete_batch(lake.storage, batch)
    receipt = json.loads(lake.storage.read(closing["receipt"]))
    return Outcome(count, closing["state"], closing["note"], closing["receipt"], receipt)


def _names(of: list[Request], rules: ErasureRules) -> set[str]:
    """All texts that name these people alone, as they were given and as the clean tables have them."""
    names: set[str] = set()
    for request in of:
        closure = request.closure
        names |= (closure.users | closure.devices | closure.names) - closure.shared
        names |= {now for id_ in names for now in rules.since(id_)} - closure.shared
    return names | {rules.known_as(name) for name in names}


def _scan(around: Surroundings, needles: Needles, batch: Batch) -> Scan:
    scan, storage = Scan(), around.lake.storage
    own = [f"{FOLDER}/{name}.json" for name in batch.requests]
    root = None if storage.is_s3 else Path(storage.path())
    unread = list(around.unread)
    if root is not None:
        unread += [root / name for name in own]
    if root is None or not any(root.is_relative_to(folder.absolute()) for folder in around.folders):
        scan_storage(storage, needles, scan, own)
    for folder in around.folders:
        if folder.is_dir():
            scan_folder(folder, needles, scan, unread)
    if around.warehouse_url is not None:
        scan_database(around.warehouse_url, needles, scan)
    for called, url in around.databases.items():
        scan_database(url, needles, scan, called)
    return scan


def _known_online(around: Surroundings, names: set[str]) -> int:
    """Of how many names an online table on another machine knows something; one in a file is scanned."""
    table = around.online
    if table is None or not table.waits or not names or not table.version():
        return 0
    asked = sorted(names | {refusal_id(name) for name in names})
    return sum(bool(facts) for facts in table.find(asked).facts.values())


def _told(lake: Lake, batch: Batch, name: str) -> dict[str, int]:
    """What the log of a table tells of this batch: rows (of raw records: events) and files that went, versions."""
    erasures = lake.table(name).snapshot().erasures_since(batch.began.get(name, -1))
    mine = [about for _, about in erasures if about["batch"] == batch.id]
    return {
        "rows": sum(about["rows"] for about in mine),
        "files": sum(about["files"] for about in mine),
        "version_before": batch.tables[name].before,
        "version_after": batch.tables[name].last,
    }


def _by_day(days: list[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for day in sorted(days):
        counts[day] = counts.get(day, 0) + 1
    return counts
