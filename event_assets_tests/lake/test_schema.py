"""No file is committed whose types differ from its table's by anything, and each type that is right is taken."""

from __future__ import annotations

import datetime as dt

import hypothesis.strategies as st
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from pyspark.errors.utils import is_debugging_enabled
from pyspark.sql import SparkSession

from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.contract.tables.metrics import DAILY_METRICS
from event_assets.contract.tables.people import VISITORS
from event_assets.contract.tables.schema import Table
from event_assets.lake.files import WrongSchema, differences
from event_assets.lake.lake import Lake
from event_assets.lake.session import SessionLost, prepare_session

SAME_IN_MEMORY = {
    pa.string(): [pa.string(), pa.large_string()],
    pa.binary(): [pa.binary(), pa.large_binary()],
}
OTHER = {
    pa.string(): [pa.binary(), pa.int64()],
    pa.binary(): [pa.string()],
    pa.int32(): [pa.int64(), pa.int16(), pa.uint32()],
    pa.int64(): [pa.int32(), pa.float64(), pa.uint64()],
    pa.float64(): [pa.float32(), pa.int64()],
    pa.bool_(): [pa.int32(), pa.string()],
    pa.date32(): [pa.timestamp("us", "UTC"), pa.string()],
    pa.timestamp("us", "UTC"): [
        pa.timestamp("us"),
        pa.timestamp("us", "Etc/UTC"),
        pa.timestamp("us", "Europe/Berlin"),
        pa.timestamp("ms", "UTC"),
        pa.timestamp("ns", "UTC"),
        pa.int64(),
    ],
}
TABLES = st.sampled_from(LAKE_TABLES)


def footer(schema: pa.Schema, columns: list[pa.Array] | None = None) -> pq.FileMetaData:
    sink = pa.BufferOutputStream()
    rows = pa.table(columns, schema=schema) if columns else schema.empty_table()
    pq.write_table(rows, sink)
    return pq.read_metadata(pa.BufferReader(sink.getvalue()))


@given(table=TABLES, data=st.data())
def test_a_file_of_the_tables_types_is_taken_whatever_its_layout_in_memory(table: Table, data: st.DataObject) -> None:
    fields = [
        pa.field(
            field.name,
            data.draw(st.sampled_from(SAME_IN_MEMORY.get(field.type, [field.type]))),
            field.nullable or data.draw(st.booleans()),
        )
        for field in table.arrow_schema()
    ]
    assert differences(footer(pa.schema(fields)), table) == []


@given(table=TABLES, data=st.data())
def test_one_column_of_another_type_is_enough_to_refuse_a_file(table: Table, data: st.DataObject) -> None:
    schema = table.arrow_schema()
    index = data.draw(st.integers(0, len(schema) - 1))
    other = data.draw(st.sampled_from(OTHER[schema.field(index).type]))
    [fault] = differences(footer(schema.set(index, schema.field(index).with_type(other))), table)
    assert fault.startswith(f"column {schema.field(index).name} is ")


@given(table=TABLES, data=st.data())
def test_a_column_more_or_less_is_named(table: Table, data: st.DataObject) -> None:
    schema = table.arrow_schema()
    name = data.draw(st.sampled_from(schema.names))
    assert differences(footer(schema.remove(schema.get_field_index(name))), table) == [f"column {name} is missing"]
    assert differences(footer(schema.append(pa.field("more", pa.int64()))), table) == ["column more is not the table's"]


def test_a_row_without_a_value_that_it_must_have_is_refused() -> None:
    schema = pa.schema([field.with_nullable(True) for field in VISITORS.arrow_schema()])
    nothing = [pa.nulls(2, field.type) for field in schema]
    faults = differences(footer(schema, nothing), VISITORS)
    assert "column first_seen_at has 2 rows without a value, and must have one" in faults
    assert not [fault for fault in faults if "user_id has" in fault.replace("stitched_user_id", "")]


def test_a_file_of_another_type_is_refused_when_it_is_described(lake: Lake) -> None:
    table = lake.table("visitors")
    schema = table.spec.arrow_schema()
    schema = schema.set(schema.get_field_index("last_seen_at"), pa.field("last_seen_at", pa.timestamp("us", "Etc/UTC")))
    lake.storage.make_folder("visitors/data/x")
    pq.write_table(schema.empty_table(), lake.storage.path("visitors/data/x/a.parquet"))
    with pytest.raises(WrongSchema, match=r"visitors: .*parquet.*last_seen_at is timestamp\[us, tz=Etc/UTC\]"):
        table.describe("visitors/data/x")


def test_rows_staged_from_memory_must_have_what_they_must_have(lake: Lake) -> None:
    table = lake.table(RAW_EVENTS.name)
    schema = table.spec.arrow_schema()
    rows = pa.table(
        [pa.nulls(1, field.type) for field in schema], schema=pa.schema([f.with_nullable(True) for f in schema])
    )
    with pytest.raises((WrongSchema, ValueError)):
        table.stage_arrow(rows, "x", {"arrival_date": "2026-01-01", "arrival_hour": "0"})


@pytest.mark.parametrize("setting", ["spark.sql.session.timeZone", "spark.event_assets.session"])
def test_a_session_with_another_setting_stages_and_commits_nothing(
    spark: SparkSession, lake: Lake, setting: str
) -> None:
    table = lake.table(DAILY_METRICS.name)
    day = dt.date(2026, 1, 1)
    rows = spark.createDataFrame([(day, day, "web", *[1] * 9, 1.0)], table.spec.spark_schema())
    base = table.snapshot()
    staged = table.stage(rows, 1, 1)
    spark.conf.set(setting, "Europe/Berlin")
    try:
        with pytest.raises(SessionLost):
            table.stage(rows, 1, 1)
        with pytest.raises(SessionLost):
            lake.table(VISITORS.name).commit(lake.table(VISITORS.name).snapshot(), base.progress)
        with pytest.raises(SessionLost):
            table.commit(base, base.progress, add=staged)
    finally:
        prepare_session(spark)
    assert table.commit(base, base.progress, add=staged) == 1


def test_no_call_on_a_column_looks_for_the_line_that_made_it(spark: SparkSession) -> None:
    """PySpark would look for IPython on the whole path each time."""
    assert spark.range(1).count() == 1
    assert not is_debugging_enabled()


def test_both_engines_write_the_tables_types(spark_engine: SparkSession, lake: Lake) -> None:
    table = lake.table(VISITORS.name)
    now = "timestamp_micros(1795908600000001)"
    values = {"string": "'a'", "timestamp": now, "long": "1L", "boolean": "true"}
    columns = ", ".join(f"{values[column.type]} AS {column.name}" for column in table.spec.columns)
    [file] = table.stage(spark_engine.sql(f"SELECT {columns}"), 1, 1)
    assert table.snapshot().arrow([file], ["first_seen_at"]).to_pylist() == [
        {"first_seen_at": dt.datetime(2026, 11, 28, 23, 30, 0, 1, dt.UTC)}
    ]
