"""What may leave the landing: never what is in force, named by a release, young, or what others were judged against."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.catalogue import Source
from connectors.landing import Landing
from connectors.parsing import parse_source
from muensterland.housekeeping import landed_snapshots, plan, prune
from muensterland.settings import Home
from publishing.shelf import ReleaseBroken
from tests.connectors.conftest import AS_OF, Land, Letters, land, landing, letters, source_of

__all__ = ["land", "landing", "letters"]

KEEP_DAYS = 90


class House:
    """A home whose source `town` landed one file after the other, a day apart; `broken` ones are refused."""

    def __init__(self, home: Home, land: Land) -> None:
        self.home, self._land, self._days = home, land, 0
        self.town = source_of({"file": {"connector": "letters", "url": "https://town.example/file"}})

    def lands(self, *contents: str) -> None:
        into = Landing(self.home.landing, "town")
        for content in contents:
            self._land("file", content.encode(), AS_OF + timedelta(days=self._days), into)
            self._days += 1
            parse_source(self.town, into, self.home.staged)

    def after(self, days: int) -> datetime:
        """The clock so many days after the first file landed."""
        return AS_OF + timedelta(days=days)

    def why(self, now: datetime) -> dict[str, str]:
        """Content, first word, by why it stays."""
        found = {}
        for snapshot in landed_snapshots(self.home, now, KEEP_DAYS):
            (file,) = (self.home.landing / "town" / snapshot.snapshot_sha256).iterdir()
            found[file.read_text()] = snapshot.why
        return found

    def in_force(self, source: Source | None = None) -> list[str]:
        summary = parse_source(source or self.town, Landing(self.home.landing, "town"), self.home.staged)
        assert (summary.parsed, summary.refused) == (0, 0)
        return sorted(
            path.parent.name.partition("=")[2] for path in (self.home.staged / "count_site").rglob("*.parquet")
        )


@pytest.fixture
def house(letters: Letters, land: Land, tmp_path: Path) -> House:
    return House(Home(tmp_path / "home"), land)


def test_the_newest_and_the_one_it_was_compared_with_stay_for_ever(house: House) -> None:
    house.lands("a", "b", "c", "d")
    assert house.why(house.after(10)) == {"a": "recent", "b": "recent", "c": "recent", "d": "in_force"}
    assert house.why(house.after(91)) == {"a": "prunable", "b": "prunable", "c": "recent", "d": "in_force"}
    assert house.why(house.after(900)) == {"a": "prunable", "b": "prunable", "c": "compared", "d": "in_force"}


def test_one_that_newer_ones_were_judged_against_stays_while_they_stay(house: House) -> None:
    house.lands("a", "broken b", "c", "d", "e")
    # b is young on that day and was judged against a: without a, nothing would speak against it.
    assert house.why(house.after(90)) == {
        "a": "compared",
        **dict.fromkeys(("broken b", "c", "d"), "recent"),
        "e": "in_force",
    }
    assert house.why(house.after(91))["a"] == "prunable"
    assert house.why(house.after(91))["broken b"] == "prunable"


def test_what_was_refused_goes_when_it_is_old_but_the_latest_stays(house: House) -> None:
    house.lands("a", "broken b", "broken c")
    assert house.why(house.after(900)) == {"a": "in_force", "broken b": "prunable", "broken c": "in_force"}


def test_pruning_changes_no_verdict_and_writes_down_what_it_took(house: House) -> None:
    house.lands("a", "broken b", "c", "d", "broken e", "f")
    log = (house.home.landing / "town" / "fetch_log.jsonl").read_bytes()
    planned = plan(house.home, house.after(900), KEEP_DAYS)
    done = prune(house.home, house.after(900), KEEP_DAYS)
    assert (planned.dry_run, done.dry_run, done.snapshots) == (True, False, planned.snapshots)
    gone = {hashlib.sha256(word.encode()).hexdigest() for word in ("a", "broken b", "c", "broken e")}
    assert {snapshot.snapshot_sha256 for snapshot in done.snapshots} == gone
    told = [json.loads(line) for line in (house.home.landing / "pruned.jsonl").read_text().splitlines()]
    assert {line["snapshot_sha256"] for line in told} == gone
    assert (house.home.landing / "town" / "fetch_log.jsonl").read_bytes() == log
    # Nothing is parsed anew, and only what counts is staged.
    assert hashlib.sha256(b"f").hexdigest() in house.in_force()
    assert not gone & set(house.in_force())
    assert plan(house.home, house.after(900), KEEP_DAYS).snapshots == ()


def test_a_broken_release_stops_pruning(house: House) -> None:
    house.lands("a", "b", "c")
    release = house.home.releases / "2024.03.15.1"
    release.mkdir(parents=True)
    (release / "release.json").write_text("{}")
    with pytest.raises(ReleaseBroken, match=r"2024\.03\.15\.1/release\.json"):
        plan(house.home, house.after(900), KEEP_DAYS)


def test_leftovers_of_compaction_go(house: House) -> None:
    house.lands("a")
    folder = house.home.staged / ".compacted" / "count_site" / "town"
    folder.mkdir(parents=True)
    (folder / "ab.parquet").write_bytes(b"12345")
    now = datetime.now(UTC)
    assert plan(house.home, now, KEEP_DAYS).staged_bytes == 5
    prune(house.home, now, KEEP_DAYS)
    assert list(folder.iterdir()) == []
