"""Finds the route of a path, whichever protocol it belongs to."""

from __future__ import annotations

from event_assets.collector.protocols import (
    amplitude_routes,
    ga4_routes,
    mixpanel_routes,
    posthog_routes,
    segment_routes,
    snowplow_routes,
)
from event_assets.collector.protocols.protocol import Route

_PROTOCOLS = (segment_routes, snowplow_routes, posthog_routes, amplitude_routes, mixpanel_routes, ga4_routes)
PROTOCOLS = frozenset(route.protocol for each in _PROTOCOLS for route in each.ROUTES.values())
"""The names of the protocols."""
OWN_EVENTS = "/v1/events"
"""The path of our own protocol's events."""
_ROUTES: dict[str, Route] = {path: route for each in _PROTOCOLS for path, route in each.ROUTES.items()}
_PATTERNS = tuple(pattern for each in _PROTOCOLS for pattern in each.PATTERNS)


def find_route(path: str) -> Route | None:
    """The route of a path, with or without a slash at its end; None where no other protocol has it."""
    if path == OWN_EVENTS:
        return None
    route = _ROUTES.get(path) or _ROUTES.get(path.rstrip("/"))
    if route is not None:
        return route
    path = path.rstrip("/")
    return next((route for pattern, route in _PATTERNS if pattern.fullmatch(path)), None)
