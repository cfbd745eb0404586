"""The receivers that segments tell who entered and who left, as a resource."""

from __future__ import annotations

import ipaddress
from typing import Self

import dagster as dg

from event_assets.pipeline.segment_webhooks import Receiver
from event_assets.settings import PREFIX, Settings, load_settings


class WebhooksResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Addresses and secrets, which no run's config shows."""

    urls: str = ""
    secrets: str = ""
    networks: str = ""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        if not settings.segment_webhooks:
            return cls()
        return cls(
            urls=dg.EnvVar(f"{PREFIX}SEGMENT_WEBHOOKS"),
            secrets=dg.EnvVar(f"{PREFIX}SEGMENT_WEBHOOK_SECRETS"),
            networks=",".join(settings.segment_webhook_networks),
        )

    def receivers(self) -> list[Receiver]:
        """All that there are, by name."""
        if not self.urls:
            return []
        return receivers_of(
            load_settings(
                segment_webhooks=self.urls, segment_webhook_secrets=self.secrets, segment_webhook_networks=self.networks
            )
        )


def receivers_of(settings: Settings) -> list[Receiver]:
    """The receivers that settings name."""
    reachable = tuple(ipaddress.ip_network(each) for each in settings.segment_webhook_networks)
    return [
        Receiver(name, url.get_secret_value(), settings.segment_webhook_secrets[name].get_secret_value(), reachable)
        for name, url in sorted(settings.segment_webhooks.items())
    ]
