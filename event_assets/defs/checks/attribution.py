"""Checks of attribution: what the owner gives beside the events can be used."""

import dagster as dg

from event_assets.contract.tables.attribution import CHANNEL_PERFORMANCE
from event_assets.defs.checks.telling import told
from event_assets.defs.resources.rules import RulesResource
from event_assets.pipeline.spend import SpendError


@dg.asset_check(asset=CHANNEL_PERFORMANCE.name, description="The spend file, if one is named, can be used.")
def spend_file_is_usable(rules: RulesResource) -> dg.AssetCheckResult:
    """Warns with file, line and rule. Until the file is mended the table stands as it is."""
    spend = rules.spend
    try:
        rows = len(spend.read().rows) if spend else 0
    except SpendError as error:
        warned = dg.AssetCheckSeverity.WARN
        return told(dg.AssetCheckResult(passed=False, severity=warned, metadata={"fault": str(error)}))
    return told(dg.AssetCheckResult(passed=True, metadata={"days_and_channel_groups": rows}))


ATTRIBUTION_CHECKS = [spend_file_is_usable]
"""Every check of attribution."""
