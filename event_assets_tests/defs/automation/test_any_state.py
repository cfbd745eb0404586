"""Whatever stream and lake hold, a tick asks for runs that can be, or says why it asks for none."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.defs.assets.days import DAYS_TAG
from event_assets.defs.automation.partitions import partitions_of
from event_assets.defs.automation.sensors import stream_sensor
from event_assets.defs.automation.turns import ARRIVAL, LATE, MOST_DAYS_IN_A_PAUSE, PAST, RUN_TAG
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.stream import StreamResource
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Consumed, Progress
from event_assets.lake.storage import Storage
from event_assets.pipeline.pending_days import BY_ARRIVAL, BY_EVENT_DATE
from event_assets.settings import Settings
from event_assets.streams import StreamRecord, open_stream
from event_assets_tests.defs.automation.ticks import Tick
from event_assets_tests.examples import examples

EDGES = (*BY_ARRIVAL, *BY_EVENT_DATE)
TABLES = sorted({name for edge in EDGES for name in edge})


@cache
def today() -> dt.date:
    """The day of these tests."""
    return dt.datetime.now(dt.UTC).date()


ODD = [dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(2009, 12, 31), dt.date(2126, 1, 1)]
DAYS = st.one_of(
    st.integers(-5, 5).map(lambda days: today() + dt.timedelta(days=days)),
    st.deferred(lambda: st.dates(dt.date(2010, 1, 1), today())),
    st.sampled_from(ODD),
).map(str)


def _no_log(folder: Path) -> None:
    (folder / "_delta_log" / f"{0:020d}.json").unlink()


def _cut_log(folder: Path) -> None:
    last = max((folder / "_delta_log").glob("*.json"))
    last.write_bytes(last.read_bytes()[:-20])


def _zeroes_in_the_log(folder: Path) -> None:
    last = max((folder / "_delta_log").glob("*.json"))
    last.write_bytes(b"\0" * last.stat().st_size)


def _no_progress(folder: Path) -> None:
    for path in (folder / "_progress").glob("*.json"):
        path.unlink()


def _other_progress(text: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        for path in (folder / "_progress").glob("*.json"):
            path.write_text(text)

    return damage


def _is_a_file(folder: Path) -> None:
    folder.rename(folder.with_name(f"{folder.name}-before"))
    folder.write_text("no folder")


DAMAGES: list[Callable[[Path], None]] = [
    _no_log,
    _cut_log,
    _zeroes_in_the_log,
    _no_progress,
    _other_progress("{"),
    _other_progress("[]"),
    _other_progress('{"sources": {"clean_events": {"through": 1, "pending": {"yesterday": 0}}}, "code": ""}'),
    _other_progress(
        '{"sources": {"clean_events": {"through": 0, "pending": {"soon": 0}}, "enriched_events": {"through": 0,'
        ' "pending": {"soon": 0}}}, "code": "", "outdated": [], "positions": {}}'
    ),
    _is_a_file,
]


@st.composite
def sources(draw: st.DrawFn, name: str) -> dict[str, Consumed]:
    """What a table says it has taken in, true or not."""
    upstream = sorted({up for up, down in EDGES if down == name})
    pending = st.dictionaries(DAYS, st.integers(-2, 6), max_size=3)
    return {
        each: Consumed(draw(st.integers(-1, 5)), draw(pending), draw(st.sampled_from(["", "", "another"])))
        for each in upstream
        if draw(st.booleans())
    }


class Home:
    """A stream and a lake below a folder, and ticks of the sensor on them."""

    def __init__(self, folder: Path, **told: Any) -> None:
        self.settings = Settings(home=folder, **told)
        self.partitions = partitions_of(self.settings)
        self.lake = Lake(Storage(self.settings.lake))

    def put(self) -> None:
        """A record on the stream that is not landed."""
        stream = open_stream(self.settings)
        stream.create(2)
        stream.put([StreamRecord("k", b"{}")])
        stream.close()

    def touch(self, name: str, days: list[str], progress: Progress) -> None:
        """A commit to a table that touches these days."""
        base = self.lake.table(name).snapshot()
        self.lake.table(name).commit(base, progress, affected=dict.fromkeys(days, 1))

    def tick(self) -> Tick:
        """One look by the sensor."""
        sensor = stream_sensor(self.settings, self.partitions, [])
        with dg.DagsterInstance.ephemeral() as instance:
            stream, lake = StreamResource.of(self.settings), LakeResource.of(self.settings)
            result: Any = sensor(dg.build_sensor_context(instance), stream=stream, lake=lake)
        if isinstance(result, dg.SkipReason):
            return Tick([], result.skip_message)
        for request in result.run_requests:
            assert request.tags[RUN_TAG] in (ARRIVAL, LATE, PAST)
            if request.tags[RUN_TAG] == ARRIVAL:
                continue
            assert 1 <= len(request.tags[DAYS_TAG].split(",")) <= MOST_DAYS_IN_A_PAUSE
        return Tick(result.run_requests, None)


GRANULARITIES = st.sampled_from(["hourly", "daily", "monthly"])
FIRST_DAYS = st.deferred(lambda: st.sampled_from([dt.date(2010, 1, 1), today(), today() + dt.timedelta(days=2)]))


@pytest.mark.slow
@given(st.data())
@examples(40)
def test_a_tick_never_raises(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder), partitions=data.draw(GRANULARITIES), first_day=data.draw(FIRST_DAYS))
        has_stream = data.draw(st.booleans())
        if has_stream:
            home.put()
        made = data.draw(st.lists(st.sampled_from(TABLES), unique=True))
        for name in made:
            progress = Progress(data.draw(sources(name)))
            for days in data.draw(st.lists(st.lists(DAYS, max_size=3), min_size=1, max_size=3)):
                home.touch(name, days, progress)
        for name in data.draw(st.lists(st.sampled_from(made), max_size=2, unique=True)) if made else []:
            data.draw(st.sampled_from(DAMAGES))(Path(home.settings.lake) / name)
        asked = home.tick()
        assert asked.requests or asked.skipped
        if not has_stream and not asked.requests:
            said = asked.skipped or ""
            assert "event-assets up" in said or "The stream, or how far it is landed, cannot be read" in said


def test_a_damaged_table_is_named_and_new_records_are_asked_for_all_the_same(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.put()
    home.touch("clean_events", [str(today())], Progress())
    home.touch("enriched_events", [str(today())], Progress())
    _other_progress("{")(Path(home.settings.lake) / "enriched_events")
    [request] = home.tick().requests
    assert request.tags[RUN_TAG] == ARRIVAL
    _other_progress("{")(Path(home.settings.lake) / "raw_events")
    home.touch("raw_events", [], Progress())
    stream = Path(next(path for path in tmp_path.rglob("*.db")))
    stream.write_bytes(b"no database" * 100)
    said = home.tick().skipped or ""
    assert "The table enriched_events cannot be read" in said
    assert "The stream, or how far it is landed, cannot be read" in said


def test_a_table_that_remembers_a_day_that_is_none_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.put()
    home.touch("raw_events", [], replace(Progress(), positions=_landed(home)))
    for name in ("clean_events", "quarantined_events"):
        home.touch(name, [str(today())], Progress({"raw_events": Consumed(1)}))
    home.touch("enriched_events", [str(today())], Progress({"clean_events": Consumed(1, {"soon": 0})}))
    assert home.tick() == ([], "The table enriched_events cannot be read: Invalid isoformat string: 'soon'.")


def test_an_event_in_tomorrow_has_its_turn_like_any_other(tmp_path: Path) -> None:
    tomorrow = str(today() + dt.timedelta(days=1))
    for granularity in ("hourly", "daily", "monthly"):
        home = Home(tmp_path / granularity, partitions=granularity)
        home.put()
        landed = home.lake.table("raw_events").snapshot()
        home.touch("raw_events", [], replace(Progress(), positions=_landed(home)))
        home.touch("clean_events", [tomorrow], Progress({"raw_events": Consumed(1, table=landed.id)}))
        home.touch("quarantined_events", [], Progress({"raw_events": Consumed(1, table=landed.id)}))
        [request] = home.tick().requests
        assert (request.tags[RUN_TAG], request.tags[DAYS_TAG]) == (LATE, tomorrow), granularity


def test_what_a_collector_whose_clock_is_three_days_ahead_took_in_is_asked_for_like_what_is_of_today(
    tmp_path: Path,
) -> None:
    ahead = str(today() + dt.timedelta(days=3))
    for granularity in ("hourly", "daily", "monthly"):
        home = Home(tmp_path / granularity, partitions=granularity)
        home.put()
        home.touch("raw_events", [ahead], Progress())
        [request] = home.tick().requests
        assert request.tags[RUN_TAG] == ARRIVAL, granularity


def _landed(home: Home) -> dict[str, Any]:
    """How far a stream is landed whose every record is."""
    stream = open_stream(home.settings)
    now = dt.datetime.now(dt.UTC).isoformat()
    far = {"after": str(10**30), "ended": True, "seen_at": now}
    positions = {shard.shard_id: json.loads(json.dumps(far)) for shard in stream.shards()}
    name = stream.name
    stream.close()
    return {name: positions}
