"""Reading lake files, from a folder and from a bucket over real HTTP."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from event_assets.warehouse.lake_files import LakeFiles
from event_assets_tests.warehouse.lake import File

SCHEMA = pa.schema([("b", pa.string()), ("a", pa.int64()), ("day", pa.date32())])
DATA = pa.table({"a": pa.array([1, 2], pa.int32()), "b": pa.array(["x", None], pa.large_string()), "other": [0.5, 0.5]})
WANTED = [{"b": "x", "a": 1, "day": "2026-11-22"}, {"b": None, "a": 2, "day": "2026-11-22"}]


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[LakeFiles, str]:
    if request.param == "folder":
        return LakeFiles(), str(tmp_path)
    place: tuple[LakeFiles, str] = request.getfixturevalue("bucket")
    return place


def rows(batches: list[pa.RecordBatch]) -> list[dict[str, object]]:
    return [{**row, "day": str(row["day"])} for batch in batches for row in batch.to_pylist()]


def test_columns_come_by_name_and_type_and_missing_ones_from_the_partition(place: tuple[LakeFiles, str]) -> None:
    files, root = place
    found = []
    for name in ("one file", "other=1"):
        path = f"{root.removeprefix('s3://')}/{name}.parquet"
        pq.write_table(DATA, path, filesystem=files.filesystem(root))
        found.append(File(f"{root}/{name}.parquet", 0, 2, {"day": "2026-11-22", "hour": "3"}))
    batches = list(files.batches(found, SCHEMA))
    assert all(batch.schema == SCHEMA for batch in batches)
    assert rows(batches) == WANTED * 2


def test_no_files_are_no_rows() -> None:
    assert list(LakeFiles().batches([], SCHEMA)) == []
