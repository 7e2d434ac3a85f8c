"""Who we are is looked up when a host is asked, and goes to nobody else."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from connectors.credentials import from_environment, headers_of
from connectors.errors import FetchFailed
from connectors.http import Ask, Client
from tests.connectors.publisher import Publisher, Reply


@pytest.mark.parametrize(
    ("user", "password", "headers"),
    [
        ("DE123", "secret", {"username": "DE123", "password": "secret"}),
        ("token", "", {"username": "token", "password": ""}),
        (None, "token", {"username": "token", "password": ""}),
        ("", None, {}),
    ],
)
def test_a_token_goes_in_place_of_the_user(user: str | None, password: str | None, headers: dict[str, str]) -> None:
    assert headers_of(user, password) == headers


def test_credentials_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOWN_USERNAME", raising=False)
    monkeypatch.delenv("TOWN_PASSWORD", raising=False)
    assert from_environment("TOWN") == {}
    monkeypatch.setenv("TOWN_USERNAME", "token")
    assert from_environment("TOWN") == {"username": "token", "password": ""}


def test_secrets_go_to_the_host_that_wants_them_and_not_where_it_redirects_to(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.says("https://town.example/x", Reply(302, headers={"Location": "https://elsewhere.example/x"}))
    publisher.says("https://elsewhere.example/x", Reply(200, b"fine"))
    asked: list[str] = []

    def secrets(name: str) -> dict[str, str]:
        asked.append(name)
        return {"username": "DE123", "password": "secret"}

    client = Client(publisher.rebase, secrets=secrets)
    client.download(Ask("https://town.example/x", credentials="TOWN"), tmp_path / "body")
    first, second = publisher.asked
    assert (first.headers["username"], first.headers["password"]) == ("DE123", "secret")
    assert not {"username", "password"} & second.headers.keys()
    client.download(Ask("https://elsewhere.example/x"), tmp_path / "body")
    assert "username" not in publisher.asked[-1].headers
    assert asked == ["TOWN"]


def test_a_secret_that_no_header_can_hold_is_told_nobody(publisher: Publisher, tmp_path: Path) -> None:
    client = Client(publisher.rebase, secrets=lambda name: {"username": "DE123", "password": "s3cret\n-token"})
    with pytest.raises(FetchFailed, match="cannot be asked") as told:
        client.download(Ask("https://town.example/x", credentials="TOWN"), tmp_path / "body")
    assert "s3cret" not in "".join(traceback.format_exception(told.value))
    assert publisher.asked == []


def test_the_end_of_a_line_is_no_part_of_a_secret() -> None:
    assert headers_of("DE123\n", " secret\r\n") == {"username": "DE123", "password": "secret"}
