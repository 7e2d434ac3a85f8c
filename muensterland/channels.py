"""The ways an alert leaves the house: mail and a webhook. Addresses and secrets come from the environment or from
Airflow's connections and appear in no log.
"""

from __future__ import annotations

import functools
import smtplib
import ssl
import time
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import requests

from connectors.deadline import Adapter, Deadline
from muensterland.alerts import Channel, ChannelFailed, Message
from muensterland.settings import Settings

SMTP_CONNECTION = "muensterland_smtp"
WEBHOOK_CONNECTION = "muensterland_webhook"
TIMEOUT_S = 20.0
# Over the whole exchange: a server that sends a byte now and then passes the limit above for ever.
WEBHOOK_LIMIT_S = 60.0
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Connection(Protocol):
    """What is read of an Airflow connection."""

    conn_type: str | None
    host: str | None
    port: int | None
    login: str | None
    password: str | None

    @property
    def extra_dejson(self) -> dict[str, Any]:
        """Its further fields."""
        ...


@dataclass(frozen=True, repr=False)
class MailServer:
    """Where mail is handed over, from whom and to whom."""

    host: str
    port: int
    user: str | None
    password: str | None
    tls_from_the_start: bool
    sender: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Webhook:
    """An address that takes JSON, and the token it may want."""

    url: str
    token: str | None = None


_SMTP_FORM = (
    "ALERT_SMTP must be smtp://USER:PASSWORD@HOST:PORT, or smtps:// for TLS from the start, with / # ? @ : in user and "
    "password percent-encoded"
)


def channels(settings: Settings, smtp: Connection | None, webhook: Connection | None) -> dict[str, Channel]:
    """The channels that are set up: the environment goes before Airflow's connections; none where neither speaks."""
    found: dict[str, Channel] = {}
    try:
        if (server := mail_server(settings, smtp)) is not None:
            found["mail"] = functools.partial(send_mail, server, settings.input)
    except ValueError as error:
        found["mail"] = functools.partial(_fail, str(error))
    try:
        if (hook := webhook_of(settings, webhook)) is not None:
            found["webhook"] = functools.partial(post, hook, settings.input)
    except ValueError as error:
        found["webhook"] = functools.partial(_fail, str(error))
    return found


def _fail(reason: str, message: Message) -> None:
    """The channel that was set up wrongly: it stops no data, and what it misses is told once it is mended."""
    raise ChannelFailed(f"{reason} (not told: {message.subject} {message.state})")


def mail_server(settings: Settings, connection: Connection | None) -> MailServer | None:
    """From ALERT_SMTP, else from the connection; None where there is neither.

    Raises ValueError where nobody is named to write to.
    """
    if settings.alert_smtp is not None:
        try:
            parts = urlsplit(settings.alert_smtp.get_secret_value())
            host, port, tls = parts.hostname, parts.port, parts.scheme == "smtps"
        except ValueError:
            # The words of the error would hold a part of the password that was not percent-encoded.
            raise ValueError(_SMTP_FORM) from None
        if parts.scheme not in ("smtp", "smtps") or not host:
            raise ValueError(_SMTP_FORM)
        user, password = (unquote(value) if value else None for value in (parts.username, parts.password))
        extra: dict[str, Any] = {}
    elif connection is not None and connection.host:
        host, port, extra = connection.host, connection.port, connection.extra_dejson
        tls = connection.conn_type == "smtps" or port == smtplib.SMTP_SSL_PORT
        user, password = connection.login, connection.password
    else:
        return None
    recipients = tuple(filter(None, map(str.strip, (settings.alert_mail_to or extra.get("to", "")).split(","))))
    if not recipients:
        raise ValueError(
            "a mail server for alerts is set, but nobody to write to: "
            f"set ALERT_MAIL_TO, or `to` in the extra of {SMTP_CONNECTION}"
        )
    sender = settings.alert_mail_from or extra.get("from_email") or recipients[0]
    return MailServer(host, port or (465 if tls else 587), user, password, tls, sender, recipients)


def webhook_of(settings: Settings, connection: Connection | None) -> Webhook | None:
    """From ALERT_WEBHOOK, else from the connection: its host is the whole address, its password a bearer token."""
    if settings.alert_webhook is not None:
        return Webhook(settings.alert_webhook.get_secret_value())
    if connection is None or not connection.host:
        return None
    if not connection.host.startswith(("https://", "http://")):
        raise ValueError(f"{WEBHOOK_CONNECTION}: host must be the whole address, https://HOST/PATH")
    return Webhook(connection.host, connection.password)


def post(webhook: Webhook, kind: str, message: Message) -> None:
    """Post a message as JSON; `text` is what chat systems show. Raises ChannelFailed without naming the address."""
    body = {
        "text": f"{message.text_de}\n{message.text_en}\n{message.detail}".strip(),
        "text_de": message.text_de,
        "text_en": message.text_en,
        "kind": message.kind,
        "subject": message.subject,
        "state": message.state,
        "former_state": message.former_state,
        "since": message.since.isoformat(),
        "detail": message.detail,
        "input": kind,
    }
    headers = {"Authorization": f"Bearer {webhook.token}"} if webhook.token else {}
    try:
        with requests.Session() as session, Deadline(time.monotonic() + WEBHOOK_LIMIT_S) as limit:
            for scheme in ("https://", "http://"):
                session.mount(scheme, Adapter())
            # The status is the answer; whatever follows it is not read.
            answer = session.post(
                webhook.url, json=body, headers=headers, timeout=TIMEOUT_S, allow_redirects=False, stream=True
            )
    except (requests.RequestException, ValueError) as error:
        # The words of the error would hold the address, and that is often the secret.
        raise ChannelFailed(f"the webhook cannot be reached ({type(error).__name__})") from None
    # A head that was cut off by the deadline looks like a whole one.
    if limit.is_over:
        raise ChannelFailed(f"the webhook did not end its answer within {WEBHOOK_LIMIT_S:g} s")
    if not 200 <= answer.status_code < 300:
        raise ChannelFailed(f"the webhook answered HTTP {answer.status_code}")


def send_mail(server: MailServer, kind: str, message: Message) -> None:
    """Mail a message. A password goes only over TLS or to this machine. Raises ChannelFailed without secrets."""
    letter = EmailMessage()
    letter["Subject"] = f"[Münsterland {kind}] {message.subject}: {message.state}"
    letter["From"], letter["To"] = server.sender, ", ".join(server.recipients)
    letter.set_content(f"{message.text_de}\n\n{message.text_en}\n\n{message.detail}\n")
    trusted = ssl.create_default_context()
    try:
        with (
            smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=trusted)
            if server.tls_from_the_start
            else smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
        ) as post_office:
            post_office.ehlo()
            secured = server.tls_from_the_start
            if not secured and post_office.has_extn("starttls"):
                post_office.starttls(context=trusted)
                secured = True
            if server.user and server.password:
                if not secured and server.host not in _LOOPBACK:
                    raise ChannelFailed("the mail server offers no TLS: the password is not sent")
                post_office.login(server.user, server.password)
            post_office.send_message(letter)
    except (OSError, ValueError, smtplib.SMTPException) as error:
        # ValueError: a login with letters that the server's method cannot carry.
        raise ChannelFailed(f"mail cannot be handed over ({type(error).__name__})") from None
