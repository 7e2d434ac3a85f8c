"""Stops near points: small grids worked out by hand, and many against a plain loop."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import pyarrow as pa
import pyproj
import pytest

from connectors.locate import POINT
from connectors.nearby import REACH_M, nearby
from connectors.tables import STOP_NEARBY

TO_DEGREES = pyproj.Transformer.from_crs("EPSG:3035", "EPSG:4326", always_xy=True)
# A place in Münster, metres in EPSG:3035.
EAST, NORTH = 4_157_050, 3_211_050


def point(entity: str, name: str, east: float, north: float, **more: Any) -> dict[str, Any]:
    """A point so many metres east and north of the place in Münster."""
    longitude, latitude = TO_DEGREES.transform(EAST + east, NORTH + north)
    row = {"source_id": "s", "snapshot_sha256": "a", "entity": entity, "entity_id": name}
    return {**row, "longitude": longitude, "latitude": latitude, **more}


def cell(name: str, east: float, north: float, **more: Any) -> dict[str, Any]:
    return point("population_cell", name, east, north, **more)


def stop(name: str, east: float, north: float, **more: Any) -> dict[str, Any]:
    return point("gtfs_stop", name, east, north, source_id="feed", **more)


def table(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=POINT)


def pairs(*rows: dict[str, Any]) -> list[tuple[str, str, float]]:
    return [(row["entity_id"], row["stop_id"], row["distance_m"]) for row in nearby(table(*rows)).to_pylist()]


def test_the_distance_is_the_straight_line_to_the_centimetre() -> None:
    cells = [cell("c299", 299, 0), cell("c301", 0, -301), cell("c499", -499, 0), cell("c5", 3, 4)]
    assert pairs(*cells, stop("S", 0, 0)) == [
        ("c299", "S", 299.0),
        ("c301", "S", 301.0),
        ("c499", "S", 499.0),
        ("c5", "S", 5.0),
    ]


@pytest.mark.parametrize(("metres", "is_near"), [(499, True), (500, True), (501, False)])
def test_the_reach_is_included_and_nothing_beyond_it(metres: float, is_near: bool) -> None:
    assert bool(pairs(cell("c", metres, 0), stop("S", 0, 0))) is is_near


def test_a_list_of_stops_reaches_farther_than_people_walk() -> None:
    entry = point("barrier_free_stop", "170", 0, 999)
    assert pairs(entry, cell("c", 0, 999), stop("S", 0, 0)) == [("170", "S", 999.0)]
    assert pairs(point("barrier_free_stop", "170", 0, 1_001), stop("S", 0, 0)) == []


def test_a_pair_says_where_both_come_from() -> None:
    (row,) = nearby(table(cell("c", 0, 0), stop("S", 0, 100, snapshot_sha256="b"))).to_pylist()
    assert row == {
        "source_id": "s",
        "snapshot_sha256": "a",
        "entity": "population_cell",
        "entity_id": "c",
        "stop_source_id": "feed",
        "stop_snapshot_sha256": "b",
        "stop_id": "S",
        "distance_m": 100.0,
    }


def test_points_of_other_kinds_and_without_a_place_have_no_stops() -> None:
    nowhere = {**cell("c", 0, 0), "longitude": None}
    antipode = {**stop("far", 0, 0), "longitude": -170.0, "latitude": -52.0}
    assert pairs(point("school", "1", 0, 0), nowhere, antipode, stop("S", 0, 0)) == []
    assert pairs(cell("c", 0, 0), antipode, stop("S", 0, 0)) == [("c", "S", 0.0)]


def test_without_cells_or_without_stops_there_are_no_pairs() -> None:
    for rows in ((), (stop("S", 0, 0),), (cell("c", 0, 0),)):
        assert nearby(table(*rows)).schema == STOP_NEARBY.columns
        assert nearby(table(*rows)).num_rows == 0


@pytest.mark.parametrize("seed", range(20))
def test_it_is_what_a_plain_loop_finds_in_any_order(seed: int) -> None:
    dice = Random(seed)

    def place() -> tuple[float, float]:
        return dice.uniform(-1_500, 1_500), dice.uniform(-1_500, 1_500)

    stops = [stop(f"S{number}", *place()) for number in range(dice.randrange(30))]
    cells = [cell(f"c{number}", 100 * dice.randrange(-9, 9), 100 * dice.randrange(-9, 9)) for number in range(40)]
    entries = [point("barrier_free_stop", f"e{number}", *place()) for number in range(10)]
    geodesic = pyproj.Geod(ellps="GRS80")
    expected = {}
    for one in (*cells, *entries):
        for other in stops:
            *_, metres = geodesic.inv(one["longitude"], one["latitude"], other["longitude"], other["latitude"])
            expected[one["entity_id"], other["entity_id"]] = metres, REACH_M[one["entity"]]
    rows = [*stops, *cells, *entries]
    found = {(name, stop_id): metres for name, stop_id, metres in pairs(*rows)}
    # The projection's metres are those on the ellipsoid to 0.02 %.
    for pair, (metres, reach) in expected.items():
        if metres < reach * 0.9995:
            assert math.isclose(found.pop(pair), metres, rel_tol=2e-4, abs_tol=0.02)
        else:
            assert found.pop(pair, reach) >= reach * 0.999
    assert found == {}
    dice.shuffle(rows)
    assert nearby(table(*rows)) == nearby(table(*rows[::-1]))
