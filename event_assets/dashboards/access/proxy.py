"""Sign-in at a proxy in front of the dashboards, which names the visitor and their groups in headers."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

import flask
from werkzeug.wrappers import Response

from event_assets.dashboards.access.entrance import Refused, page
from event_assets.dashboards.access.visitor import Visitor
from event_assets.rules.roles import Roles
from event_assets.settings import Settings


class ProxyGate:
    """Believes the headers of requests that come from the named proxies, and answers nobody else."""

    open_paths: Collection[str] = ()
    signs_out = False

    def __init__(self, settings: Settings, roles: Roles) -> None:
        self._settings, self._roles = settings, roles
        self._networks = [ipaddress.ip_network(each) for each in settings.dashboard_proxies]

    def visitor(self) -> Visitor | None:
        headers, settings = flask.request.headers, self._settings
        address = ipaddress.ip_address(flask.request.remote_addr or "0.0.0.0")
        if not any(address in network for network in self._networks):
            raise Refused(403, "Not this way", "The dashboards are reached by their proxy alone.")
        name = headers.get(settings.dashboard_proxy_user, "").strip()
        if not name:
            return None
        # A header that was sent twice is one value with a comma: a second name would be somebody else's word.
        if "," in name or not name.isprintable():
            raise Refused(403, "Not this way", "The proxy names more than one visitor.")
        groups = [group.strip() for group in headers.get(settings.dashboard_proxy_groups, "").split(",")]
        role = self._roles.role_of(groups)
        if role is None:
            raise Refused(403, "No access", f"{name} is in no group that may see these dashboards.")
        return Visitor(name, role)

    def challenge(self, wanted: str) -> Response:
        return page("Sign in first", "The proxy in front of the dashboards did not say who you are.", 401)
