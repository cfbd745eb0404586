"""A digest says what its page says, reaches real servers, and says so where it does not."""

from __future__ import annotations

import email
import email.policy
import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from pydantic import SecretStr, ValidationError
from typer.testing import CliRunner

from event_assets.cli import app
from event_assets.dashboards.app import create_app
from event_assets.dashboards.digests.contents import (
    Contents,
    DigestError,
    Part,
    Section,
    contents_of,
    html_of,
    message_of,
)
from event_assets.dashboards.digests.delivery import mail_of, post, send_mail
from event_assets.dashboards.figures import Field, Figure
from event_assets.dashboards.formatter import Formatter
from event_assets.embedded.ports import free_port
from event_assets.rules.digest import Digest
from event_assets.settings import Settings
from event_assets_tests.dashboards.conftest import Site

PNG = b"\x89PNG\r\n\x1a\n"
TO = ("ann@example.org", "bob@example.org")
SHORT = Contents("Weekly", "Last 7 days", (), Formatter())


class Inbox:
    """What a mail server took, and what it answers before."""

    def __init__(self, *answers: str) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.answers = list(answers)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        if self.answers:
            return self.answers.pop(0)
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        self.recipients.append(envelope.rcpt_tos)
        return "250 OK"


@contextmanager
def mail_server(inbox: Inbox, **how: Any) -> Iterator[Settings]:
    """A mail server of this machine, and the settings that name it."""
    port = free_port("127.0.0.1", 0)
    controller = Controller(inbox, hostname="127.0.0.1", port=port, **how)
    controller.start()
    yield Settings(smtp_host="127.0.0.1", smtp_port=port, smtp_tls="none", smtp_from="Digests <digests@example.org>")
    controller.stop()


