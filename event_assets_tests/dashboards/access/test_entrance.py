"""Who may go in without a sign-in of ours: everybody on this machine, or whom a trusted proxy names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.dashboards.access.entrance import own_path
from event_assets.dashboards.app import create_app
from event_assets.rules.roles import Roles, roles_of
from event_assets.rules.rule_files import RuleError
from event_assets.settings import Settings
from event_assets.settings.values import is_loopback
from event_assets_tests.dashboards.access.conftest import contexts, roles_file

GROUPS = {"data": "data_engineer", "bi": "analyst", "*": "viewer"}
HTML = {"Accept": "text/html"}


def behind_proxy(folder: Path, groups: dict[str, str] = GROUPS, **more: Any) -> Any:
    told: dict[str, Any] = {"dashboard_sign_in": "proxy", "dashboard_url": "https://dashboards.example"}
    settings = Settings(roles_file=roles_file(folder, groups), **told, **more)
    return create_app(contexts(settings)).server.test_client()


def test_a_proxy_names_the_visitor_and_their_groups_and_others_are_not_answered(tmp_path: Path) -> None:
    client = behind_proxy(tmp_path, dashboard_proxies=("10.1.0.0/16",))
    ada = {"X-Forwarded-User": "ada", "X-Forwarded-Groups": "staff, bi", "Host": "dashboards.example"}

    def asked(address: str, headers: dict[str, str], path: str = "/_dash-layout") -> Any:
        return client.get(path, headers=headers, environ_overrides={"REMOTE_ADDR": address})

    page = asked("10.1.2.3", ada)
    assert page.status_code == 200 and "ada" in page.text and "Sign out" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert asked("127.0.0.1", ada).status_code == 403
    assert asked("10.1.2.3", {"Host": "dashboards.example", **HTML}, "/").status_code == 401
    twice = asked("10.1.2.3", {**ada, "X-Forwarded-User": "ada, root"})
    assert twice.status_code == 403


def test_who_is_in_no_group_sees_nothing(tmp_path: Path) -> None:
    client = behind_proxy(tmp_path, {"data": "data_engineer"})
    refused = client.get("/", headers={"X-Forwarded-User": "eve", "X-Forwarded-Groups": "staff"})
    assert refused.status_code == 403 and "eve is in no group" in refused.text
    assert client.get("/health").text == "ok"


def test_what_changes_something_is_taken_from_our_own_pages_alone() -> None:
    client = create_app(contexts(Settings())).server.test_client()
    assert client.get("/_dash-layout").status_code == 200
    for headers, status in (
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://localhost"}, 405),
    ):
        assert client.post("/_dash-layout", headers=headers).status_code == status


@given(st.text())
def test_a_path_of_ours_has_no_host(wanted: str) -> None:
    path = own_path(wanted)
    assert path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()


@given(st.sets(st.sampled_from(["data", "bi", "staff", "other"])))
def test_the_strongest_role_of_the_groups_holds(groups: set[str]) -> None:
    document = roles_of(Settings().roles).model_dump()
    strength = list(document["roles"])
    for name, role in document["roles"].items():
        role["groups"] = [group for group, of in GROUPS.items() if of == name]
    found = Roles.model_validate(document).role_of(groups)
    assert found is not None
    assert strength.index(found) == max(strength.index(GROUPS[g]) for g in {*groups, "*"} if g in GROUPS)
    document["roles"]["viewer"]["groups"] = []
    assert Roles.model_validate(document).role_of(groups - set(GROUPS)) is None


def test_a_sign_in_by_which_nobody_would_see_anything_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="no role has groups"):
        behind_proxy(tmp_path, {})


def test_a_role_whose_rows_cannot_be_read_alone_has_no_pages(tmp_path: Path) -> None:
    settings = Settings(
        dashboard_sign_in="proxy", dashboard_url="https://x.example", roles_file=roles_file(tmp_path, {"bi": "analyst"})
    )
    some = {name: context for name, context in contexts(settings).items() if name != "analyst"}
    headers = {"X-Forwarded-User": "ada", "X-Forwarded-Groups": "bi"}
    refused = create_app(some).server.test_client().get("/", headers=headers)
    assert refused.status_code == 503 and "your role alone" in refused.text


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "dashboards.example"])
def test_dashboards_are_not_served_beyond_this_machine_without_a_sign_in(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(ValueError, match="SIGN_IN is missing"):
        Settings(dashboard_host=host)
    proxied = Settings(
        dashboard_host=host,
        dashboard_sign_in="proxy",
        dashboard_url="http://x.example",
    )
    assert proxied.dashboard_host == host


def test_a_sign_in_needs_its_settings_and_passes_over_https_alone() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "localhost")))
    with pytest.raises(ValueError, match="DASHBOARD_URL missing"):
        Settings(dashboard_sign_in="proxy")
    with pytest.raises(ValueError, match="OIDC_ISSUER must be https"):
        Settings(
            dashboard_sign_in="oidc",
            dashboard_url="https://dashboards.example",
            dashboard_oidc_issuer="http://provider.example",
            dashboard_oidc_client_id="x",
            dashboard_oidc_client_secret="0123456789abcdef",
        )
