"""The traps of real timetables (../shared/traps.md, Transit), each met by a feed of its own making."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connectors.formats.gtfs_modes import mode_sql
from muensterland.sample.geography import BY_AGS
from tests.dbt_project.conftest import Built
from tests.transit.random_feed import random_feed, read
from tests.transit.world import Feed, World, feed_source, table

pytestmark = pytest.mark.long(1)

MUENSTER, AHAUS, WARENDORF = (BY_AGS[ags] for ags in ("05515000", "05554004", "05570052"))
ENSCHEDE = (6.8937, 52.2215)
AGENCY = table(
    "agency_id,agency_name,agency_url,agency_timezone", [["a", "Stadtbus", "http://bus.example", "Europe/Berlin"]]
)
STOPS = "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station"
TIMES = "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type"
WEEK = "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date"
DATES = "service_id,date,exception_type"
TRIPS = "route_id,service_id,trip_id"
ROUTES = "route_id,agency_id,route_short_name,route_type"
FREQUENCIES = "trip_id,start_time,end_time,headway_secs,exact_times"


def at(place: Any, north_m: float = 0) -> tuple[float, float]:
    """Latitude and longitude of a municipality's centre, or so many metres north of it."""
    return round(place.latitude + north_m / 111_195, 6), place.longitude


def feed(**files: str | None) -> Feed:
    """A bus from Markt (Münster) to Ahaus at 8 and 9 every day of November 2026, changed file by file."""
    plain = {
        "agency": AGENCY,
        "stops": table(STOPS, [["M", "Markt", *at(MUENSTER), "", ""], ["A", "Ahaus Bf", *at(AHAUS), "", ""]]),
        "routes": table(ROUTES, [["R", "a", "R5", 3]]),
        "trips": table(TRIPS, [["R", "S", "T8"], ["R", "S", "T9"]]),
        "stop_times": table(
            TIMES,
            [
                *(["T8", "08:00:00", "08:00:00", "M", 1, ""], ["T8", "08:50:00", "08:50:00", "A", 2, ""]),
                *(["T9", "09:00:00", "09:00:00", "M", 1, ""], ["T9", "09:50:00", "09:50:00", "A", 2, ""]),
            ],
        ),
        "calendar": table(WEEK, [["S", *"1111111", "20261101", "20261130"]]),
    }
    return {f"{name}.txt": text for name, text in {**plain, **files}.items() if text is not None}


def trip(name: str, *calls: tuple[str, str]) -> list[list[object]]:
    return [[name, time, time, stop, number, ""] for number, (time, stop) in enumerate(calls, 1)]


# -- one region with a feed per trap, built once ---------------------------------------------------------------------

