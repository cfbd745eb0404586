"""Answers are told again for half a minute, and stay in memory for no longer: of who was erased nothing does."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from psycopg import sql

from event_assets.dashboards import database
from event_assets.dashboards.database import Database


class Asked(Database):
    """Answers with how often it was asked."""

    def __init__(self) -> None:
        super().__init__("postgresql://nowhere", "analytics")
        self.times = 0

    def _fetch(self, text: Any, values: Any) -> list[tuple[Any, ...]]:
        self.times += 1
        return [(self.times, *values)]


class Timer:
    """Says what is to be done later, and does it when the test does."""

    waiting: ClassVar[list[Callable[[], None]]] = []

    def __init__(self, seconds: float, then: Callable[[], None]) -> None:
        self.then, self.daemon = then, False

    def start(self) -> None:
        assert self.daemon, "it keeps no process"
        self.waiting.append(self.then)


def test_an_answer_about_a_person_is_not_kept_and_every_other_goes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(database, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr("event_assets.dashboards.database.threading.Timer", Timer)
    asked, query = Asked(), sql.SQL("SELECT 1")
    assert asked.rows(query, ("u-1",), fresh=True) == [(1, "u-1")]
    assert not asked._cache and not Timer.waiting, "it is about a person"
    assert [asked.rows(query, ("day",)) for _ in range(2)] == [[(2, "day")]] * 2, "asked once"
    now[0] = 20.0
    asked.rows(query, ("later",))
    now[0] = 30.0
    Timer.waiting.pop()()
    assert [key[1] for key in asked._cache] == [("later",)]
    now[0] = 60.0
    Timer.waiting.pop()()
    assert not asked._cache and not Timer.waiting, "though nobody asks again"
    assert asked.rows(query, ("day",)) == [(4, "day")] and len(Timer.waiting) == 1
