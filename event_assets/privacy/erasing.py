"""Erases the people of a batch from the tables of the lake, upstream first, one commit a table.

The commit that takes a table's rows away says, too, that it has taken in the erasures upstream, so that nothing is made
again; a table that was behind takes them in the ordinary way. Doing it again changes nothing, and each table commits,
even where it has no such row: whoever made rows of what was there before has to start again.
"""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.erasure import Owner
from event_assets.contract.tables.events import ENRICHED_EVENTS, EVENT_LEDGER, RAW_EVENTS
from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.contract.tables.schema import Table
from event_assets.lake.coded import coded
from event_assets.lake.files import LakeFile
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Consumed, Progress
from event_assets.lake.rewriting import without_rows
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.table import retry_on_conflict
from event_assets.pipeline.land import name_of_object, without_events
from event_assets.privacy.batches import POSITION, Batch, Erased, at_places, write_batch
from event_assets.privacy.finding import People
from event_assets.privacy.rows import rows_by_id
from event_assets.privacy.rules import BY_ID, EVENT_TABLES, ById

_AT_ONCE = 4
"""The most files that are written at once."""


class Change(NamedTuple):
    """The files that come in the place of others, and how many rows, or events of records, went."""

    add: list[LakeFile]
    remove: list[LakeFile]
    rows: int


def erase_tables(lake: Lake, batch: Batch, people: People, places: pa.Table) -> None:
    """Erases from every table that this batch has not erased from yet, and keeps how far it is after each."""
    mixed = set(batch.mixed or ())
    kept = pa.array(sorted(mixed), pa.int32())
    whole = places.filter(pc.invert(pc.is_in(places["request"], value_set=kept)))
    for spec in EVENT_TABLES:
        if spec is RAW_EVENTS:
            erase(lake, batch, spec, lambda base: _raw(base, batch, people, places))
        elif spec is not ENRICHED_EVENTS:
            erase(lake, batch, spec, lambda base: _at_places(base, places))
        else:
            _erase_enriched(lake, batch, places, whole)
    until = gone_until(people, mixed, places)
    for spec, rule in BY_ID.items():
        erase(lake, batch, spec, partial(_by_id, lake, rule, until))
    for spec in LAKE_TABLES:
        if spec not in (*EVENT_TABLES, *BY_ID, EVENT_LEDGER) and lake.table(spec.name).exists():
            retry_on_conflict(partial(_take_in, lake, spec, batch))


def _take_in(lake: Lake, spec: Table, batch: Batch) -> None:
    """Of a table that names nobody: its rows stay, and so does what they count."""
    base = lake.table(spec.name).snapshot()
    progress = advanced(lake, base.progress, batch.tables)
    if progress != base.progress:
        base.table.erase(base, progress, (), (), {"batch": batch.id, "rows": 0, "files": 0, "arrival_dates": []})


def _erase_enriched(lake: Lake, batch: Batch, places: pa.Table, whole: pa.Table) -> None:
    """Those who go whole unseen by what follows; of the others the days are told, to be made again."""
    spec, is_split = ENRICHED_EVENTS, whole.num_rows < places.num_rows
    erase(lake, batch, spec, lambda base: _at_places(base, whole), _days(places), keep=not is_split)
    if is_split and spec.name not in batch.tables and lake.table(spec.name).exists():
        first = Erased(*batch.more["first"])
        erase(lake, batch, spec, lambda base: _at_places(base, places), _days(places), noted=True)
        last = batch.tables[spec.name].last
        batch.tables[spec.name] = Erased(first.before, first.after, last)
        write_batch(lake.storage, batch)


def erase(
    lake: Lake,
    batch: Batch,
    spec: Table,
    change: Callable[[Snapshot], Change],
    arrival_dates: Sequence[str] = (),
    *,
    noted: bool = False,
    keep: bool = True,
) -> None:
    """Commits a change of one table for a batch, unless it has; what changes is asked of the table as it is then."""
    table = lake.table(spec.name)
    if spec.name in batch.tables or not table.exists():
        return

    def attempt() -> Erased:
        base = table.snapshot()
        made = change(base)
        about = {"batch": batch.id, "rows": made.rows, "files": len(made.remove), "arrival_dates": [*arrival_dates]}
        dates = sorted(table.dates_of(made.remove)) if noted else None
        if dates is not None:
            batch.more["days"] = dates
        progress = advanced(lake, base.progress, batch.tables)
        version = table.erase(base, progress, made.add, made.remove, about, dates)
        return Erased(base.version, version, version)

    done = retry_on_conflict(attempt)
    if keep:
        batch.tables[spec.name] = done
    else:
        batch.more["first"] = done
    write_batch(lake.storage, batch)


