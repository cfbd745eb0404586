"""What a check found, told to this process's meter."""

import dagster as dg

from event_assets.telemetry import metrics as names
from event_assets.telemetry.metrics import Metric
from event_assets.telemetry.process import meter


def told(result: dg.AssetCheckResult, metric: Metric | None = None, found: int = 0) -> dg.AssetCheckResult:
    """The result, told: that it passed or not, and how much of a metric of its own was found."""
    to = meter()
    to.count(names.CHECKS_PASSED if result.passed else names.CHECKS_FAILED)
    if metric is not None and found:
        to.count(metric, found)
    to.beat()
    return result
