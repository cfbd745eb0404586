"""Lines in CloudWatch's embedded metric format, to standard output and into files."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from event_assets.settings import Settings
from event_assets.telemetry import metrics as names
from event_assets.telemetry.emission import append, lines_since, open_meter


def test_a_line_is_what_cloudwatch_makes_metrics_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    meter = open_meter(Settings(home=tmp_path, metrics="stdout", installation="shop"), "collector")
    meter.count(names.EVENTS_ACCEPTED, 12)
    meter.value(names.REQUEST_SECONDS, 0.01, 0.2)
    meter.flush()
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    (described,) = line["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "EventAssets" and described["Dimensions"] == [["Installation"]]
    assert {each["Name"]: each["Unit"] for each in described["Metrics"]} == {
        "EventsAccepted": "Count",
        "RequestSeconds": "Seconds",
    }
    assert all(each["Name"] in line for each in described["Metrics"]) and line["Installation"] == "shop"
    assert line["_aws"]["Timestamp"] > 1_600_000_000_000  # milliseconds
    assert not (tmp_path / "metrics").exists()


def test_where_they_go_follows_the_profile_and_none_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aws = Settings(profile="aws", lake_url="s3://b/l", warehouse_url="postgresql://a@b/c", home=tmp_path)
    assert (aws.metrics_to, Settings().metrics_to) == ("stdout", "folder")
    meter = open_meter(Settings(home=tmp_path, metrics="none"), "collector")
    meter.count(names.EVENTS_ACCEPTED)
    meter.flush()
    assert capsys.readouterr().out == "" and not list(tmp_path.iterdir())


def write_many(folder: Path, service: str) -> None:
    for _ in range(200):
        append(
            folder, 1_000_000.0, json.dumps({"_aws": {"Timestamp": 1e9}, "Service": service, "of": "x" * 500}) + "\n"
        )


def test_lines_of_several_processes_stay_whole_and_are_read_from_a_moment_on(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_many, args=(tmp_path, name)) for name in ("a", "b", "c")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(list(lines_since(tmp_path, 0))) == 600
    assert list(lines_since(tmp_path, 1_000_001)) == []


def test_files_of_a_week_ago_go_when_a_day_begins(tmp_path: Path) -> None:
    for day in (1, 5, 9):
        append(tmp_path, 86_400.0 * day, '{"_aws":{"Timestamp":1}}\n')
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1970-01-06.jsonl", "1970-01-10.jsonl"]


def test_a_folder_that_cannot_be_written_stops_no_work(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "metrics").write_text("a file")
    meter = open_meter(Settings(home=tmp_path), "collector")
    meter.count(names.EVENTS_ACCEPTED)
    meter.flush()
    assert "metrics are not written" in caplog.text
