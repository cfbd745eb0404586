"""What a stress test found: per number of collectors, per component, its counts and what its load allows to say."""

from __future__ import annotations

import itertools
import os
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from event_assets.stress.follow import Stage
from event_assets.stress.ramp import Curve, Flow, RampLimits, RampStep, gave_way

PARTS = ("landing", "clean", "enrich", "sessions", "people and marts", "warehouse")
_SPARK = ("clean", "enrich", "sessions")
_ALL = "  landing → warehouse in one"
_BUSY_SENDER = 0.85
_BUSY_MACHINE = 0.95
_BUSY_OTHERS = 0.15
_SMALL_RUN = 0.2


@dataclass(frozen=True)
class LoadReconciliation:
    """Where the events of a ramp are. Each count is of events; stages that were not part of it are None."""

    sent: int
    acknowledged: int
    refused: int
    unanswered: int
    on_stream: int
    landed: int | None = None
    clean: int | None = None
    quarantined: int | None = None
    enriched: int | None = None
    loaded: int | None = None
    drained: bool = True
    """Whether the pipeline had the time to take in all of it."""

    @property
    def faults(self) -> list[str]:
        """The sums that are wrong, as sentences. An event without an answer may be on the stream or not."""
        faults = []
        if self.sent != self.acknowledged + self.refused + self.unanswered:
            faults.append(f"{self.sent} sent are not acknowledged + refused + unanswered")
        if not self.acknowledged <= self.on_stream <= self.acknowledged + self.unanswered + self.refused:
            faults.append(f"{self.acknowledged} acknowledged, but {self.on_stream} on the stream")
        if self.landed is None:
            return faults
        if self.drained and self.landed != self.on_stream:
            faults.append(f"{self.on_stream} on the stream, but {self.landed} landed")
        if self.landed != (self.clean or 0) + (self.quarantined or 0):
            faults.append(f"{self.landed} landed, but {self.clean} clean + {self.quarantined} quarantined")
        if self.enriched != self.clean:
            faults.append(f"{self.clean} clean, but {self.enriched} enriched")
        if self.loaded != self.enriched:
            faults.append(f"{self.enriched} enriched, but {self.loaded} in the warehouse")
        return faults


@dataclass(frozen=True)
class Scaling:
    """The API alone with so many processes."""

    processes: int
    steps: list[RampStep]
    reconciliation: LoadReconciliation

    @property
    def held(self) -> float:
        """The largest rate (acknowledged events a second) at which every rule held; 0 where none did."""
        return max((step.rate for step in self.steps if not step.broken), default=0.0)

    @property
    def most(self) -> float:
        """The most events a second that were acknowledged in any step."""
        return max(step.rate for step in self.steps)


@dataclass(frozen=True)
class Component:
    """One part of the platform. `throughput` is events a second while it was at work, None where nothing came through.

    `latency` and `latency_most` are seconds (API: median and p99 of requests in the last step that held; stream: mean
    of a durable write; the others: how long the oldest event of a run took from the part before, median and most).
    `backlog` is the most events that waited before it; None where events cannot wait there.
    """

    name: str
    throughput: float | None
    latency: float | None
    latency_most: float | None
    backlog: int | None
    busy_seconds: float | None = None


@dataclass(frozen=True)
class Whole:
    """All the way to the warehouse, with one collector."""

    steps: list[RampStep]
    components: list[Component]
    reconciliation: LoadReconciliation
    drain_seconds: float
    runs: int
    largest_run: int
    """Events of the run that brought the most."""
    curves: dict[str, list[tuple[float, int]]] = field(repr=False)
    """Events through each place over seconds since the beginning."""

    @property
    def has_only_small_runs(self) -> bool:
        """Whether each run brought so little of what came that its fixed costs hide what the components can take."""
        return self.largest_run < _SMALL_RUN * self.reconciliation.acknowledged

    @property
    def bottleneck(self) -> Component | None:
        """The component that takes the fewest events a second."""
        known = [each for each in self.components if each.throughput and not each.name.startswith(" ")]
        return min(known, key=lambda each: each.throughput or 0.0, default=None)


@dataclass(frozen=True)
class StressReport:
    """Everything that one stress test found."""

    limits: RampLimits
    scaling: list[Scaling]
    whole: Whole | None
    seconds: float

    @property
    def balanced(self) -> bool:
        """Whether no event was lost or doubled anywhere."""
        return not self.faults

    @property
    def faults(self) -> list[str]:
        """What does not reconcile."""
        counts = [(f"{each.processes} collectors", each.reconciliation) for each in self.scaling]
        counts += [("the whole way", self.whole.reconciliation)] if self.whole else []
        return [f"{where}: {fault}" for where, each in counts for fault in each.faults]

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        whole = None
        if self.whole:
            bottleneck = self.whole.bottleneck
            whole = {
                **_ramped(self.whole.steps, self.whole.reconciliation),
                "components": [asdict(each) for each in self.whole.components],
                "bottleneck": bottleneck.name if bottleneck else None,
                "runs": self.whole.runs,
                "largest_run": self.whole.largest_run,
                "drain_seconds": round(self.whole.drain_seconds, 1),
            }
        return {
            "cpus": os.cpu_count(),
            "limits": asdict(self.limits),
            "scaling": [
                {"processes": each.processes, "events_per_second_held": round(each.held),
                 "events_per_second_most": round(each.most), **_ramped(each.steps, each.reconciliation)}
                for each in self.scaling
            ],
            "whole": whole,
            "balanced": self.balanced,
            "faults": self.faults,
            "seconds": round(self.seconds, 1),
        }  # fmt: skip


