"""Three GTFS feeds of the invented timetable, each with the habits of its publisher; two of them overlap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from muensterland.sample.geography import Point, to_degrees
from muensterland.sample.packing import lines, zipped
from muensterland.sample.timetable import (
    PERIOD,
    SERVICES,
    Line,
    Service,
    Stop,
    Trip,
    city_lines,
    cross_border_line,
    days,
    loop_line,
    outside_lines,
    rail_lines,
    regional_lines,
    runs,
    trips,
)

OPERATOR = "api.busradar.conterra.de/data/stadtwerke_feed.zip"
NATIONAL_LOCAL = "download.gtfs.de/germany/nv_free/latest.zip"
NATIONAL_RAIL = "download.gtfs.de/germany/rv_free/latest.zip"

OPERATOR_NAME = "Beispielverkehr Münster (synthetisch)"
# A stop_time of the national feed points here; no stop has this id.
UNKNOWN_STOP_ID = "de:05566:99999:1:A"
# The stop whose name carries a backspace in the national feed.
STOP_WITH_CONTROL_BYTE = 20_002
PLATFORM_OFFSET_M = 10.0

Rows = list[list[str]]


@dataclass(frozen=True)
class Ids:
    """How a feed calls its things."""

    station: Callable[[Stop], str]
    platform: Callable[[Stop, int], str]
    route: Callable[[Line], str]
    trip: Callable[[Trip], str]
    service: dict[Service, str]


def files() -> dict[str, bytes]:
    """The three feeds by publisher's address."""
    return {OPERATOR: operator_feed(), NATIONAL_LOCAL: national_feed(), NATIONAL_RAIL: rail_feed()}


# -- the operator's feed: BOM, CRLF, ids of its own, services only in calendar_dates.txt ----------------------------

OPERATOR_IDS = Ids(
    station=lambda stop: f"{stop.number}P",
    platform=lambda stop, direction: f"{stop.number}{direction + 1}",
    route=lambda line: f"BV-{line.number}",
    trip=lambda trip: f"{trip.line.number}-{trip.service}-{trip.number}-{trip.direction}",
    service={"weekday": "MoFr", "school": "MoFr-Schule", "saturday": "Sa", "sunday": "So"},
)


def operator_feed() -> bytes:
    """The city lines as their operator publishes them."""
    ids = OPERATOR_IDS
    all_trips = [trip for line in city_lines() for trip in trips(line)]
    services = sorted({trip.service for trip in all_trips})
    tables: dict[str, Rows] = {
        "agency.txt": [
            ["agency_id", "agency_name", "agency_url", "agency_timezone", "agency_lang"],
            ["1", OPERATOR_NAME, "https://beispielverkehr.example", "Europe/Berlin", "de"],
        ],
        "calendar_dates.txt": [
            ["service_id", "date", "exception_type"],
            *([ids.service[service], _day(day), "1"] for service in services for day in days() if runs(service, day)),
        ],
        "feed_info.txt": _feed_info(OPERATOR_NAME, "2026-10-01-synthetisch"),
        "routes.txt": [
            ["route_id", "agency_id", "route_short_name", "route_long_name", "route_type"],
            *([ids.route(line), "1", line.number, line.name, "3"] for line in city_lines()),
        ],
        "stop_times.txt": [
            ["trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence", "pickup_type", "drop_off_type"],
            *([*row, "0", "0"] for row in _stop_times(all_trips, ids)),
        ],
        "stops.txt": [
            [
                *("stop_id", "stop_code", "stop_name", "stop_lat", "stop_lon", "location_type", "parent_station"),
                *("wheelchair_boarding", "platform_code"),
            ],
            *_operator_stops(city_lines(), ids),
        ],
        "trips.txt": [
            ["route_id", "service_id", "trip_id", "trip_headsign", "direction_id"],
            *(_trip(trip, ids) for trip in all_trips),
        ],
    }
    return zipped({name: lines(rows, line_end="\r\n").encode("utf-8-sig") for name, rows in tables.items()})


def _operator_stops(of_lines: Iterable[Line], ids: Ids) -> Iterator[list[str]]:
    """Platforms say nothing of wheelchairs, so that their station speaks; one in five says that it has no way in."""
    for stop in _stops(of_lines):
        boarding = "2" if stop.number % 7 == 0 else "0" if stop.number % 3 == 0 else "1"
        yield [ids.station(stop), "", stop.name, *_coordinates(stop.place), "1", "", boarding, ""]
        for direction, code in enumerate("AB"):
            place = _coordinates(_platform_place(stop, direction))
            row = [ids.platform(stop, direction), str(stop.number), stop.name, *place, "0", ids.station(stop)]
            yield [*row, "2" if direction and stop.number % 5 == 0 else "", code]


# -- the national feed of local traffic: nested folder, DHIDs, calendar with exceptions, frequencies ---------------


