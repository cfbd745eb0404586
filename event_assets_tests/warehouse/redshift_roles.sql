CREATE TABLE IF NOT EXISTS "analytics"."_pseudonyms" ("key" varchar(65535) NOT NULL);

INSERT INTO "analytics"."_pseudonyms" (key) SELECT 'the-key-of-the-pseudonyms' WHERE NOT EXISTS (SELECT 1 FROM "analytics"."_pseudonyms");

CREATE ROLE "analytics_limited";

CREATE SCHEMA IF NOT EXISTS "analytics_limited";

CREATE VIEW "analytics_limited"."fct_events" AS
SELECT
  "event_date",
  "event_id",
  "event",
  "schema_version",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "anonymous_id", 256) AS "anonymous_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "user_id", 256) AS "user_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "session_id", 256) AS "session_id",
  "page_view_id",
  "group_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "install_id", 256) AS "install_id",
  "sequence",
  "occurred_at",
  "sent_at",
  "received_at",
  "derived_at",
  "platform",
  "app_id",
  "app_version",
  "app_build",
  "screen_name",
  "screen_width",
  "screen_height",
  "viewport_width",
  "viewport_height",
  "document_width",
  "document_height",
  "scroll_x_max",
  "scroll_y_max",
  "campaign_source",
  "campaign_medium",
  "campaign_name",
  "campaign_term",
  "campaign_content",
  "device_model",
  "device_os",
  "device_os_version",
  "device_locale",
  "device_timezone",
  "device_manufacturer",
  "device_ad_tracking",
  "consent_analytics",
  "consent_marketing",
  "consent_personalisation",
  "consent_sell_or_share",
  "consent_gpc",
  "consent_source",
  "consent_text_version",
  "library_name",
  "library_version",
  "arrival_date",
  "arrival_hour",
  "country",
  "page_host",
  "page_path",
  "browser",
  "browser_version",
  "os",
  "os_version",
  "device_type",
  "is_bot",
  "bot_reason",
  "referrer_host",
  "referrer_medium",
  "referrer_source",
  "source",
  "medium",
  "campaign",
  "term",
  "content",
  "channel_group",
  "asn",
  "as_organization",
  "revenue",
  "currency",
  "revenue_reporting",
  "lcp_ms",
  "inp_ms",
  "fid_ms",
  "cls",
  "site_date",
  "loaded_at"
FROM "analytics"."fct_events"
WHERE "app_id" IN ('shop') AND "country" IN ('DE', 'it''s');

CREATE VIEW "analytics_limited"."fct_page_views" AS
SELECT
  "event_date",
  "page_view_id",
  "event_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "session_id", 256) AS "session_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "anonymous_id", 256) AS "anonymous_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "user_id", 256) AS "user_id",
  "start_at",
  "end_at",
  "engaged_seconds",
  "absolute_seconds",
  "scroll_percent",
  "index_in_session",
  "views_in_session",
  "path",
  "channel_group",
  "device_type",
  "is_bot",
  "kind",
  "screen_name",
  "platform",
  "app_id",
  "country",
  "page_key",
  "geo_key",
  "site_date",
  "loaded_at"
FROM "analytics"."fct_page_views"
WHERE "app_id" IN ('shop') AND "country" IN ('DE', 'it''s');

CREATE VIEW "analytics_limited"."fct_sessions" AS
SELECT
  "event_date",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "session_id", 256) AS "session_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "anonymous_id", 256) AS "anonymous_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "user_id", 256) AS "user_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "stitched_user_id", 256) AS "stitched_user_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "person_id", 256) AS "person_id",
  "start_at",
  "end_at",
  "events",
  "page_views",
  "engaged_seconds",
  "absolute_seconds",
  "is_engaged",
  "is_bounce",
  "is_cut",
  "source",
  "medium",
  "campaign",
  "channel_group",
  "browser",
  "os",
  "device_type",
  "platform",
  "is_bot",
  "conversions",
  "revenue",
  "sequence_gaps",
  "landing_page",
  "exit_page",
  "app_id",
  "country",
  "language",
  "campaign_key",
  "device_key",
  "geo_key",
  "site_date",
  "loaded_at"
FROM "analytics"."fct_sessions"
WHERE "app_id" IN ('shop') AND "country" IN ('DE', 'it''s');

CREATE VIEW "analytics_limited"."agg_daily_sessions" AS
SELECT
  "event_date",
  "site_date",
  "app_id",
  "platform",
  "country",
  "channel_group",
  "source",
  "medium",
  "campaign",
  "device_type",
  "is_bot",
  "sessions",
  "engaged_sessions",
  "bounces",
  "converting_sessions",
  "events",
  "page_views",
  "engaged_seconds",
  "conversions",
  "revenue",
  "loaded_at"
FROM "analytics"."agg_daily_sessions"
WHERE "app_id" IN ('shop') AND "country" IN ('DE', 'it''s');

CREATE VIEW "analytics_limited"."agg_daily_events" AS
SELECT
  "event_date",
  "site_date",
  "event",
  "app_id",
  "platform",
  "country",
  "device_type",
  "is_bot",
  "events",
  "conversions",
  "revenue",
  "loaded_at"
FROM "analytics"."agg_daily_events"
WHERE "app_id" IN ('shop') AND "country" IN ('DE', 'it''s');

CREATE VIEW "analytics_limited"."agg_daily_pages" AS
SELECT
  "event_date",
  "site_date",
  "page",
  "kind",
  "app_id",
  "platform",
  "country",
  "channel_group",
  "device_type",
  "is_bot",
  "views",
  "entries",
  "exits",
  "engaged_seconds",
  "scrolled_views",
  "scroll_percent",
  "loaded_at"
FROM "analytics"."agg_daily_pages"
WHERE "app_id" IN ('shop') AND "country" IN ('DE', 'it''s');

CREATE VIEW "analytics_limited"."dim_date" AS
SELECT
  "date",
  "year",
  "quarter",
  "month",
  "day",
  "day_of_week",
  "week",
  "week_year",
  "week_start",
  "month_start",
  "is_weekend",
  "loaded_at"
FROM "analytics"."dim_date";

