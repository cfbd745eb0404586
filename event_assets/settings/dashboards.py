"""The settings of the dashboards' server: where it listens, who may look, and by which role of the warehouse."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode

from event_assets.settings.values import Names, is_loopback, json_object, locale, networks, warehouse_address

_PREFIX = "EVENT_ASSETS_DASHBOARD_"
_HTTP = r"^https?://[^\s/?#]+$"


class DashboardSettings(BaseSettings):
    """What `Settings` has for the dashboards beside their port and file."""

    dashboard_host: str = Field(
        "127.0.0.1", description="Address that the dashboards listen on; beyond loopback only with a sign-in."
    )
    dashboard_url: str | None = Field(
        None,
        pattern=_HTTP,
        description="Address by which browsers reach the dashboards, such as `https://dashboards.example.org`. "
        "Required with a sign-in.",
    )
    dashboard_locale: Annotated[str | None, AfterValidator(locale)] = Field(
        None,
        description="Locale in which the dashboards and digests write numbers, money and dates, such as `de` or "
        "`en-GB`. Default: for dashboards what the visitor's browser asks for, for digests `en`.",
    )
    dashboard_sign_in: Literal["none", "oidc", "proxy"] = Field(
        "none",
        description="How visitors of the dashboards sign in: not at all, by OpenID Connect, or at a proxy in front "
        "that names them in headers.",
    )
    dashboard_role_urls: Annotated[
        dict[str, Annotated[SecretStr, AfterValidator(warehouse_address)]], NoDecode, BeforeValidator(json_object)
    ] = Field(
        {},
        description="By role of the roles' file the address by which the dashboards read the warehouse for its "
        "visitors, as JSON. Default: in PostgreSQL that of the role that the dashboards make.",
    )
    dashboard_session_hours: float = Field(10.0, gt=0, le=720, description="Hours after which a visitor signs in anew.")
    dashboard_oidc_issuer: str | None = Field(
        None, pattern=r"^https?://\S+$", description="Issuer of OpenID Connect, as its metadata names it."
    )
    dashboard_oidc_client_id: str | None = Field(None, description="The dashboards' client id there.")
    dashboard_oidc_client_secret: SecretStr | None = Field(None, min_length=16, description="Its secret.")
    dashboard_oidc_scope: str = Field("openid profile email", description="Scopes that are asked for there.")
    dashboard_oidc_groups: str = Field("groups", min_length=1, description="Claim that lists a visitor's groups.")
    dashboard_proxies: Annotated[Names, AfterValidator(networks)] = Field(
        ("127.0.0.1",), description="Addresses or networks of the proxies that are believed, with commas between."
    )
    dashboard_proxy_user: str = Field("X-Forwarded-User", description="Header by which a proxy names the visitor.")
    dashboard_proxy_groups: str = Field(
        "X-Forwarded-Groups", description="Header by which it lists their groups, with commas between."
    )

    @model_validator(mode="after")
    def _signed_in_beyond_loopback(self) -> Self:
        if self.dashboard_sign_in == "none":
            if not is_loopback(self.dashboard_host):
                raise ValueError(
                    f"{_PREFIX}SIGN_IN is missing: {_PREFIX}HOST={self.dashboard_host} is reached by others than this "
                    "machine, and needs oidc or proxy"
                )
            return self
        needed = ["url"]
        if self.dashboard_sign_in == "oidc":
            needed += ["oidc_issuer", "oidc_client_id", "oidc_client_secret"]
        missing = [_PREFIX + name.upper() for name in needed if not getattr(self, f"dashboard_{name}")]
        if missing:
            raise ValueError(f"{', '.join(missing)} missing: {_PREFIX}SIGN_IN={self.dashboard_sign_in} needs it")
        for name in ("url", "oidc_issuer") if self.dashboard_sign_in == "oidc" else ():
            address = urlsplit(getattr(self, f"dashboard_{name}"))
            if address.scheme != "https" and not is_loopback(address.hostname or ""):
                raise ValueError(f"{_PREFIX}{name.upper()} must be https: what passes there signs people in")
        return self
