"""Dictionary: what each metric and each table and column means, in the words of file and contract."""

from __future__ import annotations

from typing import Any

from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES, WarehouseTable
from event_assets.dashboards import sql
from event_assets.dashboards.cards import card, grid, table
from event_assets.dashboards.context import Context, View
from event_assets.dashboards.figures import Field, Figure
from event_assets.dashboards.formatter import Formatter
from event_assets.dashboards.markup import Node, element
from event_assets.embedded.record import read_record
from event_assets.warehouse.relation import comment_of


def view() -> View:
    """The page."""
    about = "What every metric, table and column means."
    return View("dictionary", "Dictionary", about, (), lambda context, selection: content(context))


def content(context: Context) -> Any:
    """Metrics, then tables."""
    dashboard = context.source.dashboard
    rows = [
        (
            metric.title,
            metric.description,
            sql.expression(dashboard, name).as_string(),
            dashboard.tables[metric.table].table,
        )
        for name, metric in dashboard.metrics.items()
    ]
    fields = (Field("title", "Metric"), Field("meaning", "Meaning"), Field("sql", "SQL"), Field("table", "Table"))
    metrics = Figure("Metrics", fields, rows, "As the dashboard file says; the SQL is what is asked.")
    lineage, formatter = _lineage(context), context.formatter
    tables = element("div", *(_table(each, lineage, formatter) for each in WAREHOUSE_TABLES), class_="tables")
    about = Figure("Tables of the warehouse", (), [("",)], "Open one to see its columns.")
    return grid(
        [
            card(metrics, table(metrics, formatter), formatter, has_table=False),
            card(about, tables, formatter, has_table=False),
        ]
    )


def _lineage(context: Context) -> str:
    """Where Dagster shows what a table is made of; empty where the visitor may be on another machine than it."""
    record = read_record(context.settings.home) if context.settings.dashboard_sign_in == "none" else None
    return f"{record.dagster_url}/assets/warehouse" if record else ""


def _table(each: WarehouseTable, lineage: str, formatter: Formatter) -> Node:
    from event_assets.pipeline.registry import step_of  # brings Spark along, which nothing else here needs

    columns = [(column.name, column.type, comment_of(column)) for column in each.specs()]
    fields = (Field("column", "Column"), Field("type", "Type"), Field("meaning", "Meaning"))
    made_of = ", ".join(upstream.name for upstream in step_of(each.lake).upstream)
    told = f"{each.description} Loaded from {each.lake.name}, which is made of {made_of}."
    href = f"{lineage}/{each.name}?view=lineage"
    link = [" ", element("a", "Its lineage", href=href, target="_blank", rel="noreferrer")] if lineage else []
    return element(
        "details",
        element("summary", element("code", each.name), f" {each.description}"),
        element("p", told, *link),
        table(Figure(each.name, fields, columns), formatter),
    )
