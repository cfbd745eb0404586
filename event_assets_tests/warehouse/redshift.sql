CREATE SCHEMA IF NOT EXISTS "analytics";

CREATE TABLE IF NOT EXISTS "analytics"."_loads" (
  "table_name" varchar(512) ENCODE raw NOT NULL,
  "partition_date" date ENCODE az64,
  "lake_version" bigint ENCODE az64 NOT NULL,
  "lake_table" varchar(512) ENCODE zstd,
  "rows" bigint ENCODE az64 NOT NULL,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("table_name", "partition_date");

COMMENT ON TABLE "analytics"."_loads" IS 'What is loaded: one row a table and partition, written by the transaction that loaded it.';

COMMENT ON COLUMN "analytics"."_loads"."table_name" IS 'Table of the warehouse.';

COMMENT ON COLUMN "analytics"."_loads"."partition_date" IS 'Date of the partition; null where the table is one whole.';

COMMENT ON COLUMN "analytics"."_loads"."lake_version" IS 'Version of the lake table that the rows are from.';

COMMENT ON COLUMN "analytics"."_loads"."lake_table" IS 'Id of that lake table; null in records from before it was kept.';

COMMENT ON COLUMN "analytics"."_loads"."rows" IS 'Rows of the partition.';

COMMENT ON COLUMN "analytics"."_loads"."loaded_at" IS 'When this version was loaded.';

CREATE TABLE IF NOT EXISTS "analytics"."_migrations" (
  "version" integer ENCODE raw NOT NULL,
  "description" varchar(65535) ENCODE zstd,
  "applied_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("version");

COMMENT ON TABLE "analytics"."_migrations" IS 'Which migrations this schema has had.';

COMMENT ON COLUMN "analytics"."_migrations"."version" IS 'Number of the migration.';

COMMENT ON COLUMN "analytics"."_migrations"."description" IS 'What it changed.';

COMMENT ON COLUMN "analytics"."_migrations"."applied_at" IS 'When.';

CREATE TABLE IF NOT EXISTS "analytics"."fct_events" (
  "event_date" date ENCODE az64 NOT NULL,
  "event_id" varchar(512) ENCODE zstd NOT NULL,
  "event" varchar(512) ENCODE zstd,
  "schema_version" integer ENCODE az64,
  "anonymous_id" varchar(512) ENCODE zstd,
  "user_id" varchar(512) ENCODE zstd,
  "session_id" varchar(512) ENCODE zstd,
  "page_view_id" varchar(512) ENCODE zstd,
  "group_id" varchar(512) ENCODE zstd,
  "install_id" varchar(65535) ENCODE zstd,
  "sequence" bigint ENCODE az64,
  "occurred_at" timestamp with time zone ENCODE az64,
  "sent_at" timestamp with time zone ENCODE az64,
  "received_at" timestamp with time zone ENCODE az64,
  "derived_at" timestamp with time zone ENCODE raw,
  "platform" varchar(512) ENCODE zstd,
  "app_id" varchar(65535) ENCODE zstd,
  "app_version" varchar(65535) ENCODE zstd,
  "app_build" varchar(65535) ENCODE zstd,
  "page_url" varchar(65535) ENCODE zstd,
  "page_title" varchar(65535) ENCODE zstd,
  "page_referrer" varchar(65535) ENCODE zstd,
  "screen_name" varchar(65535) ENCODE zstd,
  "screen_width" integer ENCODE az64,
  "screen_height" integer ENCODE az64,
  "viewport_width" integer ENCODE az64,
  "viewport_height" integer ENCODE az64,
  "document_width" integer ENCODE az64,
  "document_height" integer ENCODE az64,
  "scroll_x_max" integer ENCODE az64,
  "scroll_y_max" integer ENCODE az64,
  "campaign_source" varchar(65535) ENCODE zstd,
  "campaign_medium" varchar(65535) ENCODE zstd,
  "campaign_name" varchar(65535) ENCODE zstd,
  "campaign_term" varchar(65535) ENCODE zstd,
  "campaign_content" varchar(65535) ENCODE zstd,
  "device_user_agent" varchar(65535) ENCODE zstd,
  "device_model" varchar(65535) ENCODE zstd,
  "device_os" varchar(65535) ENCODE zstd,
  "device_os_version" varchar(65535) ENCODE zstd,
  "device_locale" varchar(65535) ENCODE zstd,
  "device_timezone" varchar(65535) ENCODE zstd,
  "device_manufacturer" varchar(65535) ENCODE zstd,
  "device_id" varchar(65535) ENCODE zstd,
  "device_advertising_id" varchar(65535) ENCODE zstd,
  "device_ad_tracking" boolean ENCODE zstd,
  "ip" varchar(65535) ENCODE zstd,
  "consent_analytics" boolean ENCODE zstd,
  "consent_marketing" boolean ENCODE zstd,
  "consent_personalisation" boolean ENCODE zstd,
  "consent_sell_or_share" boolean ENCODE zstd,
  "consent_gpc" boolean ENCODE zstd,
  "consent_source" varchar(65535) ENCODE zstd,
  "consent_text_version" varchar(65535) ENCODE zstd,
  "properties" varchar(65535) ENCODE zstd,
  "traits" varchar(65535) ENCODE zstd,
  "traits_once" varchar(65535) ENCODE zstd,
  "library_name" varchar(65535) ENCODE zstd,
  "library_version" varchar(65535) ENCODE zstd,
  "plan_violations" varchar(65535) ENCODE zstd,
  "arrival_date" date ENCODE az64,
  "arrival_hour" integer ENCODE az64,
  "country" varchar(65535) ENCODE zstd,
  "page_host" varchar(65535) ENCODE zstd,
  "page_path" varchar(65535) ENCODE zstd,
  "browser" varchar(65535) ENCODE zstd,
  "browser_version" varchar(65535) ENCODE zstd,
  "os" varchar(65535) ENCODE zstd,
  "os_version" varchar(65535) ENCODE zstd,
  "device_type" varchar(65535) ENCODE zstd,
  "is_bot" boolean ENCODE zstd,
  "bot_reason" varchar(65535) ENCODE zstd,
  "referrer_host" varchar(65535) ENCODE zstd,
  "referrer_medium" varchar(65535) ENCODE zstd,
  "referrer_source" varchar(65535) ENCODE zstd,
  "search_term" varchar(65535) ENCODE zstd,
  "source" varchar(65535) ENCODE zstd,
  "medium" varchar(65535) ENCODE zstd,
  "campaign" varchar(65535) ENCODE zstd,
  "term" varchar(65535) ENCODE zstd,
  "content" varchar(65535) ENCODE zstd,
  "click_id" varchar(65535) ENCODE zstd,
  "channel_group" varchar(65535) ENCODE zstd,
  "region" varchar(65535) ENCODE zstd,
  "city" varchar(65535) ENCODE zstd,
  "asn" bigint ENCODE az64,
  "as_organization" varchar(65535) ENCODE zstd,
  "revenue" double precision ENCODE zstd,
  "currency" varchar(65535) ENCODE zstd,
  "revenue_reporting" double precision ENCODE zstd,
  "lcp_ms" double precision ENCODE zstd,
  "inp_ms" double precision ENCODE zstd,
  "fid_ms" double precision ENCODE zstd,
  "cls" double precision ENCODE zstd,
  "custom" varchar(65535) ENCODE zstd,
  "site_date" date ENCODE az64,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE KEY DISTKEY ("anonymous_id")
COMPOUND SORTKEY ("derived_at");

COMMENT ON TABLE "analytics"."fct_events" IS 'Every event once, by the date on which it happened, with device, source and landing fields.';

COMMENT ON COLUMN "analytics"."fct_events"."event_date" IS 'UTC date of derived_at.';

COMMENT ON COLUMN "analytics"."fct_events"."event_id" IS 'Id made by the client, the same over every retry.';

COMMENT ON COLUMN "analytics"."fct_events"."event" IS 'Name of the event.';

COMMENT ON COLUMN "analytics"."fct_events"."schema_version" IS 'Version of the tracking-plan entry.';

COMMENT ON COLUMN "analytics"."fct_events"."anonymous_id" IS 'Id of the device or browser. Personal data.';

COMMENT ON COLUMN "analytics"."fct_events"."user_id" IS 'Id of the signed-in user. Personal data.';

COMMENT ON COLUMN "analytics"."fct_events"."session_id" IS 'Session id given by the client. Personal data.';

COMMENT ON COLUMN "analytics"."fct_events"."page_view_id" IS 'Page view id given by the client.';

COMMENT ON COLUMN "analytics"."fct_events"."group_id" IS 'Group that it is about: a company, a workspace, a team.';

COMMENT ON COLUMN "analytics"."fct_events"."install_id" IS 'Installation that counts `sequence`. Personal data.';

COMMENT ON COLUMN "analytics"."fct_events"."sequence" IS 'Counts up per anonymous_id and install; gaps are events lost before the collector.';

COMMENT ON COLUMN "analytics"."fct_events"."occurred_at" IS 'Client clock: when it happened.';

COMMENT ON COLUMN "analytics"."fct_events"."sent_at" IS 'Client clock: when the request left.';

COMMENT ON COLUMN "analytics"."fct_events"."received_at" IS 'When the collector took it, or as a trusted source says.';

COMMENT ON COLUMN "analytics"."fct_events"."derived_at" IS 'When it happened, by the server''s clock (see the time rules). Definition: given by a trusted import, else received_at - (sent_at - occurred_at) where occurred_at <= sent_at, else received_at.';

COMMENT ON COLUMN "analytics"."fct_events"."platform" IS 'web, ios, android, desktop, server, tv, console or iot.';

COMMENT ON COLUMN "analytics"."fct_events"."app_id" IS 'Application.';

COMMENT ON COLUMN "analytics"."fct_events"."app_version" IS 'Version of the application.';

COMMENT ON COLUMN "analytics"."fct_events"."app_build" IS 'Build of the application.';

COMMENT ON COLUMN "analytics"."fct_events"."page_url" IS 'URL of the page.';

COMMENT ON COLUMN "analytics"."fct_events"."page_title" IS 'Title of the page.';

COMMENT ON COLUMN "analytics"."fct_events"."page_referrer" IS 'Referrer of the page.';

COMMENT ON COLUMN "analytics"."fct_events"."screen_name" IS 'Screen of a mobile or desktop app.';

COMMENT ON COLUMN "analytics"."fct_events"."screen_width" IS 'Width of the screen. Unit: px.';

COMMENT ON COLUMN "analytics"."fct_events"."screen_height" IS 'Height of the screen. Unit: px.';

COMMENT ON COLUMN "analytics"."fct_events"."viewport_width" IS 'Width of the viewport. Unit: px.';

COMMENT ON COLUMN "analytics"."fct_events"."viewport_height" IS 'Height of the viewport. Unit: px.';

COMMENT ON COLUMN "analytics"."fct_events"."document_width" IS 'Width of the document. Unit: px.';

COMMENT ON COLUMN "analytics"."fct_events"."document_height" IS 'Height of the document. Unit: px.';

COMMENT ON COLUMN "analytics"."fct_events"."scroll_x_max" IS 'Furthest horizontal scroll since the ping before. Unit: px.';

COMMENT ON COLUMN "analytics"."fct_events"."scroll_y_max" IS 'Furthest vertical scroll since the ping before. Unit: px.';

COMMENT ON COLUMN "analytics"."fct_events"."campaign_source" IS 'Source of the campaign, as the client says; see `source`.';

COMMENT ON COLUMN "analytics"."fct_events"."campaign_medium" IS 'Medium of the campaign, as the client says; see `medium`.';

COMMENT ON COLUMN "analytics"."fct_events"."campaign_name" IS 'Name of the campaign, as the client says; see `campaign`.';

COMMENT ON COLUMN "analytics"."fct_events"."campaign_term" IS 'Term of the campaign, as the client says; see `term`.';

COMMENT ON COLUMN "analytics"."fct_events"."campaign_content" IS 'Content of the campaign, as the client says; see `content`.';

COMMENT ON COLUMN "analytics"."fct_events"."device_user_agent" IS 'User agent.';

COMMENT ON COLUMN "analytics"."fct_events"."device_model" IS 'Model of the device.';

COMMENT ON COLUMN "analytics"."fct_events"."device_os" IS 'Operating system, as the client says.';

COMMENT ON COLUMN "analytics"."fct_events"."device_os_version" IS 'Its version, as the client says.';

COMMENT ON COLUMN "analytics"."fct_events"."device_locale" IS 'Locale of the device.';

COMMENT ON COLUMN "analytics"."fct_events"."device_timezone" IS 'Time zone of the device.';

COMMENT ON COLUMN "analytics"."fct_events"."device_manufacturer" IS 'Manufacturer of the device.';

COMMENT ON COLUMN "analytics"."fct_events"."device_id" IS 'The maker''s id of the device; left out where others may not know the person. Personal data.';

COMMENT ON COLUMN "analytics"."fct_events"."device_advertising_id" IS 'Advertising id of the device; left out where others may not know the person. Personal data.';

COMMENT ON COLUMN "analytics"."fct_events"."device_ad_tracking" IS 'Whether the device''s owner lets advertisers recognise it.';

COMMENT ON COLUMN "analytics"."fct_events"."ip" IS 'IP address, after the privacy setting. Personal data.';

COMMENT ON COLUMN "analytics"."fct_events"."consent_analytics" IS 'Consent to analytics.';

COMMENT ON COLUMN "analytics"."fct_events"."consent_marketing" IS 'Consent to marketing.';

COMMENT ON COLUMN "analytics"."fct_events"."consent_personalisation" IS 'Consent to personalisation.';

COMMENT ON COLUMN "analytics"."fct_events"."consent_sell_or_share" IS 'Consent to be sold or shared, in the words of the CCPA.';

COMMENT ON COLUMN "analytics"."fct_events"."consent_gpc" IS 'A browser''s Global Privacy Control answered that.';

COMMENT ON COLUMN "analytics"."fct_events"."consent_source" IS 'Where consent was asked for, as the client says: banner, settings, support, …';

COMMENT ON COLUMN "analytics"."fct_events"."consent_text_version" IS 'Version of the text that was shown with it.';

COMMENT ON COLUMN "analytics"."fct_events"."properties" IS 'Properties of the event, as JSON. Of a name that is given twice the last value counts.';

COMMENT ON COLUMN "analytics"."fct_events"."traits" IS 'Traits of the user, or of the group that a `group` event is about, as JSON. Personal data.';

COMMENT ON COLUMN "analytics"."fct_events"."traits_once" IS 'Traits that hold where there is none of that name yet, as JSON. Personal data.';

COMMENT ON COLUMN "analytics"."fct_events"."library_name" IS 'SDK that sent it.';

COMMENT ON COLUMN "analytics"."fct_events"."library_version" IS 'Version of the SDK.';

COMMENT ON COLUMN "analytics"."fct_events"."plan_violations" IS 'What the tracking plan warns about.';

COMMENT ON COLUMN "analytics"."fct_events"."arrival_date" IS 'UTC date on which the stream took the record.';

COMMENT ON COLUMN "analytics"."fct_events"."arrival_hour" IS 'UTC hour on which the stream took the record. Unit: hour.';

COMMENT ON COLUMN "analytics"."fct_events"."country" IS 'Country of the IP address, ISO 3166-1 alpha-2; by the bundled database the one it is registered in.';

COMMENT ON COLUMN "analytics"."fct_events"."page_host" IS 'Host of the page.';

COMMENT ON COLUMN "analytics"."fct_events"."page_path" IS 'Path of the page.';

COMMENT ON COLUMN "analytics"."fct_events"."browser" IS 'Browser family from the user agent.';

COMMENT ON COLUMN "analytics"."fct_events"."browser_version" IS 'Major version of the browser.';

COMMENT ON COLUMN "analytics"."fct_events"."os" IS 'Operating system from the user agent, else as the client says.';

COMMENT ON COLUMN "analytics"."fct_events"."os_version" IS 'Major version of the operating system.';

COMMENT ON COLUMN "analytics"."fct_events"."device_type" IS 'desktop, mobile, tablet, bot or other. Definition: bot where is_bot, else what the user agent tells, else what the platform implies, else other.';

COMMENT ON COLUMN "analytics"."fct_events"."is_bot" IS 'The user agent is a robot''s. Definition: uap-core''s Spider family, a crawler-user-agents pattern, a bot, spider, crawl or HTTP client expression, or the client''s own is_bot.';

COMMENT ON COLUMN "analytics"."fct_events"."bot_reason" IS 'What told that it is one.';

COMMENT ON COLUMN "analytics"."fct_events"."referrer_host" IS 'Host of the referrer.';

COMMENT ON COLUMN "analytics"."fct_events"."referrer_medium" IS 'internal, search, social, email, ai-assistant, paid or unknown.';

COMMENT ON COLUMN "analytics"."fct_events"."referrer_source" IS 'Name of the referring site, where it is a known one: Google, Facebook, …';

COMMENT ON COLUMN "analytics"."fct_events"."search_term" IS 'What was searched for, where the referrer tells.';

COMMENT ON COLUMN "analytics"."fct_events"."source" IS 'utm_source, else as the client says, else from click id or referrer.';

COMMENT ON COLUMN "analytics"."fct_events"."medium" IS 'utm_medium, else as the client says, else from click id or referrer.';

COMMENT ON COLUMN "analytics"."fct_events"."campaign" IS 'utm_campaign, else as the client says.';

COMMENT ON COLUMN "analytics"."fct_events"."term" IS 'utm_term, else as the client says.';

COMMENT ON COLUMN "analytics"."fct_events"."content" IS 'utm_content, else as the client says.';

COMMENT ON COLUMN "analytics"."fct_events"."click_id" IS 'Advertising click id.';

COMMENT ON COLUMN "analytics"."fct_events"."channel_group" IS 'Default channel group. Definition: the first of GA4''s default rules, in GA4''s order, that source, medium and campaign meet.';

COMMENT ON COLUMN "analytics"."fct_events"."region" IS 'Region of the IP address, where a database that is named in settings knows it.';

COMMENT ON COLUMN "analytics"."fct_events"."city" IS 'City of the IP address, where such a database knows it.';

COMMENT ON COLUMN "analytics"."fct_events"."asn" IS 'Number of the autonomous system that the IP address belongs to, where it is known.';

COMMENT ON COLUMN "analytics"."fct_events"."as_organization" IS 'Who runs that autonomous system.';

COMMENT ON COLUMN "analytics"."fct_events"."revenue" IS 'The property `revenue`, as it was sent. Unit: currency.';

COMMENT ON COLUMN "analytics"."fct_events"."currency" IS 'The property `currency`, ISO 4217.';

COMMENT ON COLUMN "analytics"."fct_events"."revenue_reporting" IS 'revenue in the reporting currency, by the last rate at most 7 days before event_date; as it was sent where no reporting currency is set or no currency was sent. Unit: currency.';

COMMENT ON COLUMN "analytics"."fct_events"."lcp_ms" IS 'Largest contentful paint, of web_vitals and page_view events. Unit: ms.';

COMMENT ON COLUMN "analytics"."fct_events"."inp_ms" IS 'Interaction to next paint, of the same. Unit: ms.';

COMMENT ON COLUMN "analytics"."fct_events"."fid_ms" IS 'First input delay, of the same. Unit: ms.';

COMMENT ON COLUMN "analytics"."fct_events"."cls" IS 'Cumulative layout shift, of the same; has no unit.';

COMMENT ON COLUMN "analytics"."fct_events"."custom" IS 'What the project''s own enrichments gave, as a JSON object by their names.';

COMMENT ON COLUMN "analytics"."fct_events"."site_date" IS 'Date of the same by the clock of the site (see EVENT_ASSETS_TIME_ZONE): by it days, weeks and months are told.';

COMMENT ON COLUMN "analytics"."fct_events"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."fct_page_views" (
  "event_date" date ENCODE az64 NOT NULL,
  "page_view_id" varchar(512) ENCODE zstd NOT NULL,
  "event_id" varchar(512) ENCODE zstd,
  "session_id" varchar(512) ENCODE zstd,
  "anonymous_id" varchar(512) ENCODE zstd,
  "user_id" varchar(512) ENCODE zstd,
  "start_at" timestamp with time zone ENCODE raw,
  "end_at" timestamp with time zone ENCODE az64,
  "engaged_seconds" integer ENCODE az64,
  "absolute_seconds" integer ENCODE az64,
  "scroll_percent" integer ENCODE az64,
  "index_in_session" integer ENCODE az64,
  "views_in_session" integer ENCODE az64,
  "url" varchar(65535) ENCODE zstd,
  "title" varchar(65535) ENCODE zstd,
  "path" varchar(65535) ENCODE zstd,
  "referrer" varchar(65535) ENCODE zstd,
  "channel_group" varchar(65535) ENCODE zstd,
  "device_type" varchar(65535) ENCODE zstd,
  "is_bot" boolean ENCODE zstd,
  "kind" varchar(65535) ENCODE zstd,
  "screen_name" varchar(65535) ENCODE zstd,
  "platform" varchar(512) ENCODE zstd,
  "app_id" varchar(65535) ENCODE zstd,
  "country" varchar(65535) ENCODE zstd,
  "page_key" varchar(512) ENCODE zstd,
  "geo_key" varchar(512) ENCODE zstd,
  "site_date" date ENCODE az64,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE KEY DISTKEY ("anonymous_id")
COMPOUND SORTKEY ("start_at");

COMMENT ON TABLE "analytics"."fct_page_views" IS 'One row a view of a page or of a screen, by the date on which it began.';

COMMENT ON COLUMN "analytics"."fct_page_views"."event_date" IS 'UTC date of derived_at.';

COMMENT ON COLUMN "analytics"."fct_page_views"."page_view_id" IS 'Id of the view. Definition: the page_view_id of the page_view event, else its event_id; of a screen_view its event_id.';

COMMENT ON COLUMN "analytics"."fct_page_views"."event_id" IS 'The page_view or screen_view event that counts.';

COMMENT ON COLUMN "analytics"."fct_page_views"."session_id" IS 'Session it belongs to. Personal data.';

COMMENT ON COLUMN "analytics"."fct_page_views"."anonymous_id" IS 'Device of its session. Personal data.';

COMMENT ON COLUMN "analytics"."fct_page_views"."user_id" IS 'User id on that event. Personal data.';

COMMENT ON COLUMN "analytics"."fct_page_views"."start_at" IS 'When it began.';

COMMENT ON COLUMN "analytics"."fct_page_views"."end_at" IS 'Last sign of life: its last ping, else its beginning.';

COMMENT ON COLUMN "analytics"."fct_page_views"."engaged_seconds" IS 'Seconds visible and active, from pings. Definition: 10 x (distinct 10-second slots of its pings'' occurred_at - 1) + 5; 0 without pings. Unit: s.';

COMMENT ON COLUMN "analytics"."fct_page_views"."absolute_seconds" IS 'Whole seconds between beginning and end. Definition: whole-second boundaries between start_at and end_at. Unit: s.';

COMMENT ON COLUMN "analytics"."fct_page_views"."scroll_percent" IS 'Furthest vertical scroll. Definition: round(100 x min(min(max(scroll y, 0), document height) + viewport height, document height) / document height), scroll y being the largest of its pings. Unit: %.';

COMMENT ON COLUMN "analytics"."fct_page_views"."index_in_session" IS 'Place in its session, from 1. Definition: by derived_at, occurred_at, event_id.';

COMMENT ON COLUMN "analytics"."fct_page_views"."views_in_session" IS 'Views of its session.';

COMMENT ON COLUMN "analytics"."fct_page_views"."url" IS 'URL of the page.';

COMMENT ON COLUMN "analytics"."fct_page_views"."title" IS 'Title of the page.';

COMMENT ON COLUMN "analytics"."fct_page_views"."path" IS 'Path of the page.';

COMMENT ON COLUMN "analytics"."fct_page_views"."referrer" IS 'Referrer of the page.';

COMMENT ON COLUMN "analytics"."fct_page_views"."channel_group" IS 'Default channel group of the view.';

COMMENT ON COLUMN "analytics"."fct_page_views"."device_type" IS 'desktop, mobile, tablet, bot or other.';

COMMENT ON COLUMN "analytics"."fct_page_views"."is_bot" IS 'The user agent is a robot''s.';

COMMENT ON COLUMN "analytics"."fct_page_views"."kind" IS 'page (a page_view) or screen (a screen_view).';

COMMENT ON COLUMN "analytics"."fct_page_views"."screen_name" IS 'Name of the screen.';

COMMENT ON COLUMN "analytics"."fct_page_views"."platform" IS 'web, ios, android, desktop, server, tv, console or iot.';

COMMENT ON COLUMN "analytics"."fct_page_views"."app_id" IS 'Application.';

COMMENT ON COLUMN "analytics"."fct_page_views"."country" IS 'Country of the IP address, ISO 3166-1 alpha-2.';

COMMENT ON COLUMN "analytics"."fct_page_views"."page_key" IS 'Page or screen (see pages).';

COMMENT ON COLUMN "analytics"."fct_page_views"."geo_key" IS 'Its country (see places).';

COMMENT ON COLUMN "analytics"."fct_page_views"."site_date" IS 'Date of the same by the clock of the site (see EVENT_ASSETS_TIME_ZONE): by it days, weeks and months are told.';

COMMENT ON COLUMN "analytics"."fct_page_views"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."fct_sessions" (
  "event_date" date ENCODE az64 NOT NULL,
  "session_id" varchar(512) ENCODE zstd NOT NULL,
  "anonymous_id" varchar(512) ENCODE zstd,
  "user_id" varchar(512) ENCODE zstd,
  "stitched_user_id" varchar(512) ENCODE zstd,
  "person_id" varchar(512) ENCODE zstd,
  "start_at" timestamp with time zone ENCODE raw,
  "end_at" timestamp with time zone ENCODE az64,
  "events" bigint ENCODE az64,
  "page_views" bigint ENCODE az64,
  "engaged_seconds" integer ENCODE az64,
  "absolute_seconds" integer ENCODE az64,
  "is_engaged" boolean ENCODE zstd,
  "is_bounce" boolean ENCODE zstd,
  "is_cut" boolean ENCODE zstd,
  "entry_url" varchar(65535) ENCODE zstd,
  "exit_url" varchar(65535) ENCODE zstd,
  "referrer" varchar(65535) ENCODE zstd,
  "source" varchar(65535) ENCODE zstd,
  "medium" varchar(65535) ENCODE zstd,
  "campaign" varchar(65535) ENCODE zstd,
  "channel_group" varchar(65535) ENCODE zstd,
  "browser" varchar(65535) ENCODE zstd,
  "os" varchar(65535) ENCODE zstd,
  "device_type" varchar(65535) ENCODE zstd,
  "platform" varchar(512) ENCODE zstd,
  "is_bot" boolean ENCODE zstd,
  "conversions" bigint ENCODE az64,
  "revenue" double precision ENCODE zstd,
  "sequence_gaps" bigint ENCODE az64,
  "landing_page" varchar(65535) ENCODE zstd,
  "exit_page" varchar(65535) ENCODE zstd,
  "app_id" varchar(65535) ENCODE zstd,
  "country" varchar(65535) ENCODE zstd,
  "language" varchar(65535) ENCODE zstd,
  "campaign_key" varchar(512) ENCODE zstd,
  "device_key" varchar(512) ENCODE zstd,
  "geo_key" varchar(512) ENCODE zstd,
  "site_date" date ENCODE az64,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE KEY DISTKEY ("anonymous_id")
COMPOUND SORTKEY ("start_at");

COMMENT ON TABLE "analytics"."fct_sessions" IS 'One row a session, by the date on which it began.';

COMMENT ON COLUMN "analytics"."fct_sessions"."event_date" IS 'UTC date of derived_at.';

COMMENT ON COLUMN "analytics"."fct_sessions"."session_id" IS 'The client''s session id, else a stable hash of key and beginning. Personal data.';

COMMENT ON COLUMN "analytics"."fct_sessions"."anonymous_id" IS 'Device of the session''s earliest received event. Personal data.';

COMMENT ON COLUMN "analytics"."fct_sessions"."user_id" IS 'First user id seen in the session. Personal data.';

COMMENT ON COLUMN "analytics"."fct_sessions"."stitched_user_id" IS 'Last user id seen on the device at any time, else its own id. Personal data.';

COMMENT ON COLUMN "analytics"."fct_sessions"."person_id" IS 'The person it belongs to (see identities). Personal data.';

COMMENT ON COLUMN "analytics"."fct_sessions"."start_at" IS 'When it began. Definition: the first derived_at of its events; 5 seconds earlier where the first view or ping is a ping.';

COMMENT ON COLUMN "analytics"."fct_sessions"."end_at" IS 'Its last event. Definition: the last derived_at of its events.';

COMMENT ON COLUMN "analytics"."fct_sessions"."events" IS 'Events of the session.';

COMMENT ON COLUMN "analytics"."fct_sessions"."page_views" IS 'Distinct views of pages and screens, pings included. Definition: distinct page_view_id of page_view (without one, its event_id) and page_ping events, and each screen_view event.';

COMMENT ON COLUMN "analytics"."fct_sessions"."engaged_seconds" IS 'Seconds visible and active, from pings. Definition: 10 x (distinct pairs of page view and 10-second slot - page views with pings) + 5 x page views with pings. Unit: s.';

COMMENT ON COLUMN "analytics"."fct_sessions"."absolute_seconds" IS 'Whole seconds between beginning and end. Definition: whole-second boundaries between start_at and end_at. Unit: s.';

COMMENT ON COLUMN "analytics"."fct_sessions"."is_engaged" IS 'Two views, enough engaged seconds, or a conversion. Definition: page_views >= 2, or engaged_seconds >= 20 (a setting), or conversions >= 1.';

COMMENT ON COLUMN "analytics"."fct_sessions"."is_bounce" IS 'One view and not engaged. Definition: page_views = 1 and not is_engaged.';

COMMENT ON COLUMN "analytics"."fct_sessions"."is_cut" IS 'Cut for its length (24 hours; 3 days where the client gave the id).';

COMMENT ON COLUMN "analytics"."fct_sessions"."entry_url" IS 'First page.';

COMMENT ON COLUMN "analytics"."fct_sessions"."exit_url" IS 'Last page.';

COMMENT ON COLUMN "analytics"."fct_sessions"."referrer" IS 'Referrer of the first page.';

COMMENT ON COLUMN "analytics"."fct_sessions"."source" IS 'Source of the first page view, else of the first screen view, else event.';

COMMENT ON COLUMN "analytics"."fct_sessions"."medium" IS 'Medium of the same.';

COMMENT ON COLUMN "analytics"."fct_sessions"."campaign" IS 'Campaign of the same.';

COMMENT ON COLUMN "analytics"."fct_sessions"."channel_group" IS 'Default channel group of the same.';

COMMENT ON COLUMN "analytics"."fct_sessions"."browser" IS 'Browser of the same.';

COMMENT ON COLUMN "analytics"."fct_sessions"."os" IS 'Operating system of the same.';

COMMENT ON COLUMN "analytics"."fct_sessions"."device_type" IS 'Device type of the same.';

COMMENT ON COLUMN "analytics"."fct_sessions"."platform" IS 'Platform of the same.';

COMMENT ON COLUMN "analytics"."fct_sessions"."is_bot" IS 'Any of its events came from a robot.';

COMMENT ON COLUMN "analytics"."fct_sessions"."conversions" IS 'Conversions. Definition: events whose name is in the setting conversion_events; of those that tell of the same conversion, as by their order_id (see conversion_ids), the first alone.';

COMMENT ON COLUMN "analytics"."fct_sessions"."revenue" IS 'Sum of `revenue_reporting` over these events, exact to the sixth decimal.';

COMMENT ON COLUMN "analytics"."fct_sessions"."sequence_gaps" IS 'Events lost before the collector, by gaps in `sequence`. Definition: last sequence - first sequence + 1 - events with a sequence, of each install and device where all such events name their install_id; else of the session, and null (unknown) where several installs number it: several devices, or a server or desktop app beside others. Null too where numbers count up neither by derived_at nor by occurred_at.';

COMMENT ON COLUMN "analytics"."fct_sessions"."landing_page" IS 'Path of the first page, as of the source.';

COMMENT ON COLUMN "analytics"."fct_sessions"."exit_page" IS 'Path of the last page.';

COMMENT ON COLUMN "analytics"."fct_sessions"."app_id" IS 'Application of the same event as the source.';

COMMENT ON COLUMN "analytics"."fct_sessions"."country" IS 'Country of the same, ISO 3166-1 alpha-2.';

COMMENT ON COLUMN "analytics"."fct_sessions"."language" IS 'Language of the same. Definition: the part of device_locale before the first - or _, in lower case.';

COMMENT ON COLUMN "analytics"."fct_sessions"."campaign_key" IS 'What it came by (see campaigns).';

COMMENT ON COLUMN "analytics"."fct_sessions"."device_key" IS 'What it is of (see devices).';

COMMENT ON COLUMN "analytics"."fct_sessions"."geo_key" IS 'Its country (see places).';

COMMENT ON COLUMN "analytics"."fct_sessions"."site_date" IS 'Date of the same by the clock of the site (see EVENT_ASSETS_TIME_ZONE): by it days, weeks and months are told.';

COMMENT ON COLUMN "analytics"."fct_sessions"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."fct_session_issues" (
  "event_date" date ENCODE az64 NOT NULL,
  "session_id" varchar(512) ENCODE zstd NOT NULL,
  "reason" varchar(65535) ENCODE zstd,
  "anonymous_id" varchar(512) ENCODE zstd,
  "start_at" timestamp with time zone ENCODE raw,
  "end_at" timestamp with time zone ENCODE az64,
  "last_event_at" timestamp with time zone ENCODE az64,
  "events_after_cut" bigint ENCODE az64,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE KEY DISTKEY ("anonymous_id")
COMPOUND SORTKEY ("start_at");

COMMENT ON TABLE "analytics"."fct_session_issues" IS 'One row a session of a client that did not end: it was cut, by the date on which it began.';

COMMENT ON COLUMN "analytics"."fct_session_issues"."event_date" IS 'UTC date of derived_at.';

COMMENT ON COLUMN "analytics"."fct_session_issues"."session_id" IS 'The client''s session id. Personal data.';

COMMENT ON COLUMN "analytics"."fct_session_issues"."reason" IS 'too_long: it ran on for more than 3 days after its earliest received event.';

COMMENT ON COLUMN "analytics"."fct_session_issues"."anonymous_id" IS 'Device of the session''s earliest received event. Personal data.';

COMMENT ON COLUMN "analytics"."fct_session_issues"."start_at" IS 'When it began.';

COMMENT ON COLUMN "analytics"."fct_session_issues"."end_at" IS 'Its last event before the cut.';

COMMENT ON COLUMN "analytics"."fct_session_issues"."last_event_at" IS 'The last event with its id.';

COMMENT ON COLUMN "analytics"."fct_session_issues"."events_after_cut" IS 'Events that came after the cut, and count in no session.';

COMMENT ON COLUMN "analytics"."fct_session_issues"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."dim_visitors" (
  "anonymous_id" varchar(512) ENCODE raw NOT NULL,
  "user_id" varchar(512) ENCODE zstd,
  "stitched_user_id" varchar(512) ENCODE zstd,
  "first_seen_at" timestamp with time zone ENCODE az64,
  "last_seen_at" timestamp with time zone ENCODE az64,
  "events" bigint ENCODE az64,
  "sessions" bigint ENCODE az64,
  "page_views" bigint ENCODE az64,
  "engaged_seconds" bigint ENCODE az64,
  "is_bot" boolean ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE KEY DISTKEY ("anonymous_id")
COMPOUND SORTKEY ("anonymous_id");

COMMENT ON TABLE "analytics"."dim_visitors" IS 'One row an anonymous_id.';

COMMENT ON COLUMN "analytics"."dim_visitors"."anonymous_id" IS 'Id of the device or browser. Personal data.';

COMMENT ON COLUMN "analytics"."dim_visitors"."user_id" IS 'Last user id seen on the device, by received_at. Personal data.';

COMMENT ON COLUMN "analytics"."dim_visitors"."stitched_user_id" IS 'That user id, else the anonymous id. Personal data.';

COMMENT ON COLUMN "analytics"."dim_visitors"."first_seen_at" IS 'First event.';

COMMENT ON COLUMN "analytics"."dim_visitors"."last_seen_at" IS 'Last event.';

COMMENT ON COLUMN "analytics"."dim_visitors"."events" IS 'Events.';

COMMENT ON COLUMN "analytics"."dim_visitors"."sessions" IS 'Sessions.';

COMMENT ON COLUMN "analytics"."dim_visitors"."page_views" IS 'Views of pages and screens.';

COMMENT ON COLUMN "analytics"."dim_visitors"."engaged_seconds" IS 'Engaged seconds. Unit: s.';

COMMENT ON COLUMN "analytics"."dim_visitors"."is_bot" IS 'A robot: all its events came from one.';

COMMENT ON COLUMN "analytics"."dim_visitors"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."dim_user_traits" (
  "person_id" varchar(512) ENCODE raw NOT NULL,
  "trait" varchar(65535) ENCODE zstd NOT NULL,
  "value" varchar(65535) ENCODE zstd,
  "from_at" timestamp with time zone ENCODE az64 NOT NULL,
  "to_at" timestamp with time zone ENCODE az64,
  "is_current" boolean ENCODE zstd,
  "event_id" varchar(512) ENCODE zstd NOT NULL,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE KEY DISTKEY ("person_id")
COMPOUND SORTKEY ("person_id");

COMMENT ON TABLE "analytics"."dim_user_traits" IS 'What is known of a person, and from when to when: one row a value that a trait had.';

COMMENT ON COLUMN "analytics"."dim_user_traits"."person_id" IS 'The person. Personal data.';

COMMENT ON COLUMN "analytics"."dim_user_traits"."trait" IS 'Name of the trait, its first 128 characters.';

COMMENT ON COLUMN "analytics"."dim_user_traits"."value" IS 'What it was, as JSON. Personal data.';

COMMENT ON COLUMN "analytics"."dim_user_traits"."from_at" IS 'When the event that said so happened (derived_at).';

COMMENT ON COLUMN "analytics"."dim_user_traits"."to_at" IS 'When an event said something else; null while it holds.';

COMMENT ON COLUMN "analytics"."dim_user_traits"."is_current" IS 'It holds.';

COMMENT ON COLUMN "analytics"."dim_user_traits"."event_id" IS 'The event that said so.';

COMMENT ON COLUMN "analytics"."dim_user_traits"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."dim_users" (
  "person_id" varchar(512) ENCODE raw NOT NULL,
  "user_ids" varchar(65535) ENCODE zstd,
  "anonymous_ids" varchar(65535) ENCODE zstd,
  "first_seen_at" timestamp with time zone ENCODE az64,
  "last_seen_at" timestamp with time zone ENCODE az64,
  "sessions" bigint ENCODE az64,
  "events" bigint ENCODE az64,
  "page_views" bigint ENCODE az64,
  "conversions" bigint ENCODE az64,
  "revenue" double precision ENCODE zstd,
  "source" varchar(65535) ENCODE zstd,
  "medium" varchar(65535) ENCODE zstd,
  "campaign" varchar(65535) ENCODE zstd,
  "channel_group" varchar(65535) ENCODE zstd,
  "traits" varchar(65535) ENCODE zstd,
  "consent_analytics" boolean ENCODE zstd,
  "consent_marketing" boolean ENCODE zstd,
  "consent_personalisation" boolean ENCODE zstd,
  "consent_sell_or_share" boolean ENCODE zstd,
  "consent_at" timestamp with time zone ENCODE az64,
  "is_bot" boolean ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE KEY DISTKEY ("person_id")
COMPOUND SORTKEY ("person_id");

COMMENT ON TABLE "analytics"."dim_users" IS 'One row a person.';

COMMENT ON COLUMN "analytics"."dim_users"."person_id" IS 'The person. Personal data.';

COMMENT ON COLUMN "analytics"."dim_users"."user_ids" IS 'Their user ids, as a sorted JSON list. Personal data.';

COMMENT ON COLUMN "analytics"."dim_users"."anonymous_ids" IS 'Their anonymous ids, as a sorted JSON list. Personal data.';

COMMENT ON COLUMN "analytics"."dim_users"."first_seen_at" IS 'First event.';

COMMENT ON COLUMN "analytics"."dim_users"."last_seen_at" IS 'Last event.';

COMMENT ON COLUMN "analytics"."dim_users"."sessions" IS 'Sessions.';

COMMENT ON COLUMN "analytics"."dim_users"."events" IS 'Events.';

COMMENT ON COLUMN "analytics"."dim_users"."page_views" IS 'Views of pages and screens.';

COMMENT ON COLUMN "analytics"."dim_users"."conversions" IS 'Conversions.';

COMMENT ON COLUMN "analytics"."dim_users"."revenue" IS 'Revenue of conversions.';

COMMENT ON COLUMN "analytics"."dim_users"."source" IS 'Source of the first session.';

COMMENT ON COLUMN "analytics"."dim_users"."medium" IS 'Medium of the first session.';

COMMENT ON COLUMN "analytics"."dim_users"."campaign" IS 'Campaign of the first session.';

COMMENT ON COLUMN "analytics"."dim_users"."channel_group" IS 'Channel group of the first session.';

COMMENT ON COLUMN "analytics"."dim_users"."traits" IS 'What is known of them now (see user_traits), as a JSON object. Personal data.';

COMMENT ON COLUMN "analytics"."dim_users"."consent_analytics" IS 'Consent to analytics, by the last event that answers it.';

COMMENT ON COLUMN "analytics"."dim_users"."consent_marketing" IS 'Consent to marketing, by the last event that answers it.';

COMMENT ON COLUMN "analytics"."dim_users"."consent_personalisation" IS 'Consent to personalisation, by the last event that answers it.';

COMMENT ON COLUMN "analytics"."dim_users"."consent_sell_or_share" IS 'Consent to be sold or shared, by the last event that answers it.';

COMMENT ON COLUMN "analytics"."dim_users"."consent_at" IS 'When the last event happened that answers any of them.';

COMMENT ON COLUMN "analytics"."dim_users"."is_bot" IS 'A robot. Those are left out of user_segments, touches, conversions and daily_metrics. Definition: the person has events, and all of them came from robots.';

COMMENT ON COLUMN "analytics"."dim_users"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."dim_user_history" (
  "person_id" varchar(512) ENCODE raw NOT NULL,
  "valid_from" timestamp with time zone ENCODE az64 NOT NULL,
  "valid_to" timestamp with time zone ENCODE az64,
  "is_current" boolean ENCODE zstd,
  "traits" varchar(65535) ENCODE zstd,
  "consent_analytics" boolean ENCODE zstd,
  "consent_marketing" boolean ENCODE zstd,
  "consent_personalisation" boolean ENCODE zstd,
  "consent_sell_or_share" boolean ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE KEY DISTKEY ("person_id")
COMPOUND SORTKEY ("person_id", "valid_from");

COMMENT ON TABLE "analytics"."dim_user_history" IS 'What was known of a person and what they agreed to, and when: one row a person and time in which nothing of it changed.';

COMMENT ON COLUMN "analytics"."dim_user_history"."person_id" IS 'The person, as who is who is known now. Personal data.';

COMMENT ON COLUMN "analytics"."dim_user_history"."valid_from" IS 'From when on it held: the first event, or one that said something else.';

COMMENT ON COLUMN "analytics"."dim_user_history"."valid_to" IS 'Until when; null while it holds.';

COMMENT ON COLUMN "analytics"."dim_user_history"."is_current" IS 'It holds.';

COMMENT ON COLUMN "analytics"."dim_user_history"."traits" IS 'What was known of them, as a JSON object; left out where the rows after it say a million characters. Personal data.';

COMMENT ON COLUMN "analytics"."dim_user_history"."consent_analytics" IS 'Consent to analytics, by the last event till then that answers it.';

COMMENT ON COLUMN "analytics"."dim_user_history"."consent_marketing" IS 'Consent to marketing, by the same.';

COMMENT ON COLUMN "analytics"."dim_user_history"."consent_personalisation" IS 'Consent to personalisation, by the same.';

COMMENT ON COLUMN "analytics"."dim_user_history"."consent_sell_or_share" IS 'Consent to be sold or shared, by the same.';

COMMENT ON COLUMN "analytics"."dim_user_history"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."dim_consent_receipts" (
  "person_id" varchar(512) ENCODE raw NOT NULL,
  "purpose" varchar(65535) ENCODE zstd NOT NULL,
  "answered_at" timestamp with time zone ENCODE az64,
  "to_at" timestamp with time zone ENCODE az64,
  "is_current" boolean ENCODE zstd,
  "answer" boolean ENCODE zstd,
  "text_version" varchar(65535) ENCODE zstd,
  "source" varchar(65535) ENCODE zstd,
  "event" varchar(512) ENCODE zstd,
  "event_id" varchar(512) ENCODE zstd NOT NULL,
  "received_at" timestamp with time zone ENCODE az64,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE KEY DISTKEY ("person_id")
COMPOUND SORTKEY ("person_id", "answered_at");

COMMENT ON TABLE "analytics"."dim_consent_receipts" IS 'What a person agreed to or refused, by which text, where and when: one row an answer that was another than the one before it, or was given to another text.';

COMMENT ON COLUMN "analytics"."dim_consent_receipts"."person_id" IS 'The person, as who is who is known now. Personal data.';

COMMENT ON COLUMN "analytics"."dim_consent_receipts"."purpose" IS 'analytics, marketing, personalisation or sell_or_share.';

COMMENT ON COLUMN "analytics"."dim_consent_receipts"."answered_at" IS 'When the event that says so happened (derived_at).';

COMMENT ON COLUMN "analytics"."dim_consent_receipts"."to_at" IS 'When they answered anew; null while it holds.';

COMMENT ON COLUMN "analytics"."dim_consent_receipts"."is_current" IS 'It holds.';

COMMENT ON COLUMN "analytics"."dim_consent_receipts"."answer" IS 'They agreed; else they refused.';

COMMENT ON COLUMN "analytics"."dim_consent_receipts"."text_version" IS 'Version of the text that was shown, as the client says.';

COMMENT ON COLUMN "analytics"."dim_consent_receipts"."source" IS 'Where they answered, as the client says: banner, settings, support, …; `gpc`: their browser did, by Global Privacy Control; `server`: a server of the site said so, and not where.';

COMMENT ON COLUMN "analytics"."dim_consent_receipts"."event" IS 'Name of the event that says so.';

COMMENT ON COLUMN "analytics"."dim_consent_receipts"."event_id" IS 'Its id.';

COMMENT ON COLUMN "analytics"."dim_consent_receipts"."received_at" IS 'When the collector took it.';

COMMENT ON COLUMN "analytics"."dim_consent_receipts"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."dim_outlier_visitors" (
  "anonymous_id" varchar(512) ENCODE raw NOT NULL,
  "person_id" varchar(512) ENCODE zstd,
  "first_at" timestamp with time zone ENCODE az64,
  "last_at" timestamp with time zone ENCODE az64,
  "actions" bigint ENCODE az64,
  "score" double precision ENCODE zstd,
  "is_outlier" boolean ENCODE zstd,
  "reason" varchar(65535) ENCODE zstd,
  "reasons" varchar(65535) ENCODE zstd,
  "why" varchar(65535) ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE KEY DISTKEY ("anonymous_id")
COMPOUND SORTKEY ("anonymous_id");

COMMENT ON TABLE "analytics"."dim_outlier_visitors" IS 'Who of the visitors of the last 28 days behaves unlike people do, though they say of themselves that they are no robots: one row a visitor who did enough to be judged. Nothing is left out anywhere for it.';

COMMENT ON COLUMN "analytics"."dim_outlier_visitors"."anonymous_id" IS 'Id of the device or browser. Personal data.';

COMMENT ON COLUMN "analytics"."dim_outlier_visitors"."person_id" IS 'The person that it belongs to (see identities). Personal data.';

COMMENT ON COLUMN "analytics"."dim_outlier_visitors"."first_at" IS 'Its first event in these days.';

COMMENT ON COLUMN "analytics"."dim_outlier_visitors"."last_at" IS 'Its last event.';

COMMENT ON COLUMN "analytics"."dim_outlier_visitors"."actions" IS 'Its events in these days, pings left out.';

COMMENT ON COLUMN "analytics"."dim_outlier_visitors"."score" IS 'How far its habits are from those of most; above 1 is further than hardly anybody''s. Definition: length of the deviations of all habits, over the length that 2 in a thousand would exceed by how those of most fall off.';

COMMENT ON COLUMN "analytics"."dim_outlier_visitors"."is_outlier" IS 'It behaves like a robot. Definition: score > 1 and at least two habits are two deviations off.';

COMMENT ON COLUMN "analytics"."dim_outlier_visitors"."reason" IS 'The habit of an outlier that is the farthest off.';

COMMENT ON COLUMN "analytics"."dim_outlier_visitors"."reasons" IS 'The habits that are two deviations off, the farthest first, as a JSON list: each with its value, what is usual, and the deviations.';

COMMENT ON COLUMN "analytics"."dim_outlier_visitors"."why" IS 'The reasons of an outlier as a sentence.';

COMMENT ON COLUMN "analytics"."dim_outlier_visitors"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."dim_group_members" (
  "group_id" varchar(512) ENCODE raw NOT NULL,
  "person_id" varchar(512) ENCODE zstd NOT NULL,
  "first_seen_at" timestamp with time zone ENCODE az64,
  "last_seen_at" timestamp with time zone ENCODE az64,
  "events" bigint ENCODE az64,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE KEY DISTKEY ("person_id")
COMPOUND SORTKEY ("group_id", "person_id");

COMMENT ON TABLE "analytics"."dim_group_members" IS 'Who belongs to which group: one row a group and a person of whom an event names the group.';

COMMENT ON COLUMN "analytics"."dim_group_members"."group_id" IS 'The group.';

COMMENT ON COLUMN "analytics"."dim_group_members"."person_id" IS 'The person. Personal data.';

COMMENT ON COLUMN "analytics"."dim_group_members"."first_seen_at" IS 'First event of the person that names the group.';

COMMENT ON COLUMN "analytics"."dim_group_members"."last_seen_at" IS 'Last such event.';

COMMENT ON COLUMN "analytics"."dim_group_members"."events" IS 'Such events.';

COMMENT ON COLUMN "analytics"."dim_group_members"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."dim_groups" (
  "group_id" varchar(512) ENCODE raw NOT NULL,
  "group_type" varchar(65535) ENCODE zstd,
  "first_seen_at" timestamp with time zone ENCODE az64,
  "last_seen_at" timestamp with time zone ENCODE az64,
  "events" bigint ENCODE az64,
  "members" bigint ENCODE az64,
  "traits" varchar(65535) ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE KEY DISTKEY ("group_id")
COMPOUND SORTKEY ("group_id");

COMMENT ON TABLE "analytics"."dim_groups" IS 'One row a group that events name by `group_id`: a company, a workspace, a team.';

COMMENT ON COLUMN "analytics"."dim_groups"."group_id" IS 'The group.';

COMMENT ON COLUMN "analytics"."dim_groups"."group_type" IS 'What kind of group it is. Definition: the property group_type of the last `group` event that has one.';

COMMENT ON COLUMN "analytics"."dim_groups"."first_seen_at" IS 'First event that names it.';

COMMENT ON COLUMN "analytics"."dim_groups"."last_seen_at" IS 'Last event that names it.';

COMMENT ON COLUMN "analytics"."dim_groups"."events" IS 'Events that name it.';

COMMENT ON COLUMN "analytics"."dim_groups"."members" IS 'Persons of whom an event names it (see group_members).';

COMMENT ON COLUMN "analytics"."dim_groups"."traits" IS 'What is known of it now, as a JSON object. Definition: of each trait what the last `group` event says that says it; null takes it back; traits_once where there is none. Personal data.';

COMMENT ON COLUMN "analytics"."dim_groups"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."dim_person_attributes" (
  "person_id" varchar(512) ENCODE zstd NOT NULL,
  "attribute" varchar(65535) ENCODE raw NOT NULL,
  "value" varchar(65535) ENCODE zstd,
  "text" varchar(65535) ENCODE zstd,
  "source" varchar(65535) ENCODE zstd,
  "group_id" varchar(512) ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE KEY DISTKEY ("person_id")
COMPOUND SORTKEY ("attribute", "text");

COMMENT ON TABLE "analytics"."dim_person_attributes" IS 'What company data says of persons now, of themselves or of their company: one row a person and attribute.';

COMMENT ON COLUMN "analytics"."dim_person_attributes"."person_id" IS 'The person. Personal data.';

COMMENT ON COLUMN "analytics"."dim_person_attributes"."attribute" IS 'Name of the attribute, as the source''s file says.';

COMMENT ON COLUMN "analytics"."dim_person_attributes"."value" IS 'What it is, as JSON. Personal data.';

COMMENT ON COLUMN "analytics"."dim_person_attributes"."text" IS 'What it is, as text: a value to group by. Personal data.';

COMMENT ON COLUMN "analytics"."dim_person_attributes"."source" IS 'The table that says so: source.table.';

COMMENT ON COLUMN "analytics"."dim_person_attributes"."group_id" IS 'The company that it is said of; null where it is said of the person. Definition: of several companies the one that the person''s last event names.';

COMMENT ON COLUMN "analytics"."dim_person_attributes"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."dim_companies" (
  "group_id" varchar(512) ENCODE raw NOT NULL,
  "name" varchar(65535) ENCODE zstd,
  "plan" varchar(65535) ENCODE zstd,
  "status" varchar(65535) ENCODE zstd,
  "industry" varchar(65535) ENCODE zstd,
  "country" varchar(65535) ENCODE zstd,
  "mrr" double precision ENCODE zstd,
  "attributes" varchar(65535) ENCODE zstd,
  "is_customer" boolean ENCODE zstd,
  "members" bigint ENCODE az64,
  "first_seen_at" timestamp with time zone ENCODE az64,
  "last_seen_at" timestamp with time zone ENCODE az64,
  "channel_group" varchar(65535) ENCODE zstd,
  "source" varchar(65535) ENCODE zstd,
  "medium" varchar(65535) ENCODE zstd,
  "campaign" varchar(65535) ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE KEY DISTKEY ("group_id")
COMPOUND SORTKEY ("group_id");

COMMENT ON TABLE "analytics"."dim_companies" IS 'One row a company: of every group that events name, and of every one that company data tells of.';

COMMENT ON COLUMN "analytics"."dim_companies"."group_id" IS 'The company''s id, as `group_id` of events and company data have it.';

COMMENT ON COLUMN "analytics"."dim_companies"."name" IS 'Its name. Definition: the attribute name.';

COMMENT ON COLUMN "analytics"."dim_companies"."plan" IS 'What it pays for. Definition: the attribute plan.';

COMMENT ON COLUMN "analytics"."dim_companies"."status" IS 'Where it stands. Definition: the attribute status.';

COMMENT ON COLUMN "analytics"."dim_companies"."industry" IS 'What it does. Definition: the attribute industry.';

COMMENT ON COLUMN "analytics"."dim_companies"."country" IS 'Where it is. Definition: the attribute country.';

COMMENT ON COLUMN "analytics"."dim_companies"."mrr" IS 'Monthly recurring revenue. Definition: the attribute mrr, where it is a number.';

COMMENT ON COLUMN "analytics"."dim_companies"."attributes" IS 'All attributes, as a JSON object. Personal data.';

COMMENT ON COLUMN "analytics"."dim_companies"."is_customer" IS 'Company data tells of it.';

COMMENT ON COLUMN "analytics"."dim_companies"."members" IS 'Persons of whom an event names it (see group_members).';

COMMENT ON COLUMN "analytics"."dim_companies"."first_seen_at" IS 'First event that names it.';

COMMENT ON COLUMN "analytics"."dim_companies"."last_seen_at" IS 'Last event that names it.';

COMMENT ON COLUMN "analytics"."dim_companies"."channel_group" IS 'Channel group that it came by. Definition: of the first session of the member who was seen first.';

COMMENT ON COLUMN "analytics"."dim_companies"."source" IS 'Source of the same session.';

COMMENT ON COLUMN "analytics"."dim_companies"."medium" IS 'Medium of the same session.';

COMMENT ON COLUMN "analytics"."dim_companies"."campaign" IS 'Campaign of the same session.';

COMMENT ON COLUMN "analytics"."dim_companies"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."fct_touches" (
  "person_id" varchar(512) ENCODE zstd,
  "session_id" varchar(512) ENCODE zstd NOT NULL,
  "at" timestamp with time zone ENCODE raw,
  "has_page_view" boolean ENCODE zstd,
  "source" varchar(65535) ENCODE zstd,
  "medium" varchar(65535) ENCODE zstd,
  "campaign" varchar(65535) ENCODE zstd,
  "channel_group" varchar(65535) ENCODE zstd,
  "last_source" varchar(65535) ENCODE zstd,
  "last_medium" varchar(65535) ENCODE zstd,
  "last_campaign" varchar(65535) ENCODE zstd,
  "last_channel_group" varchar(65535) ENCODE zstd,
  "is_touch" boolean ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE KEY DISTKEY ("person_id")
COMPOUND SORTKEY ("at");

COMMENT ON TABLE "analytics"."fct_touches" IS 'Where people''s sessions came from: one row a session, its own source and the last that was not direct. Robots are left out.';

COMMENT ON COLUMN "analytics"."fct_touches"."person_id" IS 'The person whose session it is. Personal data.';

COMMENT ON COLUMN "analytics"."fct_touches"."session_id" IS 'The session. Personal data.';

COMMENT ON COLUMN "analytics"."fct_touches"."at" IS 'Its first view; where it has none, its beginning.';

COMMENT ON COLUMN "analytics"."fct_touches"."has_page_view" IS 'It has a view of a page or a screen. Definition: it is in page_views, or its sessions.page_views > 0, or it has an entry_url.';

COMMENT ON COLUMN "analytics"."fct_touches"."source" IS 'Source of the session.';

COMMENT ON COLUMN "analytics"."fct_touches"."medium" IS 'Medium of the session.';

COMMENT ON COLUMN "analytics"."fct_touches"."campaign" IS 'Campaign of the session.';

COMMENT ON COLUMN "analytics"."fct_touches"."channel_group" IS 'Channel group of the session.';

COMMENT ON COLUMN "analytics"."fct_touches"."last_source" IS 'Source of the person''s last session that was not direct; where there is none, of the session itself. Definition: of the latest of the person''s sessions up to this one, this included, whose channel_group is neither unknown nor Direct nor Internal, if it is at most 30 days (a setting) before.';

COMMENT ON COLUMN "analytics"."fct_touches"."last_medium" IS 'Medium of the same.';

COMMENT ON COLUMN "analytics"."fct_touches"."last_campaign" IS 'Campaign of the same.';

COMMENT ON COLUMN "analytics"."fct_touches"."last_channel_group" IS 'Channel group of the same.';

COMMENT ON COLUMN "analytics"."fct_touches"."is_touch" IS 'It is a touch in conversion paths. What only a server says is no visit. Definition: has_page_view, or its sessions.platform is not server.';

COMMENT ON COLUMN "analytics"."fct_touches"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."fct_conversions" (
  "event_date" date ENCODE az64,
  "event_id" varchar(512) ENCODE zstd NOT NULL,
  "event" varchar(512) ENCODE zstd,
  "at" timestamp with time zone ENCODE raw,
  "person_id" varchar(512) ENCODE zstd,
  "anonymous_id" varchar(512) ENCODE zstd,
  "user_id" varchar(512) ENCODE zstd,
  "revenue" double precision ENCODE zstd,
  "site_date" date ENCODE az64,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE KEY DISTKEY ("person_id")
COMPOUND SORTKEY ("at");

COMMENT ON TABLE "analytics"."fct_conversions" IS 'Conversions by person, robots left out; of events that tell of the same one (conversion_ids) the first.';

COMMENT ON COLUMN "analytics"."fct_conversions"."event_date" IS 'UTC date of derived_at.';

COMMENT ON COLUMN "analytics"."fct_conversions"."event_id" IS 'The event.';

COMMENT ON COLUMN "analytics"."fct_conversions"."event" IS 'Its name.';

COMMENT ON COLUMN "analytics"."fct_conversions"."at" IS 'When it happened.';

COMMENT ON COLUMN "analytics"."fct_conversions"."person_id" IS 'The person who converted. Personal data.';

COMMENT ON COLUMN "analytics"."fct_conversions"."anonymous_id" IS 'Id of the device or browser. Personal data.';

COMMENT ON COLUMN "analytics"."fct_conversions"."user_id" IS 'Id of the signed-in user. Personal data.';

COMMENT ON COLUMN "analytics"."fct_conversions"."revenue" IS '`revenue_reporting` of the event; 0 where it has none.';

COMMENT ON COLUMN "analytics"."fct_conversions"."site_date" IS 'Date of the same by the clock of the site (see EVENT_ASSETS_TIME_ZONE): by it days, weeks and months are told.';

COMMENT ON COLUMN "analytics"."fct_conversions"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."fct_conversion_paths" (
  "event_date" date ENCODE az64,
  "person_id" varchar(512) ENCODE zstd NOT NULL,
  "event_id" varchar(512) ENCODE zstd NOT NULL,
  "at" timestamp with time zone ENCODE raw,
  "touches" bigint ENCODE az64,
  "path" varchar(65535) ENCODE zstd,
  "touched_before" varchar(65535) ENCODE zstd,
  "conversions" bigint ENCODE az64,
  "revenue" double precision ENCODE zstd,
  "site_date" date ENCODE az64,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE KEY DISTKEY ("person_id")
COMPOUND SORTKEY ("at");

COMMENT ON TABLE "analytics"."fct_conversion_paths" IS 'Which channels led to each conversion, and the paths of people who never converted.';

COMMENT ON COLUMN "analytics"."fct_conversion_paths"."event_date" IS 'UTC date of `at`.';

COMMENT ON COLUMN "analytics"."fct_conversion_paths"."person_id" IS 'The person. Personal data.';

COMMENT ON COLUMN "analytics"."fct_conversion_paths"."event_id" IS 'The conversion event; empty for the path of a person who never converted.';

COMMENT ON COLUMN "analytics"."fct_conversion_paths"."at" IS 'The conversion; without one, the last touch.';

COMMENT ON COLUMN "analytics"."fct_conversion_paths"."touches" IS 'Touches in the look-back, equal neighbours counted each. Definition: the person''s sessions that are touches (is_touch) at most 30 days (a setting) before at, ends included.';

COMMENT ON COLUMN "analytics"."fct_conversion_paths"."path" IS 'Their channel groups in order with ` > ` between, equal neighbours once; null where there is no touch. Definition: of the last 1,000 touches; Unassigned where the channel group is not known.';

COMMENT ON COLUMN "analytics"."fct_conversion_paths"."touched_before" IS 'How long before `at` each channel group of the path was touched, of equal neighbours the first, as a JSON list. Unit: microseconds.';

COMMENT ON COLUMN "analytics"."fct_conversion_paths"."conversions" IS '1, or 0 for the path of a person who never converted.';

COMMENT ON COLUMN "analytics"."fct_conversion_paths"."revenue" IS 'Revenue of the conversion.';

COMMENT ON COLUMN "analytics"."fct_conversion_paths"."site_date" IS 'Date of the same by the clock of the site (see EVENT_ASSETS_TIME_ZONE): by it days, weeks and months are told. Null without a conversion.';

COMMENT ON COLUMN "analytics"."fct_conversion_paths"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."agg_attribution" (
  "model" varchar(65535) ENCODE raw NOT NULL,
  "channel_group" varchar(65535) ENCODE zstd NOT NULL,
  "conversions" double precision ENCODE zstd,
  "revenue" double precision ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("model");

COMMENT ON TABLE "analytics"."agg_attribution" IS 'What each channel group is credited with by each attribution model. Conversions without a touch are in none.';

COMMENT ON COLUMN "analytics"."agg_attribution"."model" IS 'first, last, linear, position, time_decay or data_driven.';

COMMENT ON COLUMN "analytics"."agg_attribution"."channel_group" IS 'Channel group of the touches.';

COMMENT ON COLUMN "analytics"."agg_attribution"."conversions" IS 'Conversions credited to it, in shares. Definition: first, last: 1 to that touch; linear: the same to each; position: 0.4 to first and last each, 0.2 to those between (of two, 0.5 each); time_decay: 2^(-days before / 7); data_driven: max(p(path) - p(path without the touch), 0), all 0: the last touch, with p = conversions / paths; each path sums to 1.';

COMMENT ON COLUMN "analytics"."agg_attribution"."revenue" IS 'Revenue credited to it. Definition: by the same shares.';

COMMENT ON COLUMN "analytics"."agg_attribution"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."agg_channel_performance" (
  "event_date" date ENCODE raw NOT NULL,
  "model" varchar(65535) ENCODE zstd NOT NULL,
  "channel_group" varchar(65535) ENCODE zstd NOT NULL,
  "conversions" double precision ENCODE zstd,
  "revenue" double precision ENCODE zstd,
  "spend" double precision ENCODE zstd,
  "currency" varchar(65535) ENCODE zstd,
  "roas" double precision ENCODE zstd,
  "cpa" double precision ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("event_date");

COMMENT ON TABLE "analytics"."agg_channel_performance" IS 'The same by day of conversion, beside what was spent on the day: return on spend and cost of a conversion.';

COMMENT ON COLUMN "analytics"."agg_channel_performance"."event_date" IS 'Day of the conversion, by the clock of the site (see EVENT_ASSETS_TIME_ZONE).';

COMMENT ON COLUMN "analytics"."agg_channel_performance"."model" IS 'first, last, linear, position, time_decay or data_driven.';

COMMENT ON COLUMN "analytics"."agg_channel_performance"."channel_group" IS 'Channel group of the touches.';

COMMENT ON COLUMN "analytics"."agg_channel_performance"."conversions" IS 'Conversions credited to it, in shares.';

COMMENT ON COLUMN "analytics"."agg_channel_performance"."revenue" IS 'Revenue credited to it.';

COMMENT ON COLUMN "analytics"."agg_channel_performance"."spend" IS 'What was spent on the channel group on the day; null where no spend is known.';

COMMENT ON COLUMN "analytics"."agg_channel_performance"."currency" IS 'Currency of the spend, ISO 4217.';

COMMENT ON COLUMN "analytics"."agg_channel_performance"."roas" IS 'Return on ad spend; null without spend. Definition: revenue / spend.';

COMMENT ON COLUMN "analytics"."agg_channel_performance"."cpa" IS 'Cost of a conversion; null without any. Definition: spend / conversions.';

COMMENT ON COLUMN "analytics"."agg_channel_performance"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."dim_user_segments" (
  "person_id" varchar(512) ENCODE zstd NOT NULL,
  "as_of" date ENCODE az64,
  "recency_days" integer ENCODE az64,
  "frequency" bigint ENCODE az64,
  "monetary" double precision ENCODE zstd,
  "r_score" integer ENCODE az64,
  "f_score" integer ENCODE az64,
  "m_score" integer ENCODE az64,
  "segment" varchar(65535) ENCODE raw,
  "lifecycle_stage" varchar(65535) ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE KEY DISTKEY ("person_id")
COMPOUND SORTKEY ("segment");

COMMENT ON TABLE "analytics"."dim_user_segments" IS 'Each person''s place (robots have none) by recency, frequency and money, and the stage of their lifecycle.';

COMMENT ON COLUMN "analytics"."dim_user_segments"."person_id" IS 'The person. Personal data.';

COMMENT ON COLUMN "analytics"."dim_user_segments"."as_of" IS 'Day on which it holds: the last event date of the lake.';

COMMENT ON COLUMN "analytics"."dim_user_segments"."recency_days" IS 'Days since the last event. Unit: days.';

COMMENT ON COLUMN "analytics"."dim_user_segments"."frequency" IS 'Sessions.';

COMMENT ON COLUMN "analytics"."dim_user_segments"."monetary" IS 'Revenue.';

COMMENT ON COLUMN "analytics"."dim_user_segments"."r_score" IS 'Recency quintile, 5 is the most recent. Definition: 1 + floor(5 x persons with a longer recency / persons).';

COMMENT ON COLUMN "analytics"."dim_user_segments"."f_score" IS 'Frequency quintile, 5 is the most frequent. Definition: 1 + floor(5 x persons with fewer sessions / persons).';

COMMENT ON COLUMN "analytics"."dim_user_segments"."m_score" IS 'Money quintile, 5 is the most. Definition: 1 + floor(5 x persons with less revenue / persons).';

COMMENT ON COLUMN "analytics"."dim_user_segments"."segment" IS 'Name of the segment (champions, loyal, at risk, …).';

COMMENT ON COLUMN "analytics"."dim_user_segments"."lifecycle_stage" IS 'new, returning, resurrecting, dormant or inactive, by the week (7 days) that ends with as_of. Definition: new: first event in that week; returning: events in it and in the week before; resurrecting: events in it, none in the week before, others earlier; dormant: none in it, some in the week before; inactive: none in either.';

COMMENT ON COLUMN "analytics"."dim_user_segments"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."dim_segment_memberships" (
  "segment" varchar(65535) ENCODE raw NOT NULL,
  "person_id" varchar(512) ENCODE zstd NOT NULL,
  "from_date" date ENCODE az64 NOT NULL,
  "to_date" date ENCODE az64,
  "is_current" boolean ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE KEY DISTKEY ("person_id")
COMPOUND SORTKEY ("segment", "from_date");

COMMENT ON TABLE "analytics"."dim_segment_memberships" IS 'Who was in which segment, and from when to when: one row a stay of a person in a segment.';

COMMENT ON COLUMN "analytics"."dim_segment_memberships"."segment" IS 'Name of the segment, as its file says.';

COMMENT ON COLUMN "analytics"."dim_segment_memberships"."person_id" IS 'The person. Personal data.';

COMMENT ON COLUMN "analytics"."dim_segment_memberships"."from_date" IS 'First UTC day at whose end the person belongs to it. Definition: the segment''s conditions hold of all that the person did and was known to be up to the end of the day, and they do not hold at the end of the day before.';

COMMENT ON COLUMN "analytics"."dim_segment_memberships"."to_date" IS 'First UTC day after it at whose end they do not any more; null while they do. Definition: a member at the end of a day: from_date <= day and (to_date is null or day < to_date).';

COMMENT ON COLUMN "analytics"."dim_segment_memberships"."is_current" IS 'They belong to it at the end of the last event date of the lake.';

COMMENT ON COLUMN "analytics"."dim_segment_memberships"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."agg_trends" (
  "analysis" varchar(65535) ENCODE raw NOT NULL,
  "span" varchar(65535) ENCODE zstd NOT NULL,
  "series" integer ENCODE az64 NOT NULL,
  "letter" varchar(65535) ENCODE zstd,
  "measure" varchar(65535) ENCODE zstd,
  "series_name" varchar(65535) ENCODE zstd,
  "breakdown" varchar(65535) ENCODE zstd NOT NULL,
  "period_start" timestamp with time zone ENCODE az64 NOT NULL,
  "value" double precision ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("analysis", "period_start");

COMMENT ON TABLE "analytics"."agg_trends" IS 'The trends: one row an analysis, value of its breakdown, period, and series or formula.';

COMMENT ON COLUMN "analytics"."agg_trends"."analysis" IS 'Name of the analysis, as its file says.';

COMMENT ON COLUMN "analytics"."agg_trends"."span" IS 'now, or before: the period that it is held against.';

COMMENT ON COLUMN "analytics"."agg_trends"."series" IS 'Place of the series, from 1; formulas follow them.';

COMMENT ON COLUMN "analytics"."agg_trends"."letter" IS 'Letter of the series in formulas; null of a formula.';

COMMENT ON COLUMN "analytics"."agg_trends"."measure" IS 'What is measured: count, people, sum, …, or formula.';

COMMENT ON COLUMN "analytics"."agg_trends"."series_name" IS 'What the series or formula is called.';

COMMENT ON COLUMN "analytics"."agg_trends"."breakdown" IS 'Value of the event; else (all), (none) or (other). Of several fields a JSON list of theirs.';

COMMENT ON COLUMN "analytics"."agg_trends"."period_start" IS 'Beginning of the period; of before, of the one it is held against.';

COMMENT ON COLUMN "analytics"."agg_trends"."value" IS 'The measure; null where there is nothing to measure.';

COMMENT ON COLUMN "analytics"."agg_trends"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."agg_funnels" (
  "analysis" varchar(65535) ENCODE raw NOT NULL,
  "breakdown" varchar(65535) ENCODE zstd NOT NULL,
  "step" integer ENCODE az64 NOT NULL,
  "step_name" varchar(65535) ENCODE zstd,
  "people" bigint ENCODE az64,
  "conversion" double precision ENCODE zstd,
  "step_conversion" double precision ENCODE zstd,
  "mean_seconds" double precision ENCODE zstd,
  "median_seconds" double precision ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("analysis", "breakdown");

COMMENT ON TABLE "analytics"."agg_funnels" IS 'The funnels: one row an analysis, value of its breakdown, and step.';

COMMENT ON COLUMN "analytics"."agg_funnels"."analysis" IS 'Name of the analysis, as its file says.';

COMMENT ON COLUMN "analytics"."agg_funnels"."breakdown" IS 'Value on an event of the try; else (all), (none) or (other). Of several fields a JSON list of theirs.';

COMMENT ON COLUMN "analytics"."agg_funnels"."step" IS 'Place of the step, from 1.';

COMMENT ON COLUMN "analytics"."agg_funnels"."step_name" IS 'What the step is called.';

COMMENT ON COLUMN "analytics"."agg_funnels"."people" IS 'Persons who reached it within the window.';

COMMENT ON COLUMN "analytics"."agg_funnels"."conversion" IS 'Share of those who reached the first step.';

COMMENT ON COLUMN "analytics"."agg_funnels"."step_conversion" IS 'Share of those who reached the step before.';

COMMENT ON COLUMN "analytics"."agg_funnels"."mean_seconds" IS 'Mean time since the step before. Unit: s.';

COMMENT ON COLUMN "analytics"."agg_funnels"."median_seconds" IS 'Median time since the step before. Unit: s.';

COMMENT ON COLUMN "analytics"."agg_funnels"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."agg_funnel_trends" (
  "analysis" varchar(65535) ENCODE raw NOT NULL,
  "period_start" timestamp with time zone ENCODE az64 NOT NULL,
  "people" bigint ENCODE az64,
  "converted" bigint ENCODE az64,
  "conversion" double precision ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("analysis", "period_start");

COMMENT ON TABLE "analytics"."agg_funnel_trends" IS 'How funnels convert over time: one row an analysis and period.';

COMMENT ON COLUMN "analytics"."agg_funnel_trends"."analysis" IS 'Name of the analysis, as its file says.';

COMMENT ON COLUMN "analytics"."agg_funnel_trends"."period_start" IS 'Beginning of the period in which people took the first step.';

COMMENT ON COLUMN "analytics"."agg_funnel_trends"."people" IS 'Persons who took it.';

COMMENT ON COLUMN "analytics"."agg_funnel_trends"."converted" IS 'Those of them who reached the last step within the window.';

COMMENT ON COLUMN "analytics"."agg_funnel_trends"."conversion" IS 'converted / people.';

COMMENT ON COLUMN "analytics"."agg_funnel_trends"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."agg_times_to_convert" (
  "analysis" varchar(65535) ENCODE raw NOT NULL,
  "bin" integer ENCODE az64 NOT NULL,
  "from_seconds" double precision ENCODE zstd,
  "to_seconds" double precision ENCODE zstd,
  "people" bigint ENCODE az64,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("analysis", "bin");

COMMENT ON TABLE "analytics"."agg_times_to_convert" IS 'How long people take from one step of a funnel to another: one row an analysis and bin of the histogram.';

COMMENT ON COLUMN "analytics"."agg_times_to_convert"."analysis" IS 'Name of the analysis, as its file says.';

COMMENT ON COLUMN "analytics"."agg_times_to_convert"."bin" IS 'Place of the bin, from 0.';

COMMENT ON COLUMN "analytics"."agg_times_to_convert"."from_seconds" IS 'The least time in the bin. Unit: s.';

COMMENT ON COLUMN "analytics"."agg_times_to_convert"."to_seconds" IS 'Where the next bin begins. Unit: s.';

COMMENT ON COLUMN "analytics"."agg_times_to_convert"."people" IS 'Persons who took so long.';

COMMENT ON COLUMN "analytics"."agg_times_to_convert"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."agg_retention" (
  "analysis" varchar(65535) ENCODE raw NOT NULL,
  "span" varchar(65535) ENCODE zstd NOT NULL,
  "breakdown" varchar(65535) ENCODE zstd NOT NULL,
  "cohort_start" timestamp with time zone ENCODE az64 NOT NULL,
  "period" integer ENCODE az64 NOT NULL,
  "people" bigint ENCODE az64,
  "cohort_people" bigint ENCODE az64,
  "share" double precision ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("analysis", "cohort_start");

COMMENT ON TABLE "analytics"."agg_retention" IS 'The retention tables: one row an analysis, value of its breakdown, cohort, and period since.';

COMMENT ON COLUMN "analytics"."agg_retention"."analysis" IS 'Name of the analysis, as its file says.';

COMMENT ON COLUMN "analytics"."agg_retention"."span" IS 'now, or before: the period that it is held against.';

COMMENT ON COLUMN "analytics"."agg_retention"."breakdown" IS 'Value of the first target event; else (all), (none) or (other). Of several fields a JSON list of theirs.';

COMMENT ON COLUMN "analytics"."agg_retention"."cohort_start" IS 'Beginning of the period in which the cohort did the target event.';

COMMENT ON COLUMN "analytics"."agg_retention"."period" IS 'Periods since then; 0 is the cohort itself.';

COMMENT ON COLUMN "analytics"."agg_retention"."people" IS 'Those of the cohort who came back in that period.';

COMMENT ON COLUMN "analytics"."agg_retention"."cohort_people" IS 'Persons of the cohort.';

COMMENT ON COLUMN "analytics"."agg_retention"."share" IS 'people / cohort_people; null where the cohort is empty.';

COMMENT ON COLUMN "analytics"."agg_retention"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."agg_lifecycle" (
  "analysis" varchar(65535) ENCODE raw NOT NULL,
  "span" varchar(65535) ENCODE zstd NOT NULL,
  "period_start" timestamp with time zone ENCODE az64 NOT NULL,
  "status" varchar(65535) ENCODE zstd NOT NULL,
  "people" bigint ENCODE az64,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("analysis", "period_start");

COMMENT ON TABLE "analytics"."agg_lifecycle" IS 'The lifecycles: one row an analysis, period and status.';

COMMENT ON COLUMN "analytics"."agg_lifecycle"."analysis" IS 'Name of the analysis, as its file says.';

COMMENT ON COLUMN "analytics"."agg_lifecycle"."span" IS 'now, or before: the period that it is held against.';

COMMENT ON COLUMN "analytics"."agg_lifecycle"."period_start" IS 'Beginning of the period.';

COMMENT ON COLUMN "analytics"."agg_lifecycle"."status" IS 'new, returning, resurrecting or dormant.';

COMMENT ON COLUMN "analytics"."agg_lifecycle"."people" IS 'Persons; those who are dormant are counted negative.';

COMMENT ON COLUMN "analytics"."agg_lifecycle"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."agg_paths" (
  "analysis" varchar(65535) ENCODE raw NOT NULL,
  "step" integer ENCODE az64 NOT NULL,
  "from_node" varchar(65535) ENCODE zstd NOT NULL,
  "to_node" varchar(65535) ENCODE zstd NOT NULL,
  "transitions" bigint ENCODE az64,
  "mean_seconds" double precision ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("analysis", "step");

COMMENT ON TABLE "analytics"."agg_paths" IS 'The paths through sessions: one row an analysis and transition.';

COMMENT ON COLUMN "analytics"."agg_paths"."analysis" IS 'Name of the analysis, as its file says.';

COMMENT ON COLUMN "analytics"."agg_paths"."step" IS 'Place of from_node on the path, from 1; 0 is the way in.';

COMMENT ON COLUMN "analytics"."agg_paths"."from_node" IS 'Where from; (start) before the first, (...) for those left out.';

COMMENT ON COLUMN "analytics"."agg_paths"."to_node" IS 'Where to; (end) after the last, (...) for those left out.';

COMMENT ON COLUMN "analytics"."agg_paths"."transitions" IS 'How often: sessions that go this way at this step.';

COMMENT ON COLUMN "analytics"."agg_paths"."mean_seconds" IS 'Mean time between the two; null at both ends. Unit: s.';

COMMENT ON COLUMN "analytics"."agg_paths"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."agg_active_users" (
  "analysis" varchar(65535) ENCODE raw NOT NULL,
  "span" varchar(65535) ENCODE zstd NOT NULL,
  "event_date" date ENCODE az64 NOT NULL,
  "dau" bigint ENCODE az64,
  "wau" bigint ENCODE az64,
  "mau" bigint ENCODE az64,
  "stickiness" double precision ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("analysis", "event_date");

COMMENT ON TABLE "analytics"."agg_active_users" IS 'Active people: one row an analysis and day.';

COMMENT ON COLUMN "analytics"."agg_active_users"."analysis" IS 'Name of the analysis, as its file says.';

COMMENT ON COLUMN "analytics"."agg_active_users"."span" IS 'now, or before: the period that it is held against.';

COMMENT ON COLUMN "analytics"."agg_active_users"."event_date" IS 'Day, by the clock of the site (see EVENT_ASSETS_TIME_ZONE).';

COMMENT ON COLUMN "analytics"."agg_active_users"."dau" IS 'Persons active on the day.';

COMMENT ON COLUMN "analytics"."agg_active_users"."wau" IS 'Persons active on the day or the 6 before it.';

COMMENT ON COLUMN "analytics"."agg_active_users"."mau" IS 'Persons active on the day or the 29 before it.';

COMMENT ON COLUMN "analytics"."agg_active_users"."stickiness" IS 'dau / mau.';

COMMENT ON COLUMN "analytics"."agg_active_users"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."agg_stickiness" (
  "analysis" varchar(65535) ENCODE raw NOT NULL,
  "periods" integer ENCODE az64 NOT NULL,
  "people" bigint ENCODE az64,
  "share" double precision ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("analysis", "periods");

COMMENT ON TABLE "analytics"."agg_stickiness" IS 'How often people come: one row an analysis and number of periods.';

COMMENT ON COLUMN "analytics"."agg_stickiness"."analysis" IS 'Name of the analysis, as its file says.';

COMMENT ON COLUMN "analytics"."agg_stickiness"."periods" IS 'In how many of the hours, days, weeks or months they were active, from 1.';

COMMENT ON COLUMN "analytics"."agg_stickiness"."people" IS 'Persons active in just so many.';

COMMENT ON COLUMN "analytics"."agg_stickiness"."share" IS 'Share of all who were active.';

COMMENT ON COLUMN "analytics"."agg_stickiness"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."agg_web_vitals" (
  "analysis" varchar(65535) ENCODE raw NOT NULL,
  "page_path" varchar(65535) ENCODE zstd NOT NULL,
  "device_type" varchar(65535) ENCODE zstd NOT NULL,
  "views" bigint ENCODE az64,
  "lcp_ms" double precision ENCODE zstd,
  "inp_ms" double precision ENCODE zstd,
  "fid_ms" double precision ENCODE zstd,
  "cls" double precision ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("analysis", "page_path");

COMMENT ON TABLE "analytics"."agg_web_vitals" IS 'How fast pages are: one row an analysis, page and kind of device. 75th percentiles, interpolated.';

COMMENT ON COLUMN "analytics"."agg_web_vitals"."analysis" IS 'Name of the analysis, as its file says.';

COMMENT ON COLUMN "analytics"."agg_web_vitals"."page_path" IS 'Path of the page; (none) where there is none.';

COMMENT ON COLUMN "analytics"."agg_web_vitals"."device_type" IS 'desktop, mobile, tablet, bot or other; (none) where it is not known.';

COMMENT ON COLUMN "analytics"."agg_web_vitals"."views" IS 'Page views with at least one of the measures.';

COMMENT ON COLUMN "analytics"."agg_web_vitals"."lcp_ms" IS 'Largest contentful paint. Unit: ms.';

COMMENT ON COLUMN "analytics"."agg_web_vitals"."inp_ms" IS 'Interaction to next paint. Unit: ms.';

COMMENT ON COLUMN "analytics"."agg_web_vitals"."fid_ms" IS 'First input delay. Unit: ms.';

COMMENT ON COLUMN "analytics"."agg_web_vitals"."cls" IS 'Cumulative layout shift.';

COMMENT ON COLUMN "analytics"."agg_web_vitals"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."agg_daily" (
  "event_date" date ENCODE raw NOT NULL,
  "site_date" date ENCODE az64 NOT NULL,
  "platform" varchar(512) ENCODE zstd NOT NULL,
  "events" bigint ENCODE az64,
  "page_views" bigint ENCODE az64,
  "sessions" bigint ENCODE az64,
  "visitors" bigint ENCODE az64,
  "known_users" bigint ENCODE az64,
  "engaged_sessions" bigint ENCODE az64,
  "bounces" bigint ENCODE az64,
  "engaged_seconds" bigint ENCODE az64,
  "conversions" bigint ENCODE az64,
  "revenue" double precision ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("event_date");

COMMENT ON TABLE "analytics"."agg_daily" IS 'One row a day of the site and platform, of each day in UTC that has part of it. All measures add up by site_date. Robots are left out.';

COMMENT ON COLUMN "analytics"."agg_daily"."event_date" IS 'UTC date of derived_at.';

COMMENT ON COLUMN "analytics"."agg_daily"."site_date" IS 'Date of the same by the clock of the site (see EVENT_ASSETS_TIME_ZONE): by it days, weeks and months are told.';

COMMENT ON COLUMN "analytics"."agg_daily"."platform" IS 'web, ios, android, desktop, server, tv, console or iot.';

COMMENT ON COLUMN "analytics"."agg_daily"."events" IS 'Events.';

COMMENT ON COLUMN "analytics"."agg_daily"."page_views" IS 'Views of pages and screens.';

COMMENT ON COLUMN "analytics"."agg_daily"."sessions" IS 'Sessions that began on the day.';

COMMENT ON COLUMN "analytics"."agg_daily"."visitors" IS 'Distinct devices (else users) of those sessions. Definition: distinct coalesce(anonymous_id, user_id) of the sessions that began on the day; one that comes on two UTC days of it counts on the first.';

COMMENT ON COLUMN "analytics"."agg_daily"."known_users" IS 'Distinct signed-in users of those sessions. Definition: distinct user_id of the same, likewise.';

COMMENT ON COLUMN "analytics"."agg_daily"."engaged_sessions" IS 'Engaged sessions.';

COMMENT ON COLUMN "analytics"."agg_daily"."bounces" IS 'Bounces.';

COMMENT ON COLUMN "analytics"."agg_daily"."engaged_seconds" IS 'Engaged seconds. Unit: s.';

COMMENT ON COLUMN "analytics"."agg_daily"."conversions" IS 'Conversions.';

COMMENT ON COLUMN "analytics"."agg_daily"."revenue" IS 'Revenue of conversions.';

COMMENT ON COLUMN "analytics"."agg_daily"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."agg_daily_sessions" (
  "event_date" date ENCODE raw NOT NULL,
  "site_date" date ENCODE az64 NOT NULL,
  "app_id" varchar(65535) ENCODE zstd NOT NULL,
  "platform" varchar(512) ENCODE zstd NOT NULL,
  "country" varchar(65535) ENCODE zstd NOT NULL,
  "channel_group" varchar(65535) ENCODE zstd NOT NULL,
  "source" varchar(65535) ENCODE zstd NOT NULL,
  "medium" varchar(65535) ENCODE zstd NOT NULL,
  "campaign" varchar(65535) ENCODE zstd NOT NULL,
  "device_type" varchar(65535) ENCODE zstd NOT NULL,
  "is_bot" boolean ENCODE zstd NOT NULL,
  "sessions" bigint ENCODE az64,
  "engaged_sessions" bigint ENCODE az64,
  "bounces" bigint ENCODE az64,
  "converting_sessions" bigint ENCODE az64,
  "events" bigint ENCODE az64,
  "page_views" bigint ENCODE az64,
  "engaged_seconds" bigint ENCODE az64,
  "conversions" bigint ENCODE az64,
  "revenue" double precision ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("event_date");

COMMENT ON TABLE "analytics"."agg_daily_sessions" IS 'One row a day and combination of dimensions of the sessions that began on it. All measures add up.';

COMMENT ON COLUMN "analytics"."agg_daily_sessions"."event_date" IS 'UTC date of derived_at.';

COMMENT ON COLUMN "analytics"."agg_daily_sessions"."site_date" IS 'Date of the same by the clock of the site (see EVENT_ASSETS_TIME_ZONE): by it days, weeks and months are told.';

COMMENT ON COLUMN "analytics"."agg_daily_sessions"."app_id" IS 'Application; (none) where it is not known.';

COMMENT ON COLUMN "analytics"."agg_daily_sessions"."platform" IS 'web, ios, android, desktop, server, tv, console or iot.';

COMMENT ON COLUMN "analytics"."agg_daily_sessions"."country" IS 'Country, ISO 3166-1 alpha-2; (none) where it is not known.';

COMMENT ON COLUMN "analytics"."agg_daily_sessions"."channel_group" IS 'Default channel group; (none) where it is not known.';

COMMENT ON COLUMN "analytics"."agg_daily_sessions"."source" IS 'Source; (none) where there is none.';

COMMENT ON COLUMN "analytics"."agg_daily_sessions"."medium" IS 'Medium; (none) where there is none.';

COMMENT ON COLUMN "analytics"."agg_daily_sessions"."campaign" IS 'Campaign; (none) where there is none.';

COMMENT ON COLUMN "analytics"."agg_daily_sessions"."device_type" IS 'desktop, mobile, tablet, bot or other; (none) where it is not known.';

COMMENT ON COLUMN "analytics"."agg_daily_sessions"."is_bot" IS 'Robots.';

COMMENT ON COLUMN "analytics"."agg_daily_sessions"."sessions" IS 'Sessions.';

COMMENT ON COLUMN "analytics"."agg_daily_sessions"."engaged_sessions" IS 'Engaged sessions.';

COMMENT ON COLUMN "analytics"."agg_daily_sessions"."bounces" IS 'Bounces.';

COMMENT ON COLUMN "analytics"."agg_daily_sessions"."converting_sessions" IS 'Sessions with a conversion.';

COMMENT ON COLUMN "analytics"."agg_daily_sessions"."events" IS 'Events of these sessions.';

COMMENT ON COLUMN "analytics"."agg_daily_sessions"."page_views" IS 'Views of pages and screens in these sessions.';

COMMENT ON COLUMN "analytics"."agg_daily_sessions"."engaged_seconds" IS 'Engaged seconds. Unit: s.';

COMMENT ON COLUMN "analytics"."agg_daily_sessions"."conversions" IS 'Conversions in these sessions.';

COMMENT ON COLUMN "analytics"."agg_daily_sessions"."revenue" IS 'Revenue of these conversions.';

COMMENT ON COLUMN "analytics"."agg_daily_sessions"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."agg_daily_events" (
  "event_date" date ENCODE raw NOT NULL,
  "site_date" date ENCODE az64 NOT NULL,
  "event" varchar(512) ENCODE zstd NOT NULL,
  "app_id" varchar(65535) ENCODE zstd NOT NULL,
  "platform" varchar(512) ENCODE zstd NOT NULL,
  "country" varchar(65535) ENCODE zstd NOT NULL,
  "device_type" varchar(65535) ENCODE zstd NOT NULL,
  "is_bot" boolean ENCODE zstd NOT NULL,
  "events" bigint ENCODE az64,
  "conversions" bigint ENCODE az64,
  "revenue" double precision ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("event_date");

COMMENT ON TABLE "analytics"."agg_daily_events" IS 'One row a day, name of an event and combination of dimensions. All measures add up.';

COMMENT ON COLUMN "analytics"."agg_daily_events"."event_date" IS 'UTC date of derived_at.';

COMMENT ON COLUMN "analytics"."agg_daily_events"."site_date" IS 'Date of the same by the clock of the site (see EVENT_ASSETS_TIME_ZONE): by it days, weeks and months are told.';

COMMENT ON COLUMN "analytics"."agg_daily_events"."event" IS 'Name of the event.';

COMMENT ON COLUMN "analytics"."agg_daily_events"."app_id" IS 'Application; (none) where it is not known.';

COMMENT ON COLUMN "analytics"."agg_daily_events"."platform" IS 'web, ios, android, desktop, server, tv, console or iot.';

COMMENT ON COLUMN "analytics"."agg_daily_events"."country" IS 'Country, ISO 3166-1 alpha-2; (none) where it is not known.';

COMMENT ON COLUMN "analytics"."agg_daily_events"."device_type" IS 'desktop, mobile, tablet, bot or other; (none) where it is not known.';

COMMENT ON COLUMN "analytics"."agg_daily_events"."is_bot" IS 'Robots.';

COMMENT ON COLUMN "analytics"."agg_daily_events"."events" IS 'Events.';

COMMENT ON COLUMN "analytics"."agg_daily_events"."conversions" IS 'Of these, conversions that count.';

COMMENT ON COLUMN "analytics"."agg_daily_events"."revenue" IS 'Revenue of these conversions.';

COMMENT ON COLUMN "analytics"."agg_daily_events"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."agg_daily_pages" (
  "event_date" date ENCODE raw NOT NULL,
  "site_date" date ENCODE az64 NOT NULL,
  "page" varchar(65535) ENCODE zstd NOT NULL,
  "kind" varchar(65535) ENCODE zstd NOT NULL,
  "app_id" varchar(65535) ENCODE zstd NOT NULL,
  "platform" varchar(512) ENCODE zstd NOT NULL,
  "country" varchar(65535) ENCODE zstd NOT NULL,
  "channel_group" varchar(65535) ENCODE zstd NOT NULL,
  "device_type" varchar(65535) ENCODE zstd NOT NULL,
  "is_bot" boolean ENCODE zstd NOT NULL,
  "views" bigint ENCODE az64,
  "entries" bigint ENCODE az64,
  "exits" bigint ENCODE az64,
  "engaged_seconds" bigint ENCODE az64,
  "scrolled_views" bigint ENCODE az64,
  "scroll_percent" bigint ENCODE az64,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("event_date");

COMMENT ON TABLE "analytics"."agg_daily_pages" IS 'One row a day, page or screen and combination of dimensions of the views that began on it. All measures add up.';

COMMENT ON COLUMN "analytics"."agg_daily_pages"."event_date" IS 'UTC date of derived_at.';

COMMENT ON COLUMN "analytics"."agg_daily_pages"."site_date" IS 'Date of the same by the clock of the site (see EVENT_ASSETS_TIME_ZONE): by it days, weeks and months are told.';

COMMENT ON COLUMN "analytics"."agg_daily_pages"."page" IS 'Path of the page, else name of the screen; (none) where there is neither.';

COMMENT ON COLUMN "analytics"."agg_daily_pages"."kind" IS 'page or screen.';

COMMENT ON COLUMN "analytics"."agg_daily_pages"."app_id" IS 'Application; (none) where it is not known.';

COMMENT ON COLUMN "analytics"."agg_daily_pages"."platform" IS 'web, ios, android, desktop, server, tv, console or iot.';

COMMENT ON COLUMN "analytics"."agg_daily_pages"."country" IS 'Country, ISO 3166-1 alpha-2; (none) where it is not known.';

COMMENT ON COLUMN "analytics"."agg_daily_pages"."channel_group" IS 'Default channel group; (none) where it is not known.';

COMMENT ON COLUMN "analytics"."agg_daily_pages"."device_type" IS 'desktop, mobile, tablet, bot or other; (none) where it is not known.';

COMMENT ON COLUMN "analytics"."agg_daily_pages"."is_bot" IS 'Robots.';

COMMENT ON COLUMN "analytics"."agg_daily_pages"."views" IS 'Views.';

COMMENT ON COLUMN "analytics"."agg_daily_pages"."entries" IS 'Views that are the first of their session.';

COMMENT ON COLUMN "analytics"."agg_daily_pages"."exits" IS 'Views that are the last of their session.';

COMMENT ON COLUMN "analytics"."agg_daily_pages"."engaged_seconds" IS 'Engaged seconds. Unit: s.';

COMMENT ON COLUMN "analytics"."agg_daily_pages"."scrolled_views" IS 'Views of which the scroll is known.';

COMMENT ON COLUMN "analytics"."agg_daily_pages"."scroll_percent" IS 'Sum of how far these were scrolled. Unit: %.';

COMMENT ON COLUMN "analytics"."agg_daily_pages"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."agg_period_people" (
  "period" varchar(65535) ENCODE raw NOT NULL,
  "from_date" date ENCODE az64 NOT NULL,
  "to_date" date ENCODE az64,
  "dimension" varchar(65535) ENCODE zstd NOT NULL,
  "value" varchar(65535) ENCODE zstd NOT NULL,
  "people" bigint ENCODE az64,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("period", "from_date");

COMMENT ON TABLE "analytics"."agg_period_people" IS 'Distinct people of a whole day or period by one dimension. They do not add up: who is there twice counts once. Robots are left out.';

COMMENT ON COLUMN "analytics"."agg_period_people"."period" IS 'day, 7 days, 28 days, 90 days or month. Definition: the last so many days of the lake and as many before these; every calendar month; of the dimensions all, platform, app_id, country and channel_group each of the last 180 days, too.';

COMMENT ON COLUMN "analytics"."agg_period_people"."from_date" IS 'First day, by the site''s clock.';

COMMENT ON COLUMN "analytics"."agg_period_people"."to_date" IS 'Last day, of which there need not be events.';

COMMENT ON COLUMN "analytics"."agg_period_people"."dimension" IS 'all, platform, app_id, country, channel_group, source, campaign, device_type, event or page.';

COMMENT ON COLUMN "analytics"."agg_period_people"."value" IS 'Value of the dimension; (none) where there is none, (all) of the dimension all.';

COMMENT ON COLUMN "analytics"."agg_period_people"."people" IS 'Distinct people. Definition: distinct person_id of the sessions that began in the period; by event of the events in it; by page of the views that began in it.';

COMMENT ON COLUMN "analytics"."agg_period_people"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."dim_date" (
  "date" date ENCODE raw NOT NULL,
  "year" integer ENCODE az64,
  "quarter" integer ENCODE az64,
  "month" integer ENCODE az64,
  "day" integer ENCODE az64,
  "day_of_week" integer ENCODE az64,
  "week" integer ENCODE az64,
  "week_year" integer ENCODE az64,
  "week_start" date ENCODE az64,
  "month_start" date ENCODE az64,
  "is_weekend" boolean ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("date");

COMMENT ON TABLE "analytics"."dim_date" IS 'One row a day of the calendar years that there are events of.';

COMMENT ON COLUMN "analytics"."dim_date"."date" IS 'The day.';

COMMENT ON COLUMN "analytics"."dim_date"."year" IS 'Calendar year.';

COMMENT ON COLUMN "analytics"."dim_date"."quarter" IS 'Quarter of the year, from 1.';

COMMENT ON COLUMN "analytics"."dim_date"."month" IS 'Month of the year, from 1.';

COMMENT ON COLUMN "analytics"."dim_date"."day" IS 'Day of the month, from 1.';

COMMENT ON COLUMN "analytics"."dim_date"."day_of_week" IS 'Day of the week: 1 is Monday, 7 Sunday.';

COMMENT ON COLUMN "analytics"."dim_date"."week" IS 'Week of week_year, from 1 (ISO 8601).';

COMMENT ON COLUMN "analytics"."dim_date"."week_year" IS 'Year that the week belongs to: that of its Thursday.';

COMMENT ON COLUMN "analytics"."dim_date"."week_start" IS 'Monday of the week.';

COMMENT ON COLUMN "analytics"."dim_date"."month_start" IS 'First day of the month.';

COMMENT ON COLUMN "analytics"."dim_date"."is_weekend" IS 'Saturday or Sunday.';

COMMENT ON COLUMN "analytics"."dim_date"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."dim_page" (
  "page_key" varchar(512) ENCODE zstd NOT NULL,
  "kind" varchar(65535) ENCODE zstd,
  "page" varchar(65535) ENCODE raw,
  "section" varchar(65535) ENCODE zstd,
  "title" varchar(65535) ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("page");

COMMENT ON TABLE "analytics"."dim_page" IS 'One row a page or screen.';

COMMENT ON COLUMN "analytics"."dim_page"."page_key" IS 'Key. Definition: MD5 of kind, page, each after its length in characters and a colon, (none) where there is none.';

COMMENT ON COLUMN "analytics"."dim_page"."kind" IS 'page or screen; (none) where it is not known.';

COMMENT ON COLUMN "analytics"."dim_page"."page" IS 'Path of the page, else name of the screen; (none) where there is neither.';

COMMENT ON COLUMN "analytics"."dim_page"."section" IS 'First part of the path, such as /blog; of a screen, and of /, the page itself.';

COMMENT ON COLUMN "analytics"."dim_page"."title" IS 'Title of its last view that has one.';

COMMENT ON COLUMN "analytics"."dim_page"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."dim_campaign" (
  "campaign_key" varchar(512) ENCODE zstd NOT NULL,
  "source" varchar(65535) ENCODE raw,
  "medium" varchar(65535) ENCODE zstd,
  "campaign" varchar(65535) ENCODE zstd,
  "channel_group" varchar(65535) ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("source", "medium");

COMMENT ON TABLE "analytics"."dim_campaign" IS 'One row a combination of source, medium, campaign and channel group that sessions came by.';

COMMENT ON COLUMN "analytics"."dim_campaign"."campaign_key" IS 'Key. Definition: MD5 of source, medium, campaign, channel_group, each after its length in characters and a colon, (none) where there is none.';

COMMENT ON COLUMN "analytics"."dim_campaign"."source" IS 'Source; (none) where there is none.';

COMMENT ON COLUMN "analytics"."dim_campaign"."medium" IS 'Medium; (none) where there is none.';

COMMENT ON COLUMN "analytics"."dim_campaign"."campaign" IS 'Campaign; (none) where there is none.';

COMMENT ON COLUMN "analytics"."dim_campaign"."channel_group" IS 'Default channel group; (none) where it is not known.';

COMMENT ON COLUMN "analytics"."dim_campaign"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."dim_device" (
  "device_key" varchar(512) ENCODE zstd NOT NULL,
  "device_type" varchar(65535) ENCODE raw,
  "os" varchar(65535) ENCODE zstd,
  "browser" varchar(65535) ENCODE zstd,
  "platform" varchar(512) ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("device_type", "os");

COMMENT ON TABLE "analytics"."dim_device" IS 'One row a combination of device type, operating system, browser and platform that sessions were of.';

COMMENT ON COLUMN "analytics"."dim_device"."device_key" IS 'Key. Definition: MD5 of device_type, os, browser, platform, each after its length in characters and a colon, (none) where there is none.';

COMMENT ON COLUMN "analytics"."dim_device"."device_type" IS 'desktop, mobile, tablet, bot or other; (none) where it is not known.';

COMMENT ON COLUMN "analytics"."dim_device"."os" IS 'Operating system; (none) where it is not known.';

COMMENT ON COLUMN "analytics"."dim_device"."browser" IS 'Browser; (none) where it is not known.';

COMMENT ON COLUMN "analytics"."dim_device"."platform" IS 'web, ios, android, desktop, server, tv, console or iot.';

COMMENT ON COLUMN "analytics"."dim_device"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."dim_geo" (
  "geo_key" varchar(512) ENCODE zstd NOT NULL,
  "level" varchar(65535) ENCODE zstd,
  "country" varchar(65535) ENCODE raw,
  "region" varchar(65535) ENCODE zstd,
  "city" varchar(65535) ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("country", "region");

COMMENT ON TABLE "analytics"."dim_geo" IS 'One row a country that events came from, a region of it, a city of that.';

COMMENT ON COLUMN "analytics"."dim_geo"."geo_key" IS 'Key. Definition: MD5 of country, region, city, each after its length in characters and a colon, (none) where there is none.';

COMMENT ON COLUMN "analytics"."dim_geo"."level" IS 'country, region or city: what the row is of.';

COMMENT ON COLUMN "analytics"."dim_geo"."country" IS 'Country, ISO 3166-1 alpha-2; (none) where it is not known.';

COMMENT ON COLUMN "analytics"."dim_geo"."region" IS 'Region; (none) of a country, and where it is not known.';

COMMENT ON COLUMN "analytics"."dim_geo"."city" IS 'City; (none) of a country or region.';

COMMENT ON COLUMN "analytics"."dim_geo"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."dim_person_features" (
  "person_id" varchar(512) ENCODE raw NOT NULL,
  "from_date" date ENCODE az64 NOT NULL,
  "to_date" date ENCODE az64,
  "features" varchar(65535) ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE KEY DISTKEY ("person_id")
COMPOUND SORTKEY ("person_id", "from_date");

COMMENT ON TABLE "analytics"."dim_person_features" IS 'The features of persons, as their files say, and from when to when each was so: one row a person and time in which no feature changed.';

COMMENT ON COLUMN "analytics"."dim_person_features"."person_id" IS 'The person, as who is who is known now. Personal data.';

COMMENT ON COLUMN "analytics"."dim_person_features"."from_date" IS 'First UTC day at whose end it was so. It may lie in the future: what will be so if nothing else happens, since events leave the period that is counted.';

COMMENT ON COLUMN "analytics"."dim_person_features"."to_date" IS 'First UTC day after it at whose end something was not so any more; null where nothing is to come. Definition: so at the end of a day: from_date <= day and (to_date is null or day < to_date).';

COMMENT ON COLUMN "analytics"."dim_person_features"."features" IS 'The features that have a value, as a JSON object. Instead of days since something, the date of it. Personal data.';

COMMENT ON COLUMN "analytics"."dim_person_features"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."dim_trained_models" (
  "name" varchar(65535) ENCODE raw NOT NULL,
  "number" bigint ENCODE az64 NOT NULL,
  "version" varchar(65535) ENCODE zstd,
  "trained_to" date ENCODE az64,
  "is_promoted" boolean ENCODE zstd,
  "why" varchar(65535) ENCODE zstd,
  "learned_from" bigint ENCODE az64,
  "tried_on" bigint ENCODE az64,
  "auc" double precision ENCODE zstd,
  "rule_auc" double precision ENCODE zstd,
  "card" varchar(65535) ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("name");

COMMENT ON TABLE "analytics"."dim_trained_models" IS 'What models learned: one row a model and week, or change of its file. It names nobody.';

COMMENT ON COLUMN "analytics"."dim_trained_models"."name" IS 'Name of the model, as its file says.';

COMMENT ON COLUMN "analytics"."dim_trained_models"."number" IS 'Which of its trainings it is, from 1: the last one counts.';

COMMENT ON COLUMN "analytics"."dim_trained_models"."version" IS 'Version of the code and of the files that it was trained by.';

COMMENT ON COLUMN "analytics"."dim_trained_models"."trained_to" IS 'Last day, a Sunday, of what it learned from and was tried on.';

COMMENT ON COLUMN "analytics"."dim_trained_models"."is_promoted" IS 'It takes the place of the rule of its file. Definition: auc > the upper end of the interval of rule_auc.';

COMMENT ON COLUMN "analytics"."dim_trained_models"."why" IS 'Why it does, or does not.';

COMMENT ON COLUMN "analytics"."dim_trained_models"."learned_from" IS 'People at moments that it learned from.';

COMMENT ON COLUMN "analytics"."dim_trained_models"."tried_on" IS 'People at later moments that it was tried on.';

COMMENT ON COLUMN "analytics"."dim_trained_models"."auc" IS 'Area under the curve of those that it was tried on; null where there were too few.';

COMMENT ON COLUMN "analytics"."dim_trained_models"."rule_auc" IS 'The same of the feature of the rule.';

COMMENT ON COLUMN "analytics"."dim_trained_models"."card" IS 'What is to be known of it, as JSON: intervals, calibration, importance, groups.';

COMMENT ON COLUMN "analytics"."dim_trained_models"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."agg_metric_anomalies" (
  "period" varchar(65535) ENCODE zstd NOT NULL,
  "period_start" timestamp with time zone ENCODE raw NOT NULL,
  "metric" varchar(65535) ENCODE zstd NOT NULL,
  "dimension" varchar(65535) ENCODE zstd NOT NULL,
  "value" varchar(65535) ENCODE zstd NOT NULL,
  "kind" varchar(65535) ENCODE zstd,
  "amount" double precision ENCODE zstd,
  "whole" double precision ENCODE zstd,
  "observed" double precision ENCODE zstd,
  "expected" double precision ENCODE zstd,
  "low" double precision ENCODE zstd,
  "high" double precision ENCODE zstd,
  "score" double precision ENCODE zstd,
  "window_periods" integer ENCODE az64,
  "probability" double precision ENCODE zstd,
  "state" varchar(65535) ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("period_start");

COMMENT ON TABLE "analytics"."agg_metric_anomalies" IS 'What was expected of each metric, and what came: one row a metric, value of a dimension, and day or hour. The last one of the lake is left out: it is not over. Days of the last thirteen months, and hours of the last week, are kept where anything came, and before them what is unusual, with its metric.';

COMMENT ON COLUMN "analytics"."agg_metric_anomalies"."period" IS 'day, hour or minute.';

COMMENT ON COLUMN "analytics"."agg_metric_anomalies"."period_start" IS 'Beginning of the hour; of the day, by the clock of the site, taken as UTC.';

COMMENT ON COLUMN "analytics"."agg_metric_anomalies"."metric" IS 'Name of the metric, as the file of anomalies says.';

COMMENT ON COLUMN "analytics"."agg_metric_anomalies"."dimension" IS 'Dimension that it is told by; all of everything together.';

COMMENT ON COLUMN "analytics"."agg_metric_anomalies"."value" IS 'Value of the dimension; (all) of everything together.';

COMMENT ON COLUMN "analytics"."agg_metric_anomalies"."kind" IS 'count, rate or value.';

COMMENT ON COLUMN "analytics"."agg_metric_anomalies"."amount" IS 'What was counted; of a rate, how many of `whole`.';

COMMENT ON COLUMN "analytics"."agg_metric_anomalies"."whole" IS 'Of how many it is a rate; null otherwise.';

COMMENT ON COLUMN "analytics"."agg_metric_anomalies"."observed" IS 'The metric. Definition: amount; of a rate amount / whole.';

COMMENT ON COLUMN "analytics"."agg_metric_anomalies"."expected" IS 'What was expected by those before it; null where these are too few.';

COMMENT ON COLUMN "analytics"."agg_metric_anomalies"."low" IS 'On ninety-nine usual days or hours in a hundred it lies above this.';

COMMENT ON COLUMN "analytics"."agg_metric_anomalies"."high" IS 'And below this.';

COMMENT ON COLUMN "analytics"."agg_metric_anomalies"."score" IS 'How far off it is; below 0 less than expected. 3 is rare, 5 hardly ever seen.';

COMMENT ON COLUMN "analytics"."agg_metric_anomalies"."window_periods" IS 'Over how many days or hours up to this one it is that far off.';

COMMENT ON COLUMN "analytics"."agg_metric_anomalies"."probability" IS 'How probable that is on a usual day or hour. Definition: the largest of what the model, the tail of the series'' own past, and that past itself give, times half the number of windows.';

COMMENT ON COLUMN "analytics"."agg_metric_anomalies"."state" IS 'usual, unusual (it is told), known event, or not enough history.';

COMMENT ON COLUMN "analytics"."agg_metric_anomalies"."loaded_at" IS 'When the row''s key first came in.';

CREATE TABLE IF NOT EXISTS "analytics"."agg_metric_incidents" (
  "incident_id" varchar(65535) ENCODE zstd NOT NULL,
  "period" varchar(65535) ENCODE zstd,
  "metric" varchar(65535) ENCODE zstd,
  "dimension" varchar(65535) ENCODE zstd,
  "value" varchar(65535) ENCODE zstd,
  "from_date" date ENCODE raw,
  "begins_at" timestamp with time zone ENCODE az64,
  "ends_at" timestamp with time zone ENCODE az64,
  "is_open" boolean ENCODE zstd,
  "direction" varchar(65535) ENCODE zstd,
  "periods" integer ENCODE az64,
  "series" integer ENCODE az64,
  "metrics" varchar(65535) ENCODE zstd,
  "worst_at" timestamp with time zone ENCODE az64,
  "observed" double precision ENCODE zstd,
  "expected" double precision ENCODE zstd,
  "score" double precision ENCODE zstd,
  "excess" double precision ENCODE zstd,
  "driver_dimension" varchar(65535) ENCODE zstd,
  "driver_value" varchar(65535) ENCODE zstd,
  "driver_share" double precision ENCODE zstd,
  "is_muted" boolean ENCODE zstd,
  "was_real" boolean ENCODE zstd,
  "what" varchar(65535) ENCODE zstd,
  "loaded_at" timestamp with time zone ENCODE az64 NOT NULL
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("from_date");

COMMENT ON TABLE "analytics"."agg_metric_incidents" IS 'Unusual days, hours or minutes that belong together: one row an incident.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."incident_id" IS 'The incident, by its first day, hour or minute and what it began with; feedback names it so.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."period" IS 'day, hour or minute.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."metric" IS 'Name of the metric, as the file of anomalies says.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."dimension" IS 'Dimension that it is told by; all of everything together.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."value" IS 'Value of the dimension; (all) of everything together.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."from_date" IS 'Day on which it began.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."begins_at" IS 'Beginning of the first unusual day, hour or minute, as in metric_anomalies.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."ends_at" IS 'End of the last one.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."is_open" IS 'It goes on. Definition: of the days or hours in which anything came at most 2 lie after ends_at, of such minutes at most 10.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."direction" IS 'more or less than expected.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."periods" IS 'Days, hours or minutes in which anything of it was unusual.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."series" IS 'Metrics and values that were unusual.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."metrics" IS 'The metrics, as a JSON list.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."worst_at" IS 'Beginning of the one in which what it began with was furthest off.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."observed" IS 'The metric in it.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."expected" IS 'What was expected of it.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."score" IS 'How far off it was; below 0 less than expected.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."excess" IS 'How many more than expected over all of it, of what it began with; below 0 fewer. Of a rate, of what is counted.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."driver_dimension" IS 'Dimension of the value that explains most of it; null where none does.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."driver_value" IS 'That value.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."driver_share" IS 'Its share of what is more or less in the worst one.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."is_muted" IS 'The file of anomalies says that nobody is told.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."was_real" IS 'What the file says of it; null while it says nothing.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."what" IS 'What happened, as a sentence.';

COMMENT ON COLUMN "analytics"."agg_metric_incidents"."loaded_at" IS 'When the row''s key first came in.';

CREATE OR REPLACE VIEW "analytics"."bi_events" AS
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
  "fct_events"."page_url" AS "page_url",
  "fct_events"."page_title" AS "page_title",
  "fct_events"."page_referrer" AS "page_referrer",
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
  "fct_events"."device_user_agent" AS "device_user_agent",
  "fct_events"."device_model" AS "device_model",
  "fct_events"."device_os" AS "device_os",
  "fct_events"."device_os_version" AS "device_os_version",
  "fct_events"."device_locale" AS "device_locale",
  "fct_events"."device_timezone" AS "device_timezone",
  "fct_events"."device_manufacturer" AS "device_manufacturer",
  "fct_events"."device_id" AS "device_id",
  "fct_events"."device_advertising_id" AS "device_advertising_id",
  "fct_events"."device_ad_tracking" AS "device_ad_tracking",
  "fct_events"."ip" AS "ip",
  "fct_events"."consent_analytics" AS "consent_analytics",
  "fct_events"."consent_marketing" AS "consent_marketing",
  "fct_events"."consent_personalisation" AS "consent_personalisation",
  "fct_events"."consent_sell_or_share" AS "consent_sell_or_share",
  "fct_events"."consent_gpc" AS "consent_gpc",
  "fct_events"."consent_source" AS "consent_source",
  "fct_events"."consent_text_version" AS "consent_text_version",
  "fct_events"."properties" AS "properties",
  "fct_events"."traits" AS "traits",
  "fct_events"."traits_once" AS "traits_once",
  "fct_events"."library_name" AS "library_name",
  "fct_events"."library_version" AS "library_version",
  "fct_events"."plan_violations" AS "plan_violations",
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
  "fct_events"."search_term" AS "search_term",
  "fct_events"."source" AS "source",
  "fct_events"."medium" AS "medium",
  "fct_events"."campaign" AS "campaign",
  "fct_events"."term" AS "term",
  "fct_events"."content" AS "content",
  "fct_events"."click_id" AS "click_id",
  "fct_events"."channel_group" AS "channel_group",
  "fct_events"."region" AS "region",
  "fct_events"."city" AS "city",
  "fct_events"."asn" AS "asn",
  "fct_events"."as_organization" AS "as_organization",
  "fct_events"."revenue" AS "revenue",
  "fct_events"."currency" AS "currency",
  "fct_events"."revenue_reporting" AS "revenue_reporting",
  "fct_events"."lcp_ms" AS "lcp_ms",
  "fct_events"."inp_ms" AS "inp_ms",
  "fct_events"."fid_ms" AS "fid_ms",
  "fct_events"."cls" AS "cls",
  "fct_events"."custom" AS "custom",
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
FROM "analytics"."fct_events"
LEFT JOIN (SELECT "date", max("year") AS "year", max("quarter") AS "quarter", max("month") AS "month", max("day") AS "day", max("day_of_week") AS "day_of_week", max("week") AS "week", max("week_year") AS "week_year", max("week_start") AS "week_start", max("month_start") AS "month_start", bool_or("is_weekend") AS "is_weekend" FROM "analytics"."dim_date" GROUP BY "date") AS "dim_date" ON "dim_date"."date" = coalesce("fct_events"."site_date", "fct_events"."event_date")
LEFT JOIN (SELECT "anonymous_id", max("first_seen_at") AS "first_seen_at", max("last_seen_at") AS "last_seen_at", max("sessions") AS "sessions" FROM "analytics"."dim_visitors" GROUP BY "anonymous_id") AS "dim_visitors" ON "dim_visitors"."anonymous_id" = "fct_events"."anonymous_id";

COMMENT ON VIEW "analytics"."bi_events" IS 'fct_events, and beside each row what it is of: dim_date, dim_visitors. Every event once, by the date on which it happened, with device, source and landing fields. [08f43e51]';

COMMENT ON COLUMN "analytics"."bi_events"."event_date" IS 'UTC date of derived_at.';

COMMENT ON COLUMN "analytics"."bi_events"."event_id" IS 'Id made by the client, the same over every retry.';

COMMENT ON COLUMN "analytics"."bi_events"."event" IS 'Name of the event.';

COMMENT ON COLUMN "analytics"."bi_events"."schema_version" IS 'Version of the tracking-plan entry.';

COMMENT ON COLUMN "analytics"."bi_events"."anonymous_id" IS 'Id of the device or browser. Personal data.';

COMMENT ON COLUMN "analytics"."bi_events"."user_id" IS 'Id of the signed-in user. Personal data.';

COMMENT ON COLUMN "analytics"."bi_events"."session_id" IS 'Session id given by the client. Personal data.';

COMMENT ON COLUMN "analytics"."bi_events"."page_view_id" IS 'Page view id given by the client.';

COMMENT ON COLUMN "analytics"."bi_events"."group_id" IS 'Group that it is about: a company, a workspace, a team.';

COMMENT ON COLUMN "analytics"."bi_events"."install_id" IS 'Installation that counts `sequence`. Personal data.';

COMMENT ON COLUMN "analytics"."bi_events"."sequence" IS 'Counts up per anonymous_id and install; gaps are events lost before the collector.';

COMMENT ON COLUMN "analytics"."bi_events"."occurred_at" IS 'Client clock: when it happened.';

COMMENT ON COLUMN "analytics"."bi_events"."sent_at" IS 'Client clock: when the request left.';

COMMENT ON COLUMN "analytics"."bi_events"."received_at" IS 'When the collector took it, or as a trusted source says.';

COMMENT ON COLUMN "analytics"."bi_events"."derived_at" IS 'When it happened, by the server''s clock (see the time rules). Definition: given by a trusted import, else received_at - (sent_at - occurred_at) where occurred_at <= sent_at, else received_at.';

COMMENT ON COLUMN "analytics"."bi_events"."platform" IS 'web, ios, android, desktop, server, tv, console or iot.';

COMMENT ON COLUMN "analytics"."bi_events"."app_id" IS 'Application.';

COMMENT ON COLUMN "analytics"."bi_events"."app_version" IS 'Version of the application.';

COMMENT ON COLUMN "analytics"."bi_events"."app_build" IS 'Build of the application.';

COMMENT ON COLUMN "analytics"."bi_events"."page_url" IS 'URL of the page.';

COMMENT ON COLUMN "analytics"."bi_events"."page_title" IS 'Title of the page.';

COMMENT ON COLUMN "analytics"."bi_events"."page_referrer" IS 'Referrer of the page.';

COMMENT ON COLUMN "analytics"."bi_events"."screen_name" IS 'Screen of a mobile or desktop app.';

COMMENT ON COLUMN "analytics"."bi_events"."screen_width" IS 'Width of the screen. Unit: px.';

COMMENT ON COLUMN "analytics"."bi_events"."screen_height" IS 'Height of the screen. Unit: px.';

COMMENT ON COLUMN "analytics"."bi_events"."viewport_width" IS 'Width of the viewport. Unit: px.';

COMMENT ON COLUMN "analytics"."bi_events"."viewport_height" IS 'Height of the viewport. Unit: px.';

COMMENT ON COLUMN "analytics"."bi_events"."document_width" IS 'Width of the document. Unit: px.';

COMMENT ON COLUMN "analytics"."bi_events"."document_height" IS 'Height of the document. Unit: px.';

COMMENT ON COLUMN "analytics"."bi_events"."scroll_x_max" IS 'Furthest horizontal scroll since the ping before. Unit: px.';

COMMENT ON COLUMN "analytics"."bi_events"."scroll_y_max" IS 'Furthest vertical scroll since the ping before. Unit: px.';

COMMENT ON COLUMN "analytics"."bi_events"."campaign_source" IS 'Source of the campaign, as the client says; see `source`.';

COMMENT ON COLUMN "analytics"."bi_events"."campaign_medium" IS 'Medium of the campaign, as the client says; see `medium`.';

COMMENT ON COLUMN "analytics"."bi_events"."campaign_name" IS 'Name of the campaign, as the client says; see `campaign`.';

COMMENT ON COLUMN "analytics"."bi_events"."campaign_term" IS 'Term of the campaign, as the client says; see `term`.';

COMMENT ON COLUMN "analytics"."bi_events"."campaign_content" IS 'Content of the campaign, as the client says; see `content`.';

COMMENT ON COLUMN "analytics"."bi_events"."device_user_agent" IS 'User agent.';

COMMENT ON COLUMN "analytics"."bi_events"."device_model" IS 'Model of the device.';

COMMENT ON COLUMN "analytics"."bi_events"."device_os" IS 'Operating system, as the client says.';

COMMENT ON COLUMN "analytics"."bi_events"."device_os_version" IS 'Its version, as the client says.';

COMMENT ON COLUMN "analytics"."bi_events"."device_locale" IS 'Locale of the device.';

COMMENT ON COLUMN "analytics"."bi_events"."device_timezone" IS 'Time zone of the device.';

COMMENT ON COLUMN "analytics"."bi_events"."device_manufacturer" IS 'Manufacturer of the device.';

COMMENT ON COLUMN "analytics"."bi_events"."device_id" IS 'The maker''s id of the device; left out where others may not know the person. Personal data.';

COMMENT ON COLUMN "analytics"."bi_events"."device_advertising_id" IS 'Advertising id of the device; left out where others may not know the person. Personal data.';

COMMENT ON COLUMN "analytics"."bi_events"."device_ad_tracking" IS 'Whether the device''s owner lets advertisers recognise it.';

COMMENT ON COLUMN "analytics"."bi_events"."ip" IS 'IP address, after the privacy setting. Personal data.';

COMMENT ON COLUMN "analytics"."bi_events"."consent_analytics" IS 'Consent to analytics.';

COMMENT ON COLUMN "analytics"."bi_events"."consent_marketing" IS 'Consent to marketing.';

COMMENT ON COLUMN "analytics"."bi_events"."consent_personalisation" IS 'Consent to personalisation.';

COMMENT ON COLUMN "analytics"."bi_events"."consent_sell_or_share" IS 'Consent to be sold or shared, in the words of the CCPA.';

COMMENT ON COLUMN "analytics"."bi_events"."consent_gpc" IS 'A browser''s Global Privacy Control answered that.';

COMMENT ON COLUMN "analytics"."bi_events"."consent_source" IS 'Where consent was asked for, as the client says: banner, settings, support, …';

COMMENT ON COLUMN "analytics"."bi_events"."consent_text_version" IS 'Version of the text that was shown with it.';

COMMENT ON COLUMN "analytics"."bi_events"."properties" IS 'Properties of the event, as JSON. Of a name that is given twice the last value counts.';

COMMENT ON COLUMN "analytics"."bi_events"."traits" IS 'Traits of the user, or of the group that a `group` event is about, as JSON. Personal data.';

COMMENT ON COLUMN "analytics"."bi_events"."traits_once" IS 'Traits that hold where there is none of that name yet, as JSON. Personal data.';

COMMENT ON COLUMN "analytics"."bi_events"."library_name" IS 'SDK that sent it.';

COMMENT ON COLUMN "analytics"."bi_events"."library_version" IS 'Version of the SDK.';

COMMENT ON COLUMN "analytics"."bi_events"."plan_violations" IS 'What the tracking plan warns about.';

COMMENT ON COLUMN "analytics"."bi_events"."arrival_date" IS 'UTC date on which the stream took the record.';

COMMENT ON COLUMN "analytics"."bi_events"."arrival_hour" IS 'UTC hour on which the stream took the record. Unit: hour.';

COMMENT ON COLUMN "analytics"."bi_events"."country" IS 'Country of the IP address, ISO 3166-1 alpha-2; by the bundled database the one it is registered in.';

COMMENT ON COLUMN "analytics"."bi_events"."page_host" IS 'Host of the page.';

COMMENT ON COLUMN "analytics"."bi_events"."page_path" IS 'Path of the page.';

COMMENT ON COLUMN "analytics"."bi_events"."browser" IS 'Browser family from the user agent.';

COMMENT ON COLUMN "analytics"."bi_events"."browser_version" IS 'Major version of the browser.';

COMMENT ON COLUMN "analytics"."bi_events"."os" IS 'Operating system from the user agent, else as the client says.';

COMMENT ON COLUMN "analytics"."bi_events"."os_version" IS 'Major version of the operating system.';

COMMENT ON COLUMN "analytics"."bi_events"."device_type" IS 'desktop, mobile, tablet, bot or other. Definition: bot where is_bot, else what the user agent tells, else what the platform implies, else other.';

COMMENT ON COLUMN "analytics"."bi_events"."is_bot" IS 'The user agent is a robot''s. Definition: uap-core''s Spider family, a crawler-user-agents pattern, a bot, spider, crawl or HTTP client expression, or the client''s own is_bot.';

COMMENT ON COLUMN "analytics"."bi_events"."bot_reason" IS 'What told that it is one.';

COMMENT ON COLUMN "analytics"."bi_events"."referrer_host" IS 'Host of the referrer.';

COMMENT ON COLUMN "analytics"."bi_events"."referrer_medium" IS 'internal, search, social, email, ai-assistant, paid or unknown.';

COMMENT ON COLUMN "analytics"."bi_events"."referrer_source" IS 'Name of the referring site, where it is a known one: Google, Facebook, …';

COMMENT ON COLUMN "analytics"."bi_events"."search_term" IS 'What was searched for, where the referrer tells.';

COMMENT ON COLUMN "analytics"."bi_events"."source" IS 'utm_source, else as the client says, else from click id or referrer.';

COMMENT ON COLUMN "analytics"."bi_events"."medium" IS 'utm_medium, else as the client says, else from click id or referrer.';

COMMENT ON COLUMN "analytics"."bi_events"."campaign" IS 'utm_campaign, else as the client says.';

COMMENT ON COLUMN "analytics"."bi_events"."term" IS 'utm_term, else as the client says.';

COMMENT ON COLUMN "analytics"."bi_events"."content" IS 'utm_content, else as the client says.';

COMMENT ON COLUMN "analytics"."bi_events"."click_id" IS 'Advertising click id.';

COMMENT ON COLUMN "analytics"."bi_events"."channel_group" IS 'Default channel group. Definition: the first of GA4''s default rules, in GA4''s order, that source, medium and campaign meet.';

COMMENT ON COLUMN "analytics"."bi_events"."region" IS 'Region of the IP address, where a database that is named in settings knows it.';

COMMENT ON COLUMN "analytics"."bi_events"."city" IS 'City of the IP address, where such a database knows it.';

COMMENT ON COLUMN "analytics"."bi_events"."asn" IS 'Number of the autonomous system that the IP address belongs to, where it is known.';

COMMENT ON COLUMN "analytics"."bi_events"."as_organization" IS 'Who runs that autonomous system.';

COMMENT ON COLUMN "analytics"."bi_events"."revenue" IS 'The property `revenue`, as it was sent. Unit: currency.';

COMMENT ON COLUMN "analytics"."bi_events"."currency" IS 'The property `currency`, ISO 4217.';

COMMENT ON COLUMN "analytics"."bi_events"."revenue_reporting" IS 'revenue in the reporting currency, by the last rate at most 7 days before event_date; as it was sent where no reporting currency is set or no currency was sent. Unit: currency.';

COMMENT ON COLUMN "analytics"."bi_events"."lcp_ms" IS 'Largest contentful paint, of web_vitals and page_view events. Unit: ms.';

COMMENT ON COLUMN "analytics"."bi_events"."inp_ms" IS 'Interaction to next paint, of the same. Unit: ms.';

COMMENT ON COLUMN "analytics"."bi_events"."fid_ms" IS 'First input delay, of the same. Unit: ms.';

COMMENT ON COLUMN "analytics"."bi_events"."cls" IS 'Cumulative layout shift, of the same; has no unit.';

COMMENT ON COLUMN "analytics"."bi_events"."custom" IS 'What the project''s own enrichments gave, as a JSON object by their names.';

COMMENT ON COLUMN "analytics"."bi_events"."site_date" IS 'Date of the same by the clock of the site (see EVENT_ASSETS_TIME_ZONE): by it days, weeks and months are told.';

COMMENT ON COLUMN "analytics"."bi_events"."date_year" IS 'Calendar year. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_events"."date_quarter" IS 'Quarter of the year, from 1. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_events"."date_month" IS 'Month of the year, from 1. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_events"."date_day" IS 'Day of the month, from 1. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_events"."date_day_of_week" IS 'Day of the week: 1 is Monday, 7 Sunday. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_events"."date_week" IS 'Week of week_year, from 1 (ISO 8601). From dim_date.';

COMMENT ON COLUMN "analytics"."bi_events"."date_week_year" IS 'Year that the week belongs to: that of its Thursday. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_events"."date_week_start" IS 'Monday of the week. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_events"."date_month_start" IS 'First day of the month. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_events"."date_is_weekend" IS 'Saturday or Sunday. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_events"."visitor_first_seen_at" IS 'First event. From dim_visitors.';

COMMENT ON COLUMN "analytics"."bi_events"."visitor_last_seen_at" IS 'Last event. From dim_visitors.';

COMMENT ON COLUMN "analytics"."bi_events"."visitor_sessions" IS 'Sessions. From dim_visitors.';

CREATE OR REPLACE VIEW "analytics"."bi_page_views" AS
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
  "fct_page_views"."url" AS "url",
  "fct_page_views"."title" AS "title",
  "fct_page_views"."path" AS "path",
  "fct_page_views"."referrer" AS "referrer",
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
  "dim_page"."title" AS "page_title",
  "dim_visitors"."first_seen_at" AS "visitor_first_seen_at",
  "dim_visitors"."last_seen_at" AS "visitor_last_seen_at",
  "dim_visitors"."sessions" AS "visitor_sessions"
FROM "analytics"."fct_page_views"
LEFT JOIN (SELECT "date", max("year") AS "year", max("quarter") AS "quarter", max("month") AS "month", max("day") AS "day", max("day_of_week") AS "day_of_week", max("week") AS "week", max("week_year") AS "week_year", max("week_start") AS "week_start", max("month_start") AS "month_start", bool_or("is_weekend") AS "is_weekend" FROM "analytics"."dim_date" GROUP BY "date") AS "dim_date" ON "dim_date"."date" = coalesce("fct_page_views"."site_date", "fct_page_views"."event_date")
LEFT JOIN (SELECT "page_key", max("page") AS "page", max("section") AS "section", max("title") AS "title" FROM "analytics"."dim_page" GROUP BY "page_key") AS "dim_page" ON "dim_page"."page_key" = "fct_page_views"."page_key"
LEFT JOIN (SELECT "anonymous_id", max("first_seen_at") AS "first_seen_at", max("last_seen_at") AS "last_seen_at", max("sessions") AS "sessions" FROM "analytics"."dim_visitors" GROUP BY "anonymous_id") AS "dim_visitors" ON "dim_visitors"."anonymous_id" = "fct_page_views"."anonymous_id";

COMMENT ON VIEW "analytics"."bi_page_views" IS 'fct_page_views, and beside each row what it is of: dim_date, dim_page, dim_visitors. One row a view of a page or of a screen, by the date on which it began. [f186ab42]';

COMMENT ON COLUMN "analytics"."bi_page_views"."event_date" IS 'UTC date of derived_at.';

COMMENT ON COLUMN "analytics"."bi_page_views"."page_view_id" IS 'Id of the view. Definition: the page_view_id of the page_view event, else its event_id; of a screen_view its event_id.';

COMMENT ON COLUMN "analytics"."bi_page_views"."event_id" IS 'The page_view or screen_view event that counts.';

COMMENT ON COLUMN "analytics"."bi_page_views"."session_id" IS 'Session it belongs to. Personal data.';

COMMENT ON COLUMN "analytics"."bi_page_views"."anonymous_id" IS 'Device of its session. Personal data.';

COMMENT ON COLUMN "analytics"."bi_page_views"."user_id" IS 'User id on that event. Personal data.';

COMMENT ON COLUMN "analytics"."bi_page_views"."start_at" IS 'When it began.';

COMMENT ON COLUMN "analytics"."bi_page_views"."end_at" IS 'Last sign of life: its last ping, else its beginning.';

COMMENT ON COLUMN "analytics"."bi_page_views"."engaged_seconds" IS 'Seconds visible and active, from pings. Definition: 10 x (distinct 10-second slots of its pings'' occurred_at - 1) + 5; 0 without pings. Unit: s.';

COMMENT ON COLUMN "analytics"."bi_page_views"."absolute_seconds" IS 'Whole seconds between beginning and end. Definition: whole-second boundaries between start_at and end_at. Unit: s.';

COMMENT ON COLUMN "analytics"."bi_page_views"."scroll_percent" IS 'Furthest vertical scroll. Definition: round(100 x min(min(max(scroll y, 0), document height) + viewport height, document height) / document height), scroll y being the largest of its pings. Unit: %.';

COMMENT ON COLUMN "analytics"."bi_page_views"."index_in_session" IS 'Place in its session, from 1. Definition: by derived_at, occurred_at, event_id.';

COMMENT ON COLUMN "analytics"."bi_page_views"."views_in_session" IS 'Views of its session.';

COMMENT ON COLUMN "analytics"."bi_page_views"."url" IS 'URL of the page.';

COMMENT ON COLUMN "analytics"."bi_page_views"."title" IS 'Title of the page.';

COMMENT ON COLUMN "analytics"."bi_page_views"."path" IS 'Path of the page.';

COMMENT ON COLUMN "analytics"."bi_page_views"."referrer" IS 'Referrer of the page.';

COMMENT ON COLUMN "analytics"."bi_page_views"."channel_group" IS 'Default channel group of the view. (none) where there is none.';

COMMENT ON COLUMN "analytics"."bi_page_views"."device_type" IS 'desktop, mobile, tablet, bot or other. (none) where there is none.';

COMMENT ON COLUMN "analytics"."bi_page_views"."is_bot" IS 'The user agent is a robot''s.';

COMMENT ON COLUMN "analytics"."bi_page_views"."kind" IS 'page (a page_view) or screen (a screen_view).';

COMMENT ON COLUMN "analytics"."bi_page_views"."screen_name" IS 'Name of the screen.';

COMMENT ON COLUMN "analytics"."bi_page_views"."platform" IS 'web, ios, android, desktop, server, tv, console or iot. (none) where there is none.';

COMMENT ON COLUMN "analytics"."bi_page_views"."app_id" IS 'Application. (none) where there is none.';

COMMENT ON COLUMN "analytics"."bi_page_views"."country" IS 'Country of the IP address, ISO 3166-1 alpha-2. (none) where there is none.';

COMMENT ON COLUMN "analytics"."bi_page_views"."page_key" IS 'Page or screen (see pages).';

COMMENT ON COLUMN "analytics"."bi_page_views"."geo_key" IS 'Its country (see places).';

COMMENT ON COLUMN "analytics"."bi_page_views"."site_date" IS 'Date of the same by the clock of the site (see EVENT_ASSETS_TIME_ZONE): by it days, weeks and months are told.';

COMMENT ON COLUMN "analytics"."bi_page_views"."date_year" IS 'Calendar year. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_page_views"."date_quarter" IS 'Quarter of the year, from 1. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_page_views"."date_month" IS 'Month of the year, from 1. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_page_views"."date_day" IS 'Day of the month, from 1. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_page_views"."date_day_of_week" IS 'Day of the week: 1 is Monday, 7 Sunday. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_page_views"."date_week" IS 'Week of week_year, from 1 (ISO 8601). From dim_date.';

COMMENT ON COLUMN "analytics"."bi_page_views"."date_week_year" IS 'Year that the week belongs to: that of its Thursday. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_page_views"."date_week_start" IS 'Monday of the week. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_page_views"."date_month_start" IS 'First day of the month. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_page_views"."date_is_weekend" IS 'Saturday or Sunday. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_page_views"."page" IS 'Path of the page, else name of the screen; (none) where there is neither. From dim_page.';

COMMENT ON COLUMN "analytics"."bi_page_views"."section" IS 'First part of the path, such as /blog; of a screen, and of /, the page itself. From dim_page.';

COMMENT ON COLUMN "analytics"."bi_page_views"."page_title" IS 'Title of its last view that has one. From dim_page.';

COMMENT ON COLUMN "analytics"."bi_page_views"."visitor_first_seen_at" IS 'First event. From dim_visitors.';

COMMENT ON COLUMN "analytics"."bi_page_views"."visitor_last_seen_at" IS 'Last event. From dim_visitors.';

COMMENT ON COLUMN "analytics"."bi_page_views"."visitor_sessions" IS 'Sessions. From dim_visitors.';

CREATE OR REPLACE VIEW "analytics"."bi_sessions" AS
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
  "fct_sessions"."entry_url" AS "entry_url",
  "fct_sessions"."exit_url" AS "exit_url",
  "fct_sessions"."referrer" AS "referrer",
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
FROM "analytics"."fct_sessions"
LEFT JOIN (SELECT "date", max("year") AS "year", max("quarter") AS "quarter", max("month") AS "month", max("day") AS "day", max("day_of_week") AS "day_of_week", max("week") AS "week", max("week_year") AS "week_year", max("week_start") AS "week_start", max("month_start") AS "month_start", bool_or("is_weekend") AS "is_weekend" FROM "analytics"."dim_date" GROUP BY "date") AS "dim_date" ON "dim_date"."date" = coalesce("fct_sessions"."site_date", "fct_sessions"."event_date")
LEFT JOIN (SELECT "person_id", max("first_seen_at") AS "first_seen_at", max("last_seen_at") AS "last_seen_at", max("source") AS "source", max("medium") AS "medium", max("campaign") AS "campaign", max("channel_group") AS "channel_group", max("sessions") AS "sessions", max("conversions") AS "conversions", max("revenue") AS "revenue" FROM "analytics"."dim_users" GROUP BY "person_id") AS "dim_users" ON "dim_users"."person_id" = "fct_sessions"."person_id";

COMMENT ON VIEW "analytics"."bi_sessions" IS 'fct_sessions, and beside each row what it is of: dim_date, dim_users. One row a session, by the date on which it began. [1bf157e4]';

COMMENT ON COLUMN "analytics"."bi_sessions"."event_date" IS 'UTC date of derived_at.';

COMMENT ON COLUMN "analytics"."bi_sessions"."session_id" IS 'The client''s session id, else a stable hash of key and beginning. Personal data.';

COMMENT ON COLUMN "analytics"."bi_sessions"."anonymous_id" IS 'Device of the session''s earliest received event. Personal data.';

COMMENT ON COLUMN "analytics"."bi_sessions"."user_id" IS 'First user id seen in the session. Personal data.';

COMMENT ON COLUMN "analytics"."bi_sessions"."stitched_user_id" IS 'Last user id seen on the device at any time, else its own id. Personal data.';

COMMENT ON COLUMN "analytics"."bi_sessions"."person_id" IS 'The person it belongs to (see identities). Personal data.';

COMMENT ON COLUMN "analytics"."bi_sessions"."start_at" IS 'When it began. Definition: the first derived_at of its events; 5 seconds earlier where the first view or ping is a ping.';

COMMENT ON COLUMN "analytics"."bi_sessions"."end_at" IS 'Its last event. Definition: the last derived_at of its events.';

COMMENT ON COLUMN "analytics"."bi_sessions"."events" IS 'Events of the session.';

COMMENT ON COLUMN "analytics"."bi_sessions"."page_views" IS 'Distinct views of pages and screens, pings included. Definition: distinct page_view_id of page_view (without one, its event_id) and page_ping events, and each screen_view event.';

COMMENT ON COLUMN "analytics"."bi_sessions"."engaged_seconds" IS 'Seconds visible and active, from pings. Definition: 10 x (distinct pairs of page view and 10-second slot - page views with pings) + 5 x page views with pings. Unit: s.';

COMMENT ON COLUMN "analytics"."bi_sessions"."absolute_seconds" IS 'Whole seconds between beginning and end. Definition: whole-second boundaries between start_at and end_at. Unit: s.';

COMMENT ON COLUMN "analytics"."bi_sessions"."is_engaged" IS 'Two views, enough engaged seconds, or a conversion. Definition: page_views >= 2, or engaged_seconds >= 20 (a setting), or conversions >= 1.';

COMMENT ON COLUMN "analytics"."bi_sessions"."is_bounce" IS 'One view and not engaged. Definition: page_views = 1 and not is_engaged.';

COMMENT ON COLUMN "analytics"."bi_sessions"."is_cut" IS 'Cut for its length (24 hours; 3 days where the client gave the id).';

COMMENT ON COLUMN "analytics"."bi_sessions"."entry_url" IS 'First page.';

COMMENT ON COLUMN "analytics"."bi_sessions"."exit_url" IS 'Last page.';

COMMENT ON COLUMN "analytics"."bi_sessions"."referrer" IS 'Referrer of the first page.';

COMMENT ON COLUMN "analytics"."bi_sessions"."source" IS 'Source of the first page view, else of the first screen view, else event. (none) where there is none.';

COMMENT ON COLUMN "analytics"."bi_sessions"."medium" IS 'Medium of the same. (none) where there is none.';

COMMENT ON COLUMN "analytics"."bi_sessions"."campaign" IS 'Campaign of the same. (none) where there is none.';

COMMENT ON COLUMN "analytics"."bi_sessions"."channel_group" IS 'Default channel group of the same. (none) where there is none.';

COMMENT ON COLUMN "analytics"."bi_sessions"."browser" IS 'Browser of the same. (none) where there is none.';

COMMENT ON COLUMN "analytics"."bi_sessions"."os" IS 'Operating system of the same. (none) where there is none.';

COMMENT ON COLUMN "analytics"."bi_sessions"."device_type" IS 'Device type of the same. (none) where there is none.';

COMMENT ON COLUMN "analytics"."bi_sessions"."platform" IS 'Platform of the same. (none) where there is none.';

COMMENT ON COLUMN "analytics"."bi_sessions"."is_bot" IS 'Any of its events came from a robot.';

COMMENT ON COLUMN "analytics"."bi_sessions"."conversions" IS 'Conversions. Definition: events whose name is in the setting conversion_events; of those that tell of the same conversion, as by their order_id (see conversion_ids), the first alone.';

COMMENT ON COLUMN "analytics"."bi_sessions"."revenue" IS 'Sum of `revenue_reporting` over these events, exact to the sixth decimal.';

COMMENT ON COLUMN "analytics"."bi_sessions"."sequence_gaps" IS 'Events lost before the collector, by gaps in `sequence`. Definition: last sequence - first sequence + 1 - events with a sequence, of each install and device where all such events name their install_id; else of the session, and null (unknown) where several installs number it: several devices, or a server or desktop app beside others. Null too where numbers count up neither by derived_at nor by occurred_at.';

COMMENT ON COLUMN "analytics"."bi_sessions"."landing_page" IS 'Path of the first page, as of the source.';

COMMENT ON COLUMN "analytics"."bi_sessions"."exit_page" IS 'Path of the last page.';

COMMENT ON COLUMN "analytics"."bi_sessions"."app_id" IS 'Application of the same event as the source. (none) where there is none.';

COMMENT ON COLUMN "analytics"."bi_sessions"."country" IS 'Country of the same, ISO 3166-1 alpha-2. (none) where there is none.';

COMMENT ON COLUMN "analytics"."bi_sessions"."language" IS 'Language of the same. Definition: the part of device_locale before the first - or _, in lower case.';

COMMENT ON COLUMN "analytics"."bi_sessions"."campaign_key" IS 'What it came by (see campaigns).';

COMMENT ON COLUMN "analytics"."bi_sessions"."device_key" IS 'What it is of (see devices).';

COMMENT ON COLUMN "analytics"."bi_sessions"."geo_key" IS 'Its country (see places).';

COMMENT ON COLUMN "analytics"."bi_sessions"."site_date" IS 'Date of the same by the clock of the site (see EVENT_ASSETS_TIME_ZONE): by it days, weeks and months are told.';

COMMENT ON COLUMN "analytics"."bi_sessions"."date_year" IS 'Calendar year. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_sessions"."date_quarter" IS 'Quarter of the year, from 1. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_sessions"."date_month" IS 'Month of the year, from 1. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_sessions"."date_day" IS 'Day of the month, from 1. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_sessions"."date_day_of_week" IS 'Day of the week: 1 is Monday, 7 Sunday. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_sessions"."date_week" IS 'Week of week_year, from 1 (ISO 8601). From dim_date.';

COMMENT ON COLUMN "analytics"."bi_sessions"."date_week_year" IS 'Year that the week belongs to: that of its Thursday. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_sessions"."date_week_start" IS 'Monday of the week. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_sessions"."date_month_start" IS 'First day of the month. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_sessions"."date_is_weekend" IS 'Saturday or Sunday. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_sessions"."person_first_seen_at" IS 'First event. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_sessions"."person_last_seen_at" IS 'Last event. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_sessions"."person_source" IS 'Source of the first session. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_sessions"."person_medium" IS 'Medium of the first session. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_sessions"."person_campaign" IS 'Campaign of the first session. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_sessions"."person_channel_group" IS 'Channel group of the first session. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_sessions"."person_sessions" IS 'Sessions. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_sessions"."person_conversions" IS 'Conversions. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_sessions"."person_revenue" IS 'Revenue of conversions. From dim_users.';

CREATE OR REPLACE VIEW "analytics"."bi_session_issues" AS
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
FROM "analytics"."fct_session_issues"
LEFT JOIN (SELECT "date", max("year") AS "year", max("quarter") AS "quarter", max("month") AS "month", max("day") AS "day", max("day_of_week") AS "day_of_week", max("week") AS "week", max("week_year") AS "week_year", max("week_start") AS "week_start", max("month_start") AS "month_start", bool_or("is_weekend") AS "is_weekend" FROM "analytics"."dim_date" GROUP BY "date") AS "dim_date" ON "dim_date"."date" = "fct_session_issues"."event_date"
LEFT JOIN (SELECT "anonymous_id", max("first_seen_at") AS "first_seen_at", max("last_seen_at") AS "last_seen_at", max("sessions") AS "sessions" FROM "analytics"."dim_visitors" GROUP BY "anonymous_id") AS "dim_visitors" ON "dim_visitors"."anonymous_id" = "fct_session_issues"."anonymous_id";

COMMENT ON VIEW "analytics"."bi_session_issues" IS 'fct_session_issues, and beside each row what it is of: dim_date, dim_visitors. One row a session of a client that did not end: it was cut, by the date on which it began. [41b6522e]';

COMMENT ON COLUMN "analytics"."bi_session_issues"."event_date" IS 'UTC date of derived_at.';

COMMENT ON COLUMN "analytics"."bi_session_issues"."session_id" IS 'The client''s session id. Personal data.';

COMMENT ON COLUMN "analytics"."bi_session_issues"."reason" IS 'too_long: it ran on for more than 3 days after its earliest received event.';

COMMENT ON COLUMN "analytics"."bi_session_issues"."anonymous_id" IS 'Device of the session''s earliest received event. Personal data.';

COMMENT ON COLUMN "analytics"."bi_session_issues"."start_at" IS 'When it began.';

COMMENT ON COLUMN "analytics"."bi_session_issues"."end_at" IS 'Its last event before the cut.';

COMMENT ON COLUMN "analytics"."bi_session_issues"."last_event_at" IS 'The last event with its id.';

COMMENT ON COLUMN "analytics"."bi_session_issues"."events_after_cut" IS 'Events that came after the cut, and count in no session.';

COMMENT ON COLUMN "analytics"."bi_session_issues"."date_year" IS 'Calendar year. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_session_issues"."date_quarter" IS 'Quarter of the year, from 1. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_session_issues"."date_month" IS 'Month of the year, from 1. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_session_issues"."date_day" IS 'Day of the month, from 1. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_session_issues"."date_day_of_week" IS 'Day of the week: 1 is Monday, 7 Sunday. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_session_issues"."date_week" IS 'Week of week_year, from 1 (ISO 8601). From dim_date.';

COMMENT ON COLUMN "analytics"."bi_session_issues"."date_week_year" IS 'Year that the week belongs to: that of its Thursday. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_session_issues"."date_week_start" IS 'Monday of the week. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_session_issues"."date_month_start" IS 'First day of the month. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_session_issues"."date_is_weekend" IS 'Saturday or Sunday. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_session_issues"."visitor_first_seen_at" IS 'First event. From dim_visitors.';

COMMENT ON COLUMN "analytics"."bi_session_issues"."visitor_last_seen_at" IS 'Last event. From dim_visitors.';

COMMENT ON COLUMN "analytics"."bi_session_issues"."visitor_sessions" IS 'Sessions. From dim_visitors.';

CREATE OR REPLACE VIEW "analytics"."bi_touches" AS
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
FROM "analytics"."fct_touches"
LEFT JOIN (SELECT "person_id", max("first_seen_at") AS "first_seen_at", max("last_seen_at") AS "last_seen_at", max("source") AS "source", max("medium") AS "medium", max("campaign") AS "campaign", max("channel_group") AS "channel_group", max("sessions") AS "sessions", max("conversions") AS "conversions", max("revenue") AS "revenue" FROM "analytics"."dim_users" GROUP BY "person_id") AS "dim_users" ON "dim_users"."person_id" = "fct_touches"."person_id";

COMMENT ON VIEW "analytics"."bi_touches" IS 'fct_touches, and beside each row what it is of: dim_users. Where people''s sessions came from: one row a session, its own source and the last that was not direct. Robots are left out. [08544ca1]';

COMMENT ON COLUMN "analytics"."bi_touches"."person_id" IS 'The person whose session it is. Personal data.';

COMMENT ON COLUMN "analytics"."bi_touches"."session_id" IS 'The session. Personal data.';

COMMENT ON COLUMN "analytics"."bi_touches"."at" IS 'Its first view; where it has none, its beginning.';

COMMENT ON COLUMN "analytics"."bi_touches"."has_page_view" IS 'It has a view of a page or a screen. Definition: it is in page_views, or its sessions.page_views > 0, or it has an entry_url.';

COMMENT ON COLUMN "analytics"."bi_touches"."source" IS 'Source of the session. (none) where there is none.';

COMMENT ON COLUMN "analytics"."bi_touches"."medium" IS 'Medium of the session. (none) where there is none.';

COMMENT ON COLUMN "analytics"."bi_touches"."campaign" IS 'Campaign of the session. (none) where there is none.';

COMMENT ON COLUMN "analytics"."bi_touches"."channel_group" IS 'Channel group of the session. (none) where there is none.';

COMMENT ON COLUMN "analytics"."bi_touches"."last_source" IS 'Source of the person''s last session that was not direct; where there is none, of the session itself. Definition: of the latest of the person''s sessions up to this one, this included, whose channel_group is neither unknown nor Direct nor Internal, if it is at most 30 days (a setting) before.';

COMMENT ON COLUMN "analytics"."bi_touches"."last_medium" IS 'Medium of the same.';

COMMENT ON COLUMN "analytics"."bi_touches"."last_campaign" IS 'Campaign of the same.';

COMMENT ON COLUMN "analytics"."bi_touches"."last_channel_group" IS 'Channel group of the same.';

COMMENT ON COLUMN "analytics"."bi_touches"."is_touch" IS 'It is a touch in conversion paths. What only a server says is no visit. Definition: has_page_view, or its sessions.platform is not server.';

COMMENT ON COLUMN "analytics"."bi_touches"."person_first_seen_at" IS 'First event. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_touches"."person_last_seen_at" IS 'Last event. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_touches"."person_source" IS 'Source of the first session. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_touches"."person_medium" IS 'Medium of the first session. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_touches"."person_campaign" IS 'Campaign of the first session. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_touches"."person_channel_group" IS 'Channel group of the first session. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_touches"."person_sessions" IS 'Sessions. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_touches"."person_conversions" IS 'Conversions. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_touches"."person_revenue" IS 'Revenue of conversions. From dim_users.';

CREATE OR REPLACE VIEW "analytics"."bi_conversions" AS
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
FROM "analytics"."fct_conversions"
LEFT JOIN (SELECT "date", max("year") AS "year", max("quarter") AS "quarter", max("month") AS "month", max("day") AS "day", max("day_of_week") AS "day_of_week", max("week") AS "week", max("week_year") AS "week_year", max("week_start") AS "week_start", max("month_start") AS "month_start", bool_or("is_weekend") AS "is_weekend" FROM "analytics"."dim_date" GROUP BY "date") AS "dim_date" ON "dim_date"."date" = coalesce("fct_conversions"."site_date", "fct_conversions"."event_date")
LEFT JOIN (SELECT "person_id", max("first_seen_at") AS "first_seen_at", max("last_seen_at") AS "last_seen_at", max("source") AS "source", max("medium") AS "medium", max("campaign") AS "campaign", max("channel_group") AS "channel_group", max("sessions") AS "sessions", max("conversions") AS "conversions", max("revenue") AS "revenue" FROM "analytics"."dim_users" GROUP BY "person_id") AS "dim_users" ON "dim_users"."person_id" = "fct_conversions"."person_id";

COMMENT ON VIEW "analytics"."bi_conversions" IS 'fct_conversions, and beside each row what it is of: dim_date, dim_users. Conversions by person, robots left out; of events that tell of the same one (conversion_ids) the first. [1364be84]';

COMMENT ON COLUMN "analytics"."bi_conversions"."event_date" IS 'UTC date of derived_at.';

COMMENT ON COLUMN "analytics"."bi_conversions"."event_id" IS 'The event.';

COMMENT ON COLUMN "analytics"."bi_conversions"."event" IS 'Its name.';

COMMENT ON COLUMN "analytics"."bi_conversions"."at" IS 'When it happened.';

COMMENT ON COLUMN "analytics"."bi_conversions"."person_id" IS 'The person who converted. Personal data.';

COMMENT ON COLUMN "analytics"."bi_conversions"."anonymous_id" IS 'Id of the device or browser. Personal data.';

COMMENT ON COLUMN "analytics"."bi_conversions"."user_id" IS 'Id of the signed-in user. Personal data.';

COMMENT ON COLUMN "analytics"."bi_conversions"."revenue" IS '`revenue_reporting` of the event; 0 where it has none.';

COMMENT ON COLUMN "analytics"."bi_conversions"."site_date" IS 'Date of the same by the clock of the site (see EVENT_ASSETS_TIME_ZONE): by it days, weeks and months are told.';

COMMENT ON COLUMN "analytics"."bi_conversions"."date_year" IS 'Calendar year. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_conversions"."date_quarter" IS 'Quarter of the year, from 1. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_conversions"."date_month" IS 'Month of the year, from 1. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_conversions"."date_day" IS 'Day of the month, from 1. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_conversions"."date_day_of_week" IS 'Day of the week: 1 is Monday, 7 Sunday. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_conversions"."date_week" IS 'Week of week_year, from 1 (ISO 8601). From dim_date.';

COMMENT ON COLUMN "analytics"."bi_conversions"."date_week_year" IS 'Year that the week belongs to: that of its Thursday. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_conversions"."date_week_start" IS 'Monday of the week. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_conversions"."date_month_start" IS 'First day of the month. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_conversions"."date_is_weekend" IS 'Saturday or Sunday. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_conversions"."person_first_seen_at" IS 'First event. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_conversions"."person_last_seen_at" IS 'Last event. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_conversions"."person_source" IS 'Source of the first session. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_conversions"."person_medium" IS 'Medium of the first session. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_conversions"."person_campaign" IS 'Campaign of the first session. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_conversions"."person_channel_group" IS 'Channel group of the first session. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_conversions"."person_sessions" IS 'Sessions. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_conversions"."person_conversions" IS 'Conversions. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_conversions"."person_revenue" IS 'Revenue of conversions. From dim_users.';

CREATE OR REPLACE VIEW "analytics"."bi_conversion_paths" AS
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
FROM "analytics"."fct_conversion_paths"
LEFT JOIN (SELECT "date", max("year") AS "year", max("quarter") AS "quarter", max("month") AS "month", max("day") AS "day", max("day_of_week") AS "day_of_week", max("week") AS "week", max("week_year") AS "week_year", max("week_start") AS "week_start", max("month_start") AS "month_start", bool_or("is_weekend") AS "is_weekend" FROM "analytics"."dim_date" GROUP BY "date") AS "dim_date" ON "dim_date"."date" = "fct_conversion_paths"."event_date"
LEFT JOIN (SELECT "person_id", max("first_seen_at") AS "first_seen_at", max("last_seen_at") AS "last_seen_at", max("source") AS "source", max("medium") AS "medium", max("campaign") AS "campaign", max("channel_group") AS "channel_group", max("sessions") AS "sessions", max("conversions") AS "conversions", max("revenue") AS "revenue" FROM "analytics"."dim_users" GROUP BY "person_id") AS "dim_users" ON "dim_users"."person_id" = "fct_conversion_paths"."person_id";

COMMENT ON VIEW "analytics"."bi_conversion_paths" IS 'fct_conversion_paths, and beside each row what it is of: dim_date, dim_users. Which channels led to each conversion, and the paths of people who never converted. [0e7d004f]';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."event_date" IS 'UTC date of `at`.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."person_id" IS 'The person. Personal data.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."event_id" IS 'The conversion event; empty for the path of a person who never converted.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."at" IS 'The conversion; without one, the last touch.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."touches" IS 'Touches in the look-back, equal neighbours counted each. Definition: the person''s sessions that are touches (is_touch) at most 30 days (a setting) before at, ends included.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."path" IS 'Their channel groups in order with ` > ` between, equal neighbours once; null where there is no touch. Definition: of the last 1,000 touches; Unassigned where the channel group is not known.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."touched_before" IS 'How long before `at` each channel group of the path was touched, of equal neighbours the first, as a JSON list. Unit: microseconds.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."conversions" IS '1, or 0 for the path of a person who never converted.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."revenue" IS 'Revenue of the conversion.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."site_date" IS 'Date of the same by the clock of the site (see EVENT_ASSETS_TIME_ZONE): by it days, weeks and months are told. Null without a conversion.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."date_year" IS 'Calendar year. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."date_quarter" IS 'Quarter of the year, from 1. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."date_month" IS 'Month of the year, from 1. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."date_day" IS 'Day of the month, from 1. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."date_day_of_week" IS 'Day of the week: 1 is Monday, 7 Sunday. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."date_week" IS 'Week of week_year, from 1 (ISO 8601). From dim_date.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."date_week_year" IS 'Year that the week belongs to: that of its Thursday. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."date_week_start" IS 'Monday of the week. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."date_month_start" IS 'First day of the month. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."date_is_weekend" IS 'Saturday or Sunday. From dim_date.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."person_first_seen_at" IS 'First event. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."person_last_seen_at" IS 'Last event. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."person_source" IS 'Source of the first session. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."person_medium" IS 'Medium of the first session. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."person_campaign" IS 'Campaign of the first session. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."person_channel_group" IS 'Channel group of the first session. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."person_sessions" IS 'Sessions. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."person_conversions" IS 'Conversions. From dim_users.';

COMMENT ON COLUMN "analytics"."bi_conversion_paths"."person_revenue" IS 'Revenue of conversions. From dim_users.';

ALTER TABLE "analytics"."attribution" RENAME TO "agg_attribution";

UPDATE "analytics"."_loads" SET table_name = 'agg_attribution' WHERE table_name = 'attribution';

ALTER TABLE "analytics"."channel_performance" RENAME TO "agg_channel_performance";

UPDATE "analytics"."_loads" SET table_name = 'agg_channel_performance' WHERE table_name = 'channel_performance';

ALTER TABLE "analytics"."funnels" RENAME TO "agg_funnels";

UPDATE "analytics"."_loads" SET table_name = 'agg_funnels' WHERE table_name = 'funnels';

ALTER TABLE "analytics"."retention" RENAME TO "agg_retention";

UPDATE "analytics"."_loads" SET table_name = 'agg_retention' WHERE table_name = 'retention';

ALTER TABLE "analytics"."lifecycle" RENAME TO "agg_lifecycle";

UPDATE "analytics"."_loads" SET table_name = 'agg_lifecycle' WHERE table_name = 'lifecycle';

ALTER TABLE "analytics"."paths" RENAME TO "agg_paths";

UPDATE "analytics"."_loads" SET table_name = 'agg_paths' WHERE table_name = 'paths';

ALTER TABLE "analytics"."active_users" RENAME TO "agg_active_users";

UPDATE "analytics"."_loads" SET table_name = 'agg_active_users' WHERE table_name = 'active_users';

ALTER TABLE "analytics"."stickiness" RENAME TO "agg_stickiness";

UPDATE "analytics"."_loads" SET table_name = 'agg_stickiness' WHERE table_name = 'stickiness';

ALTER TABLE "analytics"."web_vitals" RENAME TO "agg_web_vitals";

UPDATE "analytics"."_loads" SET table_name = 'agg_web_vitals' WHERE table_name = 'web_vitals';

ALTER TABLE "analytics"."user_segments" RENAME TO "dim_user_segments";

UPDATE "analytics"."_loads" SET table_name = 'dim_user_segments' WHERE table_name = 'user_segments';

ALTER TABLE "analytics"."segment_memberships" RENAME TO "dim_segment_memberships";

UPDATE "analytics"."_loads" SET table_name = 'dim_segment_memberships' WHERE table_name = 'segment_memberships';

INSERT INTO "analytics"."_migrations" (version, description, applied_at) VALUES (%s, %s, %s);

COMMENT ON COLUMN "analytics"."agg_daily"."event_date" IS 'UTC date of derived_at.';

COMMENT ON COLUMN "analytics"."agg_daily"."site_date" IS 'Date of the same by the clock of the site (see EVENT_ASSETS_TIME_ZONE): by it days, weeks and months are told.';

COMMENT ON COLUMN "analytics"."agg_daily"."platform" IS 'web, ios, android, desktop, server, tv, console or iot.';

COMMENT ON COLUMN "analytics"."agg_daily"."events" IS 'Events.';

COMMENT ON COLUMN "analytics"."agg_daily"."page_views" IS 'Views of pages and screens.';

COMMENT ON COLUMN "analytics"."agg_daily"."sessions" IS 'Sessions that began on the day.';

COMMENT ON COLUMN "analytics"."agg_daily"."visitors" IS 'Distinct devices (else users) of those sessions. Definition: distinct coalesce(anonymous_id, user_id) of the sessions that began on the day; one that comes on two UTC days of it counts on the first.';

COMMENT ON COLUMN "analytics"."agg_daily"."known_users" IS 'Distinct signed-in users of those sessions. Definition: distinct user_id of the same, likewise.';

COMMENT ON COLUMN "analytics"."agg_daily"."engaged_sessions" IS 'Engaged sessions.';

COMMENT ON COLUMN "analytics"."agg_daily"."bounces" IS 'Bounces.';

COMMENT ON COLUMN "analytics"."agg_daily"."engaged_seconds" IS 'Engaged seconds. Unit: s.';

COMMENT ON COLUMN "analytics"."agg_daily"."conversions" IS 'Conversions.';

ALTER TABLE "analytics"."agg_daily" ADD COLUMN "revenue" double precision;

COMMENT ON COLUMN "analytics"."agg_daily"."revenue" IS 'Revenue of conversions.';

ALTER TABLE "analytics"."agg_daily" ADD COLUMN "loaded_at" timestamp with time zone;

COMMENT ON COLUMN "analytics"."agg_daily"."loaded_at" IS 'When the row''s key first came in.';

LOCK TABLE "analytics"."_loads", "analytics"."fct_sessions";

CREATE TEMP TABLE "_stage" ("event_date" date, "session_id" varchar(512), "anonymous_id" varchar(512), "user_id" varchar(512), "stitched_user_id" varchar(512), "person_id" varchar(512), "start_at" timestamp, "end_at" timestamp, "events" bigint, "page_views" bigint, "engaged_seconds" integer, "absolute_seconds" integer, "is_engaged" boolean, "is_bounce" boolean, "is_cut" boolean, "entry_url" varchar(65535), "exit_url" varchar(65535), "referrer" varchar(65535), "source" varchar(65535), "medium" varchar(65535), "campaign" varchar(65535), "channel_group" varchar(65535), "browser" varchar(65535), "os" varchar(65535), "device_type" varchar(65535), "platform" varchar(512), "is_bot" boolean, "conversions" bigint, "revenue" double precision, "sequence_gaps" bigint, "landing_page" varchar(65535), "exit_page" varchar(65535), "app_id" varchar(65535), "country" varchar(65535), "language" varchar(65535), "campaign_key" varchar(512), "device_key" varchar(512), "geo_key" varchar(512), "site_date" date);

COPY "_stage" FROM 's3://lake/prod/manifests/fct_sessions/1.manifest'
IAM_ROLE 'arn:aws:iam::123456789012:role/it''s-loading'
FORMAT AS PARQUET
FILLRECORD
MANIFEST;

SELECT count(*) FROM "_stage";

CREATE TEMP TABLE "_dates" ("partition_date" date NOT NULL);

INSERT INTO "_dates" ("partition_date") VALUES (%s), (%s);

CREATE TEMP TABLE "_gone" ("event_date" date, "session_id" varchar(512));

COPY "_gone" FROM 's3://lake/prod/manifests/fct_sessions/1.manifest'
IAM_ROLE 'arn:aws:iam::123456789012:role/it''s-loading'
FORMAT AS PARQUET
FILLRECORD
MANIFEST;

SELECT count(*) FROM "_gone";

INSERT INTO "_gone" ("event_date", "session_id") SELECT "event_date", "session_id" FROM "_stage";

SELECT "event_date", count(*), coalesce(sum("events"), 0), coalesce(sum("page_views"), 0), coalesce(sum("engaged_seconds"), 0), coalesce(sum("revenue"), 0), coalesce(sum(abs("revenue")), 0) FROM "_stage" JOIN "_dates" ON "event_date" = "_dates"."partition_date" GROUP BY "event_date";

CREATE TEMP TABLE "_kept" AS SELECT "fct_sessions"."session_id", min("fct_sessions"."loaded_at") AS "loaded_at" FROM "analytics"."fct_sessions" CROSS JOIN "_gone" WHERE "fct_sessions"."event_date" = "_gone"."event_date" AND "fct_sessions"."session_id" = "_gone"."session_id" GROUP BY "fct_sessions"."session_id";

SELECT "fct_sessions"."event_date", count(*) FROM "analytics"."fct_sessions" CROSS JOIN "_gone" WHERE "fct_sessions"."event_date" = "_gone"."event_date" AND "fct_sessions"."session_id" = "_gone"."session_id" GROUP BY "fct_sessions"."event_date";

DELETE FROM "analytics"."fct_sessions" USING "_gone" WHERE "fct_sessions"."event_date" = "_gone"."event_date" AND "fct_sessions"."session_id" = "_gone"."session_id";

INSERT INTO "analytics"."fct_sessions" ("event_date", "session_id", "anonymous_id", "user_id", "stitched_user_id", "person_id", "start_at", "end_at", "events", "page_views", "engaged_seconds", "absolute_seconds", "is_engaged", "is_bounce", "is_cut", "entry_url", "exit_url", "referrer", "source", "medium", "campaign", "channel_group", "browser", "os", "device_type", "platform", "is_bot", "conversions", "revenue", "sequence_gaps", "landing_page", "exit_page", "app_id", "country", "language", "campaign_key", "device_key", "geo_key", "site_date", "loaded_at") SELECT "_stage"."event_date", "_stage"."session_id", "_stage"."anonymous_id", "_stage"."user_id", "_stage"."stitched_user_id", "_stage"."person_id", "_stage"."start_at" AT TIME ZONE 'UTC', "_stage"."end_at" AT TIME ZONE 'UTC', "_stage"."events", "_stage"."page_views", "_stage"."engaged_seconds", "_stage"."absolute_seconds", "_stage"."is_engaged", "_stage"."is_bounce", "_stage"."is_cut", "_stage"."entry_url", "_stage"."exit_url", "_stage"."referrer", "_stage"."source", "_stage"."medium", "_stage"."campaign", "_stage"."channel_group", "_stage"."browser", "_stage"."os", "_stage"."device_type", "_stage"."platform", "_stage"."is_bot", "_stage"."conversions", "_stage"."revenue", "_stage"."sequence_gaps", "_stage"."landing_page", "_stage"."exit_page", "_stage"."app_id", "_stage"."country", "_stage"."language", "_stage"."campaign_key", "_stage"."device_key", "_stage"."geo_key", "_stage"."site_date", coalesce("_kept"."loaded_at", %s) FROM "_stage" JOIN "_dates" ON "_dates"."partition_date" = "_stage"."event_date" LEFT JOIN "_kept" ON "_kept"."session_id" = "_stage"."session_id";

SELECT "event_date", count(*), coalesce(sum("events"), 0), coalesce(sum("page_views"), 0), coalesce(sum("engaged_seconds"), 0), coalesce(sum("revenue"), 0), coalesce(sum(abs("revenue")), 0) FROM "analytics"."fct_sessions" JOIN "_dates" ON "event_date" = "_dates"."partition_date" GROUP BY "event_date";

SELECT "partition_date", "lake_version", "lake_table", "rows" FROM "analytics"."_loads" WHERE table_name = %s;

DELETE FROM "analytics"."_loads" WHERE table_name = %s AND partition_date IN (%s, %s);

INSERT INTO "analytics"."_loads" ("table_name", "partition_date", "lake_version", "lake_table", "rows", "loaded_at") VALUES (%s, %s, %s, %s, %s, %s), (%s, %s, %s, %s, %s, %s);

LOCK TABLE "analytics"."_loads", "analytics"."fct_sessions";

CREATE TEMP TABLE "_stage" ("event_date" date, "session_id" varchar(512), "anonymous_id" varchar(512), "user_id" varchar(512), "stitched_user_id" varchar(512), "person_id" varchar(512), "start_at" timestamp, "end_at" timestamp, "events" bigint, "page_views" bigint, "engaged_seconds" integer, "absolute_seconds" integer, "is_engaged" boolean, "is_bounce" boolean, "is_cut" boolean, "entry_url" varchar(65535), "exit_url" varchar(65535), "referrer" varchar(65535), "source" varchar(65535), "medium" varchar(65535), "campaign" varchar(65535), "channel_group" varchar(65535), "browser" varchar(65535), "os" varchar(65535), "device_type" varchar(65535), "platform" varchar(512), "is_bot" boolean, "conversions" bigint, "revenue" double precision, "sequence_gaps" bigint, "landing_page" varchar(65535), "exit_page" varchar(65535), "app_id" varchar(65535), "country" varchar(65535), "language" varchar(65535), "campaign_key" varchar(512), "device_key" varchar(512), "geo_key" varchar(512), "site_date" date);

COPY "_stage" FROM 's3://lake/prod/manifests/fct_sessions/1.manifest'
IAM_ROLE 'arn:aws:iam::123456789012:role/it''s-loading'
FORMAT AS PARQUET
FILLRECORD
MANIFEST;

SELECT count(*) FROM "_stage";

CREATE TEMP TABLE "_dates" ("partition_date" date NOT NULL);

INSERT INTO "_dates" ("partition_date") VALUES (%s), (%s);

SELECT "event_date", count(*), coalesce(sum("events"), 0), coalesce(sum("page_views"), 0), coalesce(sum("engaged_seconds"), 0), coalesce(sum("revenue"), 0), coalesce(sum(abs("revenue")), 0) FROM "_stage" JOIN "_dates" ON "event_date" = "_dates"."partition_date" GROUP BY "event_date";

CREATE TEMP TABLE "_kept" AS SELECT "fct_sessions"."session_id", min("fct_sessions"."loaded_at") AS "loaded_at" FROM "analytics"."fct_sessions" CROSS JOIN "_dates" WHERE "fct_sessions"."event_date" = "_dates"."partition_date" GROUP BY "fct_sessions"."session_id";

SELECT "fct_sessions"."event_date", count(*) FROM "analytics"."fct_sessions" CROSS JOIN "_dates" WHERE "fct_sessions"."event_date" = "_dates"."partition_date" GROUP BY "fct_sessions"."event_date";

DELETE FROM "analytics"."fct_sessions" USING "_dates" WHERE "fct_sessions"."event_date" = "_dates"."partition_date";

INSERT INTO "analytics"."fct_sessions" ("event_date", "session_id", "anonymous_id", "user_id", "stitched_user_id", "person_id", "start_at", "end_at", "events", "page_views", "engaged_seconds", "absolute_seconds", "is_engaged", "is_bounce", "is_cut", "entry_url", "exit_url", "referrer", "source", "medium", "campaign", "channel_group", "browser", "os", "device_type", "platform", "is_bot", "conversions", "revenue", "sequence_gaps", "landing_page", "exit_page", "app_id", "country", "language", "campaign_key", "device_key", "geo_key", "site_date", "loaded_at") SELECT "_stage"."event_date", "_stage"."session_id", "_stage"."anonymous_id", "_stage"."user_id", "_stage"."stitched_user_id", "_stage"."person_id", "_stage"."start_at" AT TIME ZONE 'UTC', "_stage"."end_at" AT TIME ZONE 'UTC', "_stage"."events", "_stage"."page_views", "_stage"."engaged_seconds", "_stage"."absolute_seconds", "_stage"."is_engaged", "_stage"."is_bounce", "_stage"."is_cut", "_stage"."entry_url", "_stage"."exit_url", "_stage"."referrer", "_stage"."source", "_stage"."medium", "_stage"."campaign", "_stage"."channel_group", "_stage"."browser", "_stage"."os", "_stage"."device_type", "_stage"."platform", "_stage"."is_bot", "_stage"."conversions", "_stage"."revenue", "_stage"."sequence_gaps", "_stage"."landing_page", "_stage"."exit_page", "_stage"."app_id", "_stage"."country", "_stage"."language", "_stage"."campaign_key", "_stage"."device_key", "_stage"."geo_key", "_stage"."site_date", coalesce("_kept"."loaded_at", %s) FROM "_stage" JOIN "_dates" ON "_dates"."partition_date" = "_stage"."event_date" LEFT JOIN "_kept" ON "_kept"."session_id" = "_stage"."session_id";

SELECT "event_date", count(*), coalesce(sum("events"), 0), coalesce(sum("page_views"), 0), coalesce(sum("engaged_seconds"), 0), coalesce(sum("revenue"), 0), coalesce(sum(abs("revenue")), 0) FROM "analytics"."fct_sessions" JOIN "_dates" ON "event_date" = "_dates"."partition_date" GROUP BY "event_date";

SELECT "partition_date", "lake_version", "lake_table", "rows" FROM "analytics"."_loads" WHERE table_name = %s;

DELETE FROM "analytics"."_loads" WHERE table_name = %s AND partition_date IN (%s, %s);

INSERT INTO "analytics"."_loads" ("table_name", "partition_date", "lake_version", "lake_table", "rows", "loaded_at") VALUES (%s, %s, %s, %s, %s, %s), (%s, %s, %s, %s, %s, %s);

LOCK TABLE "analytics"."_loads", "analytics"."dim_users";

CREATE TEMP TABLE "_stage" ("person_id" varchar(512), "user_ids" varchar(65535), "anonymous_ids" varchar(65535), "first_seen_at" timestamp, "last_seen_at" timestamp, "sessions" bigint, "events" bigint, "page_views" bigint, "conversions" bigint, "revenue" double precision, "source" varchar(65535), "medium" varchar(65535), "campaign" varchar(65535), "channel_group" varchar(65535), "traits" varchar(65535), "consent_analytics" boolean, "consent_marketing" boolean, "consent_personalisation" boolean, "consent_sell_or_share" boolean, "consent_at" timestamp, "is_bot" boolean, "first_session_at" timestamp, "first_session_id" varchar(512));

COPY "_stage" FROM 's3://lake/prod/manifests/dim_users/1.manifest'
IAM_ROLE 'arn:aws:iam::123456789012:role/it''s-loading'
FORMAT AS PARQUET
FILLRECORD
MANIFEST;

SELECT count(*) FROM "_stage";

CREATE TEMP TABLE "_dates" ("partition_date" date NOT NULL);

SELECT CAST(NULL AS date), count(*), coalesce(sum("events"), 0), coalesce(sum("sessions"), 0), coalesce(sum("revenue"), 0), coalesce(sum(abs("revenue")), 0) FROM "_stage";

CREATE TEMP TABLE "_kept" AS SELECT "dim_users"."person_id", min("dim_users"."loaded_at") AS "loaded_at" FROM "analytics"."dim_users" GROUP BY "dim_users"."person_id";

SELECT CAST(NULL AS date), count(*) FROM "analytics"."dim_users";

DELETE FROM "analytics"."dim_users";

INSERT INTO "analytics"."dim_users" ("person_id", "user_ids", "anonymous_ids", "first_seen_at", "last_seen_at", "sessions", "events", "page_views", "conversions", "revenue", "source", "medium", "campaign", "channel_group", "traits", "consent_analytics", "consent_marketing", "consent_personalisation", "consent_sell_or_share", "consent_at", "is_bot", "loaded_at") SELECT "_stage"."person_id", "_stage"."user_ids", "_stage"."anonymous_ids", "_stage"."first_seen_at" AT TIME ZONE 'UTC', "_stage"."last_seen_at" AT TIME ZONE 'UTC', "_stage"."sessions", "_stage"."events", "_stage"."page_views", "_stage"."conversions", "_stage"."revenue", "_stage"."source", "_stage"."medium", "_stage"."campaign", "_stage"."channel_group", "_stage"."traits", "_stage"."consent_analytics", "_stage"."consent_marketing", "_stage"."consent_personalisation", "_stage"."consent_sell_or_share", "_stage"."consent_at" AT TIME ZONE 'UTC', "_stage"."is_bot", coalesce("_kept"."loaded_at", %s) FROM "_stage" LEFT JOIN "_kept" ON "_kept"."person_id" = "_stage"."person_id";

SELECT CAST(NULL AS date), count(*), coalesce(sum("events"), 0), coalesce(sum("sessions"), 0), coalesce(sum("revenue"), 0), coalesce(sum(abs("revenue")), 0) FROM "analytics"."dim_users";

SELECT "partition_date", "lake_version", "lake_table", "rows" FROM "analytics"."_loads" WHERE table_name = %s;

DELETE FROM "analytics"."_loads" WHERE table_name = %s AND partition_date IS NULL;

INSERT INTO "analytics"."_loads" ("table_name", "partition_date", "lake_version", "lake_table", "rows", "loaded_at") VALUES (%s, %s, %s, %s, %s, %s);

LOCK TABLE "analytics"."_loads", "analytics"."fct_events";

CREATE TEMP TABLE "_dates" ("partition_date" date NOT NULL);

INSERT INTO "_dates" ("partition_date") VALUES (%s), (%s);

DELETE FROM "analytics"."fct_events" USING "_dates" WHERE "fct_events"."event_date" = "_dates"."partition_date";

DELETE FROM "analytics"."_loads" WHERE table_name = %s AND partition_date IN (%s, %s);
