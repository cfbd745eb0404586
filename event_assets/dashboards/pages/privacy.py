"""Privacy: what people asked for and until when it is due, what was erased, what is held, and which days go when.
It names nobody."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from event_assets.dashboards.cards import WHOLE, card, grid, number_width, table
from event_assets.dashboards.context import Context
from event_assets.dashboards.figures import Field, Figure
from event_assets.dashboards.formatter import Formatter
from event_assets.dashboards.markup import element
from event_assets.lake.horizons import read_horizons
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.privacy.expiring import last_run
from event_assets.privacy.holds import holds
from event_assets.privacy.receipts import FOLDER
from event_assets.privacy.requests import Request, requests
from event_assets.rules.retention import TABLES, read_retention
from event_assets.rules.rule_files import RuleError
from event_assets.settings import Settings

ID = "privacy"
_SHOWN = 50


def content(context: Context) -> Any:
    """The cards of the page."""
    formatter, lake = context.formatter, _lake(context)
    cards = _numbers([*requests(lake.storage)], lake, context.source.now, formatter)
    for number, (_, figure) in enumerate(_figures(context, lake)):
        made = None if figure.is_empty else table(figure, formatter)
        cards.append(card(figure, made, formatter, width=WHOLE, export=f"/{ID}/0/0/{number}", has_table=False))
    return grid(cards)


def figures(context: Context) -> list[tuple[str, Figure]]:
    """What is on the page, each with the kind of its chart."""
    return _figures(context, _lake(context))


def _lake(context: Context) -> Lake:
    settings = context.settings
    return Lake(Storage(settings.lake, settings.aws_region, settings.s3_endpoint_url))


def _figures(context: Context, lake: Lake) -> list[tuple[str, Figure]]:
    now = context.source.now
    return [
        ("table", requests_of(lake.storage, now)),
        ("table", erased(lake.storage)),
        ("table", held(lake.storage)),
        ("table", kept(lake, context.settings, now.date())),
    ]


def _numbers(asked: list[Request], lake: Lake, now: dt.datetime, formatter: Formatter) -> list[Any]:
    open_ones = [request for request in asked if request.is_open]
    late = [request for request in open_ones if request.deadline < now]
    counts = {
        "Requests in work": len(open_ones),
        "Of these past their deadline": len(late),
        "Held": sum(request.state == "held" for request in open_ones),
        "Holds in force": sum(hold.is_active for hold in holds(lake.storage)),
    }
    return [
        card(
            Figure(title, (), [(count,)]),
            element("div", formatter.number(count), class_="big words down" if "past" in title and count else "big"),
            formatter,
            width=number_width(len(counts)),
            has_table=False,
        )
        for title, count in counts.items()
    ]


def requests_of(storage: Storage, now: dt.datetime) -> Figure:
    """The requests, what is in work first, by when it is due."""
    found = sorted(requests(storage), key=lambda each: (not each.is_open, each.deadline))
    rows = [
        (
            *(each.id, each.state, each.requested_at, each.deadline),
            (each.deadline - now).days if each.is_open else None,
            *(each.people.get("users", 0), each.people.get("devices", 0), each.note),
        )
        for each in found[:_SHOWN]
    ]
    fields = (
        *(Field("request", "Request"), Field("state", "State"), Field("at", "Asked for (UTC)", "moment")),
        *(Field("due", "Due (UTC)", "moment"), Field("left", "Days left", "number")),
        *(Field("users", "User ids", "number"), Field("devices", "Devices", "number"), Field("note", "Why")),
    )
    told = "What people asked for: held by a legal hold, waiting for tables, incomplete where a scan found something."
    return Figure("Requests for erasure", fields, rows, told, empty="Nobody has asked for anything.")


def erased(storage: Storage) -> Figure:
    """The receipts: how much each run erased, and what the scan found afterwards."""
    paths = sorted((path for path, _ in storage.walk(FOLDER) if path.endswith(".json")), reverse=True)
    rows = []
    for path in paths[:_SHOWN]:
        told = json.loads(storage.read(path))
        found = sum(told["scan"]["found"].values())
        ended = dt.datetime.fromisoformat(told["ended_at"])
        rows.append((ended, len(told["requests"]), told["events"], found, path.rpartition("/")[2]))
    fields = (
        *(Field("at", "Ended (UTC)", "moment"), Field("requests", "Requests", "number")),
        *(Field("events", "Events erased", "number"), Field("found", "Found afterwards", "number")),
        Field("receipt", "Receipt"),
    )
    told_ = (
        "Each run that erased, by its signed receipt: event-assets privacy verify-receipt tells whether it is genuine."
    )
    return Figure("Erased", fields, rows, told_, empty="Nobody was erased yet.")


def held(storage: Storage) -> Figure:
    """The legal holds, those in force first."""
    found = sorted(holds(storage), key=lambda each: (not each.is_active, each.at))
    rows = [
        (
            *(each.id, each.why, dt.datetime.fromisoformat(each.at), len(each.people), ", ".join(each.apps)),
            f"{each.first_day} to {each.last_day}" if each.first_day else "",
            "in force" if each.is_active else f"released {each.released_at[:10]}",
        )
        for each in found[:_SHOWN]
    ]
    fields = (
        *(Field("hold", "Hold"), Field("why", "Why"), Field("at", "Since (UTC)", "moment")),
        *(
            Field("ids", "Ids of people", "number"),
            Field("apps", "Apps"),
            Field("days", "Days"),
            Field("state", "State"),
        ),
    )
    return Figure(
        "Legal holds", fields, rows, "Erasure and retention pass by what they cover.", empty="Nothing is held."
    )


def kept(lake: Lake, settings: Settings, today: dt.date) -> Figure:
    """How long each table keeps its days, from which on it is whole, and when the oldest goes."""
    fields = (
        *(Field("table", "Table"), Field("days", "Keeps days", "number"), Field("oldest", "Oldest day")),
        *(Field("next", "It goes on"), Field("since", "Whole since"), Field("rows", "Rows of the last run", "number")),
        *(Field("held", "Held rows", "number"), Field("waits", "Waits for")),
    )
    is_on = settings.retention_file is not None
    told = "Which days go when: event-assets retention plan tells it anew."
    if not is_on:
        told = "Nothing goes by itself: EVENT_ASSETS_RETENTION_FILE names no file that says how long what is kept."
    try:
        retention = read_retention(settings.retention)
    except RuleError as fault:
        return Figure("Retention", fields, [], told, empty=f"The file cannot be used, and nothing goes: {fault}")
    horizons, last = read_horizons(lake.storage), last_run(lake.storage)
    rows = []
    for name in TABLES:
        if not lake.table(name).exists():
            continue
        days, done = retention.days_of(name), last.tables.get(name) if last else None
        oldest = min(lake.table(name).snapshot().dates(), default="")
        due = str(dt.date.fromisoformat(oldest) + dt.timedelta(days=days + 1)) if is_on and days and oldest else ""
        rows.append(
            (
                *(name, days, oldest, due if due > str(today) else "the next night" if due else "never"),
                *(horizons.get(name, ""), done.rows if done else 0, done.held_rows if done else 0),
                "; ".join(done.waits[:2]) if done else "",
            )
        )
    return Figure("Retention", fields, rows, told, empty="There are no tables yet.")