def advanced(lake: Lake, progress: Progress, erased: Mapping[str, Erased]) -> Progress:
    """The progress of a table with the erasures taken in of each upstream of which nothing else is missing."""
    upstreams: dict[str, Consumed] = {}
    for key, consumed in progress.upstreams.items():
        name = key.rpartition("/")[2]
        done = erased.get(name)
        if done is not None and -1 < consumed.watermark < done.after:
            upstream = lake.table(name).snapshot()
            changes = upstream.changes_since(consumed.watermark)
            missing = [commit for commit in changes.commits if commit.version <= done.before]
            if changes.known and not missing and consumed.table in ("", upstream.id):
                consumed = replace(consumed, watermark=done.after)
        upstreams[key] = consumed
    return replace(progress, upstreams=upstreams)


def _raw(base: Snapshot, batch: Batch, people: People, places: pa.Table) -> Change:
    records: dict[tuple[str, ...], list[int]] = {}
    for *record, line in zip(*(places[name].to_pylist() for name in POSITION), strict=True):
        records.setdefault(tuple(record), []).append(line)

    def is_erased(owner: Owner) -> bool:
        return people.of_arriving(owner) is not None

    change, dates = Change([], [], 0), set(_days(places))
    events = 0
    for file in base.files:
        if file.partition["arrival_date"] not in dates:
            continue
        narrow = base.arrow([file], POSITION[:3])
        among = zip(*(narrow[name].to_pylist() for name in POSITION[:3]), strict=True)
        gone = {row: records[record] for row, record in enumerate(among) if record in records}
        rows, count = without_events(base.arrow([file]), gone, is_erased) if gone else (narrow, 0)
        if count:
            name = f"{name_of_object(file)}.erased-{batch.id[-8:]}"
            change.add.append(base.table.stage_arrow(rows, name, dict(file.partition)))
            change.remove.append(file)
            events += count
    return change._replace(rows=events)


def _at_places(base: Snapshot, places: pa.Table) -> Change:
    """Without the rows of events that came at these places."""
    dates = _days(places)

    def masks() -> Iterator[tuple[LakeFile, pa.Array]]:
        for file in base.files:
            if any(file.may_hold("arrival_date", date, date) for date in dates):
                yield file, at_places(coded(base, file, POSITION), places)

    return without(base, masks())


def _by_id(lake: Lake, rule: ById, until: Mapping[str, dt.datetime], base: Snapshot) -> Change:
    """Without the rows that have one of the ids, and tell of nothing later."""
    return without(base, rows_by_id(lake, rule, until, base))


def without(base: Snapshot, masks: Iterable[tuple[LakeFile, pa.Array]]) -> Change:
    """Without the rows of the masks: as many files are written at once as there are processors, up to a few."""
    touched = [(file, mask) for file, mask in masks if pc.any(mask).as_py()]
    with ThreadPoolExecutor(min(_AT_ONCE, os.cpu_count() or 1), "erasing") as writers:
        left = list(writers.map(lambda each: _left(base, *each), touched))
    add, gone = [file for file in left if file is not None], sum(pc.sum(mask).as_py() for _, mask in touched)
    return Change(add, [file for file, _ in touched], gone)


def _left(base: Snapshot, file: LakeFile, mask: pa.Array) -> LakeFile | None:
    left, count = without_rows(base, file, mask, uuid.uuid4().hex), pc.sum(mask).as_py()
    if left is not None and left.rows != file.rows - count:
        raise RuntimeError(f"{file.url}: {left.rows} rows would stay of {file.rows} without {count}")
    return left


def gone_until(people: People, mixed: set[int], places: pa.Table) -> dict[str, dt.datetime]:
    """The ids of those who go whole, each with the time of the last that is erased."""
    last = {place: each.requested_at for place, each in enumerate(people.requests)}
    for request, at in zip(places["request"].to_pylist(), places["at"].to_pylist(), strict=True):
        last[request] = max(last[request], at)
    ids = {**people.devices, **people.users}
    return {id_: last[request] for id_, request in ids.items() if request not in mixed}


def _days(places: pa.Table) -> list[str]:
    return sorted(set(places["arrival_date"].to_pylist()))
