"""Checks of tables about people: whether outliers are few among many."""

import dagster as dg

from event_assets.contract.tables.people import OUTLIER_VISITORS
from event_assets.defs.checks.telling import told
from event_assets.defs.resources.lake import LakeResource
from event_assets.pipeline.outlier_visitors import MOST_SHARE


@dg.asset_check(
    asset=OUTLIER_VISITORS.name,
    description=f"Of the visitors that are judged at most {MOST_SHARE:.0%} are outliers.",
)
def outliers_are_few(lake: LakeResource) -> dg.AssetCheckResult:
    """Warns where they are more: robots are a part of what is usual then, or people are of two kinds."""
    table = lake.open().table(OUTLIER_VISITORS.name)
    flags = table.snapshot().arrow(columns=("is_outlier",))["is_outlier"].to_pylist() if table.exists() else []
    share = sum(flags) / len(flags) if flags else 0.0
    result = dg.AssetCheckResult(
        passed=share <= MOST_SHARE,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"judged": len(flags), "outliers": sum(flags), "share": share},
    )
    return told(result)


PEOPLE_CHECKS = [outliers_are_few]
"""Every check of tables about people."""
