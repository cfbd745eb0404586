"""The demo: seeded traffic through the ingest API of a running stack, until all of it is in the warehouse.

Makes traffic and looks; the work is done by the stack's own processes. What is printed is the command line's.
"""

from __future__ import annotations

import datetime as dt
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from event_assets.defs.assets.company import can_load
from event_assets.settings import PREFIX, Settings
from event_assets.simulator.company.databases import SOURCES, describe_sources, make_databases
from event_assets.simulator.local import simulate_locally
from event_assets.simulator.run import SimulationProgress, SimulationResult
from event_assets.simulator.traffic import Traffic
from event_assets.simulator.truth import TruthLedger
from event_assets.stack.health import RecentRun, failures_in_a_row, last_failed_run, recent_runs
from event_assets.stack.local import LocalStack
from event_assets.stack.overview import Overview, read_overview
from event_assets.stack.patience import Patience
from event_assets.warehouse.warehouse import Warehouse

LOOK_SECONDS = 1.0
_NAMED = 3
"""Tables that are behind and named while it waits; `event-assets status` names all."""
MOST_FAILURES = 4
"""Runs that may fail one after another: what passes by itself has passed by then."""


def describe_company(settings: Settings) -> None:
    """Writes the files of the made-up CRM and billing, where nobody has company data yet, it can be loaded, and the
    warehouse is the embedded one, which has their databases."""
    if settings.company is None and settings.warehouse_url is None and can_load():
        describe_sources(settings.home / "company")


class DemoFailed(RuntimeError):
    """What was acknowledged does not reach the warehouse. The message says what is missing and where to look."""


@dataclass(frozen=True)
class Moment:
    """How far the demo is: what was sent so far, the state of the platform once it was looked at, and what is waited
    for."""

    progress: SimulationProgress
    overview: Overview | None = None
    missing: int = 0
    waiting_for: str = ""


@dataclass(frozen=True)
class DemoResult:
    """What the demo shows. `sent` and `acknowledged` are events of this run, copies counted; all counts of `overview`
    are of everything under the home folder, earlier runs included. Latencies are of this run, in seconds from the
    acknowledgement by the ingest API to the row in `fct_events`."""

    simulation: SimulationResult
    overview: Overview
    p50: float
    p95: float

    def as_dict(self) -> dict[str, Any]:
        """The summary as plain values for JSON."""
        ledger = self.overview.ledger
        return {
            "sent": self.simulation.sent,
            "acknowledged": self.simulation.acknowledged,
            "landed": ledger.landed,
            "clean": ledger.clean,
            "quarantined": ledger.quarantined,
            "duplicates": ledger.duplicates,
            "sessions": self.overview.lake.get("sessions", 0),
            "users": self.overview.lake.get("users", 0),
            "segments": self.overview.lake.get("user_segments", 0),
            "warehouse": self.overview.warehouse or {},
            "balanced": ledger.balanced,
            "latency_seconds": {"p50": round(self.p50, 3), "p95": round(self.p95, 3)},
            "rejected": self.simulation.rejected,
            "counts": "sent, acknowledged, rejected and latency: this run; all others: everything under this home",
        }


def run_demo(
    settings: Settings,
    stack: LocalStack,
    *,
    events: int,
    seconds: float,
    seed: int,
    patience_seconds: float,
    watch: Callable[[Moment], None],
) -> DemoResult:
    """Send the traffic and wait until all that was acknowledged is in the warehouse.

    `watch` is called about once a second. However slow the machine, it waits as long as something moves. Raises
    `DemoFailed` where nothing has for `patience_seconds` or every run fails, `StackError` when a service ends for good.
    """
    if settings.warehouse_event_days == 0:
        raise DemoFailed(f"The demo shows events in the warehouse: {PREFIX}WAREHOUSE_EVENTS=none leaves them out.")
    began = time.time()
    if settings.warehouse_url is None and stack.record.warehouse_url is not None and _has_made_up_sources(settings):
        make_databases(stack.record.warehouse_url, seed, dt.datetime.now(dt.UTC))
    sending = _Sending(settings, stack.record.collector_url, events=events, seconds=seconds, seed=seed)
    while not sending.done(LOOK_SECONDS):
        stack.check()
        watch(Moment(sending.progress))
    simulation = sending.result()
    url = stack.record.warehouse_url
    patience = Patience(patience_seconds)
    while True:
        overview = read_overview(settings, url)
        latencies = _latencies(settings, url, simulation.run_id)
        missing = sum(latency is None for latency in latencies)
        runs = recent_runs(stack.record.dagster_url, since=began)
        faults = shortfall(overview, missing)
        watch(Moment(sending.progress, overview, missing, "; ".join([*faults, *_under_way(runs)])))
        if overview.settled and not missing:
            arrived = [latency for latency in latencies if latency is not None]
            return DemoResult(simulation, overview, *_percentiles(arrived))
        moving = (missing, len(latencies), repr(overview), tuple(runs))
        if patience.is_over(moving):
            raise DemoFailed(f"Nothing has moved for {patience_seconds:.0f} s: {_where(stack, faults)}")
        if failures_in_a_row(runs) >= MOST_FAILURES:
            raise DemoFailed(f"The last {MOST_FAILURES} runs failed: {_where(stack, faults)}")
        stack.check()
        time.sleep(LOOK_SECONDS)


