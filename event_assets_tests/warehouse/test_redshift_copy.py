"""Loads as they are sent to Redshift, behind its protocol: what it would refuse of a COPY is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES, WarehouseTable
from event_assets.doctor.warehouse_proof import prove_warehouse
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Progress
from event_assets.lake.storage import Storage
from event_assets.pipeline.load import load_step
from event_assets.pipeline.window import EVERYTHING
from event_assets.settings import load_settings
from event_assets.warehouse.dialect import SourceFile
from event_assets.warehouse.lake_files import LakeFiles, path_of
from event_assets.warehouse.redshift import copy_statement, manifest_of
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.emulators.redshift import RedshiftProxy, redshift
from event_assets_tests.emulators.spectrum import LAKE_FILES, OLD_FORM
from event_assets_tests.postgres import new_database
from event_assets_tests.warehouse.lake import DAY, TABLES, File, Row, row, totals, write

pytestmark = pytest.mark.slow

ROLE = "arn:aws:iam::123456789012:role/copies"


class Cluster:
    """A Redshift with its lake, to which files are written as the lake's are."""

    def __init__(self, proxy: RedshiftProxy, files: LakeFiles, root: str) -> None:
        self.proxy, self.files, self.root = proxy, files, root
        self.warehouse = self.reading("lake")

    def reading(self, form: str) -> Warehouse:
        """The warehouse by its settings, which copies the lake's files or copies of these."""
        settings = load_settings(
            profile="aws",
            lake_url=f"{self.root}/lake",
            s3_endpoint_url=self.files.endpoint,
            warehouse_url=self.proxy.url,
            warehouse_iam_role=ROLE,
            redshift_files=form,
        )
        return Warehouse.from_settings(settings, self.proxy.url)

    def left(self) -> list[str]:
        """What loads have left beside the tables."""
        where = fs.FileSelector(path_of(f"{self.root}/lake/scratch"), recursive=True, allow_not_found=True)
        return [info.path for info in self.files.filesystem(self.root).get_file_info(where) if info.is_file]

    def put(self, folder: Path, table: WarehouseTable, rows: Sequence[Row], name: str = "data/a.parquet") -> File:
        nullable = [field.with_nullable(True) for field in table.lake.arrow_schema()]
        local = write(folder / "local.parquet", table.lake, rows, fields=nullable)
        return self.upload(name, Path(local.url).read_bytes(), len(rows))

    def upload(self, name: str, data: bytes, rows: int) -> File:
        url = f"{self.root}/lake/{name}"
        with self.files.filesystem(url).open_output_stream(path_of(url)) as stream:
            stream.write(data)
        return File(url, len(data), rows, {})


@pytest.fixture
def cluster(postgres_url: str, s3_emulator: str, bucket: tuple[LakeFiles, str]) -> Iterator[Cluster]:
    with redshift(new_database(postgres_url), s3_emulator) as proxy:
        yield Cluster(proxy, *bucket)


def test_every_table_is_made_and_loaded_by_what_is_sent_to_redshift(cluster: Cluster, tmp_path: Path) -> None:
    cluster.warehouse.ensure()
    cluster.warehouse.ensure()
    for table in WAREHOUSE_TABLES:
        keys = [name for name in table.key if table.lake.column(name).type == "string"]
        rows = [row(table.lake, **{name: f"{name} {n}" for name in keys}) for n in range(3)]
        for each in rows if table.partition_by else ():
            each[str(table.partition_by)] = DAY
        file = cluster.put(tmp_path, table, rows, f"{table.name}/data/a.parquet")
        dates = [DAY] if table.partition_by else None
        report = cluster.warehouse.load_partition(table, dates, [file], totals(table, rows), "replace", 1)
        assert (report.staged, report.inserted) == (3, 3), table.name
    assert len(cluster.proxy.copied) == len(WAREHOUSE_TABLES)
    assert not cluster.left()


