"""For Django: `"event_assets_sdk.requests.django.events_middleware"` in `MIDDLEWARE`, synchronous or not.

Settings: `EVENTS_CLIENT`, the client that exceptions are recorded with; `EVENTS_PROXIES`, how many proxies
of yours are in front; `EVENTS_COOKIE`, the name of the web SDK's cookie.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any

from event_assets_sdk.requests.current import set_request
from event_assets_sdk.requests.facts import Reading, fields_of
from event_assets_sdk.requests.wsgi import facts_of


def events_middleware(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Events of a request say who asks; an exception that a view raises is recorded."""
    settings = import_module("django.conf").settings
    client = getattr(settings, "EVENTS_CLIENT", None)
    reading = Reading(getattr(settings, "EVENTS_PROXIES", 0), getattr(settings, "EVENTS_COOKIE", "ea"))

    def answer(request: Any) -> Any:
        set_request(_fields(request, reading))
        try:
            return get_response(request)
        finally:
            set_request({})

    async def answer_later(request: Any) -> Any:
        set_request(_fields(request, reading))
        try:
            return await get_response(request)
        finally:
            set_request({})

    def process_exception(request: Any, error: Exception) -> None:
        if client is not None:
            client.capture_exception(error)

    middleware: Any = answer_later if inspect.iscoroutinefunction(get_response) else answer
    middleware.process_exception = process_exception
    return middleware  # type: ignore[no-any-return]


events_middleware.sync_capable = events_middleware.async_capable = True  # type: ignore[attr-defined]


def _fields(request: Any, reading: Reading) -> dict[str, Any]:
    return fields_of(facts_of(request.META)._replace(url=request.build_absolute_uri()), reading)
