"""The rows that so many events leave in a warehouse, made by SQL where they are, for the dashboards' benchmark."""

from __future__ import annotations

import psycopg
from psycopg import sql

DAYS = 180
_EVENTS_A_SESSION, _EVENTS_A_PERSON, _EVENT_DAYS = 8, 40, 3
_PAGES, _PLACES = 300, 60
_CHANNELS = "ARRAY['Direct','Organic Search','Paid Search','Email','Referral','Organic Social','Paid Social','Display']"
_COUNTRIES = "ARRAY['DE','FR','US','GB','IT','ES','AT','CH','NL','PL','SE','BR','IN','JP','CA']"
_STATEMENTS = {
    "fct_sessions": f"""
INSERT INTO fct_sessions
  (event_date, session_id, anonymous_id, person_id, start_at, end_at, events, page_views,
  engaged_seconds, absolute_seconds, is_engaged, is_bounce, is_cut, source, medium, campaign, channel_group, browser,
  os, device_type, platform, is_bot, conversions, revenue, landing_page, exit_page, app_id, country, language,
  loaded_at)
SELECT at::date, md5('s' || n), 'd' || p, 'p' || p, at, at + interval '4 minutes', 8, 1 + n % 6, (n * 7) % 300,
  (n * 13) % 900, n % 3 > 0, n % 5 = 0, false, 'source ' || n % 40, 'medium ' || n % 6, 'campaign ' || n % 60,
  ({_CHANNELS})[1 + n % 8], 'Browser ' || n % 9, 'OS ' || n % 6, (ARRAY['desktop','mobile','tablet'])[1 + n % 3],
  (ARRAY['web','web','ios','android'])[1 + n % 4], n % 50 = 0, CASE WHEN n % 30 = 0 THEN 1 ELSE 0 END,
  CASE WHEN n % 30 = 0 THEN 25.5 ELSE 0 END, '/page/' || n % 300, '/page/' || n % 277, 'app ' || n % 2,
  ({_COUNTRIES})[1 + (n * 31) % 15], 'de', now()
FROM (SELECT n, (n::bigint * 7919) % %(people)s AS p, now() - interval '{DAYS} days' * (n::float / %(sessions)s) AS at
  FROM generate_series(1, %(sessions)s) AS n) AS made ORDER BY n DESC""",
    "dim_users": f"""
INSERT INTO dim_users
  (person_id, user_ids, anonymous_ids, first_seen_at, last_seen_at, sessions, events, page_views,
  conversions, revenue, source, medium, campaign, channel_group, is_bot, loaded_at)
SELECT 'p' || n, '["u' || n || '"]', '["d' || n || '"]', now() - interval '{DAYS} days' * (n::float / %(people)s),
  now(), 5, 40, 20, 0, 0, 'source ' || n % 40, 'medium ' || n % 6, 'campaign ' || n % 60, ({_CHANNELS})[1 + n % 8],
  false, now()
FROM generate_series(1, %(people)s) AS n""",
    "dim_companies": f"""
INSERT INTO dim_companies
  (group_id, name, plan, status, industry, country, mrr, is_customer, members, first_seen_at, last_seen_at,
  channel_group, source, medium, campaign, loaded_at)
SELECT 'g' || n, 'Company ' || n, (ARRAY['free','team','business'])[1 + n % 3], 'active', 'industry ' || n % 12,
  ({_COUNTRIES})[1 + n % 15], n % 3 * 50, n % 3 > 0, 1 + n % 40,
  now() - interval '{DAYS} days' * (n::float / (%(people)s / 20 + 1)), now(), ({_CHANNELS})[1 + n % 8],
  'source ' || n % 40, 'medium ' || n % 6, 'campaign ' || n % 60, now()
FROM generate_series(1, %(people)s / 20) AS n""",
    "dim_segment_memberships": f"""
INSERT INTO dim_segment_memberships
  (segment, person_id, from_date, to_date, is_current, loaded_at)
SELECT (ARRAY['activated','buyers','lapsed_buyers','cart_abandoners'])[1 + s], 'p' || n,
  current_date - (n * 7 + s) % {DAYS}, CASE WHEN n % 3 = 0 THEN current_date - n % 20 END, n % 3 > 0, now()
FROM generate_series(1, %(people)s) AS n, generate_series(0, 3) AS s WHERE (n + s) % 4 = 0 OR n % 11 = 0""",
    "agg_daily_sessions": """
INSERT INTO agg_daily_sessions
  (event_date, site_date, app_id, platform, country, channel_group, source, medium, campaign, device_type, is_bot,
  sessions, engaged_sessions, bounces, converting_sessions, events, page_views, engaged_seconds, conversions, revenue,
  loaded_at)
SELECT event_date, event_date, app_id, platform, country, channel_group, source, medium, campaign,
  device_type, is_bot, count(*), count(*) FILTER (WHERE is_engaged), count(*) FILTER (WHERE is_bounce),
  sum(conversions), sum(events), sum(page_views), sum(engaged_seconds), sum(conversions), sum(revenue), now()
FROM fct_sessions GROUP BY 1, 3, 4, 5, 6, 7, 8, 9, 10, 11""",
    "agg_daily_events": f"""
INSERT INTO agg_daily_events
  (event_date, site_date, event, app_id, platform, country, device_type, is_bot, events, conversions, revenue,
  loaded_at)
SELECT current_date - d, current_date - d, 'event ' || e, 'app ' || n % 2, (ARRAY['web','ios'])[1 + n % 2],
  ({_COUNTRIES})[1 + (n / 2) % 15], (ARRAY['desktop','mobile','tablet'])[1 + n % 3], false, 30, 1, 20, now()
FROM generate_series(0, {DAYS - 1}) AS d, generate_series(1, 25) AS e, generate_series(1, %(places)s) AS n""",
    "agg_daily_pages": f"""
INSERT INTO agg_daily_pages
  (event_date, site_date, page, kind, app_id, platform, country, channel_group, device_type, is_bot, views, entries,
  exits, engaged_seconds, scrolled_views, scroll_percent, loaded_at)
SELECT current_date - d, current_date - d, '/page/' || p, 'page', 'app ' || n % 2, 'web',
  ({_COUNTRIES})[1 + n % 15], ({_CHANNELS})[1 + n % 8], (ARRAY['desktop','mobile'])[1 + n % 2], false, 9, 3, 3, 200, 8,
  500, now()
FROM generate_series(0, {DAYS - 1}) AS d, generate_series(1, %(pages)s) AS p, generate_series(1, 12) AS n""",
    "agg_channel_performance": f"""
INSERT INTO agg_channel_performance
  (event_date, model, channel_group, conversions, revenue, spend, currency, roas, cpa, loaded_at)
SELECT current_date - d, m, c, 12.5, 300.25, CASE WHEN c LIKE 'Paid%%' THEN 80 END, 'EUR', 3.7, 6.4, now()
FROM generate_series(0, {DAYS - 1}) AS d, unnest({_CHANNELS}) AS c,
  unnest(ARRAY['first','last','linear','position','time_decay','data_driven']) AS m""",
    "agg_period_people": """
INSERT INTO agg_period_people
  (period, from_date, to_date, dimension, value, people, loaded_at)
SELECT days || ' days', current_date - days + 1, current_date, dimension, value, count(DISTINCT person_id), now()
FROM fct_sessions, unnest(ARRAY[7, 28, 90]) AS days, LATERAL (VALUES ('all', '(all)'), ('platform', platform),
  ('app_id', app_id), ('country', country), ('channel_group', channel_group), ('source', source),
  ('campaign', campaign), ('device_type', device_type)) AS by (dimension, value)
WHERE event_date > current_date - days AND NOT is_bot GROUP BY 1, 2, 3, 4, 5
UNION ALL
SELECT 'day', event_date, event_date, dimension, value, count(DISTINCT person_id), now()
FROM fct_sessions, LATERAL (VALUES ('all', '(all)'), ('platform', platform), ('app_id', app_id), ('country', country),
  ('channel_group', channel_group)) AS by (dimension, value)
WHERE NOT is_bot GROUP BY 1, 2, 3, 4, 5""",
    "fct_events": f"""
INSERT INTO fct_events
  (event_date, event_id, event, anonymous_id, derived_at, platform, country, page_path, is_bot,
  loaded_at)
SELECT at::date, md5('e' || n), (ARRAY['page_view','page_ping','click'])[1 + n % 3], 'd' || n % %(people)s, at, 'web',
  'DE', '/page/' || n % 300, false, now()
FROM (SELECT n, now() - interval '{_EVENT_DAYS} days' * (n::float / %(recent)s) AS at
  FROM generate_series(1, %(recent)s) AS n) AS made""",
    "agg_lifecycle": f"""
INSERT INTO agg_lifecycle
  (analysis, span, period_start, status, people, loaded_at)
SELECT a, 'now', current_date - d, s, CASE s WHEN 'dormant' THEN -900 ELSE 1500 END, now()
FROM unnest(ARRAY['weekly_lifecycle', 'daily_lifecycle']) AS a, generate_series(0, {DAYS - 1}) AS d,
  unnest(ARRAY['new','returning','resurrecting','dormant']) AS s WHERE a = 'daily_lifecycle' OR d %% 7 = 0""",
    "agg_active_users": f"""
INSERT INTO agg_active_users
  (analysis, span, event_date, dau, wau, mau, stickiness, loaded_at)
SELECT 'people_active', 'now', current_date - d, 9000, 30000, 70000, 0.13, now()
FROM generate_series(0, {DAYS - 1}) AS d""",
    "agg_stickiness": """
INSERT INTO agg_stickiness
  (analysis, periods, people, share, loaded_at)
SELECT 'people_sticking', n, 9000 / n, 1.0 / n, now() FROM generate_series(1, 30) AS n""",
    "agg_retention": """
INSERT INTO agg_retention
  (analysis, span, breakdown, cohort_start, period, people, cohort_people, share, loaded_at)
SELECT 'weekly_retention', 'now', '(all)', current_date - 7 * c, p, 900, 4000, 0.9 / (p + 1), now()
FROM generate_series(0, 25) AS c, generate_series(0, 12) AS p WHERE p <= c""",
    "agg_funnels": f"""
INSERT INTO agg_funnels
  (analysis, breakdown, step, step_name, people, conversion, step_conversion, mean_seconds,
  median_seconds, loaded_at)
SELECT 'checkout_funnel', b, s, 'step ' || s, 9000 / s, 1.0 / s, 0.5, 60, 40, now()
FROM unnest(ARRAY['(all)'] || {_CHANNELS}) AS b, generate_series(1, 4) AS s""",
    "agg_paths": """
INSERT INTO agg_paths
  (analysis, step, from_node, to_node, transitions, mean_seconds, loaded_at)
SELECT 'page_paths', s, '/page/' || a, '/page/' || b, 500 - a * b, 12, now()
FROM generate_series(0, 4) AS s, generate_series(1, 15) AS a, generate_series(1, 15) AS b""",
    "agg_web_vitals": """
INSERT INTO agg_web_vitals
  (analysis, page_path, device_type, views, lcp_ms, inp_ms, fid_ms, cls, loaded_at)
SELECT 'page_speed', '/page/' || p, d, 900 - p, 2400, 180, 90, 0.1, now()
FROM generate_series(1, 300) AS p, unnest(ARRAY['desktop', 'mobile', 'tablet']) AS d""",
    "_loads": """
INSERT INTO _loads
  (table_name, partition_date, lake_version, rows, loaded_at)
SELECT 'fct_sessions', event_date, 1, count(*), now() FROM fct_sessions GROUP BY 2
UNION ALL SELECT 'agg_daily_sessions', event_date, 1, count(*), now() FROM agg_daily_sessions GROUP BY 2""",
}


def fill(url: str, schema: str, events: int) -> dict[str, int]:
    """Fills the empty tables of a warehouse; gives the rows of each."""
    sizes = {"sessions": events // _EVENTS_A_SESSION, "people": events // _EVENTS_A_PERSON}
    sizes["recent"] = events * _EVENT_DAYS // DAYS
    sizes |= {"pages": min(_PAGES, 3 + events // 30_000), "places": min(_PLACES, 4 + events // 150_000)}
    rows = {}
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(schema)))
        for table, statement in _STATEMENTS.items():
            filled = statement.replace("%%", "%")
            for name, size in sizes.items():
                filled = filled.replace(f"%({name})s", str(size))
            rows[table] = connection.execute(filled.encode()).rowcount
        connection.execute("VACUUM (ANALYZE)")
    return rows
