"""What a legal hold covers stays, whoever asks for it and however old it is; once it is released it goes."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.lake.table import LakeTable
from event_assets.lake.tombstones import ErasureRules, read_tombstones
from event_assets.pipeline.registry import STEPS
from event_assets.privacy.closure import Named
from event_assets.privacy.due import due_tables
from event_assets.privacy.expiring import _old_files, apply_retention, plan_retention
from event_assets.privacy.holds import NoSuchHold, add_hold, release_hold
from event_assets.privacy.requests import request_erasure, requests
from event_assets.rules.retention import AppRetention, Retention
from event_assets_tests.privacy.people import run as run_erasures
from event_assets_tests.privacy.years import FIRST, Years

pytestmark = pytest.mark.slow

SHORT = Retention(raw=7, quarantine=7, events=14, sessions=14)
LATER = FIRST + dt.timedelta(days=60)
EVENTS = ("clean_events", "enriched_events")


@pytest.fixture(scope="module")
def known(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of one day, which is long over: two people, each with an app, and a line that is cut off."""
    years = Years(spark, tmp_path_factory.mktemp("known"))
    for user, device, app in (("ann", "a1", "shop"), ("bob", "b1", "kiosk")):
        years.arrive([years.event(n, user, device, app={"id": app}) for n in range(2)])
    years.arrive([b'{"event_id": "cut", "user_id": "ann"'])
    years.run()
    years.stream.close()
    return years.settings.home


@pytest.fixture
def old(spark: SparkSession, known: Path, tmp_path: Path) -> Years:
    shutil.copytree(known, tmp_path / "home")
    return Years(spark, tmp_path / "home", LATER)


def left(years: Years) -> dict[str, int]:
    tables = ("raw_events", "quarantined_events", *EVENTS, "sessions", "page_views")
    return {name: years.lake.table(name).snapshot().rows for name in tables}


@pytest.mark.parametrize(
    ("held", "stays"),
    [
        ({"people": ("ann", "a1")}, (2, 1, 2, 2, 1, 2)),
        ({"apps": ("kiosk",)}, (2, 1, 2, 2, 1, 2)),
        ({"days": (FIRST, FIRST)}, (3, 1, 4, 4, 2, 4)),
        ({"people": ("ann", "a1"), "apps": ("kiosk",)}, (2, 1, 0, 0, 0, 0)),
        ({"days": (LATER, LATER)}, (0, 0, 0, 0, 0, 0)),
    ],
    ids=["people", "apps", "days", "people of an app", "other days"],
)
def test_what_is_held_stays_and_goes_once_it_is_released(
    old: Years, held: dict[str, Any], stays: tuple[int, ...]
) -> None:
    storage = old.lake.storage
    hold = add_hold(storage, old.at(9), "case 7", **held)
    planned = plan_retention(old.lake, SHORT, ErasureRules.of(old.settings), old.at(14))
    assert {each.rows for each in planned.tables.values()} and sum(left(old).values()) == 18, "a plan changes nothing"
    run = old.retain(SHORT)
    assert {name: each.rows for name, each in planned.tables.items()} == {n: e.rows for n, e in run.tables.items()}
    assert tuple(left(old).values()) == stays
    assert {each.held_rows for each in run.tables.values()} <= {0, *stays}
    assert tuple(left(old).values()) == stays and old.retain(SHORT).rows == 0, "doing it again takes nothing more"
    release_hold(storage, hold.id, old.at(15))
    with pytest.raises(NoSuchHold, match="there are none"):
        release_hold(storage, hold.id, old.at(15))
    old.retain(SHORT)
    assert set(left(old).values()) == {0}
    folder = old.settings.home / "lake"
    assert not [
        file for name in left(old) for file in (folder / name).rglob("*.parquet") if "_delta_log" not in str(file)
    ]


