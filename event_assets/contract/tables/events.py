"""Events: as they came, clean, set aside, once, enriched; and the indexes of their ids."""

from __future__ import annotations

from event_assets.contract.tables.schema import Column, InWarehouse, Table, required

_ARRIVAL = (
    required("arrival_date", "date", "UTC date on which the stream took the record."),
    required("arrival_hour", "int", "UTC hour on which the stream took the record.", unit="hour"),
)
_POSITION = (
    required("arrived_at", "timestamp", "When the stream took the record."),
    required("stream", "string", "Stream that the record came on."),
    required("shard_id", "string", "Shard of that stream."),
    required("sequence_number", "string", "Place in the shard; 56 digits, so that text order is stream order."),
)
_LINE = required("line", "int", "Place of the event in its record, from 0.")

_EVENT = (
    required("event_id", "string", "Id made by the client, the same over every retry."),
    required("event", "string", "Name of the event."),
    required("schema_version", "int", "Version of the tracking-plan entry."),
    Column("anonymous_id", "string", "Id of the device or browser.", pii=True),
    Column("user_id", "string", "Id of the signed-in user.", pii=True),
    Column("session_id", "string", "Session id given by the client.", pii=True),
    Column("page_view_id", "string", "Page view id given by the client."),
    Column("group_id", "string", "Group that it is about: a company, a workspace, a team."),
    Column("install_id", "string", "Installation that counts `sequence`.", pii=True),
    Column("sequence", "long", "Counts up per anonymous_id and install; gaps are events lost before the collector."),
    Column("occurred_at", "timestamp", "Client clock: when it happened."),
    Column("sent_at", "timestamp", "Client clock: when the request left."),
    required("received_at", "timestamp", "When the collector took it, or as a trusted source says."),
    required(
        "derived_at",
        "timestamp",
        "When it happened, by the server's clock (see the time rules).",
        definition="given by a trusted import, else received_at - (sent_at - occurred_at) where occurred_at <= "
        "sent_at, else received_at",
    ),
    required("platform", "string", "web, ios, android, desktop, server, tv, console or iot."),
    Column("app_id", "string", "Application."),
    Column("app_version", "string", "Version of the application."),
    Column("app_build", "string", "Build of the application."),
    Column("page_url", "string", "URL of the page."),
    Column("page_title", "string", "Title of the page."),
    Column("page_referrer", "string", "Referrer of the page."),
    Column("screen_name", "string", "Screen of a mobile or desktop app."),
    Column("screen_width", "int", "Width of the screen.", unit="px"),
    Column("screen_height", "int", "Height of the screen.", unit="px"),
    Column("viewport_width", "int", "Width of the viewport.", unit="px"),
    Column("viewport_height", "int", "Height of the viewport.", unit="px"),
    Column("document_width", "int", "Width of the document.", unit="px"),
    Column("document_height", "int", "Height of the document.", unit="px"),
    Column("scroll_x_max", "int", "Furthest horizontal scroll since the ping before.", unit="px"),
    Column("scroll_y_max", "int", "Furthest vertical scroll since the ping before.", unit="px"),
    Column("campaign_source", "string", "Source of the campaign, as the client says; see `source`."),
    Column("campaign_medium", "string", "Medium of the campaign, as the client says; see `medium`."),
    Column("campaign_name", "string", "Name of the campaign, as the client says; see `campaign`."),
    Column("campaign_term", "string", "Term of the campaign, as the client says; see `term`."),
    Column("campaign_content", "string", "Content of the campaign, as the client says; see `content`."),
    Column("device_user_agent", "string", "User agent."),
    Column("device_model", "string", "Model of the device."),
    Column("device_os", "string", "Operating system, as the client says."),
    Column("device_os_version", "string", "Its version, as the client says."),
    Column("device_locale", "string", "Locale of the device."),
    Column("device_timezone", "string", "Time zone of the device."),
    Column("device_manufacturer", "string", "Manufacturer of the device."),
    Column(
        "device_id", "string", "The maker's id of the device; left out where others may not know the person.", pii=True
    ),
    Column(
        "device_advertising_id",
        "string",
        "Advertising id of the device; left out where others may not know the person.",
        pii=True,
    ),
    Column("device_ad_tracking", "boolean", "Whether the device's owner lets advertisers recognise it."),
    Column("ip", "string", "IP address, after the privacy setting.", pii=True),
    Column("consent_analytics", "boolean", "Consent to analytics."),
    Column("consent_marketing", "boolean", "Consent to marketing."),
    Column("consent_personalisation", "boolean", "Consent to personalisation."),
    Column("consent_sell_or_share", "boolean", "Consent to be sold or shared, in the words of the CCPA."),
    Column("consent_gpc", "boolean", "A browser's Global Privacy Control answered that."),
    Column("consent_source", "string", "Where consent was asked for, as the client says: banner, settings, support, …"),
    Column("consent_text_version", "string", "Version of the text that was shown with it."),
    Column(
        "properties", "string", "Properties of the event, as JSON. Of a name that is given twice the last value counts."
    ),
    Column("traits", "string", "Traits of the user, or of the group that a `group` event is about, as JSON.", pii=True),
    Column("traits_once", "string", "Traits that hold where there is none of that name yet, as JSON.", pii=True),
    Column("library_name", "string", "SDK that sent it."),
    Column("library_version", "string", "Version of the SDK."),
    Column("extra", "string", "The context and top-level fields that the contract does not know, as a JSON object."),
    Column("plan_violations", "string", "What the tracking plan warns about."),
)
EVENT_DATE = required("event_date", "date", "UTC date of derived_at.")
SITE_DATE = Column(
    "site_date",
    "date",
    "Date of the same by the clock of the site (see EVENT_ASSETS_TIME_ZONE): by it days, weeks and months are told.",
)

