"""What people call on data of their own is documented with an example."""

from __future__ import annotations

from importlib import import_module

import pytest

PUBLIC = {
    "active_users": "event_assets.transforms.product.active_users",
    "attribute": "event_assets.transforms.attribution.attribution",
    "best_tries": "event_assets.transforms.product.funnels",
    "bot_reason": "event_assets.enrichment.bots",
    "campaign_of": "event_assets.enrichment.marketing",
    "channel_group": "event_assets.enrichment.channel",
    "classify_referrer": "event_assets.enrichment.referrer",
    "funnel": "event_assets.transforms.product.funnels",
    "last_non_direct": "event_assets.transforms.attribution.touches",
    "lifecycle": "event_assets.transforms.product.lifecycle",
    "locate": "event_assets.enrichment.location",
    "mask_ip": "event_assets.enrichment.ip",
    "parse_user_agent": "event_assets.enrichment.user_agent",
    "retention": "event_assets.transforms.product.retention",
    "segment_memberships": "event_assets.transforms.segments.segment_memberships",
    "stickiness": "event_assets.transforms.product.stickiness",
    "top_paths": "event_assets.transforms.product.paths",
    "web_vitals": "event_assets.transforms.product.web_vitals",
}


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_function_says_what_it_gives(name: str) -> None:
    function = getattr(import_module(PUBLIC[name]), name)
    assert callable(function)
    assert ">>>" in (function.__doc__ or ""), f"{name} is documented without an example"
