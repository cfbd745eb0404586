"""Everything that `event-assets model` makes of messy events is what the definitions' words say, column by column."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from event_assets_tests.modelling import Model
from event_assets_tests.oracle.credit import attribution_rows
from event_assets_tests.oracle.events import counted, event_row
from event_assets_tests.oracle.people import People, group_rows, member_rows, session_rows, user_rows, visitor_rows
from event_assets_tests.oracle.traffic import BAD_LINES, OWN_HOST, messy_lines
from event_assets_tests.oracle.visits import issue_rows, page_view_rows, sessions_of

Row = dict[str, Any]
KEYS = {
    "enriched_events": ("event_id",),
    "page_views": ("page_view_id",),
    "sessions": ("session_id",),
    "session_issues": ("session_id",),
    "visitors": ("anonymous_id",),
    "users": ("person_id",),
    "groups": ("group_id",),
    "group_members": ("group_id", "person_id"),
    "attribution": ("model", "channel_group"),
}
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 4])
def test_every_table_says_what_the_definitions_say(spark: SparkSession, tmp_path: Path, seed: int) -> None:
    lines = messy_lines(seed)
    model = Model(spark, tmp_path)
    reconciliation = model.run(lines, own_hosts=[OWN_HOST]).reconciliation
    expected = _expected(lines)
    assert reconciliation.enriched == len(expected["enriched_events"]) > 400
    assert reconciliation.quarantined == len(BAD_LINES)
    assert reconciliation.conflicts > 5 and reconciliation.duplicates > reconciliation.conflicts
    assert {row["reason"] for row in expected["session_issues"]} == {"too_long"}
    found = {table: [_plain(row) for row in model.rows(table)] for table in KEYS}
    _name_computed_sessions(found)
    for table, rows in expected.items():
        assert _differences(table, rows, found[table]) == {}, table


def _expected(lines: list[Row | bytes]) -> dict[str, list[Row]]:
    events = counted(lines)
    sessions = sessions_of(events)
    people = People(events)
    views = list(page_view_rows(sessions))
    return {
        "enriched_events": [event_row(event) for event in events],
        "page_views": views,
        "sessions": list(session_rows(sessions, people)),
        "session_issues": list(issue_rows(events)),
        "visitors": list(visitor_rows(sessions, people)),
        "users": list(user_rows(sessions, people)),
        "groups": list(group_rows(people)),
        "group_members": list(member_rows(people)),
        "attribution": list(attribution_rows(sessions, views, people)),
    }


def _plain(row: Row) -> Row:
    """Times as milliseconds since 1970, dates as text, amounts to the sixth place, JSON as what it says; of a robot's
    reason that there is one."""
    plain = {name: _plain_value(value) for name, value in row.items()}
    plain |= {name: json.loads(plain[name]) for name in ("properties", "traits", "traits_once") if plain.get(name)}
    if plain.get("bot_reason"):
        plain["bot_reason"] = True
    return plain


def _plain_value(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return (value - _EPOCH) / dt.timedelta(milliseconds=1)
    if isinstance(value, dt.date):
        return str(value)
    return round(value, 6) if isinstance(value, float) else value


def _name_computed_sessions(found: dict[str, list[Row]]) -> None:
    """Sessions without a client's id are named by whose they are and their beginning: their hash is the platform's."""
    given = {row["session_id"] for row in found["enriched_events"]}
    names = {
        row["session_id"]: f"{row['anonymous_id'] or row['user_id']}@{row['start_at']:.0f}"
        for row in found["sessions"]
        if row["session_id"] not in given
    }
    for row in [*found["sessions"], *found["page_views"]]:
        row["session_id"] = names.get(row["session_id"], row["session_id"])


def _differences(table: str, expected: list[Row], found: list[Row]) -> dict[Any, Any]:
    """By key the columns that differ, as (expected, found)."""
    by_key = [{tuple(row[name] for name in KEYS[table]): row for row in rows} for rows in (expected, found)]
    assert [len(rows) for rows in by_key] == [len(expected), len(found)], f"{table}: a key is there twice"
    differences: dict[Any, Any] = {}
    for key in by_key[0].keys() | by_key[1].keys():
        wanted, is_there = (rows.get(key) for rows in by_key)
        if wanted is None or is_there is None:
            differences[key] = (wanted, is_there)
        elif wrong := {name: (wanted[name], is_there[name]) for name in wanted if wanted[name] != is_there[name]}:
            differences[key] = wrong
    return differences
