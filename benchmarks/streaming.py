"""What the streaming query of Apache Spark does on a core, and how late rows are: `python -m benchmarks streaming`.

The query reads the embedded log by the platform's own source, and a topic of one Kafka broker by Spark's, where Java
and both archives are there (`make build/kafka build/spark-kafka`); raw, clean and enriched events are in each of its
commits. First it takes in what is on the stream: `events_per_core_second` is events to the processor seconds of Spark's
processes, which other load on the machine changes little, the start of the query among them. Then events are written at
a rate, and `ms_p50` and `ms_p95` are from when a record was acknowledged to the commit of its row in `enriched_events`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from statistics import quantiles
from typing import Any

import psutil
from pyspark.sql import SparkSession

from benchmarks.data import event_blocks
from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.pipeline.continuous import Continuous
from event_assets.pipeline.run import GivenRules
from event_assets_tests import engines
from event_assets_tests.engines import CONNECTOR, REPOSITORY, apache_spark, has_java
from event_assets_tests.pipeline.pipeline import Pipeline

KINDS = ("embedded", "kafka")
SHARDS = 2
_EVERY = 0.1
"""Seconds from one put to the next, where events are written at a rate."""
_KEYS = 8
_WARM = 200
"""Events before anything is measured: the first micro-batch starts what the others find."""
Figures = dict[str, Any]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; gives the exit status: 1 where nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks streaming", description=__doc__)
    parser.add_argument("--kinds", default=",".join(KINDS), help="streams, with commas between")
    parser.add_argument("--events", type=int, default=200_000, help="events on the stream that are taken in")
    parser.add_argument("--rate", type=int, default=100, help="events a second for the latency")
    parser.add_argument("--seconds", type=float, default=60.0, help="for how long")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args(argv)
    if not has_java():
        print("Apache Spark needs Java, and there is none here.", file=sys.stderr)
        return 1
    kinds = [kind for kind in asked.kinds.split(",") if kind == "embedded" or has_kafka()]
    with apache_spark() as spark:
        found = {kind: measure(spark, kind, asked.events, asked.rate, asked.seconds) for kind in kinds}
    if asked.json:
        print(json.dumps(found))
    else:
        for kind, figures in found.items():
            print(kind, *(f"  {name:<28} {value:>12,}" for name, value in figures.items()), sep="\n")
    return 0


def has_kafka() -> bool:
    """Whether a broker and Spark's connector are there."""
    return CONNECTOR.exists() and (REPOSITORY / "build" / "kafka").exists()


def measure(spark: SparkSession, kind: str, events: int, rate: int, seconds: float) -> Figures:
    """The figures of one kind of stream."""
    lines = _lines(_WARM + events + 1 + int(rate * seconds))
    with ExitStack() as stack:
        pipeline = stack.enter_context(_pipeline(spark, kind))
        _put(pipeline, [*islice(lines, _WARM)])
        _take_in(pipeline)
        _put(pipeline, [*islice(lines, events)])
        before, began = _cpu_seconds(), time.monotonic()
        busy = _take_in(pipeline)
        spent, whole = _cpu_seconds() - before, time.monotonic() - began
        latencies = _followed(pipeline, lines, rate, seconds)
    cuts = quantiles(latencies, n=100)
    return {
        "events": events,
        "events_per_core_second": round(events / spent),
        "events_per_second": round(events / busy),
        "seconds_with_start": round(whole, 1),
        "rate": rate,
        "written_at_the_rate": len(latencies),
        "ms_p50": round(1_000 * cuts[49]),
        "ms_p95": round(1_000 * cuts[94]),
    }


def _lines(count: int) -> Iterator[bytes]:
    yesterday = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    blocks = event_blocks(count, duplicates=0.0, start=yesterday)
    return (line for block in blocks for line in block.splitlines())


def _put(pipeline: Pipeline, lines: Sequence[bytes]) -> None:
    """Puts events of several keys, of which each shard has some."""
    for number in range(_KEYS):
        if some := lines[number::_KEYS]:
            pipeline.put(some, key=f"k{number}")


@contextmanager
def _pipeline(spark: SparkSession, kind: str) -> Iterator[Pipeline]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="event-assets-streaming-")))
        made = Pipeline(spark, folder / "home")
        if kind == "kafka":
            from event_assets.streams.kafka import KafkaStream
            from event_assets.streams.kafka_connection import KafkaConnection
            from event_assets_tests.emulators.kafka import kafka

            (folder / "broker").mkdir()
            broker = stack.enter_context(kafka(folder / "broker"))
            made.stream.close()
            connection = KafkaConnection(broker.brokers)
            made.stream = KafkaStream(f"events-{uuid.uuid4().hex}", connection, is_read_by_spark=True)
            made.stream.create(SHARDS)
        stack.callback(made.stream.close)
        yield made


def _query(pipeline: Pipeline, **how: Any) -> Continuous:
    run = pipeline.refresh()
    assert isinstance(run.rules, GivenRules)
    return Continuous(run, run.rules, pipeline.stream, 90, **how)


def _take_in(pipeline: Pipeline) -> float:
    """Takes in what is on the stream; gives the seconds of the micro-batches."""
    return sum(batch.seconds for batch in _query(pipeline, ends=True).stay())


def _followed(pipeline: Pipeline, lines: Iterator[bytes], rate: int, seconds: float) -> list[float]:
    """Seconds from when each event was acknowledged to the commit of its row, while they are written at a rate."""
    table = pipeline.lake.table(ENRICHED_EVENTS.name)
    base, written = table.snapshot().version, dict[str, float]()
    began = threading.Event()
    writing = threading.Thread(target=_write, args=(pipeline, lines, rate, seconds, written))

    def is_over() -> bool:
        return began.is_set() and not writing.is_alive() and written.keys() <= _committed(pipeline, base).keys()

    _put(pipeline, [*islice(lines, 1)])
    living = _query(pipeline, is_over=is_over).stay()
    next(living)  # the query is at work
    writing.start()
    began.set()
    for _ in living:
        pass
    writing.join()
    committed = _committed(pipeline, base)
    return [committed[event_id] - at for event_id, at in written.items()]


def _write(pipeline: Pipeline, lines: Iterator[bytes], rate: int, seconds: float, written: dict[str, float]) -> None:
    """Notes when each event was acknowledged."""
    began, sent = time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        some = [*islice(lines, max(0, int(rate * passed) - sent))]
        if some:
            _put(pipeline, some)
            written.update(dict.fromkeys((json.loads(line)["event_id"] for line in some), time.time()))
            sent += len(some)
        time.sleep(_EVERY)


def _committed(pipeline: Pipeline, base: int) -> dict[str, float]:
    """By event when its row was committed first, after a version of the table."""
    snapshot = pipeline.lake.table(ENRICHED_EVENTS.name).snapshot()
    found: dict[str, float] = {}
    for commit in snapshot.changes_since(base).commits:
        at = snapshot.committed_at(commit.version)
        assert at is not None, "the log reaches back"
        for event_id in snapshot.arrow(snapshot.of_paths(commit.added), ["event_id"])["event_id"].to_pylist():
            found.setdefault(event_id, at.timestamp())
    return found


def _cpu_seconds() -> float:
    """Processor seconds of Spark's processes, Python's among them."""
    spent = 0.0
    server = next(each for each in psutil.Process().children() if engines.__name__ in each.cmdline())
    for process in (server, *server.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        spent += times.user + times.system + times.children_user + times.children_system
    return spent


if __name__ == "__main__":
    sys.exit(main())
