"""The landing: bytes as they came, and a log that only grows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from connectors.landing import FetchRecord, Landing, Outcome

AT = datetime(2024, 3, 1, 5, 0, 0, 123_456, tzinfo=UTC)


def record(partition: str = "file", outcome: Outcome = "new", error: str | None = None) -> FetchRecord:
    return FetchRecord(
        source_id="town",
        partition=partition,
        url="https://town.example/Münster.csv",
        started_at=AT,
        finished_at=AT,
        http_status=200,
        etag='W/"ü"',
        last_modified=None,
        snapshot_sha256="ab" * 32,
        bytes=7,
        outcome=outcome,
        error=error,
        file_name="Münster.csv",
    )


def test_keeps_a_file_whole_under_hash_and_name(landing: Landing, tmp_path: Path) -> None:
    draft = tmp_path / "draft"
    draft.write_bytes(b"bytes")
    place = landing.keep(draft, "abc", "file.csv")
    assert place == landing.folder / "abc" / "file.csv" == landing.file("abc", "file.csv")
    assert place.read_bytes() == b"bytes"
    assert not draft.exists()


def test_what_lies_there_already_is_never_touched(landing: Landing, tmp_path: Path) -> None:
    for content in (b"first", b"other"):
        (tmp_path / "draft").write_bytes(content)
        place = landing.keep(tmp_path / "draft", "abc", "file.csv")
    assert place.read_bytes() == b"first"
    assert not (tmp_path / "draft").exists()


def test_the_log_gives_back_what_was_written(landing: Landing) -> None:
    rows = [record(), record("other", "failed", "line 1\nline 2 \u2028 „Ümläute“")]
    for row in rows:
        landing.append(row)
    assert landing.log() == rows


def test_there_is_no_log_before_the_first_attempt(landing: Landing) -> None:
    assert landing.log() == []
    assert landing.latest_good() == {}


def test_the_last_attempt_with_bytes_in_hand_counts(landing: Landing) -> None:
    first, second = record(), record(outcome="unchanged")
    for row in (first, second, record(outcome="failed"), record(outcome="absent"), record("other", "absent")):
        landing.append(row)
    assert landing.latest_good() == {"file": second}


# (who, outcome, snapshot) per attempt -> the snapshots that landed, oldest first.
ORDERS = [
    ("web new a, web unchanged a, web new b, web new a", "a b a"),
    ("web new a, web unchanged b", "a b"),
    ("web new a, hand new b, web unchanged a", "a b"),
    ("web new a, hand new b, web unchanged a, web new c", "a b c"),
    ("web new a, hand new b, web new b, web unchanged b", "a b"),
    ("web new a, hand new b, hand failed b, web unchanged a", "a"),
    ("hand new a, hand new b, hand failed b, hand new b", "a b"),
    ("web new a, web failed a, hand failed b", "a"),
    ("hand new a, hand failed a", ""),
]


@pytest.mark.parametrize(("attempts", "landed"), ORDERS)
def test_what_is_dropped_holds_until_there_is_news_and_makes_way_where_it_was_refused(
    landing: Landing, attempts: str, landed: str
) -> None:
    for attempt in attempts.split(", "):
        who, outcome, snapshot = attempt.split()
        url = "inbox:file.csv" if who == "hand" else "https://town.example/file.csv"
        said = cast(Outcome, outcome)
        landing.append(replace(record(outcome=said), url=url, snapshot_sha256=snapshot))
    spans = landing.spans().get("file", [])
    assert " ".join(str(first.snapshot_sha256) for first, _ in spans) == landed
    assert all(first.snapshot_sha256 == last.snapshot_sha256 for first, last in spans)


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_row_cut_by_a_power_failure_spoils_neither_the_log_nor_the_next_row(landing: Landing, cut: int) -> None:
    landing.append(record("kept"))
    landing.append(record("cut"))
    log = landing.folder / "fetch_log.jsonl"
    log.write_bytes(log.read_bytes()[:-cut])
    assert [row.partition for row in landing.log()] == ["kept"]
    landing.append(record("next"))
    assert [row.partition for row in landing.log()] == ["kept", "next"]


def test_a_first_row_cut_by_a_power_failure_makes_way(landing: Landing) -> None:
    landing.append(record("cut"))
    log = landing.folder / "fetch_log.jsonl"
    log.write_bytes(log.read_bytes()[:40])
    landing.append(record("next"))
    assert [row.partition for row in landing.log()] == ["next"]
