"""Whose turn it is: new records always, days long past every hour or in a pause, checks every half hour. Where more
days long past wait than one run takes, the next follows after a rest as long as the run: half of the time is theirs.

The run of new records stays while they come, and takes late days along; where none is in flight they have a run of
their own. Each kind has at most one run at a time, so nothing is in the way of new records; a run takes a bounded
number of days, so its size depends neither on how far apart days lie nor on how many there are; and a kind whose run
failed waits without the others having to. Nothing is remembered here: Dagster's runs tell.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

import dagster as dg

from event_assets.defs.assets.days import DAYS_TAG
from event_assets.pipeline.pending_days import Pending

RUN_TAG = "event_assets/run"
"""Marks the runs that the stream sensor asks for, by their kind."""
ARRIVAL, LATE, PAST, CHECKS = "arrival", "event_date", "past_date", "checks"
"""New records; days that late events touched; of these the days that lie further back than a client may date; and a
look at what the run of new records has made."""
_LANDING = "landing_"
STAYS = dt.timedelta(hours=1)
"""After which a run of new records is followed by the next, to which it gives way."""
MOST_DAYS, MOST_DAYS_IN_A_PAUSE = 30, 365
"""Days that one run takes at the most: while new records keep coming, which a short run is less in the way of, and
else."""
EVERY = {PAST: dt.timedelta(hours=1), CHECKS: dt.timedelta(minutes=30)}
"""How often days long past, few enough for one run, and checks have their turn while new records keep coming."""
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_IDLE = dt.timedelta(seconds=10)
_LONGEST_WAIT = dt.timedelta(minutes=5)


def landing_of(part: int) -> str:
    """The kind of the runs that land this part of the shards, where several do, beside the run of new records."""
    return f"{_LANDING}{part}"


class Wanted(NamedTuple):
    """A run to ask for: what kind, which days, the shards that hold something new, and the part that they are."""

    kind: str
    days: list[str]
    shards: tuple[str, ...] = ()
    part: int = 0


def runs_in_flight(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """The stream sensor's runs that have not ended, but for those of new records that have stayed for long enough."""
    records = instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED))
    leaving = dt.datetime.now(dt.UTC) - STAYS
    return [
        record.dagster_run
        for record in records
        if RUN_TAG in record.dagster_run.tags
        and not (_stays(record.dagster_run.tags[RUN_TAG]) and record.create_timestamp < leaving)
    ]


def _stays(kind: str) -> bool:
    return kind == ARRIVAL or kind.startswith(_LANDING)