CREATE OR REPLACE VIEW "analytics_limited"."bi_events" AS
SELECT
  "fct_events"."event_date" AS "event_date",
  "fct_events"."event_id" AS "event_id",
  "fct_events"."event" AS "event",
  "fct_events"."schema_version" AS "schema_version",
  "fct_events"."anonymous_id" AS "anonymous_id",
  "fct_events"."user_id" AS "user_id",
  "fct_events"."session_id" AS "session_id",
  "fct_events"."page_view_id" AS "page_view_id",
  "fct_events"."group_id" AS "group_id",
  "fct_events"."install_id" AS "install_id",
  "fct_events"."sequence" AS "sequence",
  "fct_events"."occurred_at" AS "occurred_at",
  "fct_events"."sent_at" AS "sent_at",
  "fct_events"."received_at" AS "received_at",
  "fct_events"."derived_at" AS "derived_at",
  "fct_events"."platform" AS "platform",
  "fct_events"."app_id" AS "app_id",
  "fct_events"."app_version" AS "app_version",
  "fct_events"."app_build" AS "app_build",
  "fct_events"."screen_name" AS "screen_name",
  "fct_events"."screen_width" AS "screen_width",
  "fct_events"."screen_height" AS "screen_height",
  "fct_events"."viewport_width" AS "viewport_width",
  "fct_events"."viewport_height" AS "viewport_height",
  "fct_events"."document_width" AS "document_width",
  "fct_events"."document_height" AS "document_height",
  "fct_events"."scroll_x_max" AS "scroll_x_max",
  "fct_events"."scroll_y_max" AS "scroll_y_max",
  "fct_events"."campaign_source" AS "campaign_source",
  "fct_events"."campaign_medium" AS "campaign_medium",
  "fct_events"."campaign_name" AS "campaign_name",
  "fct_events"."campaign_term" AS "campaign_term",
  "fct_events"."campaign_content" AS "campaign_content",
  "fct_events"."device_model" AS "device_model",
  "fct_events"."device_os" AS "device_os",
  "fct_events"."device_os_version" AS "device_os_version",
  "fct_events"."device_locale" AS "device_locale",
  "fct_events"."device_timezone" AS "device_timezone",
  "fct_events"."device_manufacturer" AS "device_manufacturer",
  "fct_events"."device_ad_tracking" AS "device_ad_tracking",
  "fct_events"."consent_analytics" AS "consent_analytics",
  "fct_events"."consent_marketing" AS "consent_marketing",
  "fct_events"."consent_personalisation" AS "consent_personalisation",
  "fct_events"."consent_sell_or_share" AS "consent_sell_or_share",
  "fct_events"."consent_gpc" AS "consent_gpc",
  "fct_events"."consent_source" AS "consent_source",
  "fct_events"."consent_text_version" AS "consent_text_version",
  "fct_events"."library_name" AS "library_name",
  "fct_events"."library_version" AS "library_version",
  "fct_events"."arrival_date" AS "arrival_date",
  "fct_events"."arrival_hour" AS "arrival_hour",
  "fct_events"."country" AS "country",
  "fct_events"."page_host" AS "page_host",
  "fct_events"."page_path" AS "page_path",
  "fct_events"."browser" AS "browser",
  "fct_events"."browser_version" AS "browser_version",
  "fct_events"."os" AS "os",
  "fct_events"."os_version" AS "os_version",
  "fct_events"."device_type" AS "device_type",
  "fct_events"."is_bot" AS "is_bot",
  "fct_events"."bot_reason" AS "bot_reason",
  "fct_events"."referrer_host" AS "referrer_host",
  "fct_events"."referrer_medium" AS "referrer_medium",
  "fct_events"."referrer_source" AS "referrer_source",
  "fct_events"."source" AS "source",
  "fct_events"."medium" AS "medium",
  "fct_events"."campaign" AS "campaign",
  "fct_events"."term" AS "term",
  "fct_events"."content" AS "content",
  "fct_events"."channel_group" AS "channel_group",
  "fct_events"."asn" AS "asn",
  "fct_events"."as_organization" AS "as_organization",
  "fct_events"."revenue" AS "revenue",
  "fct_events"."currency" AS "currency",
  "fct_events"."revenue_reporting" AS "revenue_reporting",
  "fct_events"."lcp_ms" AS "lcp_ms",
  "fct_events"."inp_ms" AS "inp_ms",
  "fct_events"."fid_ms" AS "fid_ms",
  "fct_events"."cls" AS "cls",
  "fct_events"."site_date" AS "site_date",
  "dim_date"."year" AS "date_year",
  "dim_date"."quarter" AS "date_quarter",
  "dim_date"."month" AS "date_month",
  "dim_date"."day" AS "date_day",
  "dim_date"."day_of_week" AS "date_day_of_week",
  "dim_date"."week" AS "date_week",
  "dim_date"."week_year" AS "date_week_year",
  "dim_date"."week_start" AS "date_week_start",
  "dim_date"."month_start" AS "date_month_start",
  "dim_date"."is_weekend" AS "date_is_weekend"
FROM "analytics_limited"."fct_events"
LEFT JOIN (SELECT "date", max("year") AS "year", max("quarter") AS "quarter", max("month") AS "month", max("day") AS "day", max("day_of_week") AS "day_of_week", max("week") AS "week", max("week_year") AS "week_year", max("week_start") AS "week_start", max("month_start") AS "month_start", bool_or("is_weekend") AS "is_weekend" FROM "analytics_limited"."dim_date" GROUP BY "date") AS "dim_date" ON "dim_date"."date" = coalesce("fct_events"."site_date", "fct_events"."event_date");

CREATE OR REPLACE VIEW "analytics_limited"."bi_page_views" AS
SELECT
  "fct_page_views"."event_date" AS "event_date",
  "fct_page_views"."page_view_id" AS "page_view_id",
  "fct_page_views"."event_id" AS "event_id",
  "fct_page_views"."session_id" AS "session_id",
  "fct_page_views"."anonymous_id" AS "anonymous_id",
  "fct_page_views"."user_id" AS "user_id",
  "fct_page_views"."start_at" AS "start_at",
  "fct_page_views"."end_at" AS "end_at",
  "fct_page_views"."engaged_seconds" AS "engaged_seconds",
  "fct_page_views"."absolute_seconds" AS "absolute_seconds",
  "fct_page_views"."scroll_percent" AS "scroll_percent",
  "fct_page_views"."index_in_session" AS "index_in_session",
  "fct_page_views"."views_in_session" AS "views_in_session",
  "fct_page_views"."path" AS "path",
  coalesce("fct_page_views"."channel_group", '(none)') AS "channel_group",
  coalesce("fct_page_views"."device_type", '(none)') AS "device_type",
  "fct_page_views"."is_bot" AS "is_bot",
  "fct_page_views"."kind" AS "kind",
  "fct_page_views"."screen_name" AS "screen_name",
  coalesce("fct_page_views"."platform", '(none)') AS "platform",
  coalesce("fct_page_views"."app_id", '(none)') AS "app_id",
  coalesce("fct_page_views"."country", '(none)') AS "country",
  "fct_page_views"."page_key" AS "page_key",
  "fct_page_views"."geo_key" AS "geo_key",
  "fct_page_views"."site_date" AS "site_date",
  "dim_date"."year" AS "date_year",
  "dim_date"."quarter" AS "date_quarter",
  "dim_date"."month" AS "date_month",
  "dim_date"."day" AS "date_day",
  "dim_date"."day_of_week" AS "date_day_of_week",
  "dim_date"."week" AS "date_week",
  "dim_date"."week_year" AS "date_week_year",
  "dim_date"."week_start" AS "date_week_start",
  "dim_date"."month_start" AS "date_month_start",
  "dim_date"."is_weekend" AS "date_is_weekend"
FROM "analytics_limited"."fct_page_views"
LEFT JOIN (SELECT "date", max("year") AS "year", max("quarter") AS "quarter", max("month") AS "month", max("day") AS "day", max("day_of_week") AS "day_of_week", max("week") AS "week", max("week_year") AS "week_year", max("week_start") AS "week_start", max("month_start") AS "month_start", bool_or("is_weekend") AS "is_weekend" FROM "analytics_limited"."dim_date" GROUP BY "date") AS "dim_date" ON "dim_date"."date" = coalesce("fct_page_views"."site_date", "fct_page_views"."event_date");

CREATE OR REPLACE VIEW "analytics_limited"."bi_sessions" AS
SELECT
  "fct_sessions"."event_date" AS "event_date",
  "fct_sessions"."session_id" AS "session_id",
  "fct_sessions"."anonymous_id" AS "anonymous_id",
  "fct_sessions"."user_id" AS "user_id",
  "fct_sessions"."stitched_user_id" AS "stitched_user_id",
  "fct_sessions"."person_id" AS "person_id",
  "fct_sessions"."start_at" AS "start_at",
  "fct_sessions"."end_at" AS "end_at",
  "fct_sessions"."events" AS "events",
  "fct_sessions"."page_views" AS "page_views",
  "fct_sessions"."engaged_seconds" AS "engaged_seconds",
  "fct_sessions"."absolute_seconds" AS "absolute_seconds",
  "fct_sessions"."is_engaged" AS "is_engaged",
  "fct_sessions"."is_bounce" AS "is_bounce",
  "fct_sessions"."is_cut" AS "is_cut",
  coalesce("fct_sessions"."source", '(none)') AS "source",
  coalesce("fct_sessions"."medium", '(none)') AS "medium",
  coalesce("fct_sessions"."campaign", '(none)') AS "campaign",
  coalesce("fct_sessions"."channel_group", '(none)') AS "channel_group",
  coalesce("fct_sessions"."browser", '(none)') AS "browser",
  coalesce("fct_sessions"."os", '(none)') AS "os",
  coalesce("fct_sessions"."device_type", '(none)') AS "device_type",
  coalesce("fct_sessions"."platform", '(none)') AS "platform",
  "fct_sessions"."is_bot" AS "is_bot",
  "fct_sessions"."conversions" AS "conversions",
  "fct_sessions"."revenue" AS "revenue",
  "fct_sessions"."sequence_gaps" AS "sequence_gaps",
  "fct_sessions"."landing_page" AS "landing_page",
  "fct_sessions"."exit_page" AS "exit_page",
  coalesce("fct_sessions"."app_id", '(none)') AS "app_id",
  coalesce("fct_sessions"."country", '(none)') AS "country",
  "fct_sessions"."language" AS "language",
  "fct_sessions"."campaign_key" AS "campaign_key",
  "fct_sessions"."device_key" AS "device_key",
  "fct_sessions"."geo_key" AS "geo_key",
  "fct_sessions"."site_date" AS "site_date",
  "dim_date"."year" AS "date_year",
  "dim_date"."quarter" AS "date_quarter",
  "dim_date"."month" AS "date_month",
  "dim_date"."day" AS "date_day",
  "dim_date"."day_of_week" AS "date_day_of_week",
  "dim_date"."week" AS "date_week",
  "dim_date"."week_year" AS "date_week_year",
  "dim_date"."week_start" AS "date_week_start",
  "dim_date"."month_start" AS "date_month_start",
  "dim_date"."is_weekend" AS "date_is_weekend"
