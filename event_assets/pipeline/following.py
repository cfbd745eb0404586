"""How tables follow new events: the steps of a pace in the order of the data, then the loads of their tables.

Which days a step has is chosen here: today, and the newest of those that are behind, so that no turn's size depends on
how far apart days lie. When a pace has its turn is told in `arrivals.py`.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import pyarrow.compute as pc

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.sessions import SESSIONS
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES, WarehouseTable
from event_assets.lake.lake import Lake
from event_assets.pipeline.domains import Pace
from event_assets.pipeline.load import Loaded, behind, load_step
from event_assets.pipeline.pending_changes import pending_changes
from event_assets.pipeline.pending_days import BY_ARRIVAL, pending
from event_assets.pipeline.registry import STEPS, RefreshStep, step_of, steps_of
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Run
from event_assets.pipeline.window import Window
from event_assets.warehouse.warehouse import Warehouse

MOST_DAYS = 30
"""Days that are behind which a step takes in one turn at the most."""
_LISTED = 20
_BY_ARRIVAL = {name for edge in BY_ARRIVAL for name in edge}
OF_EVENT_DATES = tuple(
    step for step in STEPS if step.pace != "pauses" and not _BY_ARRIVAL.issuperset(table.name for table in step.tables)
)
"""The steps of tables that follow days of events, and of what is made of them as they come."""
_BY_EVENT_DATE = [step for step in OF_EVENT_DATES if any("event_date" in table.partition_by for table in step.tables)]
_MADE_OF = {table for step in _BY_EVENT_DATE for table in step.upstream}
OF_DAYS = tuple(step for step in OF_EVENT_DATES if step in _BY_EVENT_DATE or not _MADE_OF.isdisjoint(step.tables))
"""Those of them of tables by days, and of what these read."""
OF_THINGS = tuple(step for step in OF_EVENT_DATES if step not in OF_DAYS)
"""The others: what came is theirs whatever day it is of, so that of many days they are made once."""
FCT_EVENTS = next(table for table in WAREHOUSE_TABLES if table.lake == ENRICHED_EVENTS)


class Followed(NamedTuple):
    """A table that was brought up to date, by the path of its asset's key. `seconds` are its step's."""

    asset: tuple[str, ...]
    report: StepReport | Loaded
    seconds: float


class Fault(NamedTuple):
    """What failed, and why."""

    name: str
    error: Exception


class RepeatedIds(RuntimeError):
    """Events that came together would count twice."""


@dataclass(frozen=True)
class Following:
    """The lake and the warehouse that follow a stream. Of days from before `backdate_days` only those of arrival are
    taken in: the others have turns of their own."""

    run: Run
    warehouse: Warehouse
    backdate_days: int

    def take_in(self) -> list[Followed]:
        """Brings the tables that follow within seconds up to date, from the stream to the warehouse.

        Raises what failed, and `RepeatedIds` for events that would count twice, before they are loaded.
        """
        done = []
        for each in self.follow("seconds"):
            if isinstance(each, Fault):
                raise each.error
            done.append(each)
        return done

    def follow(self, pace: Pace) -> Iterator[Followed | Fault]:
        """Brings the tables of a pace up to date, one after another. What fails is given as a `Fault`; what is made of
        it is left out, and all else goes on."""
        recent = Window(_furthest(self.backdate_days), dt.date.max)
        yield from self._bring_along(
            steps_of(pace), lambda step: window_of(self.run.lake, step, self.backdate_days), recent, MOST_DAYS
        )

    def catch_up(self, days: Collection[str]) -> Iterator[Followed | Fault]:
        """Brings these days up to date in the same way, whatever their age, in all tables by days of events."""
        window = Window.of_days(days)
        yield from self._bring_along(OF_DAYS, lambda _: window, window)

    def come_along(self, failed: Collection[str]) -> Iterator[Followed | Fault]:
        """Brings what follows from days that were caught up with, and is not by days itself, up to date in the same
        way. What is made of steps of these names, which `failed`, is left out."""
        without = {table.name for step in OF_DAYS if step.name in failed for table in step.tables}
        no_days = Window.of_days(())
        yield from self._bring_along(OF_THINGS, lambda _: no_days, no_days, failed=without)

    def _bring_along(
        self,
        steps: Sequence[RefreshStep],
        window_of_step: Callable[[RefreshStep], Window],
        loaded: Window,
        most_never: int | None = None,
        failed: Collection[str] = (),
    ) -> Iterator[Followed | Fault]:
        """Steps in the order of the data, then the loads of their tables: of the days `loaded`, and of so many that the
        warehouse never had. What is made of tables that `failed` is left out."""
        failed = {*failed}
        for step in steps:
            names = {table.name for table in step.tables}
            if failed.isdisjoint(table.name for table in step.upstream):
                try:
                    done = self._step(step, window_of_step(step))
                    if ENRICHED_EVENTS in step.tables and (repeated := self.repeated_ids(loaded)):
                        raise RepeatedIds(f"These ids would count more than once: {', '.join(repeated)}.")
                    yield from done
                    continue
                except Exception as error:
                    yield Fault(step.name, error)
            failed |= names
        for table in WAREHOUSE_TABLES:
            if step_of(table.lake) in steps and table.lake.name not in failed:
                try:
                    yield self._load(table, loaded, most_never)
                except Exception as error:
                    yield Fault(table.name, error)

    def _step(self, step: RefreshStep, window: Window) -> list[Followed]:
        began = time.perf_counter()
        reports = step.run(replace(self.run, window=window))
        seconds = time.perf_counter() - began
        return [Followed((report.table,), report, seconds) for report in reports]

    def _load(self, table: WarehouseTable, window: Window, most_never: int | None) -> Followed:
        began = time.perf_counter()
        loaded = load_step(self.run.lake, self.warehouse, table, window, most_never=most_never)
        return Followed(("warehouse", table.name), loaded, time.perf_counter() - began)

    def repeated_ids(self, window: Window) -> list[str]:
        """Ids that stand more than once among the events of these days that wait to be loaded; some of them. They are
        found until they are gone, so that no later run loads what an earlier one refused. Where the warehouse has not
        all events, it is those that wait for their session."""
        snapshot = self.run.lake.table(ENRICHED_EVENTS.name).snapshot()
        if self.warehouse.event_days is None:
            waiting = behind(snapshot, self.warehouse, FCT_EVENTS)
        else:
            waiting = pending_changes(snapshot, self.run.lake.table(SESSIONS.name).snapshot().progress)
        dates = window.among(waiting.dates)
        appended, replaced = waiting.appended_and_replaced(dates)
        files = {file.path: file for each in appended for file in each.files}
        files |= {file.path: file for file in snapshot.of_dates(replaced)}
        ids = snapshot.arrow([*files.values()], ("event_id",))["event_id"]
        return [each["values"] for each in pc.value_counts(ids).to_pylist() if each["counts"] > 1][:_LISTED]


def window_of(lake: Lake, step: RefreshStep, backdate_days: int) -> Window:
    """The days that a step takes in one turn: today, and the newest of those that are behind."""
    today = dt.datetime.now(dt.UTC).date()
    days = list(pending(lake, step.edges).days) if step.is_by_day else []
    if "arrival_date" not in step.tables[0].partition_by:
        days = [day for day in days if day >= str(_furthest(backdate_days))]
    return Window.of_days([str(today), *sorted(days, reverse=True)[:MOST_DAYS]])


def _furthest(backdate_days: int) -> dt.date:
    return dt.datetime.now(dt.UTC).date() - dt.timedelta(days=backdate_days)
