"""Assets in one step say what they say one by one, and nothing twice; what fails stops what is made of it alone."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg
import pytest

from event_assets.defs.assets import together as module
from event_assets.defs.assets.materialising import Rebuild
from event_assets.defs.assets.together import Together, Told, in_order
from event_assets.defs.checks import together as checks_module

ROWS = {"users": 3, "segments": 1}
"""What tables hold."""
BROKEN: dict[str, Exception] = {}
PASSES = {"users": True}


@dg.asset
def users(config: Rebuild) -> dg.MaterializeResult[None]:
    if "users" in BROKEN:
        raise BROKEN["users"]
    assert not config.rebuild
    return dg.MaterializeResult(metadata={"rows": ROWS["users"], "seconds": 0.1}, data_version=dg.DataVersion("1"))


@dg.asset(deps=[users])
def segments() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"rows": ROWS["segments"]})


@dg.multi_asset(specs=[dg.AssetSpec("sources"), dg.AssetSpec("ledger")])
def alone(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    context.log_event(dg.AssetMaterialization("sources", partition="2026-01-01"))
    yield dg.MaterializeResult("sources")
    yield dg.MaterializeResult("ledger")


@dg.asset_check(asset=users, blocking=True)
def users_are_right() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=PASSES["users"], metadata={"rows": ROWS["users"]})


@dg.op(out=dg.Out(dg.Nothing))
def make(context: dg.OpExecutionContext) -> Iterator[Told]:
    yield from Together(context, [alone, segments, users], [users_are_right], {}).run()


@dg.job(executor_def=dg.in_process_executor)
def makes() -> None:
    make()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        yield instance


def told(result: dg.ExecuteInProcessResult) -> list[str]:
    """Assets and checks, in the order in which they were told; a partition of one by its own name."""
    return [
        *(
            each.partition or "/".join(each.asset_key.path)
            for each in result.get_asset_materialization_events()
            if each.asset_key
        ),
        *(each.check_name for each in result.get_asset_check_evaluations()),
    ]


def test_each_is_made_after_all_that_it_is_made_of() -> None:
    names: Sequence[str] = [each.node_def.name for each in in_order([segments, alone, users])]
    assert sorted(names) == ["alone", "segments", "users"] and names.index("users") < names.index("segments")


def test_what_is_new_is_told_once_and_what_is_not_once_an_hour(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = makes.execute_in_process(instance=instance)
    assert sorted(told(first)) == ["2026-01-01", "ledger", "segments", "sources", "users", "users_are_right"]
    latest = instance.get_latest_materialization_event(users.key)
    assert latest is not None and latest.asset_materialization is not None
    assert latest.asset_materialization.tags == {"dagster/data_version": "1"}
    monkeypatch.setitem(ROWS, "segments", 2)
    second = makes.execute_in_process(instance=instance)
    assert told(second) == ["2026-01-01", "segments"]
    for each in (module, checks_module):
        monkeypatch.setattr(each, "SAME_SECONDS", 0.0)
    assert sorted(told(makes.execute_in_process(instance=instance))) == sorted(told(first))


def test_what_fails_stops_what_is_made_of_it_and_nothing_else(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BROKEN, "users", ValueError("no users"))
    failed = makes.execute_in_process(instance=instance, raise_on_error=False)
    assert not failed.success and sorted(told(failed)) == ["2026-01-01", "ledger", "sources"]
    [failure] = [event for event in failed.all_events if event.is_step_failure]
    assert "1 were not made: users: ValueError: no users" in str(failure.step_failure_data.error)


def test_a_check_that_blocks_stops_what_is_made_of_its_asset_and_is_told_every_time(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PASSES, "users", False)
    for again in (False, True):
        failed = makes.execute_in_process(instance=instance, raise_on_error=False)
        assert not failed.success and "users_are_right" in told(failed) and "segments" not in told(failed)
        assert ("users" in told(failed)) is not again