FROM "analytics_limited"."fct_sessions"
LEFT JOIN (SELECT "date", max("year") AS "year", max("quarter") AS "quarter", max("month") AS "month", max("day") AS "day", max("day_of_week") AS "day_of_week", max("week") AS "week", max("week_year") AS "week_year", max("week_start") AS "week_start", max("month_start") AS "month_start", bool_or("is_weekend") AS "is_weekend" FROM "analytics_limited"."dim_date" GROUP BY "date") AS "dim_date" ON "dim_date"."date" = coalesce("fct_sessions"."site_date", "fct_sessions"."event_date");

CREATE VIEW "analytics_limited"."_loads" AS
SELECT
  "table_name",
  "partition_date",
  "lake_version",
  "lake_table",
  CAST(sign("rows") AS bigint) AS "rows",
  "loaded_at"
FROM "analytics"."_loads"
WHERE table_name IN ('fct_events', 'fct_page_views', 'fct_sessions', 'agg_daily_sessions', 'agg_daily_events', 'agg_daily_pages', 'dim_date');

GRANT USAGE ON SCHEMA "analytics_limited" TO ROLE "analytics_limited";

GRANT SELECT ON "analytics_limited"."_loads" TO ROLE "analytics_limited";

GRANT SELECT ON "analytics_limited"."agg_daily_events" TO ROLE "analytics_limited";

GRANT SELECT ON "analytics_limited"."agg_daily_pages" TO ROLE "analytics_limited";

GRANT SELECT ON "analytics_limited"."agg_daily_sessions" TO ROLE "analytics_limited";

GRANT SELECT ON "analytics_limited"."bi_events" TO ROLE "analytics_limited";

GRANT SELECT ON "analytics_limited"."bi_page_views" TO ROLE "analytics_limited";

GRANT SELECT ON "analytics_limited"."bi_sessions" TO ROLE "analytics_limited";

GRANT SELECT ON "analytics_limited"."dim_date" TO ROLE "analytics_limited";

GRANT SELECT ON "analytics_limited"."fct_events" TO ROLE "analytics_limited";

GRANT SELECT ON "analytics_limited"."fct_page_views" TO ROLE "analytics_limited";

GRANT SELECT ON "analytics_limited"."fct_sessions" TO ROLE "analytics_limited";

CREATE ROLE "analytics_analyst";

CREATE SCHEMA IF NOT EXISTS "analytics_analyst";

CREATE VIEW "analytics_analyst"."fct_events" AS
SELECT
  "event_date",
  "event_id",
  "event",
  "schema_version",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "anonymous_id", 256) AS "anonymous_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "user_id", 256) AS "user_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "session_id", 256) AS "session_id",
  "page_view_id",
  "group_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "install_id", 256) AS "install_id",
  "sequence",
  "occurred_at",
  "sent_at",
  "received_at",
  "derived_at",
  "platform",
  "app_id",
  "app_version",
  "app_build",
  "screen_name",
  "screen_width",
  "screen_height",
  "viewport_width",
  "viewport_height",
  "document_width",
  "document_height",
  "scroll_x_max",
  "scroll_y_max",
  "campaign_source",
  "campaign_medium",
  "campaign_name",
  "campaign_term",
  "campaign_content",
  "device_model",
  "device_os",
  "device_os_version",
  "device_locale",
  "device_timezone",
  "device_manufacturer",
  "device_ad_tracking",
  "consent_analytics",
  "consent_marketing",
  "consent_personalisation",
  "consent_sell_or_share",
  "consent_gpc",
  "consent_source",
  "consent_text_version",
  "library_name",
  "library_version",
  "arrival_date",
  "arrival_hour",
  "country",
  "page_host",
  "page_path",
  "browser",
  "browser_version",
  "os",
  "os_version",
  "device_type",
  "is_bot",
  "bot_reason",
  "referrer_host",
  "referrer_medium",
  "referrer_source",
  "source",
  "medium",
  "campaign",
  "term",
  "content",
  "channel_group",
  "asn",
  "as_organization",
  "revenue",
  "currency",
  "revenue_reporting",
  "lcp_ms",
  "inp_ms",
  "fid_ms",
  "cls",
  "site_date",
  "loaded_at"
FROM "analytics"."fct_events";

CREATE VIEW "analytics_analyst"."fct_page_views" AS
SELECT
  "event_date",
  "page_view_id",
  "event_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "session_id", 256) AS "session_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "anonymous_id", 256) AS "anonymous_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "user_id", 256) AS "user_id",
  "start_at",
  "end_at",
  "engaged_seconds",
  "absolute_seconds",
  "scroll_percent",
  "index_in_session",
  "views_in_session",
  "path",
  "channel_group",
  "device_type",
  "is_bot",
  "kind",
  "screen_name",
  "platform",
  "app_id",
  "country",
  "page_key",
  "geo_key",
  "site_date",
  "loaded_at"
FROM "analytics"."fct_page_views";

CREATE VIEW "analytics_analyst"."fct_sessions" AS
SELECT
  "event_date",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "session_id", 256) AS "session_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "anonymous_id", 256) AS "anonymous_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "user_id", 256) AS "user_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "stitched_user_id", 256) AS "stitched_user_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "person_id", 256) AS "person_id",
  "start_at",
  "end_at",
  "events",
  "page_views",
  "engaged_seconds",
  "absolute_seconds",
  "is_engaged",
  "is_bounce",
  "is_cut",
  "source",
  "medium",
  "campaign",
  "channel_group",
  "browser",
  "os",
  "device_type",
  "platform",
  "is_bot",
  "conversions",
  "revenue",
  "sequence_gaps",
  "landing_page",
  "exit_page",
  "app_id",
  "country",
  "language",
  "campaign_key",
  "device_key",
  "geo_key",
  "site_date",
  "loaded_at"
FROM "analytics"."fct_sessions";

CREATE VIEW "analytics_analyst"."fct_session_issues" AS
SELECT
  "event_date",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "session_id", 256) AS "session_id",
  "reason",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "anonymous_id", 256) AS "anonymous_id",
  "start_at",
  "end_at",
  "last_event_at",
  "events_after_cut",
  "loaded_at"
FROM "analytics"."fct_session_issues";

CREATE VIEW "analytics_analyst"."dim_visitors" AS
SELECT
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "anonymous_id", 256) AS "anonymous_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "user_id", 256) AS "user_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "stitched_user_id", 256) AS "stitched_user_id",
  "first_seen_at",
  "last_seen_at",
  "events",
  "sessions",
  "page_views",
  "engaged_seconds",
  "is_bot",
  "loaded_at"
FROM "analytics"."dim_visitors";

CREATE VIEW "analytics_analyst"."dim_users" AS
SELECT
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "person_id", 256) AS "person_id",
  "first_seen_at",
  "last_seen_at",
  "sessions",
  "events",
  "page_views",
  "conversions",
  "revenue",
  "source",
  "medium",
  "campaign",
  "channel_group",
  "consent_analytics",
  "consent_marketing",
  "consent_personalisation",
  "consent_sell_or_share",
  "consent_at",
  "is_bot",
  "loaded_at"
FROM "analytics"."dim_users";

CREATE VIEW "analytics_analyst"."dim_user_history" AS
SELECT
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "person_id", 256) AS "person_id",
  "valid_from",
  "valid_to",
  "is_current",
  "consent_analytics",
  "consent_marketing",
  "consent_personalisation",
  "consent_sell_or_share",
  "loaded_at"
FROM "analytics"."dim_user_history";

CREATE VIEW "analytics_analyst"."dim_consent_receipts" AS
SELECT
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "person_id", 256) AS "person_id",
  "purpose",
  "answered_at",
  "to_at",
  "is_current",
  "answer",
  "text_version",
  "source",
  "event",
  "event_id",
  "received_at",
  "loaded_at"
FROM "analytics"."dim_consent_receipts";

CREATE VIEW "analytics_analyst"."dim_outlier_visitors" AS
SELECT
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "anonymous_id", 256) AS "anonymous_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "person_id", 256) AS "person_id",
  "first_at",
  "last_at",
  "actions",
  "score",
  "is_outlier",
  "reason",
  "reasons",
  "why",
  "loaded_at"
FROM "analytics"."dim_outlier_visitors";

CREATE VIEW "analytics_analyst"."dim_group_members" AS
SELECT
  "group_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "person_id", 256) AS "person_id",
  "first_seen_at",
  "last_seen_at",
  "events",
  "loaded_at"