DAY = date(2026, 11, 10)
FEEDS: dict[str, Feed] = {
    "past-midnight": feed(
        stops=table(STOPS, [["pM", "Nacht", *at(MUENSTER), "", ""], ["pA", "Morgen", *at(AHAUS), "", ""]]),
        routes=table(ROUTES, [["R", "a", "N1", 3]]),
        trips=table(TRIPS, [["R", "S", "T"]]),
        stop_times=table(TIMES, trip("T", ("25:10:00", "pM"), ("26:00:00", "pA"))),
    ),
    "only-dates": feed(
        stops=table(STOPS, [["dW", "Ems 1", *at(WARENDORF), "", ""], ["dX", "Ems 2", *at(WARENDORF, 300), "", ""]]),
        routes=table(ROUTES, [["R", "a", "W1", 3]]),
        trips=table(TRIPS, [["R", "S", "T"]]),
        stop_times=table(TIMES, trip("T", ("07:00:00", "dW"), ("07:05:00", "dX"))),
        calendar=None,
        calendar_dates=table(DATES, [["S", "20261110", 1], ["S", "20261112", 1]]),
    ),
    "overridden": feed(
        stops=table(STOPS, [["oW", "Feld", *at(WARENDORF), "", ""], ["oX", "Wald", *at(WARENDORF, 300), "", ""]]),
        routes=table(ROUTES, [["R", "a", "W2", 3]]),
        trips=table(TRIPS, [["R", "S", "T"]]),
        stop_times=table(TIMES, trip("T", ("07:00:00", "oW"), ("07:05:00", "oX"))),
        calendar_dates=table(DATES, [["S", "20261110", 2], ["S", "20261205", 1]]),
    ),
    "frequent": feed(
        stops=table(STOPS, [["fM", "Kreis A", *at(MUENSTER), "", ""], ["fN", "Kreis B", *at(MUENSTER, 400), "", ""]]),
        routes=table(ROUTES, [["R", "a", "F", 3]]),
        trips=table(TRIPS, [["R", "S", "loose"], ["R", "S", "exact"]]),
        stop_times=table(
            TIMES,
            [
                *trip("loose", ("00:00:00", "fM"), ("00:03:00", "fN")),
                *trip("exact", ("00:00:00", "fM"), ("00:03:00", "fN")),
            ],
        ),
        # 6:00 to 6:50 every 10 min are 6 (7:00 is past the end); 8:00 and 8:20 are 2.
        frequencies=table(
            FREQUENCIES, [["loose", "6:00:00", "7:00:00", 600, 0], ["exact", "8:00:00", "8:40:00", 1200, 1]]
        ),
    ),
    "looping": feed(
        stops=table(STOPS, [["lM", "Ring 1", *at(MUENSTER), "", ""], ["lN", "Ring 2", *at(MUENSTER, 400), "", ""]]),
        routes=table(ROUTES, [["R", "a", "Ring", 3]]),
        trips=table(TRIPS, [["R", "S", "T"]]),
        stop_times=table(TIMES, trip("T", ("10:00:00", "lM"), ("10:03:00", "lN"), ("10:06:00", "lM"))),
    ),
    "cross-border": feed(
        stops=table(
            STOPS, [["nl:1", "Enschede CS", ENSCHEDE[1], ENSCHEDE[0], "", ""], ["cA", "Ahaus West", *at(AHAUS), "", ""]]
        ),
        routes=table(ROUTES, [["R", "a", "RB64", 109]]),
        trips=table(TRIPS, [["R", "S", "T"]]),
        stop_times=table(
            TIMES,
            trip("T", ("06:00:00", "nl:1"), ("06:30:00", "cA"), ("06:40:00", "nl:1")),
        ),
    ),
    "broken-references": feed(
        stops=table(
            STOPS,
            [
                ["bM", "Alte Burg", *at(MUENSTER), "", ""],
                ["bN", "Neue Burg", *at(MUENSTER, 400), "", ""],
                ["bM", "Burg zum zweiten", *at(AHAUS), "", ""],
                ["bS", "Burg", *at(MUENSTER), 1, ""],
                ["bE", "Burg Eingang", *at(MUENSTER), 2, "bS"],
                ["b0", "Nirgends", 0, 0, "", ""],
            ],
        ),
        routes=table(ROUTES, [["R", "a", "B", 3]]),
        trips=table(TRIPS, [["R", "S", "T"]]),
        stop_times=table(
            TIMES,
            [
                ["T", "07:00:00", "07:00:00", "bM", 1, ""],
                ["T", "07:01:00", "07:01:00", "", 2, ""],
                ["T", "07:02:00", "07:02:00", "gone", 3, ""],
                ["T", "07:03:00", "07:03:00", "bE", 4, ""],
                ["T", "07:04:00", "07:04:00", "b0", 5, ""],
                ["T", "07:05:00", "07:05:00", "bN", 6, ""],
            ],
        ),
    ),
    # The national feed tells the same bus, with DHIDs, an agency twice, another spelling, 40 seconds of rounding.
    "city": feed(
        stops=table(STOPS, [["100", "Domplatz", *at(MUENSTER), "", ""], ["200", "Schlossstraße", *at(AHAUS), "", ""]]),
        routes=table(ROUTES, [["R", "a", "R 73", 3]]),
        trips=table(TRIPS, [["R", "S", "C"]]),
        stop_times=table(TIMES, trip("C", ("11:00:40", "100"), ("11:50:00", "200"))),
    ),
    "national": feed(
        agency=AGENCY + "b,Stadtbus,http://bus.example,Europe/Berlin\nb,Stadtbus,http://bus.example,Europe/Berlin\n",
        stops=table(
            STOPS,
            [
                ["de:05515:7:0:1_G", "Münster, Domplatz", *at(MUENSTER, 200), "", ""],
                ["de:05515:7:0:2_G", "Münster, Domplatz", *at(MUENSTER, 220), "", ""],
                ["de:05554:9", "Ahaus, Schlossstr.", *at(AHAUS), 1, ""],
                ["de:05554:9:1:1", "Ahaus, Schlossstr.", *at(AHAUS, 30), "", "de:05554:9"],
            ],
        ),
        routes=table(ROUTES, [["17", "b", "R73", 700]]),
        trips=table(TRIPS, [["17", "S", "X_G"], ["17", "S", "own"]]),
        stop_times=table(
            TIMES,
            [
                *trip("X_G", ("11:00:00", "de:05515:7:0:1_G"), ("11:50:00", "de:05554:9:1:1")),
                *trip("own", ("12:00:00", "de:05515:7:0:2_G"), ("12:50:00", "de:05554:9:1:1")),
            ],
        ),
    ),
}  # fmt: skip
PRIORITIES = {"city": 10, "national": 30}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    world = World(tmp_path_factory.mktemp("traps"))
    for source_id, files in FEEDS.items():
        # A cell in five may be broken here; nobody's feed is.
        world.land(feed_source(source_id, priority=PRIORITIES.get(source_id, 50), limit=0.6), files)
    return world.built()


