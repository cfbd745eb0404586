"""The entrance: every request passes it, and has a visitor and the visitor's context after it, or goes no further."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from html import escape
from typing import Protocol
from urllib.parse import urlencode, urlsplit

import flask
from werkzeug.wrappers import Response

from event_assets.dashboards.access.visitor import Visitor
from event_assets.dashboards.context import Context
from event_assets.dashboards.formatter import known_locale
from event_assets.settings import Settings

HEALTH = "/health"
_SAFE = ("GET", "HEAD", "OPTIONS")
_OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<style>body{{font-family:system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem;line-height:1.5}}</style>
</head><body><h1>{title}</h1><p>{words}</p>{link}</body></html>"""


class Refused(Exception):
    """A visitor who may not go in. `title` and `words` say so to them."""

    def __init__(self, status: int, title: str, words: str) -> None:
        super().__init__(words)
        self.status, self.title, self.words = status, title, words


class Gate(Protocol):
    """How visitors are known. `open_paths` are asked before anybody is; `signs_out` whether a visitor can leave."""

    open_paths: Collection[str]
    signs_out: bool

    def visitor(self) -> Visitor | None:
        """Who asks; None where they have to sign in. Raises `Refused` where they may not look."""

    def challenge(self, wanted: str) -> Response:
        """What leads a visitor to sign in, and then to the path that they wanted."""


class OpenGate:
    """Everybody, by one role: on an address that nobody but this machine's users reaches."""

    open_paths: Collection[str] = ()
    signs_out = False

    def __init__(self, role: str) -> None:
        self._role = role

    def visitor(self) -> Visitor | None:
        return Visitor("", self._role)

    def challenge(self, wanted: str) -> Response:
        raise AssertionError


def guard(server: flask.Flask, gate: Gate, contexts: Mapping[str, Context], settings: Settings) -> None:
    """Puts the entrance before every path of the server, all but the one that says that it lives."""
    public = settings.dashboard_url and urlsplit(settings.dashboard_url)
    hosts = [*_OWN_NAMES, *([public.hostname] if public and public.hostname else [])]
    # Only who names this server is answered, so that no foreign page reaches it under a name of its own.
    server.config["TRUSTED_HOSTS"] = hosts
    origins = {public.netloc} if public else set()

    @server.before_request
    def enter() -> Response | None:
        host = flask.request.host  # one that is not ours ends here
        if flask.request.path == HEALTH:
            return None
        if flask.request.method not in _SAFE and not _is_own(origins | {host}):
            flask.abort(403)
        if flask.request.path in gate.open_paths:
            return None
        try:
            visitor = gate.visitor()
        except Refused as refused:
            return page(refused.title, refused.words, refused.status)
        if visitor is None:
            return gate.challenge(_wanted()) if _is_navigation() else flask.Response("Sign in", 401)
        if visitor.role not in contexts:
            return page("Not yet", "There is no way by which the warehouse could be read for your role alone.", 503)
        context = contexts[visitor.role]
        if settings.dashboard_locale is None:
            context = context.in_locale(known_locale(flask.request.accept_languages.values()))
        flask.g.visitor, flask.g.context, flask.g.signs_out = visitor, context, gate.signs_out
        return None

    @server.get(HEALTH)
    def health() -> str:
        return "ok"


def _is_own(origins: Collection[str]) -> bool:
    """Whether what asks is a page of ours. A browser says of every request that changes something whose it is."""
    origin = flask.request.headers.get("Origin")
    if flask.request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    return origin is None or urlsplit(origin).netloc in origins


def _is_navigation() -> bool:
    return flask.request.method == "GET" and flask.request.accept_mimetypes.quality("text/html") > 0


def _wanted() -> str:
    query = flask.request.query_string.decode("ascii", "ignore")
    return f"{flask.request.path}?{query}" if query else flask.request.path


def own_path(wanted: str | None) -> str:
    """The path of ours that is meant; the first page's where it is not ours, or cannot be."""
    text = wanted or ""
    is_ours = text.startswith("/") and text[1:2] not in ("/", "\\") and text.isprintable() and "\\" not in text
    return text if is_ours else "/"


def page(title: str, words: str, status: int = 200, link: str = "") -> Response:
    """A page that stands alone, before or after the dashboards. `link` is the path of a way on."""
    way = f'<p><a href="{escape(link)}">Sign in</a></p>' if link else ""
    return flask.Response(_PAGE.format(title=escape(title), words=escape(words), link=way), status)


def sign_in_path(wanted: str) -> str:
    """The path that leads to the sign-in and from there to the wanted one."""
    return f"/sign-in?{urlencode({'next': own_path(wanted)})}"
