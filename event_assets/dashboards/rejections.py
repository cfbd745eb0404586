"""Events that were refused: set aside in the lake with their bytes, or turned away by the collector and counted alone.

What to do about each reason is said here once; nothing is drawn.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping

import httpx
from prometheus_client.parser import text_string_to_metric_families

from event_assets.dashboards.figures import Field, Figure
from event_assets.stack.rejected import RejectedKind

DAYS = 7
"""So many days are looked at."""
_SENDER, _CLOCK = "Mend the sender", "Mend the sender's clock"
_PLAN = f"{_SENDER}, or let the tracking plan know it; then replay."
_TODO: Mapping[str, str] = {
    "malformed_json": f"{_SENDER}: it is no JSON.",
    "not_an_object": f"{_SENDER}: an event is one JSON object.",
    "missing_field": f"{_SENDER}: the rule names the field.",
    "wrong_type": f"{_SENDER}: the rule names the field and its type.",
    "invalid_value": f"{_SENDER}: the rule names the field.",
    "too_large": f"{_SENDER}: send less of it.",
    "too_deep": f"{_SENDER}: nest it less.",
    "invalid_utf8": f"{_SENDER}: texts are UTF-8.",
    "bad_encoding": f"{_SENDER}: the body is not what Content-Encoding says.",
    "unknown_event": _PLAN,
    "plan_violation": _PLAN,
    "future": f"{_CLOCK}.",
    "past": f"{_CLOCK}, or send it as a trusted source, which may date back.",
    "consent_refused": "Nothing: the person said no.",
}
_METRICS = {"collector_events_rejected": "events", "collector_rejected_bytes": "bytes"}
_SECONDS = 2.0
_FIELDS = (
    Field("reason", "Reason"),
    Field("protocol", "Protocol"),
    Field("events", "Events", "number"),
    Field("bytes", "Bytes", "number"),
)


def set_aside(kinds: Iterable[RejectedKind]) -> Figure:
    """What the lake set aside in the last days: a row a reason and protocol, most events first, with what to do."""
    rows = [
        (kind.reason, kind.protocol, kind.events, kind.bytes, kind.first_at, kind.last_at, what_to_do(kind.reason))
        for kind in kinds
    ]
    fields = (
        *_FIELDS,
        Field("first", "First (UTC)", "moment"),
        Field("last", "Last (UTC)", "moment"),
        Field("todo", "What to do"),
    )
    told = (
        "What the rules refused, with its bytes in quarantined_events. To replay it, once the plan knows it, "
        "materialise clean_events of its days of arrival: days that other rules made are cleaned again, with "
        "rebuild: true any day. event-assets events rejected shows the events whole."
    )
    return Figure(f"Set aside in the last {DAYS} days", fields, rows, told, empty="Nothing was set aside.")


def turned_away(exposition: str | None) -> Figure:
    """What the collector refused since it started: a row a reason and protocol. None: it could not be asked."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for family in text_string_to_metric_families(exposition or ""):
        for sample in family.samples if family.name in _METRICS else ():
            if sample.name.endswith("_total"):
                kind = (sample.labels.get("reason", ""), sample.labels.get("protocol", ""))
                counts.setdefault(kind, Counter())[_METRICS[family.name]] += int(sample.value)
    ordered = sorted(counts.items(), key=lambda each: (-each[1]["events"], each[0]))
    rows = [(*kind, count["events"], count["bytes"], what_to_do(kind[0])) for kind, count in ordered]
    told = (
        "Events that the collector did not take, since it started. Of its own protocol they are counted alone: their "
        "sender was told why, event by event, and has to send them again. Those of other SDKs are set aside, too."
    )
    nothing = (
        "The collector refused nothing since it started."
        if exposition is not None
        else "No collector runs beside the dashboards: collector_events_rejected_total of its /metrics tells it."
    )
    return Figure("Refused by the collector", (*_FIELDS, Field("todo", "What to do")), rows, told, empty=nothing)


def what_to_do(reason: str) -> str:
    """The next step for events of a reason; of one that is not known, where to look."""
    return _TODO.get(reason, "The rule that was broken says it.")


def exposition_of(collector_url: str | None) -> str | None:
    """What the collector counts, in Prometheus's text format; None where it cannot be asked."""
    if collector_url is None:
        return None
    try:
        answer = httpx.get(f"{collector_url}/metrics", timeout=_SECONDS)
    except httpx.HTTPError:
        return None
    return answer.text if answer.status_code == httpx.codes.OK else None


def since(now: dt.datetime) -> dt.datetime:
    """From when on events count."""
    return now - dt.timedelta(days=DAYS)
