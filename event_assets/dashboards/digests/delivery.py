"""How a digest leaves: as a mail by SMTP, as a message to a webhook. A fault that may pass is tried again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import TypeVar

import httpx

from event_assets.dashboards.digests.contents import (
    Contents,
    DigestError,
    html_of,
    message_of,
    picture_of,
    text_of_contents,
)
from event_assets.settings import Settings
from event_assets.webhooks import NotTaken, Passing, require_taken, tried
from event_assets.webhooks.mailing import MailRefused, each_refused, mailed

_TIMEOUT_SECONDS = 30.0
Pause = Callable[[float], object]
Given = TypeVar("Given")


def mail_of(contents: Contents, sender: str, to: Sequence[str]) -> EmailMessage:
    """The digest as a mail: plain text, and HTML with its pictures in it."""
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = " ".join(contents.subject.split()), sender, ", ".join(to)
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid()
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text_of_contents(contents))
    ids = {place: make_msgid() for place in range(len(contents.drawn))}
    mail.add_alternative(html_of(contents, {n: f"cid:{id_[1:-1]}" for n, id_ in ids.items()}), subtype="html")
    html = mail.get_body(("html",))
    assert html is not None
    for place, part in enumerate(contents.drawn):
        png = picture_of(part, contents.formatter)
        html.add_related(png, "image", "png", cid=ids[place], filename=f"{place + 1}.png", disposition="inline")
    return mail


def send_mail(settings: Settings, mail: EmailMessage, pause: Pause = time.sleep) -> None:
    """Hands the mail to the settings' server. Raises `DigestError` where it does not take it for everybody."""
    try:
        refused = _tried(lambda: mailed(settings, mail), f"The mail server {settings.smtp_host}", pause)
    except MailRefused as fault:
        raise DigestError(str(fault)) from None
    if refused:
        told = each_refused(refused)
        raise DigestError(f"The mail server {settings.smtp_host} took the mail for the others, but not for {told}")


def post(settings: Settings, contents: Contents, pause: Pause = time.sleep) -> None:
    """Posts the digest's short form to the settings' webhook. Raises `DigestError` where it does not take it."""
    if settings.digest_webhook_url is None:
        raise DigestError("There is no webhook: set EVENT_ASSETS_DIGEST_WEBHOOK_URL.")
    url, body = settings.digest_webhook_url.get_secret_value(), {"text": message_of(contents)}
    _tried(lambda: _posted(url, body), "The webhook", pause)


def _posted(url: str, body: dict[str, str]) -> None:
    try:
        answer = httpx.post(url, json=body, timeout=_TIMEOUT_SECONDS)
    except httpx.TransportError as fault:
        raise Passing(str(fault) or type(fault).__name__) from None
    require_taken(answer.status_code, answer.text, answer.headers.get("Retry-After", ""))


def _tried(do: Callable[[], Given], whom: str, pause: Pause) -> Given:
    """What `do` gives; tried again after ever longer pauses. Raises `DigestError` when that did not help."""
    try:
        return tried(do, pause)
    except NotTaken as fault:  # a webhook's address is a secret, and not told
        raise DigestError(f"{whom} does not take the digest: {fault}") from None
