"""The sensor of incidents tells each of them once when it begins and once when it has ended, by every way, and not at
night."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from pydantic import SecretStr, ValidationError

from event_assets.contract.records import pack
from event_assets.contract.tables.anomalies import METRIC_ANOMALIES, METRIC_INCIDENTS
from event_assets.contract.tables.events import CLEAN_EVENTS, QUARANTINED_EVENTS, RAW_EVENTS
from event_assets.defs.automation import incidents as module
from event_assets.defs.automation.incidents import incidents_sensor, is_quiet, silent_until
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.rules import RulesResource
from event_assets.defs.resources.stream import StreamResource
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline.land import land_step
from event_assets.pipeline.minute_events import minute_events_step
from event_assets.settings import Settings
from event_assets.streams import StreamRecord, open_stream
from event_assets_tests.dashboards.digests.test_delivery import Inbox, mail_server
from event_assets_tests.factories import row_of
from event_assets_tests.pipeline.runs import a_run
from event_assets_tests.telemetry.test_calling import Webhook, webhook  # noqa: F401  a fixture

NOON = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)


class Watched:
    """A lake with incidents, and looks of the sensor at it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.lake = Lake(Storage(settings.lake))
        self.cursor: str | None = None

    def stand(self, *incidents: str, **fields: Any) -> None:
        """These incidents are open, and no others are there."""
        rows = [
            row_of(
                METRIC_INCIDENTS,
                incident_id=name,
                what=f"{name}: much more.",
                is_open=True,
                is_muted=False,
                was_real=None,
                period="day",
                **fields,
            )
            for name in incidents
        ]
        table = self.lake.table(METRIC_INCIDENTS.name)
        base = table.snapshot()
        staged = [
            table.stage_arrow(pa.Table.from_pylist(rows, METRIC_INCIDENTS.arrow_schema()), f"v{base.version}", {})
        ]
        table.commit(base, base.progress, add=staged if rows else [], remove=base.files)

    def look(self) -> str | None:
        settings = self.settings
        resources = {
            "lake": LakeResource.of(settings),
            "stream": StreamResource.of(settings),
            "rules": RulesResource.of(settings),
        }
        context = dg.build_sensor_context(cursor=self.cursor, resources=resources)
        skipped = incidents_sensor(self.settings)(context)
        self.cursor = context.cursor
        assert isinstance(skipped, dg.SkipReason)
        return skipped.skip_message


@pytest.fixture
def hook(webhook: Webhook) -> Iterator[Webhook]:  # noqa: F811
    return webhook  # type: ignore[return-value]


@pytest.fixture
def watched(tmp_path: Path, hook: Webhook) -> Watched:
    return Watched(Settings(home=tmp_path, alarm_webhook_url=SecretStr(hook.url), installation="shop"))


def test_each_incident_is_told_once_when_it_begins_and_once_when_it_has_ended(watched: Watched, hook: Webhook) -> None:
    watched.look()
    watched.stand("a", "b")
    assert watched.look() == "2 incidents are open."
    watched.look()
    watched.stand("b", "c")
    watched.look()
    began, both = hook.messages
    assert began.splitlines() == [
        "shop: 2 incidents of metrics began.",
        "Unusual: a: much more.",
        "Unusual: b: much more.",
    ]
    assert both.splitlines() == [
        "shop: 1 incident of metrics began, 1 incident of metrics ended.",
        "Unusual: c: much more.",
        "Has ended: a: much more.",
    ]


def test_who_is_out_of_reach_is_told_at_the_next_look_and_the_others_are_not_told_again(
    tmp_path: Path, hook: Webhook
) -> None:
    inbox = Inbox()
    with mail_server(inbox) as mail:
        settings = mail.model_copy(
            update={"home": tmp_path, "alarm_webhook_url": SecretStr(hook.url), "incident_to": ("ann@example.org",)}
        )
        watched = Watched(settings)
        watched.stand("a")
        hook.status = 500
        watched.look()
        assert hook.messages == [] and len(inbox.mails) == 1
        hook.status = 200
        watched.look()
        watched.look()
    assert len(hook.messages) == 1 and len(inbox.mails) == 1
    assert inbox.recipients == [["ann@example.org"]] and "1 incident of metrics began" in inbox.mails[0]["Subject"]


def test_a_mail_shows_what_came_and_what_was_expected_of_those_that_began(tmp_path: Path) -> None:
    inbox = Inbox()
    series = {"period": "day", "metric": "sessions", "dimension": "(all)", "value": "(all)", "kind": "count"}
    with mail_server(inbox) as mail:
        watched = Watched(mail.model_copy(update={"home": tmp_path, "incident_to": ("ann@example.org",)}))
        table = watched.lake.table(METRIC_ANOMALIES.name)
        rows = [
            row_of(METRIC_ANOMALIES, **series, period_start=NOON - dt.timedelta(days=days), state="usual")
            | {"observed": 10.0 + days, "expected": 12.0, "low": 8.0, "high": 15.0}
            for days in range(20)
        ]
        staged = table.stage_arrow(pa.Table.from_pylist(rows, METRIC_ANOMALIES.arrow_schema()), "v0", {})
        base = table.snapshot()
        table.commit(base, base.progress, add=[staged])
        same = {name: series[name] for name in ("metric", "dimension", "value")}
        watched.stand("a", **same)
        watched.look()
        watched.stand("a", "b", **(same | {"metric": "of_which_nothing_is_known"}))
        watched.look()
    first, second = inbox.mails
    [picture] = first.iter_attachments()
    assert picture.get_content_type() == "image/png" and picture.get_content().startswith(b"\x89PNG")
    body = first.get_body()
    assert body is not None and "Unusual: a: much more." in body.get_content()
    assert [*second.iter_attachments()] == []


