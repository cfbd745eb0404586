"""The lake's tables: each log, progress record and file of the current version is read whole.

Everything but `raw_events` is made from other tables, so a damaged table is put aside and made anew; an object of
`raw_events` is put back from the stream as long as that holds its records.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
from deltalake import Schema
from deltalake.exceptions import DeltaError

from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.contract.tables.lake import EVERY_TABLE
from event_assets.doctor.finding import Examined, Finding, put_aside
from event_assets.lake.files import LakeFile, bounds_of, statistics_of, wrong_types
from event_assets.lake.healing import heal
from event_assets.lake.integrity import LakeDamaged, fault_of, fault_of_commit
from event_assets.lake.lake import Lake
from event_assets.lake.snapshot import NOTE, Snapshot
from event_assets.lake.table import SEAL, LakeTable
from event_assets.pipeline.raw_objects import put_back
from event_assets.streams import EventStream

PAGE = "docs/how-to/rebuild.md"


def examine_table(lake: Lake, name: str, stream: EventStream | None) -> Examined:
    """One table of the lake. Nothing is changed, and none is made that is not there."""
    table = lake.table(name)
    try:
        snapshot = table.snapshot() if table.exists() else None
        progress = snapshot.progress if snapshot is not None else None
    except (LakeDamaged, DeltaError) as error:
        path = error.path if isinstance(error, LakeDamaged) else f"{table.uri}/_delta_log"
        what = error.fault if isinstance(error, LakeDamaged) else str(error)
        return Examined(name, 1, 0, (_of_table(table, path, what),))
    if snapshot is None or progress is None:
        return Examined(name, 0, 0)
    findings = [_of_table(table, path, fault) for path, fault in _faults_of_log(snapshot)]
    for file in snapshot.files:
        fault = fault_of(lake.storage, name, file) or _fault_of_entry(table, file)
        if fault is not None:
            findings.append(_of_file(table, file, fault, stream))
        elif wrong := wrong_types(_footer(table, file), table.spec):
            findings.append(_of_types(lake, table, file, [field.name for field in wrong]))
    return Examined(name, len(snapshot.files) + 1, snapshot.bytes, tuple(findings))


def _faults_of_log(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    storage, name = snapshot.table.storage, snapshot.table.spec.name
    found = {field.name: field.type for field in snapshot.delta.schema().fields}
    wanted = Schema.from_arrow(snapshot.table.spec.arrow_schema()).fields
    wrong = [field.name for field in wanted if found.get(field.name) != field.type]
    if wrong:
        yield f"{snapshot.table.uri}/_delta_log", f"its schema has other types for {', '.join(wrong)}"
    for path, _ in sorted(storage.walk(f"{name}/_delta_log")):
        if path.endswith(".json") and path.rsplit("/", 1)[-1][:-5].isdecimal():
            fault = fault_of_commit(storage.read(path), NOTE, SEAL)
        elif path.endswith(".checkpoint.parquet"):
            fault = _fault_of_checkpoint(snapshot, path)
        else:
            continue
        if fault is not None:
            yield storage.uri(path), fault


def _fault_of_checkpoint(snapshot: Snapshot, path: str) -> str | None:
    storage = snapshot.table.storage
    try:
        pq.read_table(storage.path(path), filesystem=storage.filesystem, partitioning=None)
    except (OSError, ValueError) as error:
        return f"it cannot be read ({error})"
    return None


def _fault_of_entry(table: LakeTable, file: LakeFile) -> str | None:
    """Whether the log says of the file what its own footer does: the log of old commits has no checksums."""
    footer = _footer(table, file)
    low, high = bounds_of(footer, table.spec)
    said = json.loads(statistics_of(file))
    true = json.loads(statistics_of(file._replace(rows=footer.num_rows, low=low, high=high)))
    for bounds in ("minValues", "maxValues"):
        for column, value in said[bounds].items():
            if column in true[bounds] and not _same(true[bounds][column], value):
                return f"the log says {value!r} of {column}, the file {true[bounds][column]!r}"
    return None


def _footer(table: LakeTable, file: LakeFile) -> pq.FileMetaData:
    return pq.read_metadata(table.storage.path(f"{table.spec.name}/{file.path}"), filesystem=table.storage.filesystem)


def _of_types(lake: Lake, table: LakeTable, file: LakeFile, columns: list[str]) -> Finding:
    return Finding(
        table.storage.uri(f"{table.spec.name}/{file.path}"),
        f"it is of other types than its table in {', '.join(columns)}",
        "`event-assets doctor --heal` writes its rows again in the table's types; where they were made in another zone "
        f"than UTC, materialising the days makes them again ({PAGE}#after-a-restarted-engine).",
        partial(_heal_types, lake),
    )


def _heal_types(lake: Lake) -> str:
    healed = heal(lake.table(spec.name) for spec in EVERY_TABLE)
    files = sum(each.files for each in healed)
    again = [each.table for each in healed if each.to_be_made_again]
    said = f"{files} files were written again in their tables' types."
    return f"{said} Materialise all days of {', '.join(again)}: their dates may be wrong." if again else said


def _same(one: object, other: object) -> bool:
    return str(one).replace("T", " ")[:19] == str(other).replace("T", " ")[:19]


def _of_table(table: LakeTable, path: str, fault: str) -> Finding:
    if table.spec == RAW_EVENTS:
        remedy = (
            f"stop the stack and put {table.uri} back from a backup; without one, move it away: what the stream still "
            f"holds is landed anew, what was made of the rest stays ({PAGE}#from-raw)."
        )
        return Finding(path, fault, remedy)
    return Finding(path, fault, _remedy_of_derived(table), _aside(table))


def _of_file(table: LakeTable, file: LakeFile, fault: str, stream: EventStream | None) -> Finding:
    path = table.storage.uri(f"{table.spec.name}/{file.path}")
    if table.spec != RAW_EVENTS:
        return Finding(path, fault, _remedy_of_derived(table), _aside(table))
    remedy = (
        "put it back from a backup, or with `event-assets doctor --heal` from the stream, as long as that holds its "
        "records. What was made of it stays as it is meanwhile; only its hour cannot be cleaned again."
    )
    return Finding(path, fault, remedy, partial(put_back, stream, table, file) if stream is not None else None)


def _remedy_of_derived(table: LakeTable) -> str:
    return (
        f"stop the stack, then `event-assets doctor --heal` puts the table {table.spec.name} aside: the next run makes "
        f"it anew from the others ({PAGE}#from-raw)."
    )


def _aside(table: LakeTable) -> partial[str] | None:
    return None if table.storage.is_s3 else partial(_put_aside, Path(table.uri))


def _put_aside(folder: Path) -> str:
    if not folder.exists():
        return f"{folder} was put aside already."
    home = folder.parent.parent / "damaged"
    home.mkdir(exist_ok=True)
    aside = put_aside(folder)
    kept = aside.replace(home / aside.name)
    return f"{folder} was moved to {kept}: the next run makes the table anew."


def examine_tables(lake: Lake, names: Sequence[str], stream: EventStream | None) -> Iterator[Examined]:
    """Each table of the lake in turn."""
    for name in names:
        yield examine_table(lake, name, stream)