FROM "analytics"."dim_group_members";

CREATE VIEW "analytics_analyst"."dim_groups" AS
SELECT
  "group_id",
  "group_type",
  "first_seen_at",
  "last_seen_at",
  "events",
  "members",
  "loaded_at"
FROM "analytics"."dim_groups";

CREATE VIEW "analytics_analyst"."dim_person_attributes" AS
SELECT
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "person_id", 256) AS "person_id",
  "attribute",
  "source",
  "group_id",
  "loaded_at"
FROM "analytics"."dim_person_attributes";

CREATE VIEW "analytics_analyst"."dim_companies" AS
SELECT
  "group_id",
  "name",
  "plan",
  "status",
  "industry",
  "country",
  "mrr",
  "is_customer",
  "members",
  "first_seen_at",
  "last_seen_at",
  "channel_group",
  "source",
  "medium",
  "campaign",
  "loaded_at"
FROM "analytics"."dim_companies";

CREATE VIEW "analytics_analyst"."fct_touches" AS
SELECT
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "person_id", 256) AS "person_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "session_id", 256) AS "session_id",
  "at",
  "has_page_view",
  "source",
  "medium",
  "campaign",
  "channel_group",
  "last_source",
  "last_medium",
  "last_campaign",
  "last_channel_group",
  "is_touch",
  "loaded_at"
FROM "analytics"."fct_touches";

CREATE VIEW "analytics_analyst"."fct_conversions" AS
SELECT
  "event_date",
  "event_id",
  "event",
  "at",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "person_id", 256) AS "person_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "anonymous_id", 256) AS "anonymous_id",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "user_id", 256) AS "user_id",
  "revenue",
  "site_date",
  "loaded_at"
FROM "analytics"."fct_conversions";

CREATE VIEW "analytics_analyst"."fct_conversion_paths" AS
SELECT
  "event_date",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "person_id", 256) AS "person_id",
  "event_id",
  "at",
  "touches",
  "path",
  "touched_before",
  "conversions",
  "revenue",
  "site_date",
  "loaded_at"
FROM "analytics"."fct_conversion_paths";

CREATE VIEW "analytics_analyst"."agg_attribution" AS
SELECT
  "model",
  "channel_group",
  "conversions",
  "revenue",
  "loaded_at"
FROM "analytics"."agg_attribution";

CREATE VIEW "analytics_analyst"."agg_channel_performance" AS
SELECT
  "event_date",
  "model",
  "channel_group",
  "conversions",
  "revenue",
  "spend",
  "currency",
  "roas",
  "cpa",
  "loaded_at"
FROM "analytics"."agg_channel_performance";

CREATE VIEW "analytics_analyst"."dim_user_segments" AS
SELECT
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "person_id", 256) AS "person_id",
  "as_of",
  "recency_days",
  "frequency",
  "monetary",
  "r_score",
  "f_score",
  "m_score",
  "segment",
  "lifecycle_stage",
  "loaded_at"
FROM "analytics"."dim_user_segments";

CREATE VIEW "analytics_analyst"."dim_segment_memberships" AS
SELECT
  "segment",
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "person_id", 256) AS "person_id",
  "from_date",
  "to_date",
  "is_current",
  "loaded_at"
FROM "analytics"."dim_segment_memberships";

CREATE VIEW "analytics_analyst"."agg_trends" AS
SELECT
  "analysis",
  "span",
  "series",
  "letter",
  "measure",
  "series_name",
  "breakdown",
  "period_start",
  "value",
  "loaded_at"
FROM "analytics"."agg_trends";

CREATE VIEW "analytics_analyst"."agg_funnels" AS
SELECT
  "analysis",
  "breakdown",
  "step",
  "step_name",
  "people",
  "conversion",
  "step_conversion",
  "mean_seconds",
  "median_seconds",
  "loaded_at"
FROM "analytics"."agg_funnels";

CREATE VIEW "analytics_analyst"."agg_funnel_trends" AS
SELECT
  "analysis",
  "period_start",
  "people",
  "converted",
  "conversion",
  "loaded_at"
FROM "analytics"."agg_funnel_trends";

CREATE VIEW "analytics_analyst"."agg_times_to_convert" AS
SELECT
  "analysis",
  "bin",
  "from_seconds",
  "to_seconds",
  "people",
  "loaded_at"
FROM "analytics"."agg_times_to_convert";

CREATE VIEW "analytics_analyst"."agg_retention" AS
SELECT
  "analysis",
  "span",
  "breakdown",
  "cohort_start",
  "period",
  "people",
  "cohort_people",
  "share",
  "loaded_at"
FROM "analytics"."agg_retention";

CREATE VIEW "analytics_analyst"."agg_lifecycle" AS
SELECT
  "analysis",
  "span",
  "period_start",
  "status",
  "people",
  "loaded_at"
FROM "analytics"."agg_lifecycle";

CREATE VIEW "analytics_analyst"."agg_paths" AS
SELECT
  "analysis",
  "step",
  "from_node",
  "to_node",
  "transitions",
  "mean_seconds",
  "loaded_at"
FROM "analytics"."agg_paths";

CREATE VIEW "analytics_analyst"."agg_active_users" AS
SELECT
  "analysis",
  "span",
  "event_date",
  "dau",
  "wau",
  "mau",
  "stickiness",
  "loaded_at"
FROM "analytics"."agg_active_users";

CREATE VIEW "analytics_analyst"."agg_stickiness" AS
SELECT
  "analysis",
  "periods",
  "people",
  "share",
  "loaded_at"
FROM "analytics"."agg_stickiness";

CREATE VIEW "analytics_analyst"."agg_web_vitals" AS
SELECT
  "analysis",
  "page_path",
  "device_type",
  "views",
  "lcp_ms",
  "inp_ms",
  "fid_ms",
  "cls",
  "loaded_at"
FROM "analytics"."agg_web_vitals";

CREATE VIEW "analytics_analyst"."agg_daily" AS
SELECT
  "event_date",
  "site_date",
  "platform",
  "events",
  "page_views",
  "sessions",
  "visitors",
  "known_users",
  "engaged_sessions",
  "bounces",
  "engaged_seconds",
  "conversions",
  "revenue",
  "loaded_at"
FROM "analytics"."agg_daily";

CREATE VIEW "analytics_analyst"."agg_daily_sessions" AS
SELECT
  "event_date",
  "site_date",
  "app_id",
  "platform",
  "country",
  "channel_group",
  "source",
  "medium",
  "campaign",
  "device_type",
  "is_bot",
  "sessions",
  "engaged_sessions",
  "bounces",
  "converting_sessions",
  "events",
  "page_views",
  "engaged_seconds",
  "conversions",
  "revenue",
  "loaded_at"
FROM "analytics"."agg_daily_sessions";

CREATE VIEW "analytics_analyst"."agg_daily_events" AS
SELECT
  "event_date",
  "site_date",
  "event",
  "app_id",
  "platform",
  "country",
  "device_type",
  "is_bot",
  "events",
  "conversions",
  "revenue",
  "loaded_at"
FROM "analytics"."agg_daily_events";

CREATE VIEW "analytics_analyst"."agg_daily_pages" AS
SELECT
  "event_date",
  "site_date",
  "page",
  "kind",
  "app_id",
  "platform",
  "country",
  "channel_group",
  "device_type",
  "is_bot",
  "views",
  "entries",
  "exits",
  "engaged_seconds",
  "scrolled_views",
  "scroll_percent",
  "loaded_at"
FROM "analytics"."agg_daily_pages";

CREATE VIEW "analytics_analyst"."agg_period_people" AS
SELECT
  "period",
  "from_date",
  "to_date",
  "dimension",
  "value",
  "people",
  "loaded_at"
FROM "analytics"."agg_period_people";

CREATE VIEW "analytics_analyst"."dim_date" AS
SELECT
  "date",
  "year",
  "quarter",
  "month",
  "day",
  "day_of_week",
  "week",
  "week_year",
  "week_start",
  "month_start",
  "is_weekend",
  "loaded_at"
FROM "analytics"."dim_date";

CREATE VIEW "analytics_analyst"."dim_page" AS
SELECT
  "page_key",
  "kind",
  "page",
  "section",
  "loaded_at"
FROM "analytics"."dim_page";

CREATE VIEW "analytics_analyst"."dim_campaign" AS
SELECT
  "campaign_key",
  "source",
  "medium",
  "campaign",
  "channel_group",
  "loaded_at"
FROM "analytics"."dim_campaign";

