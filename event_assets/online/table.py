"""What an online table does, whichever database it is, and which one settings mean."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from event_assets.settings import Settings
from event_assets.settings.values import DYNAMODB


class OnlineError(RuntimeError):
    """The online table cannot be read or written just now, or is not there yet. The message says which."""


class Stay(NamedTuple):
    """A segment that somebody is in now, and the first day of it."""

    segment: str
    since: dt.date


class Found(NamedTuple):
    """By id that was asked for the segments of its person, by name; and when the table was made."""

    stays: Mapping[str, Sequence[Stay]]
    made_at: dt.datetime


Members = Iterable[Sequence[tuple[str, str, dt.date]]]
"""Batches of members: person, segment, first day."""
Ids = Iterable[Sequence[tuple[str, str, str]]]
"""Batches of ids: type of the id (`anonymous`, `user`), id, person."""


class OnlineTable(Protocol):
    """The table, replaced whole. Safe to use from several threads and processes.

    `waits`: whether who asks waits for another machine; else it is a look into a file.
    """

    waits: bool

    def version(self) -> str:
        """What the table was made of, as `replace` was told; empty where there is none yet."""

    def replace(self, members: Members, ids: Ids, version: str, made_at: dt.datetime) -> int:
        """Puts these members in the place of all that are there, in one step: who asks sees the table as it was or as
        it is. Ids of nobody who is a member are left out. Gives how many ids it has; again it changes nothing."""

    def find(self, ids: Sequence[str]) -> Found:
        """The segments of who has each of these ids, none of an id that nobody has who is in one. An id that is one
        person's user id and another's anonymous id is the user's. Raises `OnlineError`."""

    def close(self) -> None:
        """Gives connections back."""


def open_online(settings: Settings) -> OnlineTable:
    """The table of these settings. Nothing is made or connected to before it is used."""
    if settings.segments_online_url is None:
        from event_assets.online.sqlite import SqliteTable

        return SqliteTable(settings.home / "segments.sqlite")
    url = settings.segments_online_url.get_secret_value()
    if url.startswith(DYNAMODB):
        from event_assets.online.dynamodb import DynamoTable

        return DynamoTable(url.removeprefix(DYNAMODB), settings.aws_region)
    from event_assets.online.postgres import PostgresTable

    return PostgresTable(url)
