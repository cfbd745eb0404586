"""Signing in by OpenID Connect at a real provider on this machine; no browser, but its cookies and redirects."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import flask
import httpx
import pytest
from waitress.server import create_server

from event_assets.dashboards.app import create_app
from event_assets.settings import Settings
from event_assets_tests.dashboards.access.conftest import contexts, roles_file
from event_assets_tests.dashboards.access.provider import CLIENT, SECRET, Provider

HTML = {"Accept": "text/html"}


@contextmanager
def served(app: Any, listening: socket.socket) -> Iterator[None]:
    server = create_server(app, sockets=[listening], threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield
    server.close()


class Place:
    """The dashboards and their provider, both served; a browser's cookies are in `browser()`."""

    def __init__(self, until_end: ExitStack, folder: Path, **more: Any) -> None:
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self.url, issuer = (f"http://localhost:{each.getsockname()[1]}" for each in sockets)
        self.provider = Provider(issuer, [f"{self.url}/signed-in"])
        self.settings = Settings(
            dashboard_sign_in="oidc",
            dashboard_url=self.url,
            dashboard_oidc_issuer=issuer,
            dashboard_oidc_client_id=CLIENT,
            dashboard_oidc_client_secret=SECRET,
            roles_file=roles_file(folder, {"analytics": "analyst", "platform": "data_engineer"}),
            **more,
        )
        self.app: flask.Flask = create_app(contexts(self.settings)).server
        until_end.enter_context(served(self.app, sockets[0]))
        until_end.enter_context(served(self.provider.app(), sockets[1]))

    def browser(self) -> httpx.Client:
        """A browser with no cookies."""
        return httpx.Client(base_url=self.url, headers=HTML, follow_redirects=True, timeout=60)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with ExitStack() as until_end:
        yield Place(until_end, tmp_path)


def test_who_signs_in_comes_to_the_page_that_they_wanted_as_the_role_of_their_groups(place: Place) -> None:
    with place.browser() as browser:
        first = browser.get("/overview?period=7d", follow_redirects=False)
        assert first.headers["location"] == "/sign-in?next=%2Foverview%3Fperiod%3D7d"
        assert browser.get("/_dash-layout", headers={"Accept": "application/json"}).status_code == 401
        page = browser.get("/overview?period=7d")
        assert page.status_code == 200 and str(page.url) == f"{place.url}/overview?period=7d"
        assert place.provider.challenges == ["S256"]
        assert page.headers["cache-control"] == "no-store"
        layout = browser.get("/_dash-layout").text
        assert "Ada Example" in layout and "Sign out" in layout
        [cookie] = [each for each in page.history[-1].headers.get_list("set-cookie") if "event-assets=" in each]
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie and "Domain" not in cookie


def test_the_cookie_is_sent_by_https_alone_where_the_dashboards_are_https(tmp_path: Path) -> None:
    settings = Settings(
        dashboard_sign_in="oidc",
        dashboard_url="https://dashboards.example",
        dashboard_oidc_issuer="https://provider.example",
        dashboard_oidc_client_id=CLIENT,
        dashboard_oidc_client_secret=SECRET,
        roles_file=roles_file(tmp_path, {"*": "viewer"}),
    )
    app = create_app(contexts(settings)).server
    assert app.config["SESSION_COOKIE_SECURE"] and app.config["SESSION_COOKIE_NAME"].startswith("__Host-")
    asked = app.test_client().get("/", headers={**HTML, "Host": "dashboards.example"})
    assert asked.status_code == 302
    assert app.test_client().get("/", headers={**HTML, "Host": "elsewhere.example"}).status_code == 400