def test_in_quiet_hours_nobody_is_told_and_after_them_of_what_is_open_still(
    watched: Watched, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.settings = watched.settings.model_copy(
        update={"incident_quiet_hours": "22:00-13:00", "time_zone": "Europe/Berlin"}
    )
    monkeypatch.setattr(module, "_now", lambda: NOON - dt.timedelta(hours=1))
    watched.stand("a", "b")
    watched.look()
    watched.stand("b")
    assert hook.messages == []
    monkeypatch.setattr(module, "_now", lambda: NOON)
    watched.look()
    assert [message.splitlines()[1:] for message in hook.messages] == [["Unusual: b: much more."]]


@pytest.mark.parametrize(
    ("hours", "quiet"), [("11:00-13:00", True), ("12:01-13:00", False), ("22:00-12:00", False), ("12:00-06:00", True)]
)
def test_quiet_hours_are_by_the_clock_and_may_go_over_midnight(hours: str, quiet: bool) -> None:
    assert is_quiet(Settings(incident_quiet_hours=hours), NOON) is quiet


def test_muted_incidents_and_false_ones_are_not_told_and_a_flood_is_one_message(
    watched: Watched, hook: Webhook
) -> None:
    watched.stand(*(f"i{number:02}" for number in range(14)))
    watched.look()
    (message,) = hook.messages
    assert len(message.splitlines()) == 12 and message.endswith("and 4 more")
    watched.stand()
    rows = [
        row_of(METRIC_INCIDENTS, incident_id="m", period="day", is_open=True, is_muted=True, was_real=None),
        row_of(METRIC_INCIDENTS, incident_id="f", period="day", is_open=True, is_muted=False, was_real=False),
    ]
    table = watched.lake.table(METRIC_INCIDENTS.name)
    base = table.snapshot()
    table.commit(
        base,
        base.progress,
        add=[table.stage_arrow(pa.Table.from_pylist(rows, METRIC_INCIDENTS.arrow_schema()), "x", {})],
    )
    assert watched.look() == "0 incidents are open."


def test_a_lost_cursor_tells_what_is_open_once_more_and_links_lead_to_the_dashboard(
    watched: Watched, hook: Webhook
) -> None:
    watched.settings = watched.settings.model_copy(update={"dashboard_url": "https://dash.example.org"})
    watched.stand("a")
    for cursor in (None, "nonsense", json.dumps([1])):
        watched.cursor = cursor
        watched.look()
    assert len(hook.messages) == 3 and hook.messages[0].endswith("https://dash.example.org/anomalies")


@pytest.mark.parametrize(
    "given", [{"incident_to": ("ann",)}, {"incident_to": ("a@b.org\nBcc: c@d.org",)}, {"incident_quiet_hours": "22-7"}]
)
def test_settings_that_nobody_could_be_told_by_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="incident"):
        Settings(**given)


def test_silence_is_known_where_nothing_waits_on_the_stream_and_all_that_came_is_counted(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    lake, stream = Lake(Storage(settings.lake)), StreamResource.of(settings)
    assert silent_until(lake, stream, NOON) is None, "there is no stream"
    log = open_stream(settings)
    log.create(1)
    log.close()
    assert silent_until(lake, stream, NOON) == NOON
    with stream.open() as log:
        log.put([StreamRecord("k", data) for data in pack([b'{"event_id":"1"}'])])
    assert silent_until(lake, stream, NOON) is None, "something is on its way"
    with stream.open() as log:
        land_step(a_run(lake, None, stream=log))
    assert silent_until(lake, stream, NOON) is None, "it is landed, and not clean"
    clean = lake.table(CLEAN_EVENTS.name)
    row = row_of(CLEAN_EVENTS, arrival_date=NOON.date(), arrival_hour=12)
    rows = pa.Table.from_pylist([row], CLEAN_EVENTS.arrow_schema())
    base, raw = clean.snapshot(), lake.table(RAW_EVENTS.name).snapshot()
    staged = clean.stage_arrow(rows, "one", {"arrival_date": str(NOON.date()), "arrival_hour": "12"})
    clean.commit(base, base.progress.with_consumed(RAW_EVENTS.name, raw.consumed), add=[staged])
    quarantined = lake.table(QUARANTINED_EVENTS.name)
    base = quarantined.snapshot()
    quarantined.commit(base, base.progress.with_consumed(RAW_EVENTS.name, raw.consumed))
    assert silent_until(lake, stream, NOON) is None, "it is clean, and not counted"
    minute_events_step(a_run(lake, None))
    assert silent_until(lake, stream, NOON) == NOON
