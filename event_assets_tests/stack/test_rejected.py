"""What was set aside, as it is listed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from event_assets.cli import app
from event_assets.collector.stamp import Stamp
from event_assets.collector.translation import set_aside
from event_assets.contract.tables.events import QUARANTINED_EVENTS
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Progress
from event_assets.lake.storage import Storage
from event_assets.settings import Settings
from event_assets.stack.rejected import read_rejected, since_of

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
EARLY = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
STAMP = Stamp(NOW, "", None, (), lambda _: None)


def quarantine(settings: Settings, rows: Iterable[tuple[dt.datetime, str, bytes]]) -> None:
    """A lake in which these were set aside: when they arrived, why, their bytes."""
    table = Lake(Storage(settings.lake)).table(QUARANTINED_EVENTS.name)
    files = []
    for line, (at, reason, data) in enumerate(rows):
        place = {"arrival_date": at.date(), "arrival_hour": at.hour}
        stood = {"stream": "s", "shard_id": "0", "sequence_number": "1", "line": line, "arrived_at": at}
        row = {**place, **stood, "reason": reason, "detail": "why", "event": "x", "data": data}
        named = {name: str(value) for name, value in place.items()}
        schema = QUARANTINED_EVENTS.arrow_schema()
        files.append(table.stage_arrow(pa.Table.from_pylist([row], schema=schema), f"{line}", named))
    table.commit(table.snapshot(), Progress(), files)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path)
    _, object_of_segment = set_aside("segment", b'{"event":""}', STAMP)
    _, no_object = set_aside("segment", b"17", STAMP)
    _, large = set_aside("mixpanel", b'{"event":"' + b"x" * 100_000 + b'"}', STAMP)
    quarantine(
        settings,
        [
            (EARLY, "missing_field", b"{}"),
            (NOW, "missing_field", object_of_segment),
            (NOW + dt.timedelta(hours=1), "missing_field", object_of_segment),
            (NOW, "not_an_object", no_object),
            (NOW, "too_large", large),
            (NOW, "missing_field", b'{"protocol":"smoke signals"}'),
        ],
    )
    return settings


def test_what_was_set_aside_is_counted_by_reason_and_protocol(settings: Settings) -> None:
    found = read_rejected(settings, NOW)
    kinds = [(kind.reason, kind.protocol, kind.events, kind.first_at.hour, kind.last_at.hour) for kind in found.kinds]
    assert kinds == [
        ("missing_field", "segment", 2, 12, 13),
        ("missing_field", "event_assets", 1, 12, 12),
        ("not_an_object", "segment", 1, 12, 12),
        ("too_large", "mixpanel", 1, 12, 12),
    ]
    assert sum(kind.bytes for kind in found.kinds) == sum(len(event.data) for event in found.latest)
    assert found.latest[0].arrived_at.hour == 13


def test_it_is_narrowed_by_reason_protocol_and_time(settings: Settings) -> None:
    assert [kind.events for kind in read_rejected(settings, EARLY, reason="missing_field").kinds] == [2, 2]
    segments = read_rejected(settings, EARLY, protocol="segment", latest=1)
    assert (len(segments.kinds), len(segments.latest)) == (2, 1)
    assert read_rejected(settings, NOW + dt.timedelta(days=1)).kinds == []
    assert read_rejected(settings, EARLY, latest=0).latest == []


def test_a_time_is_said_as_an_age_or_a_date() -> None:
    assert since_of("24h", NOW) == since_of("1d", NOW) == since_of("2026-11-21T14:00+02:00", NOW)
    assert since_of("2026-11-22", NOW) == NOW.replace(hour=0)
    for wrong in ("yesterday", "", "5"):
        with pytest.raises(ValueError, match="isoformat"):
            since_of(wrong, NOW)


def test_the_command_shows_it_and_gives_it_to_programs(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_ASSETS_HOME", str(settings.home))
    asked = ["events", "rejected", "--since", "2026-11-01", "--reason", "not_an_object"]
    shown = CliRunner().invoke(app, asked).stdout
    assert "segment" in shown and '["segment","17"]' in shown
    said = json.loads(CliRunner().invoke(app, [*asked, "--json"]).stdout)
    assert [kind["events"] for kind in said["kinds"]] == [1] and said["latest"][0]["data"] == '["segment","17"]'
    assert CliRunner().invoke(app, ["events", "rejected", "--since", "soon"]).exit_code == 2