def test_signing_out_ends_the_session_also_for_who_kept_the_cookie(place: Place) -> None:
    with place.browser() as browser:
        browser.get("/")
        kept = dict(browser.cookies)
        foreign = browser.post("/sign-out", headers={"Origin": "https://elsewhere.example"})
        assert foreign.status_code == 403
        left = browser.post("/sign-out", headers={"Origin": place.url}, follow_redirects=False)
        assert left.status_code == 303 and left.headers["clear-site-data"] == '"storage"'
        to = urlsplit(left.headers["location"])
        assert f"{to.scheme}://{to.netloc}{to.path}" == f"{place.provider.issuer}/logout"
        assert parse_qs(to.query)["post_logout_redirect_uri"] == [f"{place.url}/signed-out"]
        assert browser.get("/signed-out").status_code == 200
        assert browser.get("/", follow_redirects=False).status_code == 302
    with httpx.Client(base_url=place.url, headers=HTML, cookies=kept) as thief:
        assert thief.get("/").status_code == 302


FALSE: dict[str, Callable[[Provider], None]] = {
    "a nonce of another sign-in": lambda provider: provider.falsely.update(nonce="another"),
    "another audience": lambda provider: provider.falsely.update(aud=["another"]),
    "another issuer": lambda provider: provider.falsely.update(iss="https://elsewhere.example"),
    "an end in the past": lambda provider: provider.falsely.update(exp=1),
    "a key that is not the provider's": lambda provider: setattr(provider, "other_key", True),
}


@pytest.mark.parametrize("what", FALSE)
def test_an_id_token_that_is_not_for_this_sign_in_signs_nobody_in(place: Place, what: str) -> None:
    FALSE[what](place.provider)
    with place.browser() as browser:
        refused = browser.get("/")
        assert refused.status_code == 403 and "Sign-in failed" in refused.text
        assert browser.get("/", follow_redirects=False).status_code == 302


def test_an_answer_that_this_browser_did_not_ask_for_signs_nobody_in(place: Place) -> None:
    with place.browser() as victim, place.browser() as other:
        way = other.get("/sign-in", follow_redirects=False).headers["location"]
        back = httpx.get(way).headers["location"]
        assert victim.get(back).status_code == 403
        assert other.get(f"{back}&iss=https://elsewhere.example").status_code == 403
        assert other.get(back.replace("state=", "state=x")).status_code == 403
        assert other.get(back).status_code == 200
        assert other.get(back).status_code == 403, "a code counts once"


@pytest.mark.parametrize(
    "wanted",
    ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "javascript:alert(1)", "/\n/x"],
)
def test_a_sign_in_ends_on_a_path_of_ours_whatever_was_wanted(place: Place, wanted: str) -> None:
    with place.browser() as browser:
        page = browser.get("/sign-in", params={"next": wanted})
        assert str(page.url) == f"{place.url}/" and page.status_code == 200


def test_who_is_in_no_group_of_ours_sees_nothing_and_pages_side_by_side_do_not_fill_the_cookie(place: Place) -> None:
    place.provider.person = {"sub": "2", "name": "Eve <b>", "groups": ["staff"]}
    with place.browser() as browser:
        for _ in range(30):
            browser.get("/sign-in", params={"next": f"/{'x' * 500}"}, follow_redirects=False)
        assert len(browser.cookies["event-assets"]) < 4000
        refused = browser.get("/overview")
        assert refused.status_code == 403 and "Eve &lt;b&gt; is in no group" in refused.text
        assert browser.get("/csv/overview/2/0/0").status_code == 403


def test_groups_may_come_from_the_userinfo_and_a_session_ends_by_itself(tmp_path: Path) -> None:
    with ExitStack() as until_end:
        place = Place(until_end, tmp_path, dashboard_session_hours=1e-9)
        place.provider.groups_by_userinfo = True
        with place.browser() as browser:
            back = httpx.get(browser.get("/sign-in", follow_redirects=False).headers["location"]).headers["location"]
            answer = browser.get(back, follow_redirects=False)
            assert (answer.status_code, answer.headers["location"]) == (302, "/")
            with place.app.test_request_context(headers={"Cookie": answer.headers["set-cookie"].split(";")[0]}):
                assert flask.session["who"]["groups"] == ["analytics"]
            assert browser.get("/", follow_redirects=False).headers["location"].startswith("/sign-in")
