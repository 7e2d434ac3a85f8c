"""What a feed contradicts of itself becomes findings, each with its first record in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.connectors.formats.test_gtfs import FEED, parse

STOPS = FEED["stops.txt"]
TIMES = FEED["stop_times.txt"]
# From Markt to Hafen it is 0.1 degrees each way: 11,119.5 m north and, at 51.55 N, 6,914.3 m east, together 13,094 m.
METRES_APART = 13_094


def found(tmp_path: Path, changes: dict[str, str]) -> dict[tuple[str, str], tuple[int, str]]:
    rows: list[dict[str, Any]] = parse(tmp_path, dict(changes)).rows("gtfs_finding")
    return {(row["code"], row["field"]): (row["records"], row["example"]) for row in rows}


def times(*rows: str) -> dict[str, str]:
    head = "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    return {"stop_times.txt": head + "".join(f"{row}\n" for row in rows)}


def test_a_plain_feed_has_none(tmp_path: Path) -> None:
    assert found(tmp_path, {}) == {}


@pytest.mark.parametrize(
    ("changes", "code", "field", "records", "words"),
    [
        (
            times("T,8:00:00,8:10:00,A,1", "T,8:09:59,8:30:00,B,2"),
            *("stop_time_with_arrival_before_previous_departure_time", "stop_times.arrival_time", 1),
            "record 2: T arrives at B 1 s before it left A",
        ),
        (
            times("T,8:00:00,8:00:00,A,1", "T,,,P,2", "T,7:00:00,7:00:00,B,3"),
            *("stop_time_with_arrival_before_previous_departure_time", "stop_times.arrival_time", 1),
            "record 3: T arrives at B 3600 s before it left A",
        ),
        (
            times("T,8:00:00,7:59:00,A,1", "T,9:00:00,9:00:00,B,2"),
            *("stop_time_with_arrival_after_departure_time", "stop_times.departure_time", 1),
            "record 1: T leaves A 60 s before it arrives",
        ),
        (
            times("T,,,A,1", "T,9:00:00,9:00:00,B,2"),
            *("missing_trip_edge", "stop_times.arrival_time", 1),
            "record 1: T has no time at its first or last stop A",
        ),
        (
            times("T,8:00:00,8:00:00,A,1", "T,9:00:00,9:00:00,P,2"),
            *("location_with_unexpected_stop_time", "stop_times.stop_id", 1),
            "record 2: T calls at P of location_type 1, which is no stop or platform",
        ),
        (
            times("T,8:00:00,8:00:00,A,1"),
            *("unusable_trip", "trips.trip_id", 1),
            "record 1: T has one stop time only",
        ),
        (
            times("T,8:00:00,8:00:00,A,1"),
            *("stop_without_stop_time", "stops.stop_id", 1),
            "record 3: B is served by no trip",
        ),
        (
            {"trips.txt": "trip_id,route_id,service_id\nT,R,S\nT2,R,S\nT3,R,S\n"},
            *("unused_trip", "trips.trip_id", 2),
            "record 2: T2 has no stop times",
        ),
        (
            {"trips.txt": "trip_id,route_id,service_id\nT,R9,S\n"},
            *("foreign_key_violation", "trips.route_id", 1),
            "record 1: R9 is in no record of routes.txt",
        ),
        (
            {"trips.txt": "trip_id,route_id,service_id\nT,R,S9\n"},
            *("foreign_key_violation", "trips.service_id", 1),
            "record 1: S9 is in no calendar",
        ),
        (
            {"stops.txt": STOPS.replace("1,\n", "1,\n", 1).replace("0,P", "0,Q")},
            *("foreign_key_violation", "stops.parent_station", 1),
            "record 2: Q is in no record of stops.txt",
        ),
        (
            {"stops.txt": STOPS.replace("0,P", "0,B")},
            *("wrong_parent_location_type", "stops.parent_station", 1),
            "record 2: A has the parent B of location_type 0",
        ),
        (
            {"stops.txt": STOPS + "E,Eingang,51.5,7.5,2,\n"},
            *("location_without_parent_station", "stops.parent_station", 1),
            "record 4: E of location_type 2 belongs to no station",
        ),
        (
            {"stops.txt": STOPS + "Z,Bahnhof,51.5,7.5,1,P\n"},
            *("station_with_parent_station", "stops.parent_station", 1),
            "record 4: Z is a station within P",
        ),
        (
            {"stops.txt": STOPS.replace("51.6,7.6", "0,0")},
            *("stop_without_location", "stops.stop_lat", 1),
            "record 3: B has no place on earth",
        ),
        (
            {"stops.txt": STOPS.replace("51.6,7.6", "7.6,51.6")},
            *("stop_outside_europe", "stops.stop_lat", 1),
            "record 3: B lies at 7.6, 51.6: latitude and longitude look exchanged",
        ),
        (
            {"stops.txt": STOPS.replace("51.6,7.6", "28.06,-82.41")},
            *("stop_outside_europe", "stops.stop_lat", 1),
            "record 3: B lies at 28.06, -82.41",
        ),
        (
            {"routes.txt": "route_id,agency_id,route_short_name,route_long_name,route_type\nR,1,,,3\n"},
            *("route_both_short_and_long_name_missing", "routes.route_short_name", 1),
            "record 1: R has neither name",
        ),
        (
            {"calendar.txt": FEED["calendar.txt"].replace("20241231", "20231231")},
            *("start_and_end_range_out_of_order", "calendar.start_date", 1),
            "record 1: S ends on 2023-12-31, before it starts on 2024-01-01",
        ),
        (
            {"frequencies.txt": "trip_id,start_time,end_time,headway_secs\nT,8:00:00,7:00:00,600\n"},
            *("start_and_end_range_out_of_order", "frequencies.start_time", 1),
            "record 1: T ends before it starts",
        ),
        (
            {"frequencies.txt": "trip_id,start_time,end_time,headway_secs\nT,8:00:00,9:00:00,9\nT,8:30:00,9:30:00,9\n"},
            *("overlapping_frequency", "frequencies.start_time", 1),
            "record 2: T is repeated by the former record as well",
        ),
        (
            {"stop_times.txt": TIMES.replace("B,2,1", "B,2,7")},
            *("unexpected_enum_value", "stop_times.pickup_type", 1),
            "record 2: 7, expected 0 to 3",
        ),
    ],
)  # fmt: skip
def test_a_contradiction_is_found_with_its_first_record(
    tmp_path: Path, changes: dict[str, str], code: str, field: str, records: int, words: str
) -> None:
    assert found(tmp_path, changes)[code, field] == (records, words)


@pytest.mark.parametrize(
    ("route_type", "ride", "is_fast"),
    [
        # 13.1 km in 5 min are 157 km/h, with the minute that rounding may hide 131: whole minutes get the benefit.
        ("3", "8:05:00", False),
        ("3", "8:05:01", True),
        ("3", "8:05:15", False),
        ("700", "8:04:00", True),
        ("2", "8:02:00", False),
        ("109", "8:01:01", True),
        ("0", "8:06:00", True),
        ("1700", "8:03:00", False),
        ("1700", "8:02:00", True),
    ],
)
def test_what_is_too_fast_depends_on_the_mode(tmp_path: Path, route_type: str, ride: str, is_fast: bool) -> None:
    head = "route_id,agency_id,route_short_name,route_long_name,route_type\n"
    feed = {
        "routes.txt": f"{head}R,1,R5,,{route_type}\n",
        **times("T,8:00:00,8:00:00,A,1", f"T,{ride},{ride},B,2"),
    }
    fast = found(tmp_path, feed).get(("fast_travel_between_consecutive_stops", "stop_times.arrival_time"))
    assert (fast is not None) is is_fast
    if fast is not None:
        assert f"goes {METRES_APART}.0 m from A to B" in fast[1]


def test_stops_between_that_have_no_time_do_not_hide_a_speed(tmp_path: Path) -> None:
    feed = {
        "stops.txt": STOPS + "M,Mitte,51.55,7.55,0,\n",
        **times("T,8:00:00,8:00:00,A,1", "T,,,M,2", "T,8:02:00,8:02:00,B,3"),
    }
    assert ("fast_travel_between_consecutive_stops", "stop_times.arrival_time") in found(tmp_path, feed)


def test_between_stops_of_which_one_has_no_place_nothing_is_fast(tmp_path: Path) -> None:
    feed = {
        "stops.txt": STOPS.replace("51.6,7.6", "0,0"),
        **times("T,8:00:00,8:00:00,A,1", "T,8:01:00,8:01:00,B,2"),
    }
    assert {code for code, _ in found(tmp_path, feed)} == {"stop_without_location"}


@pytest.mark.parametrize(
    ("middle", "records"),
    [
        ("51.55,7.55", 0),
        # 177.9 m and 200.2 m north of the line, which has 6,914 of 13,094 m east: 93.9 m and 105.7 m beside it.
        ("51.5516,7.55", 0),
        ("51.5518,7.55", 1),
    ],
)
def test_a_stop_may_lie_a_hundred_metres_from_its_line(tmp_path: Path, middle: str, records: int) -> None:
    feed = {
        "stops.txt": STOPS + f"M,Mitte,{middle},0,\n",
        "trips.txt": "trip_id,route_id,service_id,shape_id\nT,R,S,L\n",
        "shapes.txt": "shape_id,shape_pt_sequence,shape_pt_lat,shape_pt_lon\nL,2,51.6,7.6\nL,1,51.5,7.5\n",
        **times("T,8:00:00,8:00:00,A,1", "T,8:10:00,8:10:00,M,2", "T,8:20:00,8:20:00,B,3"),
    }
    away = found(tmp_path, feed).get(("stop_too_far_from_shape", "stops.stop_lat"))
    assert (away[0] if away else 0) == records
