"""Mail and webhook against servers on loopback: what arrives, what is refused, what no message says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from types import SimpleNamespace
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from muensterland.alerts import ChannelFailed, Message
from muensterland.channels import channels
from muensterland.settings import Settings
from tests.connectors.publisher import Publisher, Reply, publishing
from tests.muensterland.webhook import free_port, webhook

PASSWORD = "s3cret"  # noqa: S105 - of a mailbox that lives for a test
MESSAGE = Message(
    "trouble", "source nrw-schools", "stale", "ok", datetime(2026, 11, 23, 6, tzinfo=UTC), "schulen.csv: HTTP 503"
)


class Mailbox:
    """What a mail server on loopback has taken, and the users who logged in."""

    def __init__(self) -> None:
        self.letters: list[Any] = []
        self.users: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.letters.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, auth: Any) -> AuthResult:
        self.users.append(auth.login.decode())
        return AuthResult(success=auth.password == PASSWORD.encode(), handled=False)


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    port = free_port()
    controller = Controller(
        box, hostname="127.0.0.1", port=port, authenticator=box.authenticate, auth_require_tls=False, ready_timeout=10
    )
    controller.start()
    try:
        yield box, port
    finally:
        controller.stop()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with publishing() as running:
        yield running


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Any:
    def make(**environment: str) -> Settings:
        for name in ("ALERT_SMTP", "ALERT_MAIL_TO", "ALERT_MAIL_FROM", "ALERT_WEBHOOK"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return Settings(input="live")

    return make


def connection(**fields: Any) -> Any:
    empty = {"conn_type": None, "host": None, "port": None, "login": None, "password": None, "extra_dejson": {}}
    return SimpleNamespace(**{**empty, **fields})


def test_nothing_is_set_up_by_default(settings: Any) -> None:
    assert channels(settings(), None, None) == {}


def test_mail_arrives_in_both_languages(settings: Any, mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    found = settings(ALERT_SMTP=f"smtp://127.0.0.1:{port}", ALERT_MAIL_TO="a@town.example, b@town.example")
    channels(found, None, None)["mail"](MESSAGE)
    [(recipients, letter)] = box.letters
    assert recipients == ["a@town.example", "b@town.example"]
    assert letter["Subject"] == "[Münsterland live] source nrw-schools: stale"
    assert letter["From"] == "a@town.example"
    body = letter.get_content()
    assert "liefert nicht; der letzte gute Stand gilt weiter" in body
    assert "does not deliver; its last good snapshot stays in force" in body
    assert "schulen.csv: HTTP 503" in body


def test_mail_logs_in_with_what_the_connection_says(settings: Any, mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    smtp = connection(
        conn_type="smtp", host="127.0.0.1", port=port, login="region", password=PASSWORD,
        extra_dejson={"to": "c@town.example", "from_email": "pipeline@town.example"},
    )  # fmt: skip
    channels(settings(), smtp, None)["mail"](MESSAGE)
    assert box.users == ["region"]
    assert box.letters[0][1]["From"] == "pipeline@town.example"


def test_a_refused_login_is_said_without_the_password(settings: Any, mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    found = settings(ALERT_SMTP=f"smtp://region:wr%2Fng@127.0.0.1:{port}", ALERT_MAIL_TO="a@town.example")
    with pytest.raises(ChannelFailed, match="SMTPAuthenticationError") as failure:
        channels(found, None, None)["mail"](MESSAGE)
    assert "wr" not in str(failure.value)
    assert box.letters == []


def test_an_unreachable_mail_server_is_a_failed_channel(settings: Any) -> None:
    found = settings(ALERT_SMTP="smtp://127.0.0.1:9", ALERT_MAIL_TO="a@town.example")
    with pytest.raises(ChannelFailed, match="ConnectionRefusedError"):
        channels(found, None, None)["mail"](MESSAGE)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"ALERT_SMTP": "smtp://127.0.0.1:25"}, "ALERT_MAIL_TO"),
        ({"ALERT_SMTP": "127.0.0.1:25", "ALERT_MAIL_TO": "a@town.example"}, "smtp://USER:PASSWORD@HOST:PORT"),
        # An unescaped slash ends the address before the host: none of the password is told.
        ({"ALERT_SMTP": "smtp://u:s3cret/x@h:25", "ALERT_MAIL_TO": "a@town.example"}, "percent-encoded"),
    ],
)
def test_a_channel_set_up_wrongly_says_what_to_set_and_leaves_the_other_alone(
    settings: Any, publisher: Publisher, environment: dict[str, str], words: str
) -> None:
    publisher.says("https://chat.example/hook", Reply(200))
    hook = publisher.rebase("https://chat.example/hook")
    found = channels(settings(**environment, ALERT_WEBHOOK=hook), None, None)
    with pytest.raises(ChannelFailed, match=words) as failure:
        found["mail"](MESSAGE)
    assert PASSWORD not in str(failure.value)
    found["webhook"](MESSAGE)
    assert publisher.paths() == ["/chat.example/hook"]


def test_a_webhook_gets_json(settings: Any) -> None:
    with webhook() as (hook, posted):
        channels(settings(ALERT_WEBHOOK=hook), None, None)["webhook"](MESSAGE)
    [body] = [request.body for request in posted]
    assert {name: body[name] for name in ("kind", "subject", "state", "former_state", "since", "input")} == {
        "kind": "trouble",
        "subject": "source nrw-schools",
        "state": "stale",
        "former_state": "ok",
        "since": "2026-11-23T06:00:00+00:00",
        "input": "live",
    }
    assert body["text"] == f"{body['text_de']}\n{body['text_en']}\nschulen.csv: HTTP 503"


def test_a_webhooks_token_comes_from_the_connection(settings: Any) -> None:
    with webhook() as (hook, posted):
        channels(settings(), None, connection(host=hook, password=PASSWORD))["webhook"](MESSAGE)
    assert posted[0].headers["authorization"] == f"Bearer {PASSWORD}"


@pytest.mark.parametrize("status", [400, 404, 500, 301])
def test_an_answer_that_is_no_yes_is_a_failed_channel(settings: Any, publisher: Publisher, status: int) -> None:
    publisher.says("https://chat.example/s3cret", Reply(status))
    found = settings(ALERT_WEBHOOK=publisher.rebase("https://chat.example/s3cret"))
    with pytest.raises(ChannelFailed, match=str(status)) as failure:
        channels(found, None, None)["webhook"](MESSAGE)
    assert "s3cret" not in str(failure.value)


def test_an_unreachable_webhook_is_said_without_its_address(settings: Any) -> None:
    with pytest.raises(ChannelFailed, match="cannot be reached") as failure:
        channels(settings(ALERT_WEBHOOK="http://127.0.0.1:9/s3cret"), None, None)["webhook"](MESSAGE)
    assert "s3cret" not in str(failure.value)
    assert failure.value.__cause__ is None


@pytest.mark.parametrize("slow", [{"drip_s": 0.02, "body": b"x" * 5_000}, {"head_drip_s": 0.02}], ids=["body", "head"])
def test_a_webhook_that_drips_holds_nobody_up(
    settings: Any, publisher: Publisher, monkeypatch: pytest.MonkeyPatch, slow: dict[str, Any]
) -> None:
    monkeypatch.setattr("muensterland.channels.WEBHOOK_LIMIT_S", 0.3)
    publisher.says("https://chat.example/hook", Reply(200, **slow))
    hook = channels(settings(ALERT_WEBHOOK=publisher.rebase("https://chat.example/hook")), None, None)["webhook"]
    begun = time.monotonic()
    if "body" in slow:
        hook(MESSAGE)
    else:
        with pytest.raises(ChannelFailed, match=r"within 0\.3 s"):
            hook(MESSAGE)
    assert time.monotonic() - begun < 5


def test_secrets_do_not_show_when_settings_are_printed(settings: Any) -> None:
    found = settings(ALERT_WEBHOOK="https://chat.example/s3cret", ALERT_SMTP="smtp://u:s3cret@mail.example")
    assert "s3cret" not in f"{found!r}{channels(found, None, None)}"
