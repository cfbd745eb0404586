"""The sensors: they look at the stream and at the lake, and ask for runs where something is behind.

They remember nothing. What is to be done is told by the stream's tip and the tables' own progress, so a lost cursor, a
failed run or a deleted Dagster storage changes nothing: what is behind is asked for again.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Literal, NamedTuple

import dagster as dg

from event_assets.automation.partitions import Partitions, ranges_of
from event_assets.contract.tables import RAW_EVENTS
from event_assets.lake.lake import Lake
from event_assets.resources.lake import LakeResource
from event_assets.resources.stream import StreamResource
from event_assets.settings import Settings
from event_assets.steps.landing import checkpoint
from event_assets.steps.pending import BY_ARRIVAL, BY_EVENT_DATE, pending
from event_assets.streams import EventStream, ShardPosition, StreamGap, StreamNotFound, StreamReader

RUN_TAG = "event_assets/run"
"""Marks the runs that the sensors ask for: `arrival` or `event_date`."""
SHARDS_TAG = "event_assets/shards"
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
MOST_RANGES = 4
"""More separate stretches of late days than this are one run over all of them."""
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
LATE_EVERY = dt.timedelta(minutes=1)
"""How often late days have their turn while new records keep coming."""
_LONGEST_WAIT = dt.timedelta(minutes=5)

BY_ARRIVAL_ONLY = {name for edge in BY_ARRIVAL for name in edge}
"""Assets that late days do not need: theirs are the days of arrival."""


def stream_sensor(settings: Settings, partitions: Partitions, assets: Sequence[dg.AssetKey]) -> dg.SensorDefinition:
    """The sensor on the stream: asks for a run of these assets when the stream holds something that is not landed, or a
    day is behind."""
    late = [key for key in assets if key.to_user_string() not in BY_ARRIVAL_ONLY]

    @dg.sensor(
        name="event_stream_sensor",
        description="Asks for runs when the stream holds events that are not in the lake, or days are behind.",
        target=dg.AssetSelection.assets(*assets),
        minimum_interval_seconds=settings.sensor_interval_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def event_stream_sensor(
        context: dg.SensorEvaluationContext, stream: StreamResource, lake: LakeResource
    ) -> dg.SensorResult | dg.SkipReason:
        runs = _runs_in_flight(context.instance)
        if len(runs) >= settings.max_runs_in_flight:
            return dg.SkipReason(f"{len(runs)} runs are in flight; {settings.max_runs_in_flight} are allowed.")
        waiting = _wait_after_failure(context.instance)
        if waiting is not None:
            return dg.SkipReason(f"The last run failed; the next try is in {waiting.total_seconds():.0f} s.")
        try:
            with stream.open() as events:
                wanted = _wanted(partitions, events, lake.open(), runs, _is_late_due(context.instance))
        except StreamNotFound as error:
            return dg.SkipReason(f"{error} Start one with `event-assets up`, or `make demo` to see it at work.")
        if not wanted:
            return dg.SkipReason("Everything on the stream is landed, and no day is behind.")
        room = settings.max_runs_in_flight - len(runs)
        requests = [_request(each, assets if each.kind == "arrival" else late) for each in wanted[:room]]
        return dg.SensorResult(run_requests=requests)

    return event_stream_sensor


class Wanted(NamedTuple):
    """A run to ask for: what it is for, the partitions, and the shards that hold something new."""

    kind: Literal["arrival", "event_date"]
    keys: dg.PartitionKeyRange
    shards: tuple[str, ...] = ()


def _wanted(
    partitions: Partitions, stream: EventStream, lake: Lake, runs: Sequence[dg.DagsterRun], is_late_due: bool
) -> list[Wanted]:
    """The runs that would bring everything up to date, but what the runs in flight do.

    New records come first: while they keep coming, late days have their turn only when it `is_late_due`.
    """
    wanted: list[Wanted] = []
    covered = {day for run in runs for day in _days_of(partitions, run)}
    if not any(run.tags.get(RUN_TAG) == "arrival" for run in runs):
        shards = shards_to_land(stream, lake)
        days = {*pending(lake, BY_ARRIVAL), *([str(dt.datetime.now(dt.UTC).date())] if shards else [])}
        for keys in ranges_of(partitions, days, most=1):
            wanted.append(Wanted("arrival", keys, tuple(shards)))
            covered |= _days_between(partitions, keys)
    if is_late_due or not (wanted or runs):
        late = [day for day in pending(lake, BY_EVENT_DATE) if day not in covered]
        wanted += [Wanted("event_date", keys) for keys in ranges_of(partitions, late, MOST_RANGES)]
    return wanted


def shards_to_land(stream: EventStream, lake: Lake) -> list[str]:
    """The shards that hold something which is not landed. Raises `StreamError` where the stream is out of reach."""
    position = checkpoint(lake.table(RAW_EVENTS.name).snapshot().progress, stream.name)
    reader = StreamReader(stream)
    if not reader.has_new(position):
        return []
    return [
        shard.shard_id for shard in stream.shards() if _holds_more(stream, shard.shard_id, position.get(shard.shard_id))
    ] or ["unknown"]


def _holds_more(stream: EventStream, shard_id: str, position: ShardPosition | None) -> bool:
    try:
        return stream.has_records_after(shard_id, position.after if position else None)
    except StreamGap:
        return True


def _request(wanted: Wanted, assets: Sequence[dg.AssetKey]) -> dg.RunRequest:
    tags: dict[str, str] = {RUN_TAG: wanted.kind}
    if wanted.shards:
        tags[SHARDS_TAG] = "_".join(wanted.shards)[:60]
    if wanted.keys.start == wanted.keys.end:
        return dg.RunRequest(partition_key=wanted.keys.start, tags=tags, asset_selection=list(assets))
    tags |= {RANGE_START: wanted.keys.start, RANGE_END: wanted.keys.end}
    return dg.RunRequest(tags=tags, asset_selection=list(assets))


def _runs_in_flight(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    runs = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
    return [run for run in runs if RUN_TAG in run.tags]


def _is_late_due(instance: dg.DagsterInstance) -> bool:
    """Whether the last run for late days was asked for long enough ago."""
    last = instance.get_run_records(dg.RunsFilter(tags={RUN_TAG: "event_date"}), limit=1)
    return not last or dt.datetime.now(dt.UTC) - last[0].create_timestamp > LATE_EVERY


def _days_of(partitions: Partitions, run: dg.DagsterRun) -> set[str]:
    key = run.tags.get("dagster/partition")
    start, end = run.tags.get(RANGE_START, key), run.tags.get(RANGE_END, key)
    return _days_between(partitions, dg.PartitionKeyRange(start, end)) if start and end else set()


def _days_between(partitions: Partitions, keys: dg.PartitionKeyRange) -> set[str]:
    first = partitions.time_window_for_partition_key(keys.start).start.date()
    last = (partitions.time_window_for_partition_key(keys.end).end - dt.timedelta(microseconds=1)).date()
    return {str(first + dt.timedelta(days=n)) for n in range((last - first).days + 1)}


def _wait_after_failure(instance: dg.DagsterInstance) -> dt.timedelta | None:
    """How long to wait before the next try: twice as long after each failure in a row, up to five minutes."""
    records = [r for r in instance.get_run_records(dg.RunsFilter(), limit=20) if RUN_TAG in r.dagster_run.tags]
    failures = 0
    for record in records:
        if record.dagster_run.status != dg.DagsterRunStatus.FAILURE:
            break
        failures += 1
    if not failures or records[0].end_time is None:
        return None
    wait = min(dt.timedelta(seconds=5 * 2 ** (failures - 1)), _LONGEST_WAIT)
    ended = dt.datetime.fromtimestamp(records[0].end_time, dt.UTC)
    left = ended + wait - dt.datetime.now(dt.UTC)
    return left if left > dt.timedelta() else None
