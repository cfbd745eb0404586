"""For Starlette, FastAPI and every other ASGI application: `app.add_middleware(EventsMiddleware, client=events)`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from event_assets_sdk.client import EventClient
from event_assets_sdk.requests.current import set_request
from event_assets_sdk.requests.facts import Facts, Reading, fields_of

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class EventsMiddleware:
    """Events of a request say who asks; an exception that the application does not handle is recorded and raised on.

    `proxies`: how many proxies of yours are in front. `cookie`: the name of the web SDK's cookie.
    """

    def __init__(self, app: App, client: EventClient | None = None, *, proxies: int = 0, cookie: str = "ea") -> None:
        self._app = app
        self._client = client
        self._reading = Reading(proxies, cookie)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        set_request(fields_of(_facts(scope), self._reading))
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            if self._client is not None:
                self._client.capture_exception(error)
            raise
        finally:
            set_request({})


def _facts(scope: Scope) -> Facts:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope.get("headers", ())}
    host = headers.get("host", "")
    query = scope.get("query_string", b"").decode("latin-1")
    path = scope.get("root_path", "") + scope["path"] if not _has_root(scope) else scope["path"]
    client = scope.get("client")
    url = f"{scope.get('scheme', 'http')}://{host}{path}{'?' if query else ''}{query}"
    return Facts(url, client[0] if client else None, headers.get)


def _has_root(scope: Scope) -> bool:
    """Whether the path begins with the root path already, as newer servers and frameworks have it."""
    return bool(scope["path"].startswith(scope.get("root_path", "")))
