"""A simulation from beginning to end: an hour of life, squeezed into half a minute, through the real ingest API.

How time is squeezed: the events are generated over the hour that ends when the sending ends. While it goes on, wall
time runs `3600 * hours / seconds` times faster through that hour. No timestamp is touched: `occurred_at` is the moment
of the generated hour, `sent_at` is the real time of the request, as if the devices had been offline and handed in their
events late. By the contract's time rule `derived_at` is then the generated moment, gaps and sessions keep their true
lengths, and the last events have just happened. What would be sent after the hour is sent at its end; what would happen
after it is left out.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from event_assets.settings import Settings
from event_assets.simulator.anomalies import anomalies_of
from event_assets.simulator.batches import batches
from event_assets.simulator.generate import TimedEvent, generate, people_for
from event_assets.simulator.rates import FaultRates
from event_assets.simulator.send import TrafficSender
from event_assets.simulator.strays import Stray, strays
from event_assets.simulator.truth import Receipt, TruthLedger
from event_assets.streams import EventStream, StreamRecord


class SimulationProgress(NamedTuple):
    """How far a simulation is. `share` is between 0 and 1."""

    share: float
    sent: int
    acknowledged: int
    rejected: int


@dataclass(frozen=True)
class SimulationResult:
    """What one simulation sent, and what must become of it.

    Events are counted per submission: copies count. `clean` is how many distinct events must reach `enriched_events`,
    `duplicates` how many acknowledged copies must not; `quarantined` and `rejected` are by reason. `maybe_more` is how
    many further copies may have been taken by requests that got no answer.
    """

    run_id: str
    seed: int
    sent: int
    acknowledged: int
    rejected: dict[str, int]
    quarantined: dict[str, int]
    clean: int
    duplicates: int
    unsent: int
    maybe_more: int
    retries: int
    stray_records: int
    anomalies: int
    started_at: dt.datetime
    ended_at: dt.datetime
    truth: Path = field(compare=False)

    @property
    def seconds(self) -> float:
        """How long the sending took."""
        return (self.ended_at - self.started_at).total_seconds()

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        plain = asdict(self) | {"seconds": round(self.seconds, 3), "truth": str(self.truth)}
        return plain | {"started_at": self.started_at.isoformat(), "ended_at": self.ended_at.isoformat()}


def run_simulation(
    settings: Settings,
    endpoint: str,
    write_key: str,
    stream: EventStream | None,
    *,
    seed: int = 7,
    events: int = 20_000,
    seconds: float = 30.0,
    hours: float = 1.0,
    faults: FaultRates | None = None,
    anomalies: Sequence[str] = (),
    progress: Callable[[SimulationProgress], None] | None = None,
) -> SimulationResult:
    """Sends about `events` events to the ingest API at `endpoint` (`http://host:port`) within `seconds`.

    A few records that the API would never write go straight onto `stream`, where one is given, spread over the time.
    `anomalies` are texts as `anomalies_of` takes them. Everything is written into the truth under the settings' home
    folder. Raises `SendError` where the API refuses the key, `AnomalyError` where an anomaly cannot be planted.
    """
    window_end = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
    start = window_end - dt.timedelta(hours=hours)
    planted = anomalies_of(anomalies, seed, start.timestamp(), hours * 3600)
    people = people_for(events, seed, start, hours, faults, planted)
    run_id = f"{start:%Y%m%dT%H%M%S.%f}-{seed}"
    with TruthLedger.of(settings) as truth:
        run = _Run(truth, run_id, stream, progress)
        truth.begin(run_id, seed, people, hours, time.time())
        truth.plant(run_id, planted)
        happened = (
            event
            for event in generate(seed, people, start, hours, faults, planted)
            if event.occurred_at < window_end.timestamp()
        )
        run.send(endpoint, write_key, seed, happened, start.timestamp(), hours * 3600, seconds)
        truth.end(run_id, time.time())
        return _result(truth, run_id, run.retries)


class _Run:
    """One simulation while it goes on."""

    def __init__(
        self,
        truth: TruthLedger,
        run_id: str,
        stream: EventStream | None,
        progress: Callable[[SimulationProgress], None] | None,
    ) -> None:
        self.retries = 0
        self._truth = truth
        self._run_id = run_id
        self._stream = stream
        self._progress = progress
        self._sent = self._acknowledged = self._rejected = 0

    def send(
        self,
        endpoint: str,
        write_key: str,
        seed: int,
        events: Iterator[TimedEvent],
        begin: float,
        span: float,
        seconds: float,
    ) -> None:
        """Sends every batch when its time has come, and the strays between them."""
        ready = batches(events)
        first = list(islice(ready, 1))  # makes the first hour, so that its work does not count as sending
        by_hand = strays(seed, dt.datetime.now(dt.UTC)) if self._stream is not None else []
        puts = len(by_hand)
        sender = TrafficSender(endpoint, write_key, self._record)
        began = time.monotonic()
        for batch in chain(first, ready):
            share = min(1.0, (batch.due - begin) / span)
            while by_hand and share > 1 - len(by_hand) / (puts + 1):
                self._put(by_hand.pop(0))
            self._wait_until(began + share * seconds, share)
            sender.send(batch)
        for stray in by_hand:
            self._put(stray)
        sender.finish()
        self.retries = sender.retries
        self._tell(1.0)

    def _wait_until(self, moment: float, share: float) -> None:
        while (left := moment - time.monotonic()) > 0:
            self._tell(share)
            time.sleep(min(left, 0.25))

    def _tell(self, share: float) -> None:
        if self._progress is not None:
            self._progress(SimulationProgress(share, self._sent, self._acknowledged, self._rejected))

    def _record(self, receipts: list[Receipt]) -> None:
        self._truth.record(self._run_id, receipts)
        self._sent += len(receipts)
        self._acknowledged += sum(receipt.verdict == "accepted" for receipt in receipts)
        self._rejected += sum(receipt.verdict == "rejected" for receipt in receipts)

    def _put(self, stray: Stray) -> None:
        assert self._stream is not None
        for attempt in range(50):
            sent_at = time.time()
            result = self._stream.put([StreamRecord(stray.partition_key, stray.data)])[0]
            if result.error is None:
                break
            time.sleep(min(0.05 * 2**attempt, 1.0))
        else:
            raise RuntimeError(f"the stream does not take a record: {result.error}")
        place = result.shard_id, result.sequence_number
        now = time.time()
        self._truth.record(
            self._run_id,
            [Receipt(e, "stream", "put", None, sent_at, now, 0, *place, line) for line, e in enumerate(stray.lines)],
        )


def _result(truth: TruthLedger, run_id: str, retries: int) -> SimulationResult:
    def counts(condition: str) -> dict[str, int]:
        sql = f"SELECT coalesce(fate_reason, ''), count(*) FROM submissions WHERE run_id = ? AND {condition} GROUP BY 1"
        return dict(truth.query(sql, (run_id,)))

    def number(expression: str, condition: str = "1") -> int:
        sql = f"SELECT coalesce({expression}, 0) FROM submissions WHERE run_id = ? AND {condition}"
        return int(truth.query(sql, (run_id,))[0][0])

    taken = "verdict IN ('accepted', 'put')"
    seed, started, ended = truth.query("SELECT seed, started_at, ended_at FROM runs WHERE run_id = ?", (run_id,))[0]
    rejected = truth.query(
        "SELECT verdict_reason, count(*) FROM submissions WHERE run_id = ? AND verdict = 'rejected' GROUP BY 1",
        (run_id,),
    )
    clean = number("count(DISTINCT event_id)", f"{taken} AND fate = 'clean'")
    return SimulationResult(
        run_id=run_id,
        seed=seed,
        sent=number("count(*)", "path = 'api'"),
        acknowledged=number("count(*)", "verdict = 'accepted'"),
        rejected={str(reason): count for reason, count in rejected},
        quarantined=counts(f"{taken} AND fate = 'quarantined'"),
        clean=clean,
        duplicates=number("count(*)", f"{taken} AND fate = 'clean'") - clean,
        unsent=number("count(*)", "verdict = 'unsent'"),
        maybe_more=number("sum(maybe_taken)"),
        retries=retries,
        stray_records=number("count(DISTINCT shard_id || sequence_number)", "path = 'stream'"),
        anomalies=truth.query("SELECT count(*) FROM anomalies WHERE run_id = ?", (run_id,))[0][0],
        started_at=dt.datetime.fromtimestamp(started, dt.UTC),
        ended_at=dt.datetime.fromtimestamp(ended, dt.UTC),
        truth=truth.path,
    )
