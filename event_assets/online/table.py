"""What an online table does, whichever database it is, and which one settings mean."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from event_assets.settings import Settings
from event_assets.settings.values import DYNAMODB, SAGEMAKER


class OnlineError(RuntimeError):
    """The online table cannot be read or written just now, or is not there yet. The message says which."""


class Fact(NamedTuple):
    """What is known of somebody now, by name: of a segment that they are in the first day, of features a document."""

    name: str
    value: str


class Found(NamedTuple):
    """By id that was asked for what is known of its person, by name; and when the table was made."""

    facts: Mapping[str, Sequence[Fact]]
    made_at: dt.datetime


Facts = Iterable[Sequence[tuple[str, str, str]]]
"""Batches of facts: person, name, value."""
Ids = Iterable[Sequence[tuple[str, str, str]]]
"""Batches of ids: type of the id (`anonymous`, `user`), id, person."""


class OnlineTable(Protocol):
    """The table, replaced whole. Safe to use from several threads and processes.

    `waits`: whether who asks waits for another machine; else it is a look into a file.
    """

    waits: bool

    def version(self) -> str:
        """What the table was made of, as `replace` was told; empty where there is none yet."""

    def replace(self, facts: Facts, ids: Ids, version: str, made_at: dt.datetime) -> int:
        """Puts these facts in the place of all that are there, in one step: who asks sees the table as it was or as it
        is. Ids of nobody of whom there is one are left out. Gives how many ids it has; again it changes nothing."""

    def find(self, ids: Sequence[str]) -> Found:
        """What is known of who has each of these ids, nothing of an id that nobody has. An id that is one person's user
        id and another's anonymous id is the user's. Raises `OnlineError`."""

    def close(self) -> None:
        """Gives connections back."""


MODELS_ID = "\x01models"
"""The id of what is known of models, which nobody can have: an event's id has no such character."""
REFUSED = "personalisation"
"""The fact that is known of the `refusal_id` of who refused to be treated by what is known of them, and all that is."""
Content = Literal["segments", "features"]


def refusal_id(id_: str) -> str:
    """Under what a refusal is found by an id, so that the id of who refused is not there itself."""
    return f"\x01refused {hashlib.sha256(id_.encode()).hexdigest()}"


def open_online(settings: Settings, content: Content = "segments") -> OnlineTable:
    """The table of these settings, of one content. Nothing is made or connected to before it is used."""
    if settings.segments_online_url is None:
        from event_assets.online.sqlite import SqliteTable

        return SqliteTable(settings.home / f"{content}.sqlite")
    url, suffix = settings.segments_online_url.get_secret_value(), "" if content == "segments" else f"_{content}"
    if url.startswith(DYNAMODB):
        from event_assets.online.dynamodb import DynamoTable

        return DynamoTable(f"{url.removeprefix(DYNAMODB)}{suffix}", settings.aws_region)
    if url.startswith(SAGEMAKER):
        from event_assets.online.sagemaker import SageMakerTable

        return SageMakerTable(f"{url.removeprefix(SAGEMAKER)}-{content}", settings.aws_region)
    from event_assets.online.postgres import PostgresTable

    return PostgresTable(url, f"event_assets_online{suffix}")
