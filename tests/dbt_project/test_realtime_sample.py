"""The sample's realtime, whose delays are known, through parser and models to the marts."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from muensterland.sample import realtime, transit
from muensterland.sample.timetable import Line, Trip
from tests.dbt_project.conftest import Built
from tests.dbt_project.realtime_pair import build_pair

FIRST, SECOND, THIRD = realtime.told_lines()
LIMIT_S = 900


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("pair")
    feed, message = folder / "feed.zip", folder / "trip-updates.pb"
    feed.write_bytes(transit.operator_feed())
    message.write_bytes(realtime.files()[realtime.TRIP_UPDATES])
    return build_pair(feed, [message], folder)[0]


def runs_as_planned(line: Line, trip: Trip, place: int) -> bool:
    if line is not FIRST:
        return True
    stays_out = trip.number in (realtime.CANCELED_TRIP, realtime.SILENT_TRIP)
    return not stays_out and not (trip.number == realtime.SKIPPING_TRIP and place == 1)


def known() -> dict[tuple[str, int], tuple[str, int]]:
    """Status and delay per call, as the generator meant them."""
    found = {}
    for line in realtime.told_lines():
        for trip in realtime.told_trips(line):
            for place, visit in enumerate(trip.visits):
                if runs_as_planned(line, trip, place):
                    late = realtime.delay_s(trip, place)
                    ahead = visit.departure_s + late - realtime.TOLD_S
                    status = "forecast" if ahead > LIMIT_S else "observed"
                    found[transit.OPERATOR_IDS.trip(trip), place] = status, late
    return found


def test_every_known_delay_arrives_in_the_mart(pair: Built) -> None:
    rows = pair.query(
        "select trip_id, stop_sequence, status, delay_s from marts.fct_stop_delay "
        "where status in ('observed', 'forecast')"
    )
    expected = known()
    assert len(expected) > 2_000
    assert {(trip, sequence): (status, delay) for trip, sequence, status, delay in rows} == expected


def test_what_did_not_run_as_planned_is_counted(pair: Built) -> None:
    rows = pair.query(
        "select status, route_name, count(*) from marts.fct_stop_delay where delay_s is null group by all"
    )
    stops = len(FIRST.stops)
    assert sorted(rows) == [("canceled", FIRST.number, stops), ("no_data", FIRST.number, stops), ("skipped", "1", 1)]
    coverage: list[tuple[Any, ...]] = pair.query(
        "select service_date, trips_told, trips_matched, trips_canceled, trips_unscheduled, trips_unmatched, "
        "stop_time_updates - stop_time_updates_matched from marts.mart_realtime_coverage"
    )
    trips = sum(1 for line in realtime.told_lines() for _ in realtime.told_trips(line))
    assert coverage == [(realtime.SERVICE_DATE, trips + 2, trips, 1, 1, 1, 2)]


def test_punctuality_is_the_share_of_the_known_delays(pair: Built) -> None:
    on_time: Counter[str] = Counter()
    observed: Counter[str] = Counter()
    for (trip_id, _), (status, late) in known().items():
        if status == "observed":
            route = f"BV-{trip_id.split('-')[0]}"
            observed[route] += 1
            on_time[route] += -90 <= late <= 210
    rows = pair.query(
        "select route_id, sum(observations), sum(observations * share_on_time) from marts.mart_punctuality "
        "where observations > 0 group by route_id"
    )
    assert {route: (count, round(share)) for route, count, share in rows} == {
        route: (count, on_time[route]) for route, count in observed.items()
    }
    assert len(observed) == 3
