"""Lists of OParl: page after page, then what has changed; what is deleted, and what a host must not do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest

from connectors.catalogue import Source
from connectors.fetching import FetchSummary, fetch_source
from connectors.http import Client
from connectors.landing import Landing
from connectors.oparl import pages_of
from connectors.parsing import parse_source
from connectors.tables import COUNCIL_MEETING
from tests.connectors.conftest import AS_OF, source_of
from tests.connectors.publisher import Publisher, Reply

URL = "https://council.example/bodies/1/meetings"
PARTS = {"connector": "oparl", "url": URL, "options": {"objects": "meeting", "ags": "05515000"}}
SOURCE = source_of({"meetings": PARTS}, domain="registers")
JANUARY, FEBRUARY, MARCH = (f"2024-0{month}-01T00:00:00+01:00" for month in (1, 2, 3))


def meeting(number: int, modified: str | None = JANUARY, **fields: Any) -> dict[str, Any]:
    found = {
        "id": f"https://council.example/meetings/{number}",
        "type": "https://schema.oparl.org/1.1/Meeting",
        "start": "2024-01-10T17:00:00+01:00",
        "modified": modified,
        **fields,
    }
    return {name: value for name, value in found.items() if value is not None}


def page(*objects: dict[str, Any], following: str | None = None) -> Reply:
    links = {"next": following} if following else {}
    return Reply(body=json.dumps({"data": objects, "links": links, "pagination": {}}).encode())


def since(modified: str) -> str:
    return f"{URL}?modified_since={quote(modified, safe='')}"


class Council:
    """A source of one list, its publisher and its home."""

    def __init__(self, publisher: Publisher, client: Client, landing: Landing, staged: Path) -> None:
        self.publisher, self.client, self.landing, self.staged = publisher, client, landing, staged

    def run(self, source: Source = SOURCE) -> FetchSummary:
        summary = fetch_source(source, self.landing, self.client, AS_OF)
        parse_source(source, self.landing, self.staged)
        return summary

    def pages(self) -> list[str]:
        record = self.landing.latest_good()["meetings"]
        return [name for name, _ in pages_of(self.landing.file(str(record.snapshot_sha256), str(record.file_name)))]

    def meetings(self) -> dict[str, tuple[Any, bool]]:
        """Begin and whether deleted, by the number of the meeting."""
        (row,) = pq.ParquetFile(self.staged / "snapshot_in_force" / "town.parquet").read().to_pylist()
        folder = self.staged / COUNCIL_MEETING.name / "source_id=town" / f"snapshot_sha256={row['snapshot_sha256']}"
        rows = pq.ParquetFile(folder / f"{row['parse_key']}.parquet").read().to_pylist()
        return {
            row["meeting_id"].rsplit("/", 1)[-1]: (
                row["start_at"] and row["start_at"].isoformat(),
                row["is_deleted"],
            )
            for row in rows
        }


@pytest.fixture
def council(publisher: Publisher, client: Client, landing: Landing, tmp_path: Path) -> Council:
    return Council(publisher, client, landing, tmp_path / "staged")


TENTH = "2024-01-10T16:00:00+00:00"


def test_a_list_is_followed_page_by_page_and_lands_as_it_came(council: Council) -> None:
    council.publisher.says(URL, page(meeting(1), meeting(2), following=f"{URL}?page=2"))
    # This host links to itself by plain http.
    council.publisher.says(f"{URL}?page=2", page(meeting(3), following=f"http://{URL.split('//')[1]}?page=3"))
    council.publisher.says(f"{URL}?page=3", page(meeting(4)))
    assert council.run().new == 1
    assert council.pages() == ["00000-00001.json", "00000-00002.json", "00000-00003.json"]
    assert council.meetings() == {str(number): (TENTH, False) for number in range(1, 5)}


def test_only_changes_are_asked_for_and_a_deletion_is_one(council: Council) -> None:
    council.publisher.says(URL, page(meeting(1), meeting(2, FEBRUARY), meeting(3)))
    council.run()
    moved = meeting(1, MARCH, start="2024-04-01T10:00:00+02:00")
    council.publisher.says(
        since(FEBRUARY), page(meeting(2, FEBRUARY), moved, meeting(3, MARCH, start=None, deleted=True))
    )
    council.publisher.forget()
    assert council.run().new == 1
    assert council.publisher.paths() == [since(FEBRUARY).replace("https:/", "")]
    assert council.meetings() == {"1": ("2024-04-01T08:00:00+00:00", False), "2": (TENTH, False), "3": (None, True)}
    assert council.pages() == ["00000-00001.json", "00001-00001.json"]
    # Nothing has changed since March.
    council.publisher.says(since(MARCH), page(moved))
    assert (council.run().unchanged, council.pages()) == (1, ["00000-00001.json", "00001-00001.json"])
    council.publisher.says(since(MARCH), page())
    assert council.run().unchanged == 1


def test_changes_are_kept_one_after_the_other(council: Council) -> None:
    council.publisher.says(URL, page(meeting(1)))
    council.run()
    council.publisher.says(since(JANUARY), page(meeting(2, FEBRUARY)))
    council.run()
    council.publisher.says(since(FEBRUARY), page(meeting(1, MARCH, deleted=True)))
    council.run()
    assert council.pages() == [f"0000{number}-00001.json" for number in range(3)]
    assert council.meetings() == {"1": (None, True), "2": (TENTH, False)}


def test_a_host_that_does_not_know_the_filter_sends_the_whole_list_in_its_place(council: Council) -> None:
    council.publisher.says(URL, page(meeting(1), meeting(2, FEBRUARY)))
    council.run()
    council.publisher.says(since(FEBRUARY), page(meeting(1), meeting(2, FEBRUARY), meeting(3, MARCH)))
    assert council.run().new == 1
    assert council.pages() == ["00000-00001.json"]
    assert sorted(council.meetings()) == ["1", "2", "3"]


@pytest.mark.parametrize("odd", [None, "2026-02-01T00:00:00+00:00"])
def test_one_object_that_says_wrongly_when_it_changed_is_not_the_whole_list(council: Council, odd: str | None) -> None:
    council.publisher.says(URL, page(meeting(1), meeting(2, FEBRUARY)))
    council.run()
    council.publisher.says(since(FEBRUARY), page(meeting(1, odd)))
    council.publisher.says(URL, page(meeting(1), meeting(2, FEBRUARY)))
    council.run()
    assert sorted(council.meetings()) == ["1", "2"]


def test_where_an_object_does_not_say_when_it_changed_the_whole_list_is_asked_for(council: Council) -> None:
    council.publisher.says(URL, page(meeting(1), meeting(2, None)))
    council.run()
    council.publisher.forget()
    assert council.run().unchanged == 1
    assert council.publisher.paths() == [URL.replace("https:/", "")]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (page(meeting(1), following=since(JANUARY)), "expected each page once"),
        (page(meeting(1), following="https://elsewhere.example/x"), "expected one of the same host"),
        (page(meeting(1), following="file:///etc/passwd"), "`links.next`, an address"),
        (Reply(body=b'{"data": {}}'), "a list of objects"),
        (Reply(body=b'{"error": "closed"}'), "expected a page of an OParl list"),
        (Reply(body=b"[]"), "expected a page of an OParl list"),
        (Reply(body=b"<html></html>"), "html came"),
    ],
)
def test_what_is_no_list_is_refused_and_the_former_one_stays(council: Council, answer: Reply, words: str) -> None:
    council.publisher.says(URL, page(meeting(1)))
    council.run()
    council.publisher.says(since(JANUARY), answer)
    (message,) = council.run().errors
    assert words in message
    assert list(council.meetings()) == ["1"]


def test_a_list_larger_than_its_limit_is_refused(council: Council) -> None:
    many = page(*(meeting(number, name="x" * 3_000) for number in range(200)), following=f"{URL}?page=2")
    council.publisher.says(URL, many)
    council.publisher.says(f"{URL}?page=2", many)
    (message,) = council.run(source_of({"meetings": {**PARTS, "size_limit_mb": 1}}, domain="registers")).errors
    assert "more than the allowed 1048576 bytes came" in message
