"""The objects of raw_events after they were landed: small ones are put together, and damaged ones written again from
the stream. No record changes.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from event_assets.lake.files import LakeFile
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.table import LakeTable
from event_assets.pipeline.land import name_of, name_of_object, partition_of, rows_of
from event_assets.streams import EventStream, StoredRecord, StreamError


def merge_objects(table: LakeTable, among: Container[str], least: int, full_bytes: int) -> int:
    """Puts small objects of one shard and hour together, of these paths: the same records under the name of the longer
    range. It does so where they make a full object, and where there are as many as `least`. Gives how many files fewer
    there are. Small ones are of less than half of `full_bytes`."""
    base = table.snapshot()
    groups: dict[tuple[str, ...], list[LakeFile]] = {}
    for file in base.smaller_than(full_bytes // 2):
        if file.path in among:
            stream_and_shard = name_of_object(file).rsplit("-", 2)[0]
            groups.setdefault((stream_and_shard, *file.partition.values()), []).append(file)
    many = [files for group in groups.values() for files in _fitting(group, least, full_bytes)]
    if many:
        merged = [_merged(base, files) for files in many]
        table.compact(base, add=merged, remove=[file for files in many for file in files])
    return sum(len(files) - 1 for files in many)


def _fitting(objects: list[LakeFile], least: int, full_bytes: int) -> Iterator[list[LakeFile]]:
    """Objects that follow each other, as many as make one that is not too large."""
    held: list[LakeFile] = []
    for file in sorted(objects, key=lambda each: int(name_of_object(each).rsplit("-", 2)[1])):
        if sum(each.size for each in held) + file.size > full_bytes:
            if len(held) > 1:
                yield held
            held = []
        held.append(file)
    if len(held) >= max(least, 2):
        yield held


def _merged(base: Snapshot, files: list[LakeFile]) -> LakeFile:
    rows = base.arrow(files).sort_by("sequence_number").combine_chunks()
    stream, shard, numbers = rows["stream"][0], rows["shard_id"][0], rows["sequence_number"]
    name = f"{stream}-{shard}-{int(numbers[0].as_py())}-{int(numbers[-1].as_py())}"
    return base.table.stage_arrow(rows, name, dict(files[0].partition))


def put_back(stream: EventStream, table: LakeTable, file: LakeFile) -> str:
    """Writes a damaged object again from the records that it is named by. Gives a sentence on what came of it.

    The same records make the same bytes, so its commit stays as it is. Where they are not on the stream any more
    nothing is changed.
    """
    name = name_of_object(file)
    stream_name, _, rest = name.rpartition("-shardId-")
    shard, first, last = rest.split("-")
    try:
        records = list(_records_between(stream, f"shardId-{shard}", int(first), int(last)))
    except StreamError as error:
        return f"{file.url} stays damaged: {error}"
    if not records or name_of(stream_name, records) != name:
        return f"{file.url} stays damaged: the stream does not hold its records any more."
    made = table.stage_arrow(rows_of(stream_name, records), name, partition_of(records[0]))
    if (made.path, made.size) == (file.path, file.size):
        return f"{file.url} was written again from the stream: {len(records)} records."
    table.storage.filesystem.delete_file(table.storage.path(f"{table.spec.name}/{made.path}"))
    return f"{file.url} stays damaged: its records on the stream make another file."


def _records_between(stream: EventStream, shard_id: str, first: int, last: int) -> Iterator[StoredRecord]:
    after: str | None = None
    while found := stream.read(shard_id, after).records:
        yield from (record for record in found if first <= int(record.sequence_number) <= last)
        after = found[-1].sequence_number
        if int(after) >= last:
            return
