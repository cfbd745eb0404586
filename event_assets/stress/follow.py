"""The rest of the way under load: a process that materialises Dagster's assets, one run after the other.

The runs are those that the sensor would ask for, without its waits: what they take is what the components take.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

import psutil
import pyarrow.compute as pc

from event_assets.settings import PREFIX, Settings, load_settings
from event_assets.stress.api import Usage, usage_of

Stage = Literal["landing", "spark", "warehouse"]
STAGES: tuple[Stage, ...] = ("landing", "spark", "warehouse")
_START_SECONDS = 120.0

_STEPS: dict[str, str] = {
    "raw_events": "landing",
    "clean_events": "clean",
    "quarantined_events": "clean",
    "enriched_events": "enrich",
    "sessionised": "sessions",
}
"""Part of the report by step of the run; loads are `warehouse`, everything else is `people and marts`."""


class Span(NamedTuple):
    """When a step ran, epoch seconds."""

    part: str
    step: str
    began: float
    ended: float


class Round(NamedTuple):
    """One run: its steps, and the events that had come through each stage when it ended, from the beginning.

    `landed` are events on stream records that were landed, `clean` and `quarantined` what became of them, `enriched`
    distinct events, `loaded` rows of `fct_events`.
    """

    spans: list[Span]
    landed: int
    clean: int
    quarantined: int
    enriched: int
    loaded: int

    def through(self, stage: Stage) -> tuple[float, int]:
        """When the stage was done in this run, and how many events had come through it then."""
        parts = {"landing": {"landing"}, "spark": {"clean", "enrich", "sessions"}, "warehouse": {"warehouse"}}[stage]
        done = max((span.ended for span in self.spans if span.part in parts), default=time.time())
        return done, {"landing": self.landed, "spark": self.enriched, "warehouse": self.loaded}[stage]


class Follower:
    """A process that follows the stream until the block ends."""

    def __init__(self, settings: Settings, warehouse_url: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        fields = settings.model_dump() | {"warehouse_url": warehouse_url}
        self._process = context.Process(target=_follow, args=(theirs, fields), daemon=False)
        self._process.start()
        theirs.close()
        if not self._pipe.poll(_START_SECONDS) or not isinstance(self._receive(), str):
            raise RuntimeError(f"The pipeline did not start within {_START_SECONDS:.0f} s.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A run takes long to end, and nobody needs its rows: its folder is thrown away.
        with suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self._process.pid).children(recursive=True):
                process.kill()
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def usage(self) -> Usage:
        """What the process uses."""
        return usage_of(self._process.pid or 0)

    def rounds(self) -> list[Round]:
        """The runs that have ended since the last call. Raises what ended the process."""
        ended = []
        while self._pipe.poll():
            received = self._receive()
            assert isinstance(received, Round)
            ended.append(received)
        return ended

    def _receive(self) -> Round | str:
        try:
            received = self._pipe.recv()
        except EOFError:
            raise RuntimeError("The pipeline's process has ended.") from None
        if isinstance(received, BaseException):
            raise received
        assert isinstance(received, (Round, str))
        return received


def _follow(pipe: Connection, fields: dict[str, Any]) -> None:
    """The process: one run after the other until nobody listens any more."""
    import logging

    logging.disable(logging.WARNING)
    os.environ[f"{PREFIX}WAREHOUSE_URL"] = fields[
        "warehouse_url"
    ]  # the resource keeps the secret out of Dagster's view
    settings = load_settings(**fields)
    with suppress(BrokenPipeError, EOFError, KeyboardInterrupt):
        try:
            _run(settings)  # what is loaded once, the engine among it, is no part of the measurement
            pipe.send("ready")
            while True:
                pipe.send(_counted(settings, _run(settings)))
        except Exception as fault:
            pipe.send(RuntimeError(f"The pipeline stopped: {type(fault).__name__}: {fault}"))


def _run(settings: Settings) -> list[Span]:
    """One run over today and yesterday; the steps that it took. Raises what a step raises."""
    import dagster as dg

    from event_assets.definitions import build_defs
    from event_assets.defs.assets.days import DAYS_TAG
    from event_assets.defs.automation.partitions import partitions_of

    today = dt.datetime.now(dt.UTC).date()
    days, last = f"{today - dt.timedelta(days=1)},{today}", partitions_of(settings).get_last_partition_key()
    job = build_defs(settings).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        done = job.execute_in_process(tags={DAYS_TAG: days}, partition_key=last, instance=instance)
        statistics = instance.get_run_step_stats(done.run_id)
    return [
        Span(_part(each.step_key), each.step_key, each.start_time, each.end_time)
        for each in statistics
        if each.start_time is not None and each.end_time is not None
    ]


def _part(step: str) -> str:
    return "warehouse" if step.startswith("warehouse__") else _STEPS.get(step, "people and marts")


def _counted(settings: Settings, spans: list[Span]) -> Round:
    from psycopg import sql

    from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
    from event_assets.lake.lake import Lake
    from event_assets.lake.storage import Storage
    from event_assets.warehouse.warehouse import Warehouse

    lake = Lake(Storage(settings.lake))
    rows = {
        name: lake.table(name).snapshot().rows for name in ("clean_events", "quarantined_events", "enriched_events")
    }
    landed = pc.sum(lake.table("raw_events").snapshot().arrow(None, ["events"])["events"]).as_py() or 0
    facts = next(table for table in WAREHOUSE_TABLES if table.lake.name == "enriched_events")
    assert settings.warehouse_url is not None
    count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(settings.warehouse_schema, facts.name))
    with Warehouse.from_settings(settings, settings.warehouse_url.get_secret_value()).connect() as session:
        loaded = session.execute(count).fetchall()[0][0]
    return Round(
        spans,
        landed=landed,
        clean=rows["clean_events"],
        quarantined=rows["quarantined_events"],
        enriched=rows["enriched_events"],
        loaded=loaded,
    )
