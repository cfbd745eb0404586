"""Erasure runs at night where somebody asked for it, and only then."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import dagster as dg

from event_assets.defs.automation.erasures import erasure_schedule
from event_assets.defs.resources.lake import LakeResource
from event_assets.privacy.closure import Named
from event_assets.privacy.requests import done, request_erasure, write_request
from event_assets.settings import Settings


def test_it_asks_for_a_run_while_a_request_is_open(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    lake, schedule = LakeResource.of(settings), erasure_schedule()

    def tick() -> list[dg.RunRequest]:
        context = dg.build_schedule_context(resources={"lake": lake})
        return list(schedule.evaluate_tick(context).run_requests or ())

    assert tick() == []
    request = request_erasure(lake.open(), settings, Named(users=("u1",)), dt.datetime.now(dt.UTC))
    [asked] = tick()
    assert (asked.tags["event_assets/requests"], asked.tags["event_assets/days_left"]) == ("1", "29")
    write_request(lake.open().storage, done(request, "erased"))
    assert tick() == []
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*.json"))
    assert b'"u1"' not in kept, "once it is done nothing names anybody"
