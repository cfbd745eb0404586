"""Whether the warehouse takes a load: a connection, and with Redshift a COPY of a file of one row, which is undone."""

from __future__ import annotations

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql

from event_assets.lake.scratch import scratch_folder
from event_assets.lake.storage import Storage
from event_assets.settings import PREFIX, Settings
from event_assets.warehouse.dialect import Session
from event_assets.warehouse.fitting import FittedFile
from event_assets.warehouse.redshift import copy_statement, count_of, manifest_of
from event_assets.warehouse.warehouse import Warehouse

_STAGE = "event_assets_doctor"


class CopyRefused(Exception):
    """Redshift does not read the lake. `remedy` says what its role needs."""

    def __init__(self, settings: Settings, error: psycopg.Error) -> None:
        super().__init__(f"COPY from {settings.lake} is refused: {error}")
        role = settings.warehouse_iam_role or "the default role of the namespace"
        self.remedy = (
            f"attach {role} to the namespace ({PREFIX}WAREHOUSE_IAM_ROLE), let redshift.amazonaws.com and "
            "redshift-serverless.amazonaws.com assume it, and allow it s3:GetObject on the lake's prefix, "
            "s3:ListBucket on its bucket and kms:Decrypt on its key."
        )


def examine_warehouse(settings: Settings) -> str:
    """What was seen. Raises `CopyRefused`, or psycopg's error where there is no connection."""
    assert settings.warehouse_url is not None
    warehouse = Warehouse.from_settings(settings, settings.warehouse_url.get_secret_value())
    with warehouse.connect() as session:
        session.execute(sql.SQL("SELECT 1")).fetchall()
        if settings.warehouse == "redshift":
            _copy(settings, session)
            return "answers, and copies from the lake"
    return "answers"


def _copy(settings: Settings, session: Session) -> None:
    storage = Storage(settings.lake, settings.aws_region, settings.s3_endpoint_url)
    folder = scratch_folder()
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"n": pa.array([1], pa.int64())}), sink)
    data = sink.getvalue().to_pybytes()
    try:
        storage.write(f"{folder}/row.parquet", data)
        file = FittedFile(storage.uri(f"{folder}/row.parquet"), len(data), 1, {})
        storage.write(f"{folder}/row.manifest", manifest_of([file]))
        session.execute(sql.SQL("CREATE TEMPORARY TABLE {} (n bigint)").format(sql.Identifier(_STAGE)))
        manifest = storage.uri(f"{folder}/row.manifest")
        try:
            session.execute(copy_statement(_STAGE, manifest, settings.warehouse_iam_role))
        except psycopg.Error as error:
            raise CopyRefused(settings, error) from error
        assert session.execute(count_of(_STAGE)).fetchone() == (1,)
    finally:
        storage.delete_folder(folder)
