"""Retention: which days are over, and what goes with them."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from event_assets.cli.console import AsJson, app, current_settings, faults_as_sentences, warehouse_url_of

if TYPE_CHECKING:
    from event_assets.privacy.expiring import RetentionRun

retention_app = typer.Typer(help="Retention: old days go when they may.", no_args_is_help=True)
app.add_typer(retention_app, name="retention")


@retention_app.command("plan")
def plan(as_json: AsJson = False) -> None:
    """Show what would go of each table now, and what the rest waits for. Nothing is changed."""
    with faults_as_sentences():
        _show(_run(is_plan=True), as_json)


@retention_app.command("apply")
def apply(as_json: AsJson = False) -> None:
    """Take the days away that are over: from the lake, its history and the warehouse. Doing it again does nothing."""
    with faults_as_sentences():
        _show(_run(is_plan=False), as_json)


def _run(*, is_plan: bool) -> RetentionRun:
    from event_assets.audit import audit_log
    from event_assets.defs.resources.lake import LakeResource
    from event_assets.lake.tombstones import ErasureRules
    from event_assets.privacy.alone import alone
    from event_assets.privacy.expiring import apply_retention, plan_retention
    from event_assets.rules.retention import read_retention
    from event_assets.warehouse.warehouse import Warehouse

    settings, now = current_settings(), dt.datetime.now(dt.UTC)
    retention, rules, lake = read_retention(settings.retention), ErasureRules.of(settings), LakeResource.of(settings)
    with warehouse_url_of(settings) as url:
        warehouse = Warehouse.from_settings(settings, url) if url else None
        if is_plan:
            return plan_retention(lake.open(), retention, rules, now, warehouse)
        with alone(settings.home.absolute() / "privacy.lock"):
            return apply_retention(lake.open(), retention, rules, now, warehouse, audit_log(settings))


def _show(run: RetentionRun, as_json: bool) -> None:
    from event_assets.stack import display

    if as_json:
        typer.echo(json.dumps(asdict(run)))
        return
    rows = [
        {
            "table": each.table,
            "keeps from": each.horizon,
            "days": each.days,
            "rows": each.rows,
            "held": each.held_rows,
            "waits for": "; ".join(each.waits[:3]),
        }
        for each in run.tables.values()
    ]
    display.show_rows(rows, empty="No table has days that are over.")
