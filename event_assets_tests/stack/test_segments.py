"""What a segment would be is what the asset makes of it, and who is in one can be taken away as a file."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from event_assets.cli import app
from event_assets.contract.tables.people import USERS
from event_assets.contract.tables.schema import Table
from event_assets.contract.tables.segments import SEGMENT_MEMBERSHIPS
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Progress
from event_assets.lake.storage import Storage
from event_assets.pipeline.registry import refresh_all, steps_of
from event_assets.rules.segment_files import Segments
from event_assets.stack.segments import SegmentError, export_members, preview
from event_assets_tests.factories import at, enriched_event
from event_assets_tests.pipeline.runs import a_run
from event_assets_tests.pipeline.test_segments import RULES, Membership, day

FILES = {
    "buyers": "name: buyers\ndescription: Paid.\nwho: {did: {event: purchase}}\n",
    "others": "name: others\ndescription: Did not pay.\nwho: {not: {segment: buyers}}\n",
    "torn": "name: torn\nwho: {did: {}}\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "segments"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


@pytest.mark.slow
def test_a_preview_says_what_the_asset_makes_and_writes_nothing(
    spark: SparkSession, tmp_path: Path, folder: Path, s3_emulator: str
) -> None:
    segments = Segments.load(folder)
    lake = Membership(spark, tmp_path / "lake", *segments.usable)
    with pytest.raises(SegmentError, match="no people yet"):
        preview(lake.lake, spark, segments, RULES, "others")
    lake.add(
        enriched_event("page_view", at(days=1), anonymous_id="a1"),
        enriched_event("page_view", at(days=2), anonymous_id="a2"),
        enriched_event("purchase", at(days=3), anonymous_id="a1"),
    )
    refresh_all(a_run(lake.lake, spark), [step for step in steps_of("minutes") if step.name == "users"])
    found = preview(lake.lake, spark, segments, RULES, "others")
    assert list(found.members.items())[-3:] == [(str(day(1)), 1), (str(day(2)), 2), (str(day(3)), 1)]
    assert (found.entered, found.left, found.people) == (0, 1, 2)
    assert lake.stays() == []
    lake.make()
    assert lake.stays() == [
        ("buyers", "a1", day(3), None),
        ("others", "a1", day(1), day(3)),
        ("others", "a2", day(2), None),
    ]

    assert export_members(lake.lake, segments, "others", str(tmp_path / "others.csv")) == 1
    assert pa_csv.read_csv(tmp_path / "others.csv").to_pylist() == [{"person_id": "a2", "from_date": day(2)}]
    assert export_members(lake.lake, segments, "buyers", str(tmp_path / "buyers.parquet")) == 1
    assert pq.read_table(tmp_path / "buyers.parquet").to_pylist() == [{"person_id": "a1", "from_date": day(3)}]
    bucket = f"exports-{uuid.uuid4().hex}"
    boto3.client("s3", region_name="us-east-1", endpoint_url=s3_emulator).create_bucket(Bucket=bucket)
    by = replace(lake.lake.storage, endpoint=s3_emulator)
    assert export_members(Lake(by), segments, "buyers", f"s3://{bucket}/a/buyers.csv") == 1
    assert Storage(f"s3://{bucket}", endpoint=s3_emulator).read("a/buyers.csv").startswith(b'"person_id","from_date"')
    with pytest.raises(SegmentError, match=r"s3://not-there-at-all/buyers\.csv cannot be written"):
        export_members(Lake(by), segments, "buyers", "s3://not-there-at-all/buyers.csv")
    with pytest.raises(SegmentError, match=r"ends with .csv or .parquet"):
        export_members(lake.lake, segments, "buyers", str(tmp_path / "buyers.xls"))


def test_a_segment_that_is_not_there_or_cannot_be_used_says_why(
    spark: SparkSession, tmp_path: Path, folder: Path
) -> None:
    lake, segments = Lake(Storage(str(tmp_path / "lake"))), Segments.load(folder)
    with pytest.raises(SegmentError, match=r"There is no segment 'sellers'; there are buyers, others"):
        preview(lake, spark, segments, RULES, "sellers")
    with pytest.raises(SegmentError, match=r"'torn' cannot be used: .*torn.yaml"):
        preview(lake, spark, segments, RULES, "torn")


def test_the_files_are_checked_and_a_fault_is_the_exit_status(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENT_ASSETS_HOME", str(tmp_path))
    monkeypatch.setenv("EVENT_ASSETS_SEGMENTS_DIR", str(folder))
    checked = CliRunner().invoke(app, ["segments", "check"])
    assert (checked.exit_code, checked.stdout) == (1, "buyers: Paid.\nothers: Did not pay.\n")
    assert "torn.yaml" in checked.stderr
    exported = CliRunner().invoke(app, ["segments", "export", "sellers", str(tmp_path / "out.csv")])
    assert exported.exit_code == 1 and "There is no segment 'sellers'" in exported.stderr
    (folder / "torn.yaml").unlink()
    assert CliRunner().invoke(app, ["segments", "check"]).exit_code == 0


@pytest.mark.parametrize("purpose", ["marketing", "sell_or_share"])
def test_who_is_kept_from_others_is_in_no_file_that_they_get(tmp_path: Path, folder: Path, purpose: str) -> None:
    lake = Lake(Storage(str(tmp_path / "lake")))
    values: dict[str, Any] = {"string": "x", "int": 0, "long": 0, "double": 0.0, "boolean": True}
    values |= {"timestamp": at(days=1), "date": day(1)}

    def write(spec: Table, *rows: dict[str, Any]) -> None:
        whole = [
            {c.name: row.get(c.name, None if c.nullable else values[c.type]) for c in spec.columns} for row in rows
        ]
        table = lake.table(spec.name)
        file = table.stage_arrow(pa.Table.from_pylist(whole, spec.arrow_schema()), "rows", {})
        table.commit(table.snapshot(), Progress(), add=[file])

    answers = {"agreed": True, "refused": False, "unasked": None}
    ids = {"user_ids": "[]", "anonymous_ids": '["refused-before"]'}
    write(USERS, *({"person_id": p, f"consent_{purpose}": said, **ids} for p, said in answers.items()))
    people = (*answers, "unknown", "refused-before")
    write(SEGMENT_MEMBERSHIPS, *({"segment": "buyers", "person_id": person} for person in people))
    to = tmp_path / "buyers.csv"
    assert export_members(lake, Segments.load(folder), "buyers", str(to)) == 3
    assert b"refused" not in to.read_bytes()
