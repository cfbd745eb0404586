"""The ramp: steps at growing rates until a rule is broken. Which rules there are stands in `RampLimits`."""

from __future__ import annotations

import os
import statistics
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psutil

from event_assets.stress.api import Api, usage_of
from event_assets.stress.follow import STAGES, Follower, Round, Stage
from event_assets.stress.load import Senders, Tally


@dataclass(frozen=True)
class RampLimits:
    """When something has given way, looked at after each step."""

    p99_seconds: float = 0.5
    """99 of 100 requests are answered within this."""
    refused_share: float = 0.01
    """No more of the events than this are refused or stay unanswered."""
    sent_share: float = 0.9
    """At least this of the offered rate is taken: below it, answers come too slowly to send more."""
    lag_seconds: float = 60.0
    """What was acknowledged is in the warehouse after this."""


@dataclass(frozen=True)
class RampStep:
    """One rate, sent by `senders` processes for some seconds.

    Rates are events a second, latencies seconds, CPU is cores in use (`others`: by programs that are no part of the
    test; `machine`: the share of all cores); `writes` are durable writes to the stream, known
    where there is one collector. `waiting` are the events that wait before each stage at its end, `lag` the age of the
    oldest that is not in the warehouse; both only where the pipeline follows. `broken` are the rules that did not hold,
    as sentences.
    """

    offered: float
    senders: int
    seconds: float
    sent: int
    acknowledged: int
    refused: dict[str, int]
    unanswered: int
    p50: float
    p99: float
    load_cpu: float
    api_cpu: float
    pipeline_cpu: float
    others_cpu: float
    machine_cpu: float
    writes: int
    write_seconds: float
    waiting: dict[Stage, int] = field(default_factory=dict)
    lag: float = 0.0
    broken: tuple[str, ...] = ()

    @property
    def rate(self) -> float:
        """Acknowledged events a second."""
        return self.acknowledged / self.seconds


class Curve:
    """Events that have come through a place, over time."""

    def __init__(self) -> None:
        self.times: list[float] = [time.time()]
        self.counts: list[int] = [0]

    def add(self, at: float, count: int) -> None:
        """So many by then."""
        self.times.append(at)
        self.counts.append(count)

    @property
    def count(self) -> int:
        """So many by now."""
        return self.counts[-1]

    def when(self, count: int) -> float:
        """When more than `count` had come through: between two looks they came evenly."""
        after = bisect_left(self.counts, count + 1)
        if after >= len(self.counts):
            return self.times[-1]
        before = max(0, after - 1)
        passed = (count - self.counts[before]) / max(1, self.counts[after] - self.counts[before])
        return self.times[before] + passed * (self.times[after] - self.times[before])


class Flow:
    """The lines of one ramp: what was acknowledged, and what came through each stage of the pipeline that follows."""

    def __init__(self, follower: Follower | None = None) -> None:
        self.acknowledged = Curve()
        self.stages: dict[Stage, Curve] = {stage: Curve() for stage in STAGES}
        self.rounds: list[Round] = []
        self.waits: dict[Stage, list[float]] = {stage: [] for stage in STAGES}
        """Seconds that the oldest event of each round took from the stage before to this one."""
        self._follower = follower

    def look(self) -> None:
        """Takes in the rounds that have ended."""
        for each in self._follower.rounds() if self._follower is not None else ():
            self.rounds.append(each)
            before = self.acknowledged
            for stage in STAGES:
                line = self.stages[stage]
                at, count = each.through(stage)
                if count > line.count:
                    self.waits[stage].append(max(0.0, at - before.when(line.count)))
                line.add(at, count)
                before = line

    def waiting(self) -> dict[Stage, int]:
        """Events that wait before each stage."""
        if self._follower is None:
            return {}
        before, waiting = self.acknowledged, {}
        for stage, line in self.stages.items():
            waiting[stage] = max(0, before.count - line.count)
            before = line
        return waiting

    def lag(self) -> float:
        """Age in seconds of the oldest event that is not in the warehouse."""
        loaded = self.stages["warehouse"].count
        if self._follower is None or loaded >= self.acknowledged.count:
            return 0.0
        return time.time() - self.acknowledged.when(loaded)

    def pipeline_cpu(self) -> float:
        """CPU seconds that the pipeline has used."""
        return self._follower.usage().cpu if self._follower is not None else 0.0


