"""The function on AWS takes days away from the bucket and from the warehouse, with the password of its secret."""

from __future__ import annotations

import datetime as dt
import json
from urllib.parse import urlsplit

import boto3
import pyarrow as pa
import pytest
from moto import mock_aws

from event_assets.contract.tables.metrics import DAILY_METRICS
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline.load import load_step
from event_assets.pipeline.window import EVERYTHING
from event_assets.privacy.aws_lambda import handler
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.factories import row_of

TABLE = next(table for table in WAREHOUSE_TABLES if table.lake is DAILY_METRICS)


@pytest.mark.slow
def test_old_days_go_from_the_bucket_and_the_warehouse(
    s3_emulator: str, warehouse_url: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = boto3.client("s3", endpoint_url=s3_emulator, region_name="us-east-1")
    s3.create_bucket(Bucket="retained")
    lake = Lake(Storage("s3://retained/lake", "us-east-1", s3_emulator))
    days = [dt.datetime.now(dt.UTC).date() - dt.timedelta(days=back) for back in (40, 5)]
    _write(lake, days)
    warehouse = Warehouse(PostgresDialect(LakeFiles("us-east-1", s3_emulator)), warehouse_url)
    load_step(lake, warehouse, TABLE, EVERYTHING)
    home = tmp_path_factory.mktemp("home")
    (home / "retention.yaml").write_text("aggregates: 30\n")
    url = urlsplit(warehouse_url)
    for name, value in {
        "PROFILE": "aws",
        "HOME": str(home),
        "LAKE_URL": "s3://retained/lake",
        "S3_ENDPOINT_URL": s3_emulator,
        "WAREHOUSE_KIND": "postgres",
        "WAREHOUSE_URL": url._replace(netloc=url.netloc.replace(f":{url.password}@", "@")).geturl(),
        "WAREHOUSE_SECRET": "password",
        "RETENTION_FILE": str(home / "retention.yaml"),
    }.items():
        monkeypatch.setenv(f"EVENT_ASSETS_{name}", value)
    with mock_aws():
        secrets = boto3.client("secretsmanager", region_name="us-east-1")
        secrets.create_secret(Name="password", SecretString=json.dumps({"password": url.password or "none"}))
        said = handler({}, None)
        again = handler({}, None)

    assert said == {"rows": {"daily_metrics": 1}, "waits": {}, "warehouse_days": {TABLE.name: 1}}
    assert again == {"rows": {}, "waits": {}, "warehouse_days": {}}
    assert lake.table(DAILY_METRICS.name).snapshot().dates() == {str(days[1])}
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket="retained")["Contents"]]
    assert not [key for key in keys if str(days[0]) in key and key.endswith(".parquet")], "the bytes are gone"
    with warehouse.connect() as session:
        found = session.execute(f"SELECT event_date FROM {warehouse.schema}.{TABLE.name}".encode()).fetchall()
    assert found == [(days[1],)]


def _write(lake: Lake, days: list[dt.date]) -> None:
    table = lake.table(DAILY_METRICS.name)
    schema = DAILY_METRICS.arrow_schema()
    staged = [
        table.stage_arrow(
            pa.Table.from_pylist([row_of(DAILY_METRICS, event_date=day)], schema), "rows", {"event_date": str(day)}
        )
        for day in days
    ]
    base = table.snapshot()
    table.commit(base, base.progress, add=staged)
