"""The settings of webhooks: whom segments tell who entered and who left."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode

from event_assets.settings.values import Names, json_object, networks, signing_secret, webhook_address

_PREFIX = "EVENT_ASSETS_"


class WebhookSettings(BaseSettings):
    """What `Settings` has for the webhooks of segments."""

    segment_webhooks: Annotated[
        dict[str, Annotated[SecretStr, AfterValidator(webhook_address)]], NoDecode, BeforeValidator(json_object)
    ] = Field(
        {},
        description="Receivers that the files of segments name in `webhooks`, each with its address, as JSON: they are "
        "told who entered and who left.",
    )
    segment_webhook_secrets: Annotated[
        dict[str, Annotated[SecretStr, AfterValidator(signing_secret)]], NoDecode, BeforeValidator(json_object)
    ] = Field({}, description="By receiver the secret that what it is told is signed with, as JSON.")
    segment_webhook_networks: Annotated[Names, AfterValidator(networks)] = Field(
        (),
        description="Addresses and networks that are not the internet's, such as `10.1.0.0/16`, and that receivers may "
        "have nevertheless; with commas between.",
    )

    @model_validator(mode="after")
    def _signs_all(self) -> Self:
        if unsigned := sorted(self.segment_webhooks.keys() ^ self.segment_webhook_secrets.keys()):
            raise ValueError(
                f"{_PREFIX}SEGMENT_WEBHOOKS and {_PREFIX}SEGMENT_WEBHOOK_SECRETS must name the same receivers: "
                f"{', '.join(unsigned)} is in one of them alone"
            )
        return self
