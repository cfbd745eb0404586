"""A provider of OpenID Connect on this machine, made of Authlib's server part: it signs everybody in as one person."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import flask
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import AuthorizationCodeMixin, UserInfo
from authlib.oidc.core.grants import OpenIDCode
from joserfc.jwk import KeySet, RSAKey

CLIENT, SECRET = "dashboards", "a-secret-of-the-client"


class _Client(ClientMixin):  # type: ignore[misc]
    id_token_signed_response_alg = "RS256"

    def __init__(self, redirects: list[str]) -> None:
        self._redirects = redirects

    def get_client_id(self) -> str:
        return CLIENT

    def get_default_redirect_uri(self) -> str:
        return self._redirects[0]

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self._redirects

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(client_secret, SECRET)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class _Code(AuthorizationCodeMixin):  # type: ignore[misc]
    code: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str | None
    code_challenge_method: str | None

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


@dataclass
class Provider:
    """What a test sets: who signs in, what the ID token says in place of the truth, and what is kept out of it."""

    issuer: str
    redirects: list[str]
    person: dict[str, Any] = field(
        default_factory=lambda: {"sub": "1", "name": "Ada Example", "groups": ["analytics", "staff"]}
    )
    falsely: dict[str, Any] = field(default_factory=dict)
    groups_by_userinfo: bool = False
    other_key: bool = False
    challenges: list[str | None] = field(default_factory=list)

    def app(self) -> flask.Flask:
        """The provider as an application."""
        app = flask.Flask("provider")
        keys = KeySet([RSAKey.generate_key(2048, {"kid": "one"})])
        codes: dict[str, _Code] = {}
        client = _Client(self.redirects)
        server = AuthorizationServer(app, lambda id_: client if id_ == CLIENT else None, lambda token, request: None)
        provider = self

        class Codes(grants.AuthorizationCodeGrant):  # type: ignore[misc]
            TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

            def save_authorization_code(self, code: str, request: Any) -> None:
                data = request.payload.data
                provider.challenges.append(data.get("code_challenge_method"))
                codes[code] = _Code(
                    code,
                    data["redirect_uri"],
                    data["scope"],
                    data.get("nonce"),
                    data.get("code_challenge"),
                    data.get("code_challenge_method"),
                )

            def query_authorization_code(self, code: str, client: Any) -> _Code | None:
                return codes.get(code)

            def delete_authorization_code(self, authorization_code: _Code) -> None:
                del codes[authorization_code.code]

            def authenticate_user(self, authorization_code: _Code) -> dict[str, Any]:
                return provider.person

        class IdTokens(OpenIDCode):  # type: ignore[misc]
            def exists_nonce(self, nonce: str, request: Any) -> bool:
                return any(code.nonce == nonce for code in codes.values())

            def resolve_client_private_key(self, client: Any) -> Any:
                return RSAKey.generate_key(2048, {"kid": "one"}) if provider.other_key else keys.keys[0]

            def get_encode_header(self, client: Any) -> dict[str, str]:
                return {"alg": "RS256", "kid": "one"}

            def get_client_claims(self, client: Any) -> dict[str, Any]:
                return {"iss": provider.issuer, "aud": [CLIENT]}

            def generate_user_info(self, user: dict[str, Any], scope: str) -> UserInfo:
                kept = {k: v for k, v in user.items() if not (provider.groups_by_userinfo and k == "groups")}
                return UserInfo({**kept, **provider.falsely})

        server.register_grant(Codes, [CodeChallenge(required=True), IdTokens(require_nonce=True)])

        @app.get("/.well-known/openid-configuration")
        def metadata() -> dict[str, Any]:
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "jwks_uri": f"{self.issuer}/keys",
                "end_session_endpoint": f"{self.issuer}/logout",
                "id_token_signing_alg_values_supported": ["RS256"],
            }

        @app.get("/keys")
        def public_keys() -> Any:
            return keys.as_dict(private=False)

        @app.get("/authorize")
        def authorize() -> Any:
            grant = server.get_consent_grant(end_user=self.person)
            return server.create_authorization_response(grant_user=self.person, grant=grant)

        @app.post("/token")
        def token() -> Any:
            return server.create_token_response()

        @app.get("/userinfo")
        def userinfo() -> dict[str, Any]:
            return self.person

        return app
