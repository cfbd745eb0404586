"""The middlewares in the real frameworks: events of a request say who asks, and each request only its own."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any
from urllib.parse import quote

import pytest

from event_assets_sdk import EventClient
from event_assets_sdk.requests import asgi, wsgi

Events = list[dict[str, Any]]
Ask = Callable[[str, str], None]


@pytest.fixture
def made() -> Events:
    return []


@pytest.fixture
def client(made: Events) -> Iterator[EventClient]:
    def keep(event: dict[str, Any]) -> None:
        made.append(event)

    with EventClient("http://127.0.0.1:9", "ea_0_0", disk=False, sync=True, before_send=keep) as client:
        yield client


def headers(visitor: str) -> dict[str, str]:
    cookie = quote(json.dumps({"ea.id": visitor}))
    return {"Cookie": f"ea={cookie}", "User-Agent": f"agent of {visitor}", "X-Forwarded-For": "203.0.113.7"}


def fastapi(client: EventClient) -> Ask:
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    app = FastAPI()
    app.add_middleware(asgi.EventsMiddleware, client=client, proxies=1)

    @app.get("/waits")
    async def waits(q: str) -> str:
        await asyncio.sleep(0.01)
        client.track("asked", {"q": q})
        return "ok"

    @app.get("/works")
    def works(q: str) -> str:
        client.track("asked", {"q": q})
        return "ok"

    @app.get("/fails")
    async def fails() -> str:
        raise ValueError("it broke")

    http = TestClient(app, base_url="https://shop.example", raise_server_exceptions=False)
    return lambda path, visitor: no_matter(http.get(path, headers=headers(visitor)))


def flask(client: EventClient) -> Ask:
    from flask import Flask, got_request_exception, request

    app = Flask(__name__)
    app.wsgi_app = wsgi.EventsMiddleware(app.wsgi_app, client, proxies=1)  # type: ignore[method-assign]
    got_request_exception.connect(lambda _, exception: client.capture_exception(exception), app, weak=False)

    @app.get("/waits")
    @app.get("/works")
    def works() -> str:
        client.track("asked", {"q": request.args["q"]})
        return "ok"

    @app.get("/fails")
    def fails() -> str:
        raise ValueError("it broke")

    return lambda path, visitor: no_matter(
        app.test_client(use_cookies=False).get(path, base_url="https://shop.example", headers=headers(visitor))
    )


def django(client: EventClient) -> Ask:
    import django as package
    from django.conf import settings
    from django.http import HttpRequest, HttpResponse
    from django.test import AsyncClient, Client
    from django.urls import clear_url_caches, path

    async def waits(request: HttpRequest) -> HttpResponse:
        await asyncio.sleep(0.01)
        client.track("asked", {"q": request.GET["q"]})
        return HttpResponse("ok")

    def works(request: HttpRequest) -> HttpResponse:
        client.track("asked", {"q": request.GET["q"]})
        return HttpResponse("ok")

    def fails(request: HttpRequest) -> HttpResponse:
        raise ValueError("it broke")

    urls = ModuleType("urls_of_the_test")
    urls.urlpatterns = [path("waits", waits), path("works", works), path("fails", fails)]  # type: ignore[attr-defined]
    sys.modules[urls.__name__] = urls
    if not settings.configured:
        settings.configure(ROOT_URLCONF=urls.__name__, ALLOWED_HOSTS=["*"], EVENTS_PROXIES=1)
        settings.MIDDLEWARE = ["event_assets_sdk.requests.django.events_middleware"]
        package.setup()
    settings.EVENTS_CLIENT = client
    clear_url_caches()

    def ask(path: str, visitor: str) -> None:
        named = {"secure": True, "headers": headers(visitor), "SERVER_NAME": "shop.example", "SERVER_PORT": "443"}
        no_matter(Client(raise_request_exception=False).get(path, **named))
        if path.startswith("/waits"):
            host = {**headers(visitor), "Host": "shop.example"}
            asyncio.run(AsyncClient(raise_request_exception=False).get(path, secure=True, headers=host))

    return ask


def no_matter(answer: object) -> None:
    """What was answered is not what these tests look at."""


FRAMEWORKS = pytest.mark.parametrize("framework", [fastapi, flask, django])


@FRAMEWORKS
@pytest.mark.parametrize("path", ["/works", "/waits"])
def test_events_of_a_request_say_who_asks(
    framework: Callable[[EventClient], Ask], path: str, client: EventClient, made: Events
) -> None:
    framework(client)(f"{path}?q=1", "a")
    assert made
    for event in made:
        assert (event["anonymous_id"], event["ip"]) == ("a", "203.0.113.7")
        assert event["device"] == {"user_agent": "agent of a"}
        assert event["page"] == {"url": f"https://shop.example{path}?q=1"}


@FRAMEWORKS
def test_an_exception_is_recorded_with_who_asked(
    framework: Callable[[EventClient], Ask], client: EventClient, made: Events
) -> None:
    framework(client)("/fails", "a")
    [event] = made
    assert (event["event"], event["anonymous_id"]) == ("app_error", "a")
    assert (event["properties"]["message"], event["properties"]["code"]) == ("it broke", "ValueError")


@FRAMEWORKS
def test_requests_at_once_have_each_their_own(
    framework: Callable[[EventClient], Ask], client: EventClient, made: Events
) -> None:
    ask = framework(client)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: ask(f"/waits?q={number}", f"v{number}"), range(16)))
    assert {event["properties"]["q"] for event in made} == {str(number) for number in range(16)}
    assert all(event["anonymous_id"] == f"v{event['properties']['q']}" for event in made)


@FRAMEWORKS
def test_after_a_request_events_are_nobodys(
    framework: Callable[[EventClient], Ask], client: EventClient, made: Events
) -> None:
    framework(client)("/works?q=1", "a")
    client.track("later", anonymous_id="b")
    assert made[-1]["anonymous_id"] == "b" and "page" not in made[-1]
