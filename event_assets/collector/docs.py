"""The page at `/docs`: Swagger UI over the OpenAPI document. All its files come from here, none from elsewhere."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

_FOLDERS: list[str | tuple[str, str]] = [("event_assets.collector", "static"), ("flask_swagger_ui", "dist")]
"""Ours, and those of Swagger UI. Of the package with its name only the files are used; Flask is never imported."""
_ASSETS = ("docs.js", "swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def docs_routes() -> list[Route]:
    """The page, and its scripts and style."""
    files = StaticFiles(packages=_FOLDERS)

    async def page(request: Request) -> Response:
        return await _file("docs.html", request)

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _ASSETS:
            raise HTTPException(404)
        return await _file(name, request)

    async def _file(name: str, request: Request) -> Response:
        response = await files.get_response(name, request.scope)
        response.headers.update({"content-security-policy": _POLICY, "x-content-type-options": "nosniff"})
        return response

    return [Route("/docs", page), Route("/docs/{name}", asset)]
