"""A realtime source names the timetable it speaks of, and what accumulates does so as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from connectors.catalogue import CatalogueError, Resource
from connectors.registry import check_catalogue, check_source
from tests.connectors.conftest import source_fields, source_of


def resource(connector: str, **fields: Any) -> dict[str, Any]:
    return {"connector": connector, "url": "https://town.example/file", **fields}


LIVE = {"feed": resource("gtfs_realtime", accumulate_days=7)}
FEED = {"feed": resource("gtfs")}


def catalogue(folder: Path, **sources: dict[str, Any]) -> Path:
    for name, fields in sources.items():
        (folder / f"{name}.yml").write_text(yaml.safe_dump({**fields, "id": name}), encoding="utf-8")
    return folder


def test_a_source_that_names_its_timetable_fits(tmp_path: Path) -> None:
    found = check_catalogue(catalogue(tmp_path, live=source_fields(LIVE, timetable="feed"), feed=source_fields(FEED)))
    assert (found["live"].timetable, found["live"].accumulates, found["feed"].accumulates) == ("feed", True, False)


@pytest.mark.parametrize(
    ("live", "feed", "words"),
    [
        ({"timetable": "fed"}, {}, "live.yml: timetable: 'fed' is no source; did you mean feed? expected one of feed"),
        ({}, {}, "live.yml: timetable: is missing; expected the source whose timetable resources.feed speaks of"),
        (
            {"timetable": "feed", "inputs": ["sample", "live"]},
            {"inputs": ["live"]},
            "live.yml: timetable: feed has the inputs live, expected all of sample, live",
        ),
        (
            {"timetable": "feed"},
            {"resources": {"feed": resource("schools_nrw")}},
            "live.yml: timetable: feed has no stop_times, expected a source with connector: gtfs",
        ),
        ({"timetable": "Feed!"}, {}, "live.yml: timetable: is 'Feed!', expected small letters and digits"),
    ],
)
def test_a_timetable_that_is_none_is_told(
    tmp_path: Path, live: dict[str, Any], feed: dict[str, Any], words: str
) -> None:
    folder = catalogue(tmp_path, live=source_fields(LIVE, **live), feed=source_fields(FEED) | feed)
    with pytest.raises(CatalogueError) as caught:
        check_catalogue(folder)
    assert words in str(caught.value)


def test_a_source_that_speaks_of_no_timetable_names_none() -> None:
    with pytest.raises(CatalogueError, match="timetable: is 'feed', but no resource speaks of a timetable; leave it"):
        check_source(source_of(FEED, timetable="feed"))


def test_a_source_does_not_mix_what_accumulates_with_what_does_not() -> None:
    with pytest.raises(ValidationError, match="some have accumulate_days, some have not"):
        source_of({**LIVE, "static": resource("gtfs")}, timetable="feed")


@pytest.mark.parametrize("days", [0, -1, 367, "many"])
def test_days_are_between_one_and_a_year(days: object) -> None:
    with pytest.raises(ValidationError, match="accumulate_days"):
        Resource(**resource("gtfs_realtime", accumulate_days=days))


def test_what_accumulates_has_no_guards_unless_it_says_so() -> None:
    silent = Resource(**resource("gtfs_realtime", accumulate_days=7))
    assert (silent.size_ratio, silent.record_ratio) == (None, None)
    guarded = Resource(**resource("gtfs_realtime", accumulate_days=7, guards={"size_ratio": {"max": 9}}))
    assert guarded.size_ratio is not None
    assert guarded.size_ratio.max == 9


def test_what_accumulates_counts_by_days_not_by_versions() -> None:
    with pytest.raises(ValidationError, match="accumulate_days does already"):
        Resource(**resource("gtfs_realtime", accumulate_days=7, versions=2))