def departures(built: Built, feed: str, day: date = DAY) -> dict[str, tuple[int, int]]:
    """Visits and departures by stop."""
    rows = built.query(
        f"select stop_id, visits, departures from marts.fct_departure_day "
        f"where source_id = '{feed}' and service_date = '{day}'"
    )
    return {stop: (visits, departs) for stop, visits, departs in rows}


def findings(built: Built, feed: str) -> dict[tuple[str, str], tuple[int, str]]:
    rows = built.query(f"select code, field, count, example from marts.mart_feed_finding where feed = '{feed}'")
    return {(code, field): (count, example) for code, field, count, example in rows}


def test_times_past_24_belong_to_the_service_day_before(built: Built) -> None:
    rows = built.query(
        "select stop_id, first_departure_s from marts.fct_departure_day "
        f"where source_id = 'past-midnight' and service_date = '{DAY}' and departures > 0"
    )
    assert rows == [("pM", 25 * 3600 + 600)]
    last = built.query(
        f"select last_departure_local from marts.mart_transit_supply where ags = '05515000' and service_date = '{DAY}'"
    )
    assert [f"{moment:%Y-%m-%d %H:%M}" for (moment,) in last] == ["2026-11-11 01:10"]


def test_services_only_in_calendar_dates(built: Built) -> None:
    days = built.query(
        "select distinct service_date from marts.fct_departure_day where source_id = 'only-dates' order by 1"
    )
    assert days == [(date(2026, 11, 10),), (date(2026, 11, 12),)]


def test_calendar_present_and_overridden(built: Built) -> None:
    days = {day for (day,) in built.query(
        "select distinct service_date from marts.fct_departure_day where source_id = 'overridden'"
    )}  # fmt: skip
    assert days == {date(2026, 11, n) for n in range(1, 31)} - {DAY} | {date(2026, 12, 5)}


def test_frequencies_make_departures_that_no_stop_time_lists(built: Built) -> None:
    assert departures(built, "frequent") == {"fM": (2, 8), "fN": (2, 0)}


def test_a_stop_repeated_in_a_trip_is_visited_twice(built: Built) -> None:
    assert departures(built, "looping") == {"lM": (2, 1), "lN": (1, 1)}


def test_the_same_trip_of_operator_and_collector_counts_once_with_its_reason(built: Built) -> None:
    rows = built.query(
        "select source_id, trip_id, told_by_trip_id, silent_dates, deduplication_reason from marts.mart_trip_overlap"
    )
    assert rows == [
        (
            *("national", "X_G", "C", 30),
            "same line and stops, calls at most 40 s apart; told by city with priority 10",
        )
    ]
    # Of the collector's feed only its own trip at 12 departs in Münster and counts beside the operator's at 11.
    supplied = built.query(
        "select hour, departures from marts.mart_transit_supply_daytype "
        "where ags = '05515000' and day_type = 'school_day' and hour in (11, 12) order by 1"
    )
    assert supplied == [(11, 1), (12, 1)]


