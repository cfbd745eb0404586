"""The simulation of large days adds up, measures what it says, and takes no memory for its own that is not."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from benchmarks import scale
from benchmarks.scale import Line, files_of_a_day, limits, needs, turn_in_a_folder
from benchmarks.scale_measures import measured
from benchmarks.scale_synthetic import SyntheticStream, make_files, make_log
from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.lake.lake import Lake
from event_assets.lake.maintenance import LARGEST_FILE_BYTES, SMALL_FILE_BYTES
from event_assets.lake.storage import Storage
from event_assets.streams import StreamReader

GIVEN = argparse.Namespace(batch_seconds=5.0, memory_gb=8.0, raw_days=90, event_days=400)


def test_shards_and_runs_are_as_many_as_the_peak_needs_and_no_fewer_than_two_shards() -> None:
    small, billion, forty = (needs(n, 30.0, 100.0, 5.0) for n in (1_000_000, 10**9, 40 * 10**9))
    assert (small.shards, small.landing_runs) == (2, 1)
    # 1 billion a day of 120 bytes, 2.5 times as many at the peak: 3.5 MB/s, of which a shard takes 0.7.
    assert (billion.shards, billion.landing_runs) == (5, 1)
    assert 190 < forty.shards < 210 and forty.landing_runs == 10
    assert forty.objects_landed_a_day == round(forty.shards * 86_400 / 5)
    assert forty.commits_a_day == billion.commits_a_day == 172_800


def test_files_that_stay_of_a_day_are_of_the_sizes_that_compaction_makes() -> None:
    assert files_of_a_day(SMALL_FILE_BYTES, 100) == 100, "no small ones, nothing is put together"
    assert files_of_a_day(3 * LARGEST_FILE_BYTES, 100) == 300
    total, batches = 20e9, 17_280
    stayed = files_of_a_day(total / batches, batches)
    assert total / LARGEST_FILE_BYTES <= stayed <= total / SMALL_FILE_BYTES + 60


def test_a_size_that_was_measured_is_told_as_measured_and_others_on_a_line() -> None:
    line = Line({10: 1.0, 100: 10.0, 200: 30.0})
    assert [line.at(size) for size in (10, 100, 200)] == [1.0, 10.0, 30.0]
    assert line.at(150) == 20.0 and line.at(300) == 50.0
    assert line.is_beyond(300) and not line.is_beyond(200)


def test_a_turn_settles_where_the_commits_that_are_kept_cost_what_they_leave_time_for() -> None:
    assert turn_in_a_folder(0.1, 0.0) == 0.5, "no run commits more often"
    assert turn_in_a_folder(3.0, 0.0) == 3.0
    turn = turn_in_a_folder(1.0, 1e-5)
    assert turn == pytest.approx(1.0 + 1e-5 * 30 * 86_400 / turn)


def test_what_is_most_often_at_its_limit_comes_first_and_what_is_not_measured_is_marked() -> None:
    line = Line({10: 0.001, 300_000: 1.0})
    found = dict.fromkeys(("open", "plan", "commit", "checkpoint", "mb", "log_open", "log_commit"), line)
    beside = {"landing_mb": 100.0, "look_seconds": 0.4, "merging_mb_a_second": 50.0}
    billion, forty = (limits(needs(n, 30.0, 100.0, 5.0), found, beside, GIVEN) for n in (10**9, 40 * 10**9))
    ratios = [each.value / each.most for each in forty]
    assert ratios == sorted(ratios, reverse=True) and forty[0].name == "commits of raw_events"
    assert {each.name for each in forty if each.is_extrapolated} >= {"opening enriched_events", "memory of the driver"}
    assert not next(each for each in billion if each.name == "opening enriched_events").is_extrapolated


def test_the_synthetic_stream_is_read_to_its_end_each_record_once() -> None:
    stream = SyntheticStream(3, [b"a", b"b"], 25)
    found = [record for batch in StreamReader(stream).read_new({}) for record in batch.records]
    assert len({(record.shard_id, record.sequence_number) for record in found}) == len(found) == 75


def test_logs_have_as_many_files_and_commits_as_they_are_to(tmp_path: Path) -> None:
    make_files(tmp_path / "files", 130)
    table = Lake(Storage(str(tmp_path / "files"))).table(ENRICHED_EVENTS.name).snapshot()
    assert table.count == 131 and len(table.dates()) == 30
    make_log(tmp_path / "log", 40)
    longer = Lake(Storage(str(tmp_path / "log"))).table(ENRICHED_EVENTS.name).snapshot()
    assert (longer.version, longer.count) == (40, 1)


@pytest.mark.slow
@pytest.mark.representative
def test_memory_is_what_a_fresh_interpreter_grows_by_and_not_what_its_parent_holds(tmp_path: Path) -> None:
    held = bytearray(600_000_000)
    held[::4096] = b"1" * len(held[::4096])
    figures = measured("make", folder=str(tmp_path / "lake"), files=60)
    assert figures["mb"] < 300 < len(held) / 2**20
    opened = measured("opening", folder=str(tmp_path / "lake"))
    assert opened["files"] == 64 and min(value for name, value in opened.items() if name.startswith("seconds")) > 0


@pytest.mark.slow
@pytest.mark.release
def test_a_small_day_is_measured_from_the_sensor_to_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--events", "1e7,1e9", "--most-files", "2000", "--most-commits", "200", "--shards", "20", "--call-ms", "1"]
    assert scale.main([*given, "--backlog-mb", "1", "--batch-events", "500", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    few, many = found["10,000,000 events a day"], found["1,000,000,000 events a day"]
    assert few["shards"] < many["shards"] and few["raw_files_kept"] < many["raw_files_kept"]
    assert "opening enriched_events" in many["extrapolated"] and few["of_limit"].keys() == many["of_limit"].keys()
    assert min(few["tick_seconds_busy"], few["commit_seconds"], found["measured"]["merging_mb_a_second"]) > 0
