"""The run that stays for new events, and what is made in its pauses, in a process that kills itself (SIGKILL) at one
write. No tests here."""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import psycopg
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from event_assets.contract.plan import TrackingPlan
from event_assets.contract.tables.attribution import CHANNEL_PERFORMANCE, CONVERSION_PATHS, CONVERSIONS
from event_assets.contract.tables.dimensions import CAMPAIGNS, DATES, DEVICES, PLACES
from event_assets.contract.tables.lake import LAKE_TABLES, PRODUCT_TABLES
from event_assets.contract.tables.metrics import DAILY_EVENTS, DAILY_PAGES, DAILY_SESSIONS
from event_assets.contract.tables.minutes import MINUTE_ANOMALIES
from event_assets.contract.tables.people import USER_HISTORY
from event_assets.contract.tables.product import FUNNELS
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.pipeline.arrivals import Arrivals
from event_assets.pipeline.following import Fault, Following
from event_assets.pipeline.load import load_step
from event_assets.pipeline.window import EVERYTHING
from event_assets.rules.analysis import Analyses
from event_assets.rules.condition import Step
from event_assets.rules.funnel import Funnel
from event_assets.settings import Settings
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests import engines
from event_assets_tests.pipeline.pipeline import Pipeline


class KillPoint(NamedTuple):
    """Right before or right after a table's commit. Before it, everything that is to be committed was written."""

    store: Literal["lake", "warehouse"]
    table: str
    moment: Literal["before", "after"]

    def __str__(self) -> str:
        return "-".join(self)


_ALIKE = {table.name for table in PRODUCT_TABLES} - {FUNNELS.name}
_ALIKE |= {table.name for table in (CONVERSIONS, CONVERSION_PATHS, CHANNEL_PERFORMANCE)}
_ALIKE |= {table.name for table in (DAILY_SESSIONS, DAILY_EVENTS, DAILY_PAGES)}
_ALIKE |= {table.name for table in (USER_HISTORY, DATES, CAMPAIGNS, DEVICES, PLACES)}
_ALIKE |= {MINUTE_ANOMALIES.name}
_MOMENTS: tuple[Literal["before", "after"], ...] = ("before", "after")
_LAKE = [spec.name for spec in LAKE_TABLES if spec.name not in _ALIKE]
_WAREHOUSE = ("fct_events", "fct_sessions", "dim_users", "agg_attribution")
KILL_POINTS = [
    *(KillPoint("lake", name, moment) for name in _LAKE for moment in _MOMENTS),
    *(KillPoint("warehouse", name, moment) for name in _WAREHOUSE for moment in _MOMENTS),
]
"""Every commit of a run that changes every table, but for those that are committed like another: of the analyses the
funnels stand for all, of attribution the touches and the credits, of the marts of days daily_metrics, of the
dimensions the pages, of people's histories the traits, of the warehouse's tables two that are
loaded by day and two that are loaded whole."""


FUNNEL = Funnel(name="choosing", steps=[Step(event="page_view"), Step(event="add_to_cart")])


class Platform(NamedTuple):
    """Where a run finds stream, lake and warehouse."""

    home: Path
    database: str

    def pipeline(self, spark: SparkSession) -> Pipeline:
        return Pipeline(spark, self.home, TrackingPlan.load(Settings().plan), Analyses((FUNNEL,)))

    def warehouse(self) -> Warehouse:
        return Warehouse(PostgresDialect(LakeFiles()), self.database)

    def run_at_once(self, spark: SparkSession) -> None:
        """All steps, then all loads."""
        pipeline, warehouse = self.pipeline(spark), self.warehouse()
        pipeline.run()
        warehouse.ensure()
        for table in WAREHOUSE_TABLES:
            load_step(pipeline.lake, warehouse, table, EVERYTHING)

    def run(self, spark: SparkSession) -> None:
        """As new events come: the loop until it is idle, then what is made in pauses."""
        pipeline, warehouse = self.pipeline(spark), self.warehouse()
        warehouse.ensure()
        following = Following(pipeline.refresh(), warehouse, pipeline.settings.backdate_days)
        for _ in Arrivals(following, idle_seconds=0).stay():
            pass
        faults = [each for each in following.follow("pauses") if isinstance(each, Fault)]
        assert not faults, faults


def run_until(platform: Platform, remote: str, point: KillPoint) -> None:
    """The run of a process that does not outlive the point."""
    if point.store == "lake":
        _arm_lake(point)
    else:
        _arm_warehouse(point)
    platform.run(engines.connect(remote))


def _arm_lake(point: KillPoint) -> None:
    def is_here(table: DeltaTable, *_: Any) -> bool:
        return table.table_uri.rstrip("/").rpartition("/")[2] == point.table

    _wrap(DeltaTable, "create_write_transaction", point, is_here)


def _arm_warehouse(point: KillPoint) -> None:
    loading: list[str] = []
    load = Warehouse.load_partition

    @functools.wraps(load)
    def noted(self: Warehouse, table: Any, *arguments: Any, **named: Any) -> Any:
        loading[:] = [table.name]
        return load(self, table, *arguments, **named)

    Warehouse.load_partition = noted  # type: ignore[method-assign]
    _wrap(psycopg.Transaction, "__exit__", point, lambda *_: loading == [point.table])


def _wrap(owner: type, name: str, point: KillPoint, is_here: Callable[..., bool]) -> None:
    """Makes a commit deadly before or after it."""
    commit = getattr(owner, name)

    @functools.wraps(commit)
    def deadly(*arguments: Any, **named: Any) -> Any:
        here = is_here(*arguments)
        if here and point.moment == "before":
            _die()
        result = commit(*arguments, **named)
        if here:
            _die()
        return result

    setattr(owner, name, deadly)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
