"""Pair points with the stops near them: staged points in, the stops within walking distance of each out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from connectors.tables import STOP_NEARBY

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Metres = NDArray[np.float64]

STOP = "gtfs_stop"
# Entity -> how far away a stop may lie, in metres. People are taken to walk 500 m in a straight line at most (300 m and
# 500 m are what local transport plans ask for); an operator's list of its stops has them up to 650 m from where its
# timetable has them (measured on the one of Stadtwerke Münster).
REACH_M = {"population_cell": 500.0, "barrier_free_stop": 1000.0}
# Metres of EPSG:3035 are true to 0.02 % in the Münsterland: 10 cm in 500 m.
METRES = "EPSG:3035"
KEY = [(name, "ascending") for name in STOP_NEARBY.columns.names if name != "distance_m"]


def nearby(points: pa.Table) -> pa.Table:
    """Every point of a kind in REACH_M with each stop within its reach, in the schema of STOP_NEARBY.

    `points` as `connectors.locate.points_of` gives them (EPSG:4326); those without coordinates are left out. The
    distance is the straight line in metres, to the centimetre; the reach is included. Sorted by all keys. A pure
    function of its argument.
    """
    known = points.filter(pc.and_(pc.is_valid(points["longitude"]), pc.is_valid(points["latitude"])))
    stops = known.filter(pc.equal(known["entity"], STOP))
    pairs = [
        _pairs(known.filter(pc.equal(known["entity"], entity)), stops, reach_m) for entity, reach_m in REACH_M.items()
    ]
    return pa.concat_tables(pairs).sort_by(KEY)


def _pairs(points: pa.Table, stops: pa.Table, reach_m: float) -> pa.Table:
    if not points.num_rows or not stops.num_rows:
        return STOP_NEARBY.columns.empty_table()
    # Here, for a region without such points never comes here.
    import numpy as np
    import shapely

    point_metres, stop_metres = _metres(points), _metres(stops)
    tree = shapely.STRtree(shapely.points(stop_metres))
    # A centimetre more, so that what rounds to the reach is within it on every machine.
    at_point, at_stop = tree.query(shapely.points(point_metres), predicate="dwithin", distance=reach_m + 0.01)
    distance_m = np.round(np.hypot(*(point_metres[at_point] - stop_metres[at_stop]).T), 2)
    near = distance_m <= reach_m
    of_point, of_stop = points.take(at_point[near]), stops.take(at_stop[near])
    return pa.table(
        {
            **{name: of_point[name] for name in ("source_id", "snapshot_sha256", "entity", "entity_id")},
            "stop_source_id": of_stop["source_id"],
            "stop_snapshot_sha256": of_stop["snapshot_sha256"],
            "stop_id": of_stop["entity_id"],
            "distance_m": distance_m[near],
        },
        schema=STOP_NEARBY.columns,
    )


def _metres(points: pa.Table) -> Metres:
    """The points as rows of metres east and north; a place beyond the projection is infinitely far away."""
    import numpy as np
    import pyproj

    to_metres = pyproj.Transformer.from_crs("EPSG:4326", METRES, always_xy=True)
    east, north = to_metres.transform(points["longitude"].to_numpy(), points["latitude"].to_numpy())
    return np.column_stack([east, north])