def _has_made_up_sources(settings: Settings) -> bool:
    folder = settings.home / "company"
    return all((folder / f"{name}.yaml").exists() for name in SOURCES)


class _Sending:
    """The simulation in a thread of its own, so that the main thread can watch the services and be interrupted."""

    def __init__(self, settings: Settings, endpoint: str, *, events: int, seconds: float, seed: int) -> None:
        self.progress = SimulationProgress(0.0, 0, 0, 0)
        self._result: SimulationResult | None = None
        self._fault: BaseException | None = None
        self._settings, self._endpoint = settings, endpoint
        self._thread = threading.Thread(target=self._run, args=(events, seconds, seed), daemon=True)
        self._thread.start()

    def done(self, within: float) -> bool:
        """Whether the sending has ended; waits so many seconds for it."""
        self._thread.join(within)
        return not self._thread.is_alive()

    def result(self) -> SimulationResult:
        """What was sent. Raises what the sending raised."""
        if self._fault is not None:
            raise self._fault
        assert self._result is not None
        return self._result

    def _run(self, events: int, seconds: float, seed: int) -> None:
        try:
            traffic = Traffic(seed=seed, events=events, seconds=seconds)
            self._result = simulate_locally(self._settings, self._endpoint, traffic, self._note)
        except Exception as fault:
            self._fault = fault

    def _note(self, progress: SimulationProgress) -> None:
        self.progress = progress


def _latencies(settings: Settings, warehouse_url: str | None, run_id: str) -> list[float | None]:
    """Seconds from acknowledgement to warehouse row of every event that must get there; None for those not there."""
    with TruthLedger.of(settings) as truth:
        acknowledged = dict(truth.acknowledgements(run_id))
    loaded = _loaded_at(settings, warehouse_url, list(acknowledged)) if warehouse_url else {}
    return [loaded[id_] - at if id_ in loaded else None for id_, at in acknowledged.items()]


def _loaded_at(settings: Settings, warehouse_url: str, event_ids: list[str]) -> dict[str, float]:
    warehouse = Warehouse.from_settings(settings, warehouse_url)
    table = sql.Identifier(settings.warehouse_schema, "fct_events")
    query = sql.SQL("SELECT event_id, extract(epoch FROM loaded_at)::float8 FROM {} WHERE event_id = ANY(%s)")
    with warehouse.connect() as session:
        if session.execute("SELECT to_regclass(%s)", (f"{settings.warehouse_schema}.fct_events",)).fetchall()[0][0]:
            return dict(session.execute(query.format(table), (event_ids,)).fetchall())
    return {}


def _percentiles(latencies: list[float]) -> tuple[float, float]:
    if len(latencies) < 2:
        return (latencies[0], latencies[0]) if latencies else (0.0, 0.0)
    cuts = statistics.quantiles(latencies, n=20, method="inclusive")
    return cuts[9], cuts[18]


def shortfall(overview: Overview, missing: int) -> list[str]:
    """What is not as it will be in the end."""
    faults = []
    if missing:
        faults.append(f"{missing} acknowledged events are not in the warehouse")
    if overview.unread_shards:
        faults.append(f"the stream holds unread records ({', '.join(overview.unread_shards)})")
    if overview.pending:
        behind = [f"{name} ({_days(dates)})" for name, dates in overview.pending.items()]
        more = [f"{len(behind) - _NAMED} more"] if len(behind) > _NAMED else []
        faults.append(f"these tables are behind: {', '.join([*behind[:_NAMED], *more])}")
    if overview.ledger.pending:
        faults.append(f"{overview.ledger.pending} clean events are not enriched")
    if not overview.ledger.balanced:
        faults.append("the ledger does not balance")
    return faults


def _days(dates: Sequence[str]) -> str:
    return dates[0] if len(dates) == 1 else f"{len(dates)} days from {dates[0]} to {dates[-1]}"


def _under_way(runs: Sequence[RecentRun]) -> list[str]:
    under_way = [run for run in runs if not run.is_finished]
    return [f"runs under way: {len(under_way)}, {sum(run.steps for run in under_way)} steps done"] if under_way else []


def _where(stack: LocalStack, faults: Sequence[str]) -> str:
    failed = last_failed_run(stack.record.dagster_url)
    where = f"A run failed: {failed}." if failed else f"The runs are at {stack.record.dagster_url}/runs."
    return f"{'; '.join(faults)}. {where} Logs: {stack.home / 'logs'}."
