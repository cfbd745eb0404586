"""All checks in one step: of a look at what the run of new events has made, Dagster keeps what each check found, and no
events of a step a check.

What is checked is told by the checks themselves; in a run of assets each of them is a step of its own.
"""

import inspect
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.definitions.decorators.op_decorator import DecoratedOpFunction
from dagster_pyspark import LazyPySparkResource

from event_assets.defs.assets.reporting import SAME_SECONDS
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.rules import RulesResource
from event_assets.defs.resources.warehouse import WarehouseResource


def checks_job(name: str, checks: Sequence[dg.AssetChecksDefinition]) -> dg.JobDefinition:
    """The job that makes these checks, one after another, and tells of each what is new. It fails where a blocking one
    does not pass, or one cannot be made; the others are made all the same."""

    @dg.op(description="Makes all checks.", out=dg.Out(dg.Nothing))
    def look(
        context: dg.OpExecutionContext,
        lake: LakeResource,
        spark: LazyPySparkResource,
        rules: RulesResource,
        warehouse: WarehouseResource,
    ) -> Iterator[dg.AssetCheckEvaluation]:
        given = {"context": context, "lake": lake, "spark": spark, "rules": rules, "warehouse": warehouse}
        faults = []
        for check in checks:
            try:
                found = evaluation_of(check, given)
                if is_news(context.instance, found):
                    yield found
            except Exception as error:
                faults.append(f"{check.check_key.to_user_string()}: {type(error).__name__}: {error}")
                context.log.error(faults[-1])
        if faults:
            raise dg.Failure(f"{len(faults)} checks could not be made: {'; '.join(faults)}", allow_retries=False)

    @dg.job(
        name=name,
        description="A look at what the run of new events has made.",
        executor_def=dg.in_process_executor,
    )
    def looks() -> None:
        look()

    return looks


def function_of(check: dg.AssetChecksDefinition) -> Callable[..., dg.AssetCheckResult]:
    """What a check does."""
    compute = check.op.compute_fn
    assert isinstance(compute, DecoratedOpFunction)
    return compute.decorated_fn


def evaluation_of(check: dg.AssetChecksDefinition, given: Mapping[str, Any]) -> dg.AssetCheckEvaluation:
    """What a check finds, with those of the given things that its function takes."""
    [spec] = check.check_specs
    function = function_of(check)
    result = function(**{name: given[name] for name in inspect.signature(function).parameters})
    return dg.AssetCheckEvaluation(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=result.passed,
        metadata=result.metadata,
        severity=result.severity,
        description=result.description,
        blocking=spec.blocking,
    )


def is_news(instance: dg.DagsterInstance, found: dg.AssetCheckEvaluation) -> bool:
    """Whether a check does not pass, or says something else than what was told of it last, not too long ago."""
    if not found.passed:
        return True
    last = instance.event_log_storage.get_latest_asset_check_execution_by_key([found.asset_check_key])
    entry = last[found.asset_check_key].event if found.asset_check_key in last else None
    before = entry.dagster_event.event_specific_data if entry is not None and entry.dagster_event is not None else None
    if (
        entry is None
        or not isinstance(before, dg.AssetCheckEvaluation)
        or time.time() - entry.timestamp >= SAME_SECONDS
    ):
        return True
    return _said(found) != _said(before)


def _said(found: dg.AssetCheckEvaluation) -> tuple[Any, ...]:
    return found.passed, found.severity, found.description, found.metadata