def test_stops_of_several_feeds_are_one_by_dhid_else_by_name_and_distance(built: Built) -> None:
    rows = built.query(
        "select source_id, stop_id, merged_stop_id, merge_rule, merged_with_source_id, merge_distance_m "
        "from marts.dim_stop where source_id in ('city', 'national') order by 1, 2"
    )
    assert rows == [
        # The mean of two platforms 200 and 220 m north lies 210 m away; a station with its platform 15 m.
        ("city", "100", "de:05515:7", "name_and_distance", "national", pytest.approx(200, abs=0.2)),
        ("city", "200", "de:05554:9", "name_and_distance", "national", pytest.approx(15, abs=0.2)),
        ("national", "de:05515:7:0:1_G", "de:05515:7", "dhid", None, None),
        ("national", "de:05515:7:0:2_G", "de:05515:7", "dhid", None, None),
        ("national", "de:05554:9", "de:05554:9", "dhid", None, None),
        ("national", "de:05554:9:1:1", "de:05554:9", "dhid", None, None),
    ]


def test_an_agency_that_appears_twice_is_rejected_and_said(built: Built) -> None:
    assert findings(built, "national")["duplicate_key", "agency.agency_id"] == (1, "record 3: repeated key: b")


def test_stop_times_without_a_stop_or_with_an_unknown_one_are_rejected_and_said(built: Built) -> None:
    found = findings(built, "broken-references")
    assert found["missing_required_field", "stop_times.stop_id"] == (1, "record 2: no stop_id: ")
    assert found["foreign_key_violation", "stop_times.stop_id"] == (1, "record 3: unknown stop_id: gone")
    assert departures(built, "broken-references") == {"bM": (1, 1), "bE": (1, 1), "b0": (1, 1), "bN": (1, 0)}


def test_a_stop_time_at_an_entrance_is_said(built: Built) -> None:
    found = findings(built, "broken-references")
    assert found["location_with_unexpected_stop_time", "stop_times.stop_id"][0] == 1


def test_the_same_stop_id_twice_keeps_the_first(built: Built) -> None:
    assert findings(built, "broken-references")["duplicate_key", "stops.stop_id"] == (1, "record 3: repeated key: bM")
    assert built.query("select stop_name from marts.dim_stop where stop_id = 'bM'") == [("Alte Burg",)]


def test_coordinates_0_0_are_no_place(built: Built) -> None:
    assert built.query("select longitude, latitude, ags from marts.dim_stop where stop_id = 'b0'") == [
        (None, None, None)
    ]
    assert findings(built, "broken-references")["stop_without_location", "stops.stop_lat"][0] == 1


def test_a_cross_border_trip_stays_with_its_stop_abroad(built: Built) -> None:
    assert departures(built, "cross-border") == {"nl:1": (2, 1), "cA": (1, 1)}
    assert built.query("select ags from marts.dim_stop where stop_id = 'nl:1'") == [(None,)]
    assert built.query("select ags from marts.dim_stop where stop_id = 'cA'") == [("05554004",)]


def test_a_typical_weekday_names_its_date(built: Built) -> None:
    """Of the school days from Tuesday to Thursday the one on which most feeds run: on the 10th one is taken out, on the
    12th one more runs than on any day to come."""
    rows = built.query("select distinct day_type, service_date from marts.mart_transit_operating_hours order by 1")
    assert ("school_day", date(2026, 11, 12)) in rows
    corpus_christi, all_saints = date(2026, 6, 4), date(2026, 11, 1)
    types = built.query(f"select date, day_type from marts.dim_date where date in ('{corpus_christi}', '{all_saints}')")
    assert sorted(types) == [(corpus_christi, "sunday_or_public_holiday"), (all_saints, "sunday_or_public_holiday")]


# -- extended route types --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("route_type", "mode"),
    [
        *((0, "tram"), (1, "subway"), (2, "rail"), (3, "bus"), (4, "ferry"), (7, "funicular"), (11, "trolleybus")),
        *((100, "rail"), (109, "rail"), (200, "coach"), (402, "subway"), (405, "monorail"), (700, "bus"), (702, "bus")),
        *((715, "bus"), (717, "taxi"), (800, "trolleybus"), (900, "tram"), (1000, "ferry"), (1200, "ferry")),
        *((1300, "aerial_lift"), (1400, "funicular"), (1501, "taxi"), (1700, "other"), (9, "other")),
    ],
)
def test_extended_route_types_have_a_mode(route_type: int, mode: str) -> None:
    assert duckdb.sql(f"select {mode_sql(str(route_type))}").fetchall() == [(mode,)]


