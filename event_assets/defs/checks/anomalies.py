"""Checks of anomalies: the file that says what is watched can be used, and nothing is unusual."""

import json
from typing import Any

import dagster as dg

from event_assets.contract.tables.anomalies import METRIC_ANOMALIES, METRIC_INCIDENTS
from event_assets.defs.checks.telling import told
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.rules import RulesResource
from event_assets.pipeline.anomalies import NOT_INSTALLED, can_detect
from event_assets.pipeline.open_incidents import open_incidents
from event_assets.rules.rule_files import RuleError

_SHOWN = 20


@dg.asset_check(asset=METRIC_ANOMALIES.name, description="What is watched is said by a file that can be used.")
def anomalies_file_is_usable(rules: RulesResource) -> dg.AssetCheckResult:
    """Warns with file, line and rule. Until the file is mended the tables stand as they are."""
    fault = "" if can_detect() else NOT_INSTALLED
    metrics = 0
    try:
        metrics = len(rules.anomalies.metrics)
    except RuleError as error:
        fault = str(error)
    metadata: dict[str, Any] = {"fault": fault} if fault else {"metrics": metrics}
    return told(dg.AssetCheckResult(passed=not fault, severity=dg.AssetCheckSeverity.WARN, metadata=metadata))


@dg.asset_check(asset=METRIC_INCIDENTS.name, description="No metric is unusual just now.")
def nothing_is_unusual(lake: LakeResource, rules: RulesResource) -> dg.AssetCheckResult:
    """Warns with what is open, the furthest off first; what is muted, or was not real, does not count."""
    is_open = open_incidents(lake.open(), rules)
    result = dg.AssetCheckResult(
        passed=not is_open,
        severity=dg.AssetCheckSeverity.WARN,
        description=is_open[0]["what"] if is_open else "Nothing is unusual.",
        metadata={"open": len(is_open), "incidents": dg.MetadataValue.md(_table(is_open[:_SHOWN]) or "none")},
    )
    return told(result)


def _table(incidents: list[dict[str, Any]]) -> str:
    if not incidents:
        return ""
    lines = [
        f"| `{row['incident_id']}` | {row['what']} | {row['periods']} | {', '.join(json.loads(row['metrics']))} |"
        for row in incidents
    ]
    return "\n".join(["| incident | what | days, hours or minutes | metrics |", "| --- | --- | --- | --- |", *lines])


ANOMALY_CHECKS = [anomalies_file_is_usable, nothing_is_unusual]
"""Every check of anomalies."""
