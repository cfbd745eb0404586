"""One person, found by any of their ids: who they are, what is known of them, what they did. Personal data, all of it.

Nothing is drawn here, and nobody's right to see it is looked at: that is the page's.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from event_assets.dashboards.figures import Field, Figure
from event_assets.dashboards.formatter import Formatter
from event_assets.dashboards.source import Source

_MOST_FOUND, _MOST_SESSIONS, _MOST_DAYS, _MOST_EVENTS, _MOST_SHOWN = 5, 200, 31, 500, 1_000
_FACTS = {
    "first_seen_at": Field("first_seen_at", "First seen (UTC)", "moment_of_year"),
    "last_seen_at": Field("last_seen_at", "Last seen (UTC)", "moment_of_year"),
    "sessions": Field("sessions", "Sessions", "number"),
    "events": Field("events", "Events", "number"),
    "page_views": Field("page_views", "Views", "number"),
    "conversions": Field("conversions", "Conversions", "number"),
    "revenue": Field("revenue", "Revenue", "money"),
    "channel_group": Field("channel_group", "First channel"),
    "source": Field("source", "First source"),
    "campaign": Field("campaign", "First campaign"),
    "consent_analytics": Field("consent_analytics", "Consent to analytics"),
    "consent_marketing": Field("consent_marketing", "Consent to marketing"),
    "consent_personalisation": Field("consent_personalisation", "Consent to personalisation"),
    "consent_sell_or_share": Field("consent_sell_or_share", "Consent to be sold or shared"),
    "is_bot": Field("is_bot", "Robot"),
}
Moment = tuple[dt.datetime, str, str, str]
"""When, what kind of thing, what, and more of it."""


@dataclass(frozen=True)
class Person:
    """Somebody, with their ids and the facts of `dim_users` by name."""

    person_id: str
    user_ids: tuple[str, ...]
    anonymous_ids: tuple[str, ...]
    facts: dict[str, Any]

    @property
    def ids(self) -> tuple[str, ...]:
        """All their ids, user ids first."""
        return tuple(dict.fromkeys((*self.user_ids, *self.anonymous_ids)))


def persons_of(source: Source, id_: str) -> list[Person]:
    """Who has this user id, anonymous id or person id; more than one where several kinds of ids share it."""
    columns = ("person_id", "user_ids", "anonymous_ids", *_FACTS)
    query = sql.SQL(
        "SELECT {} FROM {} WHERE person_id = %s OR strpos(user_ids, %s) > 0 OR strpos(anonymous_ids, %s) > 0 "
        "ORDER BY last_seen_at DESC, person_id LIMIT {}"
    ).format(_names(columns), _table(source, "dim_users"), sql.Literal(_MOST_FOUND))
    written = json.dumps(id_, ensure_ascii=False)  # with its quotes, as it stands in a list
    found = [
        Person(row[0], tuple(json.loads(row[1])), tuple(json.loads(row[2])), dict(zip(_FACTS, row[3:], strict=True)))
        for row in source.ask_rows(query, (id_, written, written), fresh=True)
    ]
    return [person for person in found if id_ in (person.person_id, *person.ids)]


def facts_of(person: Person) -> Figure:
    """Who they are: a row a fact that is known."""
    rows: list[tuple[Any, ...]] = [("Person", person.person_id, "text")]
    rows += [("User id", id_, "text") for id_ in person.user_ids]
    rows += [("Anonymous id", id_, "text") for id_ in person.anonymous_ids]
    rows += [
        (field.title, person.facts[name], field.format)
        for name, field in _FACTS.items()
        if person.facts[name] is not None
    ]
    fields = (Field("fact", "What"), Field("value", "Value"), Field("format", "Format"))
    return Figure(person.ids[0] if person.ids else person.person_id, fields, rows, "As of the last run.")


def traits_of(source: Source, person: Person) -> Figure:
    """What is known of them and what was: a row a value."""
    query = sql.SQL(
        "SELECT trait, value, from_at, to_at FROM {} WHERE person_id = %s ORDER BY is_current DESC, trait, from_at DESC"
    ).format(_table(source, "dim_user_traits"))
    fields = (
        Field("trait", "Trait"),
        Field("value", "Value"),
        Field("from", "From (UTC)", "moment_of_year"),
        Field("to", "Up to", "moment_of_year"),
    )
    rows = source.ask_rows(query, (person.person_id,), fresh=True)
    return Figure("Traits", fields, rows, "What they were told to be, by identify.", empty="No traits are known.")


def consent_of(source: Source, person: Person) -> Figure:
    """What they agreed to and refused, now and before: a row an answer."""
    query = sql.SQL(
        "SELECT purpose, CASE WHEN answer THEN 'agreed' ELSE 'refused' END, answered_at, to_at, source, text_version "
        "FROM {} WHERE person_id = %s ORDER BY is_current DESC, purpose, answered_at DESC"
    ).format(_table(source, "dim_consent_receipts"))
    fields = (
        Field("purpose", "Purpose"),
        Field("answer", "Answer"),
        Field("from", "From (UTC)", "moment_of_year"),
        Field("to", "Up to", "moment_of_year"),
        Field("source", "Where"),
        Field("text_version", "Text"),
    )
    rows = source.ask_rows(query, (person.person_id,), fresh=True)
    told = "What they answered when they were asked; without an end it holds."
    return Figure("Consent", fields, rows, told, empty="They were asked for nothing.")


def segments_of(source: Source, person: Person) -> Figure:
    """Their stays in segments: a row each."""
    query = sql.SQL(
        "SELECT segment, from_date, to_date FROM {} WHERE person_id = %s ORDER BY is_current DESC, from_date DESC, 1"
    ).format(_table(source, "dim_segment_memberships"))
    fields = (Field("segment", "Segment"), Field("from", "From", "date"), Field("to", "Up to", "date"))
    rows = source.ask_rows(query, (person.person_id,), fresh=True)
    return Figure("Segments", fields, rows, "Stays in segments; without an end they last.", empty="In no segment.")


def outliers_of(source: Source, person: Person) -> Figure:
    """Their devices that behave like robots, each with what tells: a row a device."""
    query = sql.SQL(
        "SELECT anonymous_id, why, score, last_at FROM {} WHERE person_id = %s AND is_outlier ORDER BY score DESC, 1"
    ).format(_table(source, "dim_outlier_visitors"))
    fields = (
        Field("anonymous_id", "Anonymous id"),
        Field("why", "What tells"),
        Field("score", "Score", "decimal"),
        Field("last_at", "Last seen (UTC)", "moment_of_year"),
    )
    rows = source.ask_rows(query, (person.person_id,), fresh=True)
    return Figure("Behaves like a robot", fields, rows, "By the habits of all visitors of the last 28 days.")


def timeline_of(source: Source, person: Person) -> Figure:
    """What they did and what became of it, the latest first: a row a moment."""
    sessions = _sessions(source, person)
    days = _days(sessions)
    moments = [
        *_session_moments(sessions),
        *_events(source, person, days),
        *_conversions(source, person),
        *_trait_moments(source, person),
        *_segment_moments(source, person),
        *_consent_moments(source, person),
    ]
    moments.sort(key=lambda moment: (moment[0], moment[1]), reverse=True)
    fields = (
        Field("at", "At (UTC)", "moment_of_year"),
        Field("kind", "Kind"),
        Field("what", "What"),
        Field("more", "More"),
    )
    formatter = Formatter(source.locale)
    shown, all_ = formatter.number(_MOST_SHOWN), formatter.number(len(moments))
    notes = [f"The latest {shown} of {all_}."] if len(moments) > _MOST_SHOWN else []
    if days:
        notes.append(f"Events: the latest {_MOST_EVENTS}, from {formatter.text(days[-1], 'date')} on.")
    if source.event_days is not None:
        notes.append(f"The warehouse has single events of the last {source.event_days} days alone.")
    told = "Sessions, events, conversions, traits that changed, segments that were entered or left, and consent."
    return Figure("Timeline", fields, list(moments[:_MOST_SHOWN]), told, tuple(notes), empty="Nothing is there yet.")


def _sessions(source: Source, person: Person) -> list[tuple[Any, ...]]:
    query = sql.SQL(
        "SELECT start_at, end_at, platform, channel_group, source, page_views, engaged_seconds, landing_page, country "
        "FROM {} WHERE person_id = %s ORDER BY start_at DESC LIMIT {}"
    ).format(_table(source, "fct_sessions"), sql.Literal(_MOST_SESSIONS))
    return source.ask_rows(query, (person.person_id,), fresh=True)


def _days(sessions: Sequence[Sequence[Any]]) -> list[dt.date]:
    """The last days on which they did something."""
    return sorted({moment.date() for row in sessions for moment in row[:2]}, reverse=True)[:_MOST_DAYS]


def _session_moments(sessions: Sequence[Sequence[Any]]) -> Iterator[Moment]:
    for start, _, platform, channel, source, views, seconds, landing, country in sessions:
        what = f"on {platform}{f' by {channel}' if channel else ''}{f' ({source})' if source else ''}"
        parts = [f"{views} views", f"{seconds} s engaged", *filter(None, (landing, country))]
        yield start, "session", what, ", ".join(parts)


def _events(source: Source, person: Person, days: Sequence[dt.date]) -> Iterator[Moment]:
    """By their day, which is what events are found by."""
    sides: list[sql.Composable] = []
    values: list[Any] = list(days)
    for column, ids in (("anonymous_id", person.anonymous_ids), ("user_id", person.user_ids)):
        if ids:
            sides.append(sql.SQL("{} IN ({})").format(sql.Identifier(column), _places(ids)))
            values += ids
    if not days or not sides:
        return
    query = sql.SQL(
        "SELECT derived_at, event, page_path, screen_name, revenue FROM {} WHERE event_date IN ({}) AND ({}) "
        "ORDER BY derived_at DESC, event_id LIMIT {}"
    ).format(_table(source, "fct_events"), _places(days), sql.SQL(" OR ").join(sides), sql.Literal(_MOST_EVENTS))
    for at, event, path, screen, revenue in source.ask_rows(query, values, fresh=True):
        yield at, "event", event, " ".join(str(each) for each in (path or screen, revenue) if each is not None)


def _conversions(source: Source, person: Person) -> Iterator[Moment]:
    query = sql.SQL("SELECT at, event, revenue FROM {} WHERE person_id = %s ORDER BY at DESC LIMIT {}").format(
        _table(source, "fct_conversions"), sql.Literal(_MOST_SESSIONS)
    )
    for at, event, revenue in source.ask_rows(query, (person.person_id,), fresh=True):
        yield at, "conversion", event, f"{revenue:,.2f}" if revenue else ""


def _trait_moments(source: Source, person: Person) -> Iterator[Moment]:
    for trait, value, from_at, _ in traits_of(source, person).rows:
        yield from_at, "trait", trait, value


def _consent_moments(source: Source, person: Person) -> Iterator[Moment]:
    for purpose, answer, from_at, _, *asked in consent_of(source, person).rows:
        yield from_at, "consent", f"{answer} {purpose}", " ".join(filter(None, asked))


def _segment_moments(source: Source, person: Person) -> Iterator[Moment]:
    for segment, from_date, to_date in segments_of(source, person).rows:
        for day, what in ((from_date, "entered"), (to_date, "left")):
            if day is not None:
                # A day's membership is that of its end; of a day that goes on, that of now.
                at = min(dt.datetime.combine(day, dt.time(23, 59, 59), dt.UTC), source.clock())
                yield at, "segment", f"{what} {segment}", ""


def _table(source: Source, name: str) -> sql.Identifier:
    return sql.Identifier(source.database.schema, name)


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _places(values: Sequence[Any]) -> sql.Composed:
    return sql.SQL(", ").join([sql.Placeholder()] * len(values))