# -- hollow feeds and versions ---------------------------------------------------------------------------------------


def _minute(trip_id: str) -> str:
    """A departure of its own for A0, A1 …: from 6:00 on every minute."""
    return f"{6 + int(trip_id[1:]) // 60:02}:{int(trip_id[1:]) % 60:02}:00"


def two_kreise(borken: int, warendorf: int, name: str = "Landbus", second: str | None = None) -> Feed:
    """Trips of an agency (and of a second one) within Ahaus and within Warendorf."""
    stops = [
        ["A1", "Ahaus 1", *at(AHAUS), "", ""],
        ["A2", "Ahaus 2", *at(AHAUS, 500), "", ""],
        ["W1", "Warendorf 1", *at(WARENDORF), "", ""],
        ["W2", "Warendorf 2", *at(WARENDORF, 500), "", ""],
    ]
    trips = [["R", "S", f"A{number}"] for number in range(borken)] + [
        ["R", "S", f"W{number}"] for number in range(warendorf)
    ]
    times = [row for _, _, one in trips for row in trip(one, (_minute(one), f"{one[0]}1"), ("23:30:00", f"{one[0]}2"))]
    agencies = [["a", name, "http://bus.example", "Europe/Berlin"]]
    routes = [["R", "a", "1", 3]]
    if second is not None:
        agencies.append(["b", second, "http://bus.example", "Europe/Berlin"])
        routes.append(["Q", "b", "2", 3])
        trips += [["Q", "S", f"Q{number}"] for number in range(40)]
        times += [row for number in range(40) for row in trip(f"Q{number}", ("09:00:00", "A1"), ("09:10:00", "A2"))]
    return feed(
        agency=table("agency_id,agency_name,agency_url,agency_timezone", agencies),
        stops=table(STOPS, stops),
        routes=table(ROUTES, routes),
        trips=table(TRIPS, trips),
        stop_times=table(TIMES, times),
    )


GUARDED = {"guards": {"record_ratio": "off", "size_ratio": "off", "measure_ratio": {"min": 0.7}}}


@pytest.mark.parametrize(
    ("later", "words"),
    [
        (two_kreise(200, 70), None),
        (
            two_kreise(200, 5),
            "5 trips of Landbus, Kreis 05570, the former snapshot has 100: 0.05 times as many, "
            "measure_ratio.min allows no less than 0.7",
        ),
        (two_kreise(141, 69), "69 trips of Landbus, Kreis 05570, the former snapshot has 100"),
    ],
)
def test_a_feed_that_lost_trips_in_one_kreis_is_stopped_and_the_former_stays(
    tmp_path: Path, later: Feed, words: str | None
) -> None:
    world = World(tmp_path)
    source = feed_source("land", **GUARDED)
    world.land(source, two_kreise(200, 100))
    summary = world.land(source, later)
    assert summary.refused == (0 if words is None else 1)
    if words is not None:
        assert words in summary.errors[0]
        assert summary.errors[0].endswith("the former snapshot stays in force")


def test_all_lines_of_one_operator_gone_stop_the_feed(tmp_path: Path) -> None:
    world = World(tmp_path)
    source = feed_source("land", **GUARDED)
    world.land(source, two_kreise(200, 100, second="Zweitbus"))
    summary = world.land(source, two_kreise(240, 100))
    assert "0 trips of Zweitbus, Kreis 05554, the former snapshot has 40" in summary.errors[0]


def test_a_kreis_whose_stop_times_went_while_its_trips_stay_stops_the_feed(tmp_path: Path) -> None:
    world = World(tmp_path)
    source = feed_source("land", **GUARDED)
    whole = two_kreise(10, 100)
    times = whole["stop_times.txt"].splitlines(keepends=True)
    hollow = {
        **whole,
        "stop_times.txt": "".join(line for line in times if not (line.startswith("W") and ",W2," in line)),
    }
    world.land(source, whole)
    assert "100 stop_times of Landbus, Kreis 05570, the former snapshot has 200" in world.land(source, hollow).errors[0]


