"""mart_transit_access of a random region against a plain loop over its cells, stops and trips."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

import pyproj
import pytest
from shapely.geometry import box

from connectors import tables
from connectors.locate import boundaries_of, locate, points_of
from connectors.nearby import nearby
from tests.dbt_project.conftest import MUENSTER, Built, Staged, build

SCHOOL_DAY = date(2026, 11, 24)
WEST, EAST, SILENT = MUENSTER, "05554001", "05570001"
TO_DEGREES = pyproj.Transformer.from_crs("EPSG:3035", "EPSG:4326", always_xy=True)
ORIGIN = (4_157_000, 3_211_000)
# The border between the two municipalities, degrees; nobody covers the third, which lies apart.
BORDER = TO_DEGREES.transform(ORIGIN[0] + 1_500, ORIGIN[1] + 1_500)[0]
THRESHOLDS = (1, 10, 20, 40)

Place = tuple[float, float]


@dataclass(frozen=True)
class Town:
    """Cells with their people, platforms with their stations, and departures per platform on the school day."""

    cells: dict[str, tuple[Place, int | None]]
    platforms: dict[str, tuple[Place, str]]
    departures: Counter[str]


def degrees(place: Place) -> dict[str, float]:
    longitude, latitude = TO_DEGREES.transform(ORIGIN[0] + place[0], ORIGIN[1] + place[1])
    return {"longitude": longitude, "latitude": latitude}


def municipality(place: Place) -> str:
    return WEST if degrees(place)["longitude"] < BORDER else EAST


@pytest.fixture(scope="module")
def town() -> Town:
    dice = Random(5)
    corners = dice.sample([(100.0 * x, 100.0 * y) for x in range(30) for y in range(30)], 400)
    cells = {
        f"c{number}": ((x + 50, y + 50), None if dice.random() < 0.05 else dice.randrange(80))
        for number, (x, y) in enumerate(corners)
    }
    platforms: dict[str, tuple[Place, str]] = {}
    for number in range(9):
        middle = dice.uniform(0, 3_000), dice.uniform(0, 3_000)
        for letter in "AB"[: dice.randint(1, 2)]:
            place = middle[0] + dice.uniform(-80, 80), middle[1] + dice.uniform(-80, 80)
            platforms[f"{number}{letter}"] = place, str(number)
    departures = Counter({name: dice.choice((0, 1, 3, 4, 5, 9, 10, 19, 21, 40)) for name in platforms})
    return Town(cells, platforms, departures)


@pytest.fixture(scope="module")
def built(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = Staged(tmp_path_factory.mktemp("access") / "staged")
    stations = sorted({station for _, station in town.platforms.values()})
    folder.write(
        tables.GTFS_STOPS,
        "feed",
        [
            # A station has its own place, which nobody boards at.
            *(stop(f"station {name}", (1_500.0, 1_500.0), 1, None) for name in stations),
            *(stop(name, place, 0, f"station {station}") for name, (place, station) in town.platforms.items()),
            stop("terminus", (90_000.0, 0.0), 0, None),
        ],
    )
    folder.write(tables.GTFS_ROUTES, "feed", [{"route_id": "R", "route_short_name": "1"}])
    trips = [f"{name} {number}" for name, count in town.departures.items() for number in range(count)]
    folder.write(
        tables.GTFS_TRIPS,
        "feed",
        # On the day before as many again, which must not be counted.
        [
            {"trip_id": f"{day} {trip}", "route_id": "R", "service_id": day}
            for day in ("school day", "another day")
            for trip in trips
        ],
    )
    folder.write(
        tables.GTFS_STOP_TIMES,
        "feed",
        [
            time
            for day in ("school day", "another day")
            for number, trip in enumerate(trips)
            for time in calls(f"{day} {trip}", trip.split(" ")[0], 20_000 + 60 * number)
        ],
    )
    folder.write(
        tables.GTFS_CALENDAR_DATES,
        "feed",
        [
            {"service_id": "school day", "date": SCHOOL_DAY, "exception_type": 1},
            {"service_id": "another day", "date": date(2026, 11, 23), "exception_type": 1},
        ],
    )
    folder.write(
        tables.POPULATION_CELL,
        "grid",
        [
            {"cell_id": name, "population": people, **degrees(place)}
            for name, (place, people) in [*town.cells.items(), ("silent", ((60_050.0, 50.0), 7))]
        ],
    )
    west, south = TO_DEGREES.transform(ORIGIN[0] - 20_000, ORIGIN[1] - 20_000)
    east, north = TO_DEGREES.transform(ORIGIN[0] + 20_000, ORIGIN[1] + 20_000)
    apart = TO_DEGREES.transform(ORIGIN[0] + 50_000, ORIGIN[1])[0]
    areas = {
        WEST: box(west, south, BORDER, north),
        EAST: box(BORDER, south, east, north),
        SILENT: box(apart, south, apart + 1, north),
    }
    folder.write(
        tables.MUNICIPALITY_BOUNDARY,
        "boundary",
        [{"ags": ags, "geometry_wkb": area.wkb} for ags, area in areas.items()],
    )
    folder.write(
        tables.MUNICIPALITY_REGISTER,
        "register",
        [{"ags": ags, "ars": f"{ags[:5]}0000{ags[5:]}", "name": ags} for ags in areas],
    )
    sources = ("feed", "grid", "boundary", "register")
    folder.state(
        tables.SNAPSHOT_IN_FORCE,
        [{"source_id": one, "partition": "", "snapshot_sha256": "s1", "parse_key": "p1"} for one in sources],
    )
    folder.state(tables.SOURCE_CATALOGUE, [{"source_id": one, "priority": 1} for one in sources])
    folder.state(tables.SOURCE_RESOURCE, [{"source_id": "feed", "resource": "", "connector": "gtfs"}])
    folder.state(tables.SOURCE_COVERAGE, [{"source_id": "feed", "ags": ags} for ags in (WEST, EAST)])
    region = {"area_id": "muensterland", "level": "region", "name_de": "Münsterland", "name_en": "Münsterland"}
    kreise = [
        {"area_id": ags[:5], "level": "kreis", "name_de": ags[:5], "name_en": ags[:5], "parent_area_id": "muensterland"}
        for ags in areas
    ]
    folder.state(tables.REGION_AREA, [region, *kreise])
    points = points_of(folder.root)
    folder.state(tables.LOCATED_POINT, locate(points, boundaries_of(folder.root)).to_pylist())
    folder.state(tables.STOP_NEARBY, nearby(points).to_pylist())
    selected = ("--select", "+mart_transit_access", "--exclude-resource-type", "test", "unit_test")
    built = build(folder.root, tmp_path_factory.mktemp("build"), *selected)
    assert built.result.success, built.result.exception
    return built


def stop(name: str, place: Place, location_type: int, station: str | None) -> dict[str, Any]:
    where = degrees(place)
    return {
        "stop_id": name,
        "stop_name": station or name,
        "stop_lon": where["longitude"],
        "stop_lat": where["latitude"],
        "location_type": location_type,
        "parent_station": station,
    }


def calls(trip: str, platform: str, begins: int) -> Iterator[dict[str, Any]]:
    for sequence, (name, seconds) in enumerate(((platform, begins), ("terminus", begins + 7_200))):
        time = {"arrival_s": seconds, "departure_s": seconds}
        yield {"trip_id": trip, "stop_sequence": sequence, "stop_id": name, **time}


def expected(town: Town) -> dict[tuple[str, int], tuple[int, int, int]]:
    """People within 300 m, within 500 m and altogether, per municipality and threshold."""
    served: Counter[str] = Counter()
    for name, (_, station) in town.platforms.items():
        served[station] += town.departures[name]
    found: dict[tuple[str, int], tuple[int, int, int]] = {}
    for ags in (WEST, EAST):
        for threshold in THRESHOLDS:
            near = {300: 0, 500: 0, math.inf: 0}
            for place, people in town.cells.values():
                if municipality(place) != ags:
                    continue
                distances = [
                    math.dist(place, where)
                    for where, station in town.platforms.values()
                    if served[station] >= threshold
                ]
                for reach in near:
                    if reach == math.inf or any(distance <= reach for distance in distances):
                        near[reach] += people or 0
            found[ags, threshold] = near[300], near[500], near[math.inf]
    return found


def test_people_near_served_stops_are_those_of_a_plain_loop(built: Built, town: Town) -> None:
    columns = "population_300m, population_500m, population_total, population_share_300m, population_share_500m"
    rows = built.query(
        f"select ags, min_departures, {columns}, service_date, reason from marts.mart_transit_access "
        f"where ags <> '{SILENT}'"
    )
    wanted = expected(town)
    assert {(ags, threshold): tuple(people) for ags, threshold, *people, _, _, _, _ in rows} == wanted
    assert {row[-2:] for row in rows} == {(SCHOOL_DAY, None)}
    for *_, near, nearer, total, share_300m, share_500m, _, _ in rows:
        assert (share_300m, share_500m) == (near / total, nearer / total)
    # The layout tells the thresholds and the two municipalities apart.
    assert len(set(wanted.values())) == len(wanted)


def test_where_no_timetable_speaks_there_is_no_share(built: Built) -> None:
    rows = built.query(
        f"select distinct population_share_300m, population_share_500m, population_total, cells, reason "
        f"from marts.mart_transit_access where ags = '{SILENT}'"
    )
    reason = "no timetable in force that declares the municipality runs on the school day"
    assert rows == [(None, None, 7, 1, reason)]
