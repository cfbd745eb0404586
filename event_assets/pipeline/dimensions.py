"""dates, pages, campaigns, devices and places: of each only the rows that a change upstream touches are made again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.dimensions import CAMPAIGNS, DATES, DEVICES, PAGES, PLACES
from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.schema import Table
from event_assets.contract.tables.sessions import PAGE_VIEWS, SESSIONS
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Run
from event_assets.transforms.affected import listed, of_ids
from event_assets.transforms.dimension_keys import NONE, OF_CAMPAIGN, OF_DEVICE, OF_PLACE, page_of
from event_assets.transforms.metrics.dimensions import campaigns, dates, devices, pages, places

DIMENSIONS_CODE = "1"
"""Version of the code that makes these tables; raise it when the rows it gives change."""


def combinations_step(
    table: Table, upstream: Table, names: Sequence[str], transform: Callable[[DataFrame], DataFrame], run: Run
) -> StepReport:
    """Brings a table up to date that has the combinations of some columns of another."""
    key = table.key[0]

    def whole(work: Work) -> Result:
        return Result(transform(work.rows(upstream)))

    def affected(work: Work) -> list[str] | None:
        found = listed(transform(work.changed(upstream, names)).select(key))
        if found is None or work.lost(upstream):
            return found
        standing = set(work.base.arrow(None, (key,))[key].to_pylist())
        return [each for each in found if each not in standing]

    def part(work: Work, keys: list[str]) -> Result:
        return Result(transform(work.rows(upstream)))

    return refresh_keys(run, KeyedRefresh(table, (upstream,), DIMENSIONS_CODE, whole, affected, part))


def pages_step(run: Run) -> StepReport:
    """Brings pages up to date."""

    def whole(work: Work) -> Result:
        return Result(pages(work.rows(PAGE_VIEWS)))

    def affected(work: Work) -> list[str] | None:
        columns = ("kind", "path", "screen_name", "title", "start_at", "page_view_id")
        return listed(pages(work.changed(PAGE_VIEWS, columns)).select("page").distinct())

    def part(work: Work, names: list[str]) -> Result:
        return Result(pages(of_ids(work.rows(PAGE_VIEWS), names, F.coalesce(page_of(), F.lit(NONE)))))

    return refresh_keys(run, KeyedRefresh(PAGES, (PAGE_VIEWS,), DIMENSIONS_CODE, whole, affected, part))


def dates_step(run: Run) -> StepReport:
    """Brings dates up to date: only where the events have come into another year."""

    def whole(work: Work) -> Result:
        first, last = _ends(work)
        made = dates(work.spark, first, last)
        return Result(made if work.upstream[ENRICHED_EVENTS.name].files else made.limit(0))

    def affected(work: Work) -> list[str] | None:
        first, last = _ends(work)
        wanted = {
            (first - dt.timedelta(days=1)).replace(month=1, day=1),
            (last + dt.timedelta(days=1)).replace(month=12, day=31),
        }
        days = work.base.arrow(None, ("date",))["date"].to_pylist()
        return [] if days and {min(days), max(days)} == wanted else None

    return refresh_keys(run, KeyedRefresh(DATES, (ENRICHED_EVENTS,), DIMENSIONS_CODE, whole, affected))


def _ends(work: Work) -> tuple[dt.date, dt.date]:
    """The first and the last day that there are events of; without any, some day."""
    days = work.upstream[ENRICHED_EVENTS.name].dates() or {"1970-01-01"}
    return dt.date.fromisoformat(min(days)), dt.date.fromisoformat(max(days))


DIMENSIONS: tuple[tuple[Table, Table, Callable[[Run], StepReport]], ...] = (
    (DATES, ENRICHED_EVENTS, dates_step),
    (PAGES, PAGE_VIEWS, pages_step),
    (CAMPAIGNS, SESSIONS, partial(combinations_step, CAMPAIGNS, SESSIONS, OF_CAMPAIGN, campaigns)),
    (DEVICES, SESSIONS, partial(combinations_step, DEVICES, SESSIONS, OF_DEVICE, devices)),
    (PLACES, ENRICHED_EVENTS, partial(combinations_step, PLACES, ENRICHED_EVENTS, OF_PLACE, places)),
)
"""Each table, what it is made of, and what brings it up to date."""
