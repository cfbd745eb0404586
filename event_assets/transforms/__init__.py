"""Pure PySpark, one module per step. What people call on data of their own can be imported from here.

Modules are loaded when a name is first asked for: a process that only decodes records must not wait for PySpark.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from event_assets.transforms.activity import active_users as active_users
    from event_assets.transforms.attribution import attribute as attribute
    from event_assets.transforms.bots import bot_reason as bot_reason
    from event_assets.transforms.channel import channel_group as channel_group
    from event_assets.transforms.cohorts import retention as retention
    from event_assets.transforms.frequency import stickiness as stickiness
    from event_assets.transforms.funnels import best_tries as best_tries
    from event_assets.transforms.funnels import funnel as funnel
    from event_assets.transforms.ip import mask_ip as mask_ip
    from event_assets.transforms.lifecycles import lifecycle as lifecycle
    from event_assets.transforms.location import locate as locate
    from event_assets.transforms.marketing import campaign_of as campaign_of
    from event_assets.transforms.memberships import segment_memberships as segment_memberships
    from event_assets.transforms.paths import top_paths as top_paths
    from event_assets.transforms.referrer import classify_referrer as classify_referrer
    from event_assets.transforms.touches import last_non_direct as last_non_direct
    from event_assets.transforms.user_agent import parse_user_agent as parse_user_agent
    from event_assets.transforms.vitals import web_vitals as web_vitals

_MODULES = {
    "active_users": "activity",
    "attribute": "attribution",
    "best_tries": "funnels",
    "bot_reason": "bots",
    "campaign_of": "marketing",
    "channel_group": "channel",
    "classify_referrer": "referrer",
    "funnel": "funnels",
    "last_non_direct": "touches",
    "lifecycle": "lifecycles",
    "locate": "location",
    "mask_ip": "ip",
    "parse_user_agent": "user_agent",
    "retention": "cohorts",
    "segment_memberships": "memberships",
    "stickiness": "frequency",
    "top_paths": "paths",
    "web_vitals": "vitals",
}

__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    try:
        module = _MODULES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(import_module(f"{__name__}.{module}"), name)
