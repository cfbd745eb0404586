"""anomalies.yaml: what is shipped, what may be written, what is wrong by file and line, what makes tables anew."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from event_assets.contract.tables.lake import table
from event_assets.rules.anomalies import DIMENSIONS, MEASURES, Anomalies, Mute, incident_id, read_anomalies
from event_assets.rules.rule_files import RuleError
from event_assets.settings import Settings

SESSIONS = {"table": "daily_sessions", "sum": "sessions"}


def rules(**more: Any) -> Anomalies:
    return Anomalies.model_validate({"metrics": {"sessions": SESSIONS}, **more})


def test_what_is_shipped_watches_metrics_of_columns_that_there_are(tmp_path: Path) -> None:
    shipped = read_anomalies(Settings(home=tmp_path).anomalies)
    assert {"sessions", "conversion", "revenue", "events", "errors"} <= shipped.metrics.keys()
    assert {metric.kind for metric in shipped.metrics.values()} == {"count", "rate", "value"}


def test_measures_and_dimensions_are_columns_of_their_tables() -> None:
    for name in MEASURES:
        dimensions = () if name == "minute_events" else DIMENSIONS[name]  # it has a row a value of each
        of = "landing_lag" if name.endswith("_landing") else name
        assert {*MEASURES[name], *dimensions} <= set(table(of).column_names)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("metrics:\n  a: {table: daily_sessions, sum: session}\n", r"anomalies.yaml:2: .*did you mean sessions\?"),
        (
            "metrics:\n  a: {table: daily_events, sum: events, by: [channel_group]}\n",
            r":2: .*not told by channel_group",
        ),
        ("metrics:\n  a: {table: daily_events, sum: events, of_where: {event: [x]}}\n", r":2: .*it needs of"),
        ("budget: 0\n", r":1: .*budget: .*greater than 0"),
        ("budgets: 0.1\n", r":1: budgets: there is no such field, did you mean budget\?"),
        ("mutes:\n- {metric: sesions}\n", r"there is no metric 'sesions'"),
        ("mutes:\n- {value: DE}\n", r":2: .*it must name a metric, a dimension or both"),
        ("known_events:\n- {name: x, from: 2026-02-02, to: 2026-02-01}\n", r"before it begins on 2026-02-02"),
        ("feedback:\n- {incident: yesterday, was: true}\n", r":2: feedback\[0\].incident: it is no incident's id"),
        (
            "feedback:\n" + "- {incident: 2026-02-02/a/all/(all), was: true}\n" * 2,
            r"an incident is named twice",
        ),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(tmp_path: Path, text: str, fault: str) -> None:
    file = tmp_path / "anomalies.yaml"
    file.write_text(text)
    with pytest.raises(RuleError, match=fault):
        read_anomalies(file)


def test_the_digest_changes_with_what_is_found_and_not_with_what_is_said_of_it() -> None:
    said = {"incident": "2026-02-02/sessions/all/(all)", "was": False}
    assert rules().digest == rules(mutes=[{"metric": "sessions"}]).digest
    assert rules(feedback=[said]).digest == rules(feedback=[{**said, "note": "a test"}]).digest
    different = [rules(), rules(budget=0.1), rules(feedback=[said]), rules(values=3), rules(robots=True)]
    assert len({each.digest for each in different}) == len(different)
    assert rules().digest_of_incidents != rules(mutes=[{"metric": "sessions"}]).digest_of_incidents
    assert rules().digest_of_incidents == rules(budget=0.1).digest_of_incidents


def test_a_mute_holds_of_what_it_names_until_its_day() -> None:
    mute, day = Mute(dimension="country", value="DE", until=dt.date(2026, 2, 2)), dt.date(2026, 2, 2)
    assert mute.holds("sessions", "country", "DE", day)
    assert not mute.holds("sessions", "country", "FR", day)
    assert not mute.holds("sessions", "country", "DE", day + dt.timedelta(days=1))
    assert Mute(metric="sessions").holds("sessions", "country", "FR", day)


def test_feedback_names_an_incident_as_the_table_does_whatever_the_value_is_called() -> None:
    name = incident_id("day", dt.datetime(2026, 2, 2, tzinfo=dt.UTC), "sessions", "event", "a/b")
    (feedback,) = rules(feedback=[{"incident": name, "was": True}]).feedback
    assert (feedback.begins, feedback.series) == (dt.datetime(2026, 2, 2, tzinfo=dt.UTC), ("sessions", "event", "a/b"))
    of_hour = incident_id("hour", dt.datetime(2026, 2, 2, 14, tzinfo=dt.UTC), "errors", "all", "(all)")
    (feedback,) = rules(feedback=[{"incident": of_hour, "was": False}]).feedback
    assert of_hour.startswith("2026-02-02T14/") and feedback.begins.hour == 14
