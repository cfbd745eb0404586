"""The date of an instant by the clock of its app's site. Days begin at its midnight, and have 23 or 25 hours where its
clock is put on or back."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from event_assets.contract.site_zones import UTC, SiteZones


def site_date(instant: Column, app_id: Column, zones: SiteZones) -> Column:
    """The date of an instant by the zone of the app; of an app that has none of its own, and without one, by the
    default. Engines' sessions are in UTC."""
    date = _date_in(instant, zones.default)
    for zone, apps in zones.apps_of().items():
        date = F.when(app_id.isin(apps), _date_in(instant, zone)).otherwise(date)
    return date


def site_day() -> Column:
    """The site's date of rows that are laid out by UTC days. Those of before it was kept were made in UTC."""
    return F.coalesce(F.col("site_date"), F.col("event_date"))


def _date_in(instant: Column, zone: str) -> Column:
    return F.to_date(instant if zone == UTC else F.from_utc_timestamp(instant, zone))
