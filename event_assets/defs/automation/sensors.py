"""The sensor on the stream: it looks at the stream and at the lake, and asks for runs where something is behind.

It remembers nothing. What is to be done is told by the stream's tip and the tables' own progress, so a lost cursor, a
failed run or a deleted Dagster storage changes nothing: what is behind is asked for again. A tick raises for nothing
that stream and lake hold: it asks for what can be done, and says what is wrong. Whose turn it is, is decided in
`turns.py`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import dagster as dg

from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.defs.assets.days import DAYS_TAG
from event_assets.defs.automation.arrivals import JOB as ARRIVALS_JOB
from event_assets.defs.automation.arrivals import LANDING_JOB, arrivals_job, config_of_landing, landing_job
from event_assets.defs.automation.late_days import JOB as DAYS_JOB
from event_assets.defs.automation.late_days import late_days_job
from event_assets.defs.automation.partitions import Partitions
from event_assets.defs.automation.telling import tell_seen, telling_tick
from event_assets.defs.automation.turns import ARRIVAL, CHECKS, RUN_TAG, Turns, Wanted, runs_in_flight
from event_assets.defs.checks.together import checks_job
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.stream import StreamResource
from event_assets.lake.lake import Lake
from event_assets.lake.tip import tip
from event_assets.pipeline.land import checkpoint
from event_assets.pipeline.pending_days import BY_ARRIVAL, BY_EVENT_DATE, Pending, pending
from event_assets.settings import Settings
from event_assets.streams import EventStream, ShardPart, StreamNotFound, StreamReader, lost_shards

SHARDS_TAG = "event_assets/shards"

CHECKS_JOB = "checks"


def stream_sensor(
    settings: Settings, partitions: Partitions, checks: Sequence[dg.AssetChecksDefinition]
) -> dg.SensorDefinition:
    """The sensor on the stream: asks for the run of new events when the stream holds something that is not landed, for
    one of days when some are behind, and now and then for one of all checks."""
    jobs = [
        arrivals_job(partitions, settings.landing_runs),
        landing_job(partitions),
        late_days_job(partitions),
        checks_job(CHECKS_JOB, checks),
    ]

    @dg.sensor(
        name="event_stream_sensor",
        description="Asks for runs when the stream holds events that are not in the lake, or days are behind.",
        jobs=jobs,
        minimum_interval_seconds=settings.sensor_interval_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def event_stream_sensor(
        context: dg.SensorEvaluationContext, stream: StreamResource, lake: LakeResource
    ) -> dg.SensorResult | dg.SkipReason:
        with telling_tick():
            return tick(context, stream, lake)

    def tick(
        context: dg.SensorEvaluationContext, stream: StreamResource, lake: LakeResource
    ) -> dg.SensorResult | dg.SkipReason:
        runs = runs_in_flight(context.instance)
        most = settings.max_runs_in_flight + settings.landing_runs - 1
        room = most - len(runs)
        if room <= 0:
            return dg.SkipReason(f"{len(runs)} runs are in flight; {most} are allowed.")
        try:
            seen = _look(stream, lake, settings.landing_runs)
        except StreamNotFound as error:
            return dg.SkipReason(f"{error} Start one with `event-assets up`, or `make demo` to see it at work.")
        for fault in seen.faults:
            context.log.error(fault)
        tell_seen(seen.unlanded_since if seen.shards else None, seen.retention, len(seen.faults))
        turns = Turns(context.instance, runs, settings.backdate_days, seen.landed_at)
        wanted = turns.wanted(seen.shards, seen.arrivals, seen.late, seen.parts)
        if wanted:
            return dg.SensorResult([_request(each, settings.landing_runs) for each in wanted[:room]])
        said = [*seen.faults, *turns.waiting]
        return dg.SkipReason(" ".join(said) or "Everything on the stream is landed, and no day is behind.")

    return event_stream_sensor


@dataclass
class _Seen:
    """What a tick sees: some shards with something to land (and those of each part that has a run of its own), since
    when at the most, of how long a retention, when was landed last, days that are behind, and what cannot be looked
    at."""

    shards: list[str] = field(default_factory=list)
    parts: dict[int, list[str]] = field(default_factory=dict)
    unlanded_since: dt.datetime | None = None
    retention: dt.timedelta | None = None
    landed_at: dt.datetime | None = None
    arrivals: Pending = field(default_factory=Pending)
    late: Pending = field(default_factory=Pending)
    faults: list[str] = field(default_factory=list)


def _look(stream: StreamResource, lake: LakeResource, landing_runs: int) -> _Seen:
    """Looks at stream and lake, each as far as it can be read. Raises `StreamNotFound`."""
    seen = _Seen()
    try:
        opened = lake.open()
        seen.arrivals, seen.late = pending(opened, BY_ARRIVAL), pending(opened, BY_EVENT_DATE)
        unreadable = seen.arrivals.unreadable | seen.late.unreadable
        seen.faults += [f"The table {name} cannot be read: {why}." for name, why in unreadable.items()]
        with stream.open() as events:
            by_part = shards_to_land(events, opened, landing_runs)
            seen.shards = [shard for part in by_part.values() for shard in part]
            seen.parts = {part: shards for part, shards in by_part.items() if part}
            if seen.shards:
                position = checkpoint(tip(opened.table(RAW_EVENTS.name)).progress, events.name)
                seen.unlanded_since = min((each.seen_at for each in position.values() if each.seen_at), default=None)
                seen.retention = events.retention()
        landed = tip(opened.table(RAW_EVENTS.name))
        seen.landed_at = landed.committed_at(landed.version)
    except StreamNotFound:
        raise
    except Exception as error:
        # Without the stream no run of new records can land; days that are behind do not need it.
        seen.arrivals = Pending()
        seen.faults.append(f"The stream, or how far it is landed, cannot be read: {type(error).__name__}: {error}.")
    return seen


def shards_to_land(stream: EventStream, lake: Lake, parts: int = 1) -> dict[int, list[str]]:
    """Shards that hold something which is not landed, by the part that they are: of each that has any, a few. What it
    costs where all shards hold something does not grow with how many they are. Raises `StreamError` where the stream is
    out of reach."""
    position = checkpoint(tip(lake.table(RAW_EVENTS.name)).progress, stream.name)
    shards = stream.shards()
    readers = (StreamReader(stream, part=ShardPart(number, parts)) for number in range(parts))
    found = {number: some for number, reader in enumerate(readers) if (some := reader.some_new(shards, position))}
    return found or ({0: ["unknown"]} if lost_shards(shards, position) else {})


def _request(wanted: Wanted, landing_runs: int) -> dg.RunRequest:
    """The run, by the days that it names."""
    tags: dict[str, str] = {RUN_TAG: wanted.kind}
    if wanted.kind == ARRIVAL or wanted.part:
        tags[SHARDS_TAG] = "_".join(wanted.shards)[:60] or "none"
        config = config_of_landing(wanted.part, landing_runs) if wanted.part else {}
        return dg.RunRequest(job_name=LANDING_JOB if wanted.part else ARRIVALS_JOB, tags=tags, run_config=config)
    tags[DAYS_TAG] = ",".join(wanted.days)
    return dg.RunRequest(job_name=CHECKS_JOB if wanted.kind == CHECKS else DAYS_JOB, tags=tags)
