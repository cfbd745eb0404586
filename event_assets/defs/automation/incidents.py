"""The sensor that tells of incidents of metrics: once when one begins, once when it has ended, by each way that the
settings name; a mail shows what came, and what was expected.

It starts no run. Whom it told of what is its cursor; if that is lost, what is open is told once more. It looks at the
clock as well: a minute in which nothing comes makes no run, and is one with nothing all the same.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from event_assets.defs.automation.sensors import shards_to_land
from event_assets.defs.automation.telling import tell_incidents
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.rules import RulesResource
from event_assets.defs.resources.stream import StreamResource
from event_assets.lake.lake import Lake
from event_assets.models.pictures import band_picture
from event_assets.pipeline.anomalies import band_of
from event_assets.pipeline.minute_anomalies import is_caught_up
from event_assets.pipeline.open_incidents import open_incidents
from event_assets.pipeline.pending_days import BY_ARRIVAL, pending
from event_assets.settings import Settings
from event_assets.streams import StreamError
from event_assets.telemetry.calling import NotCalled, post, publish
from event_assets.webhooks import Passing
from event_assets.webhooks.mailing import MailRefused, each_refused, mailed

_EVERY_SECONDS = 30
_MOST_TOLD, _MOST_DRAWN = 10, 3
"""Incidents that one message has a line for, and a mail a picture of."""
Draw = Callable[[Sequence[str]], Sequence[bytes]]
"""Makes pictures of incidents, by their ids."""
Way = Callable[[str, str, Sequence[str], Draw], None]
"""Tells people: takes a subject, a text, and which incidents began. Raises `NotCalled`."""
Told = dict[str, dict[str, str]]
"""By way the incidents that it was told of, with what it was told."""


def incidents_sensor(settings: Settings) -> dg.SensorDefinition:
    """The sensor; it does nothing where nobody is named."""
    ways = ways_of(settings)

    @dg.sensor(
        name="metric_incidents_sensor",
        description="Tells of incidents of metrics that begin or end.",
        minimum_interval_seconds=_EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING if ways else dg.DefaultSensorStatus.STOPPED,
    )
    def metric_incidents_sensor(
        context: dg.SensorEvaluationContext, lake: LakeResource, stream: StreamResource, rules: RulesResource
    ) -> dg.SkipReason:
        now, opened = _now(), lake.open()
        is_open = open_incidents(opened, rules, silent_until(opened, stream, now))
        tell_incidents(len(is_open))
        if is_quiet(settings, now):
            return dg.SkipReason(f"Nobody is told between {settings.incident_quiet_hours}.")
        draw = partial(pictures_of, opened, is_open)
        told, faults = _tell(settings, ways, is_open, _read(context.cursor), draw)
        for fault in faults:  # it is told again at the next look
            context.log.error(f"Not everybody was told of incidents: {fault}.")
        context.update_cursor(json.dumps(told))
        return dg.SkipReason(f"{len(is_open)} incidents are open.")

    return metric_incidents_sensor


def silent_until(lake: Lake, stream: StreamResource, now: dt.datetime) -> dt.datetime | None:
    """Up to when it is known what came; None where something is on its way, or the stream cannot be seen: then what is
    not here is late, of which other alarms tell."""
    try:
        with stream.open() as events:
            if shards_to_land(events, lake):
                return None
    except StreamError:
        return None
    is_known = not pending(lake, BY_ARRIVAL).days and is_caught_up(lake)
    return now if is_known else None


def ways_of(settings: Settings) -> dict[str, Way]:
    """How people are told, by name."""
    ways: dict[str, Way] = {}
    if settings.alarm_webhook_url is not None:
        ways["webhook"] = lambda subject, text, begun, draw: post(settings, text)
    if settings.alarm_topic is not None:
        ways["topic"] = lambda subject, text, begun, draw: publish(settings, subject, text)
    if settings.incident_to:
        ways["mail"] = lambda subject, text, begun, draw: _mail(settings, subject, text, draw(begun))
    return ways


def pictures_of(lake: Lake, incidents: Iterable[Mapping[str, Any]], ids: Sequence[str]) -> list[bytes]:
    """PNGs of the furthest off of these incidents: what came, and between which bounds it was expected."""
    pictures = []
    for row in [each for each in incidents if each["incident_id"] in ids][:_MOST_DRAWN]:
        band = band_of(lake, row)
        if band["observed"]:
            pictures.append(band_picture(row["what"], band))
    return pictures


def is_quiet(settings: Settings, now: dt.datetime) -> bool:
    """Whether nobody is to be told at that moment."""
    if settings.incident_quiet_hours is None:
        return False
    begin, end = settings.incident_quiet_hours.split("-")
    clock = now.astimezone(ZoneInfo(settings.time_zone)).strftime("%H:%M")
    return begin <= clock < end if begin <= end else clock >= begin or clock < end


def _tell(
    settings: Settings,
    ways: Mapping[str, Way],
    is_open: Sequence[Mapping[str, Any]],
    told: Told,
    draw: Draw,
) -> tuple[Told, list[str]]:
    """What each way was told after this look, and what went wrong."""
    now, faults = {row["incident_id"]: str(row["what"]) for row in is_open}, []
    after: Told = {}
    for way, tell in ways.items():
        before = told.get(way, {})
        begun = {id_: what for id_, what in now.items() if id_ not in before}
        ended = [what for id_, what in before.items() if id_ not in now]
        after[way] = {id_: before.get(id_, what) for id_, what in now.items()}
        if not begun and not ended:
            continue
        try:
            message = message_of(settings, [*begun.values()], ended)
            tell(_subject(len(begun), len(ended)), message, [*begun], draw)
        except NotCalled as fault:
            faults.append(str(fault))
            after[way] = before
    return after, faults


def message_of(settings: Settings, begun: Sequence[str], ended: Sequence[str]) -> str:
    """What is told: a line an incident, and where to look."""
    lines = [f"{settings.installation}: {_subject(len(begun), len(ended))}."]
    lines += _few("Unusual", begun) + _few("Has ended", ended)
    if settings.dashboard_url:
        lines.append(f"{settings.dashboard_url}/anomalies")
    return "\n".join(lines)


def _few(word: str, whats: Sequence[str]) -> list[str]:
    more = [f"and {len(whats) - _MOST_TOLD} more"] if len(whats) > _MOST_TOLD else []
    return [f"{word}: {what}" for what in whats[:_MOST_TOLD]] + more


def _subject(begun: int, ended: int) -> str:
    parts = [f"{number} incidents of metrics {verb}" for number, verb in ((begun, "began"), (ended, "ended")) if number]
    return ", ".join(parts).replace("1 incidents", "1 incident")


def _mail(settings: Settings, subject: str, text: str, pictures: Sequence[bytes]) -> None:
    mail = EmailMessage()
    mail["Subject"] = f"{settings.installation}: {subject}"
    mail["From"], mail["To"] = settings.smtp_from or "", ", ".join(settings.incident_to)
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid()
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    for number, picture in enumerate(pictures, 1):
        mail.add_attachment(picture, maintype="image", subtype="png", filename=f"unusual-{number}.png")
    try:
        refused = mailed(settings, mail)
    except (Passing, MailRefused) as fault:
        raise NotCalled(str(fault)) from None
    if refused:
        raise NotCalled(f"the mail server did not take it for {each_refused(refused)}")


def _read(cursor: str | None) -> Told:
    try:
        kept = json.loads(cursor or "{}")
        return {str(way): {str(id_): str(what) for id_, what in told.items()} for way, told in kept.items()}
    except (ValueError, AttributeError):
        return {}


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
