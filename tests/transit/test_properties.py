"""Whatever a small feed holds, the marts say what a plain loop over its text counts."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime

import pytest

from tests.dbt_project.conftest import Built
from tests.transit.random_feed import Reading, Supply, random_feed, read
from tests.transit.world import World, feed_source

SEEDS = range(24)
pytestmark = pytest.mark.long(1)

Rows = dict[tuple[str, date], tuple[int, int, int, datetime | None, datetime | None]]


def name(seed: int) -> str:
    return f"feed-{seed:02}"


@pytest.fixture(scope="module")
def readings() -> dict[int, Reading]:
    return {seed: read(random_feed(seed)) for seed in SEEDS}


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Built:
    world = World(tmp_path_factory.mktemp("once"))
    for seed in SEEDS:
        world.land(feed_source(name(seed)), random_feed(seed))
    return world.built()


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Every feed by its publisher, and again by one who collects feeds and is asked after."""
    world = World(tmp_path_factory.mktemp("twice"))
    for seed in SEEDS:
        world.land(feed_source(name(seed), priority=10), random_feed(seed))
        world.land(feed_source(f"again-{name(seed)}", priority=30), random_feed(seed))
    return world.built()


def supply(built: Built) -> Rows:
    rows = built.query(
        "select ags, service_date, departures, stops_served, routes_served, "
        "first_departure_local, last_departure_local from marts.mart_transit_supply"
    )
    return {(row[0], row[1]): row[2:] for row in rows}  # type: ignore[misc]


def test_random_feeds_hold_what_makes_feeds_hard(readings: dict[int, Reading]) -> None:
    feeds = [random_feed(seed) for seed in SEEDS]
    assert sum("frequencies.txt" in feed for feed in feeds) > 5
    assert sum("calendar.txt" not in feed for feed in feeds) > 0
    days = {day for reading in readings.values() for _, day in reading.departures}
    assert {date(2026, 3, 29), date(2026, 10, 25)} <= days
    assert sum(reading.departures.total() for reading in readings.values()) > 2_000


def test_visits_and_departures_per_stop_and_date_are_those_of_a_plain_loop(
    once: Built, readings: dict[int, Reading]
) -> None:
    told = once.query("select source_id, stop_id, service_date, visits, departures from marts.fct_departure_day")
    expected = {
        (name(seed), stop, day): (visits, reading.departures[stop, day])
        for seed, reading in readings.items()
        for (stop, day), visits in reading.visits.items()
    }
    assert {(source, stop, day): (visits, departures) for source, stop, day, visits, departures in told} == expected


def test_supply_per_municipality_and_date_is_that_of_a_plain_loop(once: Built, readings: dict[int, Reading]) -> None:
    together: dict[tuple[str, date], Supply] = {}
    for reading in readings.values():
        for key, part in reading.supply.items():
            whole = together.setdefault(key, Supply())
            whole.departures += part.departures
            whole.places |= part.places
            whole.routes |= part.routes
            whole.departure_s += part.departure_s
    assert supply(once) == {(ags, day): offered.row(day) for (ags, day), offered in together.items()}


def test_a_feed_that_comes_under_another_name_as_well_changes_no_count(once: Built, twice: Built) -> None:
    assert supply(twice) == supply(once)
    for mart in ("mart_transit_supply_daytype", "mart_transit_operating_hours", "mart_transit_connection"):
        columns = "* exclude (median_headway_s)" if mart.endswith("daytype") else "*"
        rows = f"select {columns} from marts.{mart} order by all"
        assert twice.query(rows) == once.query(rows), mart


def test_of_a_trip_told_twice_the_one_who_is_asked_first_speaks_and_the_reason_is_kept(
    twice: Built, readings: dict[int, Reading]
) -> None:
    rows = twice.query("select source_id, told_by_source_id, difference_s from marts.mart_trip_overlap")
    assert rows
    assert Counter(source_id for source_id, _, _ in rows).keys() == {f"again-{name(seed)}" for seed in SEEDS}
    assert all(source_id == f"again-{teller}" and difference == 0 for source_id, teller, difference in rows)