CREATE VIEW "analytics_analyst"."dim_device" AS
SELECT
  "device_key",
  "device_type",
  "os",
  "browser",
  "platform",
  "loaded_at"
FROM "analytics"."dim_device";

CREATE VIEW "analytics_analyst"."dim_geo" AS
SELECT
  "geo_key",
  "level",
  "country",
  "region",
  "city",
  "loaded_at"
FROM "analytics"."dim_geo";

CREATE VIEW "analytics_analyst"."dim_person_features" AS
SELECT
  sha2((SELECT key FROM "analytics"."_pseudonyms") || "person_id", 256) AS "person_id",
  "from_date",
  "to_date",
  "loaded_at"
FROM "analytics"."dim_person_features";

CREATE VIEW "analytics_analyst"."dim_trained_models" AS
SELECT
  "name",
  "number",
  "version",
  "trained_to",
  "is_promoted",
  "why",
  "learned_from",
  "tried_on",
  "auc",
  "rule_auc",
  "card",
  "loaded_at"
FROM "analytics"."dim_trained_models";

CREATE VIEW "analytics_analyst"."agg_metric_anomalies" AS
SELECT
  "period",
  "period_start",
  "metric",
  "dimension",
  "value",
  "kind",
  "amount",
  "whole",
  "observed",
  "expected",
  "low",
  "high",
  "score",
  "window_periods",
  "probability",
  "state",
  "loaded_at"
FROM "analytics"."agg_metric_anomalies";

CREATE VIEW "analytics_analyst"."agg_metric_incidents" AS
SELECT
  "incident_id",
  "period",
  "metric",
  "dimension",
  "value",
  "from_date",
  "begins_at",
  "ends_at",
  "is_open",
  "direction",
  "periods",
  "series",
  "metrics",
  "worst_at",
  "observed",
  "expected",
  "score",
  "excess",
  "driver_dimension",
  "driver_value",
  "driver_share",
  "is_muted",
  "was_real",
  "what",
  "loaded_at"
FROM "analytics"."agg_metric_incidents";

CREATE OR REPLACE VIEW "analytics_analyst"."bi_events" AS
SELECT
  "fct_events"."event_date" AS "event_date",
  "fct_events"."event_id" AS "event_id",
  "fct_events"."event" AS "event",
  "fct_events"."schema_version" AS "schema_version",
  "fct_events"."anonymous_id" AS "anonymous_id",
  "fct_events"."user_id" AS "user_id",
  "fct_events"."session_id" AS "session_id",
  "fct_events"."page_view_id" AS "page_view_id",
  "fct_events"."group_id" AS "group_id",
  "fct_events"."install_id" AS "install_id",
  "fct_events"."sequence" AS "sequence",
  "fct_events"."occurred_at" AS "occurred_at",
  "fct_events"."sent_at" AS "sent_at",
  "fct_events"."received_at" AS "received_at",
  "fct_events"."derived_at" AS "derived_at",
  "fct_events"."platform" AS "platform",
  "fct_events"."app_id" AS "app_id",
  "fct_events"."app_version" AS "app_version",
  "fct_events"."app_build" AS "app_build",
  "fct_events"."screen_name" AS "screen_name",
  "fct_events"."screen_width" AS "screen_width",
  "fct_events"."screen_height" AS "screen_height",
  "fct_events"."viewport_width" AS "viewport_width",
  "fct_events"."viewport_height" AS "viewport_height",
  "fct_events"."document_width" AS "document_width",
  "fct_events"."document_height" AS "document_height",
  "fct_events"."scroll_x_max" AS "scroll_x_max",
  "fct_events"."scroll_y_max" AS "scroll_y_max",
  "fct_events"."campaign_source" AS "campaign_source",
  "fct_events"."campaign_medium" AS "campaign_medium",
  "fct_events"."campaign_name" AS "campaign_name",
  "fct_events"."campaign_term" AS "campaign_term",
  "fct_events"."campaign_content" AS "campaign_content",
  "fct_events"."device_model" AS "device_model",
  "fct_events"."device_os" AS "device_os",
  "fct_events"."device_os_version" AS "device_os_version",
  "fct_events"."device_locale" AS "device_locale",
  "fct_events"."device_timezone" AS "device_timezone",
  "fct_events"."device_manufacturer" AS "device_manufacturer",
  "fct_events"."device_ad_tracking" AS "device_ad_tracking",
  "fct_events"."consent_analytics" AS "consent_analytics",
  "fct_events"."consent_marketing" AS "consent_marketing",
  "fct_events"."consent_personalisation" AS "consent_personalisation",
  "fct_events"."consent_sell_or_share" AS "consent_sell_or_share",
  "fct_events"."consent_gpc" AS "consent_gpc",
  "fct_events"."consent_source" AS "consent_source",
  "fct_events"."consent_text_version" AS "consent_text_version",
  "fct_events"."library_name" AS "library_name",
  "fct_events"."library_version" AS "library_version",
  "fct_events"."arrival_date" AS "arrival_date",
  "fct_events"."arrival_hour" AS "arrival_hour",
  "fct_events"."country" AS "country",
  "fct_events"."page_host" AS "page_host",
  "fct_events"."page_path" AS "page_path",
  "fct_events"."browser" AS "browser",
  "fct_events"."browser_version" AS "browser_version",
  "fct_events"."os" AS "os",
  "fct_events"."os_version" AS "os_version",
  "fct_events"."device_type" AS "device_type",
  "fct_events"."is_bot" AS "is_bot",
  "fct_events"."bot_reason" AS "bot_reason",
  "fct_events"."referrer_host" AS "referrer_host",
  "fct_events"."referrer_medium" AS "referrer_medium",
  "fct_events"."referrer_source" AS "referrer_source",
  "fct_events"."source" AS "source",
  "fct_events"."medium" AS "medium",
  "fct_events"."campaign" AS "campaign",
  "fct_events"."term" AS "term",
  "fct_events"."content" AS "content",
  "fct_events"."channel_group" AS "channel_group",
  "fct_events"."asn" AS "asn",
  "fct_events"."as_organization" AS "as_organization",
  "fct_events"."revenue" AS "revenue",
  "fct_events"."currency" AS "currency",
  "fct_events"."revenue_reporting" AS "revenue_reporting",
  "fct_events"."lcp_ms" AS "lcp_ms",
  "fct_events"."inp_ms" AS "inp_ms",
  "fct_events"."fid_ms" AS "fid_ms",
  "fct_events"."cls" AS "cls",
  "fct_events"."site_date" AS "site_date",
  "dim_date"."year" AS "date_year",
  "dim_date"."quarter" AS "date_quarter",
  "dim_date"."month" AS "date_month",
  "dim_date"."day" AS "date_day",
  "dim_date"."day_of_week" AS "date_day_of_week",
  "dim_date"."week" AS "date_week",
  "dim_date"."week_year" AS "date_week_year",
  "dim_date"."week_start" AS "date_week_start",
  "dim_date"."month_start" AS "date_month_start",
  "dim_date"."is_weekend" AS "date_is_weekend",
  "dim_visitors"."first_seen_at" AS "visitor_first_seen_at",
  "dim_visitors"."last_seen_at" AS "visitor_last_seen_at",
  "dim_visitors"."sessions" AS "visitor_sessions"
FROM "analytics_analyst"."fct_events"
LEFT JOIN (SELECT "date", max("year") AS "year", max("quarter") AS "quarter", max("month") AS "month", max("day") AS "day", max("day_of_week") AS "day_of_week", max("week") AS "week", max("week_year") AS "week_year", max("week_start") AS "week_start", max("month_start") AS "month_start", bool_or("is_weekend") AS "is_weekend" FROM "analytics_analyst"."dim_date" GROUP BY "date") AS "dim_date" ON "dim_date"."date" = coalesce("fct_events"."site_date", "fct_events"."event_date")
LEFT JOIN (SELECT "anonymous_id", max("first_seen_at") AS "first_seen_at", max("last_seen_at") AS "last_seen_at", max("sessions") AS "sessions" FROM "analytics_analyst"."dim_visitors" GROUP BY "anonymous_id") AS "dim_visitors" ON "dim_visitors"."anonymous_id" = "fct_events"."anonymous_id";

