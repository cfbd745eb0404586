"""The page at `/docs`: shows the OpenAPI document and sends events. It is ours and loads nothing from elsewhere."""

from __future__ import annotations

from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_ASSETS = {"docs.js": "text/javascript", "docs.css": "text/css"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


async def page(request: Request) -> Response:
    """The page itself."""
    return _file("docs.html", "text/html")


async def asset(request: Request) -> Response:
    """Its script and its style."""
    name = request.path_params["name"]
    if name not in _ASSETS:
        raise HTTPException(404)
    return _file(name, _ASSETS[name])


def _file(name: str, kind: str) -> Response:
    content = (files("event_assets.collector") / "static" / name).read_bytes()
    headers = {"content-security-policy": _POLICY, "x-content-type-options": "nosniff"}
    return Response(content, media_type=kind, headers=headers)