# Feeds that changed: what is in force of them, built once.


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Built:
    world = World(tmp_path_factory.mktemp("changed"))
    stopped = feed_source("stopped", **GUARDED)
    world.land(stopped, two_kreise(200, 100))
    world.land(stopped, two_kreise(200, 5))
    empty = feed_source("empty")
    world.land(empty, feed())
    summary = world.land(empty, feed(stop_times=None))
    assert "has no stop_times.txt; a GTFS feed must have it" in summary.errors[0]
    info = "feed_publisher_name,feed_start_date,feed_end_date"
    versions = feed_source("versions", versions=2)
    eight, nine = (trip(f"T{n}", (f"0{n}:00:00", "vM"), (f"0{n}:50:00", "vA")) for n in (8, 9))
    line = {
        "stops": table(STOPS, [["vM", "Torhaus", *at(MUENSTER), "", ""], ["vA", "Zollhaus", *at(AHAUS), "", ""]]),
        "routes": table(ROUTES, [["R", "a", "V", 3]]),
    }
    now = feed(
        **line, stop_times=table(TIMES, [*eight, *nine]), feed_info=table(info, [["Stadt", "20261101", "20261130"]])
    )
    world.land(versions, now)
    later = feed(
        **line,
        trips=table(TRIPS, [["R", "S", "T8"]]),
        stop_times=table(TIMES, eight),
        calendar=table(WEEK, [["S", *"1111111", "20261116", "20261213"]]),
        feed_info=table(info, [["Stadt", "20261116", "20261213"]]),
    )
    world.land(versions, later)
    same = feed_source("same", versions=2)
    world.land(same, random_feed(7))
    world.land(same, random_feed(7))
    return world.built()


def test_a_stopped_feed_is_told_as_such_and_the_former_one_speaks(changed: Built) -> None:
    health = changed.query(
        "select trips, former_trips, versions, status from marts.mart_feed_health where feed = 'stopped'"
    )
    assert health == [(300, None, 1, "stopped")]
    hollow = changed.query(
        "select severity, field from marts.mart_feed_finding where feed = 'stopped' and code = 'hollow' order by field"
    )
    assert hollow == [
        ("critical", "stop_times of Landbus, Kreis 05570"),
        ("critical", "trips of Landbus, Kreis 05570"),
        ("critical", "trips of the feed"),
    ]
    rows = f"select sum(departures) from marts.fct_departure_day where source_id = 'stopped' and service_date = '{DAY}'"
    assert changed.query(rows) == [(300,)]


def test_a_feed_without_stop_times_is_refused_with_that_reason(changed: Built) -> None:
    _, example = findings(changed, "empty")["missing_required_file", "stop_times.txt"]
    assert "has no stop_times.txt" in example
    assert departures(changed, "empty") == {"M": (2, 2), "A": (2, 0)}


def test_feeds_of_one_operator_overlap_in_time_and_per_date_one_version_speaks(changed: Built) -> None:
    """The former one ends on 30 November, the next begins on the 16th."""
    days = dict(changed.query("select service_date, departures from marts.fct_departure_day where stop_id = 'vM'"))
    assert days == {
        **{date(2026, 11, n): 2 for n in range(1, 16)},
        **{date(2026, 11, n): 1 for n in range(16, 31)},
        **{date(2026, 12, n): 1 for n in range(1, 14)},
    }
    versions = changed.query(
        "select is_newest, first_speaking_date, last_speaking_date, speaking_dates "
        "from marts.dim_feed_version where feed = 'versions' order by 2"
    )
    assert versions == [
        (False, date(2026, 11, 1), date(2026, 11, 15), 15),
        (True, date(2026, 11, 16), date(2026, 12, 13), 28),
    ]


def test_the_same_feed_landing_twice_is_one_version_and_changes_no_count(changed: Built) -> None:
    told = changed.query("select stop_id, service_date, visits from marts.fct_departure_day where source_id = 'same'")
    assert {(stop, day): visits for stop, day, visits in told} == read(random_feed(7)).visits
    assert changed.query("select count(*) from marts.dim_feed_version where feed = 'same'") == [(1,)]
