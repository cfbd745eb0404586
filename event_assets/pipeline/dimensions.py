"""dates, pages, campaigns, devices and places: of each only the rows that a change upstream touches are made again."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
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
from event_assets.transforms.affected import MOST, TIMES, listed, of_ids
from event_assets.transforms.dimension_keys import NONE, OF_CAMPAIGN, OF_DEVICE, OF_PAGE, OF_PLACE, known, page_of
from event_assets.transforms.kept import beside
from event_assets.transforms.metrics.dimensions import campaigns, dates, devices, pages, places

DIMENSIONS_CODE = "1"
"""Version of the code that makes these tables; raise it when the rows it gives change."""

_MORE_DAYS = 8
"""So many times more days are looked at each time."""
_OF_VIEWS = ("kind", "path", "screen_name", "title", "start_at", "page_view_id")


def combinations_step(
    table: Table, upstream: Table, names: Sequence[str], transform: Callable[[DataFrame], DataFrame], run: Run
) -> StepReport:
    """Brings a table up to date that has the combinations of some columns of another."""
    changes = _Combinations(table, upstream, names, transform)

    def whole(work: Work) -> Result:
        return Result(transform(work.rows(upstream)))

    how = KeyedRefresh(table, (upstream,), DIMENSIONS_CODE, whole, changes.affected, changes.part, _kept)
    return refresh_keys(run, how)


@dataclass
class _Combinations:
    """The combinations that came to be, and those that are not any more: they were of rows that went, and are of none
    that stand. Most are found again on the last days, and no more days are read."""

    table: Table
    upstream: Table
    names: Sequence[str]
    transform: Callable[[DataFrame], DataFrame]
    _came: DataFrame | None = None

    @property
    def key(self) -> str:
        return self.table.key[0]

    def affected(self, work: Work) -> list[str] | None:
        changed = work.checkpoint(work.signed(self.upstream, self.names))
        self._came = work.checkpoint(self.transform(changed.where(F.col(TIMES) > 0)))
        came, fewer = self._keys(self._came), self._keys(self.transform(changed.where(F.col(TIMES) < 0)))
        if came is None or fewer is None:
            return None
        standing = set(work.base.arrow(None, (self.key,))[self.key].to_pylist())
        gone = self._that_are_gone(work, standing.intersection(fewer).difference(came))
        return sorted(gone.union(came).difference(standing.difference(gone)))

    def _that_are_gone(self, work: Work, keys: set[str]) -> set[str]:
        remaining, days, at_once = set(keys), sorted(work.upstream[self.upstream.name].dates(), reverse=True), 1
        while remaining and days:
            found = self._keys(self.transform(work.rows_on(self.upstream, days[:at_once])))
            remaining.difference_update(found or ())
            days, at_once = days[at_once:], at_once * _MORE_DAYS
        return remaining

    def _keys(self, rows: DataFrame) -> list[str] | None:
        return listed(rows.select(self.key).distinct())

    def part(self, work: Work, keys: list[str]) -> Result:
        assert self._came is not None
        return Result(self._came)


def _kept(work: Work, made: DataFrame, standing: DataFrame) -> DataFrame:
    """What rows say that are gone by now is named by tables that are kept."""
    return beside(made, standing, work.base.table.spec.key)


def pages_step(run: Run) -> StepReport:
    """Brings pages up to date."""
    changes = _Pages()

    def whole(work: Work) -> Result:
        return Result(pages(work.rows(PAGE_VIEWS)))

    how = KeyedRefresh(PAGES, (PAGE_VIEWS,), DIMENSIONS_CODE, whole, changes.affected, changes.part, _kept)
    return refresh_keys(run, how)


@dataclass
class _Pages:
    """The pages whose title may be another. It is that of the last view that has one: no view of a day before that of
    one that came says it. All views are read of a page of which one went, and of one that is a screen, too."""

    _came: DataFrame | None = None
    _again: list[str] = field(default_factory=list)
    _first: str = ""

    def affected(self, work: Work) -> list[str] | None:
        changed = work.checkpoint(work.signed(PAGE_VIEWS, _OF_VIEWS))
        self._came = changed.where(F.col(TIMES) > 0).drop(TIMES)
        again = listed(pages(changed.where(F.col(TIMES) < 0)).select("page").distinct())
        titled = F.when(F.col("title").isNotNull(), F.to_date("start_at"))
        by_page = self._came.withColumn("page", page_of()).groupBy(known("kind"), known("page"))
        found = (
            by_page.agg(F.max(titled).alias("at"), F.min(F.to_date("start_at")).alias("first"))
            .limit(MOST + 1)
            .collect()
        )
        if again is None or len(found) > MOST:
            return None
        standing = set(zip(*(column.to_pylist() for column in work.base.arrow(None, OF_PAGE)), strict=True))
        other = [row for row in found if row["at"] or (row["kind"], row["page"]) not in standing]
        kinds = Counter(page for _, page in {*standing, *((row["kind"], row["page"]) for row in found)})
        self._again = sorted({*again, *(row["page"] for row in other if kinds[row["page"]] > 1)})
        self._first = min((str(row["at"] or row["first"]) for row in other), default="")
        return sorted({*self._again, *(row["page"] for row in other)})

    def part(self, work: Work, names: list[str]) -> Result:
        assert self._came is not None
        later = [day for day in work.upstream[PAGE_VIEWS.name].dates() if day >= self._first]
        views = work.rows_on(PAGE_VIEWS, later).select(*_OF_VIEWS).unionByName(self._came)
        rows = _of_pages(views, sorted(set(names).difference(self._again)))
        if self._again:
            rows = rows.unionByName(_of_pages(work.rows(PAGE_VIEWS).select(*_OF_VIEWS), self._again))
        return Result(pages(rows))


def _of_pages(views: DataFrame, names: Sequence[str]) -> DataFrame:
    return of_ids(views, names, F.coalesce(page_of(), F.lit(NONE)))


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
        if work.horizon and days and min(days) <= min(wanted):
            wanted = {min(days), max(wanted)}
        return [] if days and {min(days), max(days)} == wanted else None

    return refresh_keys(run, KeyedRefresh(DATES, (ENRICHED_EVENTS,), DIMENSIONS_CODE, whole, affected, keeps=_kept))


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
