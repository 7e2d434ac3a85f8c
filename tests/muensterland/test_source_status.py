"""How fresh a source is, in the words of `mart_coverage`."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from connectors.landing import FetchRecord, Landing, Outcome
from connectors.staging import replace_parquet
from connectors.tables import PARSE_LOG, SNAPSHOT_IN_FORCE
from muensterland.settings import Home
from muensterland.source_status import SourceStatus, last_success_at, status_of
from tests.connectors.conftest import source_of

AT = datetime(2025, 3, 10, 5, 0, tzinfo=UTC)
TOWN = source_of(
    {name: {"connector": "schools_nrw", "url": f"https://town.example/{name}"} for name in ("sites", "readings")},
    fresh_for_days=3,
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def fetched(home: Home, resource: str, days: int, outcome: Outcome = "new", sha256: str | None = "aa") -> None:
    at = AT + timedelta(days=days)
    record = FetchRecord("town", resource, "https://town.example/", at, at, 200, None, None, sha256, 1, outcome, None)
    Landing(home.landing, "town").append(dataclasses.replace(record, file_name="file.csv"))


def judged(home: Home, sha256: str, outcome: str) -> None:
    row = {
        "source_id": "town",
        "partition": "readings",
        "snapshot_sha256": sha256,
        "parse_key": "1",
        "outcome": outcome,
    }
    place = home.staged / PARSE_LOG.name / "town.parquet"
    replace_parquet(place, pa.Table.from_pylist([row], schema=PARSE_LOG.columns))


def in_force(home: Home, sha256: str = "aa") -> None:
    row = {"source_id": "town", "partition": "readings", "snapshot_sha256": sha256, "parse_key": "1", "fetched_at": AT}
    place = home.staged / SNAPSHOT_IN_FORCE.name / "town.parquet"
    replace_parquet(place, pa.Table.from_pylist([row], schema=SNAPSHOT_IN_FORCE.columns))


def status(home: Home, days: int) -> SourceStatus:
    return status_of(home, TOWN, AT + timedelta(days=days))


def test_what_was_never_asked_is_missing(home: Home) -> None:
    found = status(home, 0)
    assert (found.state, found.freshness, found.last_success_at, found.errors) == ("never", "missing", None, ())


@pytest.mark.parametrize(("days", "freshness"), [(0, "fresh"), (3, "fresh"), (4, "stale")])
def test_it_is_fresh_for_whole_local_days(home: Home, days: int, freshness: str) -> None:
    for resource in ("sites", "readings"):
        fetched(home, resource, 0)
    in_force(home)
    assert status(home, days).freshness == freshness


def test_it_is_as_fresh_as_its_least_fresh_resource(home: Home) -> None:
    fetched(home, "readings", 0)
    fetched(home, "sites", 2)
    fetched(home, "readings", 1, "failed", sha256=None)
    assert last_success_at(home, "town") == AT
    fetched(home, "readings", 1, "unchanged")
    assert last_success_at(home, "town") == AT + timedelta(days=1)


def test_a_resource_that_never_came_leaves_it_without_success(home: Home) -> None:
    fetched(home, "sites", 0)
    fetched(home, "readings", 0, "failed", sha256=None)
    in_force(home)
    assert last_success_at(home, "town") is None
    assert status(home, 0).freshness == "stale"


def test_bytes_that_were_refused_are_no_success(home: Home) -> None:
    fetched(home, "readings", 0)
    fetched(home, "readings", 5, sha256="bb")
    in_force(home)
    judged(home, "bb", "refused")
    assert last_success_at(home, "town") == AT
    judged(home, "bb", "staged")
    assert last_success_at(home, "town") == AT + timedelta(days=5)


def test_a_dropped_file_that_was_given_back_is_no_success(home: Home) -> None:
    fetched(home, "readings", 0)
    fetched(home, "readings", 5, sha256="bb")
    fetched(home, "readings", 6, "failed", sha256="bb")
    in_force(home)
    assert last_success_at(home, "town") == AT
