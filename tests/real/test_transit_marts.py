"""Two real feeds through the marts: the visits are gtfs_kit's, the departures of a headway feed are counted by hand."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest

from tests.dbt_project.conftest import Built
from tests.transit.world import World, feed_source

pytestmark = [pytest.mark.real, pytest.mark.long(1)]

FEEDS = {
    "brest": "transit/gtfs-brest-with-rt/gtfs.zip",
    "bullrunner": "transit/gtfs-validator-fixtures/bullrunner-gtfs.zip",
}


@pytest.fixture(scope="module")
def built(real: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    world = World(tmp_path_factory.mktemp("real"))
    for source_id, path in FEEDS.items():
        world.land_file(feed_source(source_id), real / path)
    return world.built()


# `Feed.compute_stop_stats(dates)` of gtfs_kit 13.0.1 (pandas 3.1.1), run on 2026-11-25: per date the stops visited,
# the sum of num_trips, and the first 16 digits of the sha256 over the lines "stop_id num_trips", sorted by stop_id.
NUM_TRIPS = [
    ("brest", date(2023, 4, 26), 969, 53_392, "5c48931547282286"),
    ("brest", date(2023, 4, 27), 969, 53_496, "f6652281a736e87a"),
    ("brest", date(2023, 4, 28), 940, 53_480, "1ca566651e980766"),
    ("bullrunner", date(2015, 1, 1), 125, 183, "e25a4042b5c4b0a6"),
    ("bullrunner", date(2015, 1, 2), 125, 183, "e25a4042b5c4b0a6"),
    ("bullrunner", date(2015, 1, 3), 88, 107, "d56da06753733e8f"),
]


@pytest.mark.parametrize(("feed", "day", "stops", "visits", "digest"), NUM_TRIPS)
def test_visits_per_stop_are_the_num_trips_of_gtfs_kit(
    built: Built, feed: str, day: date, stops: int, visits: int, digest: str
) -> None:
    rows = built.query(
        f"select stop_id, visits from marts.fct_departure_day where source_id = '{feed}' and service_date = '{day}'"
    )
    assert (len(rows), sum(count for _, count in rows)) == (stops, visits)
    lines = "".join(f"{stop} {count}\n" for stop, count in sorted(rows))
    assert hashlib.sha256(lines.encode()).hexdigest()[:16] == digest


@pytest.mark.parametrize(
    ("day", "departures"),
    [
        # Monday to Thursday from 7 to 24 h: every 10 min 102 departures, every 9 min 114, every 12 min 85. At 230 only
        # line A (10 min) calls; at 401 lines A, D, E and F (10), B (9) and C (12); at 421 C, E and F begin and end.
        (date(2015, 1, 1), {"230": 102, "401": 4 * 102 + 114 + 85, "421": 85 + 102 + 102}),
        # Friday from 7 to 17:30 h: 63, 70 and 53.
        (date(2015, 1, 2), {"230": 63, "401": 4 * 63 + 70 + 53, "421": 53 + 63 + 63}),
        # Saturday from 14:30 to 21:30 h: C 35, D and F 42 each.
        (date(2015, 1, 3), {"401": 35 + 42 + 42, "421": 35 + 42}),
    ],
)
def test_departures_that_come_from_a_header_with_a_leading_blank_are_those_counted_by_hand(
    built: Built, day: date, departures: dict[str, int]
) -> None:
    rows = built.query(
        "select stop_id, departures from marts.fct_departure_day "
        f"where source_id = 'bullrunner' and service_date = '{day}' and stop_id in ('230', '401', '421')"
    )
    assert dict(rows) == departures
