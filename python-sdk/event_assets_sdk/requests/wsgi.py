"""For Flask and every other WSGI application: `app.wsgi_app = EventsMiddleware(app.wsgi_app, client=events)`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import copy_context
from typing import Any
from wsgiref.util import request_uri

from event_assets_sdk.client import EventClient
from event_assets_sdk.requests.current import set_request
from event_assets_sdk.requests.facts import Facts, Reading, fields_of

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class EventsMiddleware:
    """Events of a request say who asks; an exception that the application does not handle is recorded and raised on.

    Flask handles exceptions itself: `got_request_exception` tells of them. `proxies`: how many proxies of yours are in
    front. `cookie`: the name of the web SDK's cookie.
    """

    def __init__(self, app: App, client: EventClient | None = None, *, proxies: int = 0, cookie: str = "ea") -> None:
        self._app = app
        self._client = client
        self._reading = Reading(proxies, cookie)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers a request."""
        return copy_context().run(self._answer, environ, start_response)

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        set_request(fields_of(facts_of(environ), self._reading))
        try:
            return self._app(environ, start_response)
        except Exception as error:
            if self._client is not None:
                self._client.capture_exception(error)
            raise


def facts_of(environ: dict[str, Any]) -> Facts:
    """The request of a WSGI environment."""
    return Facts(
        request_uri(environ),
        environ.get("REMOTE_ADDR") or None,
        lambda name: environ.get(f"HTTP_{name.upper().replace('-', '_')}"),
    )