CREATE OR REPLACE VIEW "analytics_analyst"."bi_page_views" AS
SELECT
  "fct_page_views"."event_date" AS "event_date",
  "fct_page_views"."page_view_id" AS "page_view_id",
  "fct_page_views"."event_id" AS "event_id",
  "fct_page_views"."session_id" AS "session_id",
  "fct_page_views"."anonymous_id" AS "anonymous_id",
  "fct_page_views"."user_id" AS "user_id",
  "fct_page_views"."start_at" AS "start_at",
  "fct_page_views"."end_at" AS "end_at",
  "fct_page_views"."engaged_seconds" AS "engaged_seconds",
  "fct_page_views"."absolute_seconds" AS "absolute_seconds",
  "fct_page_views"."scroll_percent" AS "scroll_percent",
  "fct_page_views"."index_in_session" AS "index_in_session",
  "fct_page_views"."views_in_session" AS "views_in_session",
  "fct_page_views"."path" AS "path",
  coalesce("fct_page_views"."channel_group", '(none)') AS "channel_group",
  coalesce("fct_page_views"."device_type", '(none)') AS "device_type",
  "fct_page_views"."is_bot" AS "is_bot",
  "fct_page_views"."kind" AS "kind",
  "fct_page_views"."screen_name" AS "screen_name",
  coalesce("fct_page_views"."platform", '(none)') AS "platform",
  coalesce("fct_page_views"."app_id", '(none)') AS "app_id",
  coalesce("fct_page_views"."country", '(none)') AS "country",
  "fct_page_views"."page_key" AS "page_key",
  "fct_page_views"."geo_key" AS "geo_key",
  "fct_page_views"."site_date" AS "site_date",
  "dim_date"."year" AS "date_year",
  "dim_date"."quarter" AS "date_quarter",
  "dim_date"."month" AS "date_month",
  "dim_date"."day" AS "date_day",
  "dim_date"."day_of_week" AS "date_day_of_week",
  "dim_date"."week" AS "date_week",
  "dim_date"."week_year" AS "date_week_year",
  "dim_date"."week_start" AS "date_week_start",
  "dim_date"."month_start" AS "date_month_start",
  "dim_date"."is_weekend" AS "date_is_weekend",
  "dim_page"."page" AS "page",
  "dim_page"."section" AS "section",
  "dim_visitors"."first_seen_at" AS "visitor_first_seen_at",
  "dim_visitors"."last_seen_at" AS "visitor_last_seen_at",
  "dim_visitors"."sessions" AS "visitor_sessions"
FROM "analytics_analyst"."fct_page_views"
LEFT JOIN (SELECT "date", max("year") AS "year", max("quarter") AS "quarter", max("month") AS "month", max("day") AS "day", max("day_of_week") AS "day_of_week", max("week") AS "week", max("week_year") AS "week_year", max("week_start") AS "week_start", max("month_start") AS "month_start", bool_or("is_weekend") AS "is_weekend" FROM "analytics_analyst"."dim_date" GROUP BY "date") AS "dim_date" ON "dim_date"."date" = coalesce("fct_page_views"."site_date", "fct_page_views"."event_date")
LEFT JOIN (SELECT "page_key", max("page") AS "page", max("section") AS "section" FROM "analytics_analyst"."dim_page" GROUP BY "page_key") AS "dim_page" ON "dim_page"."page_key" = "fct_page_views"."page_key"
LEFT JOIN (SELECT "anonymous_id", max("first_seen_at") AS "first_seen_at", max("last_seen_at") AS "last_seen_at", max("sessions") AS "sessions" FROM "analytics_analyst"."dim_visitors" GROUP BY "anonymous_id") AS "dim_visitors" ON "dim_visitors"."anonymous_id" = "fct_page_views"."anonymous_id";

CREATE OR REPLACE VIEW "analytics_analyst"."bi_sessions" AS
SELECT
  "fct_sessions"."event_date" AS "event_date",
  "fct_sessions"."session_id" AS "session_id",
  "fct_sessions"."anonymous_id" AS "anonymous_id",
  "fct_sessions"."user_id" AS "user_id",
  "fct_sessions"."stitched_user_id" AS "stitched_user_id",
  "fct_sessions"."person_id" AS "person_id",
  "fct_sessions"."start_at" AS "start_at",
  "fct_sessions"."end_at" AS "end_at",
  "fct_sessions"."events" AS "events",
  "fct_sessions"."page_views" AS "page_views",
  "fct_sessions"."engaged_seconds" AS "engaged_seconds",
  "fct_sessions"."absolute_seconds" AS "absolute_seconds",
  "fct_sessions"."is_engaged" AS "is_engaged",
  "fct_sessions"."is_bounce" AS "is_bounce",
  "fct_sessions"."is_cut" AS "is_cut",
  coalesce("fct_sessions"."source", '(none)') AS "source",
  coalesce("fct_sessions"."medium", '(none)') AS "medium",
  coalesce("fct_sessions"."campaign", '(none)') AS "campaign",
  coalesce("fct_sessions"."channel_group", '(none)') AS "channel_group",
  coalesce("fct_sessions"."browser", '(none)') AS "browser",
  coalesce("fct_sessions"."os", '(none)') AS "os",
  coalesce("fct_sessions"."device_type", '(none)') AS "device_type",
  coalesce("fct_sessions"."platform", '(none)') AS "platform",
  "fct_sessions"."is_bot" AS "is_bot",
  "fct_sessions"."conversions" AS "conversions",
  "fct_sessions"."revenue" AS "revenue",
  "fct_sessions"."sequence_gaps" AS "sequence_gaps",
  "fct_sessions"."landing_page" AS "landing_page",
  "fct_sessions"."exit_page" AS "exit_page",
  coalesce("fct_sessions"."app_id", '(none)') AS "app_id",
  coalesce("fct_sessions"."country", '(none)') AS "country",
  "fct_sessions"."language" AS "language",
  "fct_sessions"."campaign_key" AS "campaign_key",
  "fct_sessions"."device_key" AS "device_key",
  "fct_sessions"."geo_key" AS "geo_key",
  "fct_sessions"."site_date" AS "site_date",
  "dim_date"."year" AS "date_year",
  "dim_date"."quarter" AS "date_quarter",
  "dim_date"."month" AS "date_month",
  "dim_date"."day" AS "date_day",
  "dim_date"."day_of_week" AS "date_day_of_week",
  "dim_date"."week" AS "date_week",
  "dim_date"."week_year" AS "date_week_year",
  "dim_date"."week_start" AS "date_week_start",
  "dim_date"."month_start" AS "date_month_start",
  "dim_date"."is_weekend" AS "date_is_weekend",
  "dim_users"."first_seen_at" AS "person_first_seen_at",
  "dim_users"."last_seen_at" AS "person_last_seen_at",
  "dim_users"."source" AS "person_source",
  "dim_users"."medium" AS "person_medium",
  "dim_users"."campaign" AS "person_campaign",
  "dim_users"."channel_group" AS "person_channel_group",
  "dim_users"."sessions" AS "person_sessions",
  "dim_users"."conversions" AS "person_conversions",
  "dim_users"."revenue" AS "person_revenue"
FROM "analytics_analyst"."fct_sessions"
LEFT JOIN (SELECT "date", max("year") AS "year", max("quarter") AS "quarter", max("month") AS "month", max("day") AS "day", max("day_of_week") AS "day_of_week", max("week") AS "week", max("week_year") AS "week_year", max("week_start") AS "week_start", max("month_start") AS "month_start", bool_or("is_weekend") AS "is_weekend" FROM "analytics_analyst"."dim_date" GROUP BY "date") AS "dim_date" ON "dim_date"."date" = coalesce("fct_sessions"."site_date", "fct_sessions"."event_date")
LEFT JOIN (SELECT "person_id", max("first_seen_at") AS "first_seen_at", max("last_seen_at") AS "last_seen_at", max("source") AS "source", max("medium") AS "medium", max("campaign") AS "campaign", max("channel_group") AS "channel_group", max("sessions") AS "sessions", max("conversions") AS "conversions", max("revenue") AS "revenue" FROM "analytics_analyst"."dim_users" GROUP BY "person_id") AS "dim_users" ON "dim_users"."person_id" = "fct_sessions"."person_id";

