"""The settings of digests: the mail server and the webhook by which they leave."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings

from event_assets.settings.values import is_loopback, webhook_address

_PREFIX = "EVENT_ASSETS_"


class DigestSettings(BaseSettings):
    """What `Settings` has for the digests of the dashboards."""

    smtp_host: str | None = Field(None, min_length=1, description="Mail server that digests are sent by.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port.")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="Encryption of the way to it: begun by STARTTLS, from the first byte on, or none, which is for "
        "this machine and where no password is sent.",
    )
    smtp_user: str | None = Field(None, min_length=1, description="User there, with a password.")
    smtp_password: SecretStr | None = Field(None, description="Its password.")
    smtp_from: str | None = Field(
        None, pattern=r"^[^\r\n]*[^@\s<>,]+@[^@\s<>,]+>?$", description="Address that digests come from."
    )
    digest_webhook_url: Annotated[SecretStr | None, AfterValidator(webhook_address)] = Field(
        None,
        description="Incoming webhook of Slack, or of what takes the same (Mattermost, Google Chat, …), that digests "
        "are posted to.",
    )

    @model_validator(mode="after")
    def _secret_on_the_way(self) -> Self:
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError(f"{_PREFIX}SMTP_USER and {_PREFIX}SMTP_PASSWORD need each other")
        if self.smtp_password and self.smtp_tls == "none" and not is_loopback(self.smtp_host or ""):
            raise ValueError(f"{_PREFIX}SMTP_TLS is none: the password of {_PREFIX}SMTP_USER would be read on its way")
        if self.smtp_host and not self.smtp_from:
            raise ValueError(f"{_PREFIX}SMTP_FROM is missing: {_PREFIX}SMTP_HOST needs it")
        return self
