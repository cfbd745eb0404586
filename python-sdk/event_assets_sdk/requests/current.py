"""The request that is being answered, as fields of an event; each thread and each task has its own."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

_current: ContextVar[Mapping[str, Any]] = ContextVar("event_assets_request", default={})  # noqa: B039


def current_request() -> Mapping[str, Any]:
    """Fields that every event of the request has, unless its call says otherwise. Empty outside of a request."""
    return _current.get()


def set_request(fields: Mapping[str, Any]) -> None:
    """From now on, in this thread or task and in what it starts, events are of this request."""
    _current.set(fields)
