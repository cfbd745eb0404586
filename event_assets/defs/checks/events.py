"""Checks of the events: ids once, the ledger, and what should make somebody look."""

import datetime as dt
import json
from typing import Any

import dagster as dg
from dagster_pyspark import LazyPySparkResource
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from event_assets.contract.plan import TrackingPlan
from event_assets.contract.tables.events import CLEAN_EVENTS, ENRICHED_EVENTS, EVENT_LEDGER
from event_assets.defs.assets.materialising import window_of
from event_assets.defs.checks.telling import told
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.rules import RulesResource
from event_assets.lake.lake import Lake
from event_assets.pipeline.pending_days import BY_ARRIVAL, BY_EVENT_DATE, pending
from event_assets.pipeline.window import Window
from event_assets.telemetry.metrics import UNBALANCED_HOURS
from event_assets.transforms.affected import is_one_of

MOST_QUARANTINED = 0.01
"""Share of quarantined events from which the check warns."""
VOLUME_CHANGE = 0.5
"""An hour with less than this share of the hour a day before warns, and one with more than its inverse."""
LEAST_EVENTS = 100
"""Hours with fewer events than this, now and a day before, are not compared."""
STALE_AFTER = dt.timedelta(minutes=15)
"""A day that has been behind for so long warns."""
PAST_STALE_AFTER = dt.timedelta(hours=3)
"""The same for days further back than a client may date, which have their turn every hour."""


@dg.asset_check(asset=EVENT_LEDGER.name, blocking=True, description="For every hour the ledger balances.")
def books_balance(lake: LakeResource) -> dg.AssetCheckResult:
    """Opens no file of which the log says that every hour in it balances: of a ledger of years, next to none."""
    ledger = lake.open().table(EVENT_LEDGER.name).snapshot()
    doubtful = ledger.arrow(ledger.select("balanced", False, False)).to_pylist()
    faults = [row for row in doubtful if not row["balanced"]]
    result = dg.AssetCheckResult(
        passed=not faults,
        metadata={"hours": ledger.rows, "unbalanced": dg.MetadataValue.json([_text(f) for f in faults[:20]])},
        description=f"{len(faults)} of {ledger.rows} hours do not balance." if faults else "Every hour balances.",
    )
    return told(result, UNBALANCED_HOURS, len(faults))


@dg.asset_check(asset=ENRICHED_EVENTS.name, blocking=True, description="Every event_id counts once.")
def event_ids_are_unique(
    context: dg.AssetCheckExecutionContext, lake: LakeResource, spark: LazyPySparkResource
) -> dg.AssetCheckResult:
    repeated = repeated_ids(spark.spark_session, lake.open(), window_of(context))
    shown = {"repeated_ids": dg.MetadataValue.json(repeated)}
    return told(dg.AssetCheckResult(passed=not repeated, metadata=shown))


def repeated_ids(spark: SparkSession, lake: Lake, window: Window) -> list[str]:
    """Ids that count more than once on these days; twenty at the most."""
    enriched = lake.table(ENRICHED_EVENTS.name).snapshot()
    rows = enriched.read(spark, enriched.of_dates(window.among(enriched.dates())))
    repeated = rows.groupBy("event_id").count().where("count > 1").orderBy("event_id").limit(20).collect()
    return [row["event_id"] for row in repeated]


@dg.asset_check(asset=EVENT_LEDGER.name, description="At most 1 % of the last day's events are quarantined.")
def few_events_are_quarantined(lake: LakeResource) -> dg.AssetCheckResult:
    recent = _recent(lake.open(), hours=24)
    landed = sum(row["landed"] for row in recent)
    share = sum(row["quarantined"] for row in recent) / landed if landed else 0.0
    reasons: dict[str, int] = {}
    for row in recent:
        for reason, count in json.loads(row["quarantined_by_reason"]).items():
            reasons[reason] = reasons.get(reason, 0) + count
    return _warning(
        share <= MOST_QUARANTINED,
        f"{share:.2%} of {landed} events are quarantined.",
        {"share": share, "landed": landed, "by_reason": dg.MetadataValue.json(reasons)},
    )


