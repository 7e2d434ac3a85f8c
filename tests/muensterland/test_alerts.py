"""One message per subject and state, a recovery, a reminder; a channel that fails is told later what it missed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from muensterland.alerts import ChannelFailed, Message, Observation, Trouble, tell, troubles

MONDAY = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
SCHOOLS = "source nrw-schools"


class Channel:
    """Remembers what it was told; fails as often as it is asked to."""

    def __init__(self) -> None:
        self.told: list[Message] = []
        self.failures = 0

    def __call__(self, message: Message) -> None:
        if self.failures:
            self.failures -= 1
            raise ChannelFailed("out of order")
        self.told.append(message)

    def words(self) -> list[tuple[str, str, str]]:
        return [(message.kind, message.subject, message.state) for message in self.told]


@pytest.fixture
def mail() -> Channel:
    return Channel()


def observe(folder: Path, mail: Channel, *seen: Observation, days: float = 0) -> None:
    tell(folder, seen, {"mail": mail}, MONDAY + timedelta(days=days), WEEK)


def test_a_good_start_is_no_news(tmp_path: Path, mail: Channel) -> None:
    observe(tmp_path, mail, Observation(SCHOOLS, "ok"))
    assert mail.told == []


def test_a_trouble_is_told_once_and_its_end_once(tmp_path: Path, mail: Channel) -> None:
    for days, state in enumerate(["ok", "stale", "stale", "stale", "ok", "ok"]):
        observe(tmp_path, mail, Observation(SCHOOLS, state, "HTTP 503"), days=days)
    assert mail.words() == [("trouble", SCHOOLS, "stale"), ("recovery", SCHOOLS, "ok")]
    assert mail.told[0].since == MONDAY + timedelta(days=1)
    assert mail.told[0].detail == "HTTP 503"
    assert mail.told[1].former_state == "stale"


def test_another_state_is_another_message(tmp_path: Path, mail: Channel) -> None:
    for state in ("failed", "stale", "failed"):
        observe(tmp_path, mail, Observation(SCHOOLS, state))
    assert [message.state for message in mail.told] == ["failed", "stale", "failed"]


def test_another_error_in_the_same_state_is_no_news_but_another_sign_is(tmp_path: Path, mail: Channel) -> None:
    observe(tmp_path, mail, Observation(SCHOOLS, "stale", "HTTP 503"))
    observe(tmp_path, mail, Observation(SCHOOLS, "stale", "HTTP 502"))
    assert len(mail.told) == 1
    for columns in ("a", "a", "a; b"):
        observe(tmp_path, mail, Observation("source town", "drift", columns, sign=columns))
    assert [message.detail for message in mail.told[1:]] == ["a", "a; b"]


def test_a_trouble_that_lasts_is_told_again_after_a_week_and_not_before(tmp_path: Path, mail: Channel) -> None:
    for days in range(16):
        observe(tmp_path, mail, Observation(SCHOOLS, "stale"), days=days)
    assert [message.kind for message in mail.told] == ["trouble", "reminder", "reminder"]


def test_a_drift_and_what_is_no_longer_seen_are_not_repeated(tmp_path: Path, mail: Channel) -> None:
    observe(tmp_path, mail, Observation(SCHOOLS, "drift"), Observation("source gone", "failed"))
    observe(tmp_path, mail, Observation(SCHOOLS, "drift"), days=30)
    assert [message.kind for message in mail.told] == ["trouble", "trouble"]


def test_subjects_do_not_mix(tmp_path: Path, mail: Channel) -> None:
    observe(tmp_path, mail, Observation(SCHOOLS, "stale"), Observation("dag region_release", "red"))
    observe(tmp_path, mail, Observation(SCHOOLS, "ok"))
    assert mail.words()[2:] == [("recovery", SCHOOLS, "ok")]
    assert troubles(tmp_path) == [Trouble("dag region_release", "red", MONDAY, "")]


def test_a_channel_that_fails_is_told_later_and_the_others_are_not_told_twice(tmp_path: Path, mail: Channel) -> None:
    webhook = Channel()
    webhook.failures = 1
    both = {"mail": mail, "webhook": webhook}
    handed_over = tell(tmp_path, [Observation(SCHOOLS, "stale")], both, MONDAY, WEEK)
    assert [message.state for message in handed_over] == ["stale"]
    assert (len(mail.told), len(webhook.told)) == (1, 0)
    # Something else is observed: what was missed is told as well.
    tell(tmp_path, [Observation("source town", "ok")], both, MONDAY, WEEK)
    assert (len(mail.told), len(webhook.told)) == (1, 1)


def test_what_has_passed_before_a_channel_works_again_is_not_told(tmp_path: Path, mail: Channel) -> None:
    mail.failures = 1
    observe(tmp_path, mail, Observation(SCHOOLS, "stale"))
    observe(tmp_path, mail, Observation(SCHOOLS, "ok"))
    assert mail.told == []


def test_a_channel_that_comes_later_is_told_what_stands(tmp_path: Path, mail: Channel) -> None:
    tell(tmp_path, [Observation(SCHOOLS, "stale")], {}, MONDAY, WEEK)
    observe(tmp_path, mail, Observation("source town", "ok"), days=1)
    assert mail.words() == [("trouble", SCHOOLS, "stale")]
    assert mail.told[0].since == MONDAY


def test_a_message_is_german_and_english_and_says_since_when(tmp_path: Path, mail: Channel) -> None:
    observe(tmp_path, mail, Observation("dag region_release", "red", "gate: 3 checks"))
    message = mail.told[0]
    assert message.text_de == (
        "DAG region_release: die Prüfung ist rot; nichts wurde veröffentlicht, die bisherige Ausgabe gilt weiter "
        "(red, seit 2026-11-23 06:00 UTC)"
    )
    assert "the gate is red; nothing was promoted" in message.text_en


def test_a_long_detail_is_cut(tmp_path: Path, mail: Channel) -> None:
    observe(tmp_path, mail, Observation(SCHOOLS, "failed", "x" * 10_000))
    assert len(mail.told[0].detail) == 1_500


def test_two_at_once_tell_a_thing_once(tmp_path: Path, mail: Channel) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: observe(tmp_path, mail, Observation(SCHOOLS, "stale")), range(16)))
    assert len(mail.told) == 1
