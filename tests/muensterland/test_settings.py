"""Settings come from the environment; a home belongs to one INPUT."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from muensterland.settings import REPOSITORY, Home, HomeBelongsToAnotherInput, Settings

NAMES = ("INPUT", "MIRROR", "REGION_HOME", "AS_OF", "SOURCES_DIR", "TASK_RETRIES")
URL = "https://ergebnisse.zensus2022.de/api/rest/2020?x=https://y"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def settings(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings()


# -- what is not set -------------------------------------------------------------------------------------------------


def test_the_sample_is_the_default() -> None:
    found = Settings()
    assert (found.input, found.mirror, found.as_of) == ("sample", None, None)
    assert found.home.root == REPOSITORY / "data" / "runtime" / "sample"
    assert found.sources_dir == REPOSITORY / "data" / "sources"


def test_empty_values_count_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    unset = Settings()
    assert settings(monkeypatch, **dict.fromkeys(NAMES, "")) == unset


def test_every_setting_is_read_from_its_own_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = settings(
        monkeypatch,
        INPUT="mirror",
        MIRROR="http://127.0.0.1:8099",
        REGION_HOME=str(tmp_path / "home"),
        AS_OF="2024-03-31T01:00:00.75+01:00",
        SOURCES_DIR=str(tmp_path),
        TASK_RETRIES="0",
    )
    assert (found.input, found.mirror, found.sources_dir, found.task_retries) == (
        "mirror",
        "http://127.0.0.1:8099",
        tmp_path,
        0,
    )
    assert found.home.landing == tmp_path / "home" / "landing"
    assert found.clock() == datetime(2024, 3, 31, 0, 0, 0, tzinfo=UTC)
    assert found.clock().tzinfo is UTC


def test_without_as_of_the_clock_is_now_in_utc() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    assert before <= Settings().clock() <= datetime.now(UTC)


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INPUT", "production"),
        ("AS_OF", "2024-03-31T01:00:00"),
        ("AS_OF", "2024-03-31"),
        ("AS_OF", "yesterday"),
        ("MIRROR", "127.0.0.1:8099"),
        ("MIRROR", "ftp://mirror.example"),
        ("TASK_RETRIES", "-1"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(ValidationError, match=name.lower()):
        settings(monkeypatch, **{name: value})


# -- addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mirror", ["http://127.0.0.1:8099", "http://127.0.0.1:8099/"])
@pytest.mark.parametrize("kind", ["mirror", "sample"])
def test_a_mirror_stands_in_for_every_host(monkeypatch: pytest.MonkeyPatch, kind: str, mirror: str) -> None:
    found = settings(monkeypatch, INPUT=kind, MIRROR=mirror)
    assert found.rebase(URL) == "http://127.0.0.1:8099/ergebnisse.zensus2022.de/api/rest/2020?x=https://y"


def test_live_asks_the_publishers_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch, INPUT="live").rebase(URL) == URL


@pytest.mark.parametrize("kind", ["mirror", "sample"])
def test_without_a_mirror_only_live_may_ask(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    with pytest.raises(ValueError, match=rf"INPUT={kind} needs MIRROR=http://HOST:PORT; https://ergebnisse"):
        settings(monkeypatch, INPUT=kind).rebase(URL)


# -- the home --------------------------------------------------------------------------------------------------------


def test_a_home_of_another_input_is_refused(tmp_path: Path) -> None:
    Home(tmp_path / "home").claim("sample")
    with pytest.raises(HomeBelongsToAnotherInput, match="holds data of INPUT=sample, this run has INPUT=live"):
        Home(tmp_path / "home").claim("live")
    assert (tmp_path / "home" / "INPUT").read_text() == "sample\n"


def test_a_home_may_be_claimed_again_by_its_own_input(tmp_path: Path) -> None:
    for _ in range(2):
        Home(tmp_path).claim("mirror")
    assert [path.name for path in tmp_path.iterdir()] == ["INPUT"]


def test_who_loses_the_race_for_a_home_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def overtaken(marker: Path, draft: Path) -> None:
        (tmp_path / "INPUT").write_text("live\n")
        os.link(draft, marker)

    monkeypatch.setattr(Path, "hardlink_to", overtaken)
    with pytest.raises(HomeBelongsToAnotherInput, match="INPUT=live"):
        Home(tmp_path).claim("sample")
