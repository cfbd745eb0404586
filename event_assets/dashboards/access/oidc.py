"""Sign-in by OpenID Connect: the code flow with PKCE, state and nonce; who signed in is in a signed cookie."""

from __future__ import annotations

import hmac
import logging
import secrets
import time
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

import flask
import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from joserfc.errors import JoseError
from werkzeug.wrappers import Response

from event_assets.dashboards.access.entrance import Refused, own_path, page, sign_in_path
from event_assets.dashboards.access.visitor import Visitor
from event_assets.rules.roles import Roles
from event_assets.settings import Settings

_LOG = logging.getLogger(__name__)
_SECONDS = 10
_MOST_ATTEMPTS = 3
_STATE = "_state_"
"""What the library's keys begin with, under which it keeps what it must know again after a redirect."""
_BACK = "/signed-in"


class OidcGate:
    """Visitors by a session cookie, which holds for so many hours, or until they sign out here."""

    open_paths: Collection[str] = ("/sign-in", _BACK, "/sign-out", "/signed-out")
    signs_out = True

    def __init__(self, server: flask.Flask, settings: Settings, roles: Roles) -> None:
        assert settings.dashboard_url and settings.dashboard_oidc_issuer and settings.dashboard_oidc_client_secret
        self._settings, self._roles, self._url = settings, roles, settings.dashboard_url
        self._issuer = settings.dashboard_oidc_issuer
        self._signed_out: dict[str, float] = {}
        self._client = _client(server, settings)
        _keep_sessions(server, settings)
        server.add_url_rule("/sign-in", view_func=self.sign_in)
        server.add_url_rule(_BACK, view_func=self.signed_in)
        server.add_url_rule("/sign-out", view_func=self.sign_out, methods=["POST"])
        server.add_url_rule("/signed-out", view_func=self.signed_out)

    def visitor(self) -> Visitor | None:
        who = flask.session.get("who")
        if not who or who["until"] < time.time() or who["id"] in self._signed_out:
            return None
        role = self._roles.role_of(who["groups"])
        if role is None:
            raise Refused(403, "No access", f"{who['name']} is in no group that may see these dashboards.")
        return Visitor(who["name"], role)

    def challenge(self, wanted: str) -> Response:
        return flask.redirect(sign_in_path(wanted))

    def sign_in(self) -> Response:
        """To the provider."""
        flask.session["next"] = own_path(flask.request.args.get("next"))
        # A browser takes a cookie of 4 KB: pages that were opened side by side leave room for the last of them.
        for key in [key for key in flask.session if key.startswith(_STATE)][: 1 - _MOST_ATTEMPTS]:
            flask.session.pop(key)
        try:
            self._require_issuer()
            made: Response = self._client.authorize_redirect(f"{self._url}{_BACK}")
        except (AuthlibBaseError, requests.RequestException, RuntimeError, ValueError):
            _LOG.exception("the provider cannot be asked")
            return page("Sign-in failed", "The provider does not answer as it should.", 502, sign_in_path("/"))
        return made

    def signed_in(self) -> Response:
        """Back from the provider."""
        wanted = own_path(flask.session.get("next"))
        try:
            claims = self._claims()
        except (AuthlibBaseError, JoseError, requests.RequestException, RuntimeError, ValueError) as error:
            _LOG.warning("a sign-in failed: %s: %s", type(error).__name__, error)
            words = "What came back from the provider does not belong to a sign-in that began in this browser."
            return page("Sign-in failed", words, 403, sign_in_path(wanted))
        named = self._groups(claims)
        flask.session.clear()
        flask.session["who"] = {
            "id": secrets.token_urlsafe(16),
            "name": str(claims.get("name") or claims.get("email") or claims["sub"])[:200],
            "groups": [group for group in named if group in self._roles.groups],
            "until": time.time() + self._settings.dashboard_session_hours * 3600,
        }
        return flask.redirect(wanted)

    def sign_out(self) -> Response:
        """Ends the session here, and at the provider where it has a way to."""
        who = flask.session.get("who")
        flask.session.clear()
        if who:
            now = time.time()
            self._signed_out = {id_: until for id_, until in self._signed_out.items() if until > now}
            self._signed_out[who["id"]] = who["until"]
        way = f"{self._url}/signed-out"
        try:
            way = self._client.create_logout_url(way, client_id=self._settings.dashboard_oidc_client_id)["url"]
        except (RuntimeError, requests.RequestException):
            _LOG.info("the provider has no address at which to sign out")
        response = flask.redirect(way, 303)
        response.headers["Clear-Site-Data"] = '"storage"'
        return response

    def signed_out(self) -> Response:
        """Where a visitor is after it."""
        return page("You are signed out", "The dashboards no longer know you.", link=sign_in_path("/"))

    def _require_issuer(self) -> Mapping[str, Any]:
        metadata: Mapping[str, Any] = self._client.load_server_metadata()
        if str(metadata.get("issuer", "")).rstrip("/") != self._issuer.rstrip("/"):
            raise ValueError(f"the provider says that it is {metadata.get('issuer')}")
        return metadata

    def _claims(self) -> Mapping[str, Any]:
        """What the provider says of who signed in. Raises where it is not for this browser, client and sign-in."""
        metadata = self._require_issuer()
        said = flask.request.args.get("iss", metadata["issuer"])
        if said != metadata["issuer"]:
            raise ValueError(f"the answer is of {said}")
        wanted = {
            "iss": {"essential": True, "value": metadata["issuer"]},
            "aud": {"essential": True, "value": self._settings.dashboard_oidc_client_id},
        }
        token = self._client.authorize_access_token(claims_options=wanted)
        claims: Mapping[str, Any] | None = token.get("userinfo")
        if claims is None:
            raise ValueError("there is no ID token")
        if self._settings.dashboard_oidc_groups not in claims and metadata.get("userinfo_endpoint"):
            more = self._client.userinfo(token=token)
            claims = {**more, **claims} if more.get("sub") == claims["sub"] else claims
        return claims

    def _groups(self, claims: Mapping[str, Any]) -> list[str]:
        told = claims.get(self._settings.dashboard_oidc_groups) or []
        return [told] if isinstance(told, str) else [str(group) for group in told]


def _client(server: flask.Flask, settings: Settings) -> Any:
    secret = settings.dashboard_oidc_client_secret
    return OAuth(server).register(
        "provider",
        client_id=settings.dashboard_oidc_client_id,
        client_secret=secret.get_secret_value() if secret else None,
        server_metadata_url=f"{(settings.dashboard_oidc_issuer or '').rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": settings.dashboard_oidc_scope,
            "code_challenge_method": "S256",
            "default_timeout": _SECONDS,
        },
    )


def _keep_sessions(server: flask.Flask, settings: Settings) -> None:
    """The session is a cookie of this host alone that scripts cannot read and foreign pages cannot send along."""
    is_https = urlsplit(settings.dashboard_url or "").scheme == "https"
    secret = settings.dashboard_oidc_client_secret
    key = (secret.get_secret_value() if secret else "").encode()
    # Follows from the client's secret: the same on every server, and a new secret signs everybody out.
    server.secret_key = hmac.new(key, b"event-assets dashboards session", "sha256").digest()
    server.config.update(
        SESSION_COOKIE_NAME="__Host-event-assets" if is_https else "event-assets",
        SESSION_COOKIE_SECURE=is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