def test_a_request_of_whom_is_held_waits_and_says_why_and_is_done_once_the_hold_is_released(old: Years) -> None:
    storage, rules = old.lake.storage, ErasureRules.of(old.settings)
    hold = add_hold(storage, old.at(9), "case 7", people=("ann", "a1"))
    request_erasure(old.lake, old.settings, Named(users=("ann",)), old.at(10))
    outcome = run_erasures(old)
    [request] = requests(storage)
    assert (request.state, request.note) == ("held", f"legal hold {hold.id} since {LATER}: case 7")
    assert "1 wait for a legal hold" in outcome.note and left(old)["enriched_events"] == 4
    assert not read_tombstones(storage, rules), "what arrives meanwhile is landed"
    release_hold(storage, hold.id, old.at(11))
    assert run_erasures(old).state == "done"
    assert left(old)["enriched_events"] == 2


def test_a_day_waits_for_what_follows_and_for_the_books(old: Years) -> None:
    old.today = LATER
    old.arrive([old.event(n, "ann", "a1", at=dt.datetime.combine(FIRST, dt.time(9, n), dt.UTC)) for n in range(2)])
    landing = [step for step in STEPS if step.name in ("raw_events", "clean_events", "quarantined_events")]
    old.run(steps=landing)
    due = {each.table: each for each in due_tables(old.lake, SHORT, old.today)}
    assert due["enriched_events"].horizon < str(FIRST) < due["enriched_events"].wanted
    assert any("enriched_events is behind on clean_events" in each for each in due["enriched_events"].waits)
    assert old.retain(SHORT).tables["enriched_events"].rows == 0
    old.run()
    assert old.retain(SHORT).tables["enriched_events"].rows == 6


def test_an_app_may_keep_less_than_the_others(old: Years) -> None:
    retention = Retention(raw=7, quarantine=7, events=400, sessions=400, apps={"kiosk": AppRetention(events=14)})
    old.retain(retention)
    assert [left(old)[name] for name in (*EVENTS, "sessions")] == [2, 2, 2]
    assert {row["app_id"] for row in old.rows("enriched_events")} == {"shop"}


class Killed(BaseException):
    """The process is gone."""


def test_a_run_that_is_killed_at_any_write_ends_as_one_that_was_not(
    old: Years, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = 0

    def dying(of: Callable[..., Any], at: int) -> Callable[..., Any]:
        def write(*args: Any, **named: Any) -> Any:
            nonlocal writes
            writes += 1
            if writes == at:
                raise Killed
            return of(*args, **named)

        return write

    names = [(Storage, "replace"), (Storage, "delete"), (LakeTable, "_commit"), (LakeTable, "stage_file")]
    originals = [(owner, name, getattr(owner, name)) for owner, name in names]
    add_hold(old.lake.storage, old.at(9), "case 7", people=("ann", "a1"))
    deaths = 0
    for at in range(1, 200):
        writes = 0
        for owner, name, original in originals:
            monkeypatch.setattr(owner, name, dying(original, at))
        try:
            apply_retention(old.lake, SHORT, ErasureRules.of(old.settings), old.at(14))
            break
        except Killed:
            deaths += 1
    assert deaths > 5 and tuple(left(old).values()) == (2, 1, 2, 2, 1, 2)
    told = json.loads((old.settings.home / "lake" / "privacy" / "retention.json").read_text())
    assert told["is_done"] and old.ledger()["landed"] == 5


def test_files_of_a_day_are_found_under_every_name_that_its_folder_has_had(tmp_path: Path) -> None:
    table = Lake(Storage(str(tmp_path))).table("enriched_events")
    folders = [f"{name}event_date=2026-01-0{day}" for day in (1, 2) for name in ("data/a/in_", "data/b/_in_", "")]
    for folder in folders:
        table.storage.write(f"enriched_events/{folder}/a.parquet", b"rows")
    found = [path.split("/", 1)[1].removesuffix("/a.parquet") for path in _old_files(table, "2026-01-02")]
    assert sorted(found) == sorted(folders[:3])
