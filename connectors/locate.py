"""Locate points in municipalities: staged points and staged boundaries in, the municipality of each point out."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from connectors.tables import LOCATED_POINT, MUNICIPALITY_BOUNDARY

BOUNDARY = pa.schema([("ags", pa.string()), ("geometry_wkb", pa.binary())])
POINT = pa.schema([field for field in LOCATED_POINT.columns if field.name != "ags"])
KEY = ("source_id", "snapshot_sha256", "entity", "entity_id")
# staged table -> what its points are called, the expression that names a point, its coordinates and the municipality
# key its record states
ENTITIES = {
    "gtfs_stops": ("gtfs_stop", "stop_id", "stop_lon", "stop_lat", "cast(null as varchar)"),
    "charging_station": (
        *("charging_station", "cast(record_number as varchar)", "longitude", "latitude"),
        "cast(null as varchar)",
    ),
    "energy_unit": ("energy_unit", "unit_id", "longitude", "latitude", "ags"),
    "school": ("school", "school_id", "longitude", "latitude", "ags"),
    "population_cell": ("population_cell", "cell_id", "longitude", "latitude", "cast(null as varchar)"),
    "barrier_free_stop": ("barrier_free_stop", "entry_id", "longitude", "latitude", "cast(null as varchar)"),
    "count_site": ("counting_site", "site_id", "longitude", "latitude", "ags"),
    "count_location": ("counting_location", "location_id", "longitude", "latitude", "cast(null as varchar)"),
    "accident": ("accident", "cast(record_number as varchar)", "longitude", "latitude", "ags"),
    "facility": ("facility", "concat(kind, ' ', facility_id)", "longitude", "latitude", "ags"),
}


def locate(points: pa.Table, boundaries: pa.Table) -> pa.Table:
    """The points (EPSG:4326) with the `ags` of the polygon they lie in, in the schema of LOCATED_POINT.

    A point on a shared edge gets the smallest `ags`, one outside all polygons null; points without coordinates are
    left out. Sorted by source, snapshot, entity and its id. A pure function of its arguments.
    """
    # Here, for a run that finds nothing new never comes here.
    import geopandas as gpd

    known = points.filter(pc.and_(pc.is_valid(points["longitude"]), pc.is_valid(points["latitude"])))
    places = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(known["longitude"].to_numpy(), known["latitude"].to_numpy(), crs="EPSG:4326")
    )
    areas = gpd.GeoDataFrame(
        {"ags": boundaries["ags"].to_pylist()},
        geometry=gpd.GeoSeries.from_wkb(boundaries["geometry_wkb"].to_pylist(), crs="EPSG:4326"),
    )
    hits = places.sjoin(areas, how="inner", predicate="intersects").groupby(level=0)["ags"].min()
    ags = pa.array(hits.reindex(places.index), pa.string(), from_pandas=True)
    located = known.append_column("ags", ags).select(LOCATED_POINT.columns.names).cast(LOCATED_POINT.columns)
    return located.sort_by([(name, "ascending") for name in KEY])


def points_of(staged_view: Path) -> pa.Table:
    """Every point below `<staged_view>/<table>/*.parquet` once, as `locate` takes them; missing tables have none.

    Where a snapshot names a point twice, its first record counts.
    """
    found = [
        _query(
            files,
            f"""
            select distinct on (source_id, snapshot_sha256, entity_id)
                source_id, snapshot_sha256, '{entity}' as entity, {name} as entity_id,
                {longitude} as longitude, {latitude} as latitude, {stated} as stated_ags
            from read_parquet($files, hive_partitioning = false)
            order by source_id, snapshot_sha256, entity_id, record_number
            """,
            POINT,
        )
        for table, (entity, name, longitude, latitude, stated) in ENTITIES.items()
        if (files := _files(staged_view, table))
    ]
    return pa.concat_tables([POINT.empty_table(), *found])


def boundaries_of(staged_view: Path) -> pa.Table:
    """The staged municipality polygons (`ags`, `geometry_wkb` in EPSG:4326), sorted by key."""
    files = _files(staged_view, MUNICIPALITY_BOUNDARY.name)
    if not files:
        return BOUNDARY.empty_table()
    columns = "select distinct ags, geometry_wkb from read_parquet($files, hive_partitioning = false)"
    return _query(files, f"{columns} order by ags, geometry_wkb", BOUNDARY)


def _files(staged_view: Path, table: str) -> list[str]:
    return sorted(str(path) for path in (staged_view / table).glob("*.parquet"))


def _query(files: list[str], query: str, schema: pa.Schema) -> pa.Table:
    with duckdb.connect() as database:
        return database.execute(query, {"files": files}).to_arrow_table().cast(schema)
