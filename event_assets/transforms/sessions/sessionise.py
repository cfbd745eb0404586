"""Which session each event belongs to.

No rows of `sessions` or `page_views` are made here, and nothing is read or written: see sessions.py and page_views.py
for the rows, resessionise.py for bringing them up to date, session_bounds.py for the arithmetic.

Two kinds of session, which never mix:

- An event with a `session_id` from its client belongs to that session, whoever sent the session's other events. The
  session ends three days after its earliest received event happened; what happened later is after the cut.
- Any other event belongs to a session of its key (`anonymous_id`, else `user_id`). Among the key's events without a
  client's session id, a gap of more than 30 minutes starts a new session; a session of 24 hours is cut, and the next
  event starts the next one, counted from there.

So the session of an event depends on all events of the same client session id (any date), or on the events of the same
key that are linked to it by gaps of at most 30 minutes: normally its own date and the ones beside it; an unbroken chain
is followed however long it is. `sessions(D)` and `page_views(D)` depend on the enriched dates of those events, and
`page_views(D)` also on every date that has a view with the id of one of D.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from event_assets.contract.site_zones import IN_UTC, SiteZones
from event_assets.contract.versions import version_of
from event_assets.transforms.attribution.conversion_ids import with_conversions
from event_assets.transforms.money import amount
from event_assets.transforms.parts import TASKS_PER_CORE, in_parts
from event_assets.transforms.sessions.session_bounds import Limits, SessionEvents
from event_assets.transforms.sessions.session_sums import SESSION_SUMS, session_sums
from event_assets.transforms.sessions.view_sums import VIEW_SUMS, Views, view_sums

EVENTS_PER_CORE = 1_500_000
"""Events that an engine holds in memory for each core while their sessions are found: about 1 GB."""

EVENT_COLUMNS = (
    "event_id",
    "event",
    "session_id",
    "anonymous_id",
    "user_id",
    "page_view_id",
    "derived_at",
    "occurred_at",
    "received_at",
    "sequence",
    "install_id",
    "viewport_height",
    "document_height",
    "scroll_y_max",
    "is_bot",
    "platform",
    "revenue_reporting",
)
"""The columns of enriched events that `session_events` takes."""

_SCHEMA = pa.schema(
    {
        "session_id": pa.string(),
        "is_view": pa.bool_(),
        **{field.name: field.type for sums in (SESSION_SUMS, VIEW_SUMS) for field in sums},
    }
)
_SCHEMA_OF_EVENTS = pa.schema(
    {"event_id": pa.string(), "session_id": pa.string(), "session_is_cut": pa.bool_(), "after_cut": pa.bool_()}
)

VIEW_EVENTS = ("page_view", "screen_view")
"""The events that are views, of a page or of a screen."""

SECOND = 1_000_000
"""Microseconds of a second, the unit of every time in here."""


@dataclass(frozen=True, slots=True)
class SessionRules:
    """The constants of sessions, page views and conversions. The defaults are Snowplow's, but that any event starts a
    session.

    `starts_with`: what a session must have to count: `any` event, or, as with Snowplow, a `page` (a page view, a ping
    or a screen view; of a server or desktop app any event). `conversion_ids`: by event name the property that tells
    which conversion it is; one of the `placeholders` (default: the contract's) tells none. `zones`: by which clock the
    date is told on which one began.
    """

    timeout_minutes: int = 30
    max_hours: int = 24
    max_days_client: int = 3
    engaged_seconds: int = 20
    conversion_events: tuple[str, ...] = ("purchase",)
    conversion_ids: tuple[tuple[str, str], ...] = (("purchase", "order_id"),)
    heartbeat_seconds: int = 10
    first_ping_seconds: int = 5
    starts_with: Literal["any", "page"] = "any"
    zones: SiteZones = IN_UTC
    placeholders: tuple[str, ...] | None = None

    @property
    def version(self) -> str:
        """Changes with the rules; what other rules made is made again."""
        return version_of(self)

    @property
    def timeout(self) -> int:
        """Longest gap inside a computed session, in microseconds."""
        return self.timeout_minutes * 60 * SECOND

    @property
    def longest(self) -> int:
        """Longest computed session, in microseconds."""
        return self.max_hours * 3600 * SECOND

    @property
    def longest_client(self) -> int:
        """Time from a client session's earliest received event to its cut, in microseconds."""
        return self.max_days_client * 86400 * SECOND

    @property
    def heartbeat(self) -> int:
        """Length of a slot of page pings, in microseconds."""
        return self.heartbeat_seconds * SECOND


def session_key() -> Column:
    """The id by which sessions are computed: `anonymous_id`, else `user_id`."""
    return F.coalesce(F.col("anonymous_id"), F.col("user_id"))


def key_hash(key: Column) -> Column:
    """32 hexadecimal digits that stand for a session key; every computed session id of the key begins with them."""
    return F.substring(F.sha2(key, 256), 1, 32)


def is_view() -> Column:
    """Whether an event is a view, of a page or of a screen."""
    return F.col("event").isin(list(VIEW_EVENTS))


def view_id() -> Column:
    """The id of the view that an event is, or that it is a ping of; null for all others.

    A page view without a `page_view_id` is one of its own. So is a screen view: what it may carry is the page's that it
    was shown on.
    """
    event = F.col("event")
    return (
        F.when(event == "page_view", F.coalesce("page_view_id", "event_id"))
        .when(event == "screen_view", F.col("event_id"))
        .when(event == "page_ping", F.col("page_view_id"))
    )


def session_events(events: DataFrame, rules: SessionRules, ids: DataFrame | None = None) -> DataFrame:
    """The few columns of enriched events of which sessions and page views are made, one row an event.

    `ids` are rows of `conversion_ids`; without them every conversion event counts.

    They travel between machines; texts like URLs stay where they are and are fetched for the rows that show them.
    """
    return with_conversions(events, rules, ids).select(
        *(name for name in EVENT_COLUMNS[:-2] if name != "page_view_id"),
        view_id().alias("view_id"),
        F.col("platform").isin("server", "desktop").alias("needs_no_page"),
        "is_conversion",
        F.when(F.col("is_conversion"), amount(F.col("revenue_reporting"))).alias("revenue"),
    )


def sessionise(events: DataFrame, rules: SessionRules, cores: int = 1) -> DataFrame:
    """The sessions of the rows of `session_events`, and the views in them. All events of a session must be there.

    A row a session and, where `is_view`, a row a view of a session, with the columns of `SESSION_SUMS` and `VIEW_SUMS`;
    what the other kind has is null. `session_id` is the client's, else a stable hash of the key and the session's
    beginning; null for events without any id, which belong to no session. A view's `anonymous_id` is its session's.

    A client can give the id of a session that was computed: these are two rows.
    """

    def rows_of(part: SessionEvents) -> Iterator[pa.Table]:
        views = Views(part, rules.heartbeat)
        sessions = session_sums(part, views)
        yield _as_rows(part.session_ids, False, sessions)
        session, sums = view_sums(part, views)
        sums["anonymous_id"] = sessions["anonymous_id"].take(session)
        yield _as_rows(part.session_ids.take(session), True, sums)

    return _by_part(events, rules, cores, rows_of, _SCHEMA)


def sessions_of_events(events: DataFrame, rules: SessionRules, cores: int = 1) -> DataFrame:
    """Which session each of the rows of `session_events` belongs to. All events of a session must be there.

    Columns: event_id; session_id, as in `sessionise`; session_is_cut: the session was cut for its length; after_cut:
    the event came after its client session was cut, and counts in no session row.
    """

    def rows_of(part: SessionEvents) -> Iterator[pa.Table]:
        yield pa.table(
            {
                "event_id": part.table["event_id"],
                "session_id": part.session_ids.take(pa.array(part.session)),
                "session_is_cut": part.is_cut,
                "after_cut": part.is_after,
            }
        )

    return _by_part(events, rules, cores, rows_of, _SCHEMA_OF_EVENTS)


def sessionise_in_parts(
    events: DataFrame,
    rules: SessionRules,
    cores: int,
    events_per_core: int = EVENTS_PER_CORE,
    rows: Callable[[DataFrame, SessionRules, int], DataFrame] = sessionise,
) -> list[DataFrame]:
    """The rows of `sessionise`, or of `sessions_of_events`, in several frames, to be made one after another where the
    events are many.

    A part has about `events_per_core` events for each of the engine's `cores` at the most, unless sessions of one key
    or client have more; the cores share it.
    """
    return [rows(part, rules, cores) for part in in_parts(events, _group(), events_per_core * cores)]


def _by_part(
    events: DataFrame,
    rules: SessionRules,
    cores: int,
    rows_of: Callable[[SessionEvents], Iterator[pa.Table]],
    schema: pa.Schema,
) -> DataFrame:
    """What a function makes of the events, dealt into parts that have all events of each of their sessions."""
    limits = Limits(rules.timeout, rules.longest, rules.longest_client, rules.heartbeat)

    def make(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        part = list(batches)
        if sum(batch.num_rows for batch in part):
            for rows in rows_of(SessionEvents(pa.Table.from_batches(part), limits)):
                yield from rows.to_batches()

    return events.repartition(TASKS_PER_CORE * cores, _group()).mapInArrow(make, from_arrow_schema(schema))


def _group() -> Column:
    """What the sessions of an event are told apart by: the client's session id, or the key."""
    return F.coalesce(F.col("session_id"), session_key())


def _as_rows(session_ids: pa.Array, is_view: bool, sums: dict[str, pa.Array]) -> pa.Table:
    """Rows of one kind with the columns of both."""
    rows = len(session_ids)
    columns = {"session_id": session_ids, "is_view": pa.array([is_view]).take(np.zeros(rows, np.int64)), **sums}
    return pa.table([columns.get(field.name, pa.nulls(rows, field.type)) for field in _SCHEMA], _SCHEMA)
