"""What sessions, views and days are grouped by: the dimensions of a star schema around `fct_sessions` and the others.

A key is the MD5 of the columns that it is of, `(none)` where there is none, each after its length in characters and a
colon (`4:page5:/blog`): it is the same for ever, and whoever has these columns can tell it.
"""

from __future__ import annotations

from event_assets.contract.tables.schema import Column, InWarehouse, Table, required

_KINDS = "desktop, mobile, tablet, bot or other; (none) where it is not known."


def _key(*columns: str) -> str:
    return f"MD5 of {', '.join(columns)}, each after its length in characters and a colon, (none) where there is none"


DATES = Table(
    "dates",
    "One row a day of the calendar years that there are events of.",
    (
        required("date", "date", "The day."),
        required("year", "int", "Calendar year."),
        required("quarter", "int", "Quarter of the year, from 1."),
        required("month", "int", "Month of the year, from 1."),
        required("day", "int", "Day of the month, from 1."),
        required("day_of_week", "int", "Day of the week: 1 is Monday, 7 Sunday."),
        required("week", "int", "Week of week_year, from 1 (ISO 8601)."),
        required("week_year", "int", "Year that the week belongs to: that of its Thursday."),
        required("week_start", "date", "Monday of the week."),
        required("month_start", "date", "First day of the month."),
        required("is_weekend", "boolean", "Saturday or Sunday."),
    ),
    key=("date",),
    warehouse=InWarehouse("dim_date", sort_key=("date",), sums=("day", "day_of_week")),
)

PAGES = Table(
    "pages",
    "One row a page or screen.",
    (
        required("page_key", "string", "Key.", definition=_key("kind", "page")),
        required("kind", "string", "page or screen; (none) where it is not known."),
        required("page", "string", "Path of the page, else name of the screen; (none) where there is neither."),
        required("section", "string", "First part of the path, such as /blog; of a screen, and of /, the page itself."),
        Column("title", "string", "Title of its last view that has one."),
    ),
    key=("page_key",),
    clustered_by="page",
    warehouse=InWarehouse("dim_page", sort_key=("page",)),
)

CAMPAIGNS = Table(
    "campaigns",
    "One row a combination of source, medium, campaign and channel group that sessions came by.",
    (
        required("campaign_key", "string", "Key.", definition=_key("source", "medium", "campaign", "channel_group")),
        required("source", "string", "Source; (none) where there is none."),
        required("medium", "string", "Medium; (none) where there is none."),
        required("campaign", "string", "Campaign; (none) where there is none."),
        required("channel_group", "string", "Default channel group; (none) where it is not known."),
    ),
    key=("campaign_key",),
    clustered_by="campaign_key",
    warehouse=InWarehouse("dim_campaign", sort_key=("source", "medium")),
)

DEVICES = Table(
    "devices",
    "One row a combination of device type, operating system, browser and platform that sessions were of.",
    (
        required("device_key", "string", "Key.", definition=_key("device_type", "os", "browser", "platform")),
        required("device_type", "string", _KINDS),
        required("os", "string", "Operating system; (none) where it is not known."),
        required("browser", "string", "Browser; (none) where it is not known."),
        required("platform", "string", "web, ios, android, desktop, server, tv, console or iot."),
    ),
    key=("device_key",),
    clustered_by="device_key",
    warehouse=InWarehouse("dim_device", sort_key=("device_type", "os")),
)

PLACES = Table(
    "places",
    "One row a country that events came from, a region of it, a city of that.",
    (
        required("geo_key", "string", "Key.", definition=_key("country", "region", "city")),
        required("level", "string", "country, region or city: what the row is of."),
        required("country", "string", "Country, ISO 3166-1 alpha-2; (none) where it is not known."),
        required("region", "string", "Region; (none) of a country, and where it is not known."),
        required("city", "string", "City; (none) of a country or region."),
    ),
    key=("geo_key",),
    clustered_by="geo_key",
    warehouse=InWarehouse("dim_geo", sort_key=("country", "region")),
)

TABLES: tuple[Table, ...] = (DATES, PAGES, CAMPAIGNS, DEVICES, PLACES)
