"""Checks of models: whether those who come now are like those that a model learned from."""

import json

import dagster as dg

from event_assets.contract.tables.features import TRAINED_MODELS
from event_assets.defs.assets.pictures import rows_of_bars
from event_assets.defs.checks.telling import told
from event_assets.defs.resources.lake import LakeResource
from event_assets.models.drift import MUCH
from event_assets.pipeline.trained_models import models_in_force


@dg.asset_check(
    asset=TRAINED_MODELS.name,
    description=f"No feature of the newest people is far (an index above {MUCH}) from those that a model learned from.",
)
def features_are_as_learned(lake: LakeResource) -> dg.AssetCheckResult:
    """Warns where one does, with the greatest of each model."""
    table = lake.open().table(TRAINED_MODELS.name)
    found = models_in_force(table.snapshot()) if table.exists() else {}
    drift = {
        f"{name}: {feature}": index
        for name, row in sorted(found.items())
        for feature, index in json.loads(row["card"])["drift"].items()
    }
    much = {name: index for name, index in drift.items() if index > MUCH}
    rows = [(name, max(index, 0.0), f"{index:.3f}") for name, index in drift.items()]
    result = dg.AssetCheckResult(
        passed=not much,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"above": ", ".join(much) or "none", "drift": rows_of_bars(rows, "population stability index")},
    )
    return told(result)


MODEL_CHECKS = [features_are_as_learned]
"""Every check of models."""