@dataclass
class Turns:
    """What may be asked for now, beside the runs in flight. `waiting` are sentences about what has to wait."""

    instance: dg.DagsterInstance
    runs: Sequence[dg.DagsterRun]
    backdate_days: int
    landed_at: dt.datetime | None = None
    """When records were landed last."""
    now: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    waiting: list[str] = field(default_factory=list)

    def wanted(
        self,
        shards: Sequence[str],
        arrivals: Pending,
        late: Pending,
        parts: Mapping[int, Sequence[str]] = MappingProxyType({}),
    ) -> list[Wanted]:
        """The runs to ask for, the most urgent first. The turn of days long past comes before new records only where
        there is room for one run alone, and then it is short. `parts` are the shards that hold something, by the part
        that they are, where runs beside that of new records land them."""
        new = self._of_arrivals(shards, arrivals)
        is_busy = bool(new or arrivals.days or shards) or (self._is_in_flight(ARRIVAL) and not self._is_idle())
        covered = {day for run in self.runs for day in run.tags.get(DAYS_TAG, "").split(",")}
        days = [day for day in late.in_turn() if day not in covered]
        landing = [each for part, held in parts.items() for each in self._of_landing(part, held)]
        return [*self._of_late_days(days, bool(new), is_busy), *new, *landing, *self._of_checks()]

    def _of_arrivals(self, shards: Sequence[str], arrivals: Pending) -> list[Wanted]:
        if not shards and not arrivals.days and not self._ended_early(ARRIVAL):
            return []
        if self._is_in_flight(ARRIVAL) or self._waits_after_failure(ARRIVAL):
            return []
        return [Wanted(ARRIVAL, [], tuple(shards))]

    def _of_landing(self, part: int, shards: Sequence[str]) -> list[Wanted]:
        kind = landing_of(part)
        if not shards or self._is_in_flight(kind) or self._waits_after_failure(kind):
            return []
        return [Wanted(kind, [], tuple(shards), part)]

    def _of_late_days(self, days: Sequence[str], is_asked: bool, is_busy: bool) -> list[Wanted]:
        if self._is_in_flight(LATE) or self._is_in_flight(PAST):
            return []
        furthest = str(self.now.date() - dt.timedelta(days=self.backdate_days))
        recent, past = [day for day in days if day >= furthest], [day for day in days if day < furthest]
        if is_asked or self._is_in_flight(ARRIVAL):
            recent = []
        for kind, behind in ((LATE, recent), (PAST, past)):
            is_due = kind == LATE or not is_busy or self._is_due(kind, behind)
            if behind and is_due and not self._waits_after_failure(kind):
                most = MOST_DAYS if is_busy or self._is_in_flight(ARRIVAL) else MOST_DAYS_IN_A_PAUSE
                return [Wanted(kind, sorted(behind[:most]))]
        return []

    def _of_checks(self) -> list[Wanted]:
        """A look at today and yesterday where new records came since the last."""
        came = dg.RunsFilter(tags={RUN_TAG: ARRIVAL}, statuses=[dg.DagsterRunStatus.SUCCESS, *UNFINISHED])
        last = self.instance.get_run_records(came, limit=1)
        if not last or self._is_in_flight(CHECKS):
            return []
        looked = self.instance.get_run_records(dg.RunsFilter(tags={RUN_TAG: CHECKS}), limit=1)
        since = looked[0].create_timestamp if looked else last[0].create_timestamp
        if self._is_in_flight(ARRIVAL):
            is_due = self.now - since >= EVERY[CHECKS]
        else:
            is_due = not looked or (last[0].end_time or 0.0) > since.timestamp()
        if not is_due:
            return []
        return [Wanted(CHECKS, [str(self.now.date() - dt.timedelta(days=1)), str(self.now.date())])]

    def _is_idle(self) -> bool:
        """Whether the run of new records has had none for a while."""
        return self.landed_at is not None and self.now - self.landed_at >= _IDLE

    def _ended_early(self, kind: str) -> bool:
        """Whether the last run of this kind failed: then tables without days may be behind, which only a run finds."""
        last = self.instance.get_run_records(dg.RunsFilter(tags={RUN_TAG: kind}), limit=1)
        return bool(last) and last[0].dagster_run.status == dg.DagsterRunStatus.FAILURE

    def _is_in_flight(self, kind: str) -> bool:
        return any(run.tags[RUN_TAG] == kind for run in self.runs)

    def _is_due(self, kind: str, behind: Sequence[str]) -> bool:
        """Whether the last run of this kind was asked for long enough ago; where there are more days than one run
        takes, whether it has ended for as long as it took."""
        last = self.instance.get_run_records(dg.RunsFilter(tags={RUN_TAG: kind}), limit=1)
        left = last[0].create_timestamp + EVERY[kind] - self.now if last else dt.timedelta()
        if len(behind) > MOST_DAYS and last and last[0].start_time and last[0].end_time:
            rested = dt.datetime.fromtimestamp(2 * last[0].end_time - last[0].start_time, dt.UTC)
            left = min(left, rested - self.now)
        if left > dt.timedelta():
            what = f"{len(behind)} days long past have"
            self.waiting.append(f"{what} their turn in {left.total_seconds():.0f} s, or in a pause.")
        return left <= dt.timedelta()

    def _waits_after_failure(self, kind: str) -> bool:
        """Whether it is too early to try again: twice as long after each failure in a row, up to five minutes."""
        records = self.instance.get_run_records(dg.RunsFilter(tags={RUN_TAG: kind}), limit=20)
        failures = 0
        for record in records:
            if record.dagster_run.status != dg.DagsterRunStatus.FAILURE:
                break
            failures += 1
        if not failures or records[0].end_time is None:
            return False
        wait = min(dt.timedelta(seconds=5 * 2 ** (failures - 1)), _LONGEST_WAIT)
        left = dt.datetime.fromtimestamp(records[0].end_time, dt.UTC) + wait - self.now
        if left > dt.timedelta():
            what = {LATE: "late days", PAST: "days long past"}.get(kind, "new records")
            self.waiting.append(f"The last run of {what} failed; the next try is in {left.total_seconds():.0f} s.")
        return left > dt.timedelta()
