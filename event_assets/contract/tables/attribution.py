"""Where people came from, and what came of it."""

from __future__ import annotations

from dataclasses import replace

from event_assets.contract.tables.events import EVENT_DATE, SITE_DATE
from event_assets.contract.tables.schema import Column, InWarehouse, Table, required

TOUCHES = Table(
    "touches",
    "Where people's sessions came from: one row a session, its own source and the last that was not direct. Robots are "
    "left out.",
    (
        required("person_id", "string", "The person whose session it is.", pii=True),
        required("session_id", "string", "The session.", pii=True),
        required("at", "timestamp", "Its first view; where it has none, its beginning."),
        required(
            "has_page_view",
            "boolean",
            "It has a view of a page or a screen.",
            definition="it is in page_views, or its sessions.page_views > 0, or it has an entry_url",
        ),
        Column("source", "string", "Source of the session."),
        Column("medium", "string", "Medium of the session."),
        Column("campaign", "string", "Campaign of the session."),
        Column("channel_group", "string", "Channel group of the session."),
        Column(
            "last_source",
            "string",
            "Source of the person's last session that was not direct; where there is none, of the session itself.",
            definition="of the latest of the person's sessions up to this one, this included, whose channel_group is "
            "neither unknown nor Direct nor Internal, if it is at most 30 days (a setting) before",
        ),
        Column("last_medium", "string", "Medium of the same."),
        Column("last_campaign", "string", "Campaign of the same."),
        Column("last_channel_group", "string", "Channel group of the same."),
        Column(
            "is_touch",
            "boolean",
            "It is a touch in conversion paths. What only a server says is no visit.",
            definition="has_page_view, or its sessions.platform is not server",
        ),
    ),
    key=("session_id",),
    clustered_by="person_id",
    warehouse=InWarehouse("fct_touches", dist_key="person_id", sort_key=("at",)),
)


CONVERSIONS = Table(
    "conversions",
    "Conversions by person, robots left out; of events that tell of the same one (conversion_ids) the first.",
    (
        EVENT_DATE,
        required("event_id", "string", "The event."),
        required("event", "string", "Its name."),
        required("at", "timestamp", "When it happened."),
        required("person_id", "string", "The person who converted.", pii=True),
        Column("anonymous_id", "string", "Id of the device or browser.", pii=True),
        Column("user_id", "string", "Id of the signed-in user.", pii=True),
        required("revenue", "double", "`revenue_reporting` of the event; 0 where it has none."),
        SITE_DATE,
    ),
    key=("event_id",),
    clustered_by="person_id",
    warehouse=InWarehouse(
        "fct_conversions", dist_key="person_id", sort_key=("at",), sums=("revenue",), indexes=("person_id",)
    ),
)

CONVERSION_PATHS = Table(
    "conversion_paths",
    "Which channels led to each conversion, and the paths of people who never converted.",
    (
        required("event_date", "date", "UTC date of `at`."),
        required("person_id", "string", "The person.", pii=True),
        required("event_id", "string", "The conversion event; empty for the path of a person who never converted."),
        required("at", "timestamp", "The conversion; without one, the last touch."),
        required(
            "touches",
            "long",
            "Touches in the look-back, equal neighbours counted each.",
            definition="the person's sessions that are touches (is_touch) at most 30 days (a setting) before at, ends "
            "included",
        ),
        Column(
            "path",
            "string",
            "Their channel groups in order with ` > ` between, equal neighbours once; null where there is no touch.",
            definition="of the last 1,000 touches; Unassigned where the channel group is not known",
        ),
        Column(
            "touched_before",
            "string",
            "How long before `at` each channel group of the path was touched, of equal neighbours the first, as a JSON "
            "list.",
            unit="microseconds",
        ),
        required("conversions", "long", "1, or 0 for the path of a person who never converted."),
        required("revenue", "double", "Revenue of the conversion."),
        replace(SITE_DATE, description=f"{SITE_DATE.description} Null without a conversion."),
    ),
    key=("person_id", "event_id"),
    clustered_by="person_id",
    warehouse=InWarehouse(
        "fct_conversion_paths", dist_key="person_id", sort_key=("at",), sums=("touches", "conversions", "revenue")
    ),
)

ATTRIBUTION = Table(
    "attribution",
    "What each channel group is credited with by each attribution model. Conversions without a touch are in none.",
    (
        required("model", "string", "first, last, linear, position, time_decay or data_driven."),
        required("channel_group", "string", "Channel group of the touches."),
        required(
            "conversions",
            "double",
            "Conversions credited to it, in shares.",
            definition="first, last: 1 to that touch; linear: the same to each; position: 0.4 to first and last each, "
            "0.2 to those between (of two, 0.5 each); time_decay: 2^(-days before / 7); data_driven: max(p(path) - "
            "p(path without the touch), 0), all 0: the last touch, with p = conversions / paths; each path sums to 1",
        ),
        required("revenue", "double", "Revenue credited to it.", definition="by the same shares"),
    ),
    key=("model", "channel_group"),
    warehouse=InWarehouse("agg_attribution", sort_key=("model",), sums=("conversions", "revenue")),
)

CHANNEL_PERFORMANCE = Table(
    "channel_performance",
    "The same by day of conversion, beside what was spent on the day: return on spend and cost of a conversion.",
    (
        required("event_date", "date", "Day of the conversion, by the clock of the site (see EVENT_ASSETS_TIME_ZONE)."),
        required("model", "string", "first, last, linear, position, time_decay or data_driven."),
        required("channel_group", "string", "Channel group of the touches."),
        required("conversions", "double", "Conversions credited to it, in shares."),
        required("revenue", "double", "Revenue credited to it."),
        Column("spend", "double", "What was spent on the channel group on the day; null where no spend is known."),
        Column("currency", "string", "Currency of the spend, ISO 4217."),
        Column("roas", "double", "Return on ad spend; null without spend.", definition="revenue / spend"),
        Column("cpa", "double", "Cost of a conversion; null without any.", definition="spend / conversions"),
    ),
    key=("event_date", "model", "channel_group"),
    warehouse=InWarehouse(
        "agg_channel_performance", sort_key=("event_date",), sums=("conversions", "revenue", "spend")
    ),
)

TABLES: tuple[Table, ...] = (
    TOUCHES,
    CONVERSIONS,
    CONVERSION_PATHS,
    ATTRIBUTION,
    CHANNEL_PERFORMANCE,
)
