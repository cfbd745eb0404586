"""Assets in one step, for runs that come by themselves again and again: Dagster keeps what each asset and check said,
where it says anything new, and no events of a step an asset.

What an asset does is told by the asset itself; materialised by hand each is a step of its own.
"""

from __future__ import annotations

import inspect
import time
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
from dagster._core.definitions.decorators.op_decorator import DecoratedOpFunction

from event_assets.defs.assets.reporting import SAME_SECONDS
from event_assets.defs.checks.together import evaluation_of, is_news

Told = dg.AssetMaterialization | dg.AssetCheckEvaluation
_OF_THE_RUN = {
    *("seconds", "rows_per_second", "scanned_files", "scanned_bytes"),
    *("new_rows", "deleted_rows", "transactions", "shortened_texts", "dates", "is_new"),
}
"""Metadata that say what a run did, not what a table is."""
_DATA_VERSION = "dagster/data_version"


@dataclass
class Together:
    """Assets after all that they are made of, each with its checks. What fails is in `faults`; what is made of it is
    left out, and all else goes on. A check that blocks fails its asset."""

    context: dg.OpExecutionContext
    assets: Sequence[dg.AssetsDefinition]
    checks: Sequence[dg.AssetChecksDefinition]
    given: Mapping[str, Any]
    """Resources, by the names that functions have for them."""
    faults: dict[str, Exception] = field(default_factory=dict)
    _failed: set[dg.AssetKey] = field(default_factory=set)
    _last: dict[dg.AssetKey, dg.EventLogEntry | None] = field(default_factory=dict)

    def run(self) -> Iterator[Told]:
        """Makes all of them; gives what is to be told. Raises `Failure` at the end where something failed: what can be
        tried again is told by each."""
        yield from self.made()
        if self.faults:
            reasons = "; ".join(f"{name}: {type(error).__name__}: {error}" for name, error in self.faults.items())
            again = all(not isinstance(error, dg.Failure) or error.allow_retries for error in self.faults.values())
            raise dg.Failure(f"{len(self.faults)} were not made: {reasons}", allow_retries=again)

    def made(self) -> Iterator[Told]:
        """Makes all of them; gives what is to be told."""
        keys = [key for asset in self.assets for key in asset.keys]
        entries = (each.asset_entry for each in self.context.instance.get_asset_records(keys))
        self._last = {each.asset_key: each.last_materialization for each in entries}
        for asset in in_order(self.assets):
            if not self._failed.isdisjoint(_upstream(asset)):
                self._failed |= asset.keys
                continue
            name = ", ".join(sorted(key.to_user_string() for key in asset.keys))
            try:
                yield from filter(self._is_news, self._materialised(asset))
            except Exception as error:
                self._fail(asset, name, error)
                continue
            yield from self._checked(asset)

    def _fail(self, asset: dg.AssetsDefinition, name: str, error: Exception) -> None:
        self.faults[name] = error
        self._failed |= asset.keys

    def _materialised(self, asset: dg.AssetsDefinition) -> Iterator[dg.AssetMaterialization]:
        function = _function_of(asset)
        context = StepContext(self.context, asset)
        given = {**self.given, "context": context, **_config(function)}
        results = function(**{name: given[name] for name in inspect.signature(function).parameters})
        for result in (results,) if isinstance(results, dg.MaterializeResult) else results:
            version = result.data_version
            yield dg.AssetMaterialization(
                result.asset_key or asset.key,
                metadata=result.metadata,
                tags={_DATA_VERSION: version.value} if version is not None else None,
            )

    def _checked(self, asset: dg.AssetsDefinition) -> Iterator[dg.AssetCheckEvaluation]:
        for check in self.checks:
            if check.check_key.asset_key not in asset.keys:
                continue
            try:
                found = evaluation_of(check, {**self.given, "context": self.context})
            except Exception as error:
                self.faults[check.check_key.to_user_string()] = error
                continue
            if not found.passed and found.blocking:
                self._fail(asset, check.check_key.to_user_string(), RuntimeError(found.description or "does not pass"))
            if is_news(self.context.instance, found):
                yield found

    def _is_news(self, told: dg.AssetMaterialization) -> bool:
        """Whether it says something else than what was told of the asset last, not too long ago."""
        entry = self._last.get(told.asset_key)
        before = entry.asset_materialization if entry is not None else None
        if entry is None or before is None or time.time() - entry.timestamp >= SAME_SECONDS:
            return True
        version = (told.tags or {}).get(_DATA_VERSION)
        if version is not None:
            return version != (before.tags or {}).get(_DATA_VERSION)
        return _said(told) != _said(before)


@dataclass(frozen=True)
class StepContext:
    """What an asset's function asks its context for, in a run in which it is no step of its own."""

    op: dg.OpExecutionContext
    assets_def: dg.AssetsDefinition
    has_partition_key: bool = False
    has_partition_key_range: bool = False

    @property
    def asset_key(self) -> dg.AssetKey:
        return self.assets_def.key

    @property
    def run(self) -> dg.DagsterRun:
        return self.op.run

    @property
    def instance(self) -> dg.DagsterInstance:
        return self.op.instance

    @property
    def log(self) -> dg.DagsterLogManager:
        return self.op.log

    def log_event(self, event: dg.AssetMaterialization) -> None:
        """Tells of a partition."""
        self.op.log_event(event)


def in_order(assets: Iterable[dg.AssetsDefinition]) -> list[dg.AssetsDefinition]:
    """These assets, each after all of them that it is made of."""
    by_key = {key: asset for asset in assets for key in asset.keys}
    of_each = {asset: [by_key[key] for key in _upstream(asset) if key in by_key] for asset in by_key.values()}
    return [*TopologicalSorter(of_each).static_order()]


def _upstream(asset: dg.AssetsDefinition) -> set[dg.AssetKey]:
    return {dep.asset_key for spec in asset.specs for dep in spec.deps} - asset.keys


def _function_of(asset: dg.AssetsDefinition) -> Callable[..., Any]:
    compute = asset.op.compute_fn
    assert isinstance(compute, DecoratedOpFunction)
    return compute.decorated_fn


def _config(function: Callable[..., Any]) -> dict[str, Any]:
    """The config that a function takes, as it is where nobody gives one."""
    taken = typing.get_type_hints(function).get("config")
    return {"config": taken()} if taken is not None else {}


def _said(told: dg.AssetMaterialization) -> dict[str, Any]:
    return {name: value for name, value in told.metadata.items() if name not in _OF_THE_RUN}
