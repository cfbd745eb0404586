"""When QuickSight's data sets are copied, where that is Dagster's to say: each day, at the time that is set."""

import dagster as dg

from event_assets.quicksight.installation import Installation


def ingestion_schedules(installation: Installation, data_sets: dg.AssetsDefinition) -> list[dg.ScheduleDefinition]:
    """The schedule that copies all data sets; none where QuickSight has schedules of its own."""
    if installation.refresh_by != "dagster":
        return []
    hour, minute = installation.refresh_at.split(":")
    return [
        dg.ScheduleDefinition(
            name="quicksight_daily",
            target=dg.AssetSelection.assets(data_sets),
            cron_schedule=f"{int(minute)} {int(hour)} * * *",
            execution_timezone="UTC",
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description="Copies the data sets to QuickSight's memory.",
        )
    ]
