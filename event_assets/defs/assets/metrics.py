"""The metrics of the dashboards, told by the asset of the table that each is over."""

import logging
from collections import defaultdict
from collections.abc import Mapping

import dagster as dg

from event_assets.rules.dashboard import Metric, Ratio, dashboard_of
from event_assets.rules.rule_files import RuleError
from event_assets.settings import Settings

_LOG = logging.getLogger(__name__)
_HEAD = "| metric | meaning | how |\n|---|---|---|\n"


def metrics_by_table(settings: Settings) -> Mapping[str, dg.MarkdownMetadataValue]:
    """By table of the warehouse the metrics that the dashboard file has of it; none of a file that cannot be used,
    which the dashboards' server says, too."""
    try:
        dashboard = dashboard_of(settings.dashboards)
    except RuleError as fault:
        _LOG.warning("no metrics: %s", fault)
        return {}
    lines: dict[str, list[str]] = defaultdict(list)
    for name, metric in dashboard.metrics.items():
        lines[dashboard.source_of(name).table].append(f"| {metric.title} | {metric.description} | {_how(metric)} |\n")
    return {table: dg.MetadataValue.md(_HEAD + "".join(of_table)) for table, of_table in lines.items()}


def _how(metric: Metric) -> str:
    if isinstance(metric, Ratio):
        return f"`{metric.numerator}` / `{metric.denominator}`"
    column = getattr(metric, "column", None)
    return metric.kind.replace("_", " ") + (f" of `{column}`" if column else "")
