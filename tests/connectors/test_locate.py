from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from shapely.geometry import box

from connectors.locate import BOUNDARY, POINT, boundaries_of, locate, points_of
from connectors.tables import ENERGY_UNIT, GTFS_STOPS, LOCATED_POINT, MUNICIPALITY_BOUNDARY, SCHOOL, Table

SHA = "a" * 64
# Two squares that share the edge at 7.5 degrees east.
WEST, EAST = box(7.0, 51.0, 7.5, 52.0), box(7.5, 51.0, 8.0, 52.0)


def boundaries(**polygons: Any) -> pa.Table:
    rows = [{"ags": ags.removeprefix("a"), "geometry_wkb": polygon.wkb} for ags, polygon in polygons.items()]
    return pa.Table.from_pylist(rows, schema=BOUNDARY)


def points(*places: tuple[str, float | None, float | None]) -> pa.Table:
    rows = [
        {"source_id": "s", "snapshot_sha256": SHA, "entity": "school", "entity_id": name, "longitude": x, "latitude": y}
        for name, x, y in places
    ]
    return pa.Table.from_pylist(rows, schema=POINT)


def keys(located: pa.Table) -> list[tuple[str, str | None]]:
    return [(row["entity_id"], row["ags"]) for row in located.to_pylist()]


def test_a_point_gets_the_municipality_it_lies_in() -> None:
    areas = boundaries(a05558044=EAST, a05515000=WEST)
    located = locate(points(("b", 7.9, 51.5), ("a", 7.1, 51.5), ("c", 9.0, 51.5)), areas)
    assert keys(located) == [("a", "05515000"), ("b", "05558044"), ("c", None)]
    assert located.schema == LOCATED_POINT.columns


def test_a_point_on_a_shared_edge_gets_the_smallest_key_in_any_order() -> None:
    on_edge = points(("edge", 7.5, 51.5))
    assert keys(locate(on_edge, boundaries(a05515000=WEST, a05558044=EAST))) == [("edge", "05515000")]
    assert keys(locate(on_edge, boundaries(a05558044=EAST, a05515000=WEST))) == [("edge", "05515000")]


def test_points_without_coordinates_are_left_out() -> None:
    assert keys(locate(points(("a", None, 51.5), ("b", 7.1, None), ("c", 7.1, 51.5)), boundaries(a05515000=WEST))) == [
        ("c", "05515000")
    ]


def test_nothing_located_is_an_empty_table_and_without_boundaries_nothing_has_a_key() -> None:
    assert locate(points(), boundaries(a05515000=WEST)).num_rows == 0
    assert locate(points(), boundaries()).schema == LOCATED_POINT.columns
    assert keys(locate(points(("a", 7.1, 51.5)), boundaries())) == [("a", None)]


def stage(view: Path, table: Table, name: str, rows: list[dict[str, Any]]) -> None:
    key = {"source_id": "s", "snapshot_sha256": SHA, "parse_key": "1-x"}
    place = view / table.name / f"{name}.parquet"
    place.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist([key | row for row in rows], schema=table.schema), place)


def test_points_are_read_once_from_every_staged_table(tmp_path: Path) -> None:
    stage(tmp_path, GTFS_STOPS, "a", [{"record_number": 1, "stop_id": "de:1", "stop_lon": 7.1, "stop_lat": 51.1}])
    stage(tmp_path, SCHOOL, "a", [{"record_number": 3, "school_id": "100012", "longitude": 7.2, "latitude": 51.2}])
    unit = {"unit_id": "SEE1", "latitude": 51.3}
    stage(tmp_path, ENERGY_UNIT, "a", [unit | {"record_number": 9, "longitude": 7.9}])
    stage(tmp_path, ENERGY_UNIT, "b", [unit | {"record_number": 4, "longitude": 7.4}])
    found = points_of(tmp_path)
    assert found.schema == POINT
    assert [(row["entity"], row["entity_id"], row["longitude"], row["latitude"]) for row in found.to_pylist()] == [
        ("gtfs_stop", "de:1", 7.1, 51.1),
        ("energy_unit", "SEE1", 7.4, 51.3),
        ("school", "100012", 7.2, 51.2),
    ]


def test_an_empty_view_has_neither_points_nor_boundaries(tmp_path: Path) -> None:
    assert points_of(tmp_path).schema == POINT
    assert points_of(tmp_path).num_rows == boundaries_of(tmp_path).num_rows == 0


def test_boundaries_are_read_sorted_and_locate_the_points(tmp_path: Path) -> None:
    rows = [
        {"record_number": 1, "ags": "05558044", "geometry_wkb": EAST.wkb},
        {"record_number": 2, "ags": "05515000", "geometry_wkb": WEST.wkb},
    ]
    stage(tmp_path, MUNICIPALITY_BOUNDARY, "a", rows)
    assert boundaries_of(tmp_path)["ags"].to_pylist() == ["05515000", "05558044"]
    assert keys(locate(points(("a", 7.9, 51.5)), boundaries_of(tmp_path))) == [("a", "05558044")]


def test_a_point_keeps_the_key_its_record_states(tmp_path: Path) -> None:
    stage(tmp_path, SCHOOL, "s", [{"school_id": "1", "longitude": 7.1, "latitude": 51.5, "ags": "05558044"}])
    stage(tmp_path, GTFS_STOPS, "g", [{"stop_id": "1", "stop_lon": 7.1, "stop_lat": 51.5}])
    located = locate(points_of(tmp_path), boundaries(a05515000=WEST)).to_pylist()
    assert [(row["entity"], row["ags"], row["stated_ags"]) for row in located] == [
        ("gtfs_stop", "05515000", None),
        ("school", "05515000", "05558044"),
    ]