_NOT_LOADED = (
    "stream",
    "shard_id",
    "sequence_number",
    "line",
    "arrived_at",
    "extra",
    "enrichment_failures",
    "enrichments",
)

RAW_EVENTS = Table(
    "raw_events",
    "The stream's records as they came: one row a record, bytes untouched. Its commit log is the checkpoint.",
    (
        *_ARRIVAL,
        *_POSITION,
        required("partition_key", "string", "Partition key of the record.", pii=True),
        required("data", "binary", "The record, byte for byte.", pii=True),
        required("events", "int", "Events that the record holds; 1 where it cannot be unpacked."),
        Column("erased", "int", "Of these, events of people who were erased: a placeholder stands in their place."),
    ),
    key=("stream", "shard_id", "sequence_number"),
    partition_by=("arrival_date", "arrival_hour"),
)

CLEAN_EVENTS = Table(
    "clean_events",
    "Events that keep the contract, by arrival, duplicates included.",
    (*_ARRIVAL, *_POSITION, _LINE, *_EVENT, EVENT_DATE),
    key=("stream", "shard_id", "sequence_number", "line"),
    partition_by=("arrival_date", "arrival_hour"),
    day_column="event_date",
)

QUARANTINED_EVENTS = Table(
    "quarantined_events",
    "What could not be cleaned: the bytes, the reason and where they came from.",
    (
        *_ARRIVAL,
        *_POSITION,
        _LINE,
        required("reason", "string", "Reason code: malformed_json, missing_field, wrong_type, future, …"),
        required("detail", "string", "The rule that was broken, for people."),
        Column("event_id", "string", "The event's id, where one could be read."),
        Column("event", "string", "The event's name, where one could be read."),
        required("data", "binary", "The event, or the whole record where it cannot be unpacked.", pii=True),
    ),
    key=("stream", "shard_id", "sequence_number", "line"),
    partition_by=("arrival_date", "arrival_hour"),
)

EVENT_IDS = Table(
    "event_ids",
    "The narrow index of every clean event, by which duplicates are found however far apart they arrive.",
    (
        required("event_id", "string", "Id of the event."),
        required("received_at", "timestamp", "When the collector took this copy."),
        *_POSITION[1:],
        _LINE,
        required("arrival_date", "date", "UTC date on which the stream took this copy."),
        required("arrival_hour", "int", "UTC hour on which the stream took this copy."),
        EVENT_DATE,
        required("content_hash", "long", "Hash of what the event says; another one under the same id is a conflict."),
    ),
    key=("stream", "shard_id", "sequence_number", "line"),
)

DUPLICATE_EVENTS = Table(
    "duplicate_events",
    "Copies that do not count: for each event_id all but the earliest received_at (ties: lowest stream position).",
    (
        *EVENT_IDS.columns,
        required("is_conflict", "boolean", "The copy says something else than the one that counts."),
    ),
    key=("stream", "shard_id", "sequence_number", "line"),
    day_column="event_date",
)