def national_feed() -> bytes:
    """Local traffic of the whole country as an aggregator publishes it; repeats two of the operator's lines."""
    ids = _dhid_ids("nv")
    agencies = {
        "bv-1": (OPERATOR_NAME, city_lines()[:2]),
        "rb-2": ("Regionalbus Beispielland (synthetisch)", (*regional_lines(), loop_line())),
        "sn-3": ("Stadtbus Nachbarstadt (synthetisch)", outside_lines()),
        "gv-4": ("Grensbus Voorbeeld (synthetisch)", (cross_border_line(),)),
    }
    all_lines = [line for _, of_agency in agencies.values() for line in of_agency]
    all_trips = [trip for line in all_lines for trip in trips(line)]
    template = next(trips(loop_line()))
    tables: dict[str, Rows] = {
        "agency.txt": [
            ["agency_id", "agency_name", "agency_url", "agency_timezone", "agency_lang"],
            *([key, name, "https://beispiel.example", "Europe/Berlin", "de"] for key, (name, _) in agencies.items()),
        ],
        "calendar.txt": _calendar(ids),
        "calendar_dates.txt": _calendar_dates(ids),
        "feed_info.txt": _feed_info("Beispielsammler (synthetisch)", "light-2026-10-01-synthetisch"),
        "frequencies.txt": [
            ["trip_id", "start_time", "end_time", "headway_secs", "exact_times"],
            [ids.trip(template), "06:00:00", "20:00:00", "1800", "0"],
        ],
        "routes.txt": [
            ["route_long_name", "route_short_name", "agency_id", "route_type", "route_id"],
            *(
                [line.name, line.number, agency, str(700 if line.route_type == 3 else line.route_type), ids.route(line)]
                for agency, (_, of_agency) in agencies.items()
                for line in of_agency
            ),
        ],
        "stop_times.txt": _national_stop_times(all_trips, ids),
        "stops.txt": [
            [
                *("stop_id", "stop_code", "stop_name", "stop_lat", "stop_lon", "location_type", "parent_station"),
                *("wheelchair_boarding", "platform_code"),
            ],
            *_national_stops(all_lines, ids),
        ],
        "trips.txt": [
            ["route_id", "service_id", "trip_id", "trip_headsign", "direction_id"],
            *(_trip(trip, ids) for trip in all_trips),
        ],
    }
    members = {f"nv_free/{name}": lines(rows).encode() for name, rows in tables.items()}
    return zipped({**members, "__MACOSX/nv_free/._stops.txt": b"\x00\x05\x16\x07"})


def _national_stops(of_lines: Iterable[Line], ids: Ids) -> Iterator[list[str]]:
    for stop in _stops(of_lines):
        name = stop.name.replace(",", "\b,") if stop.number == STOP_WITH_CONTROL_BYTE else stop.name
        yield [ids.station(stop), "", name, *_coordinates(stop.place), "1", "", "", ""]
        for direction, code in enumerate("AB"):
            place = _coordinates(_platform_place(stop, direction))
            yield [ids.platform(stop, direction), "", name, *place, "0", ids.station(stop), "1", code]
    hub = city_lines()[0].stops[5]
    yield [f"{ids.station(hub)}_E", "", f"{hub.name} Eingang", *_coordinates(hub.place), "2", ids.station(hub), "", ""]