@contextmanager
def hook(*statuses: int) -> Iterator[tuple[Settings, list[dict[str, str]]]]:
    """A webhook that answers these, then 200; the settings that name it, and what was posted."""
    posted: list[dict[str, str]] = []
    left = list(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(left.pop(0) if left else 200)
            self.send_header("Retry-After", "7")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/hook"
    yield Settings(digest_webhook_url=SecretStr(url)), posted
    server.shutdown()
    server.server_close()


def with_digest(site: Site, digest: Digest) -> Site:
    context = site.context
    dashboard = context.source.dashboard.model_copy(update={"digests": {"weekly": digest}})
    settings = context.settings.model_copy(update={"dashboard_url": "https://dashboards.example.org"})
    return replace(
        site, context=replace(context, source=replace(context.source, dashboard=dashboard), settings=settings)
    )


@pytest.fixture
def contents(site: Site) -> Contents:
    """The overview of a week."""
    step = {"analysis": "f", "breakdown": "(all)", "step": 1, "step_name": "Visit", "people": 9, "conversion": 1.0}
    site.put("agg_funnels", [step])
    digest = Digest(pages=("overview", "funnels"), cron="0 8 * * 1", to=TO, period="7d", filters={"country": ("DE",)})
    return contents_of(with_digest(site, digest).context, "weekly")


def sent(settings: Settings, contents: Contents) -> None:
    send_mail(settings, mail_of(contents, settings.smtp_from or "", TO), pause=lambda seconds: None)


@pytest.mark.slow
def test_a_mail_says_the_numbers_of_the_page_in_text_and_html_with_its_pictures(site: Site, contents: Contents) -> None:
    inbox = Inbox()
    with mail_server(inbox) as settings:
        sent(settings, contents)
    (mail,) = inbox.mails
    assert inbox.recipients == [list(TO)] and mail["From"] == "Digests <digests@example.org>"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None and html is not None
    plain, rich = text.get_content().replace("\r\n", "\n"), html.get_content()
    client = create_app(site.contexts()).server.test_client()
    for column, title in enumerate(("People", "New people", "Sessions")):
        _, row = client.get(f"/csv/overview/0/{column}/0?period=7d&country=DE").text.splitlines()
        now, before = row.split(",")[:2]
        assert f"{title}: {int(now):,} (" in plain or f"{title}: {int(now):,}\n" in plain
        assert f"<b>{title}</b>: {int(now):,}" in rich and f"period before: {int(before):,}" in plain
    assert "country: DE" in plain and "https://dashboards.example.org/overview?period=7d&amp;country=DE" in rich
    pictures = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert len(pictures) == len(contents.drawn) > 3
    for part in pictures:
        assert part.get_content().startswith(PNG) and f"cid:{part['Content-ID'][1:-1]}" in rich


def test_what_an_event_says_stays_text_in_html_and_in_a_message() -> None:
    figure = Figure("<em>&", (Field("a", "<i>"), Field("b", "B", "number")), [("<script>", 1)], notes=("<u>",))
    parts = (Part("table", figure), Part("number", Figure("<b>", (Field("n", "N", "number"),), [(7, None)])))
    contents = Contents("<h1>", "<p>", (Section("<s>", 'https://x.example/"?a=1&b=2', parts),), Formatter())
    for made in (html_of(contents, {}), message_of(contents)):
        for tag in ("<em>", "<i>", "<script>", "<u>", "<s>", "<h1>"):
            assert tag not in made.removeprefix("<!doctype html>").replace("<h1>&lt;h1&gt;", ""), tag
        assert "&lt;script&gt;" in made and 'example/"' not in made.partition("<a href=")[2][:30]


def test_a_fault_that_passes_is_tried_again_and_one_that_stays_is_told() -> None:
    pauses: list[float] = []
    inbox = Inbox("451 not now", "421 busy")
    with mail_server(inbox) as settings:
        send_mail(settings, mail_of(SHORT, "a@example.org", TO), pause=pauses.append)
        assert len(inbox.mails) == 1 and pauses == [1.0, 2.0]
        inbox.answers = ["554 never"]
        with pytest.raises(DigestError, match="refuses: 554 never"):
            sent(settings, SHORT)
        inbox.answers = ["451 not now"] * 9
        with pytest.raises(DigestError, match="in 5 attempts: 451 not now"):
            sent(settings, SHORT)
    with pytest.raises(DigestError, match="in 5 attempts"):
        sent(settings, SHORT)
    with pytest.raises(DigestError, match="EVENT_ASSETS_SMTP_HOST"):
        sent(Settings(), SHORT)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl")
def test_a_server_that_wants_tls_and_a_password_gets_them_and_a_foreign_certificate_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    make += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(certificate, key)

    def known(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        return AuthResult(success=(data.login, data.password) == (b"digests", b"secret"), handled=False)

    inbox = Inbox()
    how = {"tls_context": theirs, "require_starttls": True, "auth_required": True, "authenticator": known}
    with mail_server(inbox, **how) as plain:
        asked = {"smtp_tls": "starttls", "smtp_user": "digests", "smtp_password": SecretStr("secret")}
        settings = plain.model_copy(update=asked)
        with pytest.raises(DigestError, match="certificate"):
            sent(settings, SHORT)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        sent(settings, SHORT)
        with pytest.raises(DigestError, match="535"):
            sent(settings.model_copy(update={"smtp_password": SecretStr("other")}), SHORT)
    assert len(inbox.mails) == 1


def test_a_webhook_is_posted_to_until_it_takes_the_message_or_says_no(contents: Contents) -> None:
    pauses: list[float] = []
    with hook(503, 429) as (settings, posted):
        post(settings, contents, pause=pauses.append)
        assert len(posted) == 3 and pauses == [7.0, 7.0]
        assert posted[0]["text"].startswith(f"*{contents.subject}*") and "People: " in posted[0]["text"]
    with hook(404) as (settings, posted):
        with pytest.raises(DigestError, match="answers 404") as told:
            post(settings, contents)
        assert len(posted) == 1 and "127.0.0.1" not in str(told.value)
    with hook(*[500] * 9) as (settings, posted):
        with pytest.raises(DigestError, match="in 5 attempts: it answers 500"):
            post(settings, contents, pause=lambda seconds: None)
        assert len(posted) == 5


YAML = """
digests:
  weekly: {pages: [overview], cron: "0 8 * * 1", to: [ann@example.org], webhook: true}
"""


@pytest.mark.slow
def test_the_command_sends_both_ways_and_ends_with_1_where_one_of_them_failed(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = next(Settings().dashboards.glob("*.yaml"))
    (tmp_path / shipped.name).write_text(shipped.read_text(encoding="utf-8") + YAML, encoding="utf-8")
    inbox = Inbox()
    with mail_server(inbox) as mail, hook() as (web, posted):
        assert web.digest_webhook_url is not None
        for name, value in {
            "DASHBOARDS_DIR": str(tmp_path),
            "HOME": str(tmp_path / "home"),
            "WAREHOUSE_URL": site.owner_url,
            "WAREHOUSE_SCHEMA": site.context.source.database.schema,
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(mail.smtp_port),
            "SMTP_TLS": "none",
            "SMTP_FROM": "digests@example.org",
            "DIGEST_WEBHOOK_URL": web.digest_webhook_url.get_secret_value(),
        }.items():
            monkeypatch.setenv(f"EVENT_ASSETS_{name}", value)

        def ran(*arguments: str) -> tuple[int, str]:
            done = CliRunner().invoke(app, ["digest", *arguments])
            return done.exit_code, done.output

        assert ran("list") == (0, "weekly: 0 8 * * 1 UTC, overview, to ann@example.org, the webhook\n")
        code, text = ran("send", "weekly", "--print")
        assert code == 0 and "People: " in text and not inbox.mails
        assert ran("send", "weekly") == (0, "Sent to ann@example.org\nPosted to the webhook\n")
        assert ran("send", "weekly", "--to", "eve@example.org") == (0, "Sent to eve@example.org\n")
        assert inbox.recipients == [["ann@example.org"], ["eve@example.org"]] and len(posted) == 1
        inbox.answers = ["554 never"]
        code, text = ran("send", "weekly")
        assert code == 1 and "refuses: 554 never" in text and "Posted to the webhook" in text and len(posted) == 2
        assert ran("send", "daily") == (1, "There is no digest 'daily'; there are weekly\n")


@pytest.mark.parametrize(
    "wrong",
    [
        {"smtp_host": "mail.example.org"},
        {"smtp_user": "ann"},
        {"smtp_host": "m.example.org", "smtp_from": "a@b", "smtp_tls": "none", "smtp_user": "a", "smtp_password": "b"},
        {"digest_webhook_url": "http://hooks.example.org/x"},
    ],
)
def test_settings_that_lack_something_or_send_a_secret_unread_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(wrong)


def test_the_digest_is_of_the_moment(contents: Contents) -> None:
    assert "Mar 25, 2026 to Mar 31, 2026" in contents.period and "Last 7 days" in contents.period
