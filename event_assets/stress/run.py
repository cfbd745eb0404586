"""A stress test from beginning to end: the API alone with more and more processes, then all the way."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from event_assets.contract.records import count_events
from event_assets.embedded.postgres import open_postgres
from event_assets.settings import Settings
from event_assets.streams import open_stream
from event_assets.stress.api import Api, serving_api, stress_settings
from event_assets.stress.bodies import make_bodies
from event_assets.stress.follow import Follower
from event_assets.stress.load import Senders
from event_assets.stress.ramp import Flow, RampLimits, RampStep, ramp
from event_assets.stress.report import LoadReconciliation, Scaling, StressReport, Whole, components, curves, largest_run

_SHARE_OF_SCALING = 0.45
"""Of the time, for the API alone."""
_SHARE_OF_DRAIN = 0.4
"""Of the rest, kept for what is on its way when the ramp ends."""
_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Plan:
    """How a stress test goes. Rates are events a second; each step is `factor` times the one before.

    `senders` processes with up to `connections` each make the load; `bodies` different requests are sent over and over.
    """

    processes: tuple[int, ...] = (1, 2, 4)
    max_seconds: float = 300.0
    start: float = 10_000.0
    whole_start: float = 2_000.0
    factor: float = 1.6
    step_seconds: float = 5.0
    most_steps: int = 30
    senders: int = 1
    connections: int = 256
    bodies: int = 100
    whole: bool = True
    limits: RampLimits = field(default_factory=RampLimits)


Watch = Callable[[str], None]
"""Receives a sentence for each thing that has happened."""


def run_stress(folder: Path, plan: Plan, watch: Watch = lambda sentence: None) -> StressReport:
    """Everything happens below `folder`, in a folder of its own that is gone afterwards. Raises `StackError`.

    It ends soon after `plan.max_seconds`: what is under way is brought to an end.
    """
    began = time.monotonic()
    bodies = make_bodies(plan.bodies, dt.datetime.now(dt.UTC))
    for_scaling = plan.max_seconds * (_SHARE_OF_SCALING if plan.whole else 1.0) / max(1, len(plan.processes))
    scaling = []
    for count in plan.processes:
        with _home(folder) as home:
            scaling.append(_scale(home, plan, bodies, count, time.monotonic() + for_scaling, watch))
    whole = None
    if plan.whole:
        with _home(folder) as home:
            alone = [step for each in scaling if each.processes == 1 for step in each.steps]
            whole = _whole(home, plan, bodies, alone, began + plan.max_seconds, watch)
    return StressReport(plan.limits, scaling, whole, time.monotonic() - began)


@contextmanager
def _home(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="stress-", dir=folder.absolute()))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _scale(home: Path, plan: Plan, bodies: Sequence[bytes], processes: int, deadline: float, watch: Watch) -> Scaling:
    watch(f"The API alone, {processes} {'process' if processes == 1 else 'processes'}")
    settings = stress_settings(home)
    with serving_api(settings, processes) as api, _senders(api, plan, bodies) as senders:
        steps = ramp(
            senders,
            api,
            Flow(),
            plan.limits,
            start=plan.start,
            factor=plan.factor,
            step_seconds=plan.step_seconds,
            most_steps=plan.most_steps,
            deadline=deadline,
            watch=lambda step: watch(_sentence(step)),
        )
    return Scaling(processes, steps, _reconciliation(steps, settings))


def _whole(
    home: Path, plan: Plan, bodies: Sequence[bytes], alone: Sequence[RampStep], deadline: float, watch: Watch
) -> Whole:
    watch("All the way to the warehouse, 1 process")
    settings = stress_settings(home)
    with (
        open_postgres(home) as warehouse,
        serving_api(settings, 1) as api,
        _senders(api, plan, bodies) as senders,
        Follower(settings, warehouse) as follower,
    ):
        left = max(0.0, deadline - time.monotonic())
        flow = Flow(follower)
        steps = ramp(
            senders,
            api,
            flow,
            plan.limits,
            start=plan.whole_start,
            factor=plan.factor,
            step_seconds=plan.step_seconds,
            most_steps=plan.most_steps,
            deadline=time.monotonic() + left * (1 - _SHARE_OF_DRAIN),
            watch=lambda step: watch(_sentence(step)),
        )
        watch(f"Draining {flow.acknowledged.count - flow.stages['warehouse'].count:,} events")
        drain_seconds = _drain(flow, deadline)
    return Whole(
        steps,
        components(steps, flow, alone),
        _reconciliation(steps, settings, flow),
        drain_seconds,
        len(flow.rounds),
        largest_run(flow),
        curves(flow),
    )


def _senders(api: Api, plan: Plan, bodies: Sequence[bytes]) -> Senders:
    return Senders(api.url, api.key, bodies, plan.senders, plan.connections)


def _drain(flow: Flow, deadline: float) -> float:
    """Waits until all that was acknowledged is in the warehouse, or the deadline. The seconds that it took."""
    began = time.monotonic()
    flow.look()
    while flow.stages["warehouse"].count < flow.acknowledged.count and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
        flow.look()
    return time.monotonic() - began


def _reconciliation(steps: Sequence[RampStep], settings: Settings, flow: Flow | None = None) -> LoadReconciliation:
    last = flow.rounds[-1] if flow is not None and flow.rounds else None
    on_stream = _on_stream(settings)
    return LoadReconciliation(
        sent=sum(step.sent for step in steps),
        acknowledged=sum(step.acknowledged for step in steps),
        refused=sum(sum(step.refused.values()) for step in steps),
        unanswered=sum(step.unanswered for step in steps),
        on_stream=on_stream,
        landed=last.landed if last else None,
        clean=last.clean if last else None,
        quarantined=last.quarantined if last else None,
        enriched=last.enriched if last else None,
        loaded=last.loaded if last else None,
        drained=last is None or last.landed == on_stream,
    )


def _on_stream(settings: Settings) -> int:
    """Events on the stream, counted record by record."""
    stream, events = open_stream(settings), 0
    try:
        for shard in stream.shards():
            after = None
            while records := stream.read(shard.shard_id, after).records:
                after = records[-1].sequence_number
                events += sum(count_events(record.data) for record in records)
    finally:
        stream.close()
    return events


def _sentence(step: RampStep) -> str:
    lag = f", {step.lag:.0f} s behind" if step.waiting else ""
    broken = f". {'; '.join(step.broken)}" if step.broken else ""
    taken = f"{step.rate:,.0f} acknowledged, p99 {step.p99 * 1000:,.0f} ms"
    return f"  {step.offered:,.0f} events/s offered: {taken}{lag}{broken}"
