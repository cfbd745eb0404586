"""What a run that stays does within seconds is shown added up, and no table or day more often than is worth keeping."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import cache, partial
from itertools import pairwise
from math import inf

import dagster as dg
import pytest

from event_assets.defs.assets import days as days_of_assets
from event_assets.defs.assets.days import PAST_SECONDS, Lately, shown_lately
from event_assets.defs.assets.reporting import (
    EVERY_SECONDS,
    MOST_SECONDS,
    SAME_SECONDS,
    Reporting,
)
from event_assets.defs.automation.partitions import partitions_of
from event_assets.pipeline.following import Followed
from event_assets.pipeline.load import Loaded
from event_assets.pipeline.report import StepReport
from event_assets.settings import Settings


@cache
def today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def long_past() -> dt.date:
    return today() - dt.timedelta(days=40)


class Clock:
    """A clock that stands until it is set forward."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def reporting(clock: Clock) -> Reporting:
    return Reporting(partitions_of(Settings()), clock)


def enriched(version: int, *days: dt.date, rows: int = 2) -> Followed:
    report = StepReport("enriched_events", version, 100, 10, rows, {str(day): rows for day in days}, id="t")
    return Followed(("enriched_events",), report, 0.5)


def shown(events: list[dg.AssetMaterialization]) -> list[tuple[str | None, object]]:
    return [(str(each.partition), each.metadata["new_rows"].value) for each in events]


def test_the_first_is_shown_at_once_and_what_follows_is_added_up() -> None:
    clock = Clock()
    told = reporting(clock)
    [first] = told.told(enriched(1, today()))
    assert (first.asset_key, first.partition) == (dg.AssetKey("enriched_events"), str(today()))
    assert first.tags == {"dagster/data_version": "t@1"}
    for version in (2, 3):
        assert list(told.told(enriched(version, today()))) == []
    clock.now = EVERY_SECONDS
    assert shown(list(told.told(enriched(4, today())))) == [(str(today()), 6)]
    assert list(told.told(enriched(5, today(), rows=3))) == []
    assert shown(list(told.rest())) == [(str(today()), 3)]
    assert list(told.rest()) == []


def test_a_run_that_stays_shows_the_more_seldom_the_longer_it_does() -> None:
    clock = Clock()
    told, at = reporting(clock), list[float]()
    for version in range(3600):
        clock.now = float(version)
        at += [clock.now for _ in told.told(enriched(version, today(), rows=1))]
    assert at == [0, 30, 90, 210, 450, 930, 1890]


def test_runs_that_follow_each_other_show_a_table_twice_an_hour_together() -> None:
    clock, at = Clock(), dict[str, list[float]]({str(day): [] for day in (today(), long_past())})

    def lately(asset: dg.AssetKey) -> Lately:
        last = max((times[-1] for times in at.values() if times), default=-inf)
        return Lately(clock.now - last, frozenset(day for day, times in at.items() if times))

    for minute in range(24 * 60):
        if minute % 60 == 0:
            told = Reporting(partitions_of(Settings()), clock, lately)
        clock.now = 60.0 * minute
        for each in told.told(enriched(minute, today(), long_past())):
            at[str(each.partition)].append(clock.now)
    assert len(at[str(today())]) <= 48 + 8 and at[str(long_past())] == [0]
    assert max(later - one for one, later in pairwise(at[str(today())])) <= MOST_SECONDS + 60


def test_a_day_long_past_is_shown_once_a_week_and_what_did_not_change_once_an_hour() -> None:
    clock = Clock()
    told = reporting(clock)
    assert shown(list(told.told(enriched(1, today(), long_past())))) == [(str(long_past()), 2), (str(today()), 2)]
    clock.now = EVERY_SECONDS
    assert shown(list(told.told(enriched(2, today(), long_past())))) == [(str(today()), 2)]
    clock.now = EVERY_SECONDS + SAME_SECONDS - 1
    assert list(told.told(enriched(2))) == []
    clock.now = EVERY_SECONDS + SAME_SECONDS
    assert len(list(told.told(enriched(2)))) == 1
    clock.now *= 2
    assert [each.partition for each in told.told(enriched(3, today(), long_past()))] == [str(today())]
    clock.now = PAST_SECONDS
    assert shown(list(told.told(enriched(4, today(), long_past())))) == [(str(long_past()), 2), (str(today()), 2)]


def test_days_that_another_run_has_shown_are_known() -> None:
    with dg.DagsterInstance.ephemeral() as instance:

        @dg.op(out=dg.Out(dg.Nothing))
        def tell() -> Iterator[dg.AssetMaterialization]:
            for day in (today(), long_past()):
                yield dg.AssetMaterialization("enriched_events", partition=str(day))
            yield dg.AssetMaterialization("users")

        @dg.job
        def tells() -> None:
            tell()

        tells.execute_in_process(instance=instance)
        lately = partial(shown_lately, instance)
        seconds, days = lately(dg.AssetKey("enriched_events"))
        assert 0 <= seconds < 3600 and days == {str(today()), str(long_past())}
        assert not lately(dg.AssetKey("users")).partitions and lately(dg.AssetKey("sessions")) == Lately()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(days_of_assets, "PAST_SECONDS", 0.0)
            assert not lately(dg.AssetKey("enriched_events")).partitions
        clock = Clock()
        told = Reporting(partitions_of(Settings()), clock, lately)
        assert list(told.told(enriched(1, today(), long_past()))) == []
        clock.now = MOST_SECONDS
        assert shown(list(told.told(enriched(2, today(), long_past())))) == [(str(today()), 4)]


def test_the_lag_is_told_of_tables_that_follow_within_seconds() -> None:
    told = reporting(Clock())
    arrived = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=3)
    raw = StepReport("raw_events", 1, 1, 1, more={"oldest_arrived_at": str(arrived)})
    list(told.told(Followed(("raw_events",), raw, 0.1)))
    [loaded] = told.told(Followed(("warehouse", "fct_events"), Loaded(1, 1, 1, (str(today()),)), 0.1))
    assert loaded.partition == str(today())
    lag = loaded.metadata["lag_seconds"].value
    assert isinstance(lag, float) and lag >= 3
    [users] = told.told(Followed(("users",), StepReport("users", 1, 1, 1), 0.1))
    assert users.partition is None and "lag_seconds" not in users.metadata