def _national_stop_times(all_trips: Sequence[Trip], ids: Ids) -> Rows:
    """With calls for alighting only on express lines, and one call at a stop that is not in stops.txt."""
    step = 10
    alight_only = {
        (ids.trip(trip), str(step * (len(trip.visits) - 2)))
        for trip in all_trips
        if trip.line.route_type == 702 and trip.direction == 0
    }
    rows = [["trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence", "pickup_type", "drop_off_type"]]
    for row in _stop_times(all_trips, ids, step):
        rows.append([*row, "1" if (row[0], row[4]) in alight_only else "0", "0"])
    first_regional = next(trip for trip in all_trips if trip.line == regional_lines()[0])
    at = next(number for number, row in enumerate(rows) if row[0] == ids.trip(first_regional)) + 1
    before = rows[at - 1]
    rows.insert(at, [before[0], before[2], before[2], UNKNOWN_STOP_ID, str(step // 2), "0", "0"])
    return rows


def _calendar(ids: Ids) -> Rows:
    weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    first, last = PERIOD
    return [
        [*weekdays, "start_date", "end_date", "service_id"],
        *(
            [*("1" if number in _pattern(service) else "0" for number in range(7)), _day(first), _day(last), name]
            for service, name in ids.service.items()
        ),
    ]


def _calendar_dates(ids: Ids) -> Rows:
    """Exceptions where a day runs otherwise than its weekday: 1 added, 2 removed."""
    rows = [["service_id", "exception_type", "date"]]
    for service, name in ids.service.items():
        for day in days():
            planned = day.weekday() in _pattern(service)
            if runs(service, day) != planned:
                rows.append([name, "2" if planned else "1", _day(day)])
    return rows


def _pattern(service: Service) -> tuple[int, ...]:
    return {"saturday": (5,), "sunday": (6,)}.get(service, (0, 1, 2, 3, 4))


# -- the national feed of regional rail: other column order, a column nobody declared, hours without leading zero ---


def rail_feed() -> bytes:
    """Regional rail of the whole country, from the same aggregator."""
    ids = _dhid_ids("rv")
    all_trips = [trip for line in rail_lines() for trip in trips(line)]
    tables: dict[str, Rows] = {
        "agency.txt": [
            ["agency_timezone", "agency_url", "agency_name", "agency_id"],
            ["Europe/Berlin", "https://musterbahn.example", "Musterbahn (synthetisch)", "mb"],
        ],
        "calendar.txt": _calendar(ids),
        "calendar_dates.txt": _calendar_dates(ids),
        "feed_info.txt": _feed_info("Beispielsammler (synthetisch)", "rail-2026-10-01-synthetisch"),
        "routes.txt": [
            ["route_type", "route_long_name", "route_short_name", "route_id", "agency_id"],
            *([str(line.route_type), line.name, line.number, ids.route(line), "mb"] for line in rail_lines()),
        ],
        "stop_times.txt": [
            ["stop_sequence", "stop_id", "departure_time", "arrival_time", "trip_id"],
            *(
                [sequence, stop, departure.removeprefix("0"), arrival.removeprefix("0"), trip]
                for trip, arrival, departure, stop, sequence in _stop_times(all_trips, ids)
            ),
        ],
        "stops.txt": [
            [
                *("stop_lon", "stop_lat", "stop_name", "stop_id", "parent_station", "location_type"),
                "synthetic_quality",
            ],
            *_rail_stops(rail_lines(), ids),
        ],
        "trips.txt": [
            ["direction_id", "trip_headsign", "trip_id", "service_id", "route_id"],
            *(_trip(trip, ids)[::-1] for trip in all_trips),
        ],
    }
    return zipped({name: lines(rows).encode() for name, rows in tables.items()})


def _rail_stops(of_lines: Iterable[Line], ids: Ids) -> Iterator[list[str]]:
    for stop in _stops(of_lines):
        latitude, longitude = _coordinates(stop.place)
        yield [longitude, latitude, stop.name, ids.station(stop), "", "1", "gut"]
        for direction in (0, 1):
            latitude, longitude = _coordinates(_platform_place(stop, direction))
            yield [longitude, latitude, stop.name, ids.platform(stop, direction), ids.station(stop), "", "gut"]


# -- what the feeds share -------------------------------------------------------------------------------------------


def _dhid_ids(feed: str) -> Ids:
    return Ids(
        station=lambda stop: stop.station_id,
        platform=lambda stop, direction: f"{stop.station_id}:{direction + 1}:{'AB'[direction]}",
        route=lambda line: f"{feed}-{line.number}_{line.route_type}",
        trip=lambda trip: f"{feed}.{trip.line.number}.{trip.service}.{trip.number}_G",
        service={service: f"{feed}{number}" for number, service in enumerate(SERVICES, start=1)},
    )


def _stops(of_lines: Iterable[Line]) -> list[Stop]:
    return sorted({stop for line in of_lines for stop in line.stops}, key=lambda stop: stop.number)


def _stop_times(all_trips: Iterable[Trip], ids: Ids, step: int = 1) -> Iterator[list[str]]:
    for trip in all_trips:
        name = ids.trip(trip)
        for sequence, visit in enumerate(trip.visits):
            platform = ids.platform(visit.stop, trip.direction)
            yield [name, _clock(visit.arrival_s), _clock(visit.departure_s), platform, str(step * sequence)]


def _trip(trip: Trip, ids: Ids) -> list[str]:
    return [ids.route(trip.line), ids.service[trip.service], ids.trip(trip), trip.headsign, str(trip.direction)]


def _feed_info(publisher: str, version: str) -> Rows:
    first, last = PERIOD
    return [
        ["feed_publisher_name", "feed_publisher_url", "feed_lang", "feed_version", "feed_start_date", "feed_end_date"],
        [publisher, "https://beispiel.example", "de", version, _day(first), _day(last)],
    ]


def _platform_place(stop: Stop, direction: int) -> Point:
    return Point(stop.place.east + PLATFORM_OFFSET_M * (1 - 2 * direction), stop.place.north)


def _coordinates(place: Point) -> tuple[str, str]:
    """Latitude and longitude as text."""
    longitude, latitude = to_degrees(place)
    return f"{latitude:.6f}", f"{longitude:.6f}"


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"
