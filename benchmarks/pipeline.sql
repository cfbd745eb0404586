-- Raw events to session rows in DuckDB, by hand: what `event_assets.transforms` gives without enrichment.
-- {lines}: files of NDJSON, {out}: the Parquet file to write. Cuts by length do not occur in a day's events and are left out.
CREATE TEMP TABLE clean AS
SELECT
    event_id,
    event,
    session_id AS client_session,
    coalesce(session_id, substring(sha256(coalesce(anonymous_id, user_id)), 1, 32)) AS unit,
    anonymous_id,
    user_id,
    CASE event WHEN 'page_view' THEN coalesce(page_view_id, event_id) WHEN 'screen_view' THEN event_id
        WHEN 'page_ping' THEN page_view_id END AS view_id,
    sequence,
    platform,
    page.url AS page_url,
    page.referrer AS page_referrer,
    TRY_CAST(json_extract_string(properties, '$.revenue') AS DOUBLE) AS revenue,
    occurred_at,
    received_at,
    CASE WHEN occurred_at <= sent_at THEN received_at - (sent_at - occurred_at) ELSE received_at END AS derived_at
FROM read_json({lines}, format = 'newline_delimited', columns = {{
    event_id: 'VARCHAR', event: 'VARCHAR', session_id: 'VARCHAR', anonymous_id: 'VARCHAR', user_id: 'VARCHAR',
    page_view_id: 'VARCHAR', sequence: 'BIGINT', platform: 'VARCHAR', page: 'STRUCT(url VARCHAR, referrer VARCHAR)',
    properties: 'JSON', occurred_at: 'TIMESTAMP', sent_at: 'TIMESTAMP', received_at: 'TIMESTAMP'
}})
QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY received_at) = 1;

CREATE TEMP TABLE sessionised AS
WITH gaps AS (
    SELECT *, derived_at - lag(derived_at) OVER (PARTITION BY unit ORDER BY derived_at) AS gap FROM clean
), starts AS (
    SELECT *, max(CASE WHEN gap IS NULL OR gap > INTERVAL 30 MINUTE THEN derived_at END)
        OVER (PARTITION BY unit ORDER BY derived_at ROWS UNBOUNDED PRECEDING) AS begins_at
    FROM gaps
)
SELECT *, coalesce(client_session,
    unit || '-' || substring(sha256(unit || '|' || epoch_us(begins_at)), 1, 16)) AS session_id
FROM starts;

COPY (
    WITH numbered AS (
        SELECT *,
            sequence <= lag(sequence) OVER (PARTITION BY session_id ORDER BY derived_at, occurred_at, event_id) AS falls,
            sequence <= lag(sequence) OVER (PARTITION BY session_id ORDER BY occurred_at, sequence) AS falls_by_clock
        FROM sessionised
    ), found AS (
        SELECT
            session_id,
            arg_min(anonymous_id, (received_at, derived_at, event_id)) AS anonymous_id,
            arg_max(user_id, (derived_at, occurred_at, event_id)) AS user_id,
            min(derived_at) AS first_at,
            max(derived_at) AS end_at,
            arg_min(event, (derived_at, occurred_at, event_id))
                FILTER (event IN ('page_view', 'screen_view', 'page_ping')) AS first_view_or_ping,
            count(*) AS events,
            count(DISTINCT view_id) AS page_views,
            count(DISTINCT view_id) FILTER (event = 'page_ping') AS pinged_views,
            count(DISTINCT (view_id, epoch_us(occurred_at) // 10000000))
                FILTER (event = 'page_ping' AND view_id IS NOT NULL) AS slots,
            arg_min({{'url': page_url, 'referrer': page_referrer, 'platform': platform}},
                (event <> 'page_view', event <> 'screen_view', derived_at, occurred_at, event_id)) AS entry,
            arg_max({{'url': page_url}}, (event = 'page_view', event = 'screen_view', derived_at, occurred_at, event_id)) AS exit,
            count(*) FILTER (event = 'purchase') AS conversions,
            coalesce(sum(revenue) FILTER (event = 'purchase'), 0) AS revenue,
            CASE WHEN min(anonymous_id) = max(anonymous_id) AND NOT (bool_or(falls) AND bool_or(falls_by_clock))
                THEN max(sequence) - min(sequence) + 1 - count(sequence) END AS sequence_gaps
        FROM numbered GROUP BY session_id
    ), timed AS (
        SELECT *,
            CASE WHEN first_view_or_ping = 'page_ping' THEN first_at - INTERVAL 5 SECOND ELSE first_at END AS start_at,
            10 * (slots - pinged_views) + 5 * pinged_views AS engaged_seconds
        FROM found
    )
    SELECT
        start_at::DATE AS event_date,
        session_id,
        anonymous_id,
        user_id,
        start_at,
        end_at,
        events,
        page_views,
        engaged_seconds,
        date_diff('second', start_at, end_at) AS absolute_seconds,
        page_views >= 2 OR engaged_seconds >= 20 OR conversions > 0 AS is_engaged,
        page_views = 1 AND NOT is_engaged AS is_bounce,
        entry.url AS entry_url,
        exit.url AS exit_url,
        entry.referrer AS referrer,
        entry.platform AS platform,
        conversions,
        revenue,
        sequence_gaps
    FROM timed
) TO {out} (FORMAT parquet, COMPRESSION zstd);