def test_text_that_a_column_does_not_hold_is_refused_and_loaded_from_a_copy_that_is_read(
    cluster: Cluster, tmp_path: Path
) -> None:
    users = TABLES["dim_users"]
    cluster.warehouse.ensure()
    rows = [row(users.lake, person_id="p", traits=json.dumps({"a": "ü" * 40_000, "b": 1}))]
    file = cluster.put(tmp_path, users, rows)
    report = cluster.warehouse.load_partition(users, None, [file], totals(users, rows), "replace", 1)
    assert (report.inserted, report.shortened) == (1, 1)
    with cluster.warehouse.connect() as session:
        [(traits,)] = session.execute("SELECT traits FROM analytics.dim_users").fetchall()
    assert json.loads(traits) == {"b": 1, "$truncated": True} and not cluster.left()


def test_a_cluster_that_reads_the_old_form_of_parquet_alone_is_loaded_from_copies_of_files_under_any_name(
    postgres_url: str, s3_emulator: str, bucket: tuple[LakeFiles, str], tmp_path: Path
) -> None:
    """Files of before 0.2.0 lie in folders that Spectrum leaves out."""
    users = TABLES["dim_users"]
    rows = [row(users.lake, person_id="p"), row(users.lake, person_id="q", traits=json.dumps({"a": "ü" * 40_000}))]
    with redshift(new_database(postgres_url), s3_emulator, OLD_FORM) as proxy:
        cluster = Cluster(proxy, *bucket)
        cluster.warehouse.ensure()
        files = [cluster.put(tmp_path, users, [each], f"users/_in_x=1/{n}.parquet") for n, each in enumerate(rows)]
        with pytest.raises(psycopg.InternalError, match="under such a name"):
            cluster.warehouse.load_partition(users, None, files, totals(users, rows), "replace", 1)
        plain = cluster.put(tmp_path, users, rows[:1])
        with pytest.raises(psycopg.InternalError, match=r"compressed by ZSTD|stored as INT64"):
            cluster.warehouse.load_partition(users, None, [plain], totals(users, rows[:1]), "replace", 1)
        copying = cluster.reading("copies")
        report = copying.load_partition(users, None, files, totals(users, rows), "replace", 1)
        assert (report.inserted, report.shortened) == (2, 1) and not cluster.left()
        with copying.connect() as session:
            times = session.execute("SELECT DISTINCT first_seen_at, last_seen_at FROM analytics.dim_users").fetchall()
        assert times == [(rows[0]["first_seen_at"], rows[0]["last_seen_at"])]


def test_what_spectrum_reads_of_single_events_is_listed_anew_by_each_load_of_another_version(cluster: Cluster) -> None:
    table, lake = TABLES["fct_page_views"], Lake(Storage(f"{cluster.root}/lake", endpoint=cluster.files.endpoint))
    of = lake.table(table.lake.name)
    cluster.warehouse.ensure()
    for number in range(2):
        rows = [row(table.lake, page_view_id=str(number), event_id=str(number), event_date=DAY)]
        made = pa.Table.from_pylist(rows, schema=table.lake.arrow_schema())
        of.commit(of.snapshot(), Progress(), add=[of.stage_arrow(made, str(number), {"event_date": str(DAY)})])
        load_step(lake, cluster.warehouse, table, EVERYTHING)
        listed = lake.storage.read("external/page_views/manifest").decode().splitlines()
        assert listed == sorted(file.url for file in of.snapshot().files) and len(listed) == number + 1
    lake.storage.delete("external/page_views/manifest")
    load_step(lake, cluster.warehouse, table, EVERYTHING)
    assert not lake.storage.are_there(["external/page_views/manifest"]), "the same version is not listed again"


def copy(cluster: Cluster, files: Sequence[SourceFile], columns: str = "n bigint, t varchar(5)") -> list[Any]:
    """What is in a table after these files were copied into it."""
    manifest = cluster.upload("manifests/m.manifest", manifest_of(files), 0)
    with cluster.warehouse.connect() as session, session.transaction():
        session.execute(f'CREATE TEMP TABLE "_stage" ({columns})')
        session.execute(copy_statement("_stage", manifest.url, ROLE))
        return session.execute('SELECT * FROM "_stage" ORDER BY 1').fetchall()


def parquet(compression: str = "zstd", **columns: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, compression=compression)
    return bytes(sink.getvalue().to_pybytes())


ROWS = {"n": pa.array([1, 2], pa.int64()), "t": ["a\tb", None]}


