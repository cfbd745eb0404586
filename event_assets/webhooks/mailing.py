"""A mail by the settings' server: which of its answers may pass, and which do not."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage

from event_assets.settings import Settings
from event_assets.webhooks.attempts import Passing

_TIMEOUT_SECONDS = 30.0
Refused = Mapping[str, tuple[int, bytes]]


class MailRefused(RuntimeError):
    """The mail server does not take a mail. The message says why, and what to do."""


def mailed(settings: Settings, mail: EmailMessage) -> Refused:
    """Hands a mail to the settings' server, and gives for whom it was not taken. Raises `Passing` where it may be taken
    later, `MailRefused` where it is not."""
    if settings.smtp_host is None:
        raise MailRefused("There is no mail server: set EVENT_ASSETS_SMTP_HOST and EVENT_ASSETS_SMTP_FROM.")
    host, port = settings.smtp_host, settings.smtp_port
    context = ssl.create_default_context()
    try:
        if settings.smtp_tls == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT_SECONDS, context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=_TIMEOUT_SECONDS)
        with server:
            if settings.smtp_tls == "starttls":
                server.starttls(context=context)
            if settings.smtp_user and settings.smtp_password:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            return server.send_message(mail)
    except ssl.SSLCertVerificationError as fault:
        raise MailRefused(f"The mail server {host} shows a certificate that does not hold: {fault}") from None
    except smtplib.SMTPRecipientsRefused as fault:
        words = each_refused(fault.recipients)
        if all(400 <= code < 500 for code, _ in fault.recipients.values()):
            raise Passing(words) from None
        raise MailRefused(f"The mail server {host} takes the mail for nobody: {words}") from None
    except smtplib.SMTPResponseException as fault:
        said = fault.smtp_error.decode("utf-8", "replace") if isinstance(fault.smtp_error, bytes) else fault.smtp_error
        if 400 <= fault.smtp_code < 500:
            raise Passing(f"{fault.smtp_code} {said}") from None
        raise MailRefused(f"The mail server {host} refuses: {fault.smtp_code} {said}") from None
    except smtplib.SMTPNotSupportedError as fault:
        raise MailRefused(f"The mail server {host} cannot do it: {fault} See EVENT_ASSETS_SMTP_TLS.") from None
    except (smtplib.SMTPException, OSError) as fault:
        raise Passing(str(fault) or type(fault).__name__) from None


def each_refused(refused: Refused) -> str:
    """Whom the server did not take a mail for, and what it said."""
    return "; ".join(f"{who}: {code} {words.decode('utf-8', 'replace')}" for who, (code, words) in refused.items())
