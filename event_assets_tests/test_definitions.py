"""The platform as Dagster sees it: it loads, and every asset says what it is."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from event_assets.contract.tables.lake import ANALYSIS_TABLES, LAKE_TABLES
from event_assets.contract.tables.product import FUNNEL_TRENDS, TIMES_TO_CONVERT
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.definitions import build_defs
from event_assets.pipeline.domains import GROUPS
from event_assets.pipeline.online import NAME as SEGMENTS_ONLINE
from event_assets.pipeline.online_features import NAME as FEATURES_ONLINE
from event_assets.rules.analysis import Analyses
from event_assets.rules.segment_files import Segments
from event_assets.settings import Settings
from event_assets_tests.definitions_text import GOLDEN, text

WANTED = {
    *(table.name for table in LAKE_TABLES),
    *(f"product/{analysis.name}" for analysis in Analyses.load(Settings().analytics).usable),
    *(f"warehouse/{table.name}" for table in WAREHOUSE_TABLES),
    SEGMENTS_ONLINE,
    FEATURES_ONLINE,
}


@pytest.fixture
def defs(tmp_path: Path) -> dg.Definitions:
    return build_defs(Settings(home=tmp_path))


@pytest.fixture
def specs(defs: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}


def test_the_definitions_are_those_that_were_reviewed(tmp_path: Path) -> None:
    again = "a change that is meant: python -m event_assets_tests.definitions_text"
    assert text(tmp_path) == GOLDEN.read_text(), again


def test_the_definitions_load_in_every_granularity(tmp_path: Path) -> None:
    for partitions in ("hourly", "daily", "monthly"):
        dg.Definitions.validate_loadable(build_defs(Settings(home=tmp_path, partitions=partitions)))


def test_all_tables_are_assets_and_the_stream_and_the_apps_are_external(specs: dict[str, dg.AssetSpec]) -> None:
    assert specs.keys() == WANTED | {"client_apps", "event_stream"}


def test_every_asset_says_what_it_is(specs: dict[str, dg.AssetSpec]) -> None:
    for name in WANTED:
        spec = specs[name]
        assert spec.description, name
        assert spec.group_name not in (None, "default"), name
        assert spec.kinds and spec.owners and spec.tags and spec.code_version, name
        columns = spec.metadata["dagster/column_schema"].columns
        assert all(column.description for column in columns), name
        table = next((table for table in LAKE_TABLES if table.name == name), None)
        if table is not None:
            assert [column.description for column in columns] == [column.meaning for column in table.columns], name


def test_the_lineage_starts_where_the_data_starts_and_ends_in_the_warehouse(specs: dict[str, dg.AssetSpec]) -> None:
    upstream = {name: {dep.asset_key.to_user_string() for dep in spec.deps} for name, spec in specs.items()}

    def reaches(name: str) -> set[str]:
        return {name}.union(*(reaches(parent) for parent in upstream[name]))

    for table in WAREHOUSE_TABLES:
        assert {"client_apps", "event_stream", "raw_events"} <= reaches(f"warehouse/{table.name}")


def test_warehouse_columns_name_the_lake_columns_that_they_come_from(specs: dict[str, dg.AssetSpec]) -> None:
    for table in WAREHOUSE_TABLES:
        lineage = specs[f"warehouse/{table.name}"].metadata["dagster/column_lineage"]
        assert lineage.deps_by_column.keys() == set(table.columns)


def test_the_analyses_that_are_shipped_can_be_used_and_are_of_most_kinds() -> None:
    shipped = Analyses.load(Settings().analytics)
    assert not shipped.faults
    assert {analysis.table for analysis in shipped.usable} == set(ANALYSIS_TABLES) - {FUNNEL_TRENDS, TIMES_TO_CONVERT}


def test_an_analysis_that_cannot_be_used_says_why_and_leaves_the_others_alone(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("{kind: active_users, name: good}")
    (tmp_path / "not good.yaml").write_text("{kind: funnel, name: bad}")
    defs = build_defs(Settings(home=tmp_path, analytics_dir=tmp_path))
    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
    words = specs["product/unusable/not_good"].description or ""
    assert "not good.yaml:1: analysis bad: steps: it is required" in words
    assert "product/good" in specs


def test_the_segments_that_are_shipped_can_be_used() -> None:
    shipped = Segments.load(Settings().segments)
    assert not shipped.faults
    assert len(shipped.usable) >= 3


def test_a_segment_that_cannot_be_used_says_why_and_leaves_the_others_alone(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("{name: good, who: {did: {event: purchase}}}")
    (tmp_path / "not good.yaml").write_text("{name: bad, who: {dit: {event: purchase}}}")
    good = build_defs(Settings(home=tmp_path, segments_dir=tmp_path))
    specs = {spec.key.to_user_string(): spec for spec in good.resolve_all_asset_specs()}
    words = specs["segments/unusable/not_good"].description or ""
    assert "not good.yaml:1: segment bad: who: it is an object with dit, did you mean did?" in words
    assert Segments.load(tmp_path).digest in (specs["segment_memberships"].code_version or "")


def test_one_partition_definition_serves_all_tables_with_days(specs: dict[str, dg.AssetSpec]) -> None:
    definitions = {spec.partitions_def for spec in specs.values() if spec.partitions_def is not None}
    assert len(definitions) == 1
    for name in (
        "visitors",
        "identities",
        "user_traits",
        "users",
        "user_segments",
        "segment_memberships",
        "warehouse/dim_visitors",
        "warehouse/dim_users",
        "warehouse/dim_user_segments",
    ):
        assert specs[name].partitions_def is None


def test_what_must_hold_is_a_blocking_check(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    blocking = {key for key in graph.asset_check_keys if graph.get(key).blocking}
    assert {str(key.name) for key in blocking} == {"books_balance", "event_ids_are_unique", "equals_the_lake"}
    assert len(blocking) == 2 + len(WAREHOUSE_TABLES)


def test_the_domains_follow_each_other_and_no_arrow_between_them_runs_backwards(specs: dict[str, dg.AssetSpec]) -> None:
    places: dict[str, int] = {name: place for place, name in enumerate(GROUPS)}
    groups = {name: spec.group_name or "" for name, spec in specs.items()}
    assert set(groups.values()) == places.keys()
    backwards = [
        (dep.asset_key.to_user_string(), name)
        for name, spec in specs.items()
        for dep in spec.deps
        if places[groups[dep.asset_key.to_user_string()]] > places[groups[name]]
    ]
    assert backwards == []


def test_every_table_says_where_it_is_and_which_code_makes_it(specs: dict[str, dg.AssetSpec]) -> None:
    for table in LAKE_TABLES:
        metadata = specs[table.name].metadata
        assert metadata["dagster/table_name"] == f"lake.{table.name}"
        assert metadata["dagster/uri"].endswith(f"/lake/{table.name}")
        [reference] = metadata["dagster/code_references"].code_references
        assert Path(reference.file_path).is_file() and reference.line_number > 0


def test_kinds_are_those_of_the_settings(tmp_path: Path) -> None:
    local, cloud = Settings(home=tmp_path), Settings(home=tmp_path, stream_kind="kinesis", warehouse_kind="redshift")
    for settings, stream, warehouse in ((local, "sqlite", "postgres"), (cloud, "kinesis", "redshift")):
        made = list(build_defs(settings).resolve_all_asset_specs())
        assert [spec.kinds for spec in made if spec.key == dg.AssetKey("event_stream")] == [{stream}]
        assert {warehouse} == set().union(*(spec.kinds for spec in made if spec.key.path[0] == "warehouse"))