def test_columns_go_by_place_and_a_file_from_before_a_column_came_is_filled(cluster: Cluster) -> None:
    other = {"x": ROWS["n"], "y": ROWS["t"]}
    assert copy(cluster, [cluster.upload("a.parquet", parquet(**other), 2)]) == [(1, "a\tb"), (2, None)]
    assert copy(cluster, [cluster.upload("b.parquet", parquet(n=ROWS["n"]), 2)]) == [(1, None), (2, None)]


@pytest.mark.parametrize(
    ("name", "columns", "why"),
    [
        ("_in_day=1/a.parquet", ROWS, "Spectrum reads no file under such a name: _in_day=1"),
        (".a.parquet", ROWS, "Spectrum reads no file under such a name"),
        ("a.parquet", {"t": ROWS["t"], "n": ROWS["n"]}, "t is string, at its place is n bigint"),
        ("a.parquet", ROWS | {"more": ROWS["n"]}, "has 3 columns, the table 2"),
        ("a.parquet", ROWS | {"t": ["aböx", "six by"]}, "longer than the length defined in the table"),
    ],
)
def test_what_spectrum_does_not_read_is_refused_and_the_transaction_has_failed(
    cluster: Cluster, name: str, columns: dict[str, Any], why: str
) -> None:
    with pytest.raises(psycopg.InternalError, match=why):
        copy(cluster, [cluster.upload(name, parquet(**columns), 2)])


def test_a_size_that_is_not_the_file_s_is_refused(cluster: Cluster) -> None:
    file = cluster.upload("a.parquet", parquet(**ROWS), 2)
    with pytest.raises(psycopg.InternalError, match="content_length"):
        copy(cluster, [file._replace(size=file.size - 1)])


def test_a_connection_that_does_not_name_its_encoding_or_prepares_is_none_for_redshift(cluster: Cluster) -> None:
    with psycopg.connect(cluster.proxy.url, autocommit=True) as session:
        assert session.info.parameter_status("client_encoding") == "UNICODE"
        assert session.info.server_version == 80_002
        with pytest.raises(psycopg.Error):
            session.execute("SELECT %s", ("a",))
    with cluster.warehouse.connect() as session:
        assert session.execute("SELECT %s", ("ü",)).fetchone() == ("ü",)


def test_a_cluster_is_put_to_the_proof_in_a_schema_of_its_own_that_is_gone_then(
    cluster: Cluster, s3_emulator: str, tmp_path: Path
) -> None:
    lake = Lake(Storage(f"{cluster.root}/lake", endpoint=s3_emulator))
    for table in (TABLES["fct_sessions"], TABLES["dim_users"]):
        of = lake.table(table.lake.name)
        values = {"event_date": DAY} if table.partition_by else {}
        rows = pa.Table.from_pylist([row(table.lake, **values)], schema=table.lake.arrow_schema())
        partition = {name: str(DAY) for name in table.lake.partition_by}
        of.commit(of.snapshot(), Progress(), add=[of.stage_arrow(rows, "a", partition)])
    settings = load_settings(
        profile="aws",
        home=tmp_path,
        lake_url=f"{cluster.root}/lake",
        s3_endpoint_url=s3_emulator,
        warehouse_url=cluster.proxy.url,
        warehouse_iam_role=ROLE,
    )
    proofs = list(prove_warehouse(settings, cluster.proxy.url))
    assert [proof for proof in proofs if proof.fault] == []
    found = {proof.what: proof.found for proof in proofs}
    assert found["load fct_sessions"] == found["load dim_users again"] == "1 rows of 1 files"
    assert "limits are the lake's" in found["compare fct_sessions"]
    assert found["load fct_events"] == "nothing to load" and "8.0.2" in found["connection"]
    with psycopg.connect(cluster.proxy.url, cursor_factory=psycopg.ClientCursor) as session:
        assert session.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE '%proof%'").fetchone() == (0,)
    cluster.proxy.reads = LAKE_FILES._replace(hours_off=2)
    proofs = list(prove_warehouse(settings, cluster.proxy.url))
    wrong = {proof.what: proof.fault for proof in proofs if proof.fault}
    assert set(wrong) == {"compare fct_sessions", "compare dim_users"}
    assert "first start_at, last start_at" in str(wrong["compare fct_sessions"])
    cluster.proxy.close()
    (proof,) = prove_warehouse(settings, cluster.proxy.url)
    assert proof.fault is not None and "<host>" in proof.fault and "127.0.0.1" not in proof.fault
