"""A lake with files of other types than its tables' is readable again, and made again where its dates may be wrong."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from event_assets.contract.tables.metrics import DAILY_METRICS
from event_assets.contract.tables.people import VISITORS
from event_assets.doctor.finding import heal_all
from event_assets.doctor.lake import examine_table
from event_assets.lake.files import LakeFile
from event_assets.lake.healing import heal, spoilt_files
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Progress
from event_assets.lake.table import LakeTable

WHEN = dt.datetime(2026, 11, 28, 23, 30, tzinfo=dt.UTC)


def put(table: LakeTable, name: str, times: pa.DataType) -> None:
    """Commits a file whose times have this type, as tables without a look at the footers did."""
    columns = []
    for field in table.spec.arrow_schema():
        type_ = times if pa.types.is_timestamp(field.type) else field.type
        value = {"string": name, "int64": 1, "bool": False}.get(str(type_), WHEN)
        columns.append((field.with_type(type_), pa.array([value]).cast(type_)))
    base = table.snapshot()
    path = f"data/{name}.parquet"
    table.storage.make_folder(f"{table.spec.name}/data")
    where = table.storage.path(f"{table.spec.name}/{path}")
    pq.write_table(pa.table([c for _, c in columns], schema=pa.schema([f for f, _ in columns])), where)
    file = LakeFile(where, table.storage.filesystem.get_file_info(where).size, 1, {}, path, {}, {})
    table.commit(base, replace(base.progress, code="7"), add=[file], affected={})


@pytest.fixture
def visitors(lake: Lake) -> LakeTable:
    return lake.table(VISITORS.name)


def test_a_file_in_utc_by_another_name_is_written_again_as_it_is(
    spark: SparkSession, lake: Lake, visitors: LakeTable
) -> None:
    put(visitors, "right", pa.timestamp("us", "UTC"))
    put(visitors, "spoilt", pa.timestamp("us", "Etc/UTC"))
    before = visitors.snapshot().version
    [healed] = heal([visitors])
    assert (healed.files, healed.rows, healed.zones, healed.to_be_made_again) == (1, 1, ("Etc/UTC",), False)
    rows = visitors.snapshot().read(spark).orderBy("anonymous_id").collect()
    assert [row["anonymous_id"] for row in rows] == ["right", "spoilt"]
    assert visitors.snapshot().arrow(columns=["first_seen_at"])["first_seen_at"].to_pylist() == [WHEN, WHEN]
    assert spoilt_files(visitors.snapshot()) == []
    assert visitors.snapshot().progress.code == "7"
    assert visitors.snapshot().changes_since(before).commits == ()


@pytest.mark.parametrize("times", [pa.timestamp("us", "Europe/Berlin"), pa.timestamp("us")], ids=str)
def test_tables_are_made_again_where_a_file_was_not_in_utc(lake: Lake, visitors: LakeTable, times: pa.DataType) -> None:
    put(visitors, "spoilt", times)
    other = lake.table(DAILY_METRICS.name)
    other.commit(other.snapshot(), Progress(code="3"))
    raw = lake.table("raw_events")
    raw.commit(raw.snapshot(), Progress(code="1"))
    healed = heal([visitors, other, raw])
    assert [(each.table, each.to_be_made_again) for each in healed] == [("visitors", True), ("daily_metrics", True)]
    assert visitors.snapshot().progress.is_outdated("7", "2026-11-28")
    assert other.snapshot().progress.is_outdated("3", "2026-11-28")
    assert raw.snapshot().progress.code == "1"


def test_healing_again_does_nothing(visitors: LakeTable) -> None:
    put(visitors, "spoilt", pa.timestamp("us", "Etc/UTC"))
    heal([visitors])
    version = visitors.snapshot().version
    assert heal([visitors]) == []
    assert visitors.snapshot().version == version


def test_a_table_that_is_not_there_is_not_made(visitors: LakeTable) -> None:
    assert heal([visitors]) == []
    assert not visitors.exists()


def test_the_doctor_names_such_files_and_heals_them_at_once(lake: Lake, visitors: LakeTable) -> None:
    put(visitors, "one", pa.timestamp("us", "Etc/UTC"))
    put(visitors, "two", pa.timestamp("us", "Europe/Berlin"))
    examined = examine_table(lake, VISITORS.name, None)
    assert [finding.fault for finding in examined.findings] == [
        "it is of other types than its table in first_seen_at, last_seen_at, user_seen_at"
    ] * 2
    first, second = heal_all([examined])
    assert first.startswith("2 files were written again in their tables' types. Materialise all days of visitors")
    assert second.startswith("0 files")
    assert examine_table(lake, VISITORS.name, None).findings == ()
