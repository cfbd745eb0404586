"""Writes docs/reference/metrics.md from the shipped dashboard: `python -m event_assets.dashboards.reference`."""

from __future__ import annotations

from pathlib import Path

from event_assets.dashboards import sql
from event_assets.rules.dashboard import dashboard_of

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
_HEAD = """# Metrics

<!-- Made by `python -m event_assets.dashboards.reference`; change `rules/dashboards/web_analytics.yaml` instead. -->

What the numbers of the [dashboards](../how-to/dashboards.md) mean: each is written once, in the file that pages,
tooltips, SQL and this page are made from. All are over a period, robots left out unless a filter says otherwise.

| metric | meaning | SQL | table |
|---|---|---|---|
"""


def reference() -> str:
    """The page, as Markdown."""
    dashboard = dashboard_of(Path(__file__).parents[1] / "rules" / "dashboards")
    rows = [
        f"| {metric.title} | {metric.description} | `{sql.expression(dashboard, name).as_string()}` | "
        f"[{dashboard.tables[metric.table].table}](tables.md#warehouse-{dashboard.tables[metric.table].table}) |"
        for name, metric in dashboard.metrics.items()
    ]
    return _HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
