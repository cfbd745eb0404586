"""Real time where the warehouse has no events to show."""

from __future__ import annotations

import dataclasses
import json

from event_assets.dashboards.figures import figure_of
from event_assets.dashboards.pages import realtime
from event_assets.dashboards.selection import Selection
from event_assets.rules.dashboard import Count, Source, Visual
from event_assets_tests.dashboards.conftest import NOW, Site


def test_it_says_what_it_needs_where_the_warehouse_has_no_single_events(site: Site) -> None:
    without = site.context.settings.model_copy(update={"warehouse_events": "none"})
    shown = realtime.view().make(dataclasses.replace(site.context, settings=without), Selection())
    assert "EVENT_ASSETS_WAREHOUSE_EVENTS" in json.dumps(shown.to_plotly_json(), default=str)
    assert "realtime-tick" in str(realtime.view().make(site.context, Selection()))


def test_a_metric_over_single_events_says_which_of_them_there_are(site: Site) -> None:
    source = site.context.source
    views = Count(kind="count", table="views", title="Views", description="Views.")
    dashboard = source.dashboard.model_copy(
        update={
            "tables": {**source.dashboard.tables, "views": Source(table="fct_page_views", time="start_at")},
            "metrics": {**source.dashboard.metrics, "detail": views},
        }
    )

    def notes(metric: str, days: int | None, period: str) -> str:
        seen = dataclasses.replace(source, dashboard=dashboard, event_days=days, clock=lambda: NOW)
        return " ".join(figure_of(seen, Visual(kind="number", metric=metric), Selection(period)).notes)

    assert "last 28 days alone" in notes("detail", 28, "90d")
    assert notes("detail", 28, "28d") == notes("detail", None, "90d") == notes("sessions", 0, "90d") == ""
    assert "is none" in notes("detail", 0, "today")