CREATE OR REPLACE VIEW "analytics_analyst"."bi_session_issues" AS
SELECT
  "fct_session_issues"."event_date" AS "event_date",
  "fct_session_issues"."session_id" AS "session_id",
  "fct_session_issues"."reason" AS "reason",
  "fct_session_issues"."anonymous_id" AS "anonymous_id",
  "fct_session_issues"."start_at" AS "start_at",
  "fct_session_issues"."end_at" AS "end_at",
  "fct_session_issues"."last_event_at" AS "last_event_at",
  "fct_session_issues"."events_after_cut" AS "events_after_cut",
  "dim_date"."year" AS "date_year",
  "dim_date"."quarter" AS "date_quarter",
  "dim_date"."month" AS "date_month",
  "dim_date"."day" AS "date_day",
  "dim_date"."day_of_week" AS "date_day_of_week",
  "dim_date"."week" AS "date_week",
  "dim_date"."week_year" AS "date_week_year",
  "dim_date"."week_start" AS "date_week_start",
  "dim_date"."month_start" AS "date_month_start",
  "dim_date"."is_weekend" AS "date_is_weekend",
  "dim_visitors"."first_seen_at" AS "visitor_first_seen_at",
  "dim_visitors"."last_seen_at" AS "visitor_last_seen_at",
  "dim_visitors"."sessions" AS "visitor_sessions"
FROM "analytics_analyst"."fct_session_issues"
LEFT JOIN (SELECT "date", max("year") AS "year", max("quarter") AS "quarter", max("month") AS "month", max("day") AS "day", max("day_of_week") AS "day_of_week", max("week") AS "week", max("week_year") AS "week_year", max("week_start") AS "week_start", max("month_start") AS "month_start", bool_or("is_weekend") AS "is_weekend" FROM "analytics_analyst"."dim_date" GROUP BY "date") AS "dim_date" ON "dim_date"."date" = "fct_session_issues"."event_date"
LEFT JOIN (SELECT "anonymous_id", max("first_seen_at") AS "first_seen_at", max("last_seen_at") AS "last_seen_at", max("sessions") AS "sessions" FROM "analytics_analyst"."dim_visitors" GROUP BY "anonymous_id") AS "dim_visitors" ON "dim_visitors"."anonymous_id" = "fct_session_issues"."anonymous_id";

CREATE OR REPLACE VIEW "analytics_analyst"."bi_touches" AS
SELECT
  "fct_touches"."person_id" AS "person_id",
  "fct_touches"."session_id" AS "session_id",
  "fct_touches"."at" AS "at",
  "fct_touches"."has_page_view" AS "has_page_view",
  coalesce("fct_touches"."source", '(none)') AS "source",
  coalesce("fct_touches"."medium", '(none)') AS "medium",
  coalesce("fct_touches"."campaign", '(none)') AS "campaign",
  coalesce("fct_touches"."channel_group", '(none)') AS "channel_group",
  "fct_touches"."last_source" AS "last_source",
  "fct_touches"."last_medium" AS "last_medium",
  "fct_touches"."last_campaign" AS "last_campaign",
  "fct_touches"."last_channel_group" AS "last_channel_group",
  "fct_touches"."is_touch" AS "is_touch",
  "dim_users"."first_seen_at" AS "person_first_seen_at",
  "dim_users"."last_seen_at" AS "person_last_seen_at",
  "dim_users"."source" AS "person_source",
  "dim_users"."medium" AS "person_medium",
  "dim_users"."campaign" AS "person_campaign",
  "dim_users"."channel_group" AS "person_channel_group",
  "dim_users"."sessions" AS "person_sessions",
  "dim_users"."conversions" AS "person_conversions",
  "dim_users"."revenue" AS "person_revenue"
FROM "analytics_analyst"."fct_touches"
LEFT JOIN (SELECT "person_id", max("first_seen_at") AS "first_seen_at", max("last_seen_at") AS "last_seen_at", max("source") AS "source", max("medium") AS "medium", max("campaign") AS "campaign", max("channel_group") AS "channel_group", max("sessions") AS "sessions", max("conversions") AS "conversions", max("revenue") AS "revenue" FROM "analytics_analyst"."dim_users" GROUP BY "person_id") AS "dim_users" ON "dim_users"."person_id" = "fct_touches"."person_id";

CREATE OR REPLACE VIEW "analytics_analyst"."bi_conversions" AS
SELECT
  "fct_conversions"."event_date" AS "event_date",
  "fct_conversions"."event_id" AS "event_id",
  "fct_conversions"."event" AS "event",
  "fct_conversions"."at" AS "at",
  "fct_conversions"."person_id" AS "person_id",
  "fct_conversions"."anonymous_id" AS "anonymous_id",
  "fct_conversions"."user_id" AS "user_id",
  "fct_conversions"."revenue" AS "revenue",
  "fct_conversions"."site_date" AS "site_date",
  "dim_date"."year" AS "date_year",
  "dim_date"."quarter" AS "date_quarter",
  "dim_date"."month" AS "date_month",
  "dim_date"."day" AS "date_day",
  "dim_date"."day_of_week" AS "date_day_of_week",
  "dim_date"."week" AS "date_week",
  "dim_date"."week_year" AS "date_week_year",
  "dim_date"."week_start" AS "date_week_start",
  "dim_date"."month_start" AS "date_month_start",
  "dim_date"."is_weekend" AS "date_is_weekend",
  "dim_users"."first_seen_at" AS "person_first_seen_at",
  "dim_users"."last_seen_at" AS "person_last_seen_at",
  "dim_users"."source" AS "person_source",
  "dim_users"."medium" AS "person_medium",
  "dim_users"."campaign" AS "person_campaign",
  "dim_users"."channel_group" AS "person_channel_group",
  "dim_users"."sessions" AS "person_sessions",
  "dim_users"."conversions" AS "person_conversions",
  "dim_users"."revenue" AS "person_revenue"
FROM "analytics_analyst"."fct_conversions"
LEFT JOIN (SELECT "date", max("year") AS "year", max("quarter") AS "quarter", max("month") AS "month", max("day") AS "day", max("day_of_week") AS "day_of_week", max("week") AS "week", max("week_year") AS "week_year", max("week_start") AS "week_start", max("month_start") AS "month_start", bool_or("is_weekend") AS "is_weekend" FROM "analytics_analyst"."dim_date" GROUP BY "date") AS "dim_date" ON "dim_date"."date" = coalesce("fct_conversions"."site_date", "fct_conversions"."event_date")
LEFT JOIN (SELECT "person_id", max("first_seen_at") AS "first_seen_at", max("last_seen_at") AS "last_seen_at", max("source") AS "source", max("medium") AS "medium", max("campaign") AS "campaign", max("channel_group") AS "channel_group", max("sessions") AS "sessions", max("conversions") AS "conversions", max("revenue") AS "revenue" FROM "analytics_analyst"."dim_users" GROUP BY "person_id") AS "dim_users" ON "dim_users"."person_id" = "fct_conversions"."person_id";

CREATE OR REPLACE VIEW "analytics_analyst"."bi_conversion_paths" AS
SELECT
  "fct_conversion_paths"."event_date" AS "event_date",
  "fct_conversion_paths"."person_id" AS "person_id",
  "fct_conversion_paths"."event_id" AS "event_id",
  "fct_conversion_paths"."at" AS "at",
  "fct_conversion_paths"."touches" AS "touches",
  "fct_conversion_paths"."path" AS "path",
  "fct_conversion_paths"."touched_before" AS "touched_before",
  "fct_conversion_paths"."conversions" AS "conversions",
  "fct_conversion_paths"."revenue" AS "revenue",
  "fct_conversion_paths"."site_date" AS "site_date",
  "dim_date"."year" AS "date_year",
  "dim_date"."quarter" AS "date_quarter",
  "dim_date"."month" AS "date_month",
  "dim_date"."day" AS "date_day",
  "dim_date"."day_of_week" AS "date_day_of_week",
  "dim_date"."week" AS "date_week",
  "dim_date"."week_year" AS "date_week_year",
  "dim_date"."week_start" AS "date_week_start",
  "dim_date"."month_start" AS "date_month_start",
  "dim_date"."is_weekend" AS "date_is_weekend",
  "dim_users"."first_seen_at" AS "person_first_seen_at",
  "dim_users"."last_seen_at" AS "person_last_seen_at",
  "dim_users"."source" AS "person_source",
  "dim_users"."medium" AS "person_medium",
  "dim_users"."campaign" AS "person_campaign",
  "dim_users"."channel_group" AS "person_channel_group",
  "dim_users"."sessions" AS "person_sessions",
  "dim_users"."conversions" AS "person_conversions",
  "dim_users"."revenue" AS "person_revenue"