def _ramped(steps: Sequence[RampStep], reconciliation: LoadReconciliation) -> dict[str, Any]:
    return {
        "gave_way": list(gave_way(steps)),
        "load": load_sentence(steps),
        "steps": [asdict(step) | {"rate": round(step.rate)} for step in steps],
        "reconciliation": asdict(reconciliation) | {"faults": reconciliation.faults},
    }


def load_sentence(steps: Sequence[RampStep]) -> str:
    """What the load means for the figures of the busiest step: whether it, and not the platform, was the limit."""
    step, cores = max(steps, key=lambda each: each.rate), os.cpu_count() or 1
    used = (
        f"of {cores} cores the load used {step.load_cpu:.1f}, the collectors {step.api_cpu:.1f}, the pipeline "
        f"{step.pipeline_cpu:.1f}, other programs {step.others_cpu:.1f}"
    )
    if step.load_cpu >= _BUSY_SENDER * step.senders:
        return f"The load generator was the limit, try more senders ({used})."
    if step.others_cpu >= _BUSY_OTHERS * cores:
        return f"Other programs had a good part of the machine: without them the figures are higher ({used})."
    if step.machine_cpu < _BUSY_MACHINE:
        return f"Neither the load generator nor the machine was the limit ({used})."
    return f"The machine was the limit: with the load on another one the figures are higher ({used})."


def components(steps: Sequence[RampStep], flow: Flow, alone: Sequence[RampStep]) -> list[Component]:
    """Each component, from the ramp that went all the way. What one collector and the stream take at the most is seen
    better where the API was `alone`."""
    held = next((step for step in reversed(steps) if not step.broken), steps[0])
    best = max([*steps, *alone], key=lambda step: step.rate)
    write = best.write_seconds / best.writes if best.writes else None
    on_their_way = max((sum(step.waiting.values()) for step in steps), default=0)
    made = [
        Component("API, 1 process", best.rate, held.p50, held.p99, None),
        Component("stream", _per_second(best.acknowledged, best.write_seconds), write, None, None),
        _part("landing", ("landing",), flow, steps, "landing"),
        _part("Spark (clean → sessions)", _SPARK, flow, steps, "spark"),
        *(_part(f"  {part}", (part,), flow, steps) for part in _SPARK),
        _part("people and marts", ("people and marts",), flow, steps),
        _part("warehouse", ("warehouse",), flow, steps, "warehouse"),
    ]
    oldest = max(step.lag for step in steps)
    return [*made, replace(_part(_ALL, PARTS, flow, steps), latency_most=oldest, backlog=on_their_way)]


def _part(
    name: str, parts: Sequence[str], flow: Flow, steps: Sequence[RampStep], stage: Stage | None = None
) -> Component:
    """A part of the pipeline. Small runs cost as much time as larger ones: the best run tells what it can take."""
    best = 0.0
    busy = [sum(span.ended - span.began for span in each.spans if span.part in parts) for each in flow.rounds]
    before = 0
    for each, seconds in zip(flow.rounds, busy, strict=True):
        if seconds:
            best = max(best, (each.enriched - before) / seconds)
        before = each.enriched
    waits = flow.waits[stage] if stage else []
    return Component(
        name,
        best or None,
        statistics.median(waits) if waits else None,
        max(waits, default=None),
        max((step.waiting.get(stage, 0) for step in steps), default=0) if stage else None,
        sum(busy),
    )


def _per_second(events: int, seconds: float) -> float | None:
    return events / seconds if events and seconds else None


def largest_run(flow: Flow) -> int:
    """Events of the run that brought the most."""
    counts = [0, *(each.enriched for each in flow.rounds)]
    return max((later - earlier for earlier, later in itertools.pairwise(counts)), default=0)


def curves(flow: Flow) -> dict[str, list[tuple[float, int]]]:
    """Events through each place over the seconds since the ramp began."""
    began = flow.acknowledged.times[0]
    lines: list[tuple[str, Curve]] = [("acknowledged", flow.acknowledged), *flow.stages.items()]
    return {
        name: [(round(at - began, 2), count) for at, count in zip(line.times, line.counts, strict=True)]
        for name, line in lines
    }