def ramp(
    senders: Senders,
    api: Api,
    flow: Flow,
    limits: RampLimits,
    *,
    start: float,
    factor: float,
    step_seconds: float,
    most_steps: int,
    deadline: float,
    watch: Callable[[RampStep], None],
) -> list[RampStep]:
    """Steps from the rate `start` on, each `factor` times the one before, until something gives way.

    A step in which a rule is broken is repeated once: only what is broken twice running has given way. It also ends
    after `most_steps` and when `deadline` (monotonic seconds) would be passed.
    """
    steps: list[RampStep] = []
    rate = start
    while not steps or (len(steps) < most_steps and time.monotonic() + step_seconds <= deadline):
        steps.append(_step(senders, api, flow, limits, rate, step_seconds))
        watch(steps[-1])
        if not steps[-1].broken:
            rate *= factor
        elif gave_way(steps):
            break
    return steps


def gave_way(steps: Sequence[RampStep]) -> tuple[str, ...]:
    """The rules that were broken in the last step and in the one before; empty where nothing has given way."""
    return steps[-1].broken if len(steps) > 1 and steps[-2].broken else ()


def _step(senders: Senders, api: Api, flow: Flow, limits: RampLimits, rate: float, seconds: float) -> RampStep:
    psutil.cpu_percent()
    ours = usage_of(os.getpid()).cpu
    api_cpu, pipeline_cpu, writes = api.usage().cpu, flow.pipeline_cpu(), api.stream_writes()
    flow.acknowledged.add(time.time(), flow.acknowledged.count)
    tally = senders.send(rate, seconds)
    flow.acknowledged.add(time.time(), flow.acknowledged.count + tally.acknowledged)
    machine, ours = psutil.cpu_percent() / 100, usage_of(os.getpid()).cpu - ours
    api_cpu, pipeline_cpu = api.usage().cpu - api_cpu, flow.pipeline_cpu() - pipeline_cpu
    written = api.stream_writes()
    flow.look()
    lag = flow.lag()
    p50, p99 = _quantiles(tally.latencies)
    return RampStep(
        offered=rate,
        senders=senders.processes,
        seconds=tally.seconds,
        sent=tally.sent,
        acknowledged=tally.acknowledged,
        refused=dict(tally.refused),
        unanswered=tally.unanswered,
        p50=p50,
        p99=p99,
        load_cpu=tally.cpu / tally.seconds,
        api_cpu=max(0.0, api_cpu) / tally.seconds,
        pipeline_cpu=max(0.0, pipeline_cpu) / tally.seconds,
        others_cpu=max(0.0, machine * (os.cpu_count() or 1) - ours / tally.seconds),
        machine_cpu=machine,
        writes=written.number - writes.number,
        write_seconds=written.seconds - writes.seconds,
        waiting=flow.waiting(),
        lag=lag,
        broken=tuple(broken_rules(limits, rate, seconds, tally, p99, lag)),
    )


def broken_rules(limits: RampLimits, rate: float, seconds: float, tally: Tally, p99: float, lag: float) -> list[str]:
    """The rules that a step did not keep, as sentences: `rate` was offered for `seconds`, `tally` came of it."""
    broken = []
    if p99 > limits.p99_seconds:
        broken.append(f"API: p99 of {p99 * 1000:,.0f} ms is above {limits.p99_seconds * 1000:,.0f} ms")
    failed = tally.refused.total() + tally.unanswered
    if failed > limits.refused_share * tally.sent:
        why = ", ".join(sorted(tally.refused) + (["no answer"] if tally.unanswered else []))
        broken.append(
            f"API: {failed / tally.sent:.1%} of the events are refused ({why}), more than {limits.refused_share:.0%}"
        )
    taken = tally.sent / max(tally.seconds, seconds)
    if taken < limits.sent_share * rate:
        broken.append(f"API: it takes {taken:,.0f} of {rate:,.0f} offered events/s, less than {limits.sent_share:.0%}")
    if lag > limits.lag_seconds:
        broken.append(f"pipeline: the oldest event on its way is {lag:.0f} s old, more than {limits.lag_seconds:.0f} s")
    return broken


def _quantiles(latencies: Sequence[float]) -> tuple[float, float]:
    if len(latencies) < 2:
        return (latencies[0], latencies[0]) if latencies else (0.0, 0.0)
    cuts = statistics.quantiles(latencies, n=100, method="inclusive")
    return cuts[49], cuts[98]