FROM "analytics_analyst"."fct_conversion_paths"
LEFT JOIN (SELECT "date", max("year") AS "year", max("quarter") AS "quarter", max("month") AS "month", max("day") AS "day", max("day_of_week") AS "day_of_week", max("week") AS "week", max("week_year") AS "week_year", max("week_start") AS "week_start", max("month_start") AS "month_start", bool_or("is_weekend") AS "is_weekend" FROM "analytics_analyst"."dim_date" GROUP BY "date") AS "dim_date" ON "dim_date"."date" = "fct_conversion_paths"."event_date"
LEFT JOIN (SELECT "person_id", max("first_seen_at") AS "first_seen_at", max("last_seen_at") AS "last_seen_at", max("source") AS "source", max("medium") AS "medium", max("campaign") AS "campaign", max("channel_group") AS "channel_group", max("sessions") AS "sessions", max("conversions") AS "conversions", max("revenue") AS "revenue" FROM "analytics_analyst"."dim_users" GROUP BY "person_id") AS "dim_users" ON "dim_users"."person_id" = "fct_conversion_paths"."person_id";

CREATE VIEW "analytics_analyst"."_loads" AS
SELECT
  "table_name",
  "partition_date",
  "lake_version",
  "lake_table",
  "rows",
  "loaded_at"
FROM "analytics"."_loads"
WHERE table_name IN ('fct_events', 'fct_page_views', 'fct_sessions', 'fct_session_issues', 'dim_visitors', 'dim_users', 'dim_user_history', 'dim_consent_receipts', 'dim_outlier_visitors', 'dim_group_members', 'dim_groups', 'dim_person_attributes', 'dim_companies', 'fct_touches', 'fct_conversions', 'fct_conversion_paths', 'agg_attribution', 'agg_channel_performance', 'dim_user_segments', 'dim_segment_memberships', 'agg_trends', 'agg_funnels', 'agg_funnel_trends', 'agg_times_to_convert', 'agg_retention', 'agg_lifecycle', 'agg_paths', 'agg_active_users', 'agg_stickiness', 'agg_web_vitals', 'agg_daily', 'agg_daily_sessions', 'agg_daily_events', 'agg_daily_pages', 'agg_period_people', 'dim_date', 'dim_page', 'dim_campaign', 'dim_device', 'dim_geo', 'dim_person_features', 'dim_trained_models', 'agg_metric_anomalies', 'agg_metric_incidents');

GRANT USAGE ON SCHEMA "analytics_analyst" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."_loads" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."agg_active_users" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."agg_attribution" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."agg_channel_performance" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."agg_daily" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."agg_daily_events" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."agg_daily_pages" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."agg_daily_sessions" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."agg_funnel_trends" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."agg_funnels" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."agg_lifecycle" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."agg_metric_anomalies" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."agg_metric_incidents" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."agg_paths" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."agg_period_people" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."agg_retention" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."agg_stickiness" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."agg_times_to_convert" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."agg_trends" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."agg_web_vitals" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."bi_conversion_paths" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."bi_conversions" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."bi_events" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."bi_page_views" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."bi_session_issues" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."bi_sessions" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."bi_touches" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."dim_campaign" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."dim_companies" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."dim_consent_receipts" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."dim_date" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."dim_device" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."dim_geo" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."dim_group_members" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."dim_groups" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."dim_outlier_visitors" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."dim_page" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."dim_person_attributes" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."dim_person_features" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."dim_segment_memberships" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."dim_trained_models" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."dim_user_history" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."dim_user_segments" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."dim_users" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."dim_visitors" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."fct_conversion_paths" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."fct_conversions" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."fct_events" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."fct_page_views" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."fct_session_issues" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."fct_sessions" TO ROLE "analytics_analyst";

GRANT SELECT ON "analytics_analyst"."fct_touches" TO ROLE "analytics_analyst";

CREATE ROLE "analytics_data_engineer";

GRANT USAGE ON SCHEMA "analytics" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."_loads" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."_migrations" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."agg_active_users" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."agg_attribution" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."agg_channel_performance" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."agg_daily" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."agg_daily_events" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."agg_daily_pages" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."agg_daily_sessions" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."agg_funnel_trends" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."agg_funnels" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."agg_lifecycle" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."agg_metric_anomalies" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."agg_metric_incidents" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."agg_paths" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."agg_period_people" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."agg_retention" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."agg_stickiness" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."agg_times_to_convert" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."agg_trends" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."agg_web_vitals" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."bi_conversion_paths" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."bi_conversions" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."bi_events" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."bi_page_views" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."bi_session_issues" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."bi_sessions" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."bi_touches" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."dim_campaign" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."dim_companies" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."dim_consent_receipts" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."dim_date" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."dim_device" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."dim_geo" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."dim_group_members" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."dim_groups" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."dim_outlier_visitors" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."dim_page" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."dim_person_attributes" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."dim_person_features" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."dim_segment_memberships" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."dim_trained_models" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."dim_user_history" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."dim_user_segments" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."dim_user_traits" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."dim_users" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."dim_visitors" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."fct_conversion_paths" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."fct_conversions" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."fct_events" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."fct_page_views" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."fct_session_issues" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."fct_sessions" TO ROLE "analytics_data_engineer";

GRANT SELECT ON "analytics"."fct_touches" TO ROLE "analytics_data_engineer";

CREATE ROLE "analytics_pipeline";

GRANT USAGE ON SCHEMA "analytics" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."_loads" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."_migrations" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_active_users" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_attribution" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_channel_performance" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_daily" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_daily_events" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_daily_pages" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_daily_sessions" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_funnel_trends" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_funnels" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_lifecycle" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_metric_anomalies" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_metric_incidents" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_paths" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_period_people" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_retention" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_stickiness" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_times_to_convert" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_trends" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_web_vitals" TO ROLE "analytics_pipeline";

GRANT SELECT ON "analytics"."bi_conversion_paths" TO ROLE "analytics_pipeline";

GRANT SELECT ON "analytics"."bi_conversions" TO ROLE "analytics_pipeline";

GRANT SELECT ON "analytics"."bi_events" TO ROLE "analytics_pipeline";

GRANT SELECT ON "analytics"."bi_page_views" TO ROLE "analytics_pipeline";

GRANT SELECT ON "analytics"."bi_session_issues" TO ROLE "analytics_pipeline";

GRANT SELECT ON "analytics"."bi_sessions" TO ROLE "analytics_pipeline";

GRANT SELECT ON "analytics"."bi_touches" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_campaign" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_companies" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_consent_receipts" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_date" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_device" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_geo" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_group_members" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_groups" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_outlier_visitors" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_page" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_person_attributes" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_person_features" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_segment_memberships" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_trained_models" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_user_history" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_user_segments" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_user_traits" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_users" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_visitors" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."fct_conversion_paths" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."fct_conversions" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."fct_events" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."fct_page_views" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."fct_session_issues" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."fct_sessions" TO ROLE "analytics_pipeline";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."fct_touches" TO ROLE "analytics_pipeline";

CREATE ROLE "analytics_admin";

GRANT CREATE, USAGE ON SCHEMA "analytics" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."_loads" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."_migrations" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_active_users" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_attribution" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_channel_performance" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_daily" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_daily_events" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_daily_pages" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_daily_sessions" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_funnel_trends" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_funnels" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_lifecycle" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_metric_anomalies" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_metric_incidents" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_paths" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_period_people" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_retention" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_stickiness" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_times_to_convert" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_trends" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."agg_web_vitals" TO ROLE "analytics_admin";

GRANT SELECT ON "analytics"."bi_conversion_paths" TO ROLE "analytics_admin";

GRANT SELECT ON "analytics"."bi_conversions" TO ROLE "analytics_admin";

GRANT SELECT ON "analytics"."bi_events" TO ROLE "analytics_admin";

GRANT SELECT ON "analytics"."bi_page_views" TO ROLE "analytics_admin";

GRANT SELECT ON "analytics"."bi_session_issues" TO ROLE "analytics_admin";

GRANT SELECT ON "analytics"."bi_sessions" TO ROLE "analytics_admin";

GRANT SELECT ON "analytics"."bi_touches" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_campaign" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_companies" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_consent_receipts" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_date" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_device" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_geo" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_group_members" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_groups" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_outlier_visitors" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_page" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_person_attributes" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_person_features" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_segment_memberships" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_trained_models" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_user_history" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_user_segments" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_user_traits" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_users" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."dim_visitors" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."fct_conversion_paths" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."fct_conversions" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."fct_events" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."fct_page_views" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."fct_session_issues" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."fct_sessions" TO ROLE "analytics_admin";

GRANT DELETE, INSERT, SELECT, UPDATE ON "analytics"."fct_touches" TO ROLE "analytics_admin";

GRANT ROLE "analytics_analyst" TO ROLE "analytics_admin";

GRANT ROLE "analytics_data_engineer" TO ROLE "analytics_admin";

GRANT ROLE "analytics_limited" TO ROLE "analytics_admin";

GRANT ROLE "analytics_pipeline" TO ROLE "analytics_admin";