@dg.asset_check(asset=EVENT_LEDGER.name, description="Whole hours hold about as many events as the hour a day before.")
def volume_is_as_usual(lake: LakeResource) -> dg.AssetCheckResult:
    landed = {_hour(row): row["landed"] for row in _recent(lake.open(), hours=49)}
    this_hour = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
    odd = []
    for hour in (this_hour - dt.timedelta(hours=n) for n in range(1, 25)):
        now, before = landed.get(hour, 0), landed.get(hour - dt.timedelta(days=1), 0)
        is_odd = not VOLUME_CHANGE <= now / max(before, 1) <= 1 / VOLUME_CHANGE
        if before >= LEAST_EVENTS and is_odd:
            odd.append({"hour": hour.isoformat(), "events": now, "a day before": before})
    return _warning(not odd, f"{len(odd)} of the last 24 hours are unusual.", {"hours": dg.MetadataValue.json(odd)})


@dg.asset_check(asset=CLEAN_EVENTS.name, description="Every event of the last day is in the tracking plan.")
def events_are_in_the_plan(
    context: dg.AssetCheckExecutionContext, lake: LakeResource, spark: LazyPySparkResource, rules: RulesResource
) -> dg.AssetCheckResult:
    counts = unknown_events(spark.spark_session, lake.open(), window_of(context), rules.plan)
    return _warning(not counts, f"{len(counts)} event names are unknown.", {"events": dg.MetadataValue.json(counts)})


def unknown_events(spark: SparkSession, lake: Lake, window: Window, plan: TrackingPlan) -> dict[str, int]:
    """How many events of each name that the plan does not have came on the last of these days; of fifty names at the
    most."""
    clean = lake.table(CLEAN_EVENTS.name).snapshot()
    days = window.among(clean.dates())[-1:]
    rows = clean.read(spark, clean.of_dates(days)).where(F.col("plan_violations").isNotNull())
    unknown = rows.where(~is_one_of("event", sorted(plan.events)))
    return {row["event"]: row["count"] for row in unknown.groupBy("event").count().limit(50).collect()}


@dg.asset_check(
    asset=ENRICHED_EVENTS.name,
    description="No day has been behind for over a quarter of an hour; none that is long past for over three hours.",
)
def days_are_fresh(lake: LakeResource, rules: RulesResource) -> dg.AssetCheckResult:
    behind = pending(lake.open(), (*BY_ARRIVAL, *BY_EVENT_DATE))
    now = dt.datetime.now(dt.UTC)
    past = str(now.date() - dt.timedelta(days=rules.backdate_days))
    stale = {
        day: f"behind since {since:%Y-%m-%d %H:%M}: {', '.join(behind.days[day])}"
        for day, since in sorted(behind.since().items(), reverse=True)
        if now - since > (STALE_AFTER if day >= past else PAST_STALE_AFTER)
    }
    return _warning(
        not stale and not behind.unreadable,
        f"{len(behind.days)} days are behind, {len(stale)} of them for too long.",
        {
            "days": dg.MetadataValue.json(dict(list(stale.items())[:50])),
            "unreadable": dg.MetadataValue.json(behind.unreadable),
        },
    )


def _recent(lake: Lake, hours: int) -> list[dict[str, Any]]:
    """The last hours of the ledger; files of earlier days of arrival are not opened."""
    since = dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)
    ledger = lake.table(EVENT_LEDGER.name).snapshot()
    files = ledger.of_dates(date for date in ledger.dates() if date >= str(since.date()))
    return [row for row in ledger.arrow(files).to_pylist() if _hour(row) >= since]


def _hour(row: dict[str, Any]) -> dt.datetime:
    return dt.datetime.combine(row["arrival_date"], dt.time(row["arrival_hour"]), dt.UTC)


def _text(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "arrival_date": str(row["arrival_date"])}


def _warning(passed: bool, description: str, metadata: dict[str, Any]) -> dg.AssetCheckResult:
    severity = dg.AssetCheckSeverity.WARN
    return told(dg.AssetCheckResult(passed=passed, severity=severity, description=description, metadata=metadata))


EVENT_CHECKS = [
    books_balance,
    event_ids_are_unique,
    few_events_are_quarantined,
    volume_is_as_usual,
    events_are_in_the_plan,
    days_are_fresh,
]