ENRICHED_EVENTS = Table(
    "enriched_events",
    "Every event once, by the date on which it happened, with device, source and landing fields.",
    (
        EVENT_DATE,
        *_EVENT,
        *_ARRIVAL,
        *_POSITION,
        _LINE,
        Column(
            "country",
            "string",
            "Country of the IP address, ISO 3166-1 alpha-2; by the bundled database the one it is registered in.",
        ),
        Column("page_host", "string", "Host of the page."),
        Column("page_path", "string", "Path of the page."),
        Column("browser", "string", "Browser family from the user agent."),
        Column("browser_version", "string", "Major version of the browser."),
        Column("os", "string", "Operating system from the user agent, else as the client says."),
        Column("os_version", "string", "Major version of the operating system."),
        Column(
            "device_type",
            "string",
            "desktop, mobile, tablet, bot or other.",
            definition="bot where is_bot, else what the user agent tells, else what the platform implies, else other",
        ),
        required(
            "is_bot",
            "boolean",
            "The user agent is a robot's.",
            definition="uap-core's Spider family, a crawler-user-agents pattern, a bot, spider, crawl or HTTP client "
            "expression, or the client's own is_bot",
        ),
        Column("bot_reason", "string", "What told that it is one."),
        Column("referrer_host", "string", "Host of the referrer."),
        Column("referrer_medium", "string", "internal, search, social, email, ai-assistant, paid or unknown."),
        Column("referrer_source", "string", "Name of the referring site, where it is a known one: Google, Facebook, …"),
        Column("search_term", "string", "What was searched for, where the referrer tells."),
        Column("source", "string", "utm_source, else as the client says, else from click id or referrer."),
        Column("medium", "string", "utm_medium, else as the client says, else from click id or referrer."),
        Column("campaign", "string", "utm_campaign, else as the client says."),
        Column("term", "string", "utm_term, else as the client says."),
        Column("content", "string", "utm_content, else as the client says."),
        Column("click_id", "string", "Advertising click id."),
        Column(
            "channel_group",
            "string",
            "Default channel group.",
            definition="the first of GA4's default rules, in GA4's order, that source, medium and campaign meet",
        ),
        Column("enrichment_failures", "string", "Enrichments that failed on this event, as `name: why`."),
        Column("region", "string", "Region of the IP address, where a database that is named in settings knows it."),
        Column("city", "string", "City of the IP address, where such a database knows it."),
        Column("asn", "long", "Number of the autonomous system that the IP address belongs to, where it is known."),
        Column("as_organization", "string", "Who runs that autonomous system."),
        Column("revenue", "double", "The property `revenue`, as it was sent.", unit="currency"),
        Column("currency", "string", "The property `currency`, ISO 4217."),
        Column(
            "revenue_reporting",
            "double",
            "revenue in the reporting currency, by the last rate at most 7 days before event_date; as it was sent "
            "where no reporting currency is set or no currency was sent.",
            unit="currency",
        ),
        Column("lcp_ms", "double", "Largest contentful paint, of web_vitals and page_view events.", unit="ms"),
        Column("inp_ms", "double", "Interaction to next paint, of the same.", unit="ms"),
        Column("fid_ms", "double", "First input delay, of the same.", unit="ms"),
        Column("cls", "double", "Cumulative layout shift, of the same; has no unit."),
        Column("custom", "string", "What the project's own enrichments gave, as a JSON object by their names."),
        Column("enrichments", "string", "Every enrichment with its version, and the edition of the data it goes by."),
        SITE_DATE,
    ),
    key=("event_id",),
    partition_by=("event_date",),
    sort_by=("derived_at",),
    warehouse=InWarehouse(
        "fct_events",
        dist_key="anonymous_id",
        sort_key=("derived_at",),
        sums=("schema_version",),
        leaves_out=_NOT_LOADED,
        # The last minutes, for what is shown in real time; then what one person did.
        indexes=("derived_at", "anonymous_id", "user_id"),
        are_events=True,
    ),
)

EVENT_LEDGER = Table(
    "event_ledger",
    "The ledger: for every hour of arrival and hop, how many events; reasons of quarantine by name.",
    (
        required("arrival_date", "date", "UTC date of arrival."),
        required("arrival_hour", "int", "UTC hour of arrival."),
        required("landed", "long", "Events in the records that were landed."),
        required("clean", "long", "Events that keep the contract."),
        required("quarantined", "long", "Events that do not."),
        required("quarantined_by_reason", "string", "The same by reason, as a JSON object."),
        required("enriched", "long", "Events that count."),
        required("duplicates", "long", "Copies that do not count."),
        required("conflicts", "long", "Of these, copies that say something else."),
        required("pending", "long", "Clean events whose event date is not brought up to date yet."),
        required(
            "balanced",
            "boolean",
            "landed = clean + quarantined + erased and clean = enriched + duplicates + pending + expired.",
            bounded=True,
        ),
        Column("erased", "long", "Events of people who were erased."),
        Column("expired", "long", "Clean events of days that retention took from enriched_events."),
    ),
    key=("arrival_date", "arrival_hour"),
    partition_by=("arrival_date",),
)

CONVERSION_IDS = Table(
    "conversion_ids",
    "Conversion events that say which conversion they tell of (an order), and which of them count: the index by which "
    "the same order is one conversion, however often it is sent.",
    (
        EVENT_DATE,
        required("event_id", "string", "The event."),
        required("event", "string", "Its name."),
        required("conversion_id", "string", "Which conversion: a property, by the setting conversion_ids."),
        required("at", "timestamp", "When it happened."),
        required("is_bot", "boolean", "It came from a robot."),
        Column("anonymous_id", "string", "Id of the device or browser.", pii=True),
        Column("user_id", "string", "Id of the signed-in user.", pii=True),
        required(
            "is_repeated",
            "boolean",
            "It does not count: another event tells of the same conversion.",
            definition="not the first of its event and conversion_id by is_bot, at, event_id",
        ),
    ),
    key=("event_id",),
    day_column="event_date",
)

TABLES: tuple[Table, ...] = (
    RAW_EVENTS,
    CLEAN_EVENTS,
    QUARANTINED_EVENTS,
    EVENT_IDS,
    DUPLICATE_EVENTS,
    ENRICHED_EVENTS,
    EVENT_LEDGER,
    CONVERSION_IDS,
)
